"""Who is a person: one human has one vote, whatever identities they use; and calls of nobody."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ferryman.records import Approval, Deployment, Phase
from ferryman.records.writes import Save
from ferryman_cli.transport import ApiError
from ferryman_local.standins.people import Person
from flow import callers
from flow.callers import Caller
from flow.documents import approver
from flow.production import Make, Production
from flow.stage import Stage

SSO = "AWSReservedSSO_Deploy{}_0123456789abcdef"


def approval(prod: Production, deployment: Deployment) -> Approval:
    found = prod.approval(deployment)
    assert found is not None
    return found


def refused(call: Any, *arguments: Any, **more: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*arguments, **more)
    return caught.value


def told(error: ApiError) -> str:
    return "\n".join(message for _, message in error.problems)


def changed(prod: Production, **policy: Any) -> dict[str, Any]:
    document = json.loads(json.dumps(prod.document))
    document["spec"]["environments"][prod.where]["approval"].update(policy)
    return dict(document)


def stored(prod: Production, document: Mapping[str, Any]) -> None:
    """Store a document as an operator did that did not check approvers."""
    prod.store.write(Save(prod.store.platform(prod.name).but(document=dict(document))))


def asks(prod: Production, who: Caller, what: str, **body: Any) -> dict[str, Any]:
    return who.api.post(prod.path(what), body, repeatable=False)


def access(stage: Stage, prod: Production, people: list[dict[str, str]], *grants: tuple[str, str]) -> None:
    """Write who has which role, and who is declared as a person."""
    roles = [{"role": role, "environments": ["*"], "principals": [principal]} for role, principal in grants]
    value = json.dumps({"grants": roles, "people": people})
    name = f"/ferryman/operator/access/{prod.name}"
    stage.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def test_two_entries_for_one_person_vote_once(production: Make, stage: Stage) -> None:
    prod = production()
    twice = [
        {"name": "Ada", "email": f"ada@{prod.name}.example"},
        {"name": "A. Lovelace", "email": f"Ada+work@{prod.name}.example"},
        {"name": "Grace", "email": f"grace@{prod.name}.example"},
    ]
    document = changed(prod, approvers=twice, required=2)
    error = refused(prod.api.put, f"/v1/platforms/{prod.name}", document)
    assert "'Ada' and 'A. Lovelace' have the same email, so one person would count twice" in told(error)
    stored(prod, {**document})

    shown = prod.api.get(prod.path())
    assert [notice["type"] for notice in shown["notices"]] == ["ApproverUnproved"], shown["notices"]
    deployment = prod.asked()
    prod.approve(deployment, "Ada")
    with Person() as visitor:
        link = prod.until(lambda: stage.inbox.links(f"Ada+work@{prod.name}.example", deployment.id), "the other link")
        page = visitor.open(link[-1])
        assert "You have approved this. 1 more approval is needed." in page.text
        assert [form for form in page.forms if ("decision", "approve") in form.buttons] == []
    found = approval(prod, deployment)
    assert (found.status, found.approved_by) == ("Pending", ["Ada"])

    prod.approve(deployment, "Grace")
    done = prod.ended(deployment.version)
    assert (done.phase, done.approved_by) == (Phase.SUCCEEDED, ["Ada", "Grace"]), prod.tell()


def test_a_requester_does_not_approve_under_another_identity(production: Make, stage: Stage) -> None:
    """Grace is listed with her mail address only, and requests with her user of that name."""
    prod = production(approval={"unknownRequester": "refuse"})
    grace = callers.user(stage, f"grace@{prod.name}.example")
    mallory = callers.user(stage, f"mallory-{prod.name}")
    deployers = ("deployer", grace.arn), ("deployer", mallory.arn)
    access(stage, prod, [], *deployers)
    version = prod.verified()
    error = refused(asks, prod, mallory, "deploy", release=version, confirm="DEPLOY")
    assert (error.status, "matches no person that Ferryman knows" in str(error)) == (409, True), error
    assert prod.state.requested is None

    access(stage, prod, [{"name": "Grace", "arn": grace.arn}], *deployers)
    asks(prod, grace, "deploy", release=version, confirm="DEPLOY", reason="mine")
    deployment = prod.asked(version)
    found = approval(prod, deployment)
    assert (found.requester, found.requester_known) == ("Grace", True)
    assert stage.inbox.links(f"grace@{prod.name}.example", deployment.id) == []
    prod.approve(deployment, "Ada")
    assert prod.ended(version).approved_by == ["Ada"], prod.tell()


def test_only_identity_centers_own_role_proves_its_user(production: Make, stage: Stage) -> None:
    # IAM does not allow the operator to read a role outside of Identity Center's path: as it has to be.
    stage.expected_denials.add("iam:GetRole")
    prod = production()
    name = SSO.format(prod.name.replace("-", ""))
    forged = callers.session(stage, callers.role(stage, name), "grace@example.com")
    document = changed(prod, approvers=[approver(prod.name, "Ada"), {"name": "Grace", "arn": forged.arn}], required=2)
    error = refused(prod.api.put, f"/v1/platforms/{prod.name}", document)
    assert "is not a session of IAM Identity Center: IAM knows no role" in told(error)
    callers.drop_role(stage, name)

    path = f"{callers.IDENTITY_CENTER}eu-west-1/"
    real = callers.session(stage, callers.role(stage, name, path), "grace@example.com")
    assert real.arn == forged.arn
    prod.apply(document, override="the approvers of this test")
    assert prod.ask("verify")["problems"] == []
    access(stage, prod, [], ("approver", f"permission-set/{name.split('_')[1]}"))
    deployment = prod.asked()
    asks(prod, real, "approve", version=deployment.version[:7])
    callers.drop_role(stage, name)
    later = callers.session(stage, callers.role(stage, name), "grace@example.com")
    error = refused(asks, prod, later, "reject", version=deployment.version[:7], reason="not hers")
    assert error.status == 403, error
    assert [decision.verdict for decision in approval(prod, deployment).decisions] == ["approve"]

    prod.approve(deployment, "Ada")
    assert prod.ended(deployment.version).approved_by == ["Grace", "Ada"], prod.tell()


def test_a_role_is_a_person_while_it_is_declared(production: Make, stage: Stage) -> None:
    prod = production()
    role = callers.role(stage, f"GraceOnly-{prod.name}")
    grace = callers.session(stage, role, "any-name")
    people = [approver(prod.name, "Ada"), {"name": "Grace", "arn": role}]
    document = changed(prod, approvers=people)
    error = refused(prod.api.put, f"/v1/platforms/{prod.name}", document)
    assert "does not declare it as one person's" in told(error)
    as_session = changed(prod, approvers=[people[0], {"name": "Grace", "arn": grace.arn}])
    error = refused(prod.api.put, f"/v1/platforms/{prod.name}", as_session)
    assert "Whoever assumes a role chooses the session's name" in told(error)

    access(stage, prod, [{"name": "Grace", "role": role}], ("approver", role))
    prod.apply(document, override="the approvers of this test")
    deployment = prod.asked()
    access(stage, prod, [], ("approver", role))
    error = refused(asks, prod, grace, "approve", version=deployment.version[:7])
    assert error.status == 403, error
    access(stage, prod, [{"name": "Grace", "role": role}], ("approver", role))
    asks(prod, grace, "approve", version=deployment.version[:7])
    assert prod.ended(deployment.version).approved_by == ["Grace"], prod.tell()


def test_calls_of_nobody_leave_a_few_lines(production: Make, stage: Stage) -> None:
    prod = production()
    event = {
        "version": "2.0",
        "rawPath": prod.path("approve"),
        "rawQueryString": "",
        "headers": {"x-ferryman-proof": "never-written-down"},
        "requestContext": {"http": {"method": "POST", "path": prod.path("approve"), "sourceIp": "203.0.113.7"}},
        "body": "{}",
    }
    for _ in range(30):
        assert stage.invoke("ServeApi", event)["statusCode"] == 403
    lines = [line for line in prod.timeline(f"{prod.name}#{prod.where}") if line.who == "unproved"]
    assert 1 <= len(lines) <= 20
    assert "a call that does not prove who sent it was refused: POST" in lines[0].message
    assert "never-written-down" not in str(lines)
