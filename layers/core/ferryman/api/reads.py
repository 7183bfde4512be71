"""Routes that read: platforms, releases, environments, deployments, timelines."""

from typing import Any

from botocore.exceptions import ClientError

from ferryman.api import views
from ferryman.api.http import Request
from ferryman.api.operator import Counts, Operator
from ferryman.errors import FerrymanError, NotFound
from ferryman.explain import Explanation, explain
from ferryman.platform import Platform, parse
from ferryman.records import AppliedPlatform, Deployment, EnvironmentState, Phase, Release, TimelineEvent

_RECENT = 50
"""Deployments that an explanation looks back on."""
_TOLD = 5
"""Deployments whose timelines `events` shows beside the environment's own."""


def platforms(operator: Operator, _: Request) -> dict[str, Any]:
    """All platforms, each with the names of its environments."""
    return {"platforms": [_row(applied) for applied in operator.store.platforms()]}


def _row(applied: AppliedPlatform) -> dict[str, Any]:
    return {
        "name": applied.name,
        "generation": applied.generation,
        "appliedBy": applied.applied_by,
        "appliedAt": applied.applied_at.isoformat(),
        "environments": list(applied.document["spec"]["environments"]),
        "components": list(applied.document["spec"]["components"]),
    }


def platform(operator: Operator, request: Request) -> dict[str, Any]:
    """One platform and where each of its environments stands."""
    applied = operator.store.platform(request.params["platform"])
    document = parse(applied.document)
    releases = operator.store.releases(applied.name)
    found = [_environment(operator, document, name, releases) for name in document.spec.environments]
    return {**_row(applied), "environments": [view.dump() for view in found]}


def document(operator: Operator, request: Request) -> dict[str, Any]:
    """The document as applied, defaults written out."""
    applied = operator.store.platform(request.params["platform"])
    return {"generation": applied.generation, "document": applied.document}


def environment(operator: Operator, request: Request) -> dict[str, Any]:
    """Where one environment stands."""
    document, name = place(operator, request)
    return _environment(operator, document, name, operator.store.releases(document.name)).dump()


def releases(operator: Operator, request: Request) -> dict[str, Any]:
    """The releases of a platform, newest first."""
    document = parse(operator.store.platform(request.params["platform"]).document)
    states = [operator.store.state(document.name, name) for name in document.spec.environments]
    found = operator.store.releases(document.name)[::-1][: request.number("limit", 50, 1000)]
    return {
        "releases": [
            views.release(release, list(document.spec.components), _where(release, states)).dump() for release in found
        ]
    }


def _where(release: Release, states: list[EnvironmentState]) -> list[str]:
    return [state.environment for state in states if state.current and state.current.version == release.version]


def history(operator: Operator, request: Request) -> dict[str, Any]:
    """The deployments of an environment, newest first."""
    document, name = place(operator, request)
    now = operator.clock()
    found = operator.store.deployments(document.name, name, limit=request.number("limit", 20, 500))
    return {"deployments": [views.summary(deployment, now).dump() for deployment in found]}


def explanation(operator: Operator, request: Request) -> dict[str, Any]:
    """Why an environment runs what it runs."""
    document, name = place(operator, request)
    _, found = _explained(operator, document, name, operator.store.releases(document.name))
    return found.dump()


def events(operator: Operator, request: Request) -> dict[str, Any]:
    """A deployment's timeline, or the environment's with those of its latest deployments; oldest first."""
    document, name = place(operator, request)
    limit = request.number("limit", 200, 1000)
    wanted = request.query.get("deployment")
    if wanted:
        owners = [find_deployment(operator, document.name, name, wanted).id]
    else:
        latest = operator.store.deployments(document.name, name, limit=_TOLD)
        owners = [document.name, f"{document.name}#{name}", *(deployment.id for deployment in latest)]
    found: list[TimelineEvent] = []
    for owner in owners:
        found += operator.store.timeline(owner, limit=2000)
    found.sort(key=lambda event: (event.at, event.id))
    return {"events": [event.dump() for event in found[-limit:]]}


def deployment(operator: Operator, request: Request) -> dict[str, Any]:
    """One deployment by id, `latest` or `active`, optionally of one `version`."""
    document, name = place(operator, request)
    found = find_deployment(operator, document.name, name, request.params["deployment"], request.query.get("version"))
    return views.deployment(found, operator.clock(), _live(operator, found)).dump()


def _live(operator: Operator, deployment: Deployment) -> dict[str, Counts]:
    """Ask ECS for the counts of a deployment under way; the recorded ones do when it doesn't answer."""
    if deployment.plan is None or deployment.phase not in (Phase.RUNNING, Phase.ROLLING_BACK):
        return {}
    try:
        return operator.outside.observe(deployment.plan)
    except (FerrymanError, ClientError):
        return {}


def find_deployment(
    operator: Operator, platform: str, environment: str, wanted: str, version: str | None = None
) -> Deployment:
    """Return a deployment by id, `latest` or `active`; raise NotFound.

    `latest` is the active one, else the newest that ran at all, else the newest that was superseded.
    """
    store = operator.store
    if wanted not in ("latest", "active"):
        return store.deployment(platform, environment, wanted)
    claim = store.state(platform, environment).active
    if claim is not None and version in (None, claim.version):
        return store.deployment(platform, environment, claim.deployment)
    found = [d for d in store.deployments(platform, environment, limit=_RECENT) if version in (None, d.version)]
    if wanted == "active":
        last = f"; the last one, {found[0].id}, ended {found[0].phase}" if found else ""
        raise NotFound(f"no deployment{_of(version)} is under way in {platform}/{environment}{last}")
    if not found:
        raise NotFound(f"{platform}/{environment} has had no deployment{_of(version)} yet")
    return next((d for d in found if d.phase is not Phase.SUPERSEDED), found[0])


def _of(version: str | None) -> str:
    return f" of {version}" if version else ""


def place(operator: Operator, request: Request) -> tuple[Platform, str]:
    """Return the platform and the environment that a path names; raise NotFound, naming those that exist."""
    document = parse(operator.store.platform(request.params["platform"]).document)
    name = request.params["environment"]
    if name not in document.spec.environments:
        known = ", ".join(document.spec.environments)
        raise NotFound(f"platform {document.name} has no environment {name!r}; there are: {known}")
    return document, name


def _environment(operator: Operator, document: Platform, name: str, releases: list[Release]) -> views.EnvironmentView:
    state, found = _explained(operator, document, name, releases)
    active = None
    if state.active is not None:
        deployment = operator.store.deployment(document.name, name, state.active.deployment)
        active = views.summary(deployment, operator.clock())
    return views.environment(state, found.summary, found.headline, found.newer, active)


def _explained(
    operator: Operator, document: Platform, name: str, releases: list[Release]
) -> tuple[EnvironmentState, Explanation]:
    state = operator.store.state(document.name, name)
    deployments = operator.store.deployments(document.name, name, limit=_RECENT)
    return state, explain(document, state, releases, deployments, operator.clock())
