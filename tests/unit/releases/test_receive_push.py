"""From push events to releases: any order, any number, any kind of nonsense."""

import itertools
from typing import Any

import pytest
from pydantic import ValidationError

from ferryman.errors import Conflict, InvalidDocument
from ferryman.records import AppliedPlatform, ReleaseStatus
from ferryman.records.writes import Save
from ferryman.releases.receive_push import PushEvent
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World

V1, V2 = "aaaaaaa1", "aaaaaaa2"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    world.apply()
    return world


def test_the_last_image_completes_the_release_and_wakes_reconcile(world: World) -> None:
    assert world.receive(world.push("api", V1)) == ["scr: Recorded"]
    assert world.nudges.sent == []
    assert world.receive(world.push("web", V1)) == ["scr: Completed"]
    release = world.store.release("scr", V1)
    assert release is not None
    assert release.status is ReleaseStatus.READY
    assert release.ready_at == world.clock()
    assert release.digests == {"api": world.ecr.tags["scr-api"][V1], "web": world.ecr.tags["scr-web"][V1]}
    assert world.nudges.sent == [("scr", "staging", 0)]


def test_a_duplicate_changes_nothing_and_wakes_reconcile_again(world: World) -> None:
    """The first delivery may have died between the write and the nudge."""
    world.receive(world.push("api", V1))
    event = world.push("web", V1)
    world.receive(event)
    before = world.store.release("scr", V1)
    world.clock.forward(minutes=1)
    assert world.receive(event) == ["scr: Nothing"]
    assert world.store.release("scr", V1) == before
    assert len(world.nudges.sent) == 2


@pytest.mark.parametrize("early", [("api",), ("web",), ("api", "web")], ids=["api", "web", "both"])
def test_an_event_time_in_the_future_does_not_outrank_later_releases(world: World, early: tuple[str, ...]) -> None:
    for component in ("api", "web"):
        event = world.push(component, V1)
        world.receive({**event, "time": "2099-01-01T00:00:00+00:00"} if component in early else event)
    now = world.clock()
    for component in ("api", "web"):
        world.receive(world.push(component, V2))
    first, second = (world.store.release("scr", version) for version in (V1, V2))
    assert first is not None
    assert second is not None
    assert first.order < second.order
    assert first.first_seen_at <= now
    assert all(image.first_seen_at <= now for image in first.components.values())


def test_many_orders_of_the_events_give_the_same_releases(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    world = World(store, clock, new_id)
    world.apply()
    events = [world.push("web", V1), world.push("api", V2), world.push("api", V1), world.push("web", V2)]
    outcomes = set()
    for order in list(itertools.permutations(events))[::4]:
        for version in (V1, V2):
            _forget(world, version)
        for event in (*order, order[0]):
            world.receive(event)
        found = [world.store.release("scr", version) for version in (V1, V2)]
        outcomes.add(tuple((r.status, r.first_seen_at, str(sorted(r.digests.items()))) for r in found if r))
    assert len(outcomes) == 1
    ((first, second),) = outcomes
    assert first[1] < second[1]


def _forget(world: World, version: str) -> None:
    world.store._dynamodb.delete_item(TableName="ferryman", Key={"pk": {"S": "RELEASE#scr"}, "sk": {"S": version}})


@pytest.mark.parametrize(
    ("repository", "tag", "detail", "outcome", "counted"),
    [
        pytest.param("scr-api", "", {}, "Ignored (untagged)", "PushIgnored", id="empty-tag"),
        pytest.param("scr-api", None, {}, "Ignored (untagged)", "PushIgnored", id="no-tag"),
        pytest.param("scr-api", V1, {"action-type": "DELETE"}, "Ignored (DELETE SUCCESS)", "PushIgnored", id="delete"),
        pytest.param("scr-api", V1, {"result": "FAILURE"}, "Ignored (PUSH FAILURE)", "PushIgnored", id="failure"),
        pytest.param(
            "other",
            V1,
            {},
            "Ignored (no platform has this repository)",
            "PushUnknownRepository",
            id="unknown-repository",
        ),
        pytest.param("scr-api", "latest", {}, "scr: Ignored (unknown tag)", "PushUnknownTag", id="unknown-tag"),
        pytest.param("scr-api", "staging-latest", {}, "scr: Ignored (moving tag)", None, id="moving-tag"),
        pytest.param("scr-api", "staging-current", {}, "scr: Ignored (moving tag)", None, id="our-own-tag"),
        pytest.param("scr-api", V1, {}, "scr: Ignored (gone)", "PushGone", id="image-gone"),
    ],
)
def test_what_is_no_release_is_ignored_and_counted(
    world: World, repository: str, tag: str | None, detail: dict[str, Any], outcome: str, counted: str | None
) -> None:
    assert world.receive(world.event(repository, tag, **detail)) == [outcome]
    assert (counted in world.counted) if counted else world.counted == []
    assert world.store.releases("scr") == []


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"detail": None},
        {"time": "yesterday"},
        {"time": "2026-01-02T03:04:05"},
        {"source": "aws.s3"},
        {"detail": {"action-type": "PUSH", "result": "SUCCESS"}},
    ],
)
def test_a_malformed_event_is_refused(world: World, broken: dict[str, Any]) -> None:
    event = world.event("scr-api", V1) | broken if broken else {}
    with pytest.raises(ValidationError):
        PushEvent.model_validate(event)


