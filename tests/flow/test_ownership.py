"""Nobody walks around an approval with a second platform: what belongs to one environment is refused to all others."""

from collections.abc import Callable
from typing import Any

import pytest

from ferryman.records import Phase
from ferryman.records.writes import Save
from ferryman_cli.transport import Api, ApiError
from flow.documents import ENVIRONMENT, PRODUCTION, document
from flow.place import Place
from flow.production import Production
from flow.stage import Stage

Make = Callable[..., Place]
MakeProduction = Callable[..., Production]


def copy_of(victim: Production, stage: Stage, name: str, spelling: str) -> dict[str, Any]:
    """A platform of the attacker's, whose environment is the victim's production and asks nobody."""
    ecs, service = stage.client("ecs"), victim.environment["waves"][0]["services"][0]["name"]
    live = ecs.describe_services(cluster=victim.cluster, services=[service])["services"][0]
    parameter = f"/ferryman/{name}/live/cluster"
    stage.client("ssm").put_parameter(Name=parameter, Value=victim.cluster, Type="String", Overwrite=True)
    cluster = {"name": victim.cluster, "arn": live["clusterArn"], "reference": f"ssm:{parameter}"}[spelling]
    made = document(name)
    made["spec"]["components"] = {"api": {"repository": victim.spec["components"]["api"]["repository"]}}
    del made["spec"]["channels"]
    made["spec"]["environments"] = {
        "live": {
            "cluster": cluster,
            "triggers": ["push"],
            "waves": [
                {
                    "name": "api",
                    "services": [{"name": service, "component": "api", "baseTaskDefinition": live["taskDefinition"]}],
                }
            ],
        }
    }
    return made


def test_a_second_platform_on_production_s_cluster_is_refused_and_a_push_changes_nothing(
    production: MakeProduction, stage: Stage
) -> None:
    scr = production()
    name = next(stage.names)
    for spelling in ("name", "arn", "reference"):
        attack = copy_of(scr, stage, name, spelling)
        for dry_run in ("true", None):
            with pytest.raises(ApiError) as refused:
                stage.api.put(Api.path("v1", "platforms", name), attack, dryRun=dry_run)
            assert refused.value.status == 409
            assert f"belongs to environment {PRODUCTION} of platform {scr.name}" in str(refused.value.problems)
    assert stage.store.find_platform(name) is None
    version = scr.push()
    scr.until(lambda: (release := scr.release(version)) and release.ready_at, "the release")
    stage.sweep()
    assert scr.deployments(version) == []
    scr.runs("bootstrap")


def test_a_reference_that_comes_to_name_production_s_task_definition_is_refused_when_it_deploys(
    production: MakeProduction, place: Make, stage: Stage
) -> None:
    scr, other = production(), place()
    service = scr.environment["waves"][0]["services"][0]["name"]
    live = stage.client("ecs").describe_services(cluster=scr.cluster, services=[service])["services"][0]
    parameter = other.environment["waves"][0]["services"][0]["baseTaskDefinition"].removeprefix("ssm:")
    stage.client("ssm").put_parameter(Name=parameter, Value=live["taskDefinition"], Type="String", Overwrite=True)

    done = other.ended(other.push())

    assert (done.phase, done.reason) == (Phase.ERRORED, "VerificationFailed"), other.tell()
    assert "the document names what belongs to others" in done.message
    assert f"belongs to environment {PRODUCTION} of platform {scr.name}" in done.message
    other.runs("bootstrap")


def test_a_role_that_came_to_belong_to_others_while_people_decided_is_not_used(
    production: MakeProduction, place: Make, stage: Stage
) -> None:
    scr, other = production(), place()
    deployment = scr.asked()
    mine, theirs = stage.store.ownership(scr.name, PRODUCTION), stage.store.ownership(other.name, ENVIRONMENT)
    assert mine is not None
    assert theirs is not None
    role = next(thing for thing in mine.things if thing.startswith("role:"))
    kept = [thing for thing in mine.things if thing != role]
    stage.store.write(Save(mine.but(things=kept)), Save(theirs.but(things=[*theirs.things, role])))

    before = len(scr.calls("RegisterTaskDefinition"))  # of staging
    scr.approve(deployment)
    done = scr.ended(deployment.version)

    assert done.phase is Phase.ERRORED, scr.tell()
    (step,) = [step for step in done.steps.values() if step.reason == "VerificationFailed"]
    assert f"belongs to environment {ENVIRONMENT} of platform {other.name}" in step.message
    assert len(scr.calls("RegisterTaskDefinition")) == before
    scr.runs("bootstrap")
