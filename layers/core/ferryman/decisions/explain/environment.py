"""Explain why an environment runs what it runs, and what it is waiting for. Pure; called by serve_api.

`ferryman explain` prints the sentences, `ferryman status` the headline.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from ferryman.decisions import approval_in_words, database_command
from ferryman.decisions.conditions import IMAGES_DIFFER, way_on
from ferryman.decisions.deployment_steps import title_of
from ferryman.decisions.explain import ignored as ignored_tags
from ferryman.decisions.explain.ignored import Ignored
from ferryman.decisions.explain.inputs import Facts
from ferryman.decisions.explain.pending_releases import Newer, asked, newer, worded
from ferryman.decisions.health import Health, health
from ferryman.decisions.sync import Sync, judge_sync
from ferryman.decisions.why_not import why_not
from ferryman.durations import age
from ferryman.platform import Platform
from ferryman.records import Approval, Deployment, EnvironmentState, Phase, Record, Release, Running, StepStatus
from ferryman.suggestions import suggest
from ferryman.text import person

_WAITS = {
    "WaitsForSource": "is waiting for {source} to verify it",
    "Soaking": "is soaking in {source}",
    "ScanMissing": "is waiting for an image scan",
    "ScanPending": "is waiting for an image scan",
    "ScanBlocked": "is blocked by image scans",
    "ScanDenied": "is blocked, because image scans can't be read",
}
_MOST_IGNORED = 10
_DOES = {"rollback": "rolling back to", "migrate": "migrating with"}

Summary = Literal[
    "Deploying", "AwaitingApproval", "Held", "Frozen", "Requested", "Waiting", "Settled", "UpToDate", "Empty",
    "ImagesDiffer",
]  # fmt: skip


class Explanation(Record):
    """The whole answer; `sentences` say in words what the other fields say in data."""

    platform: str
    environment: str
    summary: Summary
    headline: str
    health: Health
    """How what runs is, as ECS said when reconcile last looked."""
    sync: Sync
    """Why the newest release that is wanted here does not run, or that it does."""
    sentences: list[str]
    runs: Running | None
    newer: list[Newer]
    """Newest first."""
    ignored: list[Ignored] = Field(default_factory=list)
    """Tags that were pushed after what runs and are no releases, newest first; at most 10."""


def explain(
    document: Platform,
    state: EnvironmentState,
    releases: list[Release],
    deployments: list[Deployment],
    now: datetime,
    *,
    source: EnvironmentState | None = None,
    approval: Approval | None = None,
    ignored: Sequence[Ignored] = (),
) -> Explanation:
    """Say why this environment runs what it runs, and why nothing newer does.

    `deployments` are the latest ones of the environment, newest first; `source` is the state of `promoteFrom`,
    `approval` that of the deployment under way, `ignored` the platform's tags that are no releases, newest first.
    """
    facts = Facts(document, state, releases, deployments, now, source, approval, ignored)
    found = newer(facts)
    sentences = [_runs(facts), *_active(facts), *_hold(facts), *_freeze(facts), *asked(facts)]
    sentences += [
        _with_older(item) for item in found if item.reason not in ("Deploying", "AwaitingApproval", "Requested")
    ]
    if not found and state.active is None:
        sentences.append(_nothing_newer(facts))
    sentences += ignored_tags.sentences(facts.newer_ignored, facts.state.platform, now)
    sentences += [*_waivers(facts), *_last_failure(facts), *_unpublished(facts), *_drift(facts)]
    summary, headline = _headline(facts, found)
    return Explanation(
        platform=state.platform,
        environment=state.environment,
        summary=summary,
        headline=headline,
        health=health(facts.environment, state, facts.active, now),
        sync=_sync(facts),
        sentences=sentences,
        runs=state.current,
        newer=found,
        ignored=facts.newer_ignored[:_MOST_IGNORED],
    )


def _sync(facts: Facts) -> Sync:
    found = judge_sync(facts.view, why_not(facts.view, facts.now), facts.frozen)
    version = found.why.release.version if found.why else None
    if found.reason == "Requested" or (found.why is None and facts.state.requested is not None):
        request = facts.state.requested
        version, message = (request.version if request else version), " ".join(asked(facts))
    elif found.why is not None:
        message = worded(facts, found.why).message
    elif facts.state.active is not None:
        version, message = facts.state.active.version, _active(facts)[0]
    else:
        message = _of_what_runs(facts, found.reason)
    return Sync(status=found.status, reason=found.reason, message=message, version=version)


def _of_what_runs(facts: Facts, reason: str) -> str:
    """Say why an environment for which nothing newer is wanted is in sync or not."""
    if reason == "NothingDeployed":
        return "No release has been deployed here yet; push one."
    if reason == "UpToDate":
        return f"{facts.running_version or 'What was found here'} is what should run."
    drifted = facts.state.condition("Drifted")
    if drifted is not None and drifted.status == "True" and drifted.reason == reason:
        return drifted.message
    return f"{facts.running_version} was deployed again, and that errored; it will be retried."


def _nothing_newer(facts: Facts) -> str:
    if facts.state.current is None:
        return "No release is known yet."
    if facts.newer_ignored or _images_differ(facts.state):
        return "No newer release is known."
    return "No newer release is known: the environment is up to date."


def _with_older(item: Newer) -> str:
    if not item.like_it:
        return item.message
    older = "1 older release is" if item.like_it == 1 else f"{item.like_it} older releases are"
    return f"{item.message} ({older} waiting for the same.)"


def _runs(facts: Facts) -> str:
    current = facts.state.current
    if current is None:
        return f"{facts.env} runs nothing that Ferryman knows."
    since = f"since {_moment(current.at)} ({facts.ago(current.at)})"
    what = current.version or "images that belong to no release"
    if current.deployment is None:
        return f"{facts.env} runs {what}, as found when the platform was applied, {since}."
    deployment = next((d for d in facts.deployments if d.id == current.deployment), None)
    by = f" by {_who(deployment)}" if deployment else ""
    yes = f", approved by {', '.join(deployment.approved_by)}" if deployment and deployment.approved_by else ""
    return f"{facts.env} runs {what} {since}, deployed{by}{yes} (deployment {current.deployment})."


def _who(deployment: Deployment) -> str:
    actor = deployment.initiated_by
    return f"Ferryman ({actor.who})" if actor.automated else person(actor.who)


def _active(facts: Facts) -> list[str]:
    claim, deployment = facts.state.active, facts.active
    if claim is None:
        return []
    if deployment is None:
        since = _moment(claim.claimed_at)
        return [f"Deployment {claim.deployment} of {claim.version} has held the environment since {since}."]
    began = deployment.started_at or deployment.created_at
    line = f"Deployment {deployment.id} {_what(deployment)} has been {deployment.phase} for {age(began, facts.now)}"
    sentences = [f"{line}{_where(deployment, facts.now)}."]
    if deployment.phase is Phase.AWAITING_APPROVAL and facts.approval is not None:
        sentences += approval_in_words.in_words(facts.approval, facts.now)
    if deployment.override:
        sentences.append(f"It runs without approval: {_who(deployment)} overrode that: {deployment.override}.")
    if deployment.abort is not None:
        abort = deployment.abort
        sentences.append(f"{person(abort.who)} requested an abort {facts.ago(abort.at)}: {abort.reason}.")
    if deployment.phase.terminal:
        sentences.append("It has ended; its claim is dropped once nothing of it can still be running.")
    return sentences


def _what(deployment: Deployment) -> str:
    """Say what a deployment does, and what started it."""
    if deployment.kind == "migrate":
        return f"({database_command.in_words(deployment)} with the image of {deployment.version})"
    if deployment.kind == "rollback":
        down = ", the database first" if deployment.command == "down" else ""
        return f"(rollback to {deployment.version}{down})"
    return f"of {deployment.version}{f' ({deployment.tag})' if deployment.tag else ''}"


def _where(deployment: Deployment, now: datetime) -> str:
    at = current_step(deployment)
    if at is None:
        return ""
    step = deployment.steps[at]
    if step.status is not StepStatus.RUNNING:
        return f", past {title_of(at)} ({step.status})"
    progress = step.rollout
    counts = ""
    if progress is not None and progress.desired is not None:
        counts = f", {progress.running or 0} of {progress.desired} tasks running"
    return f", at {title_of(at)} for {age(step.started_at, now)}{counts}"


def current_step(deployment: Deployment) -> str | None:
    """Return the key of the step that runs, or else of the one that began last."""
    if not deployment.steps:
        return None
    running = {key: step for key, step in deployment.steps.items() if step.status is StepStatus.RUNNING}
    candidates = running or deployment.steps
    return max(candidates, key=lambda key: candidates[key].started_at)


def _hold(facts: Facts) -> list[str]:
    hold = facts.state.hold
    if hold is None:
        return []
    since = f"{person(hold.who)} put {facts.env} on hold{hold.end} {facts.ago(hold.at)}: {hold.reason}"
    return [
        f"Automation is on hold: {since}. To lift the hold, run {suggest('resume', facts.env, p=facts.state.platform)}."
    ]


def _freeze(facts: Facts) -> list[str]:
    freeze = facts.frozen
    if freeze is None:
        return []
    lift = (
        f" To lift the freeze, run {suggest('thaw', facts.env, p=facts.state.platform)}."
        if freeze.reason == "FrozenByPerson"
        else ""
    )
    return [f"No deployment can start: {facts.env} is {freeze.message.rstrip('.')}.{lift} Rollbacks are allowed."]


def _waivers(facts: Facts) -> list[str]:
    known = {release.version for release in facts.releases}
    return [
        f"{person(waiver.who)} waived the image scans of {version} until {waiver.until:%Y-%m-%d %H:%M} UTC: "
        f"{waiver.reason}."
        for version, waiver in sorted(facts.state.waivers.items())
        if waiver.until > facts.now and version in known and version != facts.running_version
    ]


def _unpublished(facts: Facts) -> list[str]:
    """Say so when the running release should be on GitHub but is not."""
    current = facts.state.current
    deployment = next((d for d in facts.deployments if current and d.id == current.deployment), None)
    publication = deployment.publication if deployment else None
    if deployment is None or publication is None or publication.status == "Published":
        return []
    return [f"The GitHub release {deployment.tag or deployment.version} was not published: {publication.message}"]


def _last_failure(facts: Facts) -> list[str]:
    """Say in full how the last deployment failed, if it did."""
    last = next((d for d in facts.deployments if d.phase.terminal and d.phase is not Phase.SUPERSEDED), None)
    if last is None or last.phase is Phase.SUCCEEDED or last.ended_at is None:
        return []
    ended = f"ended {last.phase} {facts.ago(last.ended_at)}"
    return [f"The last deployment, {last.id} of {last.version}, {ended}: {last.message}"]


def _drift(facts: Facts) -> list[str]:
    condition = facts.state.condition("Drifted")
    if condition is None or condition.status != "True":
        return []
    return [f"The environment has drifted ({condition.reason}): {condition.message}"]


def _headline(facts: Facts, found: list[Newer]) -> tuple[Summary, str]:
    state, active = facts.state, facts.active
    runs = f"runs {facts.running_version or 'no release'}"
    if state.active is not None and facts.awaited is not None:
        given, what = "", state.active.version
        if facts.approval is not None:
            what = facts.approval.about
            left = age(facts.now, facts.approval.expires_at)
            given = f" ({len(facts.approval.approved_by)} of {facts.approval.required}, expires in {left})"
        return "AwaitingApproval", f"{runs}; {what} is waiting for approval{given}"
    if state.active is not None:
        at = current_step(active) if active else None
        phase = f"{active.phase}, {title_of(at) if at else 'starting'}" if active else "Pending"
        return "Deploying", f"{_DOES.get(active.kind if active else '', 'deploying')} {state.active.version} ({phase})"
    if state.hold is not None:
        return "Held", f"{runs}; held{state.hold.end} by {person(state.hold.who)}: {state.hold.reason}"
    if state.requested is not None:
        return "Requested", f"{runs}; {state.requested.kind} of {state.requested.version} starts next"
    coming = next((item.version for item in found if item.reason == "Next"), None)
    if coming is not None:
        return "Waiting", f"{runs}; {coming} is about to start"
    frozen = facts.frozen
    if frozen is not None:
        return "Frozen", f"{runs}; {frozen.message}"
    summary, headline = _of_newer(facts, found, runs)
    if summary == "UpToDate" and _images_differ(state):
        return "ImagesDiffer", f"{runs}, but not in every container; {_way_on(facts)}"
    return summary, headline


def _way_on(facts: Facts) -> str:
    """Say what helps where containers differ. Which components do, only the condition's message tells."""
    running = next((item for item in facts.releases if item.version == facts.running_version), None)
    components = [name for service in facts.environment.services for name in service.components]
    if running is not None and any(name not in running.digests for name in components):
        return f"to see what to do, run {suggest('explain', facts.env, p=facts.state.platform)}"
    return way_on(facts.state, facts.environment, running, components)


