"""Whether an approver is still who they were when they were asked, by the document as it is now.

A person who was removed, or whose address was changed, loses open requests at once. Called by the approval pages, by
`record_decision` and by notify. Reads the plain document, so that one that no longer parses revokes, too.
"""

from collections.abc import Callable
from typing import Any, Literal

from ferryman.errors import ReferenceUnresolved
from ferryman.platform.identities import folded
from ferryman.platform.values import is_reference
from ferryman.records import Approval, How

Lost = Literal["removed", "changed"]

_FIELDS: dict[How, Literal["email", "slack", "arn"]] = {"mail": "email", "slack": "slack", "cli": "arn"}
"""The field of an approver that proves who decides in this way."""


def lost(approval: Approval, name: str, how: How, document: dict[str, Any], text: Callable[[str], str]) -> Lost | None:
    """Return why somebody who was asked may no longer decide in this way, or None.

    `text` resolves a value of the document. If the document has no approval policy for the environment any more, the
    approvers of the request count. Raise TransientError when a reference can't be read now.
    """
    listed = _listed(document, approval.environment)
    asked = approval.approver(name)
    if listed is None or asked is None or how not in _FIELDS:
        return None
    now = next((item for item in listed if folded(str(item.get("name") or "")) == folded(name)), None)
    if now is None:
        return "removed"
    field = _FIELDS[how]
    before: str | None = getattr(asked, field)
    return None if before is None or _same(before, now.get(field), text) else "changed"


def _same(before: str, now: Any, text: Callable[[str], str]) -> bool:
    if not isinstance(now, str):
        return False
    try:
        found = (text(now) if is_reference(now) else now).strip()
    except ReferenceUnresolved:
        return False
    return found == before or ("@" in found and found.casefold() == before.casefold())


def _listed(document: dict[str, Any], environment: str) -> list[dict[str, Any]] | None:
    found: Any = document
    for name in ("spec", "environments", environment, "approval", "approvers"):
        found = found.get(name) if isinstance(found, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else None
