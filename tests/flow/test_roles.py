"""Roles on the whole product: every call needs one."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ferryman.records import EventType
from ferryman_cli.transport import Api, ApiError
from ferryman_local.provisioning.people import LocalPerson
from flow.production import Production
from flow.stage import Stage

Make = Callable[..., Production]
ACCOUNT = "000000000000"


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
