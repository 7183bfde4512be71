"""One history: people do things, things go wrong, then nothing goes wrong any more, and every promise must be kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from simulation.approvers import Approvers
from simulation.at_the_end import judge
from simulation.choices import Choice, Choices
from simulation.documents import VARIANTS, service
from simulation.invariants import Invariants
from simulation.people import WHATEVER, People
from simulation.surroundings import Surroundings

TURNS = 24
"""How often people may act."""
CHANCES = {"some": 0.006, "few": 0.0015, "many": 0.02}
"""How often a call goes wrong, beside the faults that are aimed at each deployment."""
PAUSES = {
    "a minute": 60.0,
    "at once": 0.0,
    "some seconds": 3.0,
    "half a minute": 30.0,
    "minutes": 240.0,
    "ten minutes": 600.0,
}
REST = 3 * 3600.0
"""Seconds without faults at the end: longer than all retries of an errored deployment, and an approval's expiry."""
QUIET = 3700.0
"""Seconds without a change after which nothing more is to come: longer than the last retry of an errored deployment and
an approval's expiry (half an hour), and the pause between two sweeps after it."""
WEATHER = (
    "fine",
    "dynamodb",
    "ecs",
    "ecr",
    "stepfunctions",
    "sqs",
    "sns",
    "everything",
    "everything briefly",
    "dynamodb briefly",
)
"""Which service throttles everything from now on; `everything`: a region's bad hour."""
BAD_HOUR = 900.0
"""Seconds: longer than all retries of a step."""
BRIEFLY = 130.0
"""Seconds: longer than the retries of most steps, and over when the next step has to say so."""
FIRST = "a000000"
"""The release that runs before anybody asks for a database command."""
_MOST_STEPS = 20_000


@dataclass
class Told:
    """What became of a history."""

    world: Surroundings
    people: People
    choices: Choices
    broken: list[tuple[str, str]] = field(default_factory=list)

    @property
    def story(self) -> list[Choice]:
        """Return everything that was out of the ordinary."""
        return self.choices.made


