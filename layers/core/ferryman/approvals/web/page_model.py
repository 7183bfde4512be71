"""What a person needs to know before they decide, taken from the records. Pure; `render` shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.approvals.web import database_section, page_brief
from ferryman.approvals.web.database_section import DatabaseSection
from ferryman.approvals.web.page_brief import Fact, Migration
from ferryman.approvals.web.page_records import PageRecords
from ferryman.decisions import approval_in_words, changes_in_words, freeze_windows
from ferryman.decisions.changes_in_words import Change
from ferryman.durations import age, span
from ferryman.records import Approval, Deployment, Plan
from ferryman.suggestions import suggest
from ferryman.text import listed, person

_CHANGES = 200
"""Lines about what changes."""
_HOW = {
    "mail": "with a personal link",
    "slack": "in Slack",
    "cli": "on the command line",
    "shared link": "with the shared link",
}


@dataclass(frozen=True)
class Moment:
    """A point in time, for people and for programs."""

    iso: str
    shown: str
    relative: str


@dataclass(frozen=True)
class Component:
    """One image: what runs now, and what is to be deployed."""

    name: str
    services: list[str]
    before: str | None
    after: str | None
    change: Literal["new image", "same image", "new component", "unchanged"]


@dataclass(frozen=True)
class Voice:
    """What one person decided."""

    name: str
    verdict: Literal["approved", "rejected"]
    how: str
    at: Moment
    reason: str


@dataclass(frozen=True)
class Facts:
    """Everything that a page shows, except the form and the progress."""

    platform: str
    environment: str
    action: str
    """`Deploy to production`"""
    version: str
    tag: str | None
    running: str | None
    running_tag: str | None
    same: bool
    """Whether this version is already running."""
    asked_by: str
    why: str
    asked_at: Moment
    expires: Moment
    components: list[Component]
    compare: str | None
    commit: str | None
    commits: list[Fact]
    """Commits since what runs, newest first: who made each, and its title."""
    more_commits: int
    """How many there are beside those."""
    changes: list[Change]
    """What changes against what runs; empty where the plan does not tell."""
    not_frozen: list[str]
    since_approved: list[str]
    """Why people are asked again, then what differs from what was approved; empty for a first request."""
    claim: str
    """What is known of the commit that the links lead to; empty without a link."""
    migrations: list[Migration]
    migrations_note: str
    checks: list[Fact]
    brief: list[Fact]
    """What a person sees before the form: a line each. The details say the same at length."""
    back: list[str]
    warnings: list[Fact]
    required: int
    voices: list[Voice]
    database: DatabaseSection | None
    """The database command that somebody asked for; None for a deployment without one."""

    @property
    def given(self) -> int:
        """How many different people have approved."""
        return len({voice.name for voice in self.voices if voice.verdict == "approved"})


def facts(records: PageRecords, now: datetime) -> Facts:
    """Return the facts for a decision; what the records do not contain is shown as unknown."""
    approval, deployment, before = records.approval, records.deployment, records.base
    running = before.version if before else deployment.from_version
    new, note = _migrations(records)
    return Facts(
        platform=approval.platform,
        environment=approval.environment,
        action=database_section.action(deployment) or _action(deployment),
        version=approval.version,
        tag=approval.tag,
        running=running,
        running_tag=records.running.tag if records.running else None,
        same=running == approval.version,
        asked_by=requested_by(approval),
        why=deployment.why,
        asked_at=moment(approval.requested_at, now),
        expires=moment(approval.expires_at, now),
        components=_components(records),
        compare=_compare(records, running),
        commit=_commit(records),
        commits=[Fact(item.author or "unknown author", item.title) for item in approval.commits],
        more_commits=max(0, approval.commits_in_all - len(approval.commits)),
        changes=changes_in_words.changes(deployment.plan, _CHANGES),
        not_frozen=deployment.plan.not_frozen if deployment.plan else [],
        since_approved=deployment.plan.since_approved if deployment.plan else [],
        claim=approval_in_words.claim(approval) if _commit(records) else "",
        migrations=new,
        migrations_note=note,
        checks=_checks(records, now),
        brief=page_brief.brief(records, new, now, requested_by(approval)),
        back=database_section.way_back(deployment) or _back(records, new),
        warnings=_warnings(records, now),
        required=approval.required,
        voices=voices(approval, now),
        database=database_section.section(approval, deployment),
    )


def voices(approval: Approval, now: datetime) -> list[Voice]:
    """Return who decided what."""
    return [
        Voice(
            name=item.name if item.identity != "unverified" else f"{item.name} (unverified)",
            verdict="approved" if item.verdict == "approve" else "rejected",
            how=_HOW.get(item.how, item.how),
            at=moment(item.at, now),
            reason=item.reason,
        )
        for item in approval.decisions
    ]


def short_digest(digest: str) -> str:
    """Return the first 12 characters of a digest, as Docker shows it."""
    return digest.removeprefix("sha256:")[:12]


def _action(deployment: Deployment) -> str:
    where = deployment.environment
    match deployment.kind:
        case "rollback":
            return f"Roll back {where}"
        case "redeploy":
            return f"Redeploy {where}"
        case _:
            return f"Deploy to {where}"


def requested_by(approval: Approval) -> str:
    """Return who asked, and that nobody knows who this is, if so."""
    asked = approval.requested_by
    if asked.automated:
        by_tag = f"the tag {approval.tag}" if approval.tag else asked.who
        return f"automation ({by_tag})"
    unknown = approval_in_words.stranger(approval)
    return approval.requester or (f"{person(asked.who)} ({unknown})" if unknown else person(asked.who))


def _components(records: PageRecords) -> list[Component]:
    before = records.base.digests if records.base else {}
    after, plan = records.approval.digests, records.deployment.plan
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        change: Literal["new image", "same image", "new component", "unchanged"] = "new image"
        if new is None:
            change = "unchanged"
        elif old is None:
            change = "new component"
        elif old == new:
            change = "same image"
        services = _services(plan, name) if plan else []
        services += [f"job {item.name}" for item in plan.jobs.values() if item.component == name] if plan else []
        found.append(
            Component(name, services, short_digest(old) if old else None, short_digest(new) if new else None, change)
        )
    return found


def _services(plan: Plan, component: str) -> list[str]:
    """Return the services that run a component, with their containers where several of a service do."""
    found = []
    for service in plan.services.values():
        containers = [*service.containers] if service.component == component else []
        containers += [name for item in service.additional if item.component == component for name in item.containers]
        if len(containers) > 1:
            found.append(f"{service.name} ({listed(containers)})")
        elif containers or service.component == component:
            found.append(service.name)
    return found


def _project(records: PageRecords) -> str | None:
    github = records.document.spec.github if records.document else None
    return f"{github.web_url}/{github.repository}" if github else None


def _compare(records: PageRecords, running: str | None) -> str | None:
    project, version = _project(records), records.approval.version
    if project is None or running is None or running == version:
        return None
    if not (approval_in_words.names_commit(running) and approval_in_words.names_commit(version)):
        return None
    return f"{project}/compare/{running}...{_coded(version)}"


def _commit(records: PageRecords) -> str | None:
    project, version = _project(records), records.approval.version
    return f"{project}/commit/{_coded(version)}" if project and approval_in_words.names_commit(version) else None


def _coded(version: str) -> str:
    """Return an equivalent address for a browser that does not contain the word to be typed for a decision."""
    return f"{version[:3]}%{ord(version[3]):02X}{version[4:]}"


def _migrations(records: PageRecords) -> tuple[list[Migration], str]:
    """Return the migrations that the running release does not have, and a sentence about them."""
    deployment, plan = records.deployment, records.deployment.plan
    running = records.running.plan if records.running else None
    if plan is None or not plan.every_migration or deployment.command is not None:
        return [], "The database is not changed."
    if plan.migration is not None:
        known = running.migrations if running is not None else None
        return _new("", plan.migrations, plan.unsafe_migrations, known)
    before = {task.name: task.migrations for task in running.named_migrations} if running is not None else {}
    found = [
        _new(task.name, task.migrations, task.unsafe_migrations, before.get(task.name))
        for task in plan.named_migrations
    ]
    return [item for new, _ in found for item in new], " ".join(note for _, note in found if note)


def _new(name: str, ids: list[str] | None, unsafe: list[str], running: list[str] | None) -> tuple[list[Migration], str]:
    """Return which ids of one migration's image the running release does not have, and a sentence about them."""
    of, its = (f"{name}: ", f"The migration command of {name}") if name else ("", "The migration command")
    if ids is None:
        return [Migration(f"{of}{id}", True) for id in unsafe], f"{its} runs. The image does not list its migrations."
    if running is None:
        found = [Migration(f"{of}{id}", id in unsafe) for id in ids]
        return found, f"{its} runs. It is not known which of these migrations have already run here."
    found = [Migration(f"{of}{id}", id in unsafe) for id in ids if id not in running]
    return found, "" if found else f"{its} runs, but this release has no new migrations."


