"""What few deployments and few people do. Some permissions of the operator are needed by these flows only."""

import copy
from collections.abc import Callable
from typing import Any

from ferryman.records import Phase, step_keys
from ferryman_cli.transport import Api
from ferryman_local.standins.people import Person
from ferryman_local.standins.slack import Message
from flow.documents import ENVIRONMENT, PRODUCTION, approver, document, promoting
from flow.place import Place
from flow.production import Make
from flow.slack_buttons import asking, button
from flow.stage import Stage

MakePlace = Callable[..., Place]
MANY = 25
"""Smoke tests with five headers of 4,000 bytes: with its plan, a deployment has no room in one item."""


def checks(name: str, reference: str) -> list[dict[str, Any]]:
    (one,) = promoting(name)["spec"]["environments"][PRODUCTION]["smokeTests"]
    headers = {f"x-long-{number}": f"ssm:{reference}" for number in range(5)}
    return [{**one, "name": f"check-{number}", "headers": headers} for number in range(MANY)]


def test_a_deployment_that_one_item_cannot_hold_is_decided_in_slack_and_ends(production: Make, stage: Stage) -> None:
    people = [approver("s", "Ada", slack="U0ADA"), approver("s", "Grace")]
    prod = production(slack=True, github=True, migration=True, notify=["chat"], approval={"approvers": people})
    reference = f"/ferryman/{prod.name}/long"
    stage.client("ssm").put_parameter(Name=reference, Value="v" * 4_000, Type="String")
    prod.change(smokeTests=checks(prod.name, reference), override="many checks")
    deployment = prod.asked()
    parts = stage.table(
        "query", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": f"PARTS#{deployment.id}"}}
    )
    assert parts["Items"]
    link = prod.until(lambda: stage.inbox.links("ada@s.example", deployment.id), "Ada's link")[-1]
    with Person() as visitor:
        assert visitor.open(link).status == 200
    message = asking(prod, stage, deployment)
    answer = stage.aws.slack.press(stage.aws.outputs["SlackUrl"], message, button(message, "approve"), user="U0ADA")
    assert answer.status_code == 200, answer.text
    done = prod.ended(deployment.version)
    assert (done.phase, done.approved_by) == (Phase.SUCCEEDED, ["Ada"]), prod.tell()
    prod.until(lambda: stage.aws.github.releases, "the release on GitHub")


def test_an_approver_whose_address_is_a_reference_decides(production: Make, stage: Stage) -> None:
    prod = production()
    reference = f"/ferryman/{prod.name}/people/ada"
    stage.client("ssm").put_parameter(Name=reference, Value=f"ada@{prod.name}.example", Type="String")
    policy = copy.deepcopy(prod.environment["approval"])
    policy["approvers"] = [{"name": "Ada", "email": f"ssm:{reference}"}]
    prod.change(approval=policy, override="the address moved")
    deployment = prod.asked()
    prod.approve(deployment)
    assert prod.ended(deployment.version).phase is Phase.SUCCEEDED, prod.tell()


def test_a_question_that_is_asked_again_after_the_decision_is_answered(production: Make, stage: Stage) -> None:
    prod = production()
    deployment = prod.asked()
    prod.approve(deployment)
    done = prod.ended(deployment.version)
    approval = prod.approval(done)
    assert approval is not None
    late = {"platform": prod.name, "environment": prod.where, "deployment": done.id, "fence": done.fence}
    stage.invoke("RequestApproval", {**late, "taskToken": approval.token})
    again = [it for it in stage.proxy.requests if it.action == "SendTaskSuccess" and prod.mine(it.arguments)]
    assert all("AccessDenied" not in request.error for request in again)
    assert prod.ended(deployment.version).phase is Phase.SUCCEEDED


def test_images_that_no_service_of_production_runs_are_scanned_too(production: Make) -> None:
    prod = production(("api", "web"), scan={"block": ["CRITICAL"]})
    parts = prod.environment
    prod.change(waves=parts["waves"][:1], smokeTests=parts["smokeTests"][:1], override="web runs elsewhere")
    deployment = prod.asked()
    prod.approve(deployment)
    assert prod.ended(deployment.version).phase is Phase.SUCCEEDED, prod.tell()


