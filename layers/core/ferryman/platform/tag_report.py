"""What a tag is under a platform document, in words. Pure.

Called by whatever explains a tag to people: `ferryman tags`, `explain`, `releases --ignored`, `watch --release`.
Not loaded by receive_push, which only needs `platform.tags`.
"""

import re
from dataclasses import dataclass
from typing import Literal

from ferryman.platform.document import Platform
from ferryman.platform.tag_patterns import full_match
from ferryman.platform.tags import TagKind, classify
from ferryman.platform.values import SEMVER

Kind = Literal["Release", "SemverName", "MovingTag", "Ignored"]
Reason = Literal["NoMatch", "NoVersion", "SemverName", "Attachment", "InvalidTag"]
"""Why a tag is no release."""

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
"""https://github.com/opencontainers/distribution-spec/blob/main/spec.md"""
_ATTACHMENT = re.compile(r"sha256-[0-9a-f]{64}(\.[a-z0-9]+)?")
"""What names an attachment of an image, as a signature or an SBOM (cosign, OCI referrers): never meant as a release."""

_FLAGS = re.compile(r"((?:\(\?[aimsux]+\))?)(.*)", re.DOTALL)
"""Flags of a whole pattern, and the rest."""
_REACHES_BEYOND = re.compile(r"\(\?(?!:|P<)|\\[1-9bBAZ]|(?<![\[\\])[\^$]")
"""Assertions, anchors and references in a part of a pattern: what it matches depends on what stands around it."""


@dataclass(frozen=True)
class TagReport:
    """What a tag is, why, and what to do if something else was meant."""

    tag: str
    kind: Kind
    message: str
    version: str | None = None
    """Of a release."""
    seq: int | None = None
    reason: Reason | None = None
    """Of a tag that can name no version; also of a semver tag."""
    next_step: str = ""


def is_image_tag(text: str) -> bool:
    """Return whether an image can have this tag at all: 128 characters at most, of A-Z a-z 0-9 . _ -."""
    return _TAG.fullmatch(text) is not None


def is_attachment(tag: str) -> bool:
    """Return whether a tag names what is attached to an image, as a signature."""
    return _ATTACHMENT.fullmatch(tag) is not None


def report(tag: str, document: Platform) -> TagReport:
    """Say what a tag is, or would be, under this document."""
    pattern = document.spec.tag_pattern
    if not is_image_tag(tag):
        allowed = "a tag has at most 128 letters, digits, dots, dashes and underscores, and begins with none of . and -"
        return TagReport(tag, "Ignored", f"{tag!r} cannot be the tag of an image: {allowed}", reason="InvalidTag")
    found = classify(tag, document)
    if found.kind is TagKind.MOVING:
        return TagReport(tag, "MovingTag", f"{tag} is a moving tag: it follows what runs, and starts nothing")
    if found.kind is TagKind.SEMVER:
        return _semver(tag, document)
    if found.version is not None:
        return TagReport(tag, "Release", f"{tag} names release {found.version}", found.version, found.seq)
    if is_attachment(tag):
        told = f"{tag} names an attachment of an image, such as a signature, and is ignored"
        return TagReport(tag, "Ignored", told, reason="Attachment")
    if full_match(pattern, tag) is not None:
        told = f"{tag} matches tagPattern {pattern}, but its group `version` is empty"
        return TagReport(tag, "Ignored", told, reason="NoVersion", next_step=_next_step(tag, document))
    told = f"{tag} does not match tagPattern {pattern}"
    return TagReport(tag, "Ignored", told, reason="NoMatch", next_step=_next_step(tag, document))


def taken_for_a_version(tag: str, document: Platform) -> bool:
    """Return whether the document's pattern matches a semver tag, which is a second name all the same."""
    return SEMVER.fullmatch(tag) is not None and full_match(document.spec.tag_pattern, tag) is not None


def can_be_a_version(text: str, document: Platform) -> bool:
    """Return whether a release of this version may come; also True where the pattern does not tell."""
    if classify(text, document).version == text:
        return True
    whole = _FLAGS.fullmatch(document.spec.tag_pattern)
    flags, pattern = whole.groups() if whole else ("", document.spec.tag_pattern)
    group = _version_group(pattern)
    if group == pattern.removeprefix("^").removesuffix("$"):
        return False  # the version is the whole tag, and this tag is something else
    if _REACHES_BEYOND.search(group.removeprefix("(?P<version>")):
        return True
    try:
        return full_match(f"{flags}{group}", text) is not None
    except re.error:
        return True


def _semver(tag: str, document: Platform) -> TagReport:
    told = f"{tag} is a semver tag: a second name for the release whose images carry it, never a version"
    then = "Push the images under a version tag, too."
    if taken_for_a_version(tag, document):
        told += f", although tagPattern {document.spec.tag_pattern} matches it"
        then = "Push the images under another tag, too, such as their commit, and let tagPattern match that."
    return TagReport(tag, "SemverName", told, reason="SemverName", next_step=then)


def _next_step(tag: str, document: Platform) -> str:
    meant = _nearest(tag, document)
    push = f"as {meant}" if meant else "under a tag that tagPattern matches"
    return f"Push the images {push}, or change tagPattern so that it matches {tag}."


def _nearest(tag: str, document: Platform) -> str | None:
    """Return the part of a tag that would be a version: without its prefix, without its suffix, or in lower case."""
    for text in dict.fromkeys((tag, tag.lower())):
        cuts = [at for at, character in enumerate(text) if character in "-._"]
        parts = [text, *(text[at + 1 :] for at in cuts), *(text[:at] for at in reversed(cuts)), text.removeprefix("v")]
        found = next((part for part in parts if part and classify(part, document).version is not None), None)
        if found is not None:
            return found
    return None


def _version_group(pattern: str) -> str:
    """Return the group `version` of a pattern as it is written there."""
    start = at = pattern.index("(?P<version>")
    depth, in_class = 0, -1
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 1
        elif in_class >= 0:
            # A bracket that comes first in a class stands for itself.
            if character == "]" and pattern[in_class + 1 : at] not in ("", "^"):
                in_class = -1
        elif character == "[":
            in_class = at
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                break
        at += 1
    return pattern[start : at + 1]
