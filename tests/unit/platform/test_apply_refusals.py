"""What `apply` refuses or warns of, and the parser of stored documents never does."""

from typing import Any

import pytest

from ferryman.platform import Platform, parse
from ferryman.platform.apply_refusals import problems_of, warnings_of
from unit.operating import document

SEMVER = r"(?P<version>v[0-9]+\.[0-9]+\.[0-9]+)"
PADDED = r"(?P<version>v\d{4}\.\d{2}\.\d+)"


def platform(pattern: str) -> Platform:
    stored: Any = document().dump()
    stored["spec"]["tagPattern"] = pattern
    return parse(stored)


def test_a_pattern_that_only_semver_tags_match_is_refused_with_what_to_write() -> None:
    ((path, message),) = problems_of(platform(SEMVER))
    assert path == "spec.tagPattern"
    assert "matches semver tags such as v0.1.0 and, as far as examples tell, no others" in message
    assert "as in (?P<version>[0-9a-f]{7,40})" in message


def test_the_same_pattern_is_a_warning_where_releases_were_made_by_it() -> None:
    """A calver platform keeps working, and hears what happens to v2024.10.0 before it is pushed."""
    known = ["v2024.09.3"]
    assert problems_of(platform(SEMVER), known) == []
    ((path, message),) = warnings_of(platform(SEMVER), known)
    assert path == "spec.tagPattern"
    assert "never as a version" in message
    assert "tags such as v2024.09.3 are versions" in message


@pytest.mark.parametrize("known", [["v2024.10.0"], ["3f9c2ab"], []], ids=["semver", "another-pattern", "none"])
def test_tags_that_prove_nothing(known: list[str]) -> None:
    assert [path for path, _ in problems_of(platform(SEMVER), known)] == ["spec.tagPattern"]


def test_a_pattern_that_asks_for_leading_zeros_is_a_warning() -> None:
    assert problems_of(platform(PADDED)) == []
    ((_, message),) = warnings_of(platform(PADDED))
    assert "semver tags such as v2024.10.1" in message
    assert "tags such as v2024.09.3 are versions" in message


def test_a_semver_tag_of_an_unusual_form_is_a_warning() -> None:
    assert problems_of(platform(r"(?P<version>v\d+\.\d+\.\d+-nightly-\d+)")) == []
    ((_, message),) = warnings_of(platform(r"(?P<version>v\d+\.\d+\.\d+-nightly-\d+)"))
    assert "such as v1.1.1-nightly-1" in message


@pytest.mark.parametrize("pattern", ["(?P<version>[0-9a-f]{7,40})", r"(?P<version>\d{4}\.\d{2}\.\d{2}-\d+)"])
def test_most_patterns_are_neither_refused_nor_warned_of(pattern: str) -> None:
    assert (problems_of(platform(pattern)), warnings_of(platform(pattern))) == ([], [])


def test_known_tags_are_read_only_where_the_pattern_needs_them() -> None:
    def unread() -> Any:
        raise AssertionError
        yield

    assert problems_of(document(), unread()) == []
    assert warnings_of(document(), unread()) == []
