"""What a version, a semver name or a tag means, for a person who waits for it."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.explain.ignored import ignored
from ferryman.decisions.explain.inputs import Facts
from ferryman.decisions.explain.subject import Subject, in_environment, subject
from ferryman.platform import Platform, parse
from ferryman.records import IgnoredTag, IgnoredTags, Phase, Release, ReleaseStatus, Running, SemverName, Settled
from unit import builders as make

SEQ = r"(?P<seq>[0-9]+)-(?P<version>[0-9a-f]{7,40})"
CALVER = r"(?P<version>v[0-9]+\.[0-9]+\.[0-9]+)"
OLD, RUNS, NEW = (
    make.release(version).but(first_seen_at=make.AT + timedelta(hours=hour), ready_at=make.AT + timedelta(hours=hour))
    for hour, version in enumerate(("000000a", "000000b", "000000c"))
)


def platform(document: dict[str, Any], pattern: str | None = None) -> Platform:
    if pattern:
        document["spec"]["tagPattern"] = pattern
    return parse(document)


def of(text: str, document: Platform, *names: SemverName, releases: list[Release] | None = None) -> Subject:
    kept = [IgnoredTags(platform="scr", component="api", repository="scr-api", tags=[
        IgnoredTag(tag="3f9c2ab", digest=make.digest("f"), at=make.AT),
        IgnoredTag(tag="sha-3f9c2ab", digest=make.digest("f"), at=make.AT),
    ])]  # fmt: skip
    known = [OLD, RUNS, NEW] if releases is None else releases
    return subject(text, document, known, ignored(document, kept, names, known))


def name(text: str, status: Any) -> SemverName:
    return SemverName(platform="scr", name=text, status=status, message="so it was", first_seen_at=make.AT)


@pytest.mark.parametrize(
    ("text", "pattern", "kind", "version", "hopeless"),
    [
        pytest.param("000000c", None, "Release", "000000c", False, id="known"),
        pytest.param("12-000000c", SEQ, "Release", "000000c", False, id="its-tag"),
        pytest.param("aaaaaaa", None, "Release", "aaaaaaa", False, id="may-come"),
        pytest.param("aaaaaaa", SEQ, "Release", "aaaaaaa", False, id="may-come-under-a-longer-tag"),
        pytest.param("3f9c2ab", SEQ, "Ignored", None, False, id="pushed-without-its-number"),
        pytest.param("sha-3f9c2ab", None, "Ignored", None, True, id="ignored"),
        pytest.param("sha-0000000", None, "Ignored", None, True, id="would-be-ignored"),
        pytest.param("latest", None, "Ignored", None, True, id="latest"),
        pytest.param("staging-current", None, "MovingTag", None, True, id="moving"),
        pytest.param("v1.2.3", None, "SemverName", None, False, id="name-that-may-come"),
        pytest.param("v2024.10.0", CALVER, "SemverName", None, True, id="calver-that-is-semver"),
        pytest.param("v9.9.9", None, "SemverName", None, True, id="name-that-was-refused"),
    ],
)
def test_subject(
    scr_document: dict[str, Any], text: str, pattern: str | None, kind: str, version: str | None, hopeless: bool
) -> None:
    found = of(text, platform(scr_document, pattern), name("v9.9.9", "Refused"))
    assert (found.kind, found.version, found.hopeless) == (kind, version, hopeless)
    assert found.known == (version == "000000c")
    assert found.message.startswith(text) or text in found.message


def test_a_name_that_is_bound(scr_document: dict[str, Any]) -> None:
    found = of("v2024.10.0", platform(scr_document, CALVER), releases=[NEW.but(names=["v2024.10.0"])])
    assert (found.kind, found.version, found.known, found.hopeless) == ("Release", "000000c", True, False)


MIXED = r"(?P<version>v\d+\.\d+\.\d+|[0-9a-f]{7})"


@pytest.mark.parametrize("status", [None, "Waiting"])
def test_a_name_under_a_pattern_that_matches_commits_too_may_come(
    scr_document: dict[str, Any], status: str | None
) -> None:
    """Images that carry `3f9c2ab` and `v1.2.3` are a release whose name is v1.2.3."""
    names = [name("v1.2.3", status)] if status else []
    found = of("v1.2.3", platform(scr_document, MIXED), *names, releases=[])
    assert (found.kind, found.hopeless) == ("SemverName", False)


def test_a_name_whose_images_have_no_version_tag_is_hopeless(scr_document: dict[str, Any]) -> None:
    assert of("v1.2.3", platform(scr_document, MIXED), name("v1.2.3", "Refused")).hopeless


LONG, OTHER = "3f9c2ab0d1e2f3a4b5c6d7e8f90123456789abcd", "3f9c2ab1d1e2f3a4b5c6d7e8f90123456789abcd"


@pytest.mark.parametrize("pattern", [None, r"(?P<version>[0-9a-f]{40})", SEQ])
@pytest.mark.parametrize("text", ["3f9c2ab", "3f9c2ab0d1e2"])
def test_the_beginning_of_a_version_is_the_release_as_it_is_for_deploy(
    scr_document: dict[str, Any], pattern: str | None, text: str
) -> None:
    found = of(text, platform(scr_document, pattern), releases=[NEW, make.release(LONG)])
    assert (found.kind, found.version, found.known, found.hopeless) == ("Release", LONG, True, False)
    assert found.message == f"{text} names release {LONG}."


def test_the_beginning_of_several_versions_is_refused_as_it_is_for_deploy(scr_document: dict[str, Any]) -> None:
    document, releases = platform(scr_document), [make.release(LONG), make.release(OTHER)]
    found = of("3f9c2ab", document, releases=releases)
    assert (found.known, found.hopeless, found.next_step) == (False, True, "")
    assert found.message == f"3f9c2ab is ambiguous: it matches {LONG}, {OTHER}; give more characters."
    facts = Facts(document, make.state(active=None), releases, [], make.AT)
    assert in_environment(found, facts) == [found.message]


def test_fewer_characters_than_deploy_takes_name_nothing(scr_document: dict[str, Any]) -> None:
    assert not of("3f9c2a", platform(scr_document), releases=[make.release(LONG)]).known


def test_a_tag_that_was_pushed_says_when_and_where(scr_document: dict[str, Any]) -> None:
    document = platform(scr_document)
    kept = IgnoredTag(tag="sha-3f9c2ab", digest=make.digest("f"), at=make.AT)
    record = IgnoredTags(platform="scr", component="api", repository="scr-api", tags=[kept])
    tags = ignored(document, [record], [], [])
    facts = Facts(document, make.state(active=None), [], [], make.AT + timedelta(minutes=3), ignored=tags)
    (sentence,) = in_environment(subject("sha-3f9c2ab", document, [], tags), facts)
    assert sentence.startswith("Tag sha-3f9c2ab (api) was pushed and ignored 3m ago: sha-3f9c2ab does not match")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("000000b", "staging runs 000000b."),
        ("000000c", "000000c is ready and about to start (at the latest with the next sweep, within 5 minutes)."),
        ("000000a", "000000a is older than 000000b in staging."),
        ("ffffff0", "ffffff0 ended Failed here 0s ago (SmokeTestFailed)."),
        ("eeeeee0", "eeeeee0 was there before the platform was applied, so nothing starts it automatically."),
        ("aaaaaaa", "aaaaaaa is no release yet: no image with such a tag has been pushed to scr-api, "),
        (
            "sha-3f9c2ab",
            "sha-3f9c2ab does not match tagPattern (?P<version>[0-9a-f]{7,40}). Push the images as 3f9c2ab",
        ),
    ],
)
def test_in_an_environment(scr_document: dict[str, Any], text: str, told: str) -> None:
    document = platform(scr_document)
    failed = OLD.but(version="ffffff0", components=make.images("ffffff0", "f"))
    baseline = OLD.but(version="eeeeee0", status=ReleaseStatus.BASELINE)
    releases = [OLD, failed, baseline, RUNS, NEW]
    current = Running(version="000000b", deployment=None, digests={}, at=make.AT)
    settled = {"ffffff0": Settled(phase=Phase.FAILED, reason="SmokeTestFailed", at=make.AT)}
    state = make.state(active=None, current=current).but(settled=settled)
    facts = Facts(document, state, releases, [], make.AT)
    (sentence,) = in_environment(of(text, document, releases=releases), facts)
    assert sentence.startswith(told)
