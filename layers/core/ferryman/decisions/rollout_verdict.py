"""Is a rollout done? What ECS says about the one deployment that we made, judged. Pure.

Two bounds: `timeout` until all its tasks are healthy at the desired count; from then on `drain_seconds` until ECS calls
it COMPLETED, which it does once the old tasks are gone. A release whose tasks are healthy is not taken back because of
old ones. Until COMPLETED ECS may still give it up. Why: docs/reference/aws-facts.md#rollouts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ferryman.decisions.scale_in_protection import Protection, in_words
from ferryman.records import OLD_TASKS_REMAIN, RolloutProgress, StepStatus
from ferryman.text import listed, sentence

UNLISTED = timedelta(seconds=60)
"""How long ECS may take to list a deployment that it answered with (eventual consistency)."""


@dataclass(frozen=True)
class Seen:
    """What ECS says about the deployment that we follow."""

    listed: bool = False
    primary: bool = False
    state: str = ""
    """`rolloutState`: IN_PROGRESS, COMPLETED or FAILED."""
    reason: str = ""
    desired: int = 0
    running: int = 0
    failed: int = 0
    not_its_fault: int = 0
    """Of the failed tasks those that AWS failed: capacity, secrets, the registry, the host."""
    only_aws: bool = False
    """Whether all that failed was AWS's fault."""
    healthy: bool | None = None
    """Whether all its tasks are healthy, at the desired count; None: it can't be told, or was not looked at."""
    unread: str = ""
    """Why nobody can tell whether its tasks are healthy."""
    digests: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Container → image digests in its running tasks; without those that no task tells."""
    tasks: int = 0
    """Its running tasks. Read, as the digests are, once enough of them run."""


@dataclass(frozen=True)
class Terms:
    """What a rollout is judged against."""

    service: str
    started_at: datetime
    followed_at: datetime
    timeout_seconds: int
    fail_fast: int
    digests: Mapping[str, frozenset[str]] | None
    """Container → image digests that it has to run; None: not checked, as on a way back by digest."""
    back: bool = False
    """Whether it goes back to the last good revision."""
    unsure: bool = False
    """Whether nobody could tell which image of the index runs here."""
    aborted: str | None = None
    scaled_to_zero: StepStatus = StepStatus.SKIPPED
    healthy_at: datetime | None = None
    """Since when all its tasks are healthy; None: they are not."""
    lost_at: datetime | None = None
    """Since when they are healthy no more, after they were."""
    drain_seconds: int | None = None
    """How long ECS may take to stop the old tasks once the new ones are healthy; None: they never were."""
    may_proceed: bool = False
    """Whether the next wave may begin as soon as its tasks are healthy."""

    @property
    def image(self) -> str:
        """What it should run, in words."""
        return "image that ran before" if self.back else "release's image"


@dataclass(frozen=True)
class Verdict:
    """How a rollout ended, or (status None) that it goes on."""

    status: StepStatus | None
    reason: str = ""
    message: str = ""
    proceeds: bool = False
    """Whether the next wave begins, while this rollout goes on."""


WAITING = Verdict(None)
PROCEEDS = Verdict(None, proceeds=True)
_TOO_LATE = "DeadlineExceeded"
_ROLLED_BACK = ("BreakerRolledBack", "gave the new deployment up and rolled back by itself")


def with_health(progress: RolloutProgress, healthy: bool | None, now: datetime) -> RolloutProgress:
    """Note when the tasks became healthy, or ceased to be; None (nobody could tell) changes nothing.

    Neither does a look that began (`now`) before the one whose result is noted: it was slower and may be out of date.
    """
    noted = progress.healthy_at or progress.lost_at
    if noted is not None and now < noted:
        return progress
    if healthy and progress.healthy_at is None:
        return progress.but(healthy_at=now, lost_at=None)
    if healthy is False and progress.healthy_at is not None:
        return progress.but(healthy_at=None, lost_at=now)
    return progress


def judge(seen: Seen, terms: Terms, now: datetime) -> Verdict:
    """Decide. What the deployment became comes first, then how it goes; nothing escapes the bounds of time."""
    name = terms.service
    if terms.aborted is not None:
        return Verdict(StepStatus.ABORTED, "AbortRequested", f"{name}: stopped waiting, {terms.aborted}")
    if not seen.listed:
        if now < terms.followed_at + UNLISTED:
            return WAITING
        return _failed("DeploymentGone", f"{name}: ECS no longer has our deployment: it was rolled back or replaced.")
    if seen.state == "FAILED":
        back, what = ("BreakerTripped", "gave the new deployment up") if seen.primary else _ROLLED_BACK
        return _blamed(seen, back, f"{name}: ECS {what}{f' ({seen.reason})' if seen.reason else ''}.")
    if not seen.primary:
        return _failed(
            "Replaced", f"{name}: another deployment took the place of ours: rolled back, or updated by others."
        )
    if seen.state == "COMPLETED":
        return _completed(seen, terms, now)
    at_fault = seen.failed - seen.not_its_fault
    if terms.fail_fast and at_fault >= terms.fail_fast:
        why = f"{at_fault} tasks failed, and failFast allows fewer than {terms.fail_fast}"
        return _failed("FailFast", f"{name}: {why}.")
    if seen.healthy and terms.healthy_at is not None:
        return _draining(seen, terms, terms.healthy_at, now)
    return _in_time(seen, terms, now)


def waits_for_old_tasks(verdict: Verdict) -> bool:
    """Whether it ended because of time, so that protected old tasks may be why."""
    return verdict.reason in (OLD_TASKS_REMAIN, _TOO_LATE)


def with_protection(verdict: Verdict, protection: Protection) -> Verdict:
    """Add which old tasks are protected from scale-in."""
    told = in_words(protection)
    if not told:
        return verdict
    if verdict.status is StepStatus.SUCCEEDED:
        return replace(verdict, message=f"{verdict.message}; {told}")
    if protection.tasks:
        told += "; ECS starts no new task where maximumPercent leaves no room beside old ones that it may not stop"
    return replace(verdict, message=f"{verdict.message} {sentence(told, capital=True)}")


def _completed(seen: Seen, terms: Terms, now: datetime) -> Verdict:
    if seen.desired and terms.digests is not None and seen.tasks == 0:
        return _in_time(seen, terms, now)
    return _wrong_image(seen, terms) or _succeeded(seen, terms, "Completed", "")


def _draining(seen: Seen, terms: Terms, healthy_at: datetime, now: datetime) -> Verdict:
    """Its tasks are healthy: what is left to do is to stop the old ones."""
    wrong = _wrong_image(seen, terms)
    if wrong is not None:
        return wrong
    if now >= healthy_at + timedelta(seconds=terms.drain_seconds or 0):
        spent = int((now - healthy_at).total_seconds())
        rest = f"; ECS still stops old tasks, {spent} s after all new ones were healthy"
        return _succeeded(seen, terms, OLD_TASKS_REMAIN, rest)
    if _spent(terms, now):
        return _late(seen, terms, "its tasks did not stay healthy")
    return PROCEEDS if terms.may_proceed else WAITING


def _succeeded(seen: Seen, terms: Terms, reason: str, rest: str) -> Verdict:
    name = terms.service
    if seen.desired == 0:
        said = f"{name} is scaled to zero: it has the new revision, but nothing runs that could prove it"
        return Verdict(terms.scaled_to_zero, "ScaledToZero", said)
    if terms.back:
        return Verdict(StepStatus.SUCCEEDED, reason, f"{name} is back on its last good revision{rest}")
    checked = terms.digests or {}
    containers = f" in {listed(checked)}" if len(checked) > 1 else ""
    said = f"{name} runs the release{containers} ({seen.running}/{seen.desired}){rest}"
    if terms.unsure:
        said += "; its task definition does not tell its platform, so each image of the index counts as the release"
    return Verdict(StepStatus.SUCCEEDED, reason, said)


def _wrong_image(seen: Seen, terms: Terms) -> Verdict | None:
    wrong = {
        container: sorted(found)
        for container, accepted in (terms.digests or {}).items()
        if (found := seen.digests.get(container, frozenset()) - accepted)
    }
    if not wrong or seen.desired == 0:
        return None
    runs = " and ".join(f"container {container} runs {', '.join(found)}" for container, found in wrong.items())
    return _failed("WrongImage", f"{terms.service}: {runs}, which is not the {terms.image}.")


def _in_time(seen: Seen, terms: Terms, now: datetime) -> Verdict:
    """Its tasks are not healthy (yet): they have `timeout` from the start, and once more if they were before."""
    if _spent(terms, now):
        return _late(seen, terms, "its tasks did not stay healthy")
    if now < (terms.lost_at or terms.healthy_at or terms.started_at) + timedelta(seconds=terms.timeout_seconds):
        return WAITING
    if terms.lost_at is not None:
        return _late(seen, terms, f"its tasks were healthy, and then not for {terms.timeout_seconds} s")
    return _late(seen, terms, f"not healthy after {terms.timeout_seconds} s")


def _spent(terms: Terms, now: datetime) -> bool:
    """Whether all the time is over that a rollout can get, however often its tasks become healthy and ill again."""
    if terms.drain_seconds is None:
        return False
    return now >= terms.started_at + 2 * timedelta(seconds=terms.timeout_seconds + terms.drain_seconds)


def _late(seen: Seen, terms: Terms, what: str) -> Verdict:
    unread = f" {seen.unread}" if seen.unread else ""
    return _blamed(seen, _TOO_LATE, f"{terms.service}: {what} ({seen.running}/{seen.desired} run).{unread}")


def _blamed(seen: Seen, reason: str, message: str) -> Verdict:
    """It did not come about: Errored when nothing but AWS was at fault, so that it is tried again."""
    return Verdict(StepStatus.ERRORED, reason, message) if seen.only_aws else _failed(reason, message)


def _failed(reason: str, message: str) -> Verdict:
    return Verdict(StepStatus.FAILED, reason, message)