def _checks(records: PageRecords, now: datetime) -> list[Fact]:
    environment = records.environment
    found = [_verified(records, environment.promote_from, now)] if environment and environment.promote_from else []
    waiver = records.state.waivers.get(records.approval.version)
    if waiver is not None and waiver.until > now:
        text = f"waived by {person(waiver.who)} until {moment(waiver.until, now).shown}: {waiver.reason}"
        found.append(Fact("Image scans", text, "warn"))
    frozen = freeze_windows.frozen(environment, records.state, now) if environment else None
    found.append(Fact("Freeze", frozen.message, "warn") if frozen else Fact("Freeze", "not frozen", "good"))
    return found


def _verified(records: PageRecords, source: str, now: datetime) -> Fact:
    title = _capital(source)
    proof = records.release.verified.get(source) if records.release else None
    if proof is None:
        return Fact(title, f"not verified in {source}", "warn")
    same = all(proof.digests.get(name) == digest for name, digest in records.approval.digests.items())
    if not same:
        return Fact(title, f"verified with different images (deployment {proof.deployment})", "warn")
    at = moment(proof.at, now)
    soak = records.environment.soak if records.environment else None
    asked = f" ({span(soak.total_seconds())} required)" if soak else ""
    text = f"verified {at.shown}, then ran for {age(proof.at, now)}{asked}. Deployment: {proof.deployment}"
    return Fact(title, text, "good")


