"""What people do in a history: something each turn, and now and then something in the middle of a step."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from simulation.approvers import Approvers
from simulation.documents import service
from simulation.invariants import Invariants
from simulation.people import WHATEVER, People
from simulation.surroundings import Surroundings

ALWAYS = {
    "nothing": 1,
    "push": 6,
    "push one that crashes": 3,
    "push one that is ill": 2,
    "push twice": 2,
    "push one that hangs": 1,
    "push one image": 3,
    "push the same again": 1,
    "look at everything": 4,
}
MIGRATION = {
    "push one that is not rollback-safe": 4,
    "roll back whatever it breaks staging": 2,
    "push one whose migration fails": 2,
    "push one whose migration hangs": 1,
    "migrate current staging": 1,
    "migrate down staging": 1,
}
"""Where images list their migrations."""


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
        found = dict(ALWAYS)
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
            found |= MIGRATION
        for environment in self._invariants.environments:
            found |= self._commands(environment)
        if self._stopped:
            found["redrive what was stopped"] = 3
        if self._world.variant == "pages":
            found |= self._approvers.weights(self._invariants.state("production").active is not None)
        if self._world.variant in ("approval", "commands") and self._invariants.state("production").active is not None:
            found |= {"approve": 16, "approve twice at once": 6, "approve and reject at once": 2, "reject": 1}
        return found

    def _commands(self, environment: str) -> dict[str, int]:
        state = self._invariants.state(environment)
        found = {f"hold {environment}": 2, f"freeze {environment}": 1, f"redeploy {environment}": 1}
        found |= {f"hold for a while {environment}": 1, f"roll back {environment}": 2, f"retry {environment}": 2}
        if state.hold is not None:
            found[f"resume {environment}"] = 8
        if state.freeze is not None:
            found[f"thaw {environment}"] = 8
        if state.active is not None:
            found |= {f"abort {environment}": 2, f"stop the execution of {environment}": 1}
            found[f"time out the execution of {environment}"] = 1
            if self._world.variant == "commands" and environment == "production":
                found[f"freeze {environment}"] = 6
        found |= {f"change a service of {environment}": 1, f"look at {environment}": 4}
        return found

    def act(self, what: str) -> None:
        """Do one of these things."""
        name, _, environment = what.rpartition(" ")
        if name == "look at":
            self._people.look("jo", environment)
        elif environment in self._invariants.environments:
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
        elif what == "scale a service":
            self._world.ecs.scaled(service("web", environment))
        elif what == "move a tag":
            self._world.registry.moved_by_hand("scr-web", f"{environment}-latest")
        else:
            self._command(what, environment)

    def _command(self, what: str, environment: str) -> None:
        post = partial(self._people.post, "jo", environment)
        match what:
            case "hold" | "freeze" | "abort" | "redeploy" | "hold for a while":
                soon = (self._world.scheduler.now() + timedelta(minutes=7)).isoformat()
                post(what.partition(" ")[0], reason="lunch", **({"until": soon} if what.endswith("while") else {}))
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
        "push one whose migration hangs": lambda self: self._push(migrates="hangs"),
        "look at everything": lambda self: self._people.look("ada"),
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
