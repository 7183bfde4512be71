"""One history: people do things, things go wrong, then nothing goes wrong any more, and every promise must be kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from simulation.at_the_end import judge
from simulation.choices import Choice, Choices
from simulation.documents import VARIANTS
from simulation.invariants import Invariants
from simulation.people import People
from simulation.world import World

TURNS = 10
"""How often people may act."""
CHANCES = {"some": 0.012, "few": 0.003, "many": 0.04}
"""How often a call goes wrong."""
REST = 3 * 3600.0
"""Seconds without faults at the end: longer than all retries of an errored deployment, and an approval's expiry."""
_MOST_STEPS = 20_000


@dataclass
class Told:
    """What became of a history."""

    world: World
    people: People
    choices: Choices
    broken: list[tuple[str, str]] = field(default_factory=list)

    @property
    def story(self) -> list[Choice]:
        """Return everything that was out of the ordinary."""
        return self.choices.made


class Player:
    """What a person may do in a turn. The first is nothing."""

    def __init__(self, people: People, invariants: Invariants, world: World) -> None:
        self._people, self._invariants, self._world = people, invariants, world
        self._count = 0
        self._half: list[str] = []

    def options(self) -> dict[str, Callable[[], object]]:
        """Return what can be done, by name."""
        found: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "push": partial(self._push),
            "push one that crashes": partial(self._push, runs="crashes"),
            "push one that is ill": partial(self._push, runs="ill"),
            "push one that hangs": partial(self._push, runs="hangs"),
            "push one image": self._push_half,
            "push the other image": self._push_rest,
            "push twice": lambda: (self._push(), self._push()),
            "push the same again": self._push_again,
        }
        for environment in self._invariants.environments:
            post = partial(self._people.post, "jo", environment)
            found |= {
                f"hold {environment}": partial(post, "hold", reason="lunch"),
                f"resume {environment}": partial(post, "resume"),
                f"freeze {environment}": partial(post, "freeze", reason="fair"),
                f"thaw {environment}": partial(post, "thaw"),
                f"abort {environment}": partial(post, "abort", reason="wrong"),
                f"retry {environment}": partial(post, "retry", reason="again", resume=True),
                f"redeploy {environment}": partial(post, "redeploy", reason="again"),
                f"roll back {environment}": partial(
                    post, "rollback", reason="worse", confirm=environment, acceptSchemaMismatch=True
                ),
                f"stop the execution of {environment}": partial(self._stop, environment, "ABORTED"),
                f"time out the execution of {environment}": partial(self._stop, environment, "TIMED_OUT"),
            }
        if self._world.variant == "migration":
            found["push one whose migration fails"] = partial(self._push, migrates="fails")
        if self._world.variant == "approval":
            found |= {
                "approve": partial(self._decide, "approve", "ada"),
                "approve twice at once": lambda: (self._decide("approve", "ada"), self._decide("approve", "grace")),
                "approve and reject at once": lambda: (self._decide("approve", "ada"), self._decide("reject", "grace")),
                "reject": partial(self._decide, "reject", "grace"),
            }
        return found

    def _push(self, **behaviour: str) -> None:
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

    def _decide(self, what: str, who: str) -> None:
        active = self._invariants.state("production").active
        if active is not None:
            self._people.post(who, "production", what, version=active.version, reason="seen")


def play(choices: Choices, *, variant: str | None = None, script: Sequence[str] | None = None) -> Told:
    """Play one history. With a `script`, people do what it says, and not what the choices say."""
    variant = variant or choices.pick("variant", VARIANTS, 0.8)
    chance = CHANCES[choices.pick("how many faults", tuple(CHANCES), 0.6)]
    world = World(choices, variant, chance=chance)
    people = People(world)
    invariants = Invariants(world, people)
    told = Told(world, people, choices, invariants.broken)
    player = Player(people, invariants, world)
    choices.faults = 0.0
    people.apply()
    _run(told, invariants, 30)
    assert [answer[3] for answer in people.answers] == [200], people.answers
    choices.faults = 1.0
    for turn in script if script is not None else [None] * TURNS:
        options = player.options()
        options[turn if turn is not None else choices.pick("people", tuple(options), 0.7)]()
        _run(told, invariants, {"a minute": 60, "at once": 2, "minutes": 240}[_pause(choices)])
        if told.broken:
            return told
    choices.faults = 0.0
    for environment in invariants.environments:
        people.post("jo", environment, "thaw")
        people.post("jo", environment, "resume")
        _run(told, invariants, 5)
    _run(told, invariants, REST)
    if not told.broken:
        judge(world, people, invariants)
    return told


def _pause(choices: Choices) -> str:
    return choices.pick("pause", ("a minute", "at once", "minutes"), 0.6)


def _run(told: Told, invariants: Invariants, seconds: float) -> None:
    scheduler, steps = told.world.scheduler, told.world.steps
    until = scheduler.seconds + seconds
    while scheduler.next_at() <= until and not told.broken:
        scheduler.step()
        if told.world.steps != steps:
            steps = told.world.steps
            invariants.at_rest()
            if steps > _MOST_STEPS:
                invariants.break_("ItEnds", f"{steps} steps in {timedelta(seconds=scheduler.seconds)}")
    if scheduler.seconds < until:
        scheduler.seconds = until
