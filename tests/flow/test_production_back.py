"""Taking production back: by itself when verification fails, and by a person, whom automation does not contradict."""

from pathlib import Path

import pytest

from ferryman.clients.task_definitions import READ_ONLY
from ferryman.records import EventType, Phase, StepStatus, step_keys
from ferryman_cli.transport import ApiError
from ferryman_local.images import oci
from ferryman_local.standins.people import Person
from flow.documents import PRODUCTION, promoting, service_name
from flow.place import parsed, pause
from flow.production import Make, Production
from flow.stage import Stage

LIST, UNSAFE = "dev.ferryman.migrations", "dev.ferryman.migrations.not-rollback-safe"


def tagged(prod: Production, version: str, *, previous: str | None = None) -> None:
    """Wait until the moving tags show what runs, and what ran before."""
    wanted = {"production-latest": version, "production-current": version}
    if previous:
        wanted["production-previous"] = previous
    for tag, name in wanted.items():
        digest = prod.digests[name]["api"]
        prod.until(lambda t=tag, d=digest: prod.digest_of("api", t) == d, f"{tag} at {name}")


def back(prod: Production, **body: object) -> dict[str, object]:
    """What `ferryman rollback production -p scr` asks for."""
    return prod.ask("rollback", **{"reason": "the invoices are wrong", "confirm": "production", **body})


def test_a_release_that_fails_its_checks_in_production_goes_back_with_its_tags(
    production: Make, tmp_path: Path
) -> None:
    prod = production(notify=["team"])
    # Healthy in staging, wrong in production: the file says where it must not answer.
    good = prod.running_release()
    tagged(prod, good)
    wrong = tmp_path / "wrong"
    bad = prod.verified(TELLS_IF=str(wrong))
    prod.name_it(bad)
    deployment = prod.asked(bad)
    wrong.write_text("0000000")
    prod.approve(deployment)
    done = prod.ended(bad)
    assert done.phase is Phase.ROLLED_BACK, prod.tell()
    assert done.steps[step_keys.SMOKE_TEST].status is StepStatus.FAILED
    prod.runs(good)
    tagged(prod, good)
    assert prod.running == good
    assert "0000000" in prod.told("outcome", owner=done.id).text
    assert done.publication is None
    assert prod.staging.running == bad


def on_a_moving_tag(prod: Production, tag: str) -> None:
    """Let the services run as many do before an operator comes: by a tag that moves, and not by digest."""
    for component in prod.spec["components"]:
        repository = prod.spec["components"][component]["repository"]
        oci.tag(prod.aws.emulator.port, repository, "bootstrap", tag)
        name = service_name(prod.name, component, PRODUCTION)
        (service,) = prod.ecs.describe_services(cluster=prod.cluster, services=[name])["services"]
        described = prod.ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        for container in described["containerDefinitions"]:
            container["image"] = f"{container['image'].partition('@')[0].rpartition(':')[0]}:{tag}"
        wanted = {key: value for key, value in described.items() if key not in READ_ONLY}
        made = prod.ecs.register_task_definition(**wanted)["taskDefinition"]["taskDefinitionArn"]
        prod.ecs.update_service(cluster=prod.cluster, service=name, taskDefinition=made)
        prod.until(
            lambda c=component: prod.primary(c)["rolloutState"] == "COMPLETED", f"{component} on {tag}", 30
        )  # fmt: skip


def test_the_way_back_from_the_first_release_is_what_ran_although_its_tag_moved(stage: Stage, calm: None) -> None:
    """promote_images moves `production-latest` before any service changes, and what ran is known by that tag alone."""
    check = {"name": "api", "url": "ssm:/ferryman/{}/production/api-url", "path": "/health", "allowHttp": True}
    name = next(stage.promoting_names)
    never = {**check, "url": check["url"].format(name), "expect": {"status": [418]}, "attempts": 1, "timeout": "5s"}
    wanted = promoting(name, smokeTests=[never])
    parsed(wanted)
    prod = Production(stage, wanted)
    try:
        prod.aws.create_infrastructure(prod.document)
        prod.digests["bootstrap"] = {"api": str(prod.digest_of("api", "bootstrap"))}
        on_a_moving_tag(prod, "production-latest")
        prod.apply()
        service = service_name(name, "api", PRODUCTION)
        (noted,) = prod.store.adopted_images(name, PRODUCTION).values()
        assert noted == f"api={prod.digests['bootstrap']['api']}"
        bad = prod.verified()
        prod.name_it(bad)
        prod.approve(prod.asked(bad))
        done = prod.ended(bad)
        assert done.phase is Phase.ROLLED_BACK, prod.tell()
        # Reconcile repairs the tag as soon as the deployment has ended.
        assert done.steps[step_keys.PROMOTION].status.passed, "the tag has moved"
        prod.runs("bootstrap")
        revision = done.steps[step_keys.rollout(service, "back")].rollout.task_definition
        described = prod.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
        assert described["containerDefinitions"][0]["image"].endswith(f"@{prod.digests['bootstrap']['api']}")
        stage.sweep()
        drifted = prod.state.condition("Drifted")
        assert drifted is not None
        assert (drifted.status, drifted.reason) == ("False", "AsRecorded")
    finally:
        prod.remove()


