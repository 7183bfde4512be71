"""Which tags a pattern is written for: only semver tags, no semver tags, or both."""

import re

import pytest

from ferryman.platform.pattern_examples import (
    SEMVER_PROBES,
    USUAL_VERSIONS,
    semver_matches,
    spelled,
    version_matches,
)
from ferryman.platform.values import SEMVER

ONLY_SEMVER = [
    r"(?P<version>v[0-9]+\.[0-9]+\.[0-9]+)",
    r"^(?P<version>v\d+\.\d+\.\d+)$",
    r"^v(?P<version>\d+\.\d+\.\d+)$",
    r"(?P<version>v\d+.\d+.\d+)",
    r"(?P<version>v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[\w.]+)?)",
    r"(?P<version>v\d+\.\d+\.\d+-rc\.?\d+)",
    r"(?P<version>v\d+\.\d+\.\d+-\d+-g[0-9a-f]+)",
    r"(?P<version>v0\.0\.0-\d{14}-[0-9a-f]{12})",
    r"(?P<version>v\d{4}\.\d{1,2}\.\d+)",
    r"(?P<version>v20\d\d\.[1-9]\d?\.\d+)",
]
BOTH = [
    (r"(?P<version>v\d{4}\.\d{2}\.\d+)", "v2024.09.3"),
    (r"(?P<version>v\d{4}\.(0[1-9]|1[0-2])\.\d+)", "v2024.09.3"),
    (r"(?P<version>v\d{4}\.[01]\d\.\d+)", "v2024.09.3"),
    (r"(?P<version>v?\d+\.\d+\.\d+)", "2024.10.1"),
    (r"(?:shop-)?(?P<version>v\d+\.\d+\.\d+)", "shop-v1.1.1"),
    (r"(?P<version>(?:v\d+\.\d+\.\d+|rel-[A-Z]{2}\d+))", "rel-AA1"),
    (r"(?P<version>v\d+\.\d+\.\d+(?:\.\d+)?)", "v1.2.3.4"),
    (r"(?P<version>v\d+\.\d+\.\d+_?\w*)", "v1.1.1_"),
    (r"(?P<version>.+)", "3f9c2ab"),
    (r"(?P<version>[a-z0-9.-]+)", "3f9c2ab"),
    (r"(?i)(?P<version>V\d+\.\d+\.\d+)", "V1.1.1"),
]
NO_SEMVER = [
    r"(?P<version>[0-9a-f]{7,40})",
    r"(?P<seq>[0-9]+)-(?P<version>[0-9a-f]{7,40})",
    r"(?P<version>\d{4}\.\d{2}\.\d{2}-\d+)",
    r"(?P<version>\d+\.\d+\.\d+)",
    r"(?P<version>v\d+\.\d+)",
    r"release-(?P<version>v\d+\.\d+\.\d+)",
]


@pytest.mark.parametrize("pattern", ONLY_SEMVER)
def test_a_pattern_that_only_semver_tags_match(pattern: str) -> None:
    assert semver_matches(pattern)
    assert list(version_matches(pattern)) == []


@pytest.mark.parametrize(("pattern", "example"), BOTH)
def test_a_pattern_that_matches_both(pattern: str, example: str) -> None:
    assert semver_matches(pattern)
    assert example in list(version_matches(pattern))


@pytest.mark.parametrize("pattern", NO_SEMVER)
def test_a_pattern_that_no_semver_tag_matches(pattern: str) -> None:
    assert semver_matches(pattern) == []
    assert list(version_matches(pattern))


def test_a_tag_that_made_a_release_is_an_example_of_its_own() -> None:
    """v2024.09.3 is a release of a platform in use, although no pattern asks for its zero."""
    assert list(version_matches(ONLY_SEMVER[0], ["v2024.09.3", "v2024.10.0"])) == ["v2024.09.3"]


def test_the_lists_are_what_they_say() -> None:
    assert [probe for probe in SEMVER_PROBES if not SEMVER.fullmatch(probe)] == []
    assert [example for example in USUAL_VERSIONS if SEMVER.fullmatch(example)] == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<version>((a{1000}){1000}){1000})",
        r"(?P<version>(a?){50000}b)",
        r"(?P<version>(?:" + "|".join("abcdefgh") * 20 + r"))",
        r"(?P<version>" + r"[a-z]" * 90 + r")",
        r"(?P<a>x)?(?P<version>(?(a)y|z)(?P=a)?(?<=y)$)",
        r"(?P<version>(?>a+)[^\W_]\D\S.)",
        r"(?P<version>" + "(" * 80 + "a" + ")" * 80 + ")",
    ],
)
def test_no_pattern_makes_much_work(pattern: str) -> None:
    re.compile(pattern)
    texts = spelled(pattern)
    assert texts
    assert len(texts) <= 40
    assert max(map(len, texts)) <= 200
