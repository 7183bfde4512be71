"""What an approval's record tells of itself: until when it can be decided, and who may not."""

from datetime import timedelta

import pytest

from ferryman.records import ApprovalStatus
from unit import asked

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "left", "is_open", "expired"),
    [
        ("Pending", SECOND, True, False),
        ("Pending", 0 * SECOND, False, True),
        ("Pending", -SECOND, False, True),
        ("Approved", SECOND, False, False),
        ("Rejected", -SECOND, False, True),
        ("Superseded", SECOND, False, False),
    ],
)
def test_it_is_open_while_it_is_pending_and_its_time_is_not_over(
    status: ApprovalStatus, left: timedelta, is_open: bool, expired: bool
) -> None:
    approval = asked.approval(status=status)
    now = approval.expires_at - left

    assert (approval.open_at(now), approval.expired_at(now)) == (is_open, expired)


@pytest.mark.parametrize(
    ("requester", "may", "barred"), [("ada", False, "ada"), ("ada", True, None), (None, False, None)]
)
def test_who_asked_is_barred_unless_the_document_lets_them(
    requester: str | None, may: bool, barred: str | None
) -> None:
    assert asked.approval(requester=requester, requester_may_approve=may).barred == barred
