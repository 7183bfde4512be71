"""The audit trail of a platform: who did what, when, from where, on which digests; newest first.

Bounded: for each environment, the latest `_DEEP` deployments are read; `complete` says whether there are no others.
"""

from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime

from ferryman.access import Verb
from ferryman.api.authorize import names_of, no_environment
from ferryman.api.context import Context
from ferryman.api.http import HttpError, Request
from ferryman.api.read import seen_of
from ferryman.records import AUDITED, Deployment, Record, TimelineEvent

_DEEP = 100
"""Deployments of an environment whose timelines are read: one query each."""
_LINES = 1_000
"""Lines that are read of one timeline, the latest."""


class Act(Record):
    """One line of the audit: an act of a person, or a decision of the operator."""

    at: AwareDatetime
    act: str
    who: str
    how: str
    """`cli`, `mail`, `slack`, `shared link`; empty where the timeline does not tell."""
    identity: str
    """What proved the person's identity: IAM ARN, mail address, Slack user."""
    source: str
    """Network address and user agent."""
    environment: str | None
    deployment: str | None
    version: str | None
    message: str
    digests: dict[str, str]
    """Component → digest that the act was about."""


def audit(operator: Context, request: Request) -> dict[str, Any]:
    """The audit trail of what the caller may see, or of one `environment`, newest first.

    `limit` lines, none before `since`.
    """
    applied = operator.store.platform(request.params["platform"])
    wanted = request.query.get("environment")
    if wanted is not None and wanted not in names_of(applied):
        raise no_environment(applied, wanted)
    if wanted is not None:
        operator.access.require(request.who, Verb.VIEW, applied.name, [wanted])
    names = seen_of(operator, request, applied)
    limit, since = request.number("limit", 50, 1000), _since(request)
    digests = {release.version: release.digests for release in operator.store.releases(applied.name)}
    # Acts on the platform concern each of its environments.
    found, complete = _of(operator, applied.name, since), True
    for name in [wanted] if wanted else names:
        found += _of(operator, f"{applied.name}#{name}", since)
        deployments = operator.store.deployments(applied.name, name, limit=_DEEP + 1)
        complete = complete and (len(deployments) <= _DEEP or deployments[-1].created_at < since)
        for deployment in deployments[:_DEEP]:
            # A skipped release has only the event that says so, and no person's act.
            if deployment.execution_arn is not None:
                found += _of(operator, deployment.id, since, deployment)
    rows = [_row(event, deployment, digests) for event, deployment in found]
    rows.sort(key=lambda item: item[0], reverse=True)
    return {
        "acts": [act.dump() for _, act in rows[:limit]],
        "complete": complete and len(rows) <= limit,
    }


def _of(
    operator: Context, owner: str, since: datetime, deployment: Deployment | None = None
) -> list[tuple[TimelineEvent, Deployment | None]]:
    lines = operator.store.timeline(owner, limit=_LINES)
    return [(line, deployment) for line in lines if line.type in AUDITED and line.at >= since]


def _row(
    event: TimelineEvent, deployment: Deployment | None, digests: dict[str, dict[str, str]]
) -> tuple[tuple[datetime, str], Act]:
    """Return what an audit shows of an event; the rest of its detail is not returned."""
    version = deployment.version if deployment else _text(event, "version") or None
    about = event.detail.get("digests")
    if not isinstance(about, dict):
        about = deployment.digests if deployment else digests.get(version or "", {})
    act = Act(
        at=event.at,
        act=str(event.type),
        who=event.who,
        how=_text(event, "how"),
        identity=_text(event, "identity"),
        source=_text(event, "source"),
        environment=event.environment,
        deployment=event.deployment,
        version=version,
        message=event.message,
        digests={str(component): str(digest) for component, digest in about.items()},
    )
    return (event.at, event.id), act


def _text(event: TimelineEvent, name: str) -> str:
    value = event.detail.get(name)
    return value if isinstance(value, str) else ""


def _since(request: Request) -> datetime:
    """Return the earliest time of the acts; a time without a zone is UTC."""
    text = request.query.get("since")
    if text is None:
        return datetime.min.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        told = f"query parameter since is {text[:60]!r}; use a time such as 2026-12-24T18:00:00Z"
        raise HttpError(400, "BadRequest", told) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
