"""An approval, its platform and the outbox, with fakes of every service that a message is sent through."""

import copy
import re
from typing import Any

from ferryman.contracts import NotifyInput
from ferryman.messages import approval as messages_approval
from ferryman.platform import Platform, parse
from ferryman.records import AppliedPlatform, Approval, OutboxMessage
from ferryman.records.writes import Add, Save
from ferryman.store.table import Store
from unit import asked
from unit.builders import AT
from unit.fakes.clock import FakeClock

SWEEP = NotifyInput(sweep=True)
BASE = "https://approve.example"
PERSON = "approver/Ada Lovelace"
LINK = re.compile(rf"{BASE}/a/{asked.ID}/([A-Za-z0-9_-]{{43}})")


class World:
    def __init__(self, store: Store, clock: FakeClock, document: dict[str, Any]) -> None:
        self.store, self.clock, self.document = store, clock, document
        self.counted: list[str] = []

    @property
    def parsed(self) -> Platform:
        return parse(self.document)

    @property
    def approval(self) -> Approval:
        found = self.store.approval(asked.ID)
        assert found is not None
        return found

    def ask(
        self,
        *channels: str,
        personal: tuple[str, ...] = (),
        approval: Approval | None = None,
        listed: bool = True,
    ) -> None:
        """Ask for approval. `listed`: the stored document still lists who is asked, so that mails with links go out."""
        self.document["spec"]["environments"]["production"]["notify"] = list(channels)
        asking, deployment = approval or asked.approval(), asked.deployment()
        document = self._still_listing(asking) if listed else self.document
        platform = AppliedPlatform(name="scr", generation=1, document=document, applied_by="anna", applied_at=AT)
        rows = messages_approval.for_request(asking, deployment, self.parsed, AT, personal=list(personal))
        wanted = [row for row in rows if channels or personal if _channel(row) != "github"]
        self.store.write(Save(platform), Save(asking), Save(deployment), *wanted)

    def _still_listing(self, asking: Approval) -> dict[str, Any]:
        """Return the document with those who were asked, by names that today's `apply` refuses, too."""
        document = copy.deepcopy(self.document)
        production = document["spec"]["environments"]["production"]
        production["approval"]["approvers"] = [one.model_dump(exclude_none=True) for one in asking.approvers]
        return document

    def remind(self) -> None:
        rows = messages_approval.for_reminder(self.approval, asked.deployment(), self.parsed, self.clock())
        self.store.write(*rows)

    def end(self, status: Any = "Approved", **changes: Any) -> None:
        if status in ("Approved", "Rejected"):
            verdict = "approve" if status == "Approved" else "reject"
            changes["decisions"] = [asked.decision(verdict, reason="because")]
        after = self.approval.but(status=status, **changes)
        rows = messages_approval.for_ended(after, asked.deployment(), self.parsed, self.clock())
        self.store.write(Save(after), *rows)

    def row(self, event: str, channel: str) -> OutboxMessage:
        found = self.store.message(asked.ID, event, channel)
        assert found is not None
        return found


def _channel(row: Add) -> str:
    assert isinstance(row.record, OutboxMessage)
    return row.record.channel


def message(text: str, subject: str = "[Failed] scr/staging: abc failed", **changes: Any) -> OutboxMessage:
    """Return a message about a deployment that failed."""
    made = OutboxMessage(
        owner="01DEP",
        event="outcome",
        channel="team",
        platform="scr",
        environment="staging",
        subject=subject,
        text=text,
        created_at=AT,
    )
    return made.but(**changes)
