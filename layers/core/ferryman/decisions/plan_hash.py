"""The hash of what a deployment will do: what people approve, and what the last gate holds against it. Pure."""

import hashlib
import json

from ferryman.records import Deployment

_ABOUT = (
    "platform",
    "environment",
    "version",
    "tag",
    "kind",
    "digests",
    "command",
    "revision",
    "migration",
    "revisions",
)
"""Fields of the deployment that say what its plan is made for."""


def plan_hash(deployment: Deployment) -> str:
    """Return `sha256:` and the hash of a deployment's frozen plan; empty when it has none.

    The document's generation is not part of it: the plan says all that the document was read for. A field with its
    default value is left out, so that a later version, which knows more fields, finds the same hash.
    """
    if deployment.plan is None:
        return ""
    plan = deployment.plan.model_dump(mode="json", by_alias=True, exclude={"generation"}, exclude_defaults=True)
    about = {name: getattr(deployment, name) for name in _ABOUT}
    text = json.dumps({**about, "plan": plan}, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
