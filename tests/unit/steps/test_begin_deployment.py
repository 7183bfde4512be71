"""Freezing the plan: from document, release and ECS to ids; and what speaks against it."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ferryman.clients.ssm import References
from ferryman.contracts import BeginDeploymentInput, PlannedWave
from ferryman.decisions.schema_compatibility import MIGRATIONS, UNSAFE
from ferryman.errors import ClaimLost, ReferenceUnresolved, VerificationFailed
from ferryman.platform import parse
from ferryman.records import (
    AbortRequest,
    AppliedPlatform,
    EnvironmentState,
    Image,
    MigrationClaim,
    Phase,
    Running,
    step_keys,
)
from ferryman.records.writes import Save
from ferryman.steps import begin_deployment as begin
from ferryman.steps.verify import verify
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds

ACCOUNT = "arn:aws:ecs:eu-west-1:123456789012"
NAMES = ("scr-api-staging", "scr-ai-gateway-staging", "scr-web-staging")
CONTAINERS = {"scr-api-staging": "api", "scr-ai-gateway-staging": "ai-gateway", "scr-web-staging": "web"}


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Ssm:
    """Parameters as Terraform writes them."""

    class _Missing(Exception):
        pass

    def __init__(self) -> None:
        base = "/ferryman/scr/staging"
        self.values = {
            f"{base}/private-subnet-ids": "subnet-1,subnet-2",
            f"{base}/task-security-group-ids": "sg-1",
            f"{base}/api-url": "https://api.staging.example/",
            f"{base}/web-url": "https://staging.example",
            f"{base}/task-definitions/scr-api-migrate-staging": f"{ACCOUNT}:task-definition/scr-api-migrate-staging:4",
            **{f"{base}/task-definitions/{name}": f"{ACCOUNT}:task-definition/{name}:3" for name in NAMES},
        }
        self.reads: list[str] = []

    def get_parameter(self, Name: str) -> Any:  # noqa: N803 - boto3's own name
        self.reads.append(Name)
        if Name not in self.values:
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": "?"}}, "GetParameter")
        return {"Parameter": {"Type": "String", "Value": self.values[Name]}}


class Ecs:
    """Three services as Terraform makes them."""

    def __init__(self) -> None:
        self.live = {
            name: {
                "serviceName": name,
                "serviceArn": f"{ACCOUNT}:service/scr-staging/{name}",
                "clusterArn": f"{ACCOUNT}:cluster/scr-staging",
                "status": "ACTIVE",
                "desiredCount": 1,
                "taskDefinition": f"{ACCOUNT}:task-definition/{name}:2",
                "deploymentController": {"type": "ECS"},
                "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            }
            for name in NAMES
        }
        self.containers = {**CONTAINERS, "scr-api-migrate-staging": "api"}
        self.architecture: dict[str, Any] = {}

    def describe_services(self, cluster: str, services: list[str], **_: Any) -> Any:
        return {"services": [self.live[name] for name in services if name in self.live], "failures": []}

    def describe_task_definition(self, taskDefinition: str, **_: Any) -> Any:  # noqa: N803 - boto3's own name
        family = taskDefinition.rsplit("/", 1)[-1].split(":")[0]
        return {
            "taskDefinition": {
                "taskDefinitionArn": taskDefinition,
                "family": family,
                "containerDefinitions": [{"name": self.containers[family], "image": "x"}],
                "requiresCompatibilities": ["FARGATE"],
                "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
                **self.architecture,
            },
            "tags": [],
        }


class Ecr:
    """Repositories with single images only; their configurations have the labels that a test gives to a digest."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str]] = {}
        self.down = False

    def config(self, digest: str) -> bytes:
        return json.dumps({"config": {"Labels": self.labels.get(digest, {})}}).encode()

    def get_download_url_for_layer(self, repositoryName: str, layerDigest: str) -> Any:  # noqa: N803 - boto3's own name
        if self.down:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetDownloadUrlForLayer")
        return {"downloadUrl": f"https://blobs.example/{layerDigest}"}

    def download(self, url: str) -> bytes:
        wanted = url.rsplit("/", 1)[-1]
        configs = [self.config(digest) for digest in (*self.labels, "none")]
        return next(config for config in configs if sha(config) == wanted)

    def describe_repositories(self, repositoryNames: list[str]) -> Any:  # noqa: N803 - boto3's own name
        return {
            "repositories": [{"repositoryName": n, "repositoryUri": f"registry.example/{n}"} for n in repositoryNames]
        }

    def batch_get_image(self, repositoryName: str, imageIds: Any, **_: Any) -> Any:  # noqa: N803 - boto3's own names
        media = "application/vnd.oci.image.manifest.v1+json"
        digest = imageIds[0]["imageDigest"]
        image = {
            "repositoryName": repositoryName,
            "imageId": {"imageDigest": digest},
            "imageManifest": json.dumps(
                {"schemaVersion": 2, "mediaType": media, "config": {"digest": sha(self.config(digest))}, "layers": []}
            ),
            "imageManifestMediaType": media,
        }
        return {"images": [image], "failures": []}


