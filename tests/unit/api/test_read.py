"""What is to be seen: platforms, environments, releases, deployments, timelines."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.api import read
from ferryman.api.views.live_services import Counts
from ferryman.messages import timeline
from ferryman.records import (
    EventType,
    Hold,
    Phase,
    PlannedCheck,
    ReleaseStatus,
    RolloutProgress,
    Running,
    SemverName,
    Verified,
    step_keys,
)
from ferryman.store.logs import add_log
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import ENV, JO, World, idle
from unit.fakes.clock import FakeClock, FakeIds

ID = "01K00000000000000000000DEP"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    return world


def test_a_read_looks_at_a_bounded_number_of_semver_tags(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_NAMES", 2)
    for name in ("v1.0.0", "v1.1.0", "v1.2.0"):
        world.put(SemverName(platform="scr", name=name, status="Refused", message="x", first_seen_at=make.AT))

    _, body = world.call("GET", "/v1/platforms/scr/releases", ignored="true")

    assert [item["tag"] for item in body["ignored"]] == ["v1.2.0", "v1.1.0"]


def test_platforms(world: World) -> None:
    _, body = world.call("GET", "/v1/platforms")

    assert [(p["name"], p["generation"], p["environments"]) for p in body["platforms"]] == [
        ("scr", 1, ["staging", "production"])
    ]


def test_no_platform_yet(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    assert World(store, clock, new_id).call("GET", "/v1/platforms") == (200, {"platforms": []})


def test_an_unknown_platform_names_those_that_exist(world: World) -> None:
    status, body = world.call("GET", "/v1/platforms/nope")

    assert (status, body["error"]["message"]) == (404, "no platform is named 'nope'; known platforms: scr")


def test_status_of_a_platform(world: World) -> None:
    hold = Hold(reason="load test", who=JO, at=make.AT)
    world.put(make.release("0001234"), make.release(first_seen_at=make.AT + timedelta(hours=1)), idle(hold=hold))

    _, body = world.call("GET", "/v1/platforms/scr")

    env = body["environments"][0]
    assert (body["generation"], env["name"], env["ready"], env["summary"]) == (1, "staging", "Unknown", "Held")
    assert (env["current"]["version"], env["hold"]["reason"], env["active"]) == ("0001234", "load test", None)
    assert [(item["version"], item["reason"]) for item in env["newer"]] == [("abc1234", "Held")]


def test_status_while_something_is_under_way(world: World) -> None:
    world.put(make.state(), make.deployment())
    world.clock.forward(seconds=90)

    _, env = world.call("GET", ENV)

    active = env["active"]
    assert (active["id"], active["phase"], active["elapsedSeconds"], active["ended"]) == (ID, "Running", 90, False)


def test_a_fresh_environment(world: World) -> None:
    status, env = world.call("GET", ENV)

    assert (status, env["summary"], env["headline"]) == (200, "Empty", "runs nothing yet")


def test_releases_newest_first(world: World) -> None:
    proof = Verified(deployment=ID, digests={}, at=make.AT)
    newer = make.release("bbb1234", first_seen_at=make.AT + timedelta(hours=1), status=ReleaseStatus.ASSEMBLING)
    current = Running(version="abc1234", deployment=ID, digests={}, at=make.AT)
    world.put(make.release(verified={"staging": proof}), newer, idle(current=current))

    _, body = world.call("GET", "/v1/platforms/scr/releases")

    assert [
        (r["version"], r["status"], r["missing"], list(r["verified"]), r["runsIn"]) for r in body["releases"]
    ] == [
        ("bbb1234", "Assembling", ["ai-gateway"], [], []),
        ("abc1234", "Ready", ["ai-gateway"], ["staging"], ["staging"]),
    ]  # fmt: skip
    assert len(world.call("GET", "/v1/platforms/scr/releases", limit="1")[1]["releases"]) == 1


def test_history_newest_first(world: World) -> None:
    world.put(*(make.deployment(id=f"01K{n}", version=str(n), phase=Phase.FAILED, ended_at=make.AT) for n in range(3)))

    _, body = world.call("GET", f"{ENV}/history", limit="2")

    assert [(d["version"], d["phase"], d["ended"]) for d in body["deployments"]] == [
        ("2", "Failed", True),
        ("1", "Failed", True),
    ]


def test_explain(world: World) -> None:
    world.put(idle())

    _, body = world.call("GET", f"{ENV}/explain")

    assert body["summary"] == "UpToDate"
    assert body["sentences"][0].startswith("staging runs 0001234 since")


class TestEvents:
    @pytest.fixture(autouse=True)
    def _lines(self, world: World) -> None:
        deployment = make.deployment()
        world.put(make.state(), deployment)
        later, before = make.AT + timedelta(seconds=1), make.AT - timedelta(days=1)
        new_id = world.new_id
        world.store.write(
            timeline.event(deployment, EventType.STARTED, "began", at=make.AT, new_id=new_id),
            timeline.environment_event("scr", "staging", EventType.HELD, "held", at=later, new_id=new_id, who=JO),
            timeline.environment_event("scr", None, EventType.APPLIED, "applied", at=before, new_id=new_id, who=JO),
        )

    def test_of_the_environment_and_its_latest_deployments(self, world: World) -> None:
        _, body = world.call("GET", f"{ENV}/events")
        assert [line["type"] for line in body["events"]] == ["Applied", "Started", "Held"]

    def test_the_latest_ones_count(self, world: World) -> None:
        _, body = world.call("GET", f"{ENV}/events", limit="1")
        assert [line["type"] for line in body["events"]] == ["Held"]

    @pytest.mark.parametrize("deployment", [ID, "latest", "active"])
    def test_of_one_deployment(self, world: World, deployment: str) -> None:
        _, body = world.call("GET", f"{ENV}/events", deployment=deployment)
        assert [line["type"] for line in body["events"]] == ["Started"]

    def test_of_an_unknown_deployment(self, world: World) -> None:
        assert world.call("GET", f"{ENV}/events", deployment="nope")[0] == 404


class TestDeployment:
    def test_shows_steps_that_have_not_begun(self, world: World) -> None:
        check = PlannedCheck(name="x", url="https://x", status=[200], attempts=1, delay_seconds=1, timeout_seconds=1)
        world.put(
            make.state(), make.deployment(plan=make.plan(checks=[check]), steps=make.passed(upto=step_keys.ADMIT))
        )

        _, body = world.call("GET", f"{ENV}/deployments/active")

        assert [(step["key"], step["status"], step["wave"]) for step in body["steps"]] == [
            ("begin_deployment", "Succeeded", None),
            ("admit_deployment", "Succeeded", None),
            ("rollout/scr-api", "Pending", 0),
            ("rollout/scr-web", "Pending", 1),
            ("smoke_test", "Pending", None),
        ]
        assert body["waves"] == [["scr-api"], ["scr-web"]]
        assert body["steps"][2]["timeoutSeconds"] == 600

    def test_shows_the_way_back_last_wave_first(self, world: World) -> None:
        done = make.passed()
        for name in make.SERVICES:
            done[step_keys.rollout(name, "back")] = make.rollout(name, direction="back")
        world.put(idle(), make.deployment(phase=Phase.ROLLED_BACK, steps=done, ended_at=make.AT))

        _, body = world.call("GET", f"{ENV}/deployments/latest")

        assert [step["key"] for step in body["steps"]][-2:] == ["rollback/scr-web", "rollback/scr-api"]
        assert body["ended"]

    def test_shows_the_log_lines_that_are_records_of_their_own_and_those_of_0_1_0(self, world: World) -> None:
        failed = {
            step_keys.rollout("scr-api", "forward"): make.rollout("scr-api", "Failed"),
            step_keys.rollout("scr-web", "forward"): make.rollout("scr-web", "Failed", logs=["kept inside"]),
        }
        found = make.deployment(phase=Phase.FAILED, steps={**make.passed(upto=step_keys.MIGRATION), **failed})
        world.put(idle(), found)
        world.store.write(add_log(found.id, "rollout/scr-api", ["no route to host"], make.AT))

        _, body = world.call("GET", f"{ENV}/deployments/latest")

        logs = {step["key"]: step["logs"] for step in body["steps"] if step["logs"]}
        assert logs == {"rollout/scr-api": ["no route to host"], "rollout/scr-web": ["kept inside"]}

    def test_shows_the_log_of_the_step_that_decided_it_however_many_there_are(self, world: World) -> None:
        names = [f"a-{number:02d}" for number in range(40)]
        steps = {step_keys.rollout(name, "forward"): make.rollout(name, "Failed") for name in names}
        first = steps[step_keys.rollout("a-39", "forward")].but(started_at=make.AT - timedelta(minutes=1))
        plan = make.plan(waves=[["a-39", *names[:-1]]], services={name: make.planned(name) for name in names})
        found = make.deployment(
            phase=Phase.FAILED, plan=plan, steps={**steps, step_keys.rollout("a-39", "forward"): first}
        )
        world.put(idle(), found)
        for name in names:
            world.store.write(add_log(found.id, step_keys.rollout(name, "forward"), [name], make.AT))

        _, body = world.call("GET", f"{ENV}/deployments/latest")

        shown = [step["service"] for step in body["steps"] if step["logs"]]
        assert len(shown) == 21
        assert "a-39" in shown

    @pytest.mark.parametrize(
        ("down", "ecs_deployment", "counts"),
        [
            pytest.param(False, "ecs-svc/1", (2, 1, 4), id="asks-ecs"),
            pytest.param(False, "ecs-svc/0", (2, 0, 0), id="not-of-another-rollout"),
            pytest.param(True, "ecs-svc/1", (2, 0, 0), id="recorded-ones-when-ecs-is-silent"),
        ],
    )
    def test_counts_of_a_running_rollout(
        self, world: World, down: bool, ecs_deployment: str, counts: tuple[int, int, int]
    ) -> None:
        progress = RolloutProgress(
            service="scr-api", direction="forward", ecs_deployment="ecs-svc/1", desired=2, running=0, failed=0
        )
        key = step_keys.rollout("scr-api", "forward")
        done = {**make.passed(upto=step_keys.MIGRATION), key: make.step("Running", rollout=progress)}
        world.put(make.state(), make.deployment(steps=done))
        world.outside.counts = {"scr-api": Counts(ecs_deployment, desired=2, running=1, failed=4)}
        world.outside.down = down

        _, body = world.call("GET", f"{ENV}/deployments/active")

        step = next(step for step in body["steps"] if step["key"] == key)
        assert (step["desired"], step["running"], step["failed"]) == counts

    def test_active_when_nothing_is(self, world: World) -> None:
        world.put(idle(), make.deployment(phase=Phase.FAILED))

        status, body = world.call("GET", f"{ENV}/deployments/active")

        assert (status, f"the last one, {ID}, ended Failed" in body["error"]["message"]) == (404, True)

    def test_latest_is_one_that_ran_rather_than_one_that_was_skipped(self, world: World) -> None:
        skipped = make.deployment(id="01KZ", version="1", phase=Phase.SUPERSEDED, superseded_by="2", steps={})
        world.put(idle(), make.deployment(phase=Phase.SUCCEEDED), skipped)

        assert world.call("GET", f"{ENV}/deployments/latest")[1]["id"] == ID
        assert world.call("GET", f"{ENV}/deployments/latest", version="1")[1]["id"] == "01KZ"
        assert world.call("GET", f"{ENV}/deployments/latest", version="9")[0] == 404

    def test_of_a_version_by_its_beginning_as_deploy_takes_it(self, world: World) -> None:
        """`watch --release 3f9c2ab` may begin before the push, when nobody can say in full what it waits for."""
        full, other = "3f9c2ab0d1e2f3a4b5c6d7e8f90123456789abcd", "3f9c2ab1d1e2f3a4b5c6d7e8f90123456789abcd"
        latest = f"{ENV}/deployments/latest"
        assert world.call("GET", latest, version="3f9c2ab")[0] == 404
        world.put(idle(), make.release(full), make.deployment(version=full, phase=Phase.SUCCEEDED))
        assert world.call("GET", latest, version="3f9c2ab")[1]["id"] == ID
        world.put(make.release(other))
        assert world.call("GET", latest, version="3f9c2ab")[0] == 404
        assert world.call("GET", latest, version="3f9c2ab0")[1]["id"] == ID

    def test_by_id(self, world: World) -> None:
        world.put(make.deployment(phase=Phase.SUCCEEDED))

        assert world.call("GET", f"{ENV}/deployments/{ID}")[1]["id"] == ID
        assert world.call("GET", f"{ENV}/deployments/nope")[0] == 404
