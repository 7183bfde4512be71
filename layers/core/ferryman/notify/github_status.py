"""The status of a deployment on GitHub: on its commit and in the project's list of deployments.

Called by `notify.github`. GitHub gets the record as it is now, not as it was when the row was written. So a late or
repeated row cannot bring back an old status.
"""

import contextlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from ferryman.clients.github.auth import Project
from ferryman.clients.github.client import Declined, an_object, objects, part
from ferryman.contracts import DeploymentRef
from ferryman.errors import Conflict
from ferryman.records import Commit, Deployment, EnvironmentState, Phase, limits
from ferryman.records.writes import Save
from ferryman.store.table import Store
from ferryman.text import one_line

_DESCRIPTION = 140
"""Characters that GitHub accepts."""
COMMITS = limits.COUNTS["Approval.commits"]
"""Commits of a release that approvers are shown."""
_ROUNDS = 3
"""How often the deployment is read again, at most."""

CommitState = Literal["pending", "success", "failure", "error"]
DeploymentState = Literal["queued", "in_progress", "success", "failure", "error", "inactive"]


class NoSuchCommit(Exception):
    """The version is not a commit of the project, so it cannot have a status."""


@dataclass(frozen=True)
class Status:
    """The status of a deployment for GitHub: on its commit and in the project's list of deployments."""

    commit: CommitState
    deployment: DeploymentState
    description: str
    url: str = ""


_STATES: dict[Phase, tuple[CommitState, DeploymentState, str]] = {
    Phase.PENDING: ("pending", "queued", "is about to be deployed"),
    Phase.AWAITING_APPROVAL: ("pending", "queued", "is waiting for approval"),
    Phase.RUNNING: ("pending", "in_progress", "is being deployed"),
    Phase.ROLLING_BACK: ("pending", "in_progress", "failed and is being rolled back"),
    Phase.SUCCEEDED: ("success", "success", "is deployed and verified"),
    Phase.FAILED: ("failure", "failure", "failed"),
    Phase.ROLLED_BACK: ("failure", "failure", "failed and was rolled back"),
    # Nothing was deployed: the entry is closed, and only a rejection counts against the commit.
    Phase.REJECTED: ("failure", "inactive", "was rejected"),
    Phase.EXPIRED: ("error", "inactive", "was not approved in time"),
    Phase.SUPERSEDED: ("error", "inactive", "was superseded"),
    Phase.ABORTED: ("error", "error", "was aborted"),
    Phase.ERRORED: ("error", "error", "could not be deployed"),
}


def status_of(deployment: Deployment) -> Status:
    """Return a deployment's status for GitHub. Pure."""
    commit, state, words = _STATES[deployment.phase]
    by = f" by {deployment.superseded_by}" if deployment.phase is Phase.SUPERSEDED and deployment.superseded_by else ""
    url = deployment.publication.url if deployment.publication else ""
    description = one_line(f"{deployment.environment}: {deployment.version} {words}{by}", limit=_DESCRIPTION)
    return Status(commit, state, description, url)


def show(about: DeploymentRef, *, store: Store, project: Project) -> None:
    """Update a deployment's status on GitHub.

    The deployment is read again at the end; if it has changed, GitHub is updated again. Raise NoSuchCommit, or what
    the API raises.
    """
    before: Status | None = None
    for _ in range(_ROUNDS):
        deployment = store.deployment(about.platform, about.environment, about.deployment)
        wanted = status_of(deployment)
        if wanted == before:
            return
        sha = project.commit(deployment.version)
        _tell_approvers(deployment, sha is not None, store, project)
        if sha is None:
            raise NoSuchCommit(f"{deployment.version} is not a commit of {project.page}")
        if not is_overtaken(deployment, store.state(deployment.platform, deployment.environment)):
            _set_commit_status(deployment, sha, wanted, project)
        _set_deployment_status(deployment, sha, wanted, project)
        before = wanted


def _tell_approvers(deployment: Deployment, known: bool, store: Store, project: Project) -> None:
    """Write for the page what GitHub knows of the commit that the version claims to be. Approvers don't wait for it."""
    listed: tuple[list[Commit], int] | None = None
    for _ in store.attempts():
        approval = store.approval(deployment.id)
        if approval is None or approval.status != "Pending" or approval.commit_confirmed == known:
            return
        if listed is None:
            listed = _commits_of(deployment, project) if known else ([], 0)
        with contextlib.suppress(Conflict):
            store.write(Save(approval.but(commit_confirmed=known, commits=listed[0], commits_in_all=listed[1])))
            return


