"""What stands between a release and an environment: approval, vulnerability scans, freeze windows."""

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
    """A person who may approve, and the ways in which they prove who they are."""

    name: Annotated[str, StringConstraints(pattern=_PERSON)] = Field(
        description="The person; who asked and who approves are compared by it.", examples=["Ada Lovelace"]
    )
    email: Text | None = Field(
        default=None, description="Gets a personal link by mail.", examples=["ada@example.com"]
    )  # fmt: skip
    slack: Annotated[str, StringConstraints(pattern=_SLACK_USER)] | None = Field(
        default=None, description="Slack user id: may press the buttons.", examples=["U024BE7LH"]
    )
    arn: Text | None = Field(
        default=None,
        description="IAM ARN as AWS reports the caller: may use `ferryman approve`.",
        examples=["arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123/ada@example.com"],
    )

    @model_validator(mode="after")
    def _can_be_recognised(self) -> "Approver":
        if not (self.email or self.slack or self.arn):
            raise ValueError("can't be recognised: give an email, a slack user id or an arn")
        if self.email and not is_reference(self.email) and "@" not in self.email.strip("@"):
            raise ValueError(f"{self.email[:60]!r} is not a mail address; write name@example.com")
        if self.arn and (wrong := identities.not_a_caller(self.arn)):
            raise ValueError(wrong)
        return self


class ApprovalPolicy(Model):
    """Who has to say yes before anything changes here."""

    approvers: list[Approver] = Field(default=[], max_length=50, description="People who may decide.")
    required: int = Field(default=1, ge=1, le=20, description="How many different people have to approve.")
    expires: Annotated[Duration, AfterValidator(between("1m", "7d"))] = Field(
        default=timedelta(hours=24), description="How long a request stands, 1m to 7d."
    )
    reminder: Annotated[Duration, AfterValidator(between("1m", "7d"))] | None = Field(
        default=timedelta(hours=4), description="How long before it expires approvers are reminded; null: never."
    )
    sender: Text | None = Field(
        default=None,
        alias="from",
        description="Sender of the personal links: an identity that SES has verified.",
        examples=["ferryman@example.com"],
    )
    requester_may_approve: bool = Field(default=False, description="Whether who asked may also say yes.")
    allow_unverified: bool = Field(
        default=False, description="Whether anybody who has the shared link may decide, under a name they type."
    )
    for_rollback: bool = Field(default=False, description="Whether a manual rollback needs approval too.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> "ApprovalPolicy":
        if same := identities.twice(self.approvers):
            raise ValueError(f"{same}: one person would count as two; give each person one entry")
        if not self.allow_unverified and len(self.approvers) < self.required:
            raise ValueError(
                f"{len(self.approvers)} approvers can't give {self.required} approvals; add approvers or lower required"
            )
        if any(approver.email for approver in self.approvers) and self.sender is None:
            raise ValueError("approvers have mail addresses, and `from` says no sender; add from: ferryman@example.com")
        if self.reminder is not None and self.reminder >= self.expires:
            raise ValueError("the reminder comes before the request does; make it shorter than expires, or null")
        return self


class ScanPolicy(Model):
    """What ECR's scan-on-push may find in an image that goes here."""

    block: list[Severity] = Field(
        default=["CRITICAL"], min_length=1, description="Severities that hold a release back until waived."
    )


class FreezeWindow(Model):
    """A time in which nothing starts (deny), or outside of which nothing starts (allow)."""

    name: Name = Field(description="What people call it.", examples=["weekend"])
    kind: Literal["deny", "allow"] = Field(
        default="deny", description="deny: nothing starts inside. allow: nothing starts outside. deny beats allow."
    )
    weekly: str | None = Field(
        default=None, description="Every week, local time.", examples=["Fri 16:00 - Mon 08:00"]
    )  # fmt: skip
    dates: str | None = Field(
        default=None, description="Once, local time.", examples=["2026-12-20 00:00 - 2027-01-03 00:00"]
    )

    @property
    def ends(self) -> tuple[str, str]:
        """Where it begins and where it ends, as written."""
        start, _, end = (self.weekly or self.dates or "").partition(_BETWEEN)
        return start, end

    @model_validator(mode="after")
    def _is_one_time(self) -> "FreezeWindow":
        if (self.weekly is None) == (self.dates is None):
            raise ValueError("give either weekly: Fri 16:00 - Mon 08:00, or dates: 2026-12-20 00:00 - 2027-01-03 00:00")
        start, end = self.ends
        if self.weekly is not None:
            if not (WEEKLY.fullmatch(start) and WEEKLY.fullmatch(end)) or start == end:
                raise ValueError(f"{self.weekly!r} is not a time of the week; write Fri 16:00 - Mon 08:00")
        else:
            try:
                first, last = local_time(start), local_time(end)
            except ValueError:
                raise ValueError(
                    f"{self.dates!r} are no dates; write 2026-12-20 00:00 - 2027-01-03 00:00"
                ) from None  # fmt: skip
            if last <= first:
                raise ValueError(f"{self.dates!r} ends before it begins")
        return self


class FreezePolicy(Model):
    """Times in which nothing starts by itself; a rollback may, with a reason."""

    time_zone: str = Field(description="IANA time zone of all windows.", examples=["Europe/Berlin", "UTC"])
    windows: list[FreezeWindow] = Field(min_length=1, max_length=50, description="The windows; deny beats allow.")

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:  # noqa: BLE001 - zoneinfo raises what the file system and the name make of it
            raise ValueError(
                f"{value[:60]!r} is no IANA time zone; write Europe/Berlin, America/New_York or UTC"
            ) from None
        return value


def local_time(text: str) -> datetime:
    """Read `2026-12-20 00:00`, without a zone; raise ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the policy's zone is put to it where it is used
