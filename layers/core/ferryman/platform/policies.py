"""Policies that can block a release in an environment: approval, image scans, freeze windows."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from ferryman.platform import identities
from ferryman.platform.base import Model
from ferryman.platform.values import Duration, Name, Text, between, is_reference

Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED"]

_PERSON = r"^[^\s<>\x00-\x1f][^<>\x00-\x1f]{0,79}$"
_SLACK_USER = r"^[UW][A-Z0-9]{2,20}$"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKLY = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):([0-5]\d)")
"""`Fri 16:00`, in the policy's time zone."""
_BETWEEN = " - "


class Approver(Model):
    """A person who can approve or reject, and how this person is identified."""

    name: Annotated[str, StringConstraints(pattern=_PERSON)] = Field(
        description="The person's name, in letters of one script. Each person has one entry and one vote.",
        examples=["Ada Lovelace"],
    )
    email: Text | None = Field(
        default=None,
        description="Email address that receives a personal link, or ssm:/path to it.",
        examples=["ada@example.com"],
    )
    slack: Annotated[str, StringConstraints(pattern=_SLACK_USER)] | None = Field(
        default=None, description="Slack user id. This user can press the buttons.", examples=["U024BE7LH"]
    )
    arn: Text | None = Field(
        default=None,
        description="ARN of an IAM user, an Identity Center session, or a role that the access configuration declares "
        "as this person's; or ssm:/path to it. This caller can use `approve`.",
        examples=["arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada@example.com"],
    )

    @model_validator(mode="after")
    def _can_be_recognised(self) -> "Approver":
        if not (self.email or self.slack or self.arn):
            raise ValueError("cannot be identified; add an email, a slack user id or an arn")
        if self.email and not is_reference(self.email) and "@" not in self.email.strip("@"):
            raise ValueError(f"{self.email[:60]!r} is not an email address; write name@example.com")
        return self


class ApprovalPolicy(Model):
    """Who must approve a deployment before it changes anything here."""

    approvers: list[Approver] = Field(default=[], max_length=50, description="People who can approve or reject.")
    required: int = Field(default=1, ge=1, le=20, description="How many different people must approve.")
    expires: Annotated[Duration, AfterValidator(between("1m", "7d"))] = Field(
        default=timedelta(hours=24), description="How long a request stays open, 1m to 7d."
    )
    reminder: Annotated[Duration, AfterValidator(between("1m", "7d"))] | None = Field(
        default=timedelta(hours=4), description="How long before expiry approvers are reminded; null: no reminder."
    )
    sender: Text | None = Field(
        default=None,
        alias="from",
        description="Sender of the emails with personal links: an identity verified in SES, or ssm:/path to it.",
        examples=["ferryman@example.com"],
    )
    requester_may_approve: bool = Field(
        default=False, description="Whether the person who requested a deployment can also approve it."
    )
    unknown_requester: Literal["refuse", "warn"] = Field(
        default="warn",
        description="What happens to a person's request whose identity matches no person: it can be an approver's, who "
        "would approve their own request. refuse: the request is refused. warn: approvers are told.",
    )
    allow_unverified: bool = Field(
        default=False, description="Whether anyone with the shared link can decide, under a name that they type."
    )
    for_rollback: bool = Field(default=False, description="Whether a manual rollback also needs approval.")

    @property
    def refuses_unknown(self) -> bool:
        """Whether a requester must be a person that is known; it matters only where requesters may not approve."""
        return self.unknown_requester == "refuse" and not self.requester_may_approve

    @model_validator(mode="after")
    def _can_be_reached(self) -> "ApprovalPolicy":
        if same := identities.twice(self.approvers):
            raise ValueError(f"{same}, so one person would count twice; list each person only once")
        if not self.allow_unverified and len(self.approvers) < self.required:
            raise ValueError(
                f"{self.required} approvals are required, but the number of approvers is {len(self.approvers)}; "
                "add approvers or lower required"
            )
        if any(approver.email for approver in self.approvers) and self.sender is None:
            raise ValueError("approvers with an email need a sender; add from: ferryman@example.com")
        if self.reminder is not None and self.reminder >= self.expires:
            raise ValueError("reminder must be shorter than expires, or null")
        return self


class ScanPolicy(Model):
    """Which findings of ECR's image scan block a release."""

    block: list[Severity] = Field(
        default=["CRITICAL"], min_length=1, description="Severities that block a release until they are waived."
    )


class FreezeWindow(Model):
    """A time during which no deployment starts (deny), or outside of which none starts (allow)."""

    name: Name = Field(description="Name of the window.", examples=["weekend"])
    kind: Literal["deny", "allow"] = Field(
        default="deny",
        description="deny: no deployment starts during the window. allow: deployments start only during such a window. "
        "Deny takes precedence over allow.",
    )
    weekly: str | None = Field(
        default=None, description="Weekly window in local time.", examples=["Fri 16:00 - Mon 08:00"]
    )  # fmt: skip
    dates: str | None = Field(
        default=None, description="One-time window in local time.", examples=["2026-12-20 00:00 - 2027-01-03 00:00"]
    )

    @property
    def ends(self) -> tuple[str, str]:
        """Start and end of the window, as written."""
        start, _, end = (self.weekly or self.dates or "").partition(_BETWEEN)
        return start, end

    @model_validator(mode="after")
    def _is_one_time(self) -> "FreezeWindow":
        if (self.weekly is None) == (self.dates is None):
            raise ValueError("set either weekly: Fri 16:00 - Mon 08:00, or dates: 2026-12-20 00:00 - 2027-01-03 00:00")
        start, end = self.ends
        if self.weekly is not None:
            if not (WEEKLY.fullmatch(start) and WEEKLY.fullmatch(end)) or start == end:
                raise ValueError(f"{self.weekly!r} is not a weekly window; write it as in Fri 16:00 - Mon 08:00")
        else:
            try:
                first, last = local_time(start), local_time(end)
            except ValueError:
                raise ValueError(
                    f"{self.dates!r} is not a range of dates; write it as in 2026-12-20 00:00 - 2027-01-03 00:00"
                ) from None  # fmt: skip
            if last <= first:
                raise ValueError(f"{self.dates!r} ends before it starts")
        return self


class FreezePolicy(Model):
    """Times when no deployment starts. Rollbacks are not affected."""

    time_zone: str = Field(description="IANA time zone of all windows.", examples=["Europe/Berlin", "UTC"])
    windows: list[FreezeWindow] = Field(
        min_length=1, max_length=50, description="The windows. Deny takes precedence over allow."
    )

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:  # noqa: BLE001 - zoneinfo raises many kinds of errors, depending on the file system and the name
            raise ValueError(
                f"{value[:60]!r} is not an IANA time zone; write it as in Europe/Berlin, America/New_York or UTC"
            ) from None
        return value


def local_time(text: str) -> datetime:
    """Parse `2026-12-20 00:00`, without a time zone; raise ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the caller adds the policy's time zone
