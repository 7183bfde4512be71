"""What one version, semver name or tag means in an environment, for a person who waits for it. Pure."""

from collections.abc import Sequence
from typing import Literal

from ferryman.decisions.explain.ignored import Ignored, sentences
from ferryman.decisions.explain.inputs import Facts
from ferryman.decisions.explain.pending_releases import worded
from ferryman.decisions.requests.common import ambiguous, matching
from ferryman.decisions.why_not import why_not
from ferryman.platform import Platform
from ferryman.platform.pattern_examples import version_matches
from ferryman.platform.tag_report import Reason, TagReport, can_be_a_version, report, taken_for_a_version
from ferryman.records import Record, Release, ReleaseStatus
from ferryman.text import sentence


class Subject(Record):
    """What a text means: a release that is known, a release or a name that may come, or nothing that ever will."""

    text: str
    kind: Literal["Release", "SemverName", "MovingTag", "Ignored"]
    version: str | None
    """Of the release that it names, or would name."""
    known: bool
    """Whether there is such a release."""
    hopeless: bool
    """Whether no push can make it a release under today's document, or whether it is the beginning of several."""
    reason: Reason | None
    pattern: str
    message: str
    next_step: str


def subject(text: str, document: Platform, releases: Sequence[Release], ignored: Sequence[Ignored]) -> Subject:
    """Say what a version, a semver name or a tag means on a platform."""
    found = report(text, document)
    matches = matching(releases, text, document)
    release = matches[0] if len(matches) == 1 else None
    was = next((item for item in ignored if item.tag == text), None)
    if release is None and was is None and found.kind == "Ignored" and can_be_a_version(text, document):
        # The tag of such a version has more in it: `12-3f9c2ab`.
        found = TagReport(text, "Release", f"no image with a tag of version {text} was pushed yet", version=text)
    message = f"{text} names release {release.version}" if release else was.message if was else found.message
    if len(matches) > 1:
        message, found = ambiguous(text, matches), TagReport(text, found.kind, "")
    return Subject(
        text=text,
        kind="Release" if release else found.kind,
        version=release.version if release else found.version,
        known=release is not None,
        hopeless=len(matches) > 1 or (release is None and _hopeless(text, document, releases, was)),
        reason=None if release else found.reason,
        pattern=document.spec.tag_pattern,
        message=sentence(message),
        next_step="" if release else found.next_step,
    )


def _hopeless(text: str, document: Platform, releases: Sequence[Release], was: Ignored | None) -> bool:
    found = report(text, document)
    if found.kind == "Release" or can_be_a_version(text, document):
        return False
    if found.kind != "SemverName":
        return True
    # A semver tag becomes a name once the images of a release carry it, which they cannot where no tag is a version.
    refused = was is not None and was.refused
    return refused or (taken_for_a_version(text, document) and not _has_versions(document, releases))


def _has_versions(document: Platform, releases: Sequence[Release]) -> bool:
    known = (image.tag for release in releases for image in release.components.values())
    return any(version_matches(document.spec.tag_pattern, known))


def in_environment(found: Subject, facts: Facts) -> list[str]:
    """Say where the subject stands in an environment: sentences."""
    release = next((item for item in facts.releases if item.version == found.version), None)
    was = next((item for item in facts.ignored if item.tag == found.text), None)
    if release is None and was is not None:
        return sentences([was], facts.state.platform, facts.now)
    if release is None:
        may_come = found.kind == "Release" and not found.hopeless
        return _to_come(found, facts) if may_come else [f"{found.message} {found.next_step}".strip()]
    if release.version == facts.running_version:
        return [f"{facts.env} runs {release.version}."]
    pending = next((why for why in why_not(facts.view, facts.now) if why.release.version == release.version), None)
    if pending is not None:
        return [worded(facts, pending).message]
    settled = facts.state.settled.get(release.version)
    if settled is not None:
        return [f"{release.version} ended {settled.phase} here {facts.ago(settled.at)} ({settled.reason})."]
    if release.status is ReleaseStatus.BASELINE:
        return [f"{release.version} was there before the platform was applied, so nothing starts it automatically."]
    return [f"{release.version} is older than {facts.running_version or 'what was adopted'} in {facts.env}."]


def _to_come(found: Subject, facts: Facts) -> list[str]:
    wanted = ", ".join(part.repository for part in facts.document.spec.components.values())
    return [f"{found.version} is no release yet: no image with such a tag has been pushed to {wanted}."]