def _back(records: PageRecords, new: list[Migration]) -> list[str]:
    """Say what a rollback would mean."""
    plan, name = records.deployment.plan, records.approval.environment
    before = (records.base.version if records.base else None) or records.deployment.from_version
    if records.state.last_succeeded is None:
        return ["No deployment has succeeded here before, so there is no release to roll back to."]
    to = before[:12] if before else "the previous release"
    lines = []
    if plan is not None and plan.on_failure == "hold":
        lines.append("If it fails its checks, the services stay as they are and automation stops (onFailure: hold).")
    else:
        lines.append(f"If it fails its checks, all services are rolled back to {to} automatically.")
    unsafe = [item.id for item in new if item.unsafe]
    if unsafe:
        which = "migration " if len(unsafe) == 1 else "migrations "
        named = ", ".join(unsafe[:5]) + (f" and {len(unsafe) - 5} more" if len(unsafe) > 5 else "")
        way = suggest("rollback", name, p=records.approval.platform, downgrade=True, reason="REASON")
        lines.append(
            f"A later rollback is not simple: {to} cannot run after {which}{named}. "
            f"It needs {way}, or you must accept the schema mismatch."
        )
    else:
        lines.append(
            f"To roll back to {to} later, run "
            f"{suggest('rollback', name, p=records.approval.platform, reason='REASON')}."
        )
    if new:
        lines.append("Rolling back does not undo migrations automatically.")
    return lines


def _warnings(records: PageRecords, now: datetime) -> list[Fact]:
    stopped, found = records.stopped(now), []
    if stopped is not None:
        found.append(Fact("Approval is blocked", f"{_capital(stopped)}. It cannot be approved until then.", "warn"))
    elif records.deployment.kind == "rollback" and records.environment is not None:
        frozen = freeze_windows.frozen(records.environment, records.state, now)
        if frozen is not None:
            found.append(Fact("Frozen", f"{_capital(frozen.message)}. Rollbacks are still allowed.", "warn"))
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def moment(at: datetime, now: datetime) -> Moment:
    """Return a point in time as `Fri 2 Jan 2026, 03:04 UTC`, and how far away it is."""
    relative = f"in {span((at - now).total_seconds())}" if at > now else f"{age(at, now)} ago"
    return Moment(at.isoformat(), f"{at:%a} {at.day} {at:%b %Y, %H:%M} UTC", relative)
