"""The API as a person meets it: requests in the form of a function URL, answers parsed."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ferryman.access import Access, Role
from ferryman.access.grants import EVERY, Grant, Grants
from ferryman.api.context import Context
from ferryman.api.http import HttpError, Request
from ferryman.api.refusals import Refusals
from ferryman.api.serve_api import serve
from ferryman.records import AppliedPlatform, EnvironmentState, Running
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.log import FakeLog
from unit.fakes.outside import FakeOutside

JO = "arn:aws:iam::123456789012:user/jo"
ADMIN = "arn:aws:iam::123456789012:user/ada"
KIM = "arn:aws:iam::123456789012:user/kim"
ENV = "/v1/platforms/scr/environments/staging"


def event(
    method: str, path: str, *, query: dict[str, str] | None = None, body: bytes = b"", who: str | None = JO
) -> dict[str, Any]:
    """Form the event of a function URL, payload format 2.0; a body travels as base64."""
    http = {"method": method, "path": path, "sourceIp": "203.0.113.7", "userAgent": "ferryman/1"}
    context: dict[str, Any] = {"http": http}
    made: dict[str, Any] = {"version": "2.0", "rawPath": path, "requestContext": context, "isBase64Encoded": bool(body)}
    made["headers"] = {"X-Test-Caller": who} if who else {}
    if query:
        made["rawQueryString"] = urlencode(query)
    if body:
        made["body"] = base64.b64encode(body).decode()
    return made


def prove(request: Request) -> str:
    """Take the caller from the test's own header; how a real one is proved, see test_callers."""
    who = request.headers.get("x-test-caller")
    if who is None:
        raise HttpError(403, "ProofMissing", "this request does not prove who sends it")
    return who


class _Usual(Access):
    """Lets everybody create a platform, since most tests are not about roles."""

    def require_admin(self, caller: str, what: str) -> None:
        if not what.startswith("create the platform"):
            super().require_admin(caller, what)


@dataclass
class World:
    """An operator whose outside is faked and whose table is moto's."""

    store: Store
    clock: FakeClock
    new_id: FakeIds
    outside: FakeOutside = field(default_factory=FakeOutside)
    log: FakeLog = field(default_factory=FakeLog)
    grants: Grants | None = None
    """What the platform grants; None: whoever asks is its deployer and approver, as most tests are not about roles."""
    refusals: Refusals = field(default_factory=Refusals)
    _caller: str = JO

    @property
    def operator(self) -> Context:
        return Context(
            store=self.store,
            outside=self.outside,
            clock=self.clock,
            new_id=self.new_id,
            access=self.access,
            refusals=self.refusals,
        )

    @property
    def access(self) -> Access:
        """Who may do what."""
        roles = (Role.DEPLOYER, Role.APPROVER)
        usual = Grants(tuple(Grant(role, (EVERY,), (self._caller,)) for role in roles))
        if self.grants is None:
            return _Usual((ADMIN,), grants_of=lambda _: usual)
        granted = self.grants
        return Access((ADMIN,), grants_of=lambda _: granted)

    def call(
        self, method: str, path: str, body: Any = None, *, who: str | None = JO, **query: str
    ) -> tuple[int, dict[str, Any]]:
        self._caller = who or JO
        data = b"" if body is None else json.dumps(body).encode()
        answer = serve(event(method, path, query=query, body=data, who=who), self.operator, self.log, prove)
        return answer["statusCode"], json.loads(answer["body"])

    def ask(self, what: str, body: Any = None, *, who: str = JO) -> tuple[int, dict[str, Any]]:
        return self.call("POST", f"{ENV}/{what}", body or {}, who=who)

    def put(self, *records: Any) -> None:
        self.store.write(*(Save(record) for record in records))

    def applied(self, document: dict[str, Any]) -> None:
        """Have the platform applied already."""
        self.put(
            AppliedPlatform(name="scr", generation=1, document=document, applied_by=JO, applied_at=make.AT)
        )  # fmt: skip

    @property
    def state(self) -> EnvironmentState:
        return self.store.state("scr", "staging")

    def timeline(self, owner: str = "scr#staging") -> list[tuple[str, str]]:
        return [(str(line.type), line.who) for line in self.store.timeline(owner)]


def idle(**changes: Any) -> EnvironmentState:
    """An environment in which nothing is under way and 0001234 runs."""
    current = Running(version="0001234", deployment="01K0000000000000000000PREV", digests={}, at=make.AT)
    return make.state(active=None, current=current).but(**changes)
