"""Re-tagging a release: the same bytes or nothing, whatever is lost, throttled, moved meanwhile or run again."""

import json
from pathlib import Path
from typing import Any

import pytest

from ferryman.contracts import PromoteImagesInput, PromoteImagesOutput
from ferryman.errors import ClaimLost, Conflict, NotItsTurn, Throttled, Unavailable
from ferryman.records import AbortRequest, Deployment, Phase, PlannedTag, Step, step_keys
from ferryman.records.writes import Save
from ferryman.steps import promote_images
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecr import FakeEcr, refused

LATEST, NAME = "production-latest", "v1.0.0"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


class World:
    """A deployment that is admitted; its release's images are in ECR, tagged with their version alone."""

    def __init__(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        self.store, self.clock, self.new_id = store, clock, new_id
        self.ecr = FakeEcr("scr-api", "scr-web")
        self.digests = {name: self.ecr.push(f"scr-{name}", "abc1234", name) for name in ("api", "web")}
        self.event = PromoteImagesInput(
            platform="scr", environment="production", deployment="01K00000000000000000000DEP", fence=make.FENCE
        )
        self.store.write(Save(make.state(environment="production")))

    def planned(self, *, tags: tuple[str, ...] = (LATEST,), semver: str | None = None, **changes: Any) -> None:
        promotions = [
            PlannedTag(component=name, repository=f"scr-{name}", digest=digest, tag=tag)
            for name, digest in self.digests.items()
            for tag in tags
        ]
        repositories = {name: f"scr-{name}" for name in self.digests}
        plan = make.plan(promotions=promotions, semver=semver, repositories=repositories)
        fields: dict[str, Any] = {"plan": plan, "digests": self.digests, "steps": make.passed(upto=step_keys.ADMIT)}
        self.store.write(Save(make.deployment(environment="production", **fields | changes)))

    def name(self, *components: str) -> None:
        for component in components or ("api", "web"):
            self.ecr.tags[f"scr-{component}"][NAME] = self.digests[component]

    def run(self) -> PromoteImagesOutput:
        return promote_images.promote(self.event, store=self.store, ecr=self.ecr, clock=self.clock, new_id=self.new_id)

    @property
    def deployment(self) -> Deployment:
        return self.store.deployment("scr", "production", self.event.deployment)

    @property
    def step(self) -> Step:
        return self.deployment.steps[step_keys.PROMOTION]

    def tags(self, tag: str = LATEST) -> dict[str, str | None]:
        return {name: self.ecr.tags[f"scr-{name}"].get(tag) for name in self.digests}

    def told(self) -> list[str]:
        return [str(event.type) for event in self.store.timeline(self.event.deployment)]


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def test_every_tag_points_at_the_very_digests(world: World) -> None:
    world.planned(tags=(LATEST, "live"))
    assert world.run() == PromoteImagesOutput(verdict="Promoted", reason="Promoted")
    assert world.tags() == world.tags("live") == world.digests
    assert (str(world.step.status), world.step.reason) == ("Succeeded", "Promoted")
    assert world.told() == ["StepStarted", "StepEnded", "Promoted"]
    event = world.store.timeline(world.event.deployment)[-1]
    assert event.detail == {"digests": world.digests, "tags": [LATEST, "live"], "semver": None}


@pytest.mark.parametrize("media", [DOCKER, DOCKER_LIST, OCI, OCI_INDEX])
def test_manifests_of_every_kind_keep_their_bytes(world: World, media: str) -> None:
    children = [{"digest": "sha256:amd", "platform": {"os": "linux", "architecture": "amd64"}}]
    content = {"manifests": children} if media in (DOCKER_LIST, OCI_INDEX) else {"layers": ["x"]}
    # Odd spaces: whoever parses and writes it again makes other bytes.
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media, **content}, indent=3) + "\n "
    world.digests["api"] = world.ecr._store("scr-api", None, manifest, media, None)
    world.planned()
    assert world.run().verdict == "Promoted"
    assert world.tags() == world.digests


