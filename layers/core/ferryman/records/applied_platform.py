"""The platform document as it was applied. Pure."""

from typing import Any

from pydantic import AwareDatetime

from ferryman.records.base import Record


class AppliedPlatform(Record):
    """The document as applied."""

    name: str
    generation: int
    document: dict[str, Any]
    applied_by: str
    applied_at: AwareDatetime
    rev: int = 0
