"""Route that gives back the applied document with a `status`, as Kubernetes gives back an object."""

from typing import Any

from ferryman.api.context import Context
from ferryman.api.http import Request
from ferryman.records import AppliedPlatform, EnvironmentState


def document(operator: Context, request: Request) -> dict[str, Any]:
    """The document as applied, defaults written out, and who applied it, when, and what reconcile has seen of it."""
    applied = operator.store.platform(request.params["platform"])
    names = list(applied.document["spec"]["environments"])
    states = {name: operator.store.state(applied.name, name) for name in names}
    return {"generation": applied.generation, "document": applied.document, "status": status(applied, states)}


def status(applied: AppliedPlatform, states: dict[str, EnvironmentState]) -> dict[str, Any]:
    """Return the `status` of a platform: its generation, whether each environment has seen it, and their conditions.

    `observedGeneration` is the oldest generation that an environment was last looked at with; 0 where none was yet.
    """
    override = applied.override
    seen = [state.observed_generation for state in states.values()]
    return {
        "generation": applied.generation,
        "observedGeneration": min(seen, default=0),
        "appliedBy": applied.applied_by,
        "appliedAt": applied.applied_at.isoformat(),
        **({"override": {"by": override.who, "reason": override.reason}} if override is not None else {}),
        "conditions": [_ready(states)],
        "environments": {
            name: {
                "observedGeneration": state.observed_generation,
                "release": state.current.version if state.current else None,
                "conditions": [condition.dump() for condition in state.conditions],
            }
            for name, state in states.items()
        },
    }


def _ready(states: dict[str, EnvironmentState]) -> dict[str, Any]:
    """Return whether all environments are ready: True, False where one is not, else Unknown where one may not be."""
    found = {name: state.condition("Ready") for name, state in states.items()}
    values = {name: condition.status if condition is not None else "Unknown" for name, condition in found.items()}
    worst = "False" if "False" in values.values() else "Unknown" if "Unknown" in values.values() else "True"
    which = ", ".join(name for name, value in values.items() if value == worst)
    said = "all environments are ready" if worst == "True" else f"not ready: {which}"
    if worst == "Unknown":
        said = f"nobody has looked yet, or AWS could not be asked: {which}"
    since = max((condition.last_transition_time for condition in found.values() if condition is not None), default=None)
    return {
        "type": "Ready",
        "status": worst,
        "reason": {"True": "AllReady", "False": "EnvironmentNotReady", "Unknown": "NotSeen"}[worst],
        "message": said,
        "lastTransitionTime": since.isoformat() if since is not None else None,
    }
