"""The `deploymentConfiguration` of a service. Pure.

Source: API reference of ECS, DeploymentConfiguration, DeploymentCircuitBreaker, DeploymentLifecycleHook,
CanaryConfiguration, LinearConfiguration. What AWS's documentation leaves open is refused.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

Raw = Mapping[str, Any]


class Refused(Exception):
    """ECS refuses the request with an InvalidParameterException; the message says why."""


class Strategy(StrEnum):
    """How a service changes to another revision."""

    ROLLING = "ROLLING"
    BLUE_GREEN = "BLUE_GREEN"
    LINEAR = "LINEAR"
    CANARY = "CANARY"


class Stage(StrEnum):
    """Lifecycle stages of a deployment that shifts traffic, in their order."""

    RECONCILE_SERVICE = "RECONCILE_SERVICE"
    PRE_SCALE_UP = "PRE_SCALE_UP"
    SCALE_UP = "SCALE_UP"
    POST_SCALE_UP = "POST_SCALE_UP"
    TEST_TRAFFIC_SHIFT = "TEST_TRAFFIC_SHIFT"
    POST_TEST_TRAFFIC_SHIFT = "POST_TEST_TRAFFIC_SHIFT"
    PRE_PRODUCTION_TRAFFIC_SHIFT = "PRE_PRODUCTION_TRAFFIC_SHIFT"
    PRODUCTION_TRAFFIC_SHIFT = "PRODUCTION_TRAFFIC_SHIFT"
    POST_PRODUCTION_TRAFFIC_SHIFT = "POST_PRODUCTION_TRAFFIC_SHIFT"
    BAKE_TIME = "BAKE_TIME"
    CLEAN_UP = "CLEAN_UP"


ORDER = tuple(Stage)
NO_HOOKS = frozenset({Stage.SCALE_UP, Stage.BAKE_TIME, Stage.CLEAN_UP})
NO_PAUSES = NO_HOOKS | {Stage.TEST_TRAFFIC_SHIFT, Stage.PRODUCTION_TRAFFIC_SHIFT}
MOST_HOOKS = 10
"""Of each kind, in one service."""


@dataclass(frozen=True)
class Hook:
    """A lifecycle hook: a function that ECS asks, or a pause until somebody continues."""

    kind: str
    """`AWS_LAMBDA` or `PAUSE`."""
    stages: frozenset[Stage]
    function: str
    """ARN; empty for a pause."""
    role: str
    details: Any
    timeout: timedelta
    goes_on: bool
    """What happens after the time-out: go on (CONTINUE), or roll back (ROLLBACK, the default)."""


@dataclass(frozen=True)
class Breaker:
    """The deployment circuit breaker."""

    enabled: bool = False
    rolls_back: bool = False
    resets: bool = True
    kind: str = "BOUNDED_PERCENT"
    value: float = 50

    def threshold(self, desired: int) -> int:
        """Return the number of failed tasks that trips it: half of the desired count, from 3 to 200, by default."""
        if self.kind == "COUNT":
            return max(1, int(self.value))
        share = math.ceil(self.value * desired / 100)
        return max(1, share) if self.kind == "UNBOUNDED_PERCENT" else min(200, max(3, share))


@dataclass(frozen=True)
class Shift:
    """One step of the traffic: so many percent go to the new revision, and so long nothing else happens."""

    percent: float
    bakes: timedelta


@dataclass(frozen=True)
class Configuration:
    """How a service is deployed."""

    strategy: Strategy = Strategy.ROLLING
    minimum_percent: int = 100
    maximum_percent: int = 200
    breaker: Breaker = Breaker()
    alarms: tuple[str, ...] = ()
    """Empty as well when the watch of alarms is off."""
    alarms_roll_back: bool = False
    shifts: tuple[Shift, ...] = ()
    """Empty for ROLLING."""
    bakes: timedelta = timedelta()
    hooks: tuple[Hook, ...] = ()

    def least(self, desired: int) -> int:
        """Return how many tasks stay healthy at least: rounded up."""
        return math.ceil(desired * self.minimum_percent / 100)

    def most(self, desired: int) -> int:
        """Return how many tasks there are at most, those that stop included: rounded down."""
        return max(1, desired * self.maximum_percent // 100)


def read(raw: Raw) -> Configuration:
    """Return the configuration; raise Refused."""
    strategy = Strategy(raw.get("strategy") or "ROLLING")
    if strategy is not Strategy.ROLLING and raw.get("bakeTimeInMinutes") is None and strategy is Strategy.BLUE_GREEN:
        raise Refused("bakeTimeInMinutes is required when strategy is BLUE_GREEN")
    alarms = raw.get("alarms") or {}
    if alarms and {"alarmNames", "enable", "rollback"} - set(alarms):
        raise Refused("alarms needs alarmNames, enable and rollback")
    breaker = _breaker(raw.get("deploymentCircuitBreaker") or {})
    if breaker.enabled and strategy is not Strategy.ROLLING:
        raise Refused("the deployment circuit breaker is only documented for the rolling update (ECS)")
    hooks = tuple(_hooks(raw.get("lifecycleHooks") or []))
    if strategy is Strategy.ROLLING and any(hook.kind == "PAUSE" for hook in hooks):
        raise Refused("PAUSE hooks are not documented for the rolling update (ECS)")
    return Configuration(
        strategy=strategy,
        minimum_percent=int(raw.get("minimumHealthyPercent", 100)),
        maximum_percent=int(raw.get("maximumPercent", 200)),
        breaker=breaker,
        alarms=tuple(alarms.get("alarmNames", ())) if alarms.get("enable") else (),
        alarms_roll_back=bool(alarms.get("rollback")),
        shifts=_shifts(strategy, raw),
        bakes=_minutes("bakeTimeInMinutes", raw.get("bakeTimeInMinutes") or 0, 0, 1440),
        hooks=hooks,
    )


def _breaker(raw: Raw) -> Breaker:
    limit = raw.get("thresholdConfiguration") or {}
    return Breaker(
        enabled=bool(raw.get("enable")),
        rolls_back=bool(raw.get("rollback")),
        resets=bool(raw.get("resetOnHealthyTask", True)),
        kind=str(limit.get("type", "BOUNDED_PERCENT")),
        value=float(limit.get("value", 50)),
    )


def _shifts(strategy: Strategy, raw: Raw) -> tuple[Shift, ...]:
    if strategy is Strategy.BLUE_GREEN:
        return (Shift(100, timedelta()),)
    if strategy is Strategy.CANARY:
        canary = raw.get("canaryConfiguration") or {}
        percent = _percent("canaryPercent", canary.get("canaryPercent", 5), 0.1)
        bakes = _minutes("canaryBakeTimeInMinutes", canary.get("canaryBakeTimeInMinutes", 10), 0, 1440)
        first = (Shift(percent, bakes),) if percent < 100 else ()
        return (*first, Shift(100, timedelta()))
    if strategy is Strategy.LINEAR:
        linear = raw.get("linearConfiguration") or {}
        step = _percent("stepPercent", linear.get("stepPercent", 10), 3)
        bakes = _minutes("stepBakeTimeInMinutes", linear.get("stepBakeTimeInMinutes", 6), 0, 1440)
        count = math.ceil(round(100 / step, 6))
        # No wait follows the last step: the bake time of the deployment does.
        steps = [Shift(round(step * number, 1), bakes) for number in range(1, count)]
        return (*steps, Shift(100, timedelta()))
    return ()


def _hooks(raw: Iterable[Raw]) -> Iterable[Hook]:
    counts: dict[str, int] = {}
    for item in raw:
        kind = str(item.get("targetType") or "AWS_LAMBDA")
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > MOST_HOOKS:
            raise Refused(f"a service has at most {MOST_HOOKS} lifecycle hooks of type {kind}")
        stages = frozenset(Stage(name) for name in item.get("lifecycleStages") or [])
        refused = stages & (NO_PAUSES if kind == "PAUSE" else NO_HOOKS)
        if refused or not stages:
            raise Refused(f"lifecycleStages of a {kind} hook can't be {sorted(refused) or 'empty'}")
        if kind == "PAUSE" and (item.get("hookDetails") is not None or item.get("hookTargetArn")):
            raise Refused("hookDetails and hookTargetArn are for AWS_LAMBDA hooks only")
        if kind != "PAUSE" and not (item.get("hookTargetArn") and item.get("roleArn")):
            raise Refused("an AWS_LAMBDA hook needs hookTargetArn and roleArn")
        limit = item.get("timeoutConfiguration") or {}
        longest = 20160 if kind == "PAUSE" else 1440
        yield Hook(
            kind, stages, str(item.get("hookTargetArn") or ""), str(item.get("roleArn") or ""), item.get("hookDetails"),
            _minutes("timeoutInMinutes", limit.get("timeoutInMinutes", 1440), 1, longest),
            limit.get("action", "ROLLBACK") == "CONTINUE",
        )  # fmt: skip


def _minutes(name: str, value: float, least: int, most: int) -> timedelta:
    if not least <= value <= most:
        raise Refused(f"{name} must be from {least} to {most}, not {value}")
    return timedelta(minutes=value)


def _percent(name: str, value: float, least: float) -> float:
    if not least <= value <= 100:
        raise Refused(f"{name} must be from {least} to 100, not {value}")
    return float(value)
