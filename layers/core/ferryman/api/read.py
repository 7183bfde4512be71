"""Routes that read: platforms, releases, environments, deployments, timelines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from ferryman.api import proposal, throttled
from ferryman.api.authorize import names_of
from ferryman.api.context import Context
from ferryman.api.http import Request
from ferryman.api.views import deployment as views
from ferryman.api.views.approval import approval
from ferryman.api.views.environment import EnvironmentView, Notice
from ferryman.api.views.environment import environment as environment_view
from ferryman.api.views.live_services import Counts
from ferryman.clients.aws_errors import Refusal
from ferryman.decisions.deployment_report import cause_of
from ferryman.decisions.explain.environment import Explanation, explain
from ferryman.decisions.explain.ignored import Ignored, ignored
from ferryman.decisions.explain.inputs import Facts
from ferryman.decisions.explain.subject import in_environment, subject
from ferryman.decisions.freeze_windows import frozen
from ferryman.decisions.requests.common import matching
from ferryman.errors import FerrymanError, NotFound
from ferryman.platform import Platform, parse
from ferryman.platform.values import SEMVER
from ferryman.records import (
    AppliedPlatform,
    Approval,
    Deployment,
    EnvironmentState,
    EventType,
    Phase,
    Release,
    TimelineEvent,
    step_keys,
)

RECENT = 50
"""Deployments that an explanation considers."""
_LOGS = 20
"""Steps whose log lines an answer has: up to 100 KB of JSON each, beside those of 400 steps. Lambda answers 6 MB."""
_TOLD = 5
"""Deployments whose timelines `events` shows beside the environment's own."""
_NAMES = 1000
"""Semver tags among which a read looks for those that name no release; a CI may push one with each build."""
_SHARED = 20
"""Things that an environment shares with others, in a status."""
_NOTICES, _NOTICED = 5, timedelta(days=7)
"""How many failures of messages and publications a status shows, and for how long."""


def platforms(operator: Context, request: Request) -> dict[str, Any]:
    """The platforms that the caller may see, each with the names of those environments that they may see."""
    rows = [(applied, seen_of(operator, request, applied)) for applied in operator.store.platforms()]
    return {"platforms": [_row(applied, names) for applied, names in rows if names]}


def seen_of(operator: Context, request: Request, applied: AppliedPlatform) -> list[str]:
    """Return the environments of a platform that the caller may see."""
    return [name for name in names_of(applied) if operator.access.sees(request.who, applied.name, name)]


def _row(applied: AppliedPlatform, names: list[str]) -> dict[str, Any]:
    return {
        "name": applied.name,
        "generation": applied.generation,
        "appliedBy": applied.applied_by,
        "appliedAt": applied.applied_at.isoformat(),
        "environments": names,
        "components": list(applied.document["spec"]["components"]),
    }


def platform(operator: Context, request: Request) -> dict[str, Any]:
    """One platform and where each of its environments stands that the caller may see."""
    applied = operator.store.platform(request.params["platform"])
    document, names = parse(applied.document), seen_of(operator, request, applied)
    releases = operator.store.releases(applied.name)
    tags = ignored_tags(operator, document, releases)
    found = [_environment(operator, document, name, releases, tags) for name in names]
    shown = [view.dump() for view in found]
    return {**_row(applied, names), "environments": shown, "notes": proposal.notes(operator, applied)}


def environment(operator: Context, request: Request) -> dict[str, Any]:
    """Where one environment stands."""
    document, name = place(operator, request)
    releases = operator.store.releases(document.name)
    tags = ignored_tags(operator, document, releases)
    view = _environment(operator, document, name, releases, tags, notices=True).dump()
    return {**view, "notes": proposal.notes(operator, operator.store.platform(document.name))}


def releases(operator: Context, request: Request) -> dict[str, Any]:
    """The releases of a platform, newest first; with `?ignored=true` also the newest tags that are no releases."""
    applied = operator.store.platform(request.params["platform"])
    document = parse(applied.document)
    states = [operator.store.state(document.name, name) for name in seen_of(operator, request, applied)]
    known, limit = operator.store.releases(document.name), request.number("limit", 50, 1000)
    answer: dict[str, Any] = {
        "releases": [
            views.release(
                release, list(document.spec.components), _where(release, states), _failed(release, states)
            ).dump()
            for release in known[::-1][:limit]
        ]
    }
    if request.flag("ignored"):
        answer["ignored"] = [item.dump() for item in ignored_tags(operator, document, known)[:limit]]
    return answer


def tag(operator: Context, request: Request) -> dict[str, Any]:
    """What a version, a semver name or a tag means on a platform: whether it is, or can become, a release."""
    document = parse(operator.store.platform(request.params["platform"]).document)
    known = operator.store.releases(document.name)
    return subject(request.params["tag"], document, known, ignored_tags(operator, document, known)).dump()


def ignored_tags(operator: Context, document: Platform, releases: list[Release]) -> list[Ignored]:
    """Return the newest tags of a platform that are no releases, newest first."""
    store, name = operator.store, document.name
    return ignored(document, store.ignored_tags(name), store.semver_names(name, most=_NAMES), releases)