def test_the_payload_s_digest_is_never_trusted(world: World) -> None:
    world.receive(world.push("api", V1) | {"id": "forged"})
    release = world.store.release("scr", V1)
    assert release is not None
    assert release.digests["api"] == world.ecr.tags["scr-api"][V1]


class TestOverwrittenTag:
    def test_before_the_release_is_complete_the_newer_image_counts(self, world: World) -> None:
        world.receive(world.push("api", V1, "first"))
        event = world.push("api", V1, "second")
        world.receive(event)
        assert world.release(V1).digests["api"] == world.ecr.tags["scr-api"][V1]

    def test_an_overwrite_whose_event_was_lost_is_seen_when_the_release_is_frozen(self, world: World) -> None:
        world.receive(world.push("api", V1, "first"))
        world.push("api", V1, "second")
        world.receive(world.push("web", V1))
        release = world.store.release("scr", V1)
        assert release is not None
        assert release.status is ReleaseStatus.READY
        assert release.digests["api"] == world.ecr.tags["scr-api"][V1]

    def test_an_image_that_vanished_keeps_the_release_incomplete(self, world: World) -> None:
        world.receive(world.push("api", V1))
        world.ecr.delete("scr-api", world.ecr.tags["scr-api"][V1])
        world.receive(world.push("web", V1))
        release = world.store.release("scr", V1)
        assert release is not None
        assert release.status is ReleaseStatus.ASSEMBLING
        assert set(release.digests) == {"web"}

    def test_after_that_the_frozen_digest_wins_and_is_reported_once(self, world: World) -> None:
        before = world.release(V1)
        event = world.push("web", V1, "overwritten")
        assert world.receive(event) == ["scr: Refused"]
        assert world.receive(event) == ["scr: Nothing"]
        after = world.store.release("scr", V1)
        assert after is not None
        assert after.digests == before.digests
        assert after.refused == {"web": world.ecr.tags["scr-web"][V1]}
        events = [event.type for event in world.store.timeline("scr#staging")]
        assert events.count("ImageRefused") == 1
        assert [message.channel for message in world.store.unsent()] == ["team"]
        world.sweep()
        assert [event.type for event in world.store.timeline("scr#staging")].count("ImageRefused") == 1


def test_a_lost_race_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write, failures = world.store.write, iter([True, True, False, False])

    def racing(*writes: Any) -> None:
        if next(failures, False):
            raise Conflict("somebody was faster")
        write(*writes)

    monkeypatch.setattr(world.store, "write", racing)
    assert world.receive(world.push("api", V1)) == ["scr: Recorded"]


def test_a_broken_platform_fails_loudly_after_the_others_had_their_turn(world: World) -> None:
    broken = AppliedPlatform(
        name="broken", generation=1, document={"kind": "Platform"}, applied_by="ada", applied_at=world.clock()
    )
    world.store.write(Save(broken))
    with pytest.raises(InvalidDocument):
        world.receive(world.push("api", V1))
    assert world.store.release("scr", V1) is not None


def test_a_broken_platform_is_not_in_the_way_of_a_push_that_is_none_of_its_business(world: World) -> None:
    """Pushes to every repository of the account arrive."""
    document = {"spec": {"components": {"api": {"repository": "broken-api"}}}}
    broken = AppliedPlatform(name="broken", generation=1, document=document, applied_by="ada", applied_at=world.clock())
    world.store.write(Save(broken))
    assert world.receive(world.event("other", V1)) == ["Ignored (no platform has this repository)"]
    assert world.receive(world.push("api", V1)) == ["scr: Recorded"]
    with pytest.raises(InvalidDocument):
        world.receive(world.event("broken-api", V1))
