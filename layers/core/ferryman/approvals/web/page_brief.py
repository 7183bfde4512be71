"""The summary above the form: what changes, whether it is proven, and who asked; one line each. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.approvals.web.page_records import PageRecords
from ferryman.decisions import freeze_windows
from ferryman.decisions.health import health
from ferryman.durations import age, span


@dataclass(frozen=True)
class Migration:
    """One step of the database's schema."""

    id: str
    unsafe: bool


@dataclass(frozen=True)
class Fact:
    """A short title and its text."""

    title: str
    text: str
    tone: Literal["good", "plain", "warn"] = "plain"


def brief(records: PageRecords, new: list[Migration], now: datetime, asked_by: str) -> list[Fact]:
    """Return what a person has to know at least; `new` are the migrations that the running release does not have."""
    approval = records.approval
    left = f"expires in {span((approval.expires_at - now).total_seconds())}" if approval.expires_at > now else "expired"
    given = len(approval.approved_by)
    votes = f"; {given} of {approval.required} approvals" if approval.required > 1 or given else ""
    alone = records.deployment.kind == "migrate"
    found = [] if alone else [_images(records), _database(records, new), *_proof(records, now)]
    return [*found, *_state(records, now), Fact("Asked by", f"{asked_by}; {left}{votes}")]


def _images(records: PageRecords) -> Fact:
    before, after = (records.base.digests if records.base else {}), records.approval.digests
    changed = [name for name in sorted(after) if before.get(name) != after[name]]
    if not changed:
        return Fact("Images", "the same as now")
    named = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
    return Fact("Images", f"{len(changed)} of {len(after)} new: {named}")


def _database(records: PageRecords, new: list[Migration]) -> Fact:
    plan = records.deployment.plan
    if plan is None or not plan.every_migration or records.deployment.command is not None:
        return Fact("Database", "not changed" if records.deployment.command is None else "see above")
    unsafe = sum(item.unsafe for item in new)
    if unsafe:
        return Fact("Database", f"{len(new)} new migrations, {unsafe} not rollback-safe", "warn")
    if not new:
        return Fact("Database", "migrated first; no new migrations are known")
    return Fact("Database", f"{len(new)} new migration{'s' if len(new) > 1 else ''}")


def _proof(records: PageRecords, now: datetime) -> list[Fact]:
    source = records.environment.promote_from if records.environment else None
    if source is None:
        return []
    proof = records.release.verified.get(source) if records.release else None
    if proof is None:
        return [Fact("Checks", f"not verified in {source}", "warn")]
    if any(proof.digests.get(name) != digest for name, digest in records.approval.digests.items()):
        return [Fact("Checks", f"verified in {source} with different images", "warn")]
    if proof.checks == 0:
        return [Fact("Checks", f"ran in {source} {age(proof.at, now)} ago, without smoke tests", "warn")]
    return [Fact("Checks", f"verified in {source} {age(proof.at, now)} ago", "good")]


def _state(records: PageRecords, now: datetime) -> list[Fact]:
    """Return what stands against it, and how what runs is."""
    found: list[Fact] = []
    environment, waiver = records.environment, records.state.waivers.get(records.approval.version)
    if waiver is not None and waiver.until > now:
        found.append(Fact("Scans", "waived", "warn"))
    if environment is None:
        return found
    frozen = freeze_windows.frozen(environment, records.state, now)
    if frozen is not None:
        found.append(Fact("Freeze", frozen.message, "warn"))
    seen = health(environment, records.state, records.deployment, now)
    if seen.status == "Unknown":
        return found
    ago = f" {age(seen.observed_at, now)} ago" if seen.observed_at else ""
    runs = records.approval.environment
    if seen.status == "Healthy":
        return [*found, Fact("Health", f"{runs} was Healthy{ago}", "good")]
    return [*found, Fact("Health", f"{runs} was {seen.status}{ago}: {seen.message}", "warn")]