def _where(release: Release, states: list[EnvironmentState]) -> list[str]:
    return [state.environment for state in states if state.current and state.current.version == release.version]


def _failed(release: Release, states: list[EnvironmentState]) -> dict[str, str]:
    """Return where a release ended badly, and how."""
    found = {state.environment: state.settled.get(release.version) for state in states}
    return {name: str(settled.phase) for name, settled in found.items() if settled is not None}


def history(operator: Context, request: Request) -> dict[str, Any]:
    """The deployments of an environment, newest first."""
    document, name = place(operator, request)
    now = operator.clock()
    limit, began = request.number("limit", 20, 500), operator.store.state(document.name, name).began_at
    found = operator.store.deployments(document.name, name, limit=limit, since=began)
    return {"deployments": [views.summary(deployment, now).dump() for deployment in found]}


def explanation(operator: Context, request: Request) -> dict[str, Any]:
    """Why an environment runs what it runs; with `?version=` also what that version, semver name or tag means here."""
    document, name = place(operator, request)
    known, wanted = operator.store.releases(document.name), request.query.get("version", "").strip()
    tags = ignored_tags(operator, document, known)
    seen = _seen(operator, document, name, known, tags)
    if not wanted:
        return seen.explanation.dump()
    found = subject(wanted, document, known, tags)
    return {**seen.explanation.dump(), "subject": {**found.dump(), "sentences": in_environment(found, seen.facts)}}


def events(operator: Context, request: Request) -> dict[str, Any]:
    """A deployment's timeline, or the environment's with those of its latest deployments; oldest first."""
    document, name = place(operator, request)
    limit, began = request.number("limit", 200, 1000), None
    wanted = request.query.get("deployment")
    if wanted:
        owners = [find_deployment(operator, document.name, name, wanted).id]
    else:
        began = operator.store.state(document.name, name).began_at
        latest = operator.store.deployments(document.name, name, limit=_TOLD, since=began)
        owners = [document.name, f"{document.name}#{name}", *(deployment.id for deployment in latest)]
    found: list[TimelineEvent] = []
    for owner in owners:
        found += (it for it in operator.store.timeline(owner, limit=2000) if began is None or it.at >= began)
    found.sort(key=lambda event: (event.at, event.id))
    return {"events": [event.dump() for event in found[-limit:]]}


def deployment(operator: Context, request: Request) -> dict[str, Any]:
    """One deployment by id, `latest` or `active`, optionally of one `version` or semver name."""
    document, name = place(operator, request)
    version = _version(operator, document, request.query.get("version"))
    found = find_deployment(operator, document.name, name, request.params["deployment"], version)
    now, asked = operator.clock(), step_keys.APPROVAL in found.steps or found.phase is Phase.AWAITING_APPROVAL
    record = operator.store.approval(found.id) if asked else None
    shown = found.with_logs(_logs(operator, found))
    return views.deployment(shown, now, _live(operator, found), approval(record, now) if record else None).dump()


def _logs(operator: Context, deployment: Deployment) -> dict[str, list[str]]:
    """Read the log lines of its steps, as many as an answer has room for; the deciding one's for sure."""
    found = operator.store.logs(deployment.id, most=_LOGS)
    cause = cause_of(deployment)
    if cause is not None and cause.key not in found:
        found[cause.key] = operator.store.log(deployment.id, cause.key)
    return found


def _version(operator: Context, document: Platform, wanted: str | None) -> str | None:
    """Return the version that a text stands for, by the rule of `deploy`; anything else as it is."""
    store = operator.store
    if not wanted or store.release(document.name, wanted) is not None:
        return wanted
    named = store.semver_name(document.name, wanted) if SEMVER.fullmatch(wanted) else None
    if named is not None and named.version is not None:
        return named.version
    found = matching(store.releases(document.name), wanted, document)
    return found[0].version if len(found) == 1 else wanted


def _live(operator: Context, deployment: Deployment) -> dict[str, Counts]:
    """Ask ECS for the task counts of a deployment in progress; if it does not answer, the recorded ones are used."""
    if deployment.plan is None or deployment.phase not in (Phase.RUNNING, Phase.ROLLING_BACK):
        return {}
    try:
        return operator.outside.observe(deployment.plan)
    except (FerrymanError, Refusal):
        return {}


def find_deployment(
    operator: Context, platform: str, environment: str, wanted: str, version: str | None = None
) -> Deployment:
    """Return a deployment by id, `latest` or `active`; raise NotFound.

    `latest` is the active one, else the newest that ran at all, else the newest that was superseded.
    """
    store = operator.store
    if wanted not in ("latest", "active"):
        return store.deployment(platform, environment, wanted)
    state = store.state(platform, environment)
    claim, since = state.active, state.began_at
    if claim is not None and version in (None, claim.version):
        return store.deployment(platform, environment, claim.deployment)
    latest = store.deployments(platform, environment, limit=RECENT, since=since)
    found = [d for d in latest if version in (None, d.version)]
    if wanted == "active":
        last = f"; the last one, {found[0].id}, ended {found[0].phase}" if found else ""
        raise NotFound(f"no deployment{_of(version)} is in progress in {platform}/{environment}{last}")
    if not found:
        raise NotFound(f"{platform}/{environment} has had no deployment{_of(version)} yet")
    return next((d for d in found if d.phase is not Phase.SUPERSEDED), found[0])


