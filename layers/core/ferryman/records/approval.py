"""Approvals: who may decide about one deployment, and who has. Pure."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from ferryman.records.base import Record
from ferryman.records.environment import Actor

ApprovalStatus = Literal["Pending", "Approved", "Rejected", "Expired", "Superseded", "Aborted"]
How = Literal["mail", "slack", "cli", "shared link"]
VOID = "ApprovalVoid"
"""Reason of a deployment that the last gate stopped because its approval no longer covers what would run."""


class ApproverRecord(Record):
    """A person who may decide, as the document said when it was asked for; references resolved."""

    name: str
    email: str | None = None
    slack: str | None = None
    arn: str | None = None


class Decision(Record):
    """What one person decided, and what proved who they are."""

    name: str
    verdict: Literal["approve", "reject"]
    how: How
    identity: str
    """Mail address, `team/user` of Slack, IAM ARN, or `unverified`."""
    source: str = ""
    """Network address and program, as the request said."""
    reason: str = ""
    at: AwareDatetime


class Nonce(Record):
    """The key in one personal link: only its SHA-256 (hex) is kept. Made when the mail is sent."""

    approver: str
    hash: str
    at: AwareDatetime


class ChatMessage(Record):
    """A message of a Slack bot that has to change when the approval ends."""

    channel: str
    """Name of the channel in the document."""
    conversation: str
    timestamp: str


class Commit(Record):
    """One commit of the release, as GitHub tells it; the images' tag only says that they are made of it."""

    sha: str
    title: str
    author: str = ""


class Approval(Record):
    """The question whether one deployment may go on, bound to its environment, release and digests."""

    platform: str
    environment: str
    deployment: str
    """Its id is the approval's id, too."""
    fence: int
    version: str
    tag: str | None = None
    digests: dict[str, str]
    command: str = ""
    """The database command that it is about, in words: `migrate down to 0042`; "" for a deployment without one."""
    command_hash: str = ""
    """`decisions.database_command.hash_of`: exactly this command, with this image and revision, was approved."""
    plan_hash: str = ""
    """`decisions.plan_hash` of what people are asked about; empty in requests that an earlier version made."""
    proposal: str | None = None
    """Id of the proposed document that it is about; it is then about no deployment, and `deployment` is its own id."""
    status: ApprovalStatus = "Pending"
    reason: str = ""
    """Why it ended as it did, for people."""
    superseded_by: str | None = None
    requested_by: Actor
    requester: str | None = None
    """Name of the approver who asked, when it was one of them."""
    requester_known: bool | None = None
    """Whether their identity proves one person, approver or not; None: the operator was older and did not ask."""
    approvers: list[ApproverRecord]
    required: int = 1
    requester_may_approve: bool = False
    allow_unverified: bool = False
    requested_at: AwareDatetime
    expires_at: AwareDatetime
    remind_at: AwareDatetime | None = None
    reminded_at: AwareDatetime | None = None
    decided_at: AwareDatetime | None = None
    decisions: list[Decision] = []
    nonces: list[Nonce] = []
    links_asked: dict[str, AwareDatetime] = {}
    """Approver → when the shared page last had a personal link sent to them."""
    links_sent: dict[str, int] = {}
    """Approver → how many links the shared page has had sent to them."""
    refused: int = 0
    """Attempts that were refused; the first ones stand in the timeline."""
    commit_confirmed: bool | None = None
    """Whether GitHub has the commit that the version names; None while it has not been asked, or has not answered."""
    commits: list[Commit] = []
    """Commits since what runs, newest first, as GitHub listed them; at most 20."""
    commits_in_all: int = 0
    messages: list[ChatMessage] = []
    token: str | None = None
    """Task token of the waiting step; never leaves the table but to Step Functions."""
    earlier_tokens: list[str] = []
    """Tokens of earlier tries of that step: nobody can tell which one still waits, so all are answered."""
    answered_at: AwareDatetime | None = None
    """When the waiting step was told."""
    rev: int = 0

    @property
    def short(self) -> str:
        """What a person types to decide."""
        return self.version[:7]

    @property
    def about(self) -> str:
        """What is decided about, for sentences: a version, a database command, or a proposed document."""
        if self.proposal:
            return f"document {self.short}"
        return f"`{self.command}`" if self.command else self.version

    @property
    def approved_by(self) -> list[str]:
        """Names of those who said yes, each once, in order."""
        return list(dict.fromkeys(item.name for item in self.decisions if item.verdict == "approve"))

    @property
    def barred(self) -> str | None:
        """Name of the approver who asked for it and may therefore not say yes; None when nobody is kept from it."""
        return None if self.requester_may_approve else self.requester

    def expired_at(self, now: datetime) -> bool:
        """Tell whether its time is over, however it ended."""
        return now >= self.expires_at

    def open_at(self, now: datetime) -> bool:
        """Tell whether it can still be decided: it is pending, and its time is not over."""
        return self.status == "Pending" and not self.expired_at(now)

    def approver(self, name: str) -> ApproverRecord | None:
        """Return an approver by name."""
        return next((item for item in self.approvers if item.name == name), None)