class World:
    def __init__(self, store: Store, document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> None:
        self.store, self.clock, self.new_id = store, clock, new_id
        self.ecs, self.ecr, self.ssm = Ecs(), Ecr(), Ssm()
        self.event = BeginDeploymentInput(
            platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE
        )
        applied = AppliedPlatform(name="scr", generation=3, document=document, applied_by="anna", applied_at=make.AT)
        digests = {name: make.digest("a") for name in ("api", "ai-gateway", "web")}
        deployment = make.deployment(phase=Phase.PENDING, plan=None, steps={}, digests=digests, started_at=None)
        store.write(Save(applied), Save(deployment), Save(make.state(last_succeeded=None)))

    def begin(self) -> Any:
        return begin.begin(
            self.event,
            store=self.store,
            ecs=self.ecs,
            ecr=self.ecr,
            download=self.ecr.download,
            references=References(self.ssm),
            clock=self.clock,
            new_id=self.new_id,
        )

    def change(self, **changes: Any) -> None:
        self.store.update_deployment(self.event, lambda before: before.but(**changes))

    def state(self, **changes: Any) -> EnvironmentState:
        return self.store.update_state("scr", "staging", lambda before: before.but(**changes))


@pytest.fixture
def world(store: Store, scr_document: dict[str, Any], clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, scr_document, clock, new_id)


def plan_of(world: World) -> Any:
    return world.store.deployment("scr", "staging", world.event.deployment).plan


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


def test_going_backwards_plans_no_migration(world: World) -> None:
    world.change(kind="rollback")
    world.begin()
    assert plan_of(world).migration is None


# ── migrations, and what a person does to the database ──

NEW, RUNS, LEFT = (make.digest(letter) for letter in "abc")
"""Images of the release that is deployed, of the one that runs, and of one that was left after it had migrated."""


def running(world: World, digest: str = RUNS) -> None:
    current = Running(version="0001234", deployment="01K0000000000000000000PREV", digests={"api": digest}, at=make.AT)
    world.state(current=current)


def migrated(world: World, version: str, hours: int, status: Any = "Succeeded") -> None:
    """The migration of a release ran here."""
    claim = MigrationClaim(
        platform="scr",
        environment="staging",
        version=version,
        attempt=1,
        deployment="01K0000000000000000000PREV",
        status=status,
        task_definition="td",
        client_token="fm-1",
        at=make.AT + timedelta(hours=hours),
    )
    world.store.write(Save(claim))


def test_the_plan_knows_the_migrations_of_its_image(world: World) -> None:
    world.ecr.labels = {NEW: {MIGRATIONS: "001,002", UNSAFE: "002"}, RUNS: {MIGRATIONS: "001"}}
    running(world)
    world.begin()
    assert (plan_of(world).migrations, plan_of(world).unsafe_migrations) == (["001", "002"], ["002"])


@pytest.mark.parametrize("why", ["no-labels", "denied", "other-bytes"])
def test_labels_that_cannot_be_read_stop_nothing(world: World, why: str) -> None:
    if why == "denied":
        world.ecr.down = True
    if why == "other-bytes":
        world.ecr.download = lambda url: b"{}"  # type: ignore[method-assign]
    assert world.begin().verdict == "Planned"
    assert (plan_of(world).migrations, plan_of(world).unsafe_migrations) == (None, [])


def test_a_way_back_knows_what_its_release_knows(world: World) -> None:
    world.ecr.labels = {NEW: {MIGRATIONS: "001"}, RUNS: {MIGRATIONS: "001,002"}}
    running(world)
    world.change(kind="rollback")
    world.begin()
    assert plan_of(world).migrations == ["001"]


def test_a_way_back_with_a_downgrade_runs_it_with_the_image_that_knows_it(world: World) -> None:
    world.ecr.labels = {NEW: {MIGRATIONS: "001"}, RUNS: {MIGRATIONS: "001,002"}}
    running(world)
    world.change(kind="rollback", command="down", revision="001")
    answer = world.begin()
    plan = plan_of(world)
    assert len(answer.waves) == 3
    assert plan.migration.command == ["alembic", "downgrade", "001"]
    assert plan.migration.image == f"registry.example/scr-api@{RUNS}"
    assert plan.migrations == ["001", "002"]
    assert plan.services["scr-api-staging"].digest == NEW


COMMANDS = [
    pytest.param("up", None, ["alembic", "upgrade", "head"], RUNS, id="up"),
    pytest.param("down", "001", ["alembic", "downgrade", "001"], LEFT, id="down"),
    pytest.param("current", None, ["alembic", "current"], LEFT, id="current"),
]


@pytest.mark.parametrize(("command", "revision", "words", "image"), COMMANDS)
def test_a_persons_command_is_all_there_is(
    world: World, command: Any, revision: str | None, words: list[str], image: str
) -> None:
    """The release that was left had migrated: only its image knows every migration that the database has."""
    left = {"api": Image(digest=LEFT, tag="ccc1234", first_seen_at=make.AT)}
    world.store.write(Save(make.release("ccc1234", components=left)))
    migrated(world, "0001234", 0)
    migrated(world, "ccc1234", 1)
    migrated(world, "ddd1234", 2, "Reverted")
    migrated(world, "0001234@01K0000000000000000000PREV", 3)
    running(world)
    world.change(kind="migrate", command=command, revision=revision, version="0001234")

    answer = world.begin()

    plan = plan_of(world)
    assert (answer.waves, answer.approval) == ([], False)
    assert (plan.services, plan.checks, plan.promotions) == ({}, [], [])
    assert (plan.migration.command, plan.migration.image) == (words, f"registry.example/scr-api@{image}")


@pytest.mark.parametrize(("command", "revision", "words", "image"), COMMANDS)
def test_a_command_runs_with_what_runs_when_nothing_migrated_here(
    world: World, command: Any, revision: str | None, words: list[str], image: str
) -> None:
    running(world)
    world.change(kind="migrate", command=command, revision=revision)
    world.begin()
    assert plan_of(world).migration.image == f"registry.example/scr-api@{RUNS}"


def test_a_command_has_nothing_to_do_with_the_services(world: World) -> None:
    running(world)
    world.ecs.live.pop("scr-web-staging")
    world.change(kind="migrate", command="current")
    assert world.begin().verdict == "Planned"


@pytest.mark.parametrize("what", ["no-migration", "no-command", "no-image", "no-revision"])
def test_a_command_that_cannot_be_run_is_an_error(world: World, scr_document: dict[str, Any], what: str) -> None:
    running(world)
    changes: dict[str, Any] = {"kind": "rollback", "command": "down", "revision": "001"}
    staging = scr_document["spec"]["environments"]["staging"]
    if what == "no-migration":
        del staging["migration"]
    elif what == "no-command":
        del staging["migration"]["downgrade"]
    elif what == "no-image":
        world.state(current=None)
    else:
        changes["revision"] = None
    applied = world.store.platform("scr")
    world.store.write(Save(applied.but(document=scr_document)))
    world.change(**changes)
    with pytest.raises(VerificationFailed, match="down"):
        world.begin()
    assert plan_of(world) is None


def broken_service(ecs: Ecs, **changes: Any) -> None:
    ecs.live["scr-api-staging"].update(changes)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(
            lambda ecs: ecs.live.pop("scr-api-staging"), "no active service 'scr-api-staging'", id="no-service"
        ),
        pytest.param(
            lambda ecs: broken_service(ecs, deploymentController={"type": "CODE_DEPLOY"}),
            "CODE_DEPLOY",
            id="code-deploy",
        ),
        pytest.param(
            lambda ecs: broken_service(ecs, deploymentConfiguration={"strategy": "BLUE_GREEN"}),
            "BLUE_GREEN",
            id="blue-green",
        ),
        pytest.param(
            lambda ecs: broken_service(ecs, deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True}}),
            "deploymentCircuitBreaker",
            id="no-rollback",
        ),
        pytest.param(
            lambda ecs: ecs.containers.update({"scr-api-staging": "app"}),
            "no container 'api'; it has: app",
            id="container",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(world: World, spoil: Any, words: str) -> None:
    spoil(world.ecs)
    with pytest.raises(VerificationFailed, match=r"spec\.environments\.staging\.waves\.0\.services\.0") as raised:
        world.begin()
    assert words in str(raised.value)
    assert plan_of(world) is None


class Denied(Ecs):
    """An operator whose policies do not name a resource."""

    def describe_services(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeServices")

    def describe_repositories(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeRepositories")


def test_what_the_policies_do_not_name_is_told_with_the_parameter(world: World, scr_document: dict[str, Any]) -> None:
    references = References(world.ssm)
    problems = verify(
        parse(scr_document),
        ecs=Denied(),
        ecr=Denied(),
        references=references,
        account="123456789012",
        region="eu-west-1",
    )
    told = dict(problems)
    assert "/ferryman/operator/repository-arns" in told["spec.components.api.repository"]
    assert "/ferryman/operator/cluster-arns" in told["spec.environments.staging.cluster"]


def test_a_missing_parameter_is_named(world: World) -> None:
    del world.ssm.values["/ferryman/scr/staging/web-url"]
    with pytest.raises((VerificationFailed, ReferenceUnresolved), match="/ferryman/scr/staging/web-url"):
        world.begin()


def test_an_abort_stops_before_anything_is_planned(world: World) -> None:
    world.change(abort=AbortRequest(reason="no", who="anna", at=make.AT))
    assert world.begin().verdict == "Aborted"
    assert plan_of(world) is None


def test_a_lost_claim_freezes_nothing(world: World) -> None:
    world.state(active=None)
    with pytest.raises(ClaimLost):
        world.begin()
    assert plan_of(world) is None