def _commits_of(deployment: Deployment, project: Project) -> tuple[list[Commit], int]:
    """Return the commits since what ran before, newest first, and how many there are in all.

    None where GitHub can't compare the two: what runs is no commit of it, or its history was rewritten.
    Source: https://docs.github.com/en/rest/commits/commits#compare-two-commits (oldest first, 250 at most).
    """
    before = deployment.from_version
    if before is None or before == deployment.version:
        return [], 0
    try:
        answer = an_object(project.api.get(f"{project.path}/compare/{part(before)}...{part(deployment.version)}"))
    except Declined:
        return [], 0
    found = [commit for item in _list(answer.get("commits")) if (commit := _commit_in(item)) is not None]
    total = answer.get("total_commits")
    return found[-COMMITS:][::-1], max(total if isinstance(total, int) else 0, len(found))


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _commit_in(item: Any) -> Commit | None:
    """Read one commit; None when it is malformed."""
    about = item.get("commit") if isinstance(item, dict) else None
    if not isinstance(about, dict) or not isinstance(item.get("sha"), str) or not isinstance(about.get("message"), str):
        return None
    author = about.get("author")
    name = author.get("name") if isinstance(author, dict) else None
    title = one_line(about["message"].strip().partition("\n")[0], limit=200)
    return Commit(sha=item["sha"][:40], title=title, author=one_line(name, limit=80) if isinstance(name, str) else "")


def is_overtaken(deployment: Deployment, state: EnvironmentState) -> bool:
    """Tell whether a later deployment of the same version sets the commit's status. Pure."""
    return any(
        one is not None and one.version == deployment.version and (one.deployment or "") > deployment.id
        for one in (state.active, state.current)
    )


def _set_commit_status(deployment: Deployment, sha: str, wanted: Status, project: Project) -> None:
    project.api.post(
        f"{project.path}/statuses/{sha}",
        {
            "state": wanted.commit,
            "context": f"ferryman/{deployment.environment}",
            "description": wanted.description,
            **({"target_url": wanted.url} if wanted.url else {}),
        },
    )


def _set_deployment_status(deployment: Deployment, sha: str, wanted: Status, project: Project) -> None:
    number = _ensure_deployment(deployment, sha, project)
    statuses = f"{project.path}/deployments/{number}/statuses"
    latest = objects(project.api.get(statuses, per_page=1))[:1]
    if [(item.get("state"), item.get("log_url") or "") for item in latest] == [(wanted.deployment, wanted.url)]:
        return
    project.api.post(
        statuses,
        {
            "state": wanted.deployment,
            "description": wanted.description,
            "auto_inactive": True,
            **({"log_url": wanted.url} if wanted.url else {}),
        },
    )


def _ensure_deployment(deployment: Deployment, sha: str, project: Project) -> int:
    """Return the number of GitHub's entry for a deployment, found by our id in its payload; create it if missing."""
    path = f"{project.path}/deployments"
    listed = objects(project.api.get(path, sha=sha, environment=deployment.environment, per_page=100))
    for item in listed:
        if _payload(item).get("ferryman") == deployment.id and isinstance(item.get("id"), int):
            return int(item["id"])
    made = project.api.post(
        path,
        {
            "ref": sha,
            "environment": deployment.environment,
            "description": one_line(
                f"Ferryman: {deployment.kind} {deployment.tag or deployment.version}", limit=_DESCRIPTION
            ),
            "auto_merge": False,
            "required_contexts": [],
            "payload": {"ferryman": deployment.id},
        },
    )
    if not isinstance(made.get("id"), int):
        raise Declined(202, f"GitHub created no deployment ({one_line(str(made.get('message', '')), limit=200)})")
    return int(made["id"])


def _payload(item: dict[str, Any]) -> dict[str, Any]:
    """GitHub gives a payload back as it was sent: as an object, or as text that holds one."""
    payload = item.get("payload")
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            return {}
    return payload if isinstance(payload, dict) else {}
