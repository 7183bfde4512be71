"""Roles on the whole product: each call needs one, on its environment; and what hand-written events can do without one."""

import json
from collections.abc import Callable
from typing import Any

from flow.production import Production
from flow.stage import Stage

Make = Callable[..., Production]


def test_explore(production: Make, stage: Stage) -> None:
    prod = production()
    version = prod.push()
    prod.staging.ended(version, 400)
    prod.name_it(version)
    for _ in range(5):
        try:
            deployment = prod.asked(version)
            break
        except AssertionError:
            pass
    ref = {"platform": prod.name, "environment": "production", "deployment": deployment.id, "fence": deployment.fence}
    service = prod.service_of("api")
    arn = deployment.execution_arn
    now = "2026-12-01T05:00:00Z"
    http = {"version": "2.0", "rawQueryString": "", "headers": {}, "isBase64Encoded": False}

    def url(path: str, body: str) -> dict[str, Any]:
        return {
            **http,
            "rawPath": path,
            "body": body,
            "requestContext": {
                "http": {"method": "POST", "path": path, "sourceIp": "203.0.113.7", "userAgent": "x"},
                "authorizer": {"iam": {"userArn": stage.aws.admin.arn}},
            },
        }

    forged = [
        ("ServeApi", url(prod.path("approve"), json.dumps({"version": deployment.version[:7]}))),
        ("DecideApproval", url(f"/a/{deployment.id}/Ada-forged", f"decision=approve&version={deployment.version[:7]}")),
        ("DecideApproval", url("/slack", "payload=%7B%7D")),
        ("ReceivePush", {"version": "0", "id": "x", "detail-type": "ECR Image Action", "source": "aws.ecr", "account": "000000000000", "time": now, "region": "eu-west-1", "resources": [], "detail": {"result": "SUCCESS", "repository-name": f"{prod.name}-api", "image-digest": "sha256:" + "0" * 64, "action-type": "PUSH", "image-tag": "v9.9.9"}}),
        ("Reconcile", {"sweep": True}),
        ("Notify", {"sweep": True}),
        ("RelayChange", {"version": "0", "id": "x", "detail-type": "ECS Deployment State Change", "source": "aws.ecs", "account": "000000000000", "time": now, "region": "eu-west-1", "resources": [f"arn:aws:ecs:eu-west-1:000000000000:service/{prod.cluster}/{service}"], "detail": {"eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_COMPLETED", "deploymentId": "ecs-svc/1", "updatedAt": now, "reason": "x"}}),
        ("BeginDeployment", ref),
        ("AdmitDeployment", ref),
        ("RequestApproval", {**ref, "taskToken": "forged"}),
        ("SmokeTest", ref),
        ("WatchMigration", {**ref, "taskToken": "forged"}),
        ("WatchRollout", {**ref, "service": service, "direction": "forward", "taskToken": "forged"}),
        ("PublishRelease", ref),
        ("PromoteImages", ref),
        ("RunMigration", ref),
        ("UpdateService", {**ref, "service": service, "direction": "forward"}),
        ("FinishDeployment", {**ref, "failure": None}),
        ("Reconcile", {"version": "0", "id": "y", "detail-type": "Step Functions Execution Status Change", "source": "aws.states", "account": "000000000000", "time": now, "region": "eu-west-1", "resources": [arn], "detail": {"executionArn": arn, "stateMachineArn": stage.aws.outputs["DeployMachineArn"], "name": arn.rsplit(":", 1)[-1], "status": "ABORTED", "startDate": 1767323045000, "stopDate": 1767323405000, "input": json.dumps(ref), "inputDetails": {"included": True}, "output": None, "outputDetails": None}}),
    ]
    for name, event in forged:
        answer = stage.client("lambda").invoke(FunctionName=stage.function(name), Payload=json.dumps(event))
        said = answer["Payload"].read().decode()[:300]
        approval = prod.approval(deployment)
        state = prod.deployments()[0]
        print("EXPLORE", name, answer.get("FunctionError"), said)
        print("   ->", approval.status, approval.token and approval.token[:10], state.phase, {k: str(v.status) for k, v in state.steps.items()}, prod.service("api")["taskDefinition"].rsplit("/")[-1])
