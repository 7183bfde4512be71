"""Tags that are no releases: which are shown, why, and what to do."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.explain.environment import explain
from ferryman.decisions.explain.ignored import headline, ignored, sentences
from ferryman.platform import Platform, parse
from ferryman.records import IgnoredTag, IgnoredTags, Image, Release, Running, SemverName
from unit import builders as make

MINUTE = timedelta(minutes=1)
NOW = make.AT + 60 * MINUTE
CALVER = r"(?P<version>v[0-9]+\.[0-9]+\.[0-9]+)"


@pytest.fixture
def document(scr_document: dict[str, Any]) -> Platform:
    return parse(scr_document)


def kept(component: str, *tags: tuple[str, int], repository: str | None = None) -> IgnoredTags:
    found = [IgnoredTag(tag=tag, digest=make.digest("c"), at=make.AT + at * MINUTE) for tag, at in tags]
    return IgnoredTags(platform="scr", component=component, repository=repository or f"scr-{component}", tags=found)


def named(name: str, status: Any, message: str = "", at: int = 10) -> SemverName:
    return SemverName(platform="scr", name=name, status=status, message=message, first_seen_at=make.AT + at * MINUTE)


def running(version: str = "0001234", at: int = 5) -> Release:
    return make.release(version).but(first_seen_at=make.AT + at * MINUTE, ready_at=make.AT + at * MINUTE)


def test_one_row_for_the_same_tag_on_several_images_newest_first(document: Platform) -> None:
    found = ignored(document, [kept("web", ("sha-1", 9), ("x", 1)), kept("api", ("sha-1", 8))], [], [])
    assert [(item.tag, item.components, item.reason) for item in found] == [
        ("sha-1", ["api", "web"], "NoMatch"),
        ("x", ["web"], "NoMatch"),
    ]
    assert found[0].at == make.AT + 9 * MINUTE
    assert found[0].pattern == document.spec.tag_pattern


def test_the_document_of_today_decides(document: Platform, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["tagPattern"] = r"(?:sha-)?(?P<version>[0-9a-f]+)"
    records = [kept("api", ("sha-1", 1)), kept("gone", ("x", 1)), kept("web", ("x", 1), repository="old-web")]
    assert [item.tag for item in ignored(document, records, [], [])] == ["sha-1"]
    assert ignored(parse(scr_document), records, [], []) == []


def test_another_tag_of_an_image_in_a_release_is_left_out(document: Platform) -> None:
    image = Image(digest=make.digest("c"), tag="0001234", first_seen_at=make.AT)
    released = running().but(components={"api": image})
    assert ignored(document, [kept("api", ("latest", 9))], [], [released]) == []
    assert [i.tag for i in ignored(document, [kept("web", ("latest", 9))], [], [released])] == ["latest"]


def test_semver_tags_that_name_no_release(scr_document: dict[str, Any], document: Platform) -> None:
    names = [named("v1.0.0", "Bound"), named("v1.1.0", "Refused", "it has no version tag"), named("v1.2.0", "Waiting")]
    assert [(i.tag, i.reason, i.refused) for i in ignored(document, [], names, [])] == [
        ("v1.2.0", "SemverName", False),
        ("v1.1.0", "SemverName", True),
    ]
    scr_document["spec"]["tagPattern"] = CALVER
    (calver,) = ignored(parse(scr_document), [], [named("v2024.10.0", "Waiting", "is waiting for images of web")], [])
    assert f"never a version, although tagPattern {CALVER} matches it; it names no release yet" in calver.message


def test_in_words(document: Platform) -> None:
    tags = [(f"sha-{number}a{number}b{number}c{number}", number) for number in range(1, 6)]
    found = ignored(document, [kept("api", *tags), kept("web", *tags)], [], [])
    told = sentences(found, "scr", NOW)
    assert told[0] == (
        "Tag sha-5a5b5c5 (api, web) was pushed and ignored 55m ago: sha-5a5b5c5 does not match tagPattern "
        "(?P<version>[0-9a-f]{7,40}). Push the images as 5a5b5c5, or change tagPattern so that it matches sha-5a5b5c5."
    )
    assert told[3:] == ["2 more newer tags are no releases; to list them, run `ferryman releases --ignored -p scr`."]
    assert (headline([]), headline(found[:1])) == ("", "tag sha-5a5b5c5 is no release")
    assert headline(found) == "5 newer tags are no releases"
    assert sentences(found[:4], "scr", NOW)[3].startswith("1 more newer tag is no release;")


def test_a_build_cache_is_said_to_be_no_image_unless_an_image_carries_the_tag_too(document: Platform) -> None:
    cache, image = kept("api", ("x", 1)), kept("web", ("x", 2))
    cache = cache.but(tags=[item.but(artifact=True) for item in cache.tags])
    (found,) = ignored(document, [cache], [], [])
    assert (found.artifact, found.next_step) == (True, "")
    assert found.message == "x names no container image, but a build cache or the like"
    assert not ignored(document, [cache, image], [], [])[0].artifact


class TestExplained:
    def explain(self, document: Platform, *tags: tuple[str, int], runs: bool = True, **state: Any) -> Any:
        now = Running(version="0001234", deployment=None, digests={}, at=make.AT + 6 * MINUTE)
        there = make.state(active=None, current=now if runs else None).but(**state)
        found = ignored(document, [kept("api", *tags)] if tags else [], [], [])
        return explain(document, there, [running()] if runs else [], [], NOW, ignored=found)

    def test_where_they_are_newer_than_what_runs(self, document: Platform) -> None:
        told = self.explain(document, ("sha-3f9c2ab", 9), ("sha-0000000", 1))
        assert (told.summary, told.headline) == (
            "UpToDate",
            "runs 0001234; no newer release, but tag sha-3f9c2ab is no release",
        )
        assert [item.tag for item in told.ignored] == ["sha-3f9c2ab"]
        assert told.sentences[1] == "No newer release is known."
        assert told.sentences[2].startswith("Tag sha-3f9c2ab (api) was pushed and ignored 51m ago: ")
        assert "up to date" not in " ".join(told.sentences)

    def test_a_tag_that_was_pushed_before_an_approval_and_after_the_release_is_newer(self, document: Platform) -> None:
        """The release runs since minute 6 and was pushed in minute 5."""
        assert len(self.explain(document, ("sha-3f9c2ab", 6)).ignored) == 1

    @pytest.mark.parametrize("kind", ["moves", "artifact"])
    @pytest.mark.parametrize("runs", [True, False])
    def test_what_moves_with_every_build_is_listed_and_not_told(
        self, document: Platform, kind: str, runs: bool
    ) -> None:
        now = Running(version="0001234", deployment=None, digests={}, at=make.AT + 6 * MINUTE)
        there = make.state(active=None, current=now if runs else None)
        record = kept("api", ("buildcache", 9))
        record = record.but(tags=[item.but(**{kind: True}) for item in record.tags])
        found = ignored(document, [record], [], [])
        told = explain(document, there, [running()] if runs else [], [], NOW, ignored=found)
        assert [item.tag for item in found] == ["buildcache"]
        assert "buildcache" not in f"{told.headline} {told.sentences}"
        assert told.ignored == []

    def test_where_nothing_runs_all_count(self, document: Platform) -> None:
        told = self.explain(document, ("sha-3f9c2ab", 1), runs=False)
        assert told.headline == "runs nothing yet; tag sha-3f9c2ab is no release"

    def test_what_was_adopted_without_a_version_counts_from_its_adoption(self, document: Platform) -> None:
        adopted = Running(version=None, deployment=None, digests={}, at=make.AT + 6 * MINUTE)
        told = self.explain(document, ("sha-1", 5), ("sha-2", 7), current=adopted)
        assert [item.tag for item in told.ignored] == ["sha-2"]

    def test_nothing_changes_where_nothing_was_ignored(self, document: Platform) -> None:
        told = self.explain(document)
        assert told.headline == "runs 0001234; nothing newer"
        assert told.sentences[1] == "No newer release is known: the environment is up to date."
