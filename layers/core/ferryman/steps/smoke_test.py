"""Step smoke_test: one round of the HTTP checks that have not passed yet.

Called by functions/smoke_test. The state machine calls again while the verdict is Waiting. A round asks every check
that is due side by side, and is recorded under the deployment's fence; what crashed before that is no attempt.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal
from urllib.parse import urlsplit

from ferryman.clients.http_client import Fetch, NoAnswer
from ferryman.contracts import SmokeTestInput, SmokeTestOutput
from ferryman.errors import NotFound
from ferryman.ids import Clock, NewId
from ferryman.records import CheckResult, Deployment, PlannedCheck, Step, StepStatus, step_keys
from ferryman.steps import smoke_expectations
from ferryman.store import step_writer
from ferryman.store.table import Store
from ferryman.text import clean, redacted

_LATE_SECONDS = 3
"""How much longer than its own time-out a check is waited for."""
_TOGETHER = timedelta(seconds=1)
"""Checks that are due so shortly one after the other go in one round."""
_DETAIL = 600

_VERDICTS: dict[StepStatus, Literal["Succeeded", "Failed", "Aborted", "Skipped"]] = {
    StepStatus.SUCCEEDED: "Succeeded",
    StepStatus.FAILED: "Failed",
    StepStatus.ERRORED: "Failed",
    StepStatus.ABORTED: "Aborted",
    StepStatus.SKIPPED: "Skipped",
}


@dataclass(frozen=True)
class Judgement:
    """How the checks stand together; status Running means another round after `retry_after_seconds`."""

    status: StepStatus
    reason: str = ""
    message: str = ""
    retry_after_seconds: int = 0


def run(
    event: SmokeTestInput,
    *,
    store: Store,
    fetch: Fetch,
    clock: Clock,
    new_id: NewId,
    threads: Callable[[int], Executor] = ThreadPoolExecutor,
) -> SmokeTestOutput:
    """Run one round and record it; raise ClaimLost when another deployment owns the environment.

    Safe to run again: a recorded verdict is returned as it is, and two rounds side by side count as one.
    """
    deployment = store.deployment(event.platform, event.environment, event.deployment)
    if deployment.plan is None:
        raise NotFound(f"deployment {deployment.id} has no plan; begin_deployment makes it")
    checks = deployment.plan.checks
    step = deployment.step(step_keys.SMOKE_TEST)
    if step is not None and step.status is not StepStatus.RUNNING:
        return _output(step)
    judged = _aborted(deployment) or _skipped(deployment)
    if judged is None:
        step_writer.require_turn(deployment, step_keys.SMOKE_TEST)  # each round: the deployment may have turned back
        if step is None:
            step = Step(status=StepStatus.RUNNING, started_at=clock())
            message = f"running {', '.join(check.name for check in checks)}"
            deployment = step_writer.start(store, event, step_keys.SMOKE_TEST, step, message, new_id=new_id)
        before = deployment.steps[step_keys.SMOKE_TEST].checks
        asked = _ask(due(checks, before, clock()), before, fetch, clock, threads)
        deployment = step_writer.amend(
            store, event, step_keys.SMOKE_TEST, lambda old: _told(old, checks, merge(checks, old.checks, asked))
        )  # fmt: skip
        judged = _aborted(deployment) or judge(checks, deployment.steps[step_keys.SMOKE_TEST].checks, clock())
    if judged.status is StepStatus.RUNNING:
        return SmokeTestOutput(
            verdict="Waiting", reason=judged.reason, retry_after_seconds=judged.retry_after_seconds
        )  # fmt: skip
    ended = step_writer.end(
        store,
        event,
        step_keys.SMOKE_TEST,
        lambda old: old.but(status=judged.status, reason=judged.reason, message=judged.message),
        clock=clock,
        new_id=new_id,
    )
    return _output(ended)


def due(checks: Sequence[PlannedCheck], results: Sequence[CheckResult], now: datetime) -> list[PlannedCheck]:
    """Return the checks of this round. Pure.

    Those whose delay is over, and at least those whose delay is over first: whoever called decided that it is time.
    """
    waiting = {check.name: at for check in checks if (at := _next_at(check, results, now)) is not None}
    if not waiting:
        return []
    until = max(now, min(waiting.values())) + _TOGETHER
    return [check for check in checks if check.name in waiting and waiting[check.name] <= until]


def judge(checks: Sequence[PlannedCheck], results: Sequence[CheckResult], now: datetime) -> Judgement:
    """Tell how the checks stand together: one that used up its attempts fails all. Pure."""
    by_name = {result.name: result for result in results}
    lost = [
        (check, result)
        for check in checks
        if (result := by_name.get(check.name)) and not result.passed and result.attempt >= check.attempts
    ]
    if lost:
        return Judgement(StepStatus.FAILED, "CheckFailed", _failure(lost, len(checks)))
    waiting = [at for check in checks if (at := _next_at(check, results, now)) is not None]
    if not waiting:
        return Judgement(StepStatus.SUCCEEDED, "ChecksPassed", f"{_count(len(checks))} passed")
    seconds = max(1, ceil((min(waiting) - now).total_seconds()))
    return Judgement(StepStatus.RUNNING, "ChecksPending", retry_after_seconds=seconds)


def merge(
    checks: Sequence[PlannedCheck], before: Sequence[CheckResult], asked: Sequence[CheckResult]
) -> list[CheckResult]:
    """Work a round's results into the recorded ones, in the order of the plan. Pure.

    The same attempt recorded twice (two Lambdas side by side, a lost response) counts once, and a pass stays a pass.
    """
    by_name = {result.name: result for result in before}
    for new in asked:
        old = by_name.get(new.name)
        if old is None or (not old.passed and old.attempt < new.attempt):
            by_name[new.name] = new
        elif not old.passed and new.passed:
            by_name[new.name] = new.but(attempt=old.attempt)
    return [by_name[check.name] for check in checks if check.name in by_name]


def attempt(check: PlannedCheck, number: int, fetch: Fetch) -> CheckResult:
    """Ask once and judge the answer."""
    try:
        answer = fetch(check.url, check.headers, check.allow_http, float(check.timeout_seconds))
    except NoAnswer as error:
        found, body = [str(error)], ""
    else:
        found = smoke_expectations.problems(check, answer)
        body = f" (body: {smoke_expectations.excerpt(answer)})" if found else f"{answer.status}"
    detail = clean("; ".join(found) + body, limit=_DETAIL)
    return CheckResult(name=check.name, url=_shown(check.url), attempt=number, passed=not found, detail=detail)


def _ask(
    checks: Sequence[PlannedCheck],
    before: Sequence[CheckResult],
    fetch: Fetch,
    clock: Clock,
    threads: Callable[[int], Executor],
) -> list[CheckResult]:
    """Ask all checks side by side; one that does not come back in time has failed this attempt."""
    if not checks:
        return []
    tried = {result.name: result.attempt for result in before}
    pool = threads(len(checks))
    try:
        asked = {
            check.name: pool.submit(attempt, check, tried.get(check.name, 0) + 1, fetch) for check in checks
        }  # fmt: skip
        wait(asked.values(), timeout=max(check.timeout_seconds for check in checks) + _LATE_SECONDS)
        at = clock()
        results = []
        for check in checks:
            future = asked[check.name]
            result = future.result() if future.done() else _late(check, tried.get(check.name, 0) + 1)
            results.append(result.but(at=at))
        return results
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _late(check: PlannedCheck, number: int) -> CheckResult:
    detail = f"did not answer within {check.timeout_seconds} s"
    return CheckResult(name=check.name, url=_shown(check.url), attempt=number, passed=False, detail=detail)


def _next_at(check: PlannedCheck, results: Sequence[CheckResult], now: datetime) -> datetime | None:
    """Return when a check is to be asked (again); None when it has passed or used up its attempts."""
    last = next((result for result in results if result.name == check.name), None)
    if last is None:
        return now
    if last.passed or last.attempt >= check.attempts:
        return None
    return (last.at or now) + timedelta(seconds=check.delay_seconds)


def _aborted(deployment: Deployment) -> Judgement | None:
    if deployment.abort is None:
        return None
    return Judgement(
        StepStatus.ABORTED, "Aborted", f"{deployment.abort.who} requested an abort: {deployment.abort.reason}"
    )  # fmt: skip


def _skipped(deployment: Deployment) -> Judgement | None:
    plan = deployment.plan
    if plan is None or not plan.checks:
        message = "the document has no smokeTests for this environment, so only ECS says that it works"
        return Judgement(StepStatus.SKIPPED, "NoChecks", message)
    reasons = [_why_nothing_runs(deployment, name, planned.skip) for name, planned in plan.services.items()]
    if reasons and all(reasons) and "ScaledToZero" in reasons:
        message = "every service is scaled to zero, so nothing could be verified"
        return Judgement(StepStatus.SKIPPED, "ScaledToZero", message)
    return None


def _why_nothing_runs(deployment: Deployment, service: str, planned: str | None) -> str | None:
    """Return why a service does not run the release: as planned, or as update_service found it later."""
    step = deployment.step(step_keys.rollout(service, "forward"))
    if step is not None and step.status is StepStatus.SKIPPED and step.reason in ("ScaledToZero", "NotInRelease"):
        return step.reason
    return planned if step is None else None


def _told(step: Step, checks: Sequence[PlannedCheck], results: list[CheckResult]) -> Step:
    """Record results, and how far it is, for whoever watches."""
    passed = sum(result.passed for result in results)
    pending = [
        f"{result.name} attempt {result.attempt}: {result.detail}" for result in results if not result.passed
    ]  # fmt: skip
    message = f"{passed} of {_count(len(checks))} passed" + "".join(f"; {one}" for one in pending)
    return step.but(checks=results, message=clean(message, limit=2_000))


def _failure(lost: Sequence[tuple[PlannedCheck, CheckResult]], count: int) -> str:
    lines = [
        f"{check.name} failed {result.attempt} of {check.attempts} attempts: GET {result.url}: {result.detail}"
        for check, result in lost
    ]
    return clean(f"{len(lost)} of {_count(count)} failed. " + " ".join(f"{line}." for line in lines), limit=3_000)


def _count(count: int) -> str:
    return "1 check" if count == 1 else f"{count} checks"


def _shown(url: str) -> str:
    """Return a URL without user, password and tokens: records and messages are no place for them."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    return redacted(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())


def _output(step: Step) -> SmokeTestOutput:
    return SmokeTestOutput(verdict=_VERDICTS[step.status], reason=step.reason)
