"""How a deployment stands, shown on its commit and among the project's deployments.

Called by `notify.github`. GitHub is shown the record as it is now, not as it was when the row was written: a row that
comes late, or again, can't take anything back.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from ferryman.clients.github.auth import Project
from ferryman.clients.github.client import Declined, objects
from ferryman.contracts import DeploymentRef
from ferryman.records import Deployment, EnvironmentState, Phase
from ferryman.store.table import Store
from ferryman.text import one_line

_DESCRIPTION = 140
"""Characters that GitHub takes."""
_ROUNDS = 3
"""How often the deployment is read again, at most."""

CommitState = Literal["pending", "success", "failure", "error"]
DeploymentState = Literal["queued", "in_progress", "success", "failure", "error", "inactive"]


class NoSuchCommit(Exception):
    """The version is no commit of the project: there is nothing to show anything on."""


@dataclass(frozen=True)
class Status:
    """What GitHub has to show of a deployment, on its commit and among the project's deployments."""

    commit: CommitState
    deployment: DeploymentState
    description: str
    url: str = ""


_STATES: dict[Phase, tuple[CommitState, DeploymentState, str]] = {
    Phase.PENDING: ("pending", "queued", "is about to be deployed"),
    Phase.AWAITING_APPROVAL: ("pending", "queued", "waits for approval"),
    Phase.RUNNING: ("pending", "in_progress", "is being deployed"),
    Phase.ROLLING_BACK: ("pending", "in_progress", "failed and is being taken back"),
    Phase.SUCCEEDED: ("success", "success", "runs and is verified"),
    Phase.FAILED: ("failure", "failure", "failed"),
    Phase.ROLLED_BACK: ("failure", "failure", "failed and was rolled back"),
    # Nothing was deployed: its entry is closed, and the commit is none the worse for it but for a rejection.
    Phase.REJECTED: ("failure", "inactive", "was rejected"),
    Phase.EXPIRED: ("error", "inactive", "was not approved in time"),
    Phase.SUPERSEDED: ("error", "inactive", "was superseded"),
    Phase.ABORTED: ("error", "error", "was aborted"),
    Phase.ERRORED: ("error", "error", "could not be deployed"),
}


def status_of(deployment: Deployment) -> Status:
    """Return what GitHub has to show of a deployment. Pure."""
    commit, state, words = _STATES[deployment.phase]
    by = f" by {deployment.superseded_by}" if deployment.phase is Phase.SUPERSEDED and deployment.superseded_by else ""
    url = deployment.publication.url if deployment.publication else ""
    description = one_line(f"{deployment.environment}: {deployment.version} {words}{by}", limit=_DESCRIPTION)
    return Status(commit, state, description, url)


def show(about: DeploymentRef, *, store: Store, project: Project) -> None:
    """Have GitHub show how a deployment stands.

    The deployment is read again at the end: when it went on meanwhile, that is shown, too. Raise NoSuchCommit, or what
    the API raises.
    """
    before: Status | None = None
    for _ in range(_ROUNDS):
        deployment = store.deployment(about.platform, about.environment, about.deployment)
        wanted = status_of(deployment)
        if wanted == before:
            return
        sha = project.commit(deployment.version)
        if sha is None:
            raise NoSuchCommit(f"{deployment.version} is no commit of {project.page}")
        if not is_overtaken(deployment, store.state(deployment.platform, deployment.environment)):
            _set_commit_status(deployment, sha, wanted, project)
        _set_deployment_status(deployment, sha, wanted, project)
        before = wanted


def is_overtaken(deployment: Deployment, state: EnvironmentState) -> bool:
    """Tell whether a later deployment of the same version speaks for the commit here. Pure."""
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
    """Return the number of GitHub's entry for a deployment, made if there is none: known by our id in its payload."""
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
        raise Declined(202, f"no deployment was made ({one_line(str(made.get('message', '')), limit=200)})")
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