def test_twice_changes_nothing_more(world: World) -> None:
    world.planned()
    first, step = world.run(), world.step
    world.ecr.calls.clear()
    assert world.run() == first
    assert (world.step, world.ecr.calls) == (step, [])


def test_tags_that_are_there_already_are_left_alone(world: World) -> None:
    world.planned()
    for name, digest in world.digests.items():
        world.ecr.tags[f"scr-{name}"][LATEST] = digest
    assert world.run().verdict == "Promoted"
    assert "PutImage" not in world.ecr.calls


@pytest.mark.parametrize("changes", [{"plan": make.plan()}], ids=["no-tags-no-name"])
def test_nothing_to_promote_is_skipped(world: World, changes: dict[str, Any]) -> None:
    world.planned(**changes)
    assert world.run().verdict == "Skipped"
    assert (world.ecr.calls, world.told()) == ([], [])


def test_an_abort_comes_first(world: World) -> None:
    world.planned(abort=AbortRequest(reason="no", who="ada", at=make.AT))
    assert world.run().verdict == "Aborted"
    assert world.ecr.calls == []


# ── stops ──


def assert_stopped(world: World, reason: str, said: str) -> None:
    assert world.run() == PromoteImagesOutput(verdict="Failed", reason=reason)
    assert (str(world.step.status), world.step.reason) == ("Failed", reason)
    assert said in world.step.message
    assert "Promoted" not in world.told()
    calls = len(world.ecr.calls)
    assert world.run().verdict == "Failed"
    assert len(world.ecr.calls) == calls


def test_an_immutable_tag_that_is_taken_stops_and_is_named(world: World) -> None:
    world.planned()
    before = world.ecr.push("scr-web", LATEST, "other")
    world.ecr.immutable.add("scr-web")
    assert_stopped(world, "TagImmutable", f"tag {LATEST} of scr-web already names another image")
    assert world.tags()["web"] == before


@pytest.mark.parametrize("semver", [None, NAME])
def test_an_image_that_is_gone_stops_before_the_first_tag(world: World, semver: str | None) -> None:
    world.planned(semver=semver)
    world.name()
    world.ecr.delete("scr-web", world.digests["web"])
    said = "is gone" if semver else f"scr-web no longer has image {world.digests['web']}"
    assert_stopped(world, "DigestMismatch", said)
    assert world.tags() == {"api": None, "web": None}


def test_other_bytes_under_the_digest_stop(world: World) -> None:
    world.planned()
    world.ecr.images["scr-web"][world.digests["web"]]["manifest"] += " "
    assert_stopped(world, "DigestMismatch", "ECR computed another digest")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (("api",), f"scr-web:{NAME} is gone, not at"),
        ((), f"scr-api:{NAME} is gone, not at"),
    ],
)
def test_a_semver_tag_that_is_not_on_all_images_stops(world: World, named: tuple[str, ...], said: str) -> None:
    world.planned(semver=NAME)
    if named:
        world.name(*named)
    assert_stopped(world, "DigestMismatch", said)
    assert world.tags() == {"api": None, "web": None}


def test_a_semver_tag_that_moved_stops_and_says_where(world: World) -> None:
    world.planned(semver=NAME)
    world.name()
    other = world.ecr.push("scr-web", NAME, "other")
    assert_stopped(world, "DigestMismatch", f"scr-web:{NAME} points at {other}, not at {world.digests['web']}")
    assert world.tags() == {"api": None, "web": None}


def test_a_semver_tag_on_all_images_goes_on(world: World) -> None:
    world.planned(semver=NAME)
    world.name()
    assert world.run().verdict == "Promoted"
    assert NAME in world.step.message
    world_tags = world.tags()
    assert world_tags == world.digests


def test_a_semver_tag_is_checked_where_no_tag_moves(world: World) -> None:
    world.planned(tags=(), semver=NAME)
    world.name("api")
    assert_stopped(world, "DigestMismatch", f"scr-web:{NAME} is gone")


