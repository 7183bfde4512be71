"""Scheduled tasks on the local AWS: they move with the services, go back with them, and drift is told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ferryman.records import Phase, step_keys
from flow.documents import document, with_jobs
from flow.place import Place
from flow.stage import Stage

REPORT, UPLOAD = step_keys.job("report"), step_keys.job("upload")


@pytest.fixture
def scr(stage: Stage, calm: None) -> Iterator[Place]:
    made = Place(stage, with_jobs(document(next(stage.names), ("api", "web")))).create()
    yield made
    made.remove()


def targets(scr: Place) -> dict[str, Any]:
    """Everything that the schedule and the rule say."""
    schedule = scr.stage.client("scheduler").get_schedule(Name=f"{scr.name}-report")
    for told in ("ResponseMetadata", "LastModificationDate"):
        del schedule[told]
    rule = scr.stage.client("events").list_targets_by_rule(Rule=f"{scr.name}-upload")["Targets"]
    return {"report": schedule, "upload": rule}


def image(scr: Place, arn: str) -> str:
    found = scr.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return str(found["containerDefinitions"][0]["image"])


def images(scr: Place) -> dict[str, str]:
    """Job → the image that its target runs."""
    now = targets(scr)
    report = now["report"]["Target"]["EcsParameters"]["TaskDefinitionArn"]
    upload = now["upload"][0]["EcsParameters"]["TaskDefinitionArn"]
    return {"report": image(scr, report), "upload": image(scr, upload)}


def without_revision(told: Any) -> Any:
    """The same without the numbers of task definitions."""
    if isinstance(told, dict):
        return {key: "…" if key == "TaskDefinitionArn" else without_revision(value) for key, value in told.items()}
    return [without_revision(item) for item in told] if isinstance(told, list) else told


def test_jobs_move_with_a_release_and_go_back_with_it(scr: Place, stage: Stage) -> None:
    before = targets(scr)
    good = scr.push()
    done = scr.ended(good)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    assert "in 2 of 2 jobs" in done.message
    digest = scr.digests[good]["api"]
    assert {job: found.rpartition("@")[2] for job, found in images(scr).items()} == {"report": digest, "upload": digest}
    moved = targets(scr)
    assert without_revision(moved) == without_revision(before)

    # A release that does not pass its checks: everything goes back.
    bad = scr.push(TELLS="something else")
    failed = scr.ended(bad)
    assert failed.phase is Phase.ROLLED_BACK, scr.tell()
    for job in (REPORT, UPLOAD):
        assert failed.steps[step_keys.rollout(job, "forward")].reason == "Moved"
        assert failed.steps[step_keys.rollout(job, "back")].reason == "MovedBack"
    assert targets(scr) == moved

    # The rule starts its task with what the job runs.
    entry = {"Source": f"{scr.name}.upload", "DetailType": "uploaded", "Detail": json.dumps({})}
    stage.client("events").put_events(Entries=[entry])
    started = f"events-rule/{scr.name}-upload"
    task = scr.until(
        lambda: next(iter(scr.ecs.list_tasks(cluster=scr.cluster, startedBy=started)["taskArns"]), None), "the task"
    )
    found = scr.ecs.describe_tasks(cluster=scr.cluster, tasks=[task])["tasks"][0]
    assert found["taskDefinitionArn"] == moved["upload"][0]["EcsParameters"]["TaskDefinitionArn"]
    scr.ecs.stop_task(cluster=scr.cluster, task=task)


def test_what_terraform_does_to_a_schedule_is_told_as_drift(scr: Place, stage: Stage) -> None:
    version = scr.push()
    scr.ended(version)
    scheduler, before = stage.client("scheduler"), targets(scr)["report"]
    target = before["Target"]
    base = stage.client("ssm").get_parameter(
        Name=f"/ferryman/{scr.name}/staging/task-definitions/{scr.cluster}-report"
    )["Parameter"]["Value"]
    changed = {**target, "EcsParameters": {**target["EcsParameters"], "TaskDefinitionArn": base}}
    wanted = {key: value for key, value in before.items() if key not in ("Arn", "CreationDate")}
    scheduler.update_schedule(**{**wanted, "Target": changed})
    stage.sweep()
    drifted = scr.state.condition("Drifted")
    assert drifted is not None
    assert (drifted.status, drifted.reason) == ("True", "TaskDefinitionChanged")
    assert f"{REPORT} runs" in drifted.message
    assert "let it ignore changes" in drifted.message
    scr.ask("redeploy", reason="drift")
    assert scr.ended(version, attempt=2).phase is Phase.SUCCEEDED, scr.tell()
    assert targets(scr)["report"] == before
