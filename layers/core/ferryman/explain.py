"""Why does an environment run what it runs, and what does it wait for? Pure: serve_api reads, this tells.

`ferryman explain` prints the sentences, `ferryman status` the headline.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from ferryman.ages import age
from ferryman.platform import Platform
from ferryman.records import (
    Deployment,
    EnvironmentState,
    Phase,
    Record,
    Release,
    ReleaseStatus,
    Running,
    Settled,
    StepStatus,
)

Reason = Literal[
    "Deploying", "Requested", "Held", "RetryAfter", "Next", "NoTrigger", "Settled", "Superseded", "Assembling"
]
"""Why a newer release does not run."""
Summary = Literal["Deploying", "Held", "Requested", "Waiting", "Settled", "UpToDate", "Empty"]


class Newer(Record):
    """A release that is newer than what runs, or that a person asked for, and why it does not run."""

    version: str
    status: ReleaseStatus
    reason: Reason
    message: str
    missing: list[str] = Field(default_factory=list)
    """Components without an image."""


class Explanation(Record):
    """The whole answer; `sentences` say in words what the other fields say in data."""

    platform: str
    environment: str
    summary: Summary
    headline: str
    sentences: list[str]
    runs: Running | None
    newer: list[Newer]
    """Newest first."""


@dataclass(frozen=True)
class _Facts:
    document: Platform
    state: EnvironmentState
    releases: list[Release]
    deployments: list[Deployment]
    now: datetime

    @property
    def env(self) -> str:
        return self.state.environment

    @property
    def running_version(self) -> str | None:
        return self.state.current.version if self.state.current else None

    @property
    def active(self) -> Deployment | None:
        claim = self.state.active
        return next((d for d in self.deployments if claim and d.id == claim.deployment), None)

    def ago(self, at: datetime) -> str:
        return f"{age(at, self.now)} ago"


def explain(
    document: Platform, state: EnvironmentState, releases: list[Release], deployments: list[Deployment], now: datetime
) -> Explanation:
    """Say why this environment runs what it runs, and why nothing newer does.

    `deployments` are the latest ones of the environment, newest first.
    """
    facts = _Facts(document, state, releases, deployments, now)
    newer = _newer(facts)
    sentences = [_runs(facts), *_active(facts), *_hold(facts), *_request(facts)]
    sentences += [item.message for item in newer if item.reason not in ("Deploying", "Requested")]
    if not newer and state.active is None:
        sentences.append("Nothing newer is known: it is up to date." if state.current else "No release is known yet.")
    sentences += [*_last_failure(facts), *_drift(facts)]
    summary, headline = _headline(facts, newer)
    return Explanation(
        platform=state.platform,
        environment=state.environment,
        summary=summary,
        headline=headline,
        sentences=sentences,
        runs=state.current,
        newer=newer,
    )


def newer_releases(state: EnvironmentState, releases: list[Release]) -> list[Release]:
    """Return what came after the release that runs, newest first; what was there before Ferryman is no candidate."""
    running = next((r for r in releases if state.current and r.version == state.current.version), None)
    found = [r for r in releases if r.status is not ReleaseStatus.BASELINE]
    if running is not None:
        found = [r for r in found if r.order > running.order]
    return sorted(found, key=lambda release: release.order, reverse=True)


def _runs(facts: _Facts) -> str:
    current = facts.state.current
    if current is None:
        return f"{facts.env} runs nothing that Ferryman knows of."
    since = f"since {_moment(current.at)} ({facts.ago(current.at)})"
    what = current.version or "images that belong to no release"
    if current.deployment is None:
        return f"{facts.env} runs {what}, as found when the platform was applied, {since}."
    deployment = next((d for d in facts.deployments if d.id == current.deployment), None)
    by = f" by {_who(deployment)}" if deployment else ""
    return f"{facts.env} runs {what} {since}, deployed{by} (deployment {current.deployment})."


def _who(deployment: Deployment) -> str:
    actor = deployment.initiated_by
    return f"Ferryman ({actor.who})" if actor.automated else actor.who


def _active(facts: _Facts) -> list[str]:
    claim, deployment = facts.state.active, facts.active
    if claim is None:
        return []
    if deployment is None:
        return [
            f"Deployment {claim.deployment} of {claim.version} holds the environment since {_moment(claim.claimed_at)}."
        ]
    began = deployment.started_at or deployment.created_at
    line = f"Deployment {deployment.id} of {deployment.version} is {deployment.phase} for {age(began, facts.now)}"
    sentences = [f"{line}{_where(deployment, facts.now)}."]
    if deployment.abort is not None:
        abort = deployment.abort
        sentences.append(f"{abort.who} asked to abort it {facts.ago(abort.at)}: {abort.reason}.")
    if claim.ended_at is not None:
        sentences.append("Its execution ended without a recorded outcome; reconcile completes it within minutes.")
    return sentences


def _where(deployment: Deployment, now: datetime) -> str:
    at = current_step(deployment)
    if at is None:
        return ""
    step = deployment.steps[at]
    if step.status is not StepStatus.RUNNING:
        return f", past {at} ({step.status})"
    progress = step.rollout
    counts = ""
    if progress is not None and progress.desired is not None:
        counts = f", {progress.running or 0} of {progress.desired} running"
    return f", at {at} since {age(step.started_at, now)}{counts}"


def current_step(deployment: Deployment) -> str | None:
    """Return the key of the step that runs, or else of the one that began last."""
    if not deployment.steps:
        return None
    running = {key: step for key, step in deployment.steps.items() if step.status is StepStatus.RUNNING}
    candidates = running or deployment.steps
    return max(candidates, key=lambda key: candidates[key].started_at)


def _hold(facts: _Facts) -> list[str]:
    hold = facts.state.hold
    if hold is None:
        return []
    since = f"{hold.who} put {facts.env} on hold {facts.ago(hold.at)}, because: {hold.reason}"
    return [f"Automation is off: {since}. `ferryman resume {facts.env}` lifts it."]


def _request(facts: _Facts) -> list[str]:
    request = facts.state.requested
    if request is None:
        return []
    if facts.state.active is not None:
        when = f"it starts once deployment {facts.state.active.deployment} has ended"
    elif facts.state.hold is not None:
        when = "it starts once the hold is lifted"
    else:
        when = "it starts within seconds (at the latest with the next sweep, within 5 minutes)"
    return [f"{request.who} asked to {request.kind} {request.version} {facts.ago(request.at)}; {when}."]


def _newer(facts: _Facts) -> list[Newer]:
    found: list[Newer] = []
    best: str | None = None
    for release in newer_releases(facts.state, facts.releases):
        reason, message, missing = _why_not(facts, release, best)
        if best is None and reason in ("Deploying", "Next", "Held", "Requested", "NoTrigger"):
            best = release.version
        found.append(
            Newer(version=release.version, status=release.status, reason=reason, message=message, missing=missing)
        )
    return found


def _why_not(facts: _Facts, release: Release, best: str | None) -> tuple[Reason, str, list[str]]:
    version, state = release.version, facts.state
    if state.active is not None and state.active.version == version:
        return "Deploying", f"{version} is being deployed.", []
    if state.requested is not None and state.requested.version == version:
        return "Requested", _request(facts)[0], []
    if release.status in (ReleaseStatus.ASSEMBLING, ReleaseStatus.INCOMPLETE):
        return _assembling(facts, release)
    settled = state.settled.get(version)
    if settled is not None:
        return _settled(facts, version, settled)
    successor = _successor(facts, version) or best
    if successor is not None:
        return "Superseded", f"{version} is passed over for {successor}, which is newer.", []
    if "push" not in facts.document.environment(facts.env).triggers:
        return (
            "NoTrigger",
            f"{version} is ready, but {facts.env} has no `push` trigger: nothing starts it by itself.",
            [],
        )
    if state.hold is not None:
        return "Held", f"{version} is ready and waits for the hold to be lifted.", []
    if state.active is not None:
        return "Next", f"{version} is ready and goes next, when deployment {state.active.deployment} has ended.", []
    return "Next", f"{version} is ready and about to start (at the latest with the next sweep, within 5 minutes).", []


def _assembling(facts: _Facts, release: Release) -> tuple[Reason, str, list[str]]:
    components = facts.document.spec.components
    missing = [name for name in components if name not in release.components]
    have = len(components) - len(missing)
    wanted = ", ".join(f"{components[name].repository}:{release.version}" for name in missing)
    message = (
        f"{release.version} waits for images: {have} of {len(components)} are there, {', '.join(missing)} missing "
        f"(the first came {facts.ago(release.first_seen_at)}). Push {wanted}."
    )
    return "Assembling", message, missing


def _settled(facts: _Facts, version: str, settled: Settled) -> tuple[Reason, str, list[str]]:
    ended = f"{version} ended {settled.phase} {facts.ago(settled.at)} ({settled.reason})"
    if settled.phase is Phase.ERRORED and settled.retry_at is not None:
        wait = (settled.retry_at - facts.now).total_seconds()
        when = f"in {age(facts.now, settled.retry_at)}" if wait > 0 else "with the next sweep"
        return "RetryAfter", f"{ended}; it is tried again {when} (attempt {settled.attempts + 1}).", []
    retry = f"`ferryman retry {facts.env} --version {version}`"
    return "Settled", f"{ended}: automation won't start it again; {retry} does.", []


def _successor(facts: _Facts, version: str) -> str | None:
    """Return what superseded a version, if that was the last thing that happened to it."""
    last = next((d for d in facts.deployments if d.version == version), None)
    return last.superseded_by if last is not None and last.phase is Phase.SUPERSEDED else None


def _last_failure(facts: _Facts) -> list[str]:
    """Tell in full how the last deployment failed, if it did."""
    last = next((d for d in facts.deployments if d.phase.terminal and d.phase is not Phase.SUPERSEDED), None)
    if last is None or last.phase is Phase.SUCCEEDED or last.ended_at is None:
        return []
    ended = f"ended {last.phase} {facts.ago(last.ended_at)}"
    return [f"The last deployment, {last.id} of {last.version}, {ended}: {last.message}"]


def _drift(facts: _Facts) -> list[str]:
    condition = facts.state.condition("Drifted")
    if condition is None or condition.status != "True":
        return []
    return [f"It drifted ({condition.reason}): {condition.message} `ferryman redeploy {facts.env}` puts it right."]


def _headline(facts: _Facts, newer: list[Newer]) -> tuple[Summary, str]:
    state, active = facts.state, facts.active
    runs = f"runs {facts.running_version or 'no release'}"
    if state.active is not None:
        phase = f"{active.phase}, {current_step(active) or 'starting'}" if active else "Pending"
        return "Deploying", f"deploying {state.active.version} ({phase})"
    if state.hold is not None:
        return "Held", f"{runs}; held by {state.hold.who}: {state.hold.reason}"
    if state.requested is not None:
        return "Requested", f"{runs}; {state.requested.kind} of {state.requested.version} starts next"
    for item in newer:
        if item.reason == "Next":
            return "Waiting", f"{runs}; {item.version} is about to start"
        if item.reason == "Assembling":
            return "Waiting", f"{runs}; {item.version} waits for {', '.join(item.missing)}"
        if item.reason == "RetryAfter":
            return "Waiting", f"{runs}; {item.version} errored and is tried again"
        if item.reason == "Settled":
            return "Settled", f"{runs}; newer {item.version} ended {state.settled[item.version].phase}"
        if item.reason == "NoTrigger":
            return "UpToDate", f"{runs}; {item.version} is ready, to be started by hand"
    if state.current is None:
        return "Empty", "runs nothing yet"
    return "UpToDate", f"{runs}, nothing newer"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
