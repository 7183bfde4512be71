"""Releases: which images make up a version. Pure."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from ferryman.records.base import Record


class ReleaseStatus(StrEnum):
    """Assembling: images are missing. Incomplete: the same, past assemblyTimeout and reported. Baseline: before us."""

    ASSEMBLING = "Assembling"
    READY = "Ready"
    INCOMPLETE = "Incomplete"
    BASELINE = "Baseline"


class Image(Record):
    """One component's image in a release."""

    digest: str
    tag: str
    first_seen_at: AwareDatetime


class Verified(Record):
    """Proof that a release ran and passed its checks in an environment."""

    deployment: str
    digests: dict[str, str]
    at: AwareDatetime
    checks: int | None = None
    """How many smoke tests it passed; None in what earlier versions wrote."""


class Release(Record):
    """An immutable map component → digest for one version."""

    platform: str
    version: str
    status: ReleaseStatus
    components: dict[str, Image] = {}
    names: list[str] = []
    """Semver tags that name it."""
    named_at: AwareDatetime | None = None
    """When the latest of them was bound."""
    seq: int | None = None
    first_seen_at: AwareDatetime
    ready_at: AwareDatetime | None = None
    reported_incomplete: bool = False
    refused: dict[str, str] = {}
    """Component → digest that was pushed under a tag whose digest was already frozen: refused and reported once."""
    verified: dict[str, Verified] = {}
    copied_at: AwareDatetime | None = None
    """When a proof was last copied to it from a release with the same images."""
    listed: str = ""
    """Hash of its pointers as they were last written. Version 0.1.0 drops it, and writes no pointers."""
    ulid: str
    """Made when the release was first seen; breaks ties of order."""
    rev: int = 0

    @property
    def digests(self) -> dict[str, str]:
        """Component → digest."""
        return {name: image.digest for name, image in self.components.items()}

    @property
    def complete(self) -> bool:
        """Whether it has every image that it waits for, pushed or adopted."""
        return self.status in (ReleaseStatus.READY, ReleaseStatus.BASELINE)

    @property
    def changed_at(self) -> datetime:
        """When something last happened to it that may start it somewhere."""
        times = (self.ready_at, self.named_at, self.copied_at, *(proof.at for proof in self.verified.values()))
        return max((at for at in times if at is not None), default=self.first_seen_at)

    @property
    def order(self) -> tuple[int, datetime, str]:
        """Sort key: later is newer (docs/reference/reconcile-rules.md#rule-5-order)."""
        return (self.seq if self.seq is not None else -1, self.first_seen_at, self.ulid)
