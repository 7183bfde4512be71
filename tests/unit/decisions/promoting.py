"""A production that promotes from staging, and releases on their way to it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ferryman.decisions.candidates import outlook
from ferryman.decisions.snapshot import ImageScan, Snapshot
from ferryman.platform import Environment
from ferryman.records import (
    EnvironmentState,
    Phase,
    Release,
    Running,
    Settled,
    Verified,
)
from unit import builders as make
from unit.operating import document

NOW = make.AT + timedelta(days=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def production(**fields: Any) -> Environment:
    return document(production=fields).environment("production")


def at(hours: float) -> datetime:
    """So many hours before now."""
    return NOW - timedelta(hours=hours)


def release(number: int, *, named: float | None = None, verified: Any = None, **changes: Any) -> Release:
    """Release `rN`, the Nth; named, and verified in staging, so many hours before now (or verified as given).

    It has images of its own, and so have its proofs, unless they are of another letter.
    """
    first = make.AT + timedelta(minutes=number)
    components = make.images(f"r{number}", f"{number:x}")
    made = make.release(f"r{number}", first_seen_at=first, ready_at=first, components=components)
    if named is not None:
        made = made.but(names=[f"v1.{number}.0"], named_at=at(named))
    if verified is not None:
        proofs = verified if isinstance(verified, dict) else {"staging": proof(verified)}
        own = {name: one.but(digests=made.digests) for name, one in proofs.items() if one.digests == proof(0).digests}
        made = made.but(verified={**proofs, **own})
    return made.but(**changes)


def proof(hours: float, letter: str = "a") -> Verified:
    return Verified(deployment="D", digests={"api": make.digest(letter), "web": make.digest(letter)}, at=at(hours))


def left(number: int) -> Release:
    """One that ran in production 21 hours ago, until a person went back to r1 an hour later."""
    return release(number, named=22, verified={"staging": proof(22), "production": proof(21)})


def view(
    *releases: Release, current: int | None = 1, environment: Environment | None = None, **changes: Any
) -> Snapshot:
    """Production at rest."""
    running = Running(version=f"r{current}", deployment="D0", digests={}, at=at(20)) if current else None
    state = EnvironmentState(platform="scr", environment="production", rev=3, current=running)
    fields = {name: value for name, value in changes.items() if name in Snapshot.__dataclass_fields__}
    state = state.but(**{name: value for name, value in changes.items() if name not in fields})
    return replace(Snapshot("scr", "production", environment or production(), 1, state, releases=releases), **fields)


def settled(phase: str, hours: float = 0.5, reason: str = "Because", retry_in: float | None = None) -> Settled:
    retry_at = None if retry_in is None else NOW + timedelta(hours=retry_in)
    return Settled(phase=Phase(phase), reason=reason, at=at(hours), retry_at=retry_at)


def told(seen: Snapshot) -> tuple[str | None, str | None]:
    """What may go, and what waits with the reason."""
    found = outlook(seen, NOW)
    waiting = f"{found.waiting.release.version} {found.waiting.waits.reason}" if found.waiting else None  # type: ignore[union-attr]
    return found.ready.release.version if found.ready else None, waiting


R1 = release(1, named=20, verified=20.5)
PROMOTION = production(triggers=["promotion"])


SCANNED = production(scan={"block": ["CRITICAL", "HIGH"]})
CLEAN = {"LOW": 3, "MEDIUM": 1}


def scans(api: Any, web: Any = None) -> tuple[ImageScan, ...]:
    """A status, or the findings of a scan that is complete."""
    return tuple(
        ImageScan(name, "Complete", found) if isinstance(found, dict) else ImageScan(name, found, message="because")
        for name, found in (("api", api), ("web", CLEAN if web is None else web))
    )


def source(**of_version: Settled) -> EnvironmentState:
    return EnvironmentState(platform="scr", environment="staging", settled=of_version)