def test_a_manual_rollback_holds_until_resumed_and_stays(production: Make, stage: Stage) -> None:
    prod = production(notify=["team"])
    first, second = prod.running_release(), prod.running_release()
    tagged(prod, second, previous=first)
    with pytest.raises(ApiError):
        back(prod, confirm="yes")
    with pytest.raises(ApiError):
        back(prod, reason="")
    told = back(prod)
    assert told["changed"] is True
    prod.until(lambda: prod.running == first and prod.is_idle(), f"{first} to run again")
    done = prod.deployments(first)[0]
    assert (done.kind, done.phase, done.why) == ("rollback", Phase.SUCCEEDED, "the invoices are wrong"), prod.tell()
    assert done.step(step_keys.APPROVAL) is None, "needs no approval unless the policy says so"
    prod.runs(first)
    tagged(prod, first)
    assert prod.state.hold is not None
    third = prod.verified()
    prod.name_it(third)
    prod.until(lambda: (release := prod.release(third)) and release.names, "the name of the third")
    stage.sweep()
    pause(0.5)
    assert prod.deployments(third) == [], "held"
    prod.runs(first)
    prod.ask("resume")
    deployment = prod.asked(third)
    assert [item.version for item in prod.deployments(second)] == [second], "the one that was left stays away"
    prod.approve(deployment)
    assert prod.ended(third).phase is Phase.SUCCEEDED, prod.tell()
    prod.runs(third)


def test_resume_alone_does_not_bring_back_what_was_left(production: Make, stage: Stage) -> None:
    prod = production()
    first, second = prod.running_release(), prod.running_release()
    back(prod, to=first)
    prod.until(lambda: prod.running == first and prod.is_idle(), f"{first} to run again")
    prod.ask("resume")
    stage.sweep()
    pause(0.5)
    assert len(prod.deployments(second)) == 1
    prod.runs(first)


def test_a_rollback_during_a_rollout_stops_it_first(production: Make, stage: Stage) -> None:
    prod = production()
    first, second = prod.running_release(), prod.running_release()
    gate = prod.gate()
    gate.touch()
    third = prod.verified(GATE=str(gate))
    gate.unlink()
    prod.name_it(third)
    prod.approve(prod.asked(third))
    prod.step(third, step_keys.rollout(prod.service_of("api"), "forward"))
    back(prod, to=first)
    done = prod.ended(third)
    assert done.phase is Phase.ABORTED, prod.tell()
    prod.until(lambda: prod.running == first and prod.is_idle(), f"{first} to run again")
    prod.runs(first)
    assert prod.state.hold is not None
    assert second not in (prod.running, None)


def test_a_rollback_during_a_pending_approval_voids_it(production: Make, stage: Stage) -> None:
    prod = production()
    first, _second = prod.running_release(), prod.running_release()
    pending = prod.asked()
    link = prod.link(pending)
    back(prod)
    done = prod.ended(pending.version)
    assert done.phase is Phase.SUPERSEDED, prod.tell()
    with Person() as visitor:
        assert visitor.open(link).status == 410
    prod.until(lambda: prod.running == first and prod.is_idle(), f"{first} to run again")
    prod.runs(first)
    stage.sweep()
    assert len(prod.deployments(pending.version)) == 1


def test_migrations_that_older_code_cannot_live_with_stand_in_the_way(production: Make) -> None:
    prod = production(migration=True)
    deployment = prod.asked(labels={LIST: "0001"})
    prod.approve(deployment)
    first = prod.ended(deployment.version)
    assert first.phase is Phase.SUCCEEDED, prod.tell()
    deployment = prod.asked(labels={LIST: "0001,0002", UNSAFE: "0002"})
    prod.approve(deployment)
    assert prod.ended(deployment.version).phase is Phase.SUCCEEDED, prod.tell()
    with pytest.raises(ApiError) as refused:
        back(prod)
    assert refused.value.status == 409
    assert "0002" in str(refused.value)
    assert "accept-schema-mismatch" in str(refused.value)
    ran = len(prod.migrations())
    back(prod, downgrade=True, revision="0001")
    # The database command needs the approval, as every one does.
    prod.approve(prod.asked(first.version, attempt=2))
    prod.until(lambda: prod.running == first.version and prod.is_idle(), "the first to run again")
    prod.runs(first.version)
    assert len(prod.migrations()) == ran + 1
    (down,) = [t for t in prod.migrations() if "down" in str(t["overrides"])]
    # The database is taken back by the code that knows how: what runs, not what one goes back to.
    assert {c["imageDigest"] for c in down["containers"]} == {prod.digests[deployment.version]["api"]}
    kinds = [event.type for event in prod.timeline()]
    assert EventType.ROLLBACK_REQUESTED in kinds