def _of(version: str | None) -> str:
    return f" of {version}" if version else ""


def place(operator: Context, request: Request) -> tuple[Platform, str]:
    """Return the platform and the environment that a path names; raise NotFound, naming those that exist."""
    document = parse(operator.store.platform(request.params["platform"]).document)
    name = request.params["environment"]
    if name not in document.spec.environments:
        known = ", ".join(document.spec.environments)
        raise NotFound(f"platform {document.name} has no environment {name!r}; known environments: {known}")
    return document, name


def source_of(operator: Context, platform: Platform, env: str) -> EnvironmentState | None:
    """Return the state of the environment that releases are promoted from, if there is one."""
    name = platform.environment(env).promote_from
    return operator.store.state(platform.name, name) if name is not None else None


def _environment(
    operator: Context,
    document: Platform,
    name: str,
    releases: list[Release],
    tags: list[Ignored],
    *,
    notices: bool = False,
) -> EnvironmentView:
    """Read where an environment stands; `tags` are the ignored ones, and `notices` reads timelines and owners too."""
    seen = _seen(operator, document, name, releases, tags)
    now, state = operator.clock(), seen.state
    current = next((d for d in seen.deployments if state.current and d.id == state.current.deployment), None)
    return environment_view(
        state,
        seen.explanation,
        now,
        active=views.summary(seen.active, now) if seen.active else None,
        approval=approval(seen.approval, now) if seen.approval else None,
        frozen=frozen(document.environment(name), state, now),
        publication=current.publication if current else None,
        notices=[
            *_unproved(operator, document, name, now),
            *throttled.notices(operator.store, seen.active, now),
            *_notices(operator, seen),
        ]
        if notices
        else [],
        shared=_shared(operator, document.name, name) if notices else [],
    )


def _shared(operator: Context, platform: str, env: str) -> list[str]:
    # Imported here: it imports `control`, and that imports this module.
    from ferryman.api import ownership

    found = ownership.shared(operator, platform)
    return [*found.get(env, []), *found.get("", [])][:_SHARED]


@dataclass(frozen=True)
class _Seen:
    """What was read of an environment."""

    state: EnvironmentState
    deployments: list[Deployment]
    active: Deployment | None
    approval: Approval | None
    explanation: Explanation
    facts: Facts


def _seen(operator: Context, document: Platform, name: str, releases: list[Release], tags: list[Ignored]) -> _Seen:
    state = operator.store.state(document.name, name)
    deployments = operator.store.deployments(document.name, name, limit=RECENT, since=state.began_at)
    active = operator.store.deployment(document.name, name, state.active.deployment) if state.active else None
    waits = active is not None and active.phase is Phase.AWAITING_APPROVAL
    pending = operator.store.approval(active.id) if active and waits else None
    source, now = source_of(operator, document, name), operator.clock()
    found = explain(document, state, releases, deployments, now, source=source, approval=pending, ignored=tags)
    facts = Facts(document, state, releases, deployments, now, source, pending, tags)
    return _Seen(state, deployments, active, pending, found, facts)


def _unproved(operator: Context, document: Platform, name: str, now: datetime) -> list[Notice]:
    """Return what is wrong with the approvers of a document that was applied before `apply` checked them."""
    if document.environment(name).approval is None:
        return []
    try:
        found = operator.outside.approvers(document.only(name), at_a_glance=True)
    except (FerrymanError, Refusal):
        return []
    return [Notice(at=now, type="ApproverUnproved", deployment=None, message=f"{path}: {text}") for path, text in found]


def _notices(operator: Context, seen: _Seen) -> list[Notice]:
    """Return the latest failures of messages and of GitHub publications, and what ran without its approval."""
    since, state = operator.clock() - _NOTICED, seen.state
    began = (d for d in seen.deployments if d.execution_arn is not None and (d.ended_at or d.created_at) > since)
    owners = [f"{state.platform}#{state.environment}", *(d.id for d in islice(began, _TOLD))]
    failed = (EventType.NOTIFICATION_FAILED, EventType.PUBLISH_FAILED)
    found = [
        event
        for owner in owners
        for event in operator.store.timeline(owner, limit=200)
        if (event.type in failed or _unapproved(event)) and event.at > since
    ]
    latest = sorted(found, key=lambda event: (event.at, event.id), reverse=True)[:_NOTICES]
    return [
        Notice(at=event.at, type=str(event.type), deployment=event.deployment, message=event.message)
        for event in latest
    ]


def _unapproved(event: TimelineEvent) -> bool:
    """Tell whether a request was carried out without its approval, or accepted a schema mismatch."""
    asked = event.type in (EventType.ROLLBACK_REQUESTED, EventType.MIGRATE_REQUESTED)
    return asked and not event.detail.keys().isdisjoint(("override", "schemaMismatch"))
