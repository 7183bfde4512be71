"""Route that applies a platform document: parse, compare, verify, judge whose things it names, adopt, save, nudge.

In this order, so that a crash leaves either the old document or the new one, and the same `apply` again completes it.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ferryman.api import apply_preview, ownership, proposing
from ferryman.api.authorize import names_of
from ferryman.api.context import Context
from ferryman.api.control import nudge, told
from ferryman.api.http import HttpError, Request, how
from ferryman.api.proposing import Judged
from ferryman.clients.aws_errors import Refusal as AwsRefusal
from ferryman.errors import Conflict, FerrymanError, InvalidDocument, Refused
from ferryman.messages import timeline
from ferryman.platform import Platform, apply_refusals, parse, secret_uses
from ferryman.platform.claims import Claims
from ferryman.records import AppliedPlatform, EnvironmentState, EventType, Override, Proposal, limits
from ferryman.records.writes import Unchanged
from ferryman.suggestions import suggest
from ferryman.text import listed, one_line, shortened

_MOST_BYTES = 200_000
"""Of a request."""

_TOGETHER = 50
"""Messages in one transaction: DynamoDB takes 100 actions."""

_LOG = logging.getLogger("ferryman")


def apply(operator: Context, request: Request) -> dict[str, Any]:
    """Make this document the platform's; `?dryRun=true` returns what would happen and changes nothing.

    A document that weakens a gate of the stored one is proposed to its approvers instead. `?override=REASON`, of an
    admin, applies it all the same. One that leaves out an environment is refused without `?prune=true`.
    """
    name = request.params["platform"]
    document = _read(operator, request, name)
    warnings = apply_refusals.warnings_of(document, _tags(operator, name))
    return replace_document(operator, request, document, operator.store.find_platform(name), warnings)


def replace_document(
    operator: Context,
    request: Request,
    document: Platform,
    before: AppliedPlatform | None,
    warnings: list[tuple[str, str]],
    why: str = "",
) -> dict[str, Any]:
    """Put a document in the place of the stored one (`before`), or propose it; `why` is told in the timeline."""
    name, dry_run, override = document.name, request.flag("dryRun"), _override(operator, request)
    judged = proposing.judge(operator, before, document)
    claims, gone = Claims(), list[EnvironmentState]()
    if before is not None and not judged.weakened and _same(before, document):
        result, generation = "unchanged", before.generation
        notes, shared = _notes(operator, document), ownership.warnings(operator, name)
        warnings += _approvers(operator, document)
    else:
        result, generation = ("configured", before.generation + 1) if before else ("created", 1)
        if not override:
            proposing.refuse_without_approvers(judged)
        gone = _gone(operator, before, document, prune=request.flag("prune"))
        if wrong := operator.outside.approvers(document):
            raise InvalidDocument(wrong)
        found = operator.outside.verify(document)
        if found.problems:
            raise HttpError(
                422,
                "VerificationFailed",
                "the document does not match what exists in AWS; nothing was changed",
                found.problems,
            )
        notes, claims = found.notes, found.claims
        owned = ownership.judge(operator, document, claims, before)
        ownership.refuse(owned.problems)
        shared = owned.warnings
    _refuse_too_large(document)
    change = _Change(operator, request, document, claims, generation, before, judged, why, gone)
    # Before anything is saved: reconcile acts on the new document at once.
    preview = apply_preview.of(operator, judged, document, changed=result != "unchanged")
    proposed = None
    if judged.weakened and not override:
        result, generation = "proposed", generation - 1
        proposed = _proposed(change, dry_run=dry_run)
    elif not dry_run:
        _save(change, override) if result != "unchanged" else _withdraw(change)
    if not dry_run:
        for environment in document.spec.environments if proposed is None else judged.weakened:
            nudge(operator, name, environment)
    return {
        "platform": name,
        "result": result,
        "generation": generation,
        "dryRun": dry_run,
        "environments": list(document.spec.environments),
        "warnings": told([*warnings, *shared]),
        "notes": told(notes),
        **_gates(judged, proposed),
        **preview,
    }


def _read(operator: Context, request: Request, name: str) -> Platform:
    """Return the document of a request; raise HttpError or InvalidDocument with everything that is wrong with it."""
    if request.size > _MOST_BYTES:
        raise HttpError(422, "InvalidDocument", f"the document has {request.size} bytes; {_MOST_BYTES} are allowed")
    document = parse(request.body)
    if document.name != name:
        raise InvalidDocument([("metadata.name", f"is {document.name!r}, but the request is about {name!r}")])
    refused = apply_refusals.problems_of(document, _tags(operator, name))
    refused += secret_uses.problems_of(document, operator.hosts)
    if refused:
        raise InvalidDocument(refused)
    return document


def _override(operator: Context, request: Request) -> str:
    """Return an admin's reason to apply without approval; empty when nobody asks for that. Raise NotPermitted."""
    reason = one_line(request.query.get("override", ""), limit=500)
    if reason:
        operator.access.require_admin(request.who, "apply a document without the approval that it needs (`--override`)")
    return reason


