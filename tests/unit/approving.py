"""A production that asks for approval, on fakes: records, a clock moved by hand, and writers that get in between."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ferryman.approvals import lifecycle, record_decision
from ferryman.clients.ssm import References
from ferryman.contracts import RequestApprovalInput
from ferryman.decisions.actions import EndApproval
from ferryman.decisions.approval_rules import Attempt, Verdict
from ferryman.decisions.snapshot import Snapshot
from ferryman.platform import Platform, parse
from ferryman.records import (
    AbortRequest,
    Active,
    Actor,
    AppliedPlatform,
    Approval,
    Deployment,
    EnvironmentState,
    Phase,
    Record,
    Release,
    Running,
    Verified,
    step_keys,
)
from ferryman.records.writes import Save
from ferryman.steps import request_approval
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE, FakeDynamoDb
from unit.fakes.secrets import FakeParameters
from unit.fakes.states import FakeStates

ID = "01K00000000000000000000ASK"
FENCE = 5
VERSION = "3f9c2ab77c1d5e0f4a6b8c9d0e1f2a3b4c5d6e7f"
SHORT = "3f9c2ab"
NEWER = "aaaaaaa77c1d5e0f4a6b8c9d0e1f2a3b4c5d6e7f"
TOKEN = "AAAAKgAAAAIAAAAA+first/token="
ADA, GRACE, LINUS = "Ada Lovelace", "Grace Hopper", "Linus T."
ADA_ARN = "arn:aws:iam::123456789012:user/ada"
GRACE_ARN = "arn:aws:iam::123456789012:user/grace"
APPROVERS = [
    {"name": ADA, "email": "ssm:/ferryman/scr/ada-mail", "arn": "ssm:/ferryman/scr/ada-arn", "slack": "U0000ADA"},
    {"name": GRACE, "email": "grace@scr-platform.example", "arn": GRACE_ARN},
    {"name": LINUS, "slack": "U000LINUS"},
]
PARAMETERS = {"/ferryman/scr/ada-mail": "ada@scr-platform.example", "/ferryman/scr/ada-arn": ADA_ARN}
DIGESTS = {"api": make.digest("a"), "web": make.digest("a")}


def document(approval: dict[str, Any] | None = None, **environment: Any) -> Platform:
    """The platform; `approval` changes the policy, the keywords replace fields of its production."""
    place = {
        "cluster": "scr",
        "waves": [{"name": "one", "services": [{"name": "scr-api", "component": "api"}]}],
    }
    policy = {"approvers": APPROVERS, "from": "ferryman@scr-platform.example", "expires": "24h", "reminder": "4h"}
    production = place | {
        "triggers": ["tag", "manual"],
        "promoteFrom": "staging",
        "approval": policy | (approval or {}),
        "notify": ["team"],
    }
    return parse(
        copy.deepcopy(
            {
                "apiVersion": "ferryman/v1",
                "kind": "Platform",
                "metadata": {"name": "scr"},
                "spec": {
                    "components": {"api": {"repository": "scr-api"}, "web": {"repository": "scr-web"}},
                    "channels": {"team": {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:team"}},
                    "environments": {
                        "staging": place | {"cluster": "scr-staging"},
                        "production": production | environment,
                    },
                },
            }
        )
    )


class Table(FakeDynamoDb):
    """A table in which others write between a read and the write that follows; each of `meanwhile` does so once."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], None]] = []
        self.writes = 0

    def transact_write_items(self, *, TransactItems: list[Any]) -> Any:  # noqa: N803
        if self.meanwhile:
            self.meanwhile.pop(0)()
        self.writes += 1
        return super().transact_write_items(TransactItems=TransactItems)


def release(version: str = VERSION, **changes: Any) -> Release:
    made = make.release(version, components=make.images(version, "b" if version == NEWER else "a"))
    proof = Verified(deployment="01K0000000000000000STAGING", digests=made.digests, at=make.AT)
    return made.but(names=["v1.0.0"], named_at=make.AT, verified={"staging": proof}).but(**changes)


def deployment(**changes: Any) -> Deployment:
    made = make.deployment(
        environment="production",
        id=ID,
        version=VERSION,
        fence=FENCE,
        phase=Phase.PENDING,
        plan=make.plan(approval=True),
        steps=make.passed(upto=step_keys.BEGIN),
        initiated_by=Actor(who="tag v1.0.0", automated=True),
        tag="v1.0.0",
    )
    return made.but(**changes)


def state(**changes: Any) -> EnvironmentState:
    made = make.state(
        environment="production",
        fence=FENCE,
        active=Active(
            deployment=ID,
            version=VERSION,
            fence=FENCE,
            execution_name=f"scr-production-{ID}",
            input="{}",
            claimed_at=make.AT,
        ),
        current=Running(version="0001234", deployment="01K0000000000000000000PREV", digests={}, at=make.AT),
    )
    return made.but(**changes)


