"""Snapshots of an environment as tests of the decisions need them, and what `decide` answers."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ferryman.decisions.actions import (
    Action,
    Complete,
    Dismiss,
    DropClaim,
    Observe,
    Redrive,
    RepairTags,
    Start,
    Supersede,
)
from ferryman.decisions.decide import decide
from ferryman.decisions.snapshot import Drift, Execution, ImageScan, Snapshot
from ferryman.records import (
    Active,
    Actor,
    Approval,
    EnvironmentState,
    Freeze,
    Hold,
    Phase,
    Release,
    ReleaseStatus,
    Request,
    Running,
    Settled,
    Target,
    Verified,
    step_keys,
)
from unit import builders as make
from unit.operating import document

NOW = make.AT + timedelta(days=1)
STAGING = document().environment("staging")


def release(number: int, status: ReleaseStatus = ReleaseStatus.READY, **changes: Any) -> Release:
    """Release `rN`, N minutes old in the order of things."""
    at = make.AT + timedelta(minutes=number)
    ready = at if status is ReleaseStatus.READY else None
    fields = {
        "status": status,
        "first_seen_at": at,
        "ready_at": ready,
        "components": make.images(f"r{number}", f"{number:x}"),
    }
    return make.release(f"r{number}", **fields | changes)


def idle(*numbers: int, current: int | None = 1, **changes: Any) -> Snapshot:
    """Staging at rest with releases `r1`, `r2`, … of which one runs."""
    running = Running(version=f"r{current}", deployment="D0", digests={}, at=make.AT) if current else None
    state = EnvironmentState(platform="scr", environment="staging", rev=3, fence=make.FENCE, current=running)
    view = Snapshot("scr", "staging", STAGING, 1, state, releases=tuple(release(number) for number in numbers))
    return changed(view, **changes)


def changed(view: Snapshot, **changes: Any) -> Snapshot:
    """Fields of the view, or of its state."""
    fields = {name: value for name, value in changes.items() if name in Snapshot.__dataclass_fields__}
    others = {name: value for name, value in changes.items() if name not in fields}
    return replace(view, **{"state": view.state.but(**others), **fields})


def active(deployment: Any = None, execution: Execution = Execution.RUNNING, **changes: Any) -> Snapshot:
    found = deployment or make.deployment()
    state = make.state(current=Running(version="0001234", deployment="D0", digests={}, at=make.AT))
    view = Snapshot("scr", "staging", STAGING, 1, state, deployment=found, execution=execution, deployments=(found,))
    return changed(view, mutation_timeout=timedelta(seconds=35), **changes)


def acts(view: Snapshot, now: datetime = NOW) -> list[Action]:
    return [action for action in decide(view, now) if not isinstance(action, Observe | RepairTags)]


def start(version: str, **changes: Any) -> Start:
    fields: dict[str, Any] = {
        "version": version,
        "kind": "deploy",
        "initiated_by": Actor(who="push", automated=True),
        "why": "all its images were pushed",
    }
    return Start(**fields | changes)


def settled(phase: Phase, retry_in: float | None = None, attempts: int = 1) -> Settled:
    retry_at = None if retry_in is None else NOW + timedelta(seconds=retry_in)
    return Settled(phase=phase, reason="Because", at=make.AT, attempts=attempts, retry_at=retry_at)


HOLD = Hold(reason="audit", who="ada", at=make.AT, reminded_at=NOW)
"""People were reminded of it just now."""


def request(version: str, kind: str = "retry") -> Request:
    return Request(version=version, kind=kind, reason="fixed the database", who="ada", at=make.AT)  # type: ignore[arg-type]


def drifted(base: str = "scr-api:2", **changes: Any) -> Snapshot:
    target = Target(
        version="r1",
        deployment="D0",
        task_definitions={"scr-api": "scr-api:5"},
        bases={"scr-api": make.definition("scr-api", 1)},
    )
    drift = Drift(live={"scr-api": make.definition("scr-api", 5)}, bases={"scr-api": base})
    return idle(1, **{"last_succeeded": target, "drift": drift} | changes)


def condition(view: Snapshot, type: str) -> tuple[str, str]:
    (seen,) = [action for action in decide(view, NOW) if isinstance(action, Observe)]
    found = {item.type: item for item in seen.conditions}[type]  # type: ignore[index]
    return found.status, found.reason


def observed(view: Snapshot, now: datetime = NOW) -> Observe:
    (seen,) = [action for action in decide(view, now) if isinstance(action, Observe)]
    return seen


def applied(view: Snapshot, actions: list[Action]) -> Snapshot:
    """A model of `controller.execute`: what the table and Step Functions show afterwards."""
    for action in actions:
        match action:
            case Start():
                claimed = make.deployment(version=action.version, phase=Phase.PENDING, steps={}, plan=None)
                claim = Active(
                    deployment=claimed.id,
                    version=action.version,
                    fence=8,
                    execution_name="n",
                    input="{}",
                    claimed_at=NOW,
                )
                requested = None if action.requested else view.state.requested
                view = skipped(view, action.supersede)
                view = changed(view, active=claim, requested=requested, deployment=claimed, execution=Execution.RUNNING)
            case Redrive():
                view = changed(view, execution=Execution.RUNNING)
            case Complete():
                assert view.deployment is not None
                view = changed(view, deployment=view.deployment.but(phase=action.phase, ended_at=NOW))
            case DropClaim():
                view = changed(view, active=None, deployment=None, execution=None)
            case Supersede():
                view = skipped(view, action.versions)
            case Dismiss():
                view = changed(view, requested=None)
            case Observe():
                view = changed(
                    view,
                    conditions=action.conditions,
                    waiting_since=action.waiting_since,
                    waiting_for=action.waiting_for,
                    observed_generation=action.generation,
                    health=action.health,
                    reconciled_at=NOW,
                )
            case RepairTags():
                view = changed(view, wrong_tags=(), tagged=action.deployment)
    return view


def skipped(view: Snapshot, versions: tuple[str, ...]) -> Snapshot:
    records = tuple(make.deployment(version=version, phase=Phase.SUPERSEDED) for version in versions)
    return changed(view, deployments=(*records, *view.deployments))


def gated(**fields: Any) -> Snapshot:
    """Production at rest: r1 runs, r2 and r3 are verified in staging and named; r2 an hour before r3."""
    environment = document(production=fields).environment("production")
    running = Running(version="r1", deployment="D0", digests={}, at=make.AT)
    state = EnvironmentState(platform="scr", environment="production", rev=3, fence=make.FENCE, current=running)
    return Snapshot("scr", "production", environment, 1, state, releases=(release(1), named(2), named(3)))


def named(number: int, hours: float | None = None, **changes: Any) -> Release:
    at = NOW - timedelta(hours=5 - number if hours is None else hours)
    digests = release(number).digests
    proof = {"staging": Verified(deployment="D", digests=digests, at=make.AT)}
    return release(number, names=[f"v{number}.0.0"], named_at=at, **{"verified": proof} | changes)


LEFT = EnvironmentState(
    platform="scr",
    environment="staging",
    settled={"r2": settled(Phase.ROLLED_BACK).but(at=make.AT + timedelta(hours=1))},
)
"""Staging went back from r2 after it had verified it."""


def scanned(status: Any = "Complete", **findings: int) -> dict[str, tuple[ImageScan, ...]]:
    return {"r2": tuple(ImageScan(name, status, findings) for name in ("api", "web"))}


FREEZE = Freeze(reason="holidays", who="ada", at=make.AT, until=NOW + timedelta(minutes=10))
DENY = {"timeZone": "UTC", "windows": [{"name": "w", "dates": "2026-01-03 00:00 - 2026-01-03 03:09"}]}
"""Until 295 seconds from now."""


def asked(
    pending: int = 2, *, by: Actor | None = None, approval: dict[str, Any] | None = None, **changes: Any
) -> Snapshot:
    """Production waits for approval of one release, since two hours."""
    who = by or Actor(who="tag v2.0.0", automated=True)
    at = NOW - timedelta(hours=2)
    deployment = make.deployment(
        environment="production",
        version=f"r{pending}",
        phase=Phase.AWAITING_APPROVAL,
        initiated_by=who,
        created_at=at,
        plan=make.plan(approval=True),
        steps=make.passed(upto=step_keys.BEGIN) | {step_keys.APPROVAL: make.step("Running")},
        **{name: changes.pop(name) for name in ("kind", "abort") if name in changes},
    )
    question = Approval(
        platform="scr",
        environment="production",
        deployment=deployment.id,
        fence=make.FENCE,
        version=f"r{pending}",
        digests={},
        requested_by=who,
        approvers=[],
        requested_at=at,
        expires_at=NOW + timedelta(hours=22),
        token="t",
    ).but(**approval or {})
    claim = make.state().active
    assert claim is not None
    view = changed(
        gated(**changes.pop("document", {})),
        active=claim.but(version=f"r{pending}"),
        deployment=deployment,
        deployments=(deployment,),
        approval=question,
        execution=Execution.RUNNING,
        releases=(release(1), named(2)),
    )
    return changed(view, **changes)