def _gates(judged: Judged, proposed: Proposal | None) -> dict[str, Any]:
    """Return what an answer says about gates: what changes, and who has to agree."""
    changes = [
        {"environment": change.environment, "path": change.path, "effect": change.effect, "text": change.text}
        for change in judged.changes
        if change.effect != "neutral"
    ]
    if proposed is None or judged.stored is None:
        return {"changes": changes, "waitsFor": [], "proposal": None}
    about = {"id": proposed.id, "short": proposed.short, "expiresAt": proposed.expires_at.isoformat()}
    return {"changes": changes, "waitsFor": proposing.waits_for(proposed, judged.stored), "proposal": about}


def _tags(operator: Context, platform: str) -> Iterator[str]:
    """Yield the tags that made releases, newest first; they are read only where the pattern needs them."""
    for release in operator.store.releases(platform)[::-1]:
        yield from dict.fromkeys(image.tag for image in release.components.values())


def _notes(operator: Context, document: Platform) -> list[tuple[str, str]]:
    """Say again what applies to a document that is stored already; that it can't be told changes nothing."""
    try:
        return operator.outside.verify(document).notes
    except (FerrymanError, AwsRefusal) as error:
        _LOG.warning("the notes on %s could not be told: %s", document.name, error)
        return []


def _approvers(operator: Context, document: Platform) -> list[tuple[str, str]]:
    """Say what is wrong with the approvers of a document that is stored already: it keeps working all the same."""
    try:
        return operator.outside.approvers(document)
    except (FerrymanError, AwsRefusal) as error:
        _LOG.warning("the approvers of %s could not be checked: %s", document.name, error)
        return []


def _refuse_too_large(document: Platform) -> None:
    """Refuse a document that one item of the table can't hold once its defaults are written out."""
    # Rare: few calls apply a document.
    from ferryman.store import items, sizes

    size = sizes.of_item(items.attributes(document.dump()))
    if size > limits.DOCUMENT:
        said = f"the document has {size} bytes with its defaults written out; {limits.DOCUMENT} are allowed"
        raise HttpError(422, "InvalidDocument", f"{said}. Move some environments to another platform")


def _same(before: AppliedPlatform, document: Platform) -> bool:
    """Compare meaning, not spelling; a stored document that today's models refuse is different."""
    try:
        return parse(before.document) == document
    except InvalidDocument:
        return False


def _gone(
    operator: Context, before: AppliedPlatform | None, document: Platform, *, prune: bool
) -> list[EnvironmentState]:
    """Return the states of the environments that a document removes.

    Raise Refused for one that is left out by mistake, or during a deployment: nothing would bring that to its end.
    """
    removed = [name for name in names_of(before) if name not in document.spec.environments] if before else []
    states = [operator.store.state(document.name, name) for name in removed]
    for state in states:
        if state.active is not None:
            active, name = state.active, state.environment
            stop = suggest("abort", name, p=document.name, reason="REASON")
            raise Refused(
                f"the document no longer has {name}, where deployment {active.deployment} is in progress; "
                f"wait until it has ended, or run {stop}, then apply again"
            )
    if removed and not prune:
        what = "the environment" if len(removed) == 1 else "the environments"
        raise Refused(
            f"the document no longer has {what} {listed(removed)}. To take {'it' if len(removed) == 1 else 'them'} "
            "out of Ferryman, apply with `--prune`: nothing changes in ECS, but Ferryman deploys nothing there any more"
        )
    return states