class Player:
    """What a person may do in a turn. The first is nothing."""

    def __init__(self, people: People, invariants: Invariants, world: Surroundings) -> None:
        self._people, self._invariants, self._world = people, invariants, world
        self._count = 0
        self._half: list[str] = []
        self._named = 0
        self._stopped: list[str] = []
        self._approvers = Approvers(world, people)
        world.interrupt = self._interrupt

    def weights(self) -> dict[str, int]:
        """Return what a person would do now, each with how likely it is beside the others."""
        found = {"nothing": 1, "push": 6, "push one that crashes": 3, "push one that is ill": 2, "push twice": 2}
        found |= {"push one that hangs": 1, "push one image": 3, "push the same again": 1}
        if self._half:
            found["push the other image"] = 6
        if self._world.variant == "semver":
            found["name the newest"] = 10
        if self._world.variant == "commands":
            # Only a production that has a release and waits for nobody takes commands, which is rare.
            state = self._invariants.state("production")
            many = 4 if state.active is None and state.current and state.current.version else 1
            found |= {"migrate current production": 4 * many, "migrate down production": 12 * many}
            found |= {"migrate up production": 4 * many, "downgrade production": 4 * many}
            found |= {"override production": 2 * many, "override as a developer production": many}
        if self._world.variant == "migration":
            found |= {"push one that is not rollback-safe": 4, "roll back whatever it breaks staging": 2}
            found |= {"push one whose migration fails": 2, "migrate current staging": 1, "migrate down staging": 1}
        for environment in self._invariants.environments:
            state = self._invariants.state(environment)
            found |= {f"hold {environment}": 2, f"freeze {environment}": 1, f"redeploy {environment}": 1}
            found |= {f"roll back {environment}": 2, f"retry {environment}": 2}
            if state.hold is not None:
                found[f"resume {environment}"] = 8
            if state.freeze is not None:
                found[f"thaw {environment}"] = 8
            if state.active is not None:
                found |= {f"abort {environment}": 2, f"stop the execution of {environment}": 1}
                found[f"time out the execution of {environment}"] = 1
            found[f"change a service of {environment}"] = 1
            if self._stopped:
                found["redrive what was stopped"] = 3
        if self._world.variant == "pages":
            found |= self._approvers.weights(self._invariants.state("production").active is not None)
        if self._world.variant in ("approval", "commands") and self._invariants.state("production").active is not None:
            found |= {"approve": 16, "approve twice at once": 6, "approve and reject at once": 2, "reject": 1}
        return found

    def act(self, what: str) -> None:
        """Do one of these things."""
        name, _, environment = what.rpartition(" ")
        if environment in self._invariants.environments:
            self._command(name, environment)
        elif what in self._approvers.acts:
            self._approvers.acts[what]()
        else:
            self._others[what](self)

    def _interrupt(self, what: str, environment: str) -> None:
        if what == "push":
            self._push()
        elif what == "change a service":
            self._world.ecs.changed_by_hand(service("web", environment))
        elif what == "move a tag":
            self._world.registry.moved_by_hand("scr-web", f"{environment}-latest")
        else:
            self._command(what, environment)

    def _command(self, what: str, environment: str) -> None:
        post = partial(self._people.post, "jo", environment)
        match what:
            case "hold" | "freeze" | "abort" | "redeploy":
                post(what, reason="lunch")
            case "resume" | "thaw":
                post(what)
            case "retry":
                post("retry", reason="again", resume=True)
            case "migrate current" | "migrate down" | "migrate up":
                command = what.rpartition(" ")[2]
                revision = {"revision": "0001"} if command == "down" else {}
                post("migrate", command=command, confirm=environment, reason="look", **revision)
            case "override" | "override as a developer":
                who = "ada" if what == "override" else "jo"
                body = {"command": "down", "revision": "0001", "confirm": environment, "override": "orders are lost"}
                self._people.post(who, environment, "migrate", **body)
            case "downgrade":
                body = {"reason": "worse", "confirm": environment, "downgrade": True, "revision": "0001"}
                self._people.post("jo", environment, "rollback", **body)
            case "roll back":
                # Images that list no migrations leave it open whether the older release can run.
                unknown = {} if self._people.declares else {"acceptSchemaMismatch": True}
                post("rollback", reason="worse", confirm=environment, **unknown)
            case "roll back whatever it breaks":
                post("rollback", reason=WHATEVER, confirm=environment, acceptSchemaMismatch=True)
            case "stop the execution of":
                self._stop(environment, "ABORTED")
            case "time out the execution of":
                self._stop(environment, "TIMED_OUT")
            case "change a service of":
                self._world.ecs.changed_by_hand(service("web", environment))

    def _push(self, **behaviour: Any) -> None:
        self._people.push(self._version(), **behaviour)

    def _push_half(self) -> None:
        self._half.append(self._version())
        self._people.push(self._half[-1], ("api",))

    def _push_rest(self) -> None:
        if self._half:
            self._people.push(self._half.pop(0), ("web",))

    def _push_again(self) -> None:
        for version in list(self._people.pushed)[-1:]:
            self._people.push(version, tuple(self._people.pushed[version]))

    def _version(self) -> str:
        self._count += 1
        return f"a{self._count:06x}"

    def _stop(self, environment: str, status: str) -> None:
        active = self._invariants.state(environment).active
        if active is not None and active.execution_arn in self._world.machines.executions:
            self._world.machines.stop(active.execution_arn, status)
            self._stopped.append(active.execution_arn)

    def _redrive(self) -> None:
        if self._stopped:
            self._world.machines.redrive(self._stopped.pop())

    def _name_newest(self) -> None:
        for version in list(self._people.pushed)[-1:]:
            self._named += 1
            self._people.name(version, f"v1.{self._named}.0")

    def _decide(self, what: str, who: str) -> None:
        active = self._invariants.state("production").active
        if active is not None:
            self._people.post(who, "production", what, version=active.version, reason="seen")

    _others: ClassVar[dict[str, Callable[["Player"], object]]] = {
        "nothing": lambda self: None,
        "push": lambda self: self._push(),
        "push one that crashes": lambda self: self._push(runs="crashes"),
        "push one that is ill": lambda self: self._push(runs="ill"),
        "push one that is not rollback-safe": lambda self: self._push(unsafe=True),
        "push one that hangs": lambda self: self._push(runs="hangs"),
        "push one whose migration fails": lambda self: self._push(migrates="fails"),
        "push one image": lambda self: self._push_half(),
        "push the other image": lambda self: self._push_rest(),
        "push twice": lambda self: (self._push(), self._push()),
        "push the same again": lambda self: self._push_again(),
        "name the newest": lambda self: self._name_newest(),
        "redrive what was stopped": lambda self: self._redrive(),
        "approve": lambda self: self._decide("approve", "ada"),
        "approve twice at once": lambda self: (self._decide("approve", "ada"), self._decide("approve", "grace")),
        "approve and reject at once": lambda self: (self._decide("approve", "ada"), self._decide("reject", "grace")),
        "reject": lambda self: self._decide("reject", "grace"),
    }


