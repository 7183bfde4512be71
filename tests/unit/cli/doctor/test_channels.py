"""What the operator found of Slack and GitHub, and what to do about it."""

import pytest

from ferryman_cli.doctor.channels import channels


@pytest.mark.parametrize(
    ("works", "message", "status", "cure"),
    [
        (True, "Slack knows the bot as ferryman", "ok", ""),
        (False, "Slack answered not_in_channel", "problem", "/invite"),
        (False, "Slack answered channel_not_found", "problem", "Correct `channel`"),
        (False, "Slack answered is_archived", "problem", "Restore the channel"),
        (False, "Slack answered missing_scope", "problem", "chat:write"),
        (False, "Slack answered 404: no_service", "problem", "a new webhook"),
        (False, "Slack answered invalid_auth", "problem", "put-secret-value"),
        (None, "the secret holds the URL of a webhook; nothing was sent", "warning", "--send-test"),
    ],
)
def test_what_slack_says_is_told_with_its_cure(works: bool | None, message: str, status: str, cure: str) -> None:
    probed = {"name": "team", "kind": "slack", "works": works, "message": message}
    (check,) = channels("scr", [probed], sent=False)
    assert (check.name, check.verdict, check.message) == ("slack team of scr", status, message)
    assert cure in check.next_step


def test_github_and_other_channels() -> None:
    probed = [
        {"name": "github", "kind": "github", "works": False, "message": "GitHub answered 401: Bad credentials"},
        {"name": "topic", "kind": "sns", "works": False, "message": "NotFound"},
        {"name": "ops", "kind": "mail", "works": None, "message": "nothing was sent"},
    ]
    found = channels("scr", probed, sent=False)
    assert [(check.name, check.verdict) for check in found] == [
        ("github of scr", "problem"),
        ("sns topic of scr", "problem"),
    ]
    assert "access to the repository" in found[0].next_step