def test_a_tag_that_somebody_moves_after_it_was_set_stops(world: World) -> None:
    world.planned()
    other = world.ecr.push("scr-api", None, "other")
    # Set right after the second image is tagged: only the comparison at the end can see it.
    put = world.ecr.put_image

    def racing(**request: Any) -> dict[str, Any]:
        answer = put(**request)
        if request["repositoryName"] == "scr-web":
            world.ecr.tags["scr-api"][LATEST] = other
        return answer

    world.ecr.put_image = racing  # type: ignore[method-assign]
    assert_stopped(world, "DigestMismatch", f"scr-api:{LATEST} points at {other}")


def test_a_refusal_is_our_fault_and_named(world: World) -> None:
    world.planned()
    world.ecr.trouble.before["PutImage"] = [refused("PutImage", "AccessDeniedException")]
    assert world.run() == PromoteImagesOutput(verdict="Failed", reason="AccessDeniedException")
    assert str(world.step.status) == "Errored"
    assert "PutImage was refused" in world.step.message


# ── again ──


@pytest.mark.parametrize("operation", ["PutImage"])
def test_a_lost_answer_leads_to_the_same(world: World, operation: str) -> None:
    world.planned()
    world.ecr.trouble.lose_answer(operation)
    with pytest.raises(Unavailable):
        world.run()
    assert str(world.step.status) == "Running"
    assert world.run().verdict == "Promoted"
    assert world.tags() == world.digests
    assert world.ecr.calls.count("PutImage") == 2
    assert world.told() == ["StepStarted", "StepEnded", "Promoted"]


@pytest.mark.parametrize("operation", ["DescribeImages", "BatchGetImage", "PutImage"])
def test_throttling_is_worth_another_try(world: World, operation: str) -> None:
    world.planned()
    world.ecr.trouble.throttle(operation)
    with pytest.raises(Throttled):
        world.run()
    assert world.run().verdict == "Promoted"


@pytest.mark.parametrize("writes", [0, 1])
def test_a_crash_at_each_write_leads_to_the_same(world: World, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world.planned()
    write, done = world.store.write, []

    def crashing(*items: Any) -> None:
        if len(done) == writes:
            raise Unavailable("killed")
        done.append(items)
        write(*items)

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "write", crashing)
        with pytest.raises(Unavailable):
            world.run()
    assert world.run().verdict == "Promoted"
    assert world.tags() == world.digests
    assert world.told() == ["StepStarted", "StepEnded", "Promoted"]


def test_a_tag_that_is_moved_the_very_moment_is_tried_again(world: World) -> None:
    world.planned()
    other = world.ecr.push("scr-api", None, "other")
    world.ecr.meanwhile = lambda: world.ecr.tags["scr-api"].update({LATEST: other})
    with pytest.raises(Conflict):
        world.run()
    assert world.run().verdict == "Promoted"


def test_without_the_claim_no_tag_moves(world: World) -> None:
    world.planned()
    state = world.store.state("scr", "production")
    assert state.active is not None
    world.store.write(Save(state.but(active=state.active.but(fence=99))))
    with pytest.raises(ClaimLost):
        world.run()
    assert "PutImage" not in world.ecr.calls


def test_a_claim_that_is_lost_half_way_moves_no_further_tag(world: World) -> None:
    world.planned()

    def lose() -> None:
        state = world.store.state("scr", "production")
        assert state.active is not None
        world.store.write(Save(state.but(active=state.active.but(fence=99))))

    world.ecr.meanwhile = lose
    with pytest.raises(ClaimLost):
        world.run()
    assert world.tags() == {"api": world.digests["api"], "web": None}


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[3] / "events" / "promote_images").glob("*.json")), ids=lambda path: path.stem
)
def test_recorded_events_fit_the_contract(path: Path) -> None:
    event = PromoteImagesInput.model_validate_json(path.read_text())
    assert event.platform == "scr"


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK])
def test_what_is_not_approved_or_goes_back_moves_no_tag(world: World, phase: Phase) -> None:
    world.planned(phase=phase)
    with pytest.raises(NotItsTurn):
        world.run()
    assert world.tags() == {"api": None, "web": None}
    assert step_keys.PROMOTION not in world.deployment.steps
