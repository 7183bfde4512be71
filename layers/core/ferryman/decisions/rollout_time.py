"""How long a rollout takes whose tasks are all well, and how long ECS may take to stop the old tasks. Pure.

Sources: the ECS Developer Guide ("Optimize load balancer health check parameters for Amazon ECS", "Optimize load
balancer connection draining parameters for Amazon ECS"), the ECS API reference (DeploymentConfiguration,
ContainerDefinition.stopTimeout, DeploymentAlarms) and the Elastic Load Balancing API reference (TargetGroup).
"""

from dataclasses import dataclass
from math import ceil

from ferryman.durations import span

STOP_SECONDS = 30
"""ECS's default for a container's stopTimeout."""
BAKE_SECONDS = 300
"""How long a rollout with alarms goes on being watched, where the service does not say it."""

_START_SECONDS = 60
"""From the placement of a task until it runs: network interface, pull of the image, start. An estimate."""
_MARGIN_SECONDS = 120
"""What ECS's scheduler and the removal of network interfaces take beside the bounds that can be read."""
_MOST_SECONDS = 7_200
"""The longest wait for old tasks. The sweep follows what takes longer: a task can be protected from scale-in for 48
hours."""
_LONG_SECONDS = 180
"""How long old tasks take to go before people are told how to make it faster."""
_SHORT_DELAY = 30
_QUICK_CHECKS = 30
"""Seconds of health checks, and of deregistration, that nobody is told to make shorter."""


@dataclass(frozen=True)
class TargetGroup:
    """What of a target group decides how long a rollout takes; seconds."""

    name: str
    interval: int
    healthy_threshold: int
    deregistration_delay: int


@dataclass(frozen=True)
class Pace:
    """What of a service decides how long a rollout takes."""

    desired: int
    minimum_percent: int = 100
    maximum_percent: int = 200
    groups: tuple[TargetGroup, ...] = ()
    stop_seconds: int = STOP_SECONDS
    """The longest stopTimeout of a container."""
    check_seconds: int = 0
    """The longest interval of a container's own health check."""
    bake_seconds: int = 0

    @property
    def healthy_each(self) -> int:
        """Seconds until a new task is healthy."""
        checks = [group.interval * group.healthy_threshold for group in self.groups]
        return _START_SECONDS + max([self.check_seconds, *checks])

    @property
    def drain_each(self) -> int:
        """Seconds until an old task is gone."""
        return max([0, *(group.deregistration_delay for group in self.groups)]) + self.stop_seconds

    @property
    def room(self) -> int:
        """How many tasks can be replaced at a time; 0: none, so that no rollout ever ends."""
        upper = self.desired * self.maximum_percent // 100
        return upper - ceil(self.desired * self.minimum_percent / 100)

    @property
    def batches(self) -> int:
        """How many rounds a rollout takes: with little room old tasks have to be gone before the next ones start."""
        return ceil(self.desired / self.room) if self.room > 0 else 1

    @property
    def drains_before(self) -> int:
        """How many rounds have to wait for old tasks."""
        surge = self.desired * self.maximum_percent // 100 - self.desired
        return self.batches - 1 if surge > 0 else self.batches

    @property
    def until_healthy(self) -> int:
        """Seconds until all new tasks are healthy; what `timeout` has to be above."""
        return self.batches * self.healthy_each + self.drains_before * self.drain_each


def drain_seconds(pace: Pace, protected_seconds: int = 0) -> int:
    """Return how long ECS may take from the moment when all new tasks are healthy until the rollout is COMPLETED.

    `protected_seconds`: how long old tasks are protected from scale-in. A protection that ends too late for the longest
    wait is not waited for at all: the old tasks would remain in any case.
    """
    rest = pace.drain_each + pace.bake_seconds + _MARGIN_SECONDS
    return rest + protected_seconds if rest + protected_seconds <= _MOST_SECONDS else min(rest, _MOST_SECONDS)


def remark(pace: Pace, timeout_seconds: int) -> str | None:
    """Say that `timeout` is too short for a release that is well, or that old tasks take long; None: neither."""
    if pace.desired == 0:
        return None
    if pace.room <= 0:
        return (
            f"can replace no task: of {pace.desired} desired tasks {pace.minimum_percent} % have to stay healthy, and "
            f"{pace.maximum_percent} % may run (minimumHealthyPercent, maximumPercent); raise maximumPercent to 200"
        )
    healthy, rest = pace.until_healthy, pace.drain_each + pace.bake_seconds
    rounds = f" in {pace.batches} rounds" if pace.batches > 1 else ""
    takes = f"a healthy rollout takes about {span(healthy)}{rounds} until all new tasks are healthy"
    if timeout_seconds < healthy:
        return f"{takes}, but timeout is {span(timeout_seconds)}, so that it fails; raise timeout{_faster(pace)}"
    if rest >= _LONG_SECONDS:
        return f"{takes}, and about {span(rest)} more until the old ones are gone{_faster(pace)}"
    return None


def _faster(pace: Pace) -> str:
    """Say what would make it faster, for the settings that cost most."""
    ways = []
    if pace.batches > 1 or pace.drains_before:
        ways.append("raise maximumPercent to 200, so that no new task waits for an old one")
    ways += [
        f"health checks of target group {group.name} ({group.healthy_threshold} every {group.interval} s): "
        "2 every 10 s are enough"
        for group in pace.groups
        if group.interval * group.healthy_threshold > _QUICK_CHECKS
    ]
    ways += [
        f"deregistration delay of target group {group.name} ({group.deregistration_delay} s): as long as the longest "
        f"request takes, often {_SHORT_DELAY} s"
        for group in pace.groups
        if group.deregistration_delay > _SHORT_DELAY
    ]
    return f". To make it faster: {'; '.join(ways)}" if ways else ""
