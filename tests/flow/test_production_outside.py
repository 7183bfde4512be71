"""GitHub and Slack: what they hear, and that a deployment goes on whatever becomes of them."""

from datetime import timedelta

import pytest

from ferryman.records import Deployment, EventType, OutboxMessage, Phase
from ferryman_local.standins.slack import Message
from flow.documents import approver
from flow.production import Make, Production
from flow.slack_buttons import asking, button
from flow.stage import Stage


def test_a_button_in_slack_decides_for_who_may_and_the_message_shows_it(production: Make, stage: Stage) -> None:
    people = [approver("s", "Ada", slack="U0ADA"), approver("s", "Grace")]
    prod = production(slack=True, notify=["chat"], approval={"approvers": people})
    slack, url = stage.aws.slack, stage.aws.outputs["SlackUrl"]
    deployment = prod.asked()
    message = asking(prod, stage, deployment)
    yes = button(message, "approve")
    for trial in (
        {"user": "U0EVE"},
        {"user": "U0ADA", "team": "T0OTHER"},
        {"user": "U0ADA", "secret": "guessed"},
        {"user": "U0ADA", "at": 1_000_000_000},
    ):
        answer = slack.press(url, message, yes, **trial)
        assert answer.status_code < 500
        approval = prod.approval(deployment)
        assert approval is not None
        assert (approval.status, approval.decisions) == ("Pending", []), trial
    answer = slack.press(url, message, yes, user="U0ADA")
    assert answer.status_code == 200, answer.text
    done = prod.ended(deployment.version)
    assert (done.phase, done.approved_by) == (Phase.SUCCEEDED, ["Ada"]), prod.tell()
    approval = prod.approval(deployment)
    assert approval is not None
    assert approval.decisions[0].how == "slack"
    prod.until(lambda: message.versions and not message.buttons, "the message to change")
    assert "Ada" in message.shown
    # An app that nobody has told of the new address loses no press either.
    for address in (url, f"{stage.approvals_url}/slack"):
        again = slack.press(address, _as_it_was(message), yes, user="U0ADA")
        assert again.status_code == 200, again.text
        assert "already" in again.json()["text"]
    assert len(approval.decisions) == 1


def _as_it_was(message: Message) -> Message:
    return Message(message.channel, message.ts, message.text, message.versions[0]["blocks"])


def test_a_message_in_slack_says_when_its_request_is_void(production: Make, stage: Stage) -> None:
    prod = production(slack=True, notify=["chat"])
    older = prod.asked()
    message = asking(prod, stage, older)
    newer = prod.asked()
    assert prod.ended(older.version).phase is Phase.SUPERSEDED
    prod.until(lambda: message.versions and not message.buttons, "the message to change")
    assert newer.version[:7] in message.shown


def test_a_webhook_gets_a_link_without_a_secret(production: Make, stage: Stage) -> None:
    prod = production(hook=True, notify=["hook"])
    deployment = prod.asked()
    posted = prod.until(
        lambda: next((p for p in stage.aws.slack.posted if deployment.id in str(p)), None), "the webhook's message"
    )
    assert f"/a/{deployment.id}" in str(posted)
    nonce = prod.link(deployment).rpartition("/")[2]
    assert nonce not in str(posted)
    assert (posted["unfurl_links"], posted["unfurl_media"]) == (False, False)


@pytest.mark.parametrize("trouble", ["down", "error", "nonsense", "forbidden"])
def test_a_deployment_goes_on_without_github(reused: Make, stage: Stage, trouble: str) -> None:
    prod, github = reused(github=True, notify=["team"]), stage.aws.github
    version = prod.verified()
    deployment = prod.asked((prod.name_it(version), version)[1])
    struck = github.trouble(trouble)  # type: ignore[arg-type]
    prod.approve(deployment)
    done = prod.ended(version)
    assert done.phase is Phase.SUCCEEDED, prod.tell()
    prod.runs(version)

    def published() -> Deployment | None:
        found = prod.deployments(version)[0]
        return found if found.publication else None

    failed = prod.until(published, "the publication to be given up")
    assert failed.publication is not None
    assert failed.publication.status == "Failed"
    assert failed.publication.message
    assert EventType.PUBLISH_FAILED in [event.type for event in prod.timeline(done)]
    assert struck.hits > 0
    waiting = prod.until(lambda: [m for m in _to_github(prod) if m.last_error], "a status that was not taken")
    assert github.token not in str(waiting)
    # It comes back, and so does what it was not told.
    github.calm()
    for message in [m for m in _to_github(prod) if m.sent_at is None and not m.gave_up]:
        assert prod.store.mark(message.but(tried_at=prod.now() - timedelta(hours=2)), since=message.attempts)
    stage.sweep()
    prod.until(
        lambda: any(item["sha"].startswith(version) and item["state"] == "success" for item in github.statuses),
        "the status after all",
    )


def _to_github(prod: Production) -> list[OutboxMessage]:
    return [message for message in prod.messages() if message.channel == "github"]


def test_a_release_that_exists_already_is_no_failure(reused: Make, stage: Stage) -> None:
    prod, github = reused(github=True, notify=["team"]), stage.aws.github
    version = prod.verified()
    name = prod.name_it(version)
    deployment = prod.asked(version)
    # Its answer is lost: the release is there, and whoever asked for it does not know.
    github.trouble("slow", times=1, matches=lambda method, path: method == "POST" and path.endswith("/releases"))
    prod.approve(deployment)
    assert prod.ended(version).phase is Phase.SUCCEEDED, prod.tell()

    def published() -> bool:
        publication = prod.deployments(version)[0].publication
        return publication is not None and publication.status == "Published"

    prod.until(published, "the publication")
    assert len([call for call in github.asked("POST", "/releases") if call.body["tag_name"] == name]) == 1
    assert github.releases[name]["target_commitish"].startswith(version)


def test_a_deployment_goes_on_without_slack(production: Make, stage: Stage) -> None:
    prod = production(slack=True, notify=["chat", "team"])
    stage.aws.slack.trouble("down")
    deployment = prod.asked()
    prod.approve(deployment)
    done = prod.ended(deployment.version)
    assert done.phase is Phase.SUCCEEDED, prod.tell()
    prod.runs(deployment.version)
    assert prod.told("outcome", owner=done.id, channel="team")
    waiting = prod.until(
        lambda: next((m for m in prod.messages() if m.channel == "chat" and m.last_error), None), "a failed delivery"
    )
    assert stage.aws.slack.bot_token not in str(waiting)
