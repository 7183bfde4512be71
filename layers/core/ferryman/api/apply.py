"""Route that applies a platform document: parse, compare, verify, judge whose things it names, adopt, save, nudge.

In this order, so that a crash leaves either the old document or the new one, and the same `apply` again completes it.
"""

import logging
from collections.abc import Iterator
from typing import Any

from ferryman.api import ownership
from ferryman.api.context import Context
from ferryman.api.control import nudge, told
from ferryman.api.http import HttpError, Request, how
from ferryman.clients.aws_errors import Refusal as AwsRefusal
from ferryman.errors import FerrymanError, InvalidDocument, Refused
from ferryman.messages import timeline
from ferryman.platform import Platform, apply_refusals, parse, secret_uses
from ferryman.platform.claims import Claims
from ferryman.records import AppliedPlatform, EventType, limits

_MOST_BYTES = 200_000
"""Of a request."""

_LOG = logging.getLogger("ferryman")


def apply(operator: Context, request: Request) -> dict[str, Any]:
    """Make this document the platform's; `?dryRun=true` returns what would happen and changes nothing."""
    name, dry_run = request.params["platform"], request.flag("dryRun")
    if request.size > _MOST_BYTES:
        raise HttpError(422, "InvalidDocument", f"the document has {request.size} bytes; {_MOST_BYTES} are allowed")
    document = parse(request.body)
    if document.name != name:
        raise InvalidDocument([("metadata.name", f"is {document.name!r}, but the request is about {name!r}")])
    refused = apply_refusals.problems_of(document, _tags(operator, name))
    refused += secret_uses.problems_of(document, operator.hosts)
    if refused:
        raise InvalidDocument(refused)
    before = operator.store.find_platform(name)
    warnings = apply_refusals.warnings_of(document, _tags(operator, name))
    claims = Claims()
    if before is not None and _same(before, document):
        result, generation = "unchanged", before.generation
        notes, shared = _notes(operator, document), ownership.warnings(operator, name)
        warnings += _approvers(operator, document)
    else:
        result, generation = ("configured", before.generation + 1) if before else ("created", 1)
        _refuse_orphans(operator, before, document)
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
        judged = ownership.judge(operator, document, claims, before)
        ownership.refuse(judged.problems)
        shared = judged.warnings
    _refuse_too_large(document)
    if not dry_run:
        if result != "unchanged":
            _save(operator, document, claims, generation, before, request)
        for environment in document.spec.environments:
            nudge(operator, name, environment)
    return {
        "platform": name,
        "result": result,
        "generation": generation,
        "dryRun": dry_run,
        "environments": list(document.spec.environments),
        "warnings": told([*warnings, *shared]),
        "notes": told(notes),
    }


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


def _refuse_orphans(operator: Context, before: AppliedPlatform | None, document: Platform) -> None:
    """Refuse to remove an environment during a deployment: nothing would bring the deployment to its end."""
    for name in before.document["spec"]["environments"] if before else ():
        active = operator.store.state(document.name, name).active
        if name not in document.spec.environments and active is not None:
            raise Refused(
                f"the document no longer has {name}, where deployment {active.deployment} is in progress; "
                f"wait until it has ended, or run `ferryman abort {name}`, then apply again"
            )


def _save(
    operator: Context,
    document: Platform,
    claims: Claims,
    generation: int,
    before: AppliedPlatform | None,
    request: Request,
) -> None:
    at = operator.clock()
    applied = AppliedPlatform(
        name=document.name,
        generation=generation,
        document=document.dump(),
        applied_by=request.who,
        applied_at=at,
        rev=before.rev if before else 0,
    )
    told = f"applied generation {generation}"
    operator.outside.adopt(document)
    event = timeline.environment_event(
        document.name,
        None,
        EventType.APPLIED,
        told,
        at=at,
        new_id=operator.new_id,
        who=request.who,
        detail=how(request),
    )
    ownership.save(operator, document, applied, claims, [event])
