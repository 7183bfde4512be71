"""Where a release stands in the lists of a platform. A list says which releases to read, never what they are. Pure."""

from typing import Literal

from ferryman.records.base import Record


class ReleasePointer(Record):
    """One entry of a list. It may be outdated; the release itself tells what is true."""

    platform: str
    kind: Literal["ORDER", "CHANGED", "IMAGES"]
    """Which list: of all by `Release.order`, of all by `Release.changed_at`, or of complete ones by their images."""
    place: str
    """Text that sorts as the list does."""
    version: str
