"""The platform document as it was applied. Pure."""

from typing import Any

from pydantic import AwareDatetime

from ferryman.records.base import Record


class Override(Record):
    """An admin's decision to apply a document without the approval that it needed."""

    who: str
    reason: str
    at: AwareDatetime
    changes: list[str] = []
    """What would have waited for approval, in words; the first of them."""


class AppliedPlatform(Record):
    """The document as applied."""

    name: str
    generation: int
    document: dict[str, Any]
    applied_by: str
    applied_at: AwareDatetime
    override: Override | None = None
    """How this generation came about, if an admin applied it without approval."""
    proposal: str | None = None
    """Id of the newest proposal to replace it, until everything about that one is done."""
    references: dict[str, str] = {}
    """Environment → hash of what the `ssm:` references in its gates stood for when this was applied.

    `<environment>/approvers`: of those of its approvers alone.
    """
    removed: list[str] = []
    """Names of environments that asked for approval when they were removed: only an admin brings one back."""
    rev: int = 0