def play(choices: Choices, *, faults: str = "") -> Told:
    """Play one history; `faults`: how often calls fail, of `CHANCES`, which otherwise differs."""
    variant = choices.pick("variant", VARIANTS, 0.8)
    chance = CHANCES[faults or choices.pick("how many faults", tuple(CHANCES), 0.6)]
    world = Surroundings(choices, variant, chance=chance)
    people = People(world)
    invariants = Invariants(world, people)
    told = Told(world, people, choices, invariants.broken)
    player = Player(people, invariants, world)
    choices.faults = 0.0
    people.apply()
    _run(told, invariants, 30)
    assert [answer[3] for answer in people.answers] == [200], people.answers
    if variant == "commands":
        # Only a production that runs a release takes commands.
        people.push(FIRST)
        _run(told, invariants, 300)
        people.post("grace", "production", "approve", version=FIRST)
        _run(told, invariants, 300)
        assert people.answers[-1][3] == 200, people.answers
    choices.met.clear()  # What fails before there is a platform disturbs nothing.
    choices.faults = 1.0
    for _ in range(TURNS):
        likely = player.weights()
        options = tuple(name for name, weight in likely.items() for _ in range(weight))
        player.act(choices.pick("people", options, 0.7))
        bad, _, briefly = choices.pick("weather", WEATHER, 0.12).partition(" ")
        world.throttling[bad] = world.scheduler.seconds + (BRIEFLY if briefly else BAD_HOUR)
        _run(told, invariants, PAUSES[choices.pick("pause", tuple(PAUSES), 0.6)])
        if told.broken:
            return told
    choices.faults = 0.0
    world.throttling.clear()
    for environment in invariants.environments:
        people.post("jo", environment, "thaw")
        people.post("jo", environment, "resume")
        _run(told, invariants, 5)
    _run(told, invariants, REST, quiet=QUIET)
    if not told.broken:
        judge(world, people, invariants)
    return told


def _run(told: Told, invariants: Invariants, seconds: float, quiet: float = REST) -> None:
    """Have time pass, or less of it when nothing changes for so many seconds."""
    scheduler, steps = told.world.scheduler, told.world.steps
    until = scheduler.seconds + seconds
    while scheduler.next_at() <= until and not told.broken and scheduler.seconds < told.world.changed_at + quiet:
        scheduler.step()
        if told.world.steps != steps:
            steps = told.world.steps
            invariants.at_rest()
            if steps > _MOST_STEPS:
                invariants.break_("ItEnds", f"{steps} steps in {timedelta(seconds=scheduler.seconds)}")
    if scheduler.seconds < until and quiet == REST:
        scheduler.seconds = until
