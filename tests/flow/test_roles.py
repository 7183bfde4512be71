"""Roles on the whole product: every call needs one, and what hand-written events can do without any."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ferryman.records import Deployment, EventType
from ferryman_cli.transport import Api, ApiError
from ferryman_local.local_aws import CHECKOUT
from ferryman_local.provisioning.people import LocalPerson
from flow.production import Production
from flow.stage import Stage

Make = Callable[..., Production]
ACCOUNT = "000000000000"
PATIENCE = 300
NOW = "2026-12-01T05:00:00Z"


def refused(api: Api, call: str, path: str, body: dict[str, Any] | None = None) -> str:
    """Return what somebody is told whose call is refused for want of a role."""
    calls: dict[str, Callable[[], Any]] = {
        "get": lambda: api.get(path),
        "put": lambda: api.put(path, body),
        "post": lambda: api.post(path, body, repeatable=False),
    }
    with pytest.raises(ApiError) as error:
        calls[call]()
    assert error.value.status == 403, str(error.value)
    return str(error.value)


def session_of(stage: Stage, role: str, path: str = "/") -> LocalPerson:
    """Return a session of a new role that may call the API."""
    iam = stage.client("iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=stage.aws.outputs["CallerPolicyArn"])
    made = stage.client("sts").assume_role(RoleArn=arn, RoleSessionName="grace@example.com")["Credentials"]
    return LocalPerson(arn, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


def test_every_call_needs_a_role_and_what_is_refused_is_in_the_audit(production: Make, stage: Stage) -> None:
    prod = production()
    vera, dora, nobody = (stage.person(name) for name in ("vera", "dora", "nobody"))
    reserved = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
    grace = session_of(stage, f"AWSReservedSSO_{prod.name}_0123456789abcdef", reserved)
    forged = session_of(stage, f"AWSReservedSSO_{prod.name}_fedcba9876543210")
    view, hold, staging = prod.path(), prod.path("hold"), prod.staging.path("hold")
    parameter = f"/ferryman/operator/access/{prod.name}"

    # There is no open phase: without a value, and with a malformed one, only the admin gets in.
    stage.client("ssm").delete_parameter(Name=parameter)
    assert f"because the SSM parameter {parameter} does not exist" in refused(stage.api_of(vera), "get", view)
    stage.client("ssm").put_parameter(Name=parameter, Value='{"grants": "all"}', Type="String")
    stage.until(lambda: "is malformed" in refused(stage.api_of(vera), "get", view), "the malformed value to be read")
    assert stage.api.get(view)["name"] == "production"

    stage.grant(
        prod.name,
        ("viewer", "*", vera),
        ("deployer", "staging", dora),
        ("deployer", "production", f"permission-set/{prod.name}"),
    )
    stage.until(lambda: sees(stage.api_of(vera), view), "the roles to be read")

    told = refused(stage.api_of(vera), "post", hold, {"reason": "x"})
    assert f"`hold` on {prod.name}/production needs the role deployer, and {vera.arn} does not have it there" in told
    assert stage.aws.admin.arn in told
    stage.api_of(dora).post(staging, {"reason": "x"}, repeatable=False)
    stage.api_of(dora).post(prod.staging.path("resume"), repeatable=False)
    refused(stage.api_of(dora), "post", hold, {"reason": "x"})
    refused(stage.api_of(dora), "get", view)
    refused(stage.api_of(nobody), "get", view)
    assert stage.api_of(nobody).get("/v1/platforms")["platforms"] == []
    refused(stage.api_of(dora), "put", f"/v1/platforms/{prod.name}", prod.document)
    told = refused(stage.api_of(dora), "put", "/v1/platforms/mine", {**prod.document, "metadata": {"name": "mine"}})
    assert "only an admin of Ferryman can create the platform mine" in told
    assert prod.state.hold is None

    stage.expected_denials.add("iam:GetRole")
    # A role that somebody gave a name like those of Identity Center is none of its roles.
    stage.api_of(grace).post(hold, {"reason": "x"}, repeatable=False)
    stage.api_of(grace).post(prod.path("resume"), repeatable=False)
    assert "needs the role deployer" in refused(stage.api_of(forged), "post", hold, {"reason": "x"})

    assert stage.api_of(dora).get("/v1/auth")["platforms"][0]["environments"] == {"staging": ["viewer", "deployer"]}
    question = {"verb": "deploy", "platform": prod.name, "environment": "production"}
    assert stage.api_of(dora).get("/v1/auth/can-i", **question)["allowed"] is False
    assert stage.api_of(vera).get("/v1/auth/can-i", **question, **{"as": dora.arn})["allowed"] is False
    lines = {(line.type, line.who) for line in prod.timeline()}
    assert {(EventType.REQUEST_REFUSED, who.arn) for who in (vera, dora)} <= lines
    acts = stage.api.get(f"/v1/platforms/{prod.name}/audit", environment="production")["acts"]
    assert {act["identity"] for act in acts if act["act"] == "RequestRefused"} >= {vera.arn, dora.arn}


def sees(api: Api, path: str) -> bool:
    try:
        return bool(api.get(path))
    except ApiError:
        return False


def test_hand_written_events_do_what_the_page_says_and_no_more(production: Make, stage: Stage) -> None:
    """Somebody may invoke every function directly, and nobody has approved the deployment that their events name."""
    prod = production(migration=True)
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


VERDICTS = ("holds", "disturbs", "walks around")
_CHANGES = ("promotion", "migration", "rollout/")
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
        "runs": prod.service("api")["taskDefinition"],
        "changes": sorted(key for key in now.steps if key.startswith(_CHANGES)),
        "approved": approval.status == "Approved",
        "rest": (approval.status, approval.token, now.phase, sorted(now.steps)),
    }


def verdict(before: dict[str, Any], after: dict[str, Any]) -> str:
    if any(before[name] != after[name] for name in ("runs", "changes", "approved")):
        return "walks around"
    return "holds" if before == after else "disturbs"


def forged_events(prod: Production, deployment: Deployment, stage: Stage) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an event for every function, those that may end the deployment last."""
    ref = {"platform": prod.name, "environment": "production", "deployment": deployment.id, "fence": deployment.fence}
    service, arn = prod.service_of("api"), str(deployment.execution_arn)
    step = {**ref, "service": service, "direction": "forward"}
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
    yield "BeginDeployment", ref
    yield "WatchMigration", {**ref, "taskToken": "forged"}
    yield "WatchRollout", {**step, "taskToken": "forged"}
    yield "PublishRelease", ref
    yield "AdmitDeployment", ref
    yield "RequestApproval", {**ref, "taskToken": "forged"}
    yield "SmokeTest", ref
    yield "PromoteImages", ref
    yield "RunMigration", ref
    yield "UpdateService", step
    ended = {"executionArn": arn, "name": arn.rpartition(":")[2], "status": "ABORTED", "input": json.dumps(ref)}
    machine = {"stateMachineArn": stage.aws.outputs["DeployMachineArn"], "inputDetails": {"included": True}}
    yield "Reconcile", event("aws.states", "Step Functions Execution Status Change", {**ended, **machine}, arn)
    yield "FinishDeployment", {**ref, "failure": None}


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
