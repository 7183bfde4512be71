"""Keep the newest tags that name no release, so that people learn why nothing happened after a push.

Called by receive_push for one tag, and by the sweep for all that ECR has. Pushes of such tags can be many (one for each
pull request) and come at once: a record per component, few tags in it, and a write only when they change. A
write that loses its races is left to the next sweep, because nothing is decided by these records. In whatever order,
and however often, the same tags end in the same record.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from ferryman.clients import ecr as ecr_edge
from ferryman.clients.ecr import TaggedImage
from ferryman.errors import Conflict, TransientError
from ferryman.platform import Platform, TagKind, classify
from ferryman.platform.tag_report import is_attachment, is_image_tag
from ferryman.records import IgnoredTag, IgnoredTags
from ferryman.records.writes import Save
from ferryman.releases.recorder import ReleaseRecorder

MOST = 20
"""Tags that are kept of one component; as many besides that keep moving (`main`) or name no image (`buildcache`)."""
ALIKE = 3
"""Of those, tags that differ only in numbers and hashes: `pr-1`, `pr-2` … never push out another kind of tag."""
_ATTEMPTS = 3
_UNLISTED = timedelta(minutes=15)
"""How long a tag that a listing of ECR lacks is kept: it may have been pushed while the listing was made."""

_COMMIT = re.compile(r"[0-9a-f]{7,}")
"""A commit or a date in a tag: it is meant once, also where its image was built and pushed again."""
_NUMBER = re.compile(r"[0-9a-f]*[0-9][0-9a-f]*")


def keep(document: Platform, component: str, tag: str, at: datetime, ledger: ReleaseRecorder) -> None:
    """Keep a tag that was pushed at `at`, unless it is of no use to people.

    Of no use: attachments, tags of images that are gone, and second tags (`latest`) of images that are in a release.
    """
    repository = document.spec.components[component].repository
    if not _meant(tag):
        return
    try:
        image = ecr_edge.tagged_image(ledger.ecr, repository, tag)
        if image is None or _named(image, document):
            return
        found = IgnoredTag(tag=tag, digest=image.digest, at=min(at, ledger.clock()), artifact=image.artifact)
        for _ in ledger.store.attempts(_ATTEMPTS):
            known = ledger.store.ignored_tags_of(document.name, component)
            if _write(document, component, known, [found], None, ledger):
                return
    except (Conflict, TransientError):
        return  # the next sweep finds the tag in ECR


def compare(document: Platform, images: Mapping[str, Sequence[TaggedImage]], ledger: ReleaseRecorder) -> None:
    """Keep what ECR lists of each component, and forget what it no longer has or what is in a release by now."""
    now = ledger.clock()
    known = {record.component: record for record in ledger.store.ignored_tags(document.name)}
    for component, listed in images.items():
        found = [
            IgnoredTag(tag=tag, digest=image.digest, at=min(image.pushed_at, now), artifact=image.artifact)
            for image in listed
            if not _named(image, document)
            for tag in image.tags
            if _meant(tag) and classify(tag, document).kind is TagKind.OTHER
        ]
        _write(document, component, known.get(component), found, now - _UNLISTED, ledger)


def newest(tags: Iterable[IgnoredTag]) -> list[IgnoredTag]:
    """Return the tags to keep of these, newest first. Pure; in whatever order they come, and however often."""
    latest: dict[str, IgnoredTag] = {}
    for tag in tags:
        known = latest.get(tag.tag)
        # Of one tag the image counts that was looked up last; its time never goes back.
        latest[tag.tag] = tag if known is None else _later(known, tag)
    ordered = sorted(latest.values(), key=lambda tag: (tag.at, tag.tag), reverse=True)
    by_shape = groupby(sorted(ordered, key=_shape), key=_shape)
    few = [tag for _, alike in by_shape for tag in list(alike)[:ALIKE]]
    few.sort(key=lambda tag: (tag.at, tag.tag), reverse=True)
    # What moves with every build would push out the one tag that somebody waits for.
    kept = [tag for tag in few if tag.once][:MOST] + [tag for tag in few if not tag.once][:MOST]
    return sorted(kept, key=lambda tag: (tag.at, tag.tag), reverse=True)


def _later(known: IgnoredTag, tag: IgnoredTag) -> IgnoredTag:
    moves = known.moves or tag.moves or (tag.digest != known.digest and not _COMMIT.search(tag.tag.lower()))
    return tag.but(at=max(tag.at, known.at), moves=moves)


def _shape(tag: IgnoredTag) -> tuple[bool, str]:
    return tag.artifact, _NUMBER.sub("#", tag.tag.lower())


def _write(
    document: Platform,
    component: str,
    known: IgnoredTags | None,
    found: Sequence[IgnoredTag],
    listed: datetime | None,
    ledger: ReleaseRecorder,
) -> bool:
    """Add tags to a component's record; return whether it is as it should be.

    `listed`: `found` is everything that ECR had at this time, so that other tags from before it are forgotten.
    """
    repository = document.spec.components[component].repository
    before = known or IgnoredTags(platform=document.name, component=component, repository=repository)
    tags = before.tags if before.repository == repository else []
    there = {tag.tag for tag in found}
    still = [tag for tag in tags if listed is None or tag.tag in there or tag.at > listed]
    after = before.but(repository=repository, tags=newest([*still, *found]))
    if after == before or (known is None and not after.tags):
        return True
    try:
        ledger.store.write(Save(after))
    except Conflict:
        return False
    return True


def _meant(tag: str) -> bool:
    """Tell whether somebody may have meant a tag as a release."""
    return is_image_tag(tag) and not is_attachment(tag)


def _named(image: TaggedImage, document: Platform) -> bool:
    return any(classify(tag, document).version is not None for tag in image.tags)
