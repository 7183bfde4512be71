"""Tags that can never be a release are kept, bounded, whatever the order of events and however many there are."""

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ferryman.errors import Conflict
from ferryman.platform import parse
from ferryman.records import IgnoredTag, IgnoredTags
from ferryman.releases.ignored_tags import ALIKE, MOST, newest
from ferryman.store import items
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecr import refused
from unit.operating import World, document

V1 = "aaaaaaa1"
MINUTE = timedelta(minutes=1)
NEVER = ["sha-3f9c2ab", "git-3f9c2ab", "3F9C2AB", "v2024.09.3", "latest", "main"]


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    world.apply()
    return world


def kept(world: World, component: str = "api") -> list[str]:
    record = world.store.ignored_tags_of("scr", component)
    return [item.tag for item in record.tags] if record else []


def count_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    written: list[Any] = []
    write = world.store.write
    monkeypatch.setattr(world.store, "write", lambda *writes: (written.append(writes), write(*writes))[1])
    return written


class TestPushed:
    @pytest.mark.parametrize("tag", NEVER)
    def test_the_first_job_of_a_team_pushes_a_tag_that_can_never_be_a_release(self, world: World, tag: str) -> None:
        assert world.receive(world.push("api", tag)) == ["scr: Ignored (unknown tag)"]
        (found,) = world.store.ignored_tags("scr")
        assert found.dump() | {"rev": 0} == {
            "platform": "scr",
            "component": "api",
            "repository": "scr-api",
            "tags": [
                {
                    "tag": tag,
                    "digest": world.ecr.tags["scr-api"][tag],
                    "at": _iso(world),
                    "moves": False,
                    "artifact": False,
                }
            ],
            "rev": 0,
        }

    def test_a_duplicate_writes_nothing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        event = world.push("api", "sha-3f9c2ab")
        world.receive(event)
        before = world.store.ignored_tags("scr")
        written = count_writes(world, monkeypatch)
        world.clock.forward(hours=1)
        world.receive(event)
        assert (world.store.ignored_tags("scr"), written) == (before, [])

    def test_many_orders_of_the_events_end_in_the_same_record(self, world: World) -> None:
        events = [world.push("api", tag) for tag in ("sha-1", "pr-1", "pr-2", "pr-3", "pr-4", "main")]
        found = set()
        for order in list(itertools.permutations(events))[::37]:
            world.store._dynamodb.delete_item(
                TableName="ferryman", Key={"pk": {"S": "IGNORED#scr"}, "sk": {"S": "api"}}
            )
            for event in (*order, order[0], order[-1]):
                world.receive(event)
            found.add(tuple(kept(world)))
        assert found == {("main", "pr-4", "pr-3", "pr-2", "sha-1")}

    def test_a_second_tag_of_a_release_s_image_is_not_kept(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """`latest` and a tag of the pull request beside the commit: that is done on purpose, with each build."""
        world.receive(world.push("api", V1))
        written = count_writes(world, monkeypatch)
        for name in ("latest", "pr-7", "staging-current", "staging-latest"):
            world.receive(world.tag("api", V1, name))
        assert (kept(world), written) == ([], [])

    def test_latest_that_moves_all_day_is_one_entry_and_costs_one_write_for_a_push(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = count_writes(world, monkeypatch)
        for content in ("one", "two", "three"):
            event = world.push("api", "latest", content)
            for _ in range(3):
                world.receive(event)
        assert (kept(world), len(written)) == (["latest"], 3)
        assert world.store.ignored_tags("scr")[0].tags[0].digest == world.ecr.tags["scr-api"]["latest"]

    @pytest.mark.parametrize("tag", [f"sha256-{'a' * 64}.sig", f"sha256-{'a' * 64}.att", f"sha256-{'a' * 64}"])
    def test_signatures_and_other_attachments_are_not_kept(self, world: World, tag: str) -> None:
        world.receive(world.push("api", tag))
        world.sweep()
        assert kept(world) == []

    def test_a_tag_that_no_image_can_have_is_not_asked_of_ecr(self, world: World) -> None:
        event = world.event("scr-api", "x" * 129)
        world.ecr.calls.clear()
        assert world.receive(event) == ["scr: Ignored (unknown tag)"]
        assert (kept(world), world.ecr.calls) == ([], [])

    def test_a_tag_that_is_gone_is_not_kept(self, world: World) -> None:
        world.receive(world.event("scr-api", "sha-3f9c2ab"))
        assert kept(world) == []

    def test_an_event_time_in_the_future_does_not_outrank_later_tags(self, world: World) -> None:
        world.receive({**world.push("api", "sha-1"), "time": "2099-01-01T00:00:00+00:00"})
        now = world.clock()
        world.receive(world.push("api", "sha-2"))
        assert kept(world) == ["sha-2", "sha-1"]
        assert world.store.ignored_tags("scr")[0].tags[1].at == now


class TestManyAndTogether:
    def test_ten_thousand_tags_of_pull_requests_leave_a_small_record_with_every_kind_of_tag(self) -> None:
        tags = [_tag("sha-3f9c2ab", 0), *(_tag(f"pr-{number}", number) for number in range(1, 10_001))]
        found: list[IgnoredTag] = []
        for at in range(0, len(tags), 500):
            found = newest([*found, *tags[at : at + 500]])
        assert [item.tag for item in found] == ["pr-10000", "pr-9999", "pr-9998", "sha-3f9c2ab"]

    def test_the_largest_record_is_small(self) -> None:
        once = [_tag(letter * 64, number) for number, letter in enumerate(letters(100))]
        moving = [_tag(letter * 63, number).but(moves=True) for number, letter in enumerate(letters(100))]
        tags = newest([*once, *moving])
        record = IgnoredTags(platform="p" * 24, component="c" * 24, repository="r" * 256, tags=tags)
        assert len(tags) == 2 * MOST
        assert len(json.dumps(items.item(record))) < 24_000

    def test_no_more_than_three_that_differ_in_numbers_only(self) -> None:
        assert len(newest(_tag(f"SHA-{number:07x}", number) for number in range(50))) == ALIKE

    def test_two_writers_at_once_lose_nothing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second = world.push("api", "sha-3f9c2ab"), world.push("api", "git-3f9c2ab")
        write, raced = world.store.write, []

        def racing(*writes: Any) -> None:
            if not raced:
                raced.append(True)
                world.receive(second)  # the other one, between our reading and our writing
            write(*writes)

        monkeypatch.setattr(world.store, "write", racing)
        world.receive(first)
        assert (raced, kept(world)) == ([True], ["git-3f9c2ab", "sha-3f9c2ab"])

    def test_a_writer_that_always_loses_leaves_it_to_the_sweep(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(world.store, "attempts", lambda most=10: range(most))
        with monkeypatch.context() as patched:
            patched.setattr(world.store, "write", _late_for_tags(world.store.write))
            assert world.receive(world.push("api", "sha-3f9c2ab")) == ["scr: Ignored (unknown tag)"]
        assert kept(world) == []
        world.sweep()
        assert kept(world) == ["sha-3f9c2ab"]

    def test_a_throttled_ecr_fails_no_event(self, world: World) -> None:
        event = world.push("api", "sha-3f9c2ab")
        world.ecr.trouble.throttle("DescribeImages")
        assert world.receive(event) == ["scr: Ignored (unknown tag)"]

    def test_a_lost_answer_of_the_table_is_no_harm(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """The write worked and its answer was lost: the event comes again and finds its own tag."""
        write, lost = world.store.write, []

        def losing(*writes: Any) -> None:
            write(*writes)
            if not lost:
                lost.append(True)
                raise Conflict("the answer was lost")

        monkeypatch.setattr(world.store, "write", losing)
        event = world.push("api", "sha-3f9c2ab")
        world.receive(event)
        world.receive(event)
        assert (lost, kept(world)) == ([True], ["sha-3f9c2ab"])


def letters(number: int) -> list[str]:
    """Words of two letters, without numbers."""
    return [chr(ord("g") + at % 20) + chr(ord("g") + at // 20) for at in range(number)]


class TestMoving:
    def test_a_branch_tag_is_marked_when_it_is_seen_on_another_image(self, world: World) -> None:
        world.receive(world.push("api", "main", "one"))
        assert [item.moves for item in world.store.ignored_tags("scr")[0].tags] == [False]
        world.receive(world.push("api", "main", "two"))
        world.sweep()
        assert [item.moves for item in world.store.ignored_tags("scr")[0].tags] == [True]

    @pytest.mark.parametrize("tag", ["sha-3f9c2ab", "20241001120000-main"])
    def test_a_commit_that_was_built_again_is_still_meant_once(self, world: World, tag: str) -> None:
        world.receive(world.push("api", tag, "one"))
        world.receive(world.push("api", tag, "two"))
        assert [item.moves for item in world.store.ignored_tags("scr")[0].tags] == [False]

    @pytest.mark.parametrize("by", ["event", "sweep"])
    def test_a_build_cache_is_marked_by_its_type(self, world: World, by: str) -> None:
        """As buildx stores it: `--cache-to type=registry,image-manifest=true,oci-mediatypes=true,ref=…:buildcache`."""
        cache = {"config": {"mediaType": "application/vnd.buildkit.cacheconfig.v0"}}
        image = {"config": {"mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": ["x"]}
        world.ecr.push_manifest("scr-api", cache, "buildcache")
        world.ecr.push_manifest("scr-api", image, "main")
        if by == "sweep":
            world.sweep()
        else:
            for tag in ("buildcache", "main"):
                world.receive(world.event("scr-api", tag))
        found = {item.tag: item.artifact for item in world.store.ignored_tags("scr")[0].tags}
        assert found == {"buildcache": True, "main": False}

    @pytest.mark.parametrize("kind", ["moves", "artifact"])
    def test_what_moves_with_every_build_pushes_out_nothing_that_was_seen_once(self, kind: str) -> None:
        moving = [_tag(tag, 10 + at).but(**{kind: True}) for at, tag in enumerate(letters(100))]
        found = newest([_tag("sha-3f9c2ab", 0), *moving])
        assert [item.tag for item in found if item.once] == ["sha-3f9c2ab"]
        assert len(found) == 1 + MOST

    def test_moving_tags_that_are_alike_end_in_the_same_record_again(self, world: World) -> None:
        for content in ("one", "two"):
            for number in range(30):
                world.receive(world.push("api", f"pr-{number}", f"{content} {number}"))
        world.sweep()
        before = world.store.ignored_tags("scr")
        world.sweep()
        assert (world.store.ignored_tags("scr"), kept(world)) == (before, ["pr-29", "pr-28", "pr-27"])


class TestSwept:
    def test_a_tag_whose_event_was_lost_counts_from_the_push_of_its_image(self, world: World) -> None:
        world.push("api", "sha-3f9c2ab")
        pushed_at = world.clock()
        world.sweep()
        assert kept(world) == ["sha-3f9c2ab"]
        assert world.store.ignored_tags("scr")[0].tags[0].at == pushed_at

    def test_the_event_and_the_sweep_in_either_order_end_in_the_same_record(self, world: World) -> None:
        event = world.push("api", "sha-3f9c2ab")
        world.sweep()
        world.receive(event)
        before = world.store.ignored_tags("scr")
        world.sweep()
        world.receive(event)
        assert world.store.ignored_tags("scr") == before

    def test_the_time_of_a_tag_on_an_older_image_stays_that_of_its_event(self, world: World) -> None:
        """ECR knows when an image was pushed, and not when a tag was put on it."""
        world.receive(world.push("api", "old"))
        world.clock.forward(hours=1)
        world.receive(world.tag("api", "old", "sha-3f9c2ab"))
        before = world.store.ignored_tags("scr")
        world.sweep()
        assert [item.at for item in before[0].tags] == sorted((item.at for item in before[0].tags), reverse=True)
        assert world.store.ignored_tags("scr") == before

    def test_a_sweep_that_finds_nothing_new_writes_nothing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(30):
            world.push("api", f"pr-{number}")
        world.sweep()
        written = count_writes(world, monkeypatch)
        world.sweep()
        ours = [item for writes in written for item in writes if isinstance(item.record, IgnoredTags)]
        assert (ours, kept(world)) == ([], ["pr-29", "pr-28", "pr-27"])

    def test_what_ecr_has_no_more_is_forgotten(self, world: World) -> None:
        world.receive(world.push("api", "sha-3f9c2ab"))
        world.ecr.delete("scr-api", world.ecr.tags["scr-api"]["sha-3f9c2ab"])
        world.sweep()
        assert kept(world) == ["sha-3f9c2ab"], "it may have been pushed while ECR was listed"
        world.clock.forward(minutes=15)
        world.sweep()
        assert kept(world) == []

    def test_what_is_in_a_release_by_now_is_forgotten(self, world: World) -> None:
        world.receive(world.push("api", "latest", "same"))
        world.receive(world.push("api", V1, "same"))
        world.clock.forward(minutes=20)
        world.sweep()
        assert kept(world) == []

    def test_another_repository_begins_anew(self, world: World) -> None:
        world.receive(world.push("api", "sha-3f9c2ab"))
        world.ecr.images["shop-api"], world.ecr.tags["shop-api"] = {}, {}
        stored = document().dump()
        stored["spec"]["components"]["api"]["repository"] = "shop-api"
        world.apply(parse(stored))
        world.sweep()
        assert kept(world) == []

    def test_a_race_with_an_event_is_left_to_the_next_sweep(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.push("api", "sha-3f9c2ab")
        with monkeypatch.context() as patched:
            patched.setattr(world.store, "write", _late_for_tags(world.store.write))
            world.sweep()
        assert kept(world) == []
        world.sweep()
        assert kept(world) == ["sha-3f9c2ab"]


def test_an_ecr_that_refuses_is_an_error_as_for_every_push(world: World) -> None:
    event = world.push("api", "sha-3f9c2ab")
    world.ecr.trouble.before["DescribeImages"] = [refused("DescribeImages", "AccessDeniedException")]
    with pytest.raises(Exception, match="AccessDenied"):
        world.receive(event)


def _late_for_tags(write: Callable[..., None]) -> Callable[..., None]:
    def late(*rows: Any) -> None:
        if any(isinstance(getattr(row, "record", None), IgnoredTags) for row in rows):
            raise Conflict("somebody else was faster")
        write(*rows)

    return late


def _tag(tag: str, minutes: int) -> IgnoredTag:
    return IgnoredTag(tag=tag, digest=make.digest("a"), at=make.AT + minutes * MINUTE)


def _iso(world: World) -> str:
    return world.clock().isoformat().replace("+00:00", "Z")
