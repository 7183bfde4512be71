"""The website in process: requests as a function URL context them over, on fakes."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from ferryman.approvals.web import decide_approval, slack_actions
from ferryman.approvals.web.context import Pages, SlackApp
from ferryman.approvals.web.origin import Origin
from ferryman.approvals.web.slack_signing import SigningSecrets
from ferryman.errors import ReferenceUnresolved
from ferryman.records import Approval
from ferryman.store.table import Store
from pages import asking
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.log import FakeLog
from unit.fakes.secrets import FakeSecrets

FORM = "application/x-www-form-urlencoded"
BUTTONS = {"approve": "Approve", "reject": "Reject"}


@dataclass(frozen=True)
class Answer:
    """What a browser would see."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Site:
    """A website, its table and everything that it did elsewhere."""

    store: Store
    clock: FakeClock
    new_id: FakeIds
    log: FakeLog = field(default_factory=FakeLog)
    nudged: list[tuple[str, str]] = field(default_factory=list)
    answered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    secrets: FakeSecrets = field(default_factory=lambda: FakeSecrets(**{asking.SIGNING_SECRET: asking.SIGNING}))

    def __post_init__(self) -> None:
        self.signing = SigningSecrets(self.secrets, self.clock)
        self.parameters: dict[str, str] = {}
        self.slack_invoked = 0
        self.with_domain("", "")

    def with_domain(self, domain: str, secret: str) -> None:
        """Give the pages a domain whose secret has this ARN; each function looks it up for itself."""
        self.domain = domain
        self.origins = [Origin(self.secrets, self.clock, secret) for _ in range(2)]

    def _common(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "nudge": lambda platform, environment: self.nudged.append((platform, environment)),
            "text": lambda value: resolved(self.parameters, value),
            "clock": self.clock,
            "new_id": self.new_id,
        }

    @property
    def desk(self) -> Pages:
        return Pages(**self._common(), pass_on=self._invoke_slack)

    @property
    def slack(self) -> SlackApp:
        return SlackApp(
            **self._common(), secrets=self.signing, respond=lambda url, body: self.answered.append((url, body))
        )

    def _invoke_slack(self, event: dict[str, Any]) -> dict[str, Any]:
        self.slack_invoked += 1
        return slack_actions.serve(event, self.slack, self.log, origin=self.origins[1])

    def serve(self, event: dict[str, Any]) -> Answer:
        return self._answer(
            decide_approval.serve(event, self.desk, self.log, origin=self.origins[0], domain=self.domain)
        )  # fmt: skip

    def serve_slack(self, event: dict[str, Any]) -> Answer:
        """A request to the function for Slack's buttons, at its own address."""
        return self._answer(slack_actions.serve(event, self.slack, self.log, origin=self.origins[1]))

    def _answer(self, found: dict[str, Any]) -> Answer:
        assert not self.log.failed, self.log.failed[-1]
        return Answer(found["statusCode"], found["headers"], found["body"])

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:  # fmt: skip
        return self.serve(event(method, path, body, headers))

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, **fields: str) -> Answer:
        return self.ask("POST", path, urlencode(fields).encode(), {"content-type": FORM})

    def press(self, payload: Any, *, secret: str = asking.SIGNING, **headers: str) -> Answer:
        body = urlencode({"payload": json.dumps(payload)}).encode()
        headers = signed(body, int(self.clock().timestamp()), secret) | headers
        return self.serve_slack(event("POST", "/slack", body, headers))

    @property
    def approval(self) -> Approval:
        found = self.store.approval(asking.ID)
        assert found is not None
        return found

    def timeline(self) -> list[str]:
        return [str(line.type) for line in self.store.timeline(asking.ID)]


def resolved(parameters: dict[str, str], value: str) -> str:
    """A value of the document, or of the parameter that it refers to."""
    if not value.startswith("ssm:"):
        return value
    if value not in parameters:
        raise ReferenceUnresolved(f"{value} does not exist")
    return parameters[value]


def signed(body: bytes, timestamp: int, secret: str = asking.SIGNING) -> dict[str, str]:
    """Sign as Slack does."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "content-type": FORM,
        "x-slack-request-timestamp": str(timestamp),
        "x-slack-signature": f"v0={digest}",
    }


def pressed(verdict: str = "approve", user: str = "U0ADA", team: str = asking.TEAM, **changes: Any) -> dict[str, Any]:
    """What Slack says of a button."""
    reason = changes.pop("reason", None)
    return {
        "type": "block_actions",
        "team": {"id": team},
        "user": {"id": user},
        "response_url": "https://hooks.slack.com/actions/1/2/3",
        "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": reason}}}},
        "actions": [{"action_id": verdict, "type": "button", "value": asking.ID}],
    } | changes


def event(method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Form the event of a function URL, payload format 2.0; a body travels as base64."""
    parts = urlsplit(path)
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": {"user-agent": "Mozilla/5.0 (test)", **(headers or {})},
        "requestContext": {"http": {"method": method, "path": parts.path, "sourceIp": "203.0.113.7"}},
        "isBase64Encoded": body is not None,
    }
    if body is not None:
        made["body"] = base64.b64encode(body).decode()
    return made


PERSONAL = f"/a/{asking.ID}/{asking.ADA_NONCE}"
GRACES = f"/a/{asking.ID}/{asking.GRACE_NONCE}"
SHARED = f"/a/{asking.ID}"


def made(store: Store, clock: FakeClock, new_id: FakeIds, document: dict[str, Any]) -> Site:
    asking.ask(store, document)
    asking.forward(clock)
    return Site(store, clock, new_id)
