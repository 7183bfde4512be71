"""What a tag means, and durations."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ferryman.platform import Platform, TagKind, classify, parse
from ferryman.platform.tags import moving_tags
from unit.operating import document

EXAMPLE = Path(__file__).parents[3] / "examples/scr-platform/platform.yaml"


def platform(pattern: str | None = None) -> Platform:
    document: Any = yaml.safe_load(EXAMPLE.read_text())
    if pattern:
        document["spec"]["tagPattern"] = pattern
    return parse(document)


SEQ = r"(?P<seq>\d+)-(?P<version>[0-9a-f]{7})"
OPTIONAL = r"(?:release-)?x(?P<version>\d+)?"

TAGS = [
    ("3f9c2ab", None, TagKind.VERSION, "3f9c2ab", None),
    ("3f9c2a", None, TagKind.OTHER, None, None),
    ("3f9c2ab-dirty", None, TagKind.OTHER, None, None),
    ("v1.2.3", None, TagKind.SEMVER, None, None),
    ("v1.2.3-rc.1", None, TagKind.SEMVER, None, None),
    ("v1.02.3", None, TagKind.OTHER, None, None),
    ("v١.2.3", None, TagKind.OTHER, None, None),
    ("staging-latest", None, TagKind.MOVING, None, None),
    ("staging-current", None, TagKind.MOVING, None, None),
    ("staging-previous", None, TagKind.MOVING, None, None),
    ("latest", None, TagKind.OTHER, None, None),
    ("", None, TagKind.OTHER, None, None),
    ("42-3f9c2ab", SEQ, TagKind.VERSION, "3f9c2ab", 42),
    ("9" * 40 + "-3f9c2ab", SEQ, TagKind.VERSION, "3f9c2ab", None),
    ("x", OPTIONAL, TagKind.OTHER, None, None),
    ("staging-current", r"(?P<version>[a-z-]+current)", TagKind.MOVING, None, None),
]


@pytest.mark.parametrize(("tag", "pattern", "kind", "version", "seq"), TAGS)
def test_classify(tag: str, pattern: str | None, kind: TagKind, version: str | None, seq: int | None) -> None:
    found = classify(tag, platform(pattern))
    assert (found.kind, found.version, found.seq) == (kind, version, seq)


def test_moving_tags() -> None:
    kinds = ("latest", "current", "previous")
    assert moving_tags(platform()) == {f"{name}-{kind}" for name in ("staging", "production") for kind in kinds}


@pytest.mark.parametrize("tag", ["staging-latest", "staging-current", "staging-previous"])
def test_moving_tags_of_the_document_never_make_releases(tag: str) -> None:
    from ferryman.platform import TagKind, classify

    assert classify(tag, document()).kind is TagKind.MOVING
