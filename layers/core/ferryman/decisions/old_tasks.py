"""Old tasks that the deployment which made what runs did not wait for. Pure; part of `decisions.conditions`."""

from ferryman.decisions.deployment_report import changed, waited_no_longer
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import OLD_TASKS_REMAIN, Deployment


def remaining(view: Snapshot) -> str:
    """Say whose old tasks are still there; empty when none are, or when nobody looked just now."""
    succeeded, names = _succeeded(view), left(view)
    if succeeded is None or not names:
        return ""
    told = view.drift.protected if view.drift is not None else {}
    protected = "".join(f"; {name}: {told[name]}" for name in names if told.get(name))
    return (
        f"deployment {succeeded.id} of {succeeded.version} succeeded while ECS was still stopping old tasks of "
        f"{', '.join(names)}{protected}"
    )


def left(view: Snapshot) -> list[str]:
    """Return the services whose old tasks are still there, sorted."""
    succeeded = _succeeded(view)
    return _left_by(succeeded, view) if succeeded is not None else []


def gone(view: Snapshot) -> bool:
    """Whether somebody looked, and none of these tasks is there any more."""
    if view.drift is None or view.state.active is not None:
        return False
    succeeded = _succeeded(view)
    # Of a deployment that was not read it can't be told which tasks are its own, as long as any drain.
    return not _left_by(succeeded, view) if succeeded is not None else not view.drift.replacing


def _succeeded(view: Snapshot) -> Deployment | None:
    """Return the deployment that made what runs, if it was read with all its steps.

    Not the latest one: a later attempt that failed, or a database command, ends no task of it.
    """
    target = view.state.last_succeeded
    found = (item for item in view.deployments if target is not None and item.id == target.deployment)
    return next((item for item in found if not item.is_head), None)


def _left_by(succeeded: Deployment, view: Snapshot) -> list[str]:
    if view.drift is None or view.state.active is not None:
        return []
    names = sorted(set(waited_no_longer(succeeded)) & view.drift.replacing)
    known = view.state.condition(OLD_TASKS_REMAIN)
    if known is not None and known.status == "True":
        return names
    # What a later attempt changed and took back drains, too: that begins nothing.
    later = view.deployments[: view.deployments.index(succeeded)]
    return [name for name in names if not any(item.is_head or name in changed(item) for item in later)]
