"""Whether Slack and GitHub accept the operator, as the operator found. Pure."""

from collections.abc import Iterable

from ferryman.suggestions import suggest
from ferryman_cli.doctor.checks import Answer, Check, ok, problem, warning

_STEPS = {
    "not_in_channel": "Invite the bot to the channel: /invite @BOT",
    "channel_not_found": "Correct `channel` in the platform document (an id, C…), or invite the bot if it is private",
    "is_archived": "Restore the channel, or correct `channel` in the platform document",
    "missing_scope": "Give the app the scope chat:write, install it again, and store the new token",
    "no_service": "Make a new webhook in the app's settings, and store its URL in the secret",
}
"""Slack's word for what is wrong → what to do."""
_KEY = "Store a valid key: `aws secretsmanager put-secret-value --secret-id ferryman/PLATFORM/…`"
_SEND = f"{suggest('doctor', send_test=True)} sends a message to each channel and shows the answer"


def channels(platform: str, probed: Iterable[Answer], *, sent: bool) -> list[Check]:
    """Judge what the operator found of each channel of a platform, and of GitHub."""
    found = []
    for one in probed:
        name = one["kind"] if one["name"] == one["kind"] else f"{one['kind']} {one['name']}"
        where, told = f"{name} of {platform}", str(one["message"])
        if one["works"]:
            found.append(ok(where, told))
        elif one["works"] is False:
            step = next((step for word, step in _STEPS.items() if word in told), _other(str(one["kind"])))
            found.append(problem(where, told, step))
        elif one["kind"] == "slack" and not sent:
            found.append(warning(where, told, _SEND))
    return found


def _other(kind: str) -> str:
    if kind == "github":
        return f"{_KEY}, with access to the repository, and check spec.github.repository"
    return _KEY if kind == "slack" else "Check the channel in the platform document, and what it names in AWS"
