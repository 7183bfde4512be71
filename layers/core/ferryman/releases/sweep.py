"""Find what lost events would have reported: unrecorded tags in ECR, and releases that wait too long for an image.

Called by reconcile on its schedule, once per platform.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from ferryman.clients import ecr
from ferryman.clients.ecr import TaggedImage
from ferryman.errors import Conflict
from ferryman.messages.release import for_incomplete
from ferryman.platform import Platform, classify
from ferryman.records import EventType, Release, ReleaseStatus
from ferryman.records.writes import Save, Write
from ferryman.releases import assembly, ignored_tags, semver_tags
from ferryman.releases.assembly import Effect, Pushed
from ferryman.releases.recorder import ReleaseRecorder, announce, audience
from ferryman.store import pointers

LISTED_AT_ONCE = 400
"""Releases that one sweep puts into the lists: some seconds of it."""
TOGETHER = 10
"""Up to four writes each, and DynamoDB takes 100 in one transaction."""


def compare(document: Platform, ledger: ReleaseRecorder) -> bool:
    """Record what was pushed without an event reaching us, and report releases that stay incomplete.

    Return whether anything was recorded that an environment may have to start.
    """
    found = False
    images = {
        component: list(ecr.tagged_images(ledger.ecr, spec.repository))
        for component, spec in document.spec.components.items()
    }
    releases = ledger.store.releases(document.name)
    _list(releases, ledger)
    known = {release.version: release for release in releases}
    for pushed in _tags(document, images, ledger):
        release = known.get(pushed.version)
        image = release.components.get(pushed.component) if release else None
        if image is not None and image.digest == pushed.digest:
            continue
        _, effect = ledger.record(document, pushed)
        if effect in (Effect.RECORDED, Effect.COMPLETED):
            ledger.count("PushMissed")
            found = True
    for release in ledger.store.releases(document.name):
        found = _look_after(document, release, ledger) or found
    found = _name(document, images, ledger) or found
    ignored_tags.compare(document, images, ledger)
    return found


def _list(releases: Sequence[Release], ledger: ReleaseRecorder) -> None:
    """Put releases into the lists that an earlier version of Ferryman wrote without them: some at a time.

    Only the pointers are new, so nobody hears of it. What somebody else changes meanwhile, the next sweep looks at.
    """
    missing = [release for release in releases if not pointers.is_listed(release)][:LISTED_AT_ONCE]
    for at in range(0, len(missing), TOGETHER):
        with suppress(Conflict):
            ledger.store.write(*(Save(release) for release in missing[at : at + TOGETHER]))


def _tags(document: Platform, images: Mapping[str, list[TaggedImage]], ledger: ReleaseRecorder) -> Iterator[Pushed]:
    """Yield every version tag that ECR has now, for every component."""
    now = ledger.clock()
    for component, listed in images.items():
        for image in listed:
            for text in image.tags:
                tag = classify(text, document)
                if tag.version is not None:
                    yield Pushed(document.name, component, tag.version, text, image.digest, at=now, seq=tag.seq)


def _name(document: Platform, images: Mapping[str, list[TaggedImage]], ledger: ReleaseRecorder) -> bool:
    """Settle the semver tags whose events were lost, or that waited for a release that is complete by now.

    Return whether there were any.
    """
    settled = False
    carried = semver_tags.of_images(document, images)
    if not carried:
        return False
    known = {name.name: name for name in ledger.store.semver_names(document.name)}
    releases = ledger.store.releases(document.name)
    for name, found in sorted(carried.items()):
        seen = known.get(name)
        if semver_tags.changes(seen, semver_tags.judge_tag(document, name, found, releases, seen, ledger.clock())):
            ledger.names.record_tag(document, name, found)
            settled = True
    return settled


def _look_after(document: Platform, release: Release, ledger: ReleaseRecorder) -> bool:
    """Complete a release whose last missing component left the document; report one that waits too long.

    Return whether it was completed.
    """
    if release.status not in (ReleaseStatus.ASSEMBLING, ReleaseStatus.INCOMPLETE):
        return False
    now = ledger.clock()
    completed = assembly.complete(release, wanted=list(document.spec.components), now=now)
    timeout = document.spec.assembly_timeout.total_seconds()
    if completed is not release:
        writes: list[Write] = [Save(completed)]
    elif assembly.overdue(release, timeout_seconds=timeout, now=now):
        writes = _incomplete(document, release, ledger)
    else:
        return False
    try:
        ledger.store.write(*writes)
    except Conflict:
        return False  # an image came at this very moment; the next sweep looks again
    return completed is not release


def _incomplete(document: Platform, release: Release, ledger: ReleaseRecorder) -> list[Write]:
    at = ledger.clock()
    wanted = list(document.spec.components)
    missing = [name for name in wanted if name not in release.components]
    message = (
        f"release {release.version} has {len(wanted) - len(missing)} of {len(wanted)} images, waiting for "
        f"{', '.join(missing)}; it continues automatically when the last image is pushed"
    )
    return [
        Save(release.but(status=ReleaseStatus.INCOMPLETE, reported_incomplete=True)),
        *announce(document, EventType.INCOMPLETE, message, at=at, new_id=ledger.new_id),
        *for_incomplete(release, document, audience(document), at),
    ]
