"""A deployment that a person asks for: what passes a hold, a freeze and a soak, and when it is refused."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions.snapshot import ImageScan
from ferryman.records import (
    Phase,
    ReleaseStatus,
    Request,
    Settled,
    Waiver,
)
from unit import builders as make
from unit.api_world import JO, KIM, World
from unit.starting import (
    ENV,
    FREEZE,
    HOLD,
    ID,
    PLACE,
    A,
    B,
    C,
    D,
    ask,
    change,
    claim,
    deployment,
    digests,
    lines,
    refused,
    release,
    running,
    state,
)


class TestDeploy:
    def test_is_recorded_with_who_and_which_images(self, world: World) -> None:
        world.put(running())

        status, body = ask(world, "deploy", release=D, reason=" hotfix ")

        assert (status, body["changed"], body["version"], body["digests"]) == (200, True, D, digests(D))
        assert "Ada Lovelace, Grace Hopper will be asked to approve it" in body["message"]
        assert state(world).requested == Request(version=D, kind="deploy", reason="hotfix", who=JO, at=world.clock.at)
        [event] = world.store.timeline(f"scr#{ENV}")
        assert (str(event.type), event.who, event.detail["digests"]) == ("DeployRequested", JO, digests(D))
        assert (event.detail["source"], event.detail["version"]) == ("203.0.113.7, ferryman/1", D)
        assert world.outside.nudged == [("scr", ENV)]

    @pytest.mark.parametrize(
        ("named", "version"),
        [
            pytest.param(D, D, id="version"),
            pytest.param("v1.4.0", D, id="semver"),
            pytest.param("ddd1234", D, id="prefix-that-is-all"),
            pytest.param("fedcba9", "fedcba9876", id="prefix"),
            pytest.param("fedcba9876", "fedcba9876", id="all-of-it"),
        ],
    )
    def test_names_of_a_release(self, world: World, named: str, version: str) -> None:
        before = world.store.release("scr", D)
        assert before is not None
        long = release(D).but(version="fedcba9876", rev=0)
        world.put(before.but(names=["v1.4.0"]), long, running())

        assert ask(world, "deploy", release=named)[1]["version"] == version

    def test_twice_asks_once(self, world: World) -> None:
        world.put(running())
        ask(world, "deploy", release=D)
        status, body = ask(world, "deploy", who=KIM, release=D)

        assert (status, body["changed"]) == (200, False)
        assert lines(world) == [("DeployRequested", JO)]

    def test_takes_the_place_of_another_wish(self, world: World) -> None:
        wish = Request(version=C, kind="redeploy", reason="", who=KIM, at=make.AT)
        world.put(running(requested=wish))

        assert f"instead of {C}, which {KIM} requested" in ask(world, "deploy", release=D)[1]["message"]

    @pytest.mark.parametrize("what", ["deploy", "retry", "redeploy"])
    def test_takes_no_way_back_away(self, world: World, what: str) -> None:
        wish = Request(version=B, kind="rollback", reason="checkout fails", who=KIM, at=make.AT)
        settled = Settled(phase=Phase.FAILED, reason="x", at=make.AT)
        world.put(running(requested=wish, hold=None if what == "deploy" else HOLD, settled={D: settled}))
        body: dict[str, Any] = {"release": D, "confirm": "DEPLOY"} if what == "deploy" else {"reason": "x"}
        body |= {"resume": True} if what == "retry" else {}
        before = state(world)

        status, answer = world.call("POST", f"{PLACE}/{what}", body, who=JO)

        assert (status, f"{KIM} requested a rollback of production to {B}" in answer["error"]["message"]) == (
            409,
            True,
        ), answer
        assert state(world) == before

    def test_waits_for_the_end_of_another_deployment(self, world: World) -> None:
        world.put(running(B, A, active=claim(C)), deployment(C))

        assert f"once deployment {ID} has ended" in ask(world, "deploy", release=D)[1]["message"]

    def test_of_a_release_that_failed_is_a_persons_right(self, world: World) -> None:
        from ferryman.records import Settled

        settled = Settled(phase=Phase.REJECTED, reason="Rejected", at=make.AT)
        world.put(running(settled={D: settled}))

        assert ask(world, "deploy", release=D)[0] == 200

    @pytest.mark.parametrize(
        ("fields", "standing", "body", "words"),
        [
            pytest.param({}, {}, {"confirm": ""}, "--confirm DEPLOY", id="not-confirmed"),
            pytest.param({}, {}, {"confirm": "deploy"}, "typing DEPLOY", id="confirmed-in-lower-case"),
            pytest.param({}, {}, {"confirm": "DEPLOY "}, "typing DEPLOY", id="confirmed-with-a-space"),
            pytest.param({"triggers": ["tag"]}, {}, {}, "Add `manual`", id="no-manual-trigger"),
            pytest.param({}, {}, {"release": "a" * 7}, "a is Assembling, not Ready", id="assembling"),
            pytest.param({}, {}, {"release": "b" * 7}, "no image of web", id="misses-a-component"),
            pytest.param({}, {}, {"release": C}, "ferryman redeploy production", id="runs-already"),
            pytest.param({}, {}, {"release": A}, f"ferryman rollback production --release {A}", id="older"),
            pytest.param({}, {}, {"release": "e" * 7}, "not verified in staging", id="not-verified"),
            pytest.param({"soak": "1h"}, {}, {}, "must soak in staging", id="soaks"),
            pytest.param({"scan": {}}, {}, {}, "has 1 CRITICAL finding", id="scan-blocks"),
            pytest.param({}, {"freeze": FREEZE}, {}, "until a person runs `ferryman thaw", id="frozen"),
            pytest.param({}, {"hold": HOLD}, {}, "ferryman resume production", id="held"),
            pytest.param({}, {"active": claim(D)}, {}, "ferryman watch production", id="on-its-way"),
            pytest.param({}, {"active": claim(D)}, {"release": C}, "ferryman rollback", id="runs-and-is-replaced"),
        ],
    )
    def test_is_refused(
        self, world: World, fields: dict[str, Any], standing: dict[str, Any], body: dict[str, Any], words: str
    ) -> None:
        images = release(D).components
        world.put(
            release(D).but(version="a" * 7, status=ReleaseStatus.ASSEMBLING),
            release(D).but(version="b" * 7, components={name: images[name] for name in ("api", "ai-gateway")}),
            release(D).but(version="e" * 7, verified={}),
            running(**standing),
        )
        if standing.get("active"):
            world.put(deployment())
        change(world, **fields)
        world.outside.image_scans = (
            ImageScan("api", "Complete", {"CRITICAL": 1}),
            ImageScan("ai-gateway", "Complete"),
            ImageScan("web", "Complete"),
        )
        before = state(world)

        refused(world, ask(world, "deploy", **{"release": D, **body}), words, before)

    def test_a_waiver_lets_it_pass(self, world: World) -> None:
        waiver = Waiver(reason="not reachable", who=KIM, at=make.AT, until=world.clock.at + timedelta(days=1))
        world.put(running(waivers={D: waiver}))
        change(world, scan={})

        assert ask(world, "deploy", release=D)[0] == 200

    @pytest.mark.parametrize(
        ("named", "status", "words"),
        [
            pytest.param("0000000", 404, "the latest are: ", id="unknown"),
            pytest.param("ddd123", 404, "there is no release", id="too-short"),
            pytest.param("fedcba9", 409, "is ambiguous: it matches fedcba91, fedcba92", id="ambiguous"),
            pytest.param("", 422, "release", id="empty"),
        ],
    )
    def test_names_that_do_not_do(self, world: World, named: str, status: int, words: str) -> None:
        world.put(release(D).but(version="fedcba91"), release(D).but(version="fedcba92"), running())

        found, body = ask(world, "deploy", release=named)

        assert (found, words in body["error"]["message"]) == (status, True), body
        assert state(world).requested is None
