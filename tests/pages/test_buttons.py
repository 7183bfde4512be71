"""Slack's buttons: Slack's signature, the workspace, the approver; and a word to whoever pressed."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from ferryman.approvals.web.slack_signing import KEPT, SigningSecrets, signing_secret_in
from ferryman.records import AppliedPlatform
from ferryman.records.writes import Save
from pages import asking
from pages.site_world import Site, pressed, signed
from unit import builders as make


def said(site: Site) -> str:
    return str(site.answered[-1][1]["text"])


def test_a_press_is_a_decision(site: Site) -> None:
    answer = site.press(pressed("approve"))

    assert answer.status == 200
    assert json.loads(answer.body)["response_type"] == "ephemeral"
    decision = site.approval.decisions[0]
    assert (decision.name, decision.how, decision.identity) == ("Ada Lovelace", "slack", "T024BE7LD/U0ADA")
    assert site.approval.status == "Approved"
    assert site.nudged == [("scr", "production")]
    assert site.answered[0][0] == "https://hooks.slack.com/actions/1/2/3"
    assert said(site).startswith("You have approved")


def test_a_rejection_takes_its_reason_from_the_field(site: Site) -> None:
    refused = site.press(pressed("reject"))
    answer = site.press(pressed("reject", reason="not during the sale"))

    assert (refused.status, answer.status) == (200, 200)
    assert "Enter it in the message's reason field" in json.loads(refused.body)["text"]
    assert (site.approval.status, site.approval.reason) == ("Rejected", "not during the sale")


@pytest.mark.parametrize(
    ("payload", "identity"),
    [
        pytest.param(pressed(user="U0EVE"), "T024BE7LD/U0EVE", id="non-approver"),
        pytest.param(pressed(team="T0OTHER"), "T0OTHER/U0ADA", id="wrong-team"),
    ],
)
def test_somebody_else_is_refused_and_written_down(site: Site, payload: Any, identity: str) -> None:
    answer = site.press(payload)

    assert answer.status == 200
    assert "not an approver of this request" in json.loads(answer.body)["text"]
    assert (site.approval.status, site.approval.decisions) == ("Pending", [])
    line = site.store.timeline(asking.ID)[-1]
    assert (str(line.type), line.detail["identity"]) == ("DecisionRefused", identity)


def test_an_organisation_wide_app_is_known_by_the_organisation(site: Site) -> None:
    answer = site.press(pressed(team="T0ELSEWHERE", enterprise={"id": asking.TEAM}))

    assert answer.status == 200
    assert site.approval.status == "Approved"


def test_the_second_press_is_told_who_decided(site: Site) -> None:
    site.press(pressed("approve"))
    site.press(pressed("reject", user="U0GRACE", reason="no"))

    assert "was approved by Ada Lovelace" in said(site)
    assert len(site.approval.decisions) == 1


def test_an_app_speaks_for_its_own_platform_only(site: Site) -> None:
    applied = site.store.platform("scr")
    foreign = json.loads(json.dumps(applied.document))
    own = foreign["spec"]["channels"]["chat"]["signingSecretArn"].replace("/scr/", "/other/")
    foreign["spec"]["channels"]["chat"]["signingSecretArn"] = own
    foreign["metadata"]["name"] = "other"
    site.store.write(
        Save(AppliedPlatform(name="other", generation=1, document=foreign, applied_by="eve", applied_at=make.AT))
    )
    real = site.secrets.get_secret_value

    def both(SecretId: str) -> Any:  # noqa: N803
        return {"SecretString": "eves"} if SecretId == own else real(SecretId)

    site.secrets.get_secret_value = both  # type: ignore[method-assign]

    answer = site.press(pressed("approve"), secret="eves")

    assert answer.status == 200
    assert "This request is unknown" in said(site)
    assert site.approval.decisions == []
    assert site.timeline() == []


def test_no_platform_signs_with_the_secret_of_another(site: Site) -> None:
    """Whoever may read a secret of another platform by this way could press its buttons; ours is never read for it."""
    foreign = json.loads(json.dumps(site.store.platform("scr").document))
    foreign["metadata"]["name"] = "other"
    site.store.write(
        Save(AppliedPlatform(name="other", generation=1, document=foreign, applied_by="eve", applied_at=make.AT))
    )
    assert SigningSecrets(site.secrets, site.clock).of([site.store.platform("other")]) == []
    assert site.secrets.read == []


def test_an_unknown_request(site: Site) -> None:
    payload = pressed()
    payload["actions"][0]["value"] = "01K3NOTHING"

    assert site.press(payload).status == 200
    assert "This request is unknown" in said(site)


NOW = 1767323465
BODY = urlencode({"payload": json.dumps(pressed())}).encode()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="unsigned"),
        pytest.param(signed(BODY, NOW, "another secret"), id="bad-signature"),
        pytest.param(signed(BODY + b"x", NOW), id="another-body"),
        pytest.param(signed(BODY, NOW - 301), id="stale"),
        pytest.param(signed(BODY, NOW + 301), id="from-the-future"),
        pytest.param(signed(BODY, NOW) | {"x-slack-request-timestamp": "soon"}, id="timestamp-no-number"),
        pytest.param(signed(BODY, NOW) | {"x-slack-request-timestamp": "\u0661" * 10}, id="timestamp-not-ascii"),
        pytest.param(signed(BODY, NOW) | {"x-slack-request-timestamp": "9" * 400}, id="timestamp-endless"),
        pytest.param(signed(BODY, NOW) | {"x-slack-signature": "v0=\u00fc" + "0" * 63}, id="signature-not-ascii"),
        pytest.param(signed(BODY, NOW) | {"x-slack-signature": "v0=\ud800" + "0" * 63}, id="signature-no-text"),
        pytest.param(signed(BODY, NOW) | {"x-slack-signature": "0" * 64}, id="signature-without-version"),
    ],
)
def test_what_slack_did_not_sign(site: Site, headers: dict[str, str]) -> None:
    answer = site.ask("POST", "/slack", BODY, headers)

    assert answer.status == 401
    assert site.approval.decisions == []
    assert (site.timeline(), site.answered, site.nudged) == ([], [], [])


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"body": "%%%", "isBase64Encoded": True}, id="undecodable"),
        pytest.param({"body": None}, id="no-body"),
        pytest.param({"body": "\ud800"}, id="no-text"),
        pytest.param({"body": ["x"]}, id="no-string"),
    ],
)
def test_bodies_that_are_none(site: Site, event: dict[str, Any]) -> None:
    made = {"rawPath": "/slack", "requestContext": {"http": {"method": "POST"}}, "headers": signed(BODY, NOW), **event}

    assert site.serve(made).status == 401


def test_a_long_body_is_not_read(site: Site) -> None:
    assert site.ask("POST", "/slack", b"x" * 100_000, signed(BODY, NOW)).status == 413


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"type": "view_submission"}, id="another-kind"),
        pytest.param(pressed() | {"actions": [{"action_id": "open", "value": "x"}]}, id="another-button"),
    ],
)
def test_what_is_not_for_us_is_taken(site: Site, payload: Any) -> None:
    answer = site.press(payload)

    assert (answer.status, answer.body) == (200, "")
    assert site.approval.decisions == []


def test_a_signed_body_that_can_not_be_read(site: Site) -> None:
    assert site.press(pressed() | {"user": None}).status == 400


def test_unsigned_requests_cost_no_secret(site: Site) -> None:
    for headers in ({}, signed(BODY, NOW - 400)):
        site.ask("POST", "/slack", BODY, headers)

    assert site.secrets.read == []


def test_secrets_are_kept_for_five_minutes(site: Site) -> None:
    for _ in range(3):
        site.press(pressed("approve"))
    assert len(site.secrets.read) == 1

    site.clock.at += KEPT
    site.clock.forward(seconds=1)
    site.press(pressed("approve"))
    assert len(site.secrets.read) == 2


def test_a_secret_that_can_not_be_read_is_left_out(site: Site) -> None:
    def denied(SecretId: str) -> Any:  # noqa: N803
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")

    site.secrets.get_secret_value = denied  # type: ignore[method-assign]

    assert site.press(pressed()).status == 401
    assert site.approval.decisions == []


def test_an_outage_of_the_secrets_is_tried_again(site: Site) -> None:
    def throttled(SecretId: str) -> Any:  # noqa: N803
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "GetSecretValue")

    real, site.secrets.get_secret_value = site.secrets.get_secret_value, throttled  # type: ignore[method-assign]
    assert site.press(pressed()).status == 503

    site.secrets.get_secret_value = real  # type: ignore[method-assign]
    assert site.press(pressed()).status == 200
    assert site.approval.status == "Approved"


@pytest.mark.parametrize(
    ("secret", "found"),
    [
        (" abc \n", "abc"),
        ('{"signingSecret": "abc"}', "abc"),
        ('{"other": "abc"}', ""),
        ("{", ""),
        ("", ""),
    ],
)
def test_forms_of_the_secret(secret: str, found: str) -> None:
    assert signing_secret_in(secret) == found


def test_an_empty_secret_signs_nothing(site: Site) -> None:
    site.secrets.get_secret_value = lambda **_: {"SecretString": ""}  # type: ignore[method-assign]

    assert SigningSecrets(site.secrets, site.clock).of([site.store.platform("scr")]) == []
    assert site.press(pressed(), secret="").status == 401
