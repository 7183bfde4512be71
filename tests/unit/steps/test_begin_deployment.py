"""Freezing the plan: from document, release and ECS to ids; and what speaks against it."""

import json
from typing import Any

import pytest

from ferryman.contracts import PlannedWave
from ferryman.errors import ClaimLost
from ferryman.records import (
    AbortRequest,
    AdoptedImages,
    Target,
    step_keys,
)
from ferryman.records.writes import Add
from ferryman.store.table import Store
from unit import builders as make
from unit.begin_world import World, plan_of
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecr import OCI_INDEX
from unit.fakes.planning import ACCOUNT, NAMES, LabelledEcr


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, scr_document, clock, new_id)


def test_the_plan_is_frozen_from_document_release_and_ecs(world: World) -> None:
    answer = world.begin()
    assert answer.verdict == "Planned"
    assert answer.waves == [PlannedWave(services=[name]) for name in NAMES]
    plan = plan_of(world)
    api = plan.services["scr-api-staging"]
    assert plan.generation == 3
    assert plan.cluster == f"{ACCOUNT}:cluster/scr-staging"
    assert api.image == f"registry.example/scr-api@{make.digest('a')}"
    assert api.base_task_definition.endswith(":task-definition/scr-api-staging:3")
    assert api.rollback_task_definition is None
    assert plan.migration.subnets == ["subnet-1", "subnet-2"]
    assert plan.checks[0].url == "https://api.staging.example/health"
    assert plan.checks[0].expect_json == {"version": "abc1234"}
    deployment = world.store.deployment("scr", "staging", world.event.deployment)
    assert deployment.step(step_keys.BEGIN).status.passed  # type: ignore[union-attr]


def test_a_second_run_keeps_the_first_plan(world: World) -> None:
    world.begin()
    first = plan_of(world)
    world.ssm.values["/ferryman/scr/staging/api-url"] = "https://changed.example"
    assert world.begin().waves
    assert plan_of(world) == first


def test_rollback_goes_to_the_last_success_not_to_what_was_there(world: World) -> None:
    target = make.state().last_succeeded
    assert target is not None
    world.state(last_succeeded=target.but(task_definitions={"scr-api-staging": "td:good"}))
    world.begin()
    assert plan_of(world).services["scr-api-staging"].rollback_task_definition == "td:good"


class WithIndex(LabelledEcr):
    """One image of the repositories is an index."""

    def __init__(self, digest: str, index: dict[str, Any]) -> None:
        super().__init__()
        self._digest, self._index = digest, index

    def batch_get_image(self, repositoryName: str, imageIds: Any, **more: Any) -> Any:  # noqa: N803 - boto3's own names
        answer = super().batch_get_image(repositoryName, imageIds, **more)
        if imageIds[0]["imageDigest"] == self._digest:
            answer["images"][0].update(imageManifest=json.dumps(self._index), imageManifestMediaType=OCI_INDEX)
        return answer


def test_a_way_back_to_tags_is_frozen_by_digest(world: World) -> None:
    """What ran when it was adopted: an index, of which ECS may tell the child that it pulled."""
    index = make.digest("d")
    children = [{"digest": f"sha256:{arch}", "platform": {"os": "linux", "architecture": arch},
                 "mediaType": "application/vnd.oci.image.manifest.v1+json"} for arch in ("amd64", "arm64")]  # fmt: skip
    world.ecr = WithIndex(index, {"mediaType": OCI_INDEX, "schemaVersion": 2, "manifests": children})
    target = make.state().last_succeeded
    assert target is not None
    world.state(last_succeeded=target.but(task_definitions={"scr-api-staging": "td:good"}))
    images = {"td:good": f"api={index}", "td:other": "api=sha256:1"}
    world.store.write(Add(AdoptedImages(platform="scr", environment="staging", images=images, at=make.AT)))
    world.begin()
    api = plan_of(world).services["scr-api-staging"]
    assert api.rollback_digests == {"api": index}
    assert api.rollback_children == ["sha256:amd64"]
    assert plan_of(world).services["scr-web-staging"].rollback_digests == {}


def test_services_that_cannot_show_anything_are_skipped(world: World) -> None:
    world.ecs.live["scr-web-staging"]["desiredCount"] = 0
    world.change(digests={"api": make.digest("a"), "web": make.digest("a")})
    world.begin()
    skips = {name: service.skip for name, service in plan_of(world).services.items()}
    assert skips == {
        "scr-api-staging": None,
        "scr-ai-gateway-staging": "NotInRelease",
        "scr-web-staging": "ScaledToZero",
    }


@pytest.mark.parametrize("desired", [1, 0], ids=["running", "scaled-to-zero"])
def test_what_was_left_astray_goes_back_whether_or_not_it_runs_tasks(world: World, desired: int) -> None:
    """Once it is scaled up, it must not run a release that failed."""
    world.ecs.live["scr-web-staging"]["desiredCount"] = desired
    target = Target(version="a1", deployment="D", task_definitions={"scr-web-staging": "td:good"})
    world.state(astray=True, last_succeeded=target)
    world.begin()
    services = plan_of(world).services
    assert {name: service.stray for name, service in services.items()} == {
        "scr-api-staging": False,
        "scr-ai-gateway-staging": False,
        "scr-web-staging": True,
    }


# ── migrations, and what a person does to the database ──


def test_an_abort_stops_before_anything_is_planned(world: World) -> None:
    world.change(abort=AbortRequest(reason="no", who="anna", at=make.AT))
    assert world.begin().verdict == "Aborted"
    assert plan_of(world) is None


def test_a_lost_claim_freezes_nothing(world: World) -> None:
    world.state(active=None)
    with pytest.raises(ClaimLost):
        world.begin()
    assert plan_of(world) is None
