"""From a semver tag to production: who is asked, what a yes, a no and silence lead to, and what a scanner can't do."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import Approval, Deployment, EventType, Phase, StepStatus, step_keys
from ferryman_cli.transport import ApiError
from ferryman_local.signed_event import signed
from ferryman_local.standins.people import Person, Scanner
from flow import leaks
from flow.documents import approver
from flow.production import Make, Production
from flow.stage import Stage

ME = "arn:aws:iam::000000000000:user/local-admin"


def pending(prod: Production, deployment: Deployment) -> Approval:
    """The approval, which must be as open as it was when it was asked for."""
    approval = prod.approval(deployment)
    assert approval is not None
    assert (approval.status, approval.decisions) == ("Pending", []), prod.tell()
    return approval


def ended_as(prod: Production, deployment: Deployment, phase: Phase, reason: str) -> Deployment:
    """The deployment, which must end so without having changed a thing."""
    done = prod.ended(deployment.version)
    assert (done.id, done.phase) == (deployment.id, phase), prod.tell()
    step = done.step(step_keys.APPROVAL)
    assert step is not None
    assert (step.status, step.reason) == (StepStatus.ABORTED, reason)
    assert done.step(step_keys.ADMIT) is None
    assert [call for call in prod.calls("UpdateService") if prod.cluster in str(call.arguments)] == []
    approval = prod.approval(deployment)
    assert approval is not None
    assert (approval.status, approval.answered_at is not None) == (reason, True)
    return done


def test_from_a_tag_over_a_scanner_and_a_yes_to_the_same_bytes_in_production(production: Make, stage: Stage) -> None:
    prod = production(("api", "web"), github=True, notify=["team"])
    version = prod.verified()
    name = prod.name_it(version)
    deployment = prod.asked(version)
    assert (deployment.tag, deployment.initiated_by.automated) == (name, True)
    link = prod.link(deployment)

    with Scanner() as scanner:
        statuses = scanner.visit(link)
        assert max(statuses) < 500, scanner.seen
        statuses += scanner.visit(f"{stage.approvals_url}/a/{deployment.id}")
        assert max(statuses) < 500, scanner.seen
    assert len(statuses) > 30, "it has found the forms"
    pending(prod, deployment)
    prod.runs("bootstrap")

    page = prod.approve(deployment)
    assert version in page.text.replace(" ", ""), page.text
    done = prod.ended(version)
    assert (done.phase, done.approved_by) == (Phase.SUCCEEDED, ["Ada"]), prod.tell()
    prod.runs(version)
    assert done.digests == prod.digests[version]
    for component in ("api", "web"):
        assert prod.running_digests(component) == prod.staging.running_digests(component)
        for tag in ("production-latest", "production-current"):
            prod.until(
                lambda c=component, t=tag: prod.digest_of(c, t) == prod.digests[version][c], f"{tag} of {component}"
            )
    with Person() as visitor:
        later = visitor.open(link)
    assert later.status == 200
    assert later.forms == [], "nothing is left to decide"
    told = [event.type for event in prod.timeline(done)]
    for moment in (EventType.APPROVAL_REQUESTED, EventType.APPROVED, EventType.ENDED):
        assert moment in told, told
    approved = next(event for event in prod.timeline(done) if event.type is EventType.APPROVED)
    assert "Ada" in f"{approved.who} {approved.message}"
    assert version in prod.told("outcome", owner=done.id).text
    # What the search for secrets at the end of the session looks for, is there to be found.
    stage.take_down_denials()
    kinds = set(leaks.secrets(stage).values())
    assert {"nonce of a link", "task token", "token of GitHub"} <= kinds


def test_of_many_decisions_at_once_exactly_one_counts(reused: Make) -> None:
    prod = reused()
    deployment = prod.asked()
    links = [prod.link(deployment, person) for person in ("Ada", "Grace")]
    version = deployment.version[:7]

    def decide(number: int) -> int:
        word = "approve" if number % 2 else "reject"
        with Person() as person:
            form = {"decision": word, "version": version, "reason": f"try {number}"}
            return person.ask("POST", links[number % 4 // 2], data=form).status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(decide, range(32)))
    assert max(statuses) < 500, statuses
    assert sum(status in (200, 303) for status in statuses) >= 1, statuses
    approval = prod.approval(deployment)
    assert approval is not None
    assert len(approval.decisions) == 1, approval.decisions
    done = prod.ended(deployment.version)
    wanted = {"approve": Phase.SUCCEEDED, "reject": Phase.REJECTED}[approval.decisions[0].verdict]
    assert done.phase is wanted, prod.tell()
    decided = [e for e in prod.timeline(done) if e.type in (EventType.APPROVED, EventType.REJECTED)]
    assert len(decided) == 1


def test_github_hears_of_both_environments_and_gets_the_release(reused: Make, stage: Stage) -> None:
    prod, github = reused(github=True), stage.aws.github
    version = prod.verified()
    name = prod.name_it(version)
    prod.approve(prod.asked(version))
    done = prod.ended(version)
    assert done.phase is Phase.SUCCEEDED, prod.tell()
    release = prod.until(lambda: github.releases.get(name), "the release on GitHub")
    assert release["target_commitish"].startswith(version)
    for text in ("Ada", next(iter(done.digests.values()))[:19]):
        assert text in release["body"], release["body"]
    published = prod.until(lambda: (d := prod.deployments(version)[0]).publication and d, "the publication")
    assert (published.publication.status, published.publication.url) == ("Published", release["html_url"])

    def told() -> dict[str, str] | None:
        found = {item["context"]: item["state"] for item in github.statuses if item["sha"].startswith(version)}
        success = [context for context, state in found.items() if state == "success"]
        return found if len(success) >= 2 else None

    statuses = prod.until(told, "commit statuses of both environments")
    assert any("staging" in context for context in statuses)
    assert any("production" in context for context in statuses)
    environments = {item["environment"] for item in github.deployments if item["sha"].startswith(version)}
    assert {"staging", "production"} <= {name.rpartition("/")[2] for name in environments}


def test_a_no_needs_a_reason_and_is_final(reused: Make, stage: Stage) -> None:
    prod = reused()
    before = prod.running
    deployment = prod.asked()
    page = prod.decide(deployment, "reject")
    assert 400 <= page.status < 500, page.text
    assert "reason" in page.text.lower()
    pending(prod, deployment)
    prod.reject(deployment, "the invoices are wrong")
    done = prod.ended(deployment.version)
    assert (done.phase, done.steps[step_keys.APPROVAL].reason) == (Phase.REJECTED, "Rejected"), prod.tell()
    assert "the invoices are wrong" in done.message
    assert "Ada" in done.message
    prod.runs(before)
    stage.sweep()
    assert len(prod.deployments(deployment.version)) == 1
    assert prod.state.settled[deployment.version].phase is Phase.REJECTED


def test_the_version_has_to_be_typed(reused: Make) -> None:
    prod = reused()
    deployment = prod.asked()
    link = prod.link(deployment)
    with Person() as visitor:
        for wrong in ("", deployment.version[:6], deployment.tag or "", "approve"):
            page = visitor.decide(link, "approve", wrong)
            assert 400 <= page.status < 500, (wrong, page.status)
    pending(prod, deployment)
    prod.approve(deployment)
    assert prod.ended(deployment.version).phase is Phase.SUCCEEDED, prod.tell()


def test_a_request_that_nobody_answers_expires(reused: Make, stage: Stage) -> None:
    prod = reused()
    deployment = prod.asked()
    link = prod.link(deployment)
    pending(prod, deployment)
    ago = timedelta(hours=25)
    prod.rewrite(deployment, lambda it: it.but(requested_at=it.requested_at - ago, expires_at=it.expires_at - ago))
    with Person() as late:
        page = late.open(link)
        assert page.status == 410 or not any(("decision", "approve") in form.buttons for form in page.forms)
    stage.sweep()
    done = prod.ended(deployment.version)
    assert (done.phase, done.steps[step_keys.APPROVAL].reason) == (Phase.EXPIRED, "Expired"), prod.tell()
    with Person() as later:
        assert later.open(link).status == 410
    stage.sweep()
    assert len(prod.deployments(deployment.version)) == 1


def test_a_newer_candidate_takes_the_place_of_one_that_waits(reused: Make, stage: Stage) -> None:
    prod = reused()
    older = prod.asked()
    link = prod.link(older)
    newer = prod.asked()
    done = prod.ended(older.version)
    assert (done.phase, done.superseded_by) == (Phase.SUPERSEDED, newer.version), prod.tell()
    with Person() as visitor:
        page = visitor.open(link)
        assert page.status == 410
        assert newer.version[:7] in page.text
    with Scanner() as scanner:
        assert max(scanner.visit(link)) < 500
    prod.approve(newer)
    assert prod.ended(newer.version).phase is Phase.SUCCEEDED, prod.tell()
    prod.runs(newer.version)


def test_with_keep_the_older_request_stands(production: Make, stage: Stage) -> None:
    prod = production(onNewer="keep")
    older = prod.asked()
    newer = prod.verified()
    prod.name_it(newer)
    prod.until(lambda: (release := prod.release(newer)) and release.names, "the newer one's name")
    stage.sweep()
    pending(prod, older)
    assert prod.deployments(newer) == []
    prod.approve(older)
    assert prod.ended(older.version).phase is Phase.SUCCEEDED, prod.tell()
    assert prod.asked(newer).version == newer


def test_two_different_people_where_two_are_wanted(production: Make) -> None:
    prod = production(approval={"required": 2})
    deployment = prod.asked()
    prod.approve(deployment, "Ada")
    if _may_decide(prod, deployment, "Ada"):
        prod.decide(deployment, "approve", "Ada")
    approval = prod.approval(deployment)
    assert approval is not None
    assert (approval.status, approval.approved_by) == ("Pending", ["Ada"])
    prod.approve(deployment, "Grace")
    done = prod.ended(deployment.version)
    assert (done.phase, done.approved_by) == (Phase.SUCCEEDED, ["Ada", "Grace"]), prod.tell()


def _may_decide(prod: Production, deployment: Deployment, person: str) -> bool:
    with Person() as visitor:
        page = visitor.open(prod.link(deployment, person))
        return any(("decision", "approve") in form.buttons for form in page.forms)


def test_who_asks_for_it_does_not_approve_it(production: Make, stage: Stage) -> None:
    prod = production(approval={"approvers": [approver("r", "Ada", arn=ME), approver("r", "Grace")]})
    version = prod.verified()
    with pytest.raises(ApiError) as refused:
        prod.ask("deploy", release=version, confirm="deploy", reason="a fix")
    assert "DEPLOY" in str(refused.value)
    prod.ask("deploy", release=version, confirm="DEPLOY", reason="a fix for the invoices")
    deployment = prod.asked(version)
    approval = prod.approval(deployment)
    assert approval is not None
    assert (approval.requester, deployment.initiated_by.who) == ("Ada", ME)
    with pytest.raises(ApiError):
        prod.ask("approve", version=version[:7])
    assert pending(prod, deployment)
    link = prod.until(lambda: stage.inbox.links("grace@r.example", deployment.id), "Grace's link")[-1]
    with Person() as grace:
        assert grace.decide(link, "approve", version[:7]).status == 200
    done = prod.ended(version)
    assert (done.phase, done.approved_by, done.tag) == (Phase.SUCCEEDED, ["Grace"], None), prod.tell()


def test_the_command_line_approves_with_the_callers_arn(production: Make, stage: Stage) -> None:
    grace = stage.person("grace")
    prod = production(approval={"approvers": [{"name": "Grace", "arn": grace.arn}]})
    stage.grant(prod.name, ("approver", "production", grace))
    deployment = prod.asked()
    with pytest.raises(ApiError) as stranger:
        prod.ask("approve", version=deployment.version[:7])
    assert stranger.value.status in (403, 409)
    pending(prod, deployment)
    stage.api_of(grace).post(
        prod.path("approve"), {"version": deployment.version[:7], "reason": "tried it"}, repeatable=False
    )
    done = prod.ended(deployment.version)
    assert (done.phase, done.approved_by) == (Phase.SUCCEEDED, ["Grace"]), prod.tell()
    approval = prod.approval(deployment)
    assert approval is not None
    (decision,) = approval.decisions
    assert (decision.how, decision.identity) == ("cli", grace.arn)


def test_who_invokes_the_function_directly_is_still_nobody_else(production: Make, stage: Stage) -> None:
    """A developer may invoke the API's function, and writes an event in which somebody else approves."""
    iam, user = stage.client("iam"), f"mallory-{next(stage.names)}"
    iam.create_user(UserName=user)
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "*"}],
        }
    )
    iam.put_user_policy(UserName=user, PolicyName="call", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mallory = stage.aws.emulator.session(key["AccessKeyId"], key["SecretAccessKey"])
    grace = "arn:aws:iam::000000000000:user/grace"
    prod = production(approval={"approvers": [{"name": "Grace", "arn": grace}]})
    deployment = prod.asked()
    body = json.dumps({"version": deployment.version[:7], "reason": "tried it"})
    event = {
        "version": "2.0",
        "rawPath": prod.path("approve"),
        "rawQueryString": "",
        "headers": {},
        "requestContext": {
            "http": {"method": "POST", "path": prod.path("approve"), "sourceIp": "203.0.113.7", "userAgent": "x"},
            "authorizer": {"iam": {"userArn": grace, "accountId": "000000000000"}},
        },
        "body": body,
        "isBase64Encoded": False,
    }
    function = stage.aws.outputs["ApiFunctionArn"]

    def invoke(event: dict[str, Any]) -> tuple[int, str]:
        answer = json.loads(
            mallory.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))["Payload"].read()
        )
        return answer["statusCode"], json.loads(answer["body"])["error"]["message"]

    status, said = invoke(event)
    assert (status, said.startswith("this request does not prove who sends it. Update the `ferryman` command")) == (
        403,
        True,
    ), said
    status, said = invoke(signed(event, function, mallory.get_credentials()))
    assert (status, user in said) == (403, True), said
    other = signed({**event, "rawPath": prod.path("hold")}, function)
    status, said = invoke({**event, "headers": other["headers"]})
    assert (status, "(SignatureDoesNotMatch)" in said) == (403, True), said
    pending(prod, deployment)


def test_an_abort_ends_a_request(production: Make, stage: Stage) -> None:
    prod = production()
    deployment = prod.asked()
    prod.ask("abort", reason="the wrong branch")
    done = ended_as(prod, deployment, Phase.ABORTED, "Aborted")
    assert "the wrong branch" in done.message
    prod.runs("bootstrap")
    with Person() as visitor:
        assert visitor.open(prod.link(deployment)).status == 410


def test_what_is_decided_while_nobody_can_be_told_is_told_later(reused: Make, stage: Stage) -> None:
    """The decision stands in the table; the nudge and the answer to the waiting step may both be lost."""
    prod = reused()
    deployment = prod.asked()
    lost = stage.proxy.fault("error", service="sqs", action="SendMessage", times=None)
    page = prod.decide(deployment, "approve")
    assert page.status == 200, page.text
    approval = prod.approval(deployment)
    assert approval is not None
    assert (approval.status, approval.answered_at) == ("Approved", None)
    assert lost.hits > 0
    lost.remove()
    stage.sweep()
    assert prod.ended(deployment.version).phase is Phase.SUCCEEDED, prod.tell()
