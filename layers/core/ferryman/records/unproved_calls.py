"""Calls of the API whose sender was not proved: when the last ones came into a timeline. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class UnprovedCalls(Record):
    """One record for the whole operator, so that nobody can fill timelines with calls: see `api.unproved`."""

    entries: list[AwareDatetime] = []
    """When a call was entered into a timeline; those of the last hour count."""
    rev: int = 0