def test_a_service_of_two_components_is_looked_at_by_container(stage: Stage) -> None:
    wanted = document(next(stage.names), ("api", "web"))
    environment = wanted["spec"]["environments"][ENVIRONMENT]
    environment["waves"] = environment["waves"][:1]
    environment["waves"][0]["services"][0]["additionalComponents"] = [{"component": "web"}]
    environment["smokeTests"] = environment["smokeTests"][:1]
    one = Place(stage, wanted).create()
    version = one.push()
    assert one.ended(version).phase is Phase.SUCCEEDED, one.tell()
    stage.sweep()
    assert one.running == version
    one.remove()


def test_an_environment_is_removed_when_an_approver_agrees_in_slack(production: Make, stage: Stage) -> None:
    people = [approver("s", "Ada", slack="U0ADA"), approver("s", "Grace")]
    prod = production(slack=True, notify=["chat"], approval={"approvers": people})
    assert prod.store.ownership(prod.name, PRODUCTION) is not None
    changed = copy.deepcopy(prod.document)
    del changed["spec"]["environments"][PRODUCTION]
    prod.api.put(Api.path("v1", "platforms", prod.name), changed, prune="true")
    asked = prod.proposal().approvals[PRODUCTION]

    def question() -> Message | None:
        return next((one for one in stage.aws.slack.messages if one.buttons and asked in str(one.blocks)), None)

    message = prod.until(question, "the question in Slack")
    answer = stage.aws.slack.press(stage.aws.outputs["SlackUrl"], message, button(message, "approve"), user="U0ADA")
    assert answer.status_code == 200, answer.text
    prod.until(lambda: prod.proposal().closed, "the proposal to be applied")
    assert prod.proposal().status == "Approved"
    assert prod.store.ownership(prod.name, PRODUCTION) is None


def test_an_abort_stops_the_task_that_migrates(place: MakePlace, stage: Stage) -> None:
    one = place(migration=True)
    version = one.push(MIGRATION_GATE=str(one.gate()))
    one.watched(version, step_keys.MIGRATION)
    one.ask("abort", reason="the wrong one")
    assert one.ended(version).phase is Phase.ABORTED, one.tell()
    (task,) = one.migrations()
    assert task["desiredStatus"] == "STOPPED"


def test_a_release_is_compared_with_what_runs(production: Make) -> None:
    prod = production(migration=True, scan={"block": ["CRITICAL"]})
    version = prod.verified(index=True)
    told = prod.api.get(prod.path("diff"), release=version)
    assert [one["component"] for one in told["components"]] == ["api"]


def test_a_retired_platform_is_gone_and_what_it_owned_is_free(place: MakePlace, stage: Stage) -> None:
    one = place()
    stage.api.post(Api.path("v1", "platforms", one.name, "retire"), {"reason": "abandoned"}, repeatable=False)
    assert one.store.find_platform(one.name) is None
    assert one.store.ownership(one.name, ENVIRONMENT) is None
    one.apply()
    assert one.store.ownership(one.name, ENVIRONMENT) is not None


def test_a_deleted_environment_is_free_and_its_name_begins_a_new_history(production: Make) -> None:
    prod = production()
    version = prod.verified()
    before = prod.document
    prod.api.post(prod.path("delete"), {"reason": "moved"}, repeatable=False, override="nobody is left to ask")
    assert prod.store.ownership(prod.name, PRODUCTION) is None
    prod.api.put(Api.path("v1", "platforms", prod.name), before, override="it is back")
    state = prod.store.state(prod.name, PRODUCTION)
    assert (state.began_at is not None, prod.store.ownership(prod.name, PRODUCTION) is not None) == (True, True)
    # What was verified elsewhere still is.
    release = prod.store.release(prod.name, version)
    assert release is not None
    assert ENVIRONMENT in release.verified