@dataclass
class World:
    """The operator around one approval."""

    clock: FakeClock = field(default_factory=FakeClock)
    new_id: FakeIds = field(default_factory=FakeIds)
    table: Table = field(default_factory=Table)
    states: FakeStates = field(default_factory=FakeStates)
    nudged: list[tuple[str, str]] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    nudges_fail: bool = False

    def __post_init__(self) -> None:
        self.store = Store(self.table, TABLE)
        self.apply(document())
        self.put(state(), deployment(), release())

    # ── what is there ──

    def put(self, *records: Record) -> None:
        self.store.write(*(Save(record) for record in records))  # type: ignore[arg-type]

    def apply(self, platform: Platform) -> None:
        before = self.store.find_platform("scr")
        applied = AppliedPlatform(
            name="scr", generation=1, document=platform.dump(), applied_by="ada", applied_at=make.AT
        )
        self.put(applied.but(rev=before.rev if before else 0))

    def edit(self, **changes: Any) -> None:
        self.put(self.deployment.but(**changes))

    def edit_state(self, **changes: Any) -> None:
        self.put(self.state.but(**changes))

    @property
    def approval(self) -> Approval:
        found = self.store.approval(ID)
        assert found is not None
        return found

    @property
    def deployment(self) -> Deployment:
        return self.store.deployment("scr", "production", ID)

    @property
    def state(self) -> EnvironmentState:
        return self.store.state("scr", "production")

    @property
    def view(self) -> Snapshot:
        """What reconcile sees."""
        platform = parse(self.store.platform("scr").document)
        return Snapshot(
            platform="scr",
            name="production",
            environment=platform.environment("production"),
            generation=1,
            state=self.state,
            releases=tuple(self.store.releases("scr")),
            deployment=self.deployment,
            approval=self.store.approval(ID),
        )

    def timeline(self) -> list[tuple[str, str]]:
        return [(str(line.type), line.who) for line in self.store.timeline(ID)]

    def queued(self) -> list[tuple[str, str]]:
        """Event and channel of every message of the deployment, in the order of their keys."""
        return [(item.event, item.channel) for item in self.store.unsent() if item.owner == ID]

    def step(self) -> tuple[str, str]:
        found = self.deployment.step(step_keys.APPROVAL)
        assert found is not None
        return str(found.status), found.reason

    def answers(self) -> dict[str, str]:
        return self.states.answers

    def everything(self) -> str:
        """All that is written down, but for the approval itself."""
        return str([item for key, item in self.table.items.items() if not key[0].startswith("APPROVAL#")])

    # ── what people and the machine do ──

    def ask(self, token: str = TOKEN, *, fence: int = FENCE) -> None:
        self.states.open.add(token)
        request_approval.ask(
            RequestApprovalInput(
                platform="scr", environment="production", deployment=ID, fence=fence, task_token=token
            ),
            store=self.store,
            states=self.states,
            references=References(FakeParameters(PARAMETERS, strict=True)),
            clock=self.clock,
            new_id=self.new_id,
        )

    def asked(self, approval: dict[str, Any] | None = None, **environment: Any) -> "World":
        """Have the question asked, under a policy."""
        self.apply(document(approval, **environment))
        self.ask()
        return self

    def decide(self, name: str = ADA, verdict: str = "approve", **how: Any) -> Verdict:
        return record_decision.decide_approval(
            ID,
            attempt(name, verdict, **how),
            store=self.store,
            nudge=self._nudge,
            clock=self.clock,
            new_id=self.new_id,
            text=self.text,
            count=self.counted.append,
        )

    @property
    def text(self) -> Callable[[str], str]:
        """Resolves what a document refers to."""
        return References(FakeParameters(PARAMETERS)).text

    def _nudge(self, platform: str, environment: str) -> None:
        if self.nudges_fail:
            raise ConnectionError("no queue")
        self.nudged.append((platform, environment))

    def end(self, status: Any = "Superseded", view: Snapshot | None = None) -> None:
        action = EndApproval(status, "why it ended", "ferryman", NEWER if status == "Superseded" else None)
        lifecycle.end(action, view or self.view, store=self.store, clock=self.clock, new_id=self.new_id)

    def tell(self, view: Snapshot | None = None) -> None:
        lifecycle.answer_machine(view or self.view, store=self.store, states=self.states, clock=self.clock)


def attempt(name: str = ADA, verdict: Any = "approve", **how: Any) -> Attempt:
    fields = {
        "how": "mail",
        "identity": "somebody@scr-platform.example",
        "version": SHORT,
        "source": "203.0.113.7, Any",
    }
    return Attempt(verdict=verdict, name=name, **(fields | how))


TWO = {"required": 2}
OPEN = {"allowUnverified": True, "approvers": []}
ABORT = AbortRequest(reason="wrong branch", who="arn:jo", at=make.AT)


def by(name: str = ADA, verdict: str = "approve", **how: Any) -> Callable[[World], Any]:
    return lambda world: world.decide(name, verdict, **how)


def late(**span: float) -> Callable[[World], Any]:
    return lambda world: world.clock.forward(**span)