@dataclass(frozen=True)
class _Change:
    """What an apply is about to write."""

    operator: Context
    request: Request
    document: Platform
    claims: Claims
    generation: int
    before: AppliedPlatform | None
    judged: Judged
    why: str
    gone: list[EnvironmentState]
    """Of the environments that the document no longer has; nothing may start there meanwhile."""


def _proposed(change: _Change, *, dry_run: bool) -> Proposal:
    """Return the proposal of a document that weakens a gate; it is stored unless nothing may change."""
    assert change.before is not None
    new = proposing.proposal_of(change.operator, change.request, change.document, change.before, change.judged)
    return new if dry_run else proposing.propose(change.operator, change.request, change.before, new)


def _save(change: _Change, override: str) -> None:
    operator, request, document, before = change.operator, change.request, change.document, change.before
    at, judged = operator.clock(), change.judged
    overrides = bool(override) and (judged.weakened or judged.unreadable or judged.returning)
    applied = AppliedPlatform(
        name=document.name,
        generation=change.generation,
        document=document.dump(),
        applied_by=request.who,
        applied_at=at,
        override=_overridden(change, override, at) if overrides else None,
        proposal=before.proposal if before else None,
        references=proposing.values_now(operator, document),
        removed=proposing.removed_now(before, document),
        rev=before.rev if before else 0,
    )
    gone = [state.environment for state in change.gone]
    text = f"applied generation {change.generation}"
    text += f" without {listed(gone)}" if gone else ""
    text += f": {change.why}" if change.why else ""
    if applied.override is not None:
        text += f"{',' if gone or change.why else ''} without the approval that it needed, as an admin: {override}"
    operator.outside.adopt(document)
    event = timeline.environment_event(
        document.name,
        None,
        EventType.APPLIED,
        text,
        at=at,
        new_id=operator.new_id,
        who=request.who,
        detail=how(request) | ({"override": override} if applied.override is not None else {}),
    )
    # Rare: few admins override.
    from ferryman.messages.announcement import for_document

    told = for_document(before.document, applied, at) if before and applied.override is not None else []
    for first in range(_TOGETHER, len(told), _TOGETHER):
        # Told before it happens rather than not at all.
        operator.store.write(*told[first : first + _TOGETHER])
    pending = proposing.open_proposal(operator, before)
    stays = [Unchanged(state) for state in change.gone]
    ended = [proposing.superseded(operator, pending, request)] if pending is not None else []
    ownership.save(operator, document, applied, change.claims, [event, *ended, *stays, *told[:_TOGETHER]])


def _overridden(change: _Change, reason: str, at: datetime) -> Override:
    judged = change.judged
    texts = [found.text for found in judged.changes if found.effect == "looser"]
    if judged.returning:
        texts.append(proposing.came_back(judged.returning))
    if judged.unreadable:
        texts.append("nobody can tell what it changes: the document before it could not be read")
    return Override(who=change.request.who, reason=reason, at=at, changes=[shortened(text, 300) for text in texts[:20]])


def _withdraw(change: _Change) -> None:
    """End a proposal when the stored document is applied again: whoever does so wants that one."""
    operator, before = change.operator, change.before
    pending = proposing.open_proposal(operator, before)
    if before is None or pending is None:
        return
    try:
        operator.store.write(Unchanged(before), proposing.superseded(operator, pending, change.request))
    except Conflict:
        raise Refused(
            f"somebody else applied platform {before.name} at the same time; check the result, then apply again"
        ) from None
