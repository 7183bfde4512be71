"""How long a release over many services takes, beside the shortest time that the quotas allow."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ferryman.records import Deployment
from ferryman.store import items, keys
from simulation.aws.ecs import DRAINS, TICK
from simulation.documents import PLATFORM
from simulation.people import People
from simulation.quotas.buckets import LAUNCH, QUOTAS, REGISTER, UPDATE
from simulation.quotas.wide import Wide
from simulation.sandboxes import definition

VERSION = "b000001"
TASKS = 2
"""Tasks of each service."""
ROLLOUT = (TASKS + DRAINS) * TICK
"""Seconds that the model of ECS takes for a rollout."""
LARGEST_WAVE = 40
"""Services in one wave (the schema's limit)."""
LONGEST = 6 * 3600.0
"""Seconds after which a release that has not ended is given up."""


@dataclass(frozen=True)
class Makespan:
    """How one release went."""

    services: int
    """Of each environment."""
    waves: int
    environments: int
    """So many deployments of the release run side by side."""
    phases: dict[str, int]
    """How many deployments ended in which phase."""
    seconds: float
    """From the push to the end of the execution."""
    bound: float
    """What the quotas allow at best, in seconds."""
    throttled: dict[str, int]
    """Quota → refused attempts of calls."""
    conflicts: int
    """Transactions that were refused because others had the same items."""
    hot: int
    """Writes refused because a partition was out of write units."""
    invocations: int
    most_running: int
    """Invocations at the same time, at most."""
    transitions: int
    """Of the executions, retries included: what AWS bills."""
    events: int
    """In the histories of the executions, of which each may have 25,000."""
    longest: dict[str, float]
    """Function → the longest of its runs, as a share of its time-out; the API's runs are left out."""
    errors: dict[str, int] = field(default_factory=dict)
    """`<function> <error>` → how many steps ended with it; a retry follows."""

    @property
    def ratio(self) -> float:
        """How many times the bound it took."""
        return self.seconds / self.bound


def bound(waves: Sequence[int], environments: int = 1) -> float:
    """Return the least seconds for these waves: for each, its last start within every quota, and one rollout.

    Buckets are full again when a wave begins: a rollout lasts longer than they take to fill. Environments share them.
    """
    return sum(
        max(
            QUOTAS[REGISTER].seconds(environments * size),
            QUOTAS[UPDATE].seconds(environments * size),
            QUOTAS[LAUNCH].seconds(TASKS * environments * size),
        )
        + ROLLOUT
        for size in waves
    )


def waves_of(services: int) -> list[int]:
    """Return the fewest waves for so many services, as equal as can be."""
    count = -(-services // LARGEST_WAVE)
    return [services // count + (number < services % count) for number in range(count)]


def release(waves: Sequence[int], *, environments: int = 1, **how: Any) -> Makespan:
    """Deploy one release over all services. `how`: more arguments of `Wide`."""
    world = Wide(waves, environments=environments, **how)
    people = People(world)
    _apply(world, people)
    before = world.invocations.total()
    world.throttled.clear()
    at = world.scheduler.seconds
    people.push(VERSION)
    while world.scheduler.seconds < at + LONGEST and not _ended(world):
        world.scheduler.step()
    transitions, events = _of_executions(world)
    return Makespan(
        services=sum(waves),
        waves=len(waves),
        environments=environments,
        phases=dict(Counter(_phases(world))),
        seconds=world.scheduler.seconds - at,
        bound=bound(waves, environments),
        throttled=dict(world.throttled),
        conflicts=world.contention.conflicts,
        hot=world.contention.throttled,
        invocations=world.invocations.total() - before,
        most_running=world.most_running,
        transitions=transitions,
        events=events,
        longest=world.longest,
        errors={f"{function} {error}": count for (function, error), count in sorted(world.errors.items())},
    )


def _apply(world: Wide, people: People) -> None:
    """Apply the document with its first wave, which is adopted, and then with all: adopting reads each service's task
    definitions three times, one after the other, which takes longer than the API has for about 130 services.
    """
    every = world.document["spec"]["environments"]
    steps = [{**one, name: {**item, "waves": item["waves"][:1]}} for one, name, item in _growing(every)]
    for step in [*steps, every]:
        world.document["spec"]["environments"] = step
        people.apply()
        _run(world, world.scheduler.seconds + 60)
        assert [answer[3] for answer in people.answers[-1:]] == [200], people.answers[-1:]


def _growing(every: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, Any]]:
    """Yield each environment with those before it."""
    before: dict[str, Any] = {}
    for name, item in every.items():
        yield dict(before), name, item
        before[name] = item


def _run(world: Wide, until: float) -> None:
    while world.scheduler.next_at() <= until:
        world.scheduler.step()


def _ended(world: Wide) -> bool:
    executions = world.machines.executions.values()
    return len(executions) == world.environments and all(item.ended_at is not None for item in executions)


def _phases(world: Wide) -> Iterator[str]:
    for name in world.document["spec"]["environments"]:
        for item in world.table.partition(keys.environment(PLATFORM, name), keys.DEPLOYMENT):
            yield str(Deployment.model_validate(items.plain(item)).phase)


def _of_executions(world: Wide) -> tuple[int, int]:
    """Return how many transitions and events the executions have together.

    Events by state: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html.
    """
    machine = definition("deploy")
    types = _types(machine)
    entered, events = 0, 2 * world.environments
    completed: Counter[str] = Counter()
    for (_, name, following), count in world.machines.transitions.items():
        kind, function, waits = types[name]
        entered += count
        events += count * {"Task": 6 if waits else 5, "Map": 4}.get(kind, 2)
        if following == "end" and name not in machine["States"]:
            events += 2 * count  # a round of a Map
        if function:
            completed[function] += count
    again = {name: count - completed[name] for name, count in world.attempts.items()}
    # Scheduled, started, submitted where a token is waited for, and failed or timed out.
    events += sum(count * (4 if name.startswith("Watch") else 3) for name, count in again.items())
    return entered + sum(again.values()), events


def _types(machine: Any) -> dict[str, tuple[str, str, bool]]:
    """Return state → its type, its function and whether it waits for a token."""
    found: dict[str, tuple[str, str, bool]] = {}
    for name, state in machine["States"].items():
        function = state.get("Arguments", {}).get("FunctionName", "").removeprefix("${").removesuffix("}")
        found[name] = state["Type"], function, state.get("Resource", "").endswith(".waitForTaskToken")
        if "ItemProcessor" in state:
            found |= _types(state["ItemProcessor"])
    return found
