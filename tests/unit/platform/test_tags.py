"""What a tag means, and durations."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from ferryman.durations import format_duration
from ferryman.platform import Platform, TagKind, classify, parse
from ferryman.platform.tags import moving_tags
from ferryman.platform.values import parse_duration

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


@given(some.integers(1, 3650 * 86_400))
def test_durations_survive_a_round_trip(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@given(some.text(max_size=30) | some.from_regex(r"[0-9]{0,400}[dhms]", fullmatch=True))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        span = parse_duration(text)
    except ValueError as error:
        told = str(error)
    else:
        assert span > timedelta(0)
        return
    assert "use" in told or "write" in told
