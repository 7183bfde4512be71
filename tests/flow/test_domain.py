"""The approval pages get a domain of their own: what goes around it does nothing, and no link that was sent is lost."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest

from ferryman.approvals.web.origin import HEADER
from ferryman.records import Phase
from ferryman_local.standins.people import Person
from flow.documents import approver
from flow.domain import Domain, distribution
from flow.production import Production, promoted
from flow.slack_buttons import asking, button
from flow.stage import Stage

FIRST, SECOND = "first-" + "1" * 40, "second-" + "2" * 40


@pytest.fixture(scope="module")
def stage(standing: Callable[..., AbstractContextManager[Stage]]) -> Iterator[Stage]:
    """A local AWS of this module's own: its stack gets a parameter later."""
    with standing("domain") as started:
        yield started


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    with distribution() as found:
        yield found


def given_a_domain(stage: Stage, domain: Domain) -> str:
    """What an administrator does; the secret's ARN."""
    arn: str = stage.client("secretsmanager").create_secret(Name="ferryman/origin", SecretString=FIRST)["ARN"]
    stage.aws.parameters |= {"ApprovalsUrl": domain.url, "OriginSecretArn": arn}
    stage.upgrade()
    outputs = stage.aws.outputs
    domain.pages, domain.slack, domain.secret = outputs["PagesOriginUrl"], outputs["SlackOriginUrl"], FIRST
    assert (outputs["ApprovalsUrl"], outputs["SlackUrl"]) == (domain.url, f"{domain.url}/slack")
    return arn


def refused(prod: Production, stage: Stage, url: str, value: str | None) -> None:
    """A decision that goes around the domain, or brings a wrong value, counts nowhere."""
    headers = {} if value is None else {HEADER: value}
    version = prod.deployments()[0].version[:7]
    form = {"decision": "approve", "version": version}
    assert httpx.post(url, data=form, headers=headers, trust_env=False, timeout=30).status_code == 403
    assert httpx.request("OPTIONS", url, headers=headers, trust_env=False, timeout=30).status_code == 403
    slack = stage.aws.outputs["SlackOriginUrl"]
    assert httpx.post(slack, data={"payload": "{}"}, headers=headers, trust_env=False, timeout=30).status_code == 403
    approval = prod.approval(prod.deployments()[0])
    assert approval is not None
    assert (approval.status, approval.decisions) == ("Pending", [])


def test_from_function_urls_to_a_domain_and_through_a_rotation(stage: Stage, domain: Domain) -> None:
    people = [approver("s", "Ada", slack="U0ADA"), approver("s", "Grace")]
    prod = promoted(stage, slack=True, notify=["chat"], approval={"approvers": people})
    slack = stage.aws.slack
    deployment = prod.asked()
    before = prod.until(lambda: stage.inbox.links("ada@s.example", deployment.id), "Ada's link")[-1]
    arn = given_a_domain(stage, domain)

    # Around the domain: nothing, but an old link leads to it.
    for value in (None, "", "guessed", SECOND):
        refused(prod, stage, before, value)
    moved = httpx.get(before, trust_env=False, timeout=30)
    path = "/a/" + before.partition("/a/")[2]
    assert (moved.status_code, moved.headers["location"]) == (308, domain.url + path)
    with Person() as visitor:
        assert visitor.open(moved.headers["location"]).status == 200

    # Slack over the domain, and still at the address that the pages had.
    message = asking(prod, stage, deployment)
    yes = button(message, "approve")
    for url in (stage.aws.outputs["PagesOriginUrl"] + "slack", stage.aws.outputs["SlackOriginUrl"]):
        assert slack.press(url, message, yes, user="U0ADA").status_code == 403
    stranger = slack.press(f"{domain.url}/slack", message, yes, user="U0EVE")
    assert "not an approver" in stranger.json()["text"]

    # While the secret rotates, both values count; the one before those no longer does.
    stage.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps({"originSecret": SECOND}))
    prod.until(lambda: _opens(domain, path, SECOND), "the new value to count for the pages", 30)
    assert _opens(domain, path, FIRST)
    domain.secret = SECOND
    # Each of the two functions reads the secret for itself, at most every ten seconds for a value it does not know.
    eve = lambda: slack.press(f"{domain.url}/slack", message, yes, user="U0EVE")  # noqa: E731
    prod.until(lambda: eve().status_code == 200, "the new value to count for Slack's buttons", 30)
    answer = slack.press(f"{domain.url}/slack", message, yes, user="U0ADA")
    assert answer.status_code == 200, answer.text
    done = prod.ended(deployment.version)
    assert (done.phase, done.approved_by) == (Phase.SUCCEEDED, ["Ada"]), prod.tell()
    seen = "\n".join(str(record) for record in stage.records())
    assert FIRST not in seen
    assert SECOND not in seen
    prod.remove()


def _opens(domain: Domain, path: str, value: str) -> bool:
    domain.secret = value
    return httpx.get(domain.url + path, trust_env=False, timeout=30).status_code == 200
