"""Proofs of identity that were used: each counts for one call. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class UsedProof(Record):
    """A call that was received; the same signed request is not carried out a second time."""

    binding: str
    """Hash of what was signed (hex): see `ferryman.proofs.binding`."""
    at: AwareDatetime
