"""A sweep queues looks and looks at nothing itself; each look is one place, and none waits for another."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from ferryman.controller.shared_reads import SharedReads
from ferryman.errors import TransientError
from ferryman.platform import Platform, parse
from ferryman.records import AppliedPlatform, Running, ScheduledLook
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecs import CLUSTER
from unit.operating import Looks, World, document

V1 = "3f9c2ab"


def fan_out(world: World) -> list[tuple[str, str]]:
    """Let the schedule fire, deliver nothing, and return what was queued by this."""
    before = len(world.looks.queued)
    world.clock.forward(minutes=5)
    world.wake({"sweep": True})
    return [place(body) for body in world.looks.queued[before:]]


def place(body: str) -> tuple[str, str]:
    read = json.loads(body)
    return read["platform"], read["environment"]


def named(name: str, base: Platform) -> AppliedPlatform:
    data = base.dump()
    data["metadata"]["name"] = name
    return AppliedPlatform(
        name=name, generation=1, document=data, applied_by="ada", applied_at=datetime.fromisoformat("2026-01-01T00:00Z")
    )


class Counting:
    """A client that counts its calls by their names."""

    def __init__(self, client: Any, calls: Counter[str]) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(*args: Any, **request: Any) -> Any:
            self._calls[name] += 1
            return found(*args, **request)

        return call


class TestFanOut:
    def test_queues_each_environment_each_platform_and_all_together_and_looks_at_none(self, world: World) -> None:
        world.release(V1)

        assert fan_out(world) == [("scr", ""), ("scr", "staging"), ("", "")]
        assert world.told() == []

    def test_what_is_still_queued_is_not_queued_again(self, world: World) -> None:
        fan_out(world)

        assert fan_out(world) == []

    def test_what_was_looked_at_is_queued_again(self, world: World) -> None:
        world.sweep()

        assert len(fan_out(world)) == 3

    def test_a_lost_message_stops_an_environment_for_a_quarter_of_an_hour_at_most(self, world: World) -> None:
        fan_out(world)
        world.looks.queued.clear()

        assert [len(fan_out(world)) for _ in range(3)] == [0, 0, 3]

    def test_who_dies_between_queueing_and_noting_costs_a_message_that_finds_its_look_done(self, world: World) -> None:
        class Dies(Looks):
            def queue(self, places: Any, queued_at: datetime) -> Any:
                super().queue(places, queued_at)
                raise KeyboardInterrupt

        world.looks = dies = Dies()
        with pytest.raises(KeyboardInterrupt):
            fan_out(world)
        assert world.gauges == [], "silence, which the alarm takes for trouble"
        world.looks = Looks()
        world.looks.queued = dies.queued
        assert len(fan_out(world)) == 3, "nothing was noted: all are queued again"
        world.clock.forward(seconds=1)
        world.gauges.clear()
        world.look()
        assert len(world.gauges) == 2, "one look, in spite of two messages"

    def test_what_the_queue_does_not_take_is_queued_by_the_next_sweep(self, world: World) -> None:
        class Full(Looks):
            def queue(self, places: Any, queued_at: datetime) -> Any:
                return super().queue(places[:1], queued_at)

        world.looks = Full()
        with pytest.raises(TransientError, match="2 of 3 looks were not queued"):
            fan_out(world)
        assert world.gauges == []
        world.looks = Looks()
        assert fan_out(world) == [("scr", "staging"), ("", "")]

    def test_a_look_that_ends_in_the_middle_is_no_conflict_for_the_others(self, world: World) -> None:
        class Fast(Looks):
            def queue(self, places: Any, queued_at: datetime) -> Any:
                super().queue(places, queued_at)
                world.store.write(Save(ScheduledLook(platform="scr", environment="staging", looked_at=queued_at)))
                return list(places)

        world.looks = Fast()
        fan_out(world)
        noted = {(one.platform, one.environment): one.queued_at for one in world.store.scheduled_looks()}
        assert noted == {("scr", ""): world.clock(), ("scr", "staging"): None, ("", ""): world.clock()}

    def test_a_document_without_environments_stops_nobody(self, world: World) -> None:
        for name, spec in (("a", None), ("b", {"spec": "x"}), ("c", {"spec": {"environments": []}})):
            world.store.write(
                Save(named(name, world.document).but(document=spec or {}))
            )  # fmt: skip

        assert {("a", ""), ("b", ""), ("c", ""), ("scr", "staging")} < set(fan_out(world))

    def test_three_hundred_environments_take_a_call_for_each_ten_and_a_poison_one_delays_none(
        self, world: World
    ) -> None:
        for number in range(298):
            world.store.write(Save(named(f"p{number:03}", world.document)))
        broken = named("broken", world.document)
        del broken.document["apiVersion"]
        world.store.write(Save(broken))
        calls: Counter[str] = Counter()
        world.looks = Counting(world.looks, calls)  # type: ignore[assignment]
        dynamodb = world.store._dynamodb
        world.store._dynamodb = Counting(dynamodb, calls)  # type: ignore[assignment]

        queued = fan_out(world)

        assert len(queued) == 300 * 2 + 1
        assert calls["queue"] == calls["transact_write_items"] == 61
        assert sum(calls.values()) < 150
        world.store._dynamodb = dynamodb
        world.look()
        assert {place(body)[0] for body in world.failed} == {"broken"}
        left = {(one.platform, one.environment) for one in world.store.scheduled_looks() if one.queued_at}
        assert left == {("broken", ""), ("broken", "staging")}


class TestOldest:
    def test_an_environment_whose_looks_fail_is_the_oldest(self, world: World) -> None:
        broken = named("broken", world.document)
        del broken.document["apiVersion"]
        world.store.write(Save(broken))
        ages = []
        for _ in range(13):
            world.gauges.clear()
            world.sweep()
            ages.append(max(seconds for name, seconds, _ in world.gauges if name == "OldestUnreconciled"))
        assert ages == [300.0 * number for number in range(13)]

    def test_looks_that_nobody_carries_out_are_told(self, world: World) -> None:
        for _ in range(12):
            fan_out(world)

        assert world.gauges[-1] == ("OldestUnreconciled", 3300.0, {})


class TestLook:
    def test_what_the_comparison_finds_reaches_environments_that_were_looked_at_before(self, world: World) -> None:
        fan_out(world)
        world.looks.queued.sort(key=lambda body: place(body) != ("scr", "staging"))
        for component in ("api", "web"):
            world.push(component, V1)
        world.nudges.sent.clear()

        world.look()

        assert world.told() == []
        assert world.nudges.sent == [("scr", "staging", 0)]
        world.nudges.sent.clear()
        world.sweep()
        assert world.nudges.sent == [], "nothing new was found"

    def test_an_environment_that_is_gone_is_dropped(self, world: World) -> None:
        fan_out(world)
        data = world.document.dump()
        data["spec"]["environments"]["qa"] = data["spec"]["environments"].pop("staging")
        stored = world.store.platform("scr")
        world.store.write(Save(stored.but(document=parse(data).dump())))

        world.look()

        assert world.failed == []

    def test_a_platform_that_is_gone_is_dropped(self, world: World) -> None:
        world.looks.queue([("gone", ""), ("gone", "staging")], world.clock())

        world.look()

        assert world.failed == []

    def test_a_message_that_comes_twice_brings_one_look(self, world: World) -> None:
        fan_out(world)
        world.looks.queued = [body for body in world.looks.queued for _ in range(2)]
        world.clock.forward(seconds=1)
        world.gauges.clear()

        world.look()

        assert len(world.gauges) == 2

    def test_a_nudge_of_an_earlier_version_is_a_nudge(self, world: World) -> None:
        world.release(V1)

        world.reconcile()

        assert world.told() == [(V1, "Pending")]
        assert world.store.scheduled_looks() == []


class TestShared:
    @pytest.fixture(params=["base-api", "ssm:/ferryman/scr/base"])
    def redeployed(self, request: pytest.FixtureRequest, world: World) -> World:
        """A sweep has read a base before it changed; the environment was deployed with the new one since."""
        old = world.ecs.new_definition("base-api", "x")
        world.parameters.values["/ferryman/scr/base"] = old
        waves = document().dump()["spec"]["environments"]["staging"]["waves"]
        waves[0]["services"][0]["baseTaskDefinition"] = request.param
        digests = {part: world.ecr.push(f"scr-{part}", V1, f"{part} {V1}", at=world.clock()) for part in ("api", "web")}
        world.apply(document(waves=waves, onBaseChange="deploy", movingTags=[]))
        fan_out(world)
        world.shared.begin(world.clock())
        world.shared.references.text("ssm:/ferryman/scr/base")
        world.shared.latest_revision("base-api")
        new = world.ecs.new_definition("base-api", "x", cpu="512")
        world.parameters.values["/ferryman/scr/base"] = new
        target = world.state.last_succeeded
        assert target is not None
        runs = Running(version=V1, deployment="d", digests=digests, at=world.clock())
        after = target.but(bases={**target.bases, "scr-api": new})
        world.store.update_state("scr", "staging", lambda state: state.but(current=runs, last_succeeded=after))
        return world

    def test_what_was_read_before_a_deployment_starts_no_other_one(self, redeployed: World) -> None:
        redeployed.look()

        assert redeployed.failed == []
        assert redeployed.told() == []

    def test_what_belongs_to_whom_is_asked_anew(self, world: World) -> None:
        world.parameters.values["/ferryman/scr/cluster"] = CLUSTER
        world.apply(document(cluster="ssm:/ferryman/scr/cluster"))
        world.parameters.values["/ferryman/scr/cluster"] = "former"
        fan_out(world)
        world.shared.begin(world.clock())
        world.shared.references.text("ssm:/ferryman/scr/cluster")
        world.parameters.values["/ferryman/scr/cluster"] = CLUSTER

        world.look()

        owned = [thing for one in world.store.ownerships() for thing in one.things if "scr-api" in thing]
        assert owned
        assert not [thing for thing in owned if "former" in thing]

    def test_what_has_changed_starts_one(self, redeployed: World) -> None:
        newer = redeployed.ecs.new_definition("base-api", "x", cpu="1024")
        redeployed.parameters.values["/ferryman/scr/base"] = newer

        redeployed.look()

        assert redeployed.told() == [(V1, "Pending")]


def with_services(count: int) -> Platform:
    data = document().dump()
    services = [
        {"name": f"s{number:02}", "component": "api", "container": "app", "baseTaskDefinition": "base"}
        for number in range(count)
    ]
    data["spec"]["environments"]["staging"]["waves"] = [{"name": "one", "services": services}]
    data["spec"]["environments"]["staging"]["cluster"] = "ssm:/ferryman/scr/cluster"
    return parse(data)


@pytest.mark.parametrize(("services", "most"), [(1, 8), (10, 8), (11, 9), (30, 10)])
def test_a_look_at_an_idle_environment_makes_a_fixed_number_of_calls(
    store: Store, clock: FakeClock, new_id: FakeIds, services: int, most: int
) -> None:
    """Beside base task definitions, repositories and parameters, which one sweep reads once."""
    world = World(store, clock, new_id)
    world.parameters.values["/ferryman/scr/cluster"] = CLUSTER
    applied = with_services(services)
    world.ecs.new_definition("base", "x")
    for number in range(services):
        world.ecs.new_service(f"s{number:02}", world.ecs.new_definition(f"s{number:02}", "registry.example/scr-api:x"))
    calls: Counter[str] = Counter()
    world.apply(applied)
    digest = world.ecr.push("scr-api", V1, "runs", at=clock())
    world.ecr.tags["scr-api"] |= {"staging-latest": digest, "staging-current": digest}
    runs = Running(version=V1, deployment="d", digests={"api": digest}, at=clock())
    world.store.update_state("scr", "staging", lambda state: state.but(current=runs))
    for _ in range(2):
        world.sweep()
    dynamodb, ecs, ecr = store._dynamodb, world.ecs, world.ecr
    shared = Counter[str]()
    world.shared = SharedReads(Counting(ecr, shared), Counting(ecs, shared), Counting(world.parameters, shared))
    world.ecs, world.ecr = Counting(ecs, calls), Counting(ecr, calls)  # type: ignore[assignment]
    # What never changes is known from the first look in a sandbox on.
    world.sweep()
    fan_out(world)
    world.looks.queued = [body for body in world.looks.queued if place(body) == ("scr", "staging")]
    store._dynamodb = Counting(dynamodb, calls)  # type: ignore[assignment]
    calls.clear()
    shared.clear()

    world.look()

    assert world.failed == []
    assert sum(calls.values()) <= most, calls
    assert calls["describe_services"] == (services + 9) // 10
    assert shared == {
        "describe_task_definition": 1,
        "describe_repositories": 1,
        "describe_images": 1,
        "get_parameter": 1,
    }
