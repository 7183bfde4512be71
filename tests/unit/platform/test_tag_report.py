"""What a tag is under a document, in words."""

from typing import Any

import pytest

from ferryman.platform import Platform, parse
from ferryman.platform.tag_report import can_be_a_version, report, taken_for_a_version
from unit.operating import document

SEQ = r"(?P<seq>[0-9]+)-(?P<version>[0-9a-f]{7,40})"
CALVER = r"(?P<version>v[0-9]+\.[0-9]+\.[0-9]+)"


def platform(pattern: str | None = None) -> Platform:
    stored: Any = document().dump()
    if pattern:
        stored["spec"]["tagPattern"] = pattern
    return parse(stored)


@pytest.mark.parametrize(
    ("tag", "pattern", "kind", "version", "reason"),
    [
        ("3f9c2ab", None, "Release", "3f9c2ab", None),
        ("12-3f9c2ab", SEQ, "Release", "3f9c2ab", None),
        ("sha-3f9c2ab", None, "Ignored", None, "NoMatch"),
        ("git-3f9c2ab", None, "Ignored", None, "NoMatch"),
        ("3F9C2AB", None, "Ignored", None, "NoMatch"),
        ("latest", None, "Ignored", None, "NoMatch"),
        ("x", r"(?:release-)?x(?P<version>\d+)?", "Ignored", None, "NoVersion"),
        ("v1.2.3", None, "SemverName", None, "SemverName"),
        ("v2024.10.0", CALVER, "SemverName", None, "SemverName"),
        ("v2024.09.3", CALVER, "Release", "v2024.09.3", None),
        ("staging-latest", None, "MovingTag", None, None),
        ("staging-current", None, "MovingTag", None, None),
        (f"sha256-{'a' * 64}.sig", None, "Ignored", None, "Attachment"),
        ("scr-api:3f9c2ab", None, "Ignored", None, "InvalidTag"),
        ("x" * 129, None, "Ignored", None, "InvalidTag"),
        ("", None, "Ignored", None, "InvalidTag"),
        (".3f9c2ab", None, "Ignored", None, "InvalidTag"),
    ],
)
def test_report(tag: str, pattern: str | None, kind: str, version: str | None, reason: str | None) -> None:
    found = report(tag, platform(pattern))
    assert (found.tag, found.kind, found.version, found.reason) == (tag, kind, version, reason)


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("sha-3f9c2ab", "as 3f9c2ab"),
        ("git-3F9C2AB", "as 3f9c2ab"),
        ("3F9C2AB", "as 3f9c2ab"),
        ("main.3f9c2ab", "as 3f9c2ab"),
        ("3f9c2ab-amd64", "as 3f9c2ab"),
        ("v2024.09.3", "under a tag that tagPattern matches"),
    ],
)
def test_an_ignored_tag_says_the_pattern_that_it_missed_and_what_to_push(tag: str, meant: str) -> None:
    found = report(tag, platform())
    assert found.message == f"{tag} does not match tagPattern (?P<version>[0-9a-f]{{7,40}})"
    assert found.next_step == f"Push the images {meant}, or change tagPattern so that it matches {tag}."


def test_a_calver_tag_that_happens_to_be_semver_says_so() -> None:
    """v2024.09.3 is a release, and v2024.10.0 is not: without the leading zero it is a semver tag."""
    found = report("v2024.10.0", platform(CALVER))
    assert found.message == (
        "v2024.10.0 is a semver tag: a second name for the release whose images carry it, never a version, although "
        f"tagPattern {CALVER} matches it"
    )
    assert found.next_step.startswith("Push the images under another tag, too")
    assert taken_for_a_version("v2024.10.0", platform(CALVER))
    assert not taken_for_a_version("v2024.10.0", platform())


@pytest.mark.parametrize(
    ("text", "pattern", "possible"),
    [
        ("3f9c2ab", None, True),
        ("sha-3f9c2ab", None, False),
        ("3f9c2a", None, False),
        ("v1.2.3", None, False),
        ("v1.2.3", CALVER, False),
        ("v1.2.3", rf"(?:rel-)?{CALVER}", True),
        ("3f9c2ab", SEQ, True),
        ("12-3f9c2ab", SEQ, False),
        ("sha-3f9c2ab", SEQ, False),
        ("3f9c2ab", r"^sha-(?P<version>[0-9a-f]{7})$", True),
        ("sha-3f9c2ab", r"^(?P<version>[0-9a-f]{7})$", False),
        ("3F9C2AB", r"(?i)x-(?P<version>[0-9a-f]{7})", True),
        ("sha-3f9c2ab", r"(?i)x-(?P<version>[0-9a-f]{7})", False),
        (")x", r"rel-(?P<version>[])(]+[(]?x)y", True),
        ("q", r"(?P<a>x)?(?P<version>(?(a)y|z)+)", True),
        ("q", r"x\(?P<version>(?P<version>y)", True),
    ],
)
def test_can_be_a_version_is_false_only_where_the_pattern_tells(text: str, pattern: str | None, possible: bool) -> None:
    assert can_be_a_version(text, platform(pattern)) is possible
