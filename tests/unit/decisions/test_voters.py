"""Entries of one human: one vote, and one bar."""

from ferryman.decisions import voters
from ferryman.records import Approval, ApproverRecord
from unit import asked


def request(**changes: object) -> Approval:
    people = [
        ApproverRecord(name="Ada", email="ada@example.com"),
        ApproverRecord(name="Ada L.", email="Ada+work@example.com"),
        ApproverRecord(name="Grace", email="grace@example.com"),
    ]
    return asked.approval(approvers=people, **changes)


def test_entries_of_one_mailbox_are_one_person() -> None:
    assert voters.same_person(request(), "ADA") == {"ada", "ada l."}
    assert voters.same_person(request(), "Grace") == {"grace"}


def test_who_asked_is_barred_under_every_entry() -> None:
    approval = request(requester="Ada")
    assert [voters.is_barred(approval, name) for name in ("Ada", "Ada L.", "Grace")] == [True, True, False]


def test_a_vote_counts_for_every_entry() -> None:
    approval = request(decisions=[asked.decision(name="Ada L.")])
    assert [voters.has_decided(approval, name) for name in ("Ada", "Ada L.", "Grace")] == [True, True, False]