def _images_differ(state: EnvironmentState) -> bool:
    """Whether the last look found containers of one service that run different images of one component."""
    drifted = state.condition("Drifted")
    return drifted is not None and drifted.status == "True" and drifted.reason == IMAGES_DIFFER


def _of_newer(facts: Facts, found: list[Newer], runs: str) -> tuple[Summary, str]:
    """Return the first thing that a newer release is waiting for."""
    state = facts.state
    repeats = ""
    for item in found:
        name = item.names[-1] if item.names else item.version
        if item.reason in _WAITS:
            return "Waiting", f"{runs}; {name} {_WAITS[item.reason].format(source=facts.environment.promote_from)}"
        if item.reason == "Assembling":
            return "Waiting", f"{runs}; {item.version} is waiting for {', '.join(item.missing)}"
        if item.reason == "RetryAfter":
            return "Waiting", f"{runs}; {item.version} errored and will be retried"
        if item.reason == "Settled":
            known = state.settled.get(item.version)
            return "Settled", f"{runs}; newer {item.version} {f'ended {known.phase}' if known else 'was rolled back'}"
        if item.reason == "SameImages":
            same = f"{runs}; {item.version} has the same images as {item.same_as}"
            known = state.settled.get(item.same_as or "")
            if known:
                return "Settled", f"{same}, which ended {known.phase}"
            repeats = repeats or same  # Those of an old release may hide one that waits.
        if item.reason == "WaitsForTag":
            return "UpToDate", f"{runs}; {item.version} needs a semver tag to be deployed"
        if item.reason == "NoTrigger":
            return "UpToDate", f"{runs}; {item.version} is ready to be deployed manually"
    if repeats:
        return "UpToDate", repeats
    but = ignored_tags.headline(facts.newer_ignored)
    if state.current is None:
        return "Empty", f"runs nothing yet{f'; {but}' if but else ''}"
    return "UpToDate", f"{runs}; {f'no newer release, but {but}' if but else 'nothing newer'}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
