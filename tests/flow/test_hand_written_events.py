"""What hand-written events can do: somebody may invoke every function directly, and knows all ids and fences."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ferryman.records import Deployment, Phase, step_keys
from ferryman_local.local_aws import CHECKOUT
from flow.place import Place
from flow.production import Production
from flow.stage import Stage

ACCOUNT = "000000000000"
PATIENCE = 300
NOW = "2026-12-01T05:00:00Z"
BOTH = ("api", "web")


def test_hand_written_events_do_what_the_page_says_and_no_more(
    production: Callable[..., Production], stage: Stage
) -> None:
    """Nobody has approved the deployment that the events name."""
    prod = production(BOTH, migration=True)
    version = prod.push()
    prod.staging.ended(version, PATIENCE)
    prod.name_it(version)
    deployment = prod.until(lambda: waits(prod, version), "the request for approval", PATIENCE)
    mallory = stage.person("mallory")
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    stage.client("iam").put_user_policy(
        UserName=mallory.arn.rpartition("/")[2], PolicyName="invoke", PolicyDocument=policy
    )
    lambdas = stage.aws.emulator.session(mallory.access_key, mallory.secret_key).client("lambda")
    before, tried, found = stand(prod, deployment), [], {}
    for logical, event in forged_events(prod, deployment, stage):
        lambdas.invoke(FunctionName=stage.function(logical), Payload=json.dumps(event))
        after = stand(prod, deployment)
        name = re.sub(r"(?<!^)([A-Z])", r"_\1", logical).lower()
        found[name] = max(found.get(name, "holds"), verdict(before, after), key=VERDICTS.index)
        tried.append((name, before, after))
        before = after
    page = (CHECKOUT / "docs/security.md").read_text()
    told = dict(re.findall(r"^\| `(\w+)` \| \*\*(holds|disturbs|walks around)\*\* \|", page, re.MULTILINE))
    assert found == told, tried
    assert found.keys() == {folder.name for folder in (CHECKOUT / "functions").iterdir() if folder.is_dir()}


def test_events_out_of_turn_change_nothing_while_a_rollout_waits_nor_after_the_end(
    place: Callable[..., Place], stage: Stage
) -> None:
    site, other = place(BOTH, migration=True), place()
    opens, api = site.gate(), step_keys.rollout(site.service_of("api"), "forward")
    version = site.push(GATE=str(opens))
    waiting = site.watched(version, api, PATIENCE)
    answers = out_of_turn(site, other, waiting, stage)
    assert answers == {
        "the next wave": "Stopped", "the smoke test": "NotItsTurn", "the gate again": "Admitted",
        "the migration again": "Started", "this wave again": "Started", "no promotion": "Skipped",
        "an approval": "NotItsTurn", "what was not changed, back": "Skipped", "another service": "InvalidInput",
        "another migration": "InvalidInput", "no such direction": "InvalidInput", "another platform's": "NotFound",
        "another environment's": "NotFound",
    }  # fmt: skip
    opens.touch()
    done = site.ended(version, PATIENCE)
    assert done.phase is Phase.SUCCEEDED, site.tell()

    answers = out_of_turn(site, other, done, stage)
    assert answers["the next wave"] == answers["this wave again"] == "Started", "as recorded"
    for direction in ("forward", "back"):
        for component in BOTH:
            step = {**ref(done), "service": site.service_of(component), "direction": direction}
            told(stage, "UpdateService", step)
    assert stage.store.deployment(site.name, site.where, done.id) == done
    assert shown(site)[:2] == (site.service("api")["taskDefinition"], site.service("web")["taskDefinition"])
    assert site.running_digests("web") == {site.digests[version]["web"]}


def test_a_service_that_is_taken_back_takes_the_whole_deployment_back(
    place: Callable[..., Place], stage: Stage
) -> None:
    """The one thing that a hand-written event can do to what is approved: undo it, all of it."""
    site = place(BOTH)
    good = site.push()
    assert site.ended(good, PATIENCE).phase is Phase.SUCCEEDED, site.tell()
    before, opens = shown(site), site.gate()
    version = site.push(components=["api"])
    site.push(version, components=["web"], GATE=str(opens))
    waiting = site.watched(version, step_keys.rollout(site.service_of("web"), "forward"), PATIENCE)
    back = {**ref(waiting), "service": site.service_of("api"), "direction": "back"}
    assert told(stage, "UpdateService", back) == "Started"
    opens.touch()
    done = site.until(
        lambda: next((it for it in site.deployments(version) if it.id == waiting.id and it.phase.terminal), None),
        "the end of what was taken back",
        PATIENCE,
    )
    assert done.phase is Phase.ERRORED, site.tell()
    rolled = {key: step.status for key, step in done.steps.items() if key.startswith(step_keys.ROLLBACK)}
    assert set(rolled) == {step_keys.rollout(site.service_of(name), "back") for name in BOTH}, site.tell()
    assert step_keys.SMOKE_TEST not in done.steps
    assert shown(site)[:2] == before[:2]


def out_of_turn(site: Place, other: Place, deployment: Deployment, stage: Stage) -> dict[str, str]:
    """Call functions as the machine would not; what each answered, while nothing changed."""
    at = ref(deployment)
    api, web = ({**at, "service": site.service_of(name), "direction": "forward"} for name in BOTH)
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "the next wave": ("UpdateService", web),
        "the smoke test": ("SmokeTest", at),
        "the gate again": ("AdmitDeployment", at),
        "the migration again": ("RunMigration", at),
        "this wave again": ("UpdateService", api),
        "no promotion": ("PromoteImages", at),
        "an approval": ("RequestApproval", {**at, "taskToken": "forged"}),
        "what was not changed, back": ("UpdateService", {**web, "direction": "back"}),
        "another service": ("UpdateService", {**api, "service": other.service_of("api")}),
        "another migration": ("RunMigration", {**at, "migration": "orders"}),
        "no such direction": ("UpdateService", {**api, "direction": "sideways"}),
        "another platform's": ("UpdateService", {**api, "platform": other.name}),
        "another environment's": ("UpdateService", {**api, "environment": "production"}),
    }
    before = shown(site)
    answers = {what: told(stage, *call) for what, call in calls.items()}
    assert shown(site) == before, answers
    return answers


def told(stage: Stage, logical: str, event: dict[str, Any]) -> str:
    """The verdict that a function answered, or the name of its error."""
    answer = stage.client("lambda").invoke(FunctionName=stage.function(logical), Payload=json.dumps(event))
    result = json.loads(answer["Payload"].read())
    return str(result["errorType"] if "FunctionError" in answer else result["verdict"])


def ref(deployment: Deployment) -> dict[str, Any]:
    return {
        "platform": deployment.platform,
        "environment": deployment.environment,
        "deployment": deployment.id,
        "fence": deployment.fence,
    }


def shown(site: Place) -> tuple[Any, ...]:
    """What runs in ECS, which revisions there are, and which migrations ran."""
    services = [site.service(name)["taskDefinition"] for name in BOTH]
    revisions = [
        site.ecs.list_task_definitions(familyPrefix=arn.rpartition("/")[2].partition(":")[0])["taskDefinitionArns"]
        for arn in services
    ]
    return (*services, revisions, sorted(task["taskArn"] for task in site.migrations()))


VERDICTS = ("holds", "disturbs", "walks around")
_CHANGES = ("promotion", "migration", "rollout/", "rollback/")
"""Beginnings of the steps that change an environment."""


def waits(prod: Production, version: str) -> Deployment | None:
    found = next(iter(prod.deployments(version)), None)
    approval = prod.approval(found) if found else None
    return found if approval and approval.status == "Pending" and approval.token else None


def stand(prod: Production, deployment: Deployment) -> dict[str, Any]:
    """Return where the environment, the deployment and its approval stand."""
    now, approval = prod.store.deployment(prod.name, "production", deployment.id), prod.approval(deployment)
    assert approval is not None
    return {
        "runs": shown(prod),
        "tags": [prod.digest_of(name, "production-latest") for name in BOTH],
        "changes": sorted(key for key in now.steps if key.startswith(_CHANGES)),
        "approved": approval.status == "Approved",
        "rest": (approval.status, approval.token, now.phase, sorted(now.steps)),
    }


def verdict(before: dict[str, Any], after: dict[str, Any]) -> str:
    if any(before[name] != after[name] for name in ("runs", "tags", "changes", "approved")):
        return "walks around"
    return "holds" if before == after else "disturbs"


def forged_events(prod: Production, deployment: Deployment, stage: Stage) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an event for every function, those that may end the deployment last."""
    at, arn = ref(deployment), str(deployment.execution_arn)
    service = prod.service_of("api")
    step = {**at, "service": service, "direction": "forward"}
    approve = f"decision=approve&version={deployment.version[:7]}"
    yield "ServeApi", called(prod.path("approve"), json.dumps({"version": deployment.version[:7]}), stage.aws.admin.arn)
    yield "DecideApproval", called(f"/a/{deployment.id}/Ada-forged", approve)
    for logical in ("DecideApproval", "SlackActions"):
        yield logical, called("/slack", "payload=%7B%22type%22%3A%22block_actions%22%7D")
    image = {"repository-name": f"{prod.name}-api", "image-digest": f"sha256:{'0' * 64}", "image-tag": "v9.9.9"}
    yield "ReceivePush", event("aws.ecr", "ECR Image Action", {"result": "SUCCESS", "action-type": "PUSH", **image})
    yield "Reconcile", {"sweep": True}
    yield "Notify", {"sweep": True}
    of = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/{prod.cluster}/{service}"
    done = {"eventName": "SERVICE_DEPLOYMENT_COMPLETED", "deploymentId": "ecs-svc/1", "updatedAt": NOW}
    yield "RelayChange", event("aws.ecs", "ECS Deployment State Change", {"eventType": "INFO", **done}, of)
    yield "BeginDeployment", at
    yield "WatchMigration", {**at, "taskToken": "forged"}
    for direction in ("forward", "back"):
        yield "WatchRollout", {**step, "direction": direction, "taskToken": "forged"}
    yield "PublishRelease", at
    yield "AdmitDeployment", at
    yield "SmokeTest", at
    yield "PromoteImages", at
    yield "RunMigration", at
    for direction in ("forward", "back"):
        for component in BOTH:
            yield "UpdateService", {**step, "service": prod.service_of(component), "direction": direction}
    yield "RequestApproval", {**at, "taskToken": "forged"}
    ended = {"executionArn": arn, "name": arn.rpartition(":")[2], "status": "ABORTED", "input": json.dumps(at)}
    machine = {"stateMachineArn": stage.aws.outputs["DeployMachineArn"], "inputDetails": {"included": True}}
    yield "Reconcile", event("aws.states", "Step Functions Execution Status Change", {**ended, **machine}, arn)
    yield "FinishDeployment", {**at, "failure": None}


def called(path: str, body: str, who: str = "") -> dict[str, Any]:
    """Return an event of a function URL."""
    http = {"method": "POST", "path": path, "sourceIp": "203.0.113.7", "userAgent": "x"}
    context = {"http": http, "authorizer": {"iam": {"userArn": who}}}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "requestContext": context,
        "body": body,
    }


def event(source: str, kind: str, detail: dict[str, Any], *resources: str) -> dict[str, Any]:
    """Return an event of EventBridge."""
    made = {"version": "0", "id": "forged", "detail-type": kind, "source": source, "account": ACCOUNT, "time": NOW}
    return {**made, "region": "eu-west-1", "resources": list(resources), "detail": detail}
