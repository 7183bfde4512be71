"""Entries of one human, written differently."""

from dataclasses import dataclass

import pytest

from ferryman.platform.identities import mailbox, namesakes, one_human, owner

SSO = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_{}_0123456789abcdef/{}"
USER = "arn:aws:iam::123456789012:user/"
ROLE = "arn:aws:iam::123456789012:role/"


@dataclass
class Entry:
    name: str
    email: str | None = None
    slack: str | None = None
    arn: str | None = None


SAME = [
    pytest.param(Entry("Ada", "ada@example.com"), Entry("A.", "ADA@Example.COM"), id="case"),
    pytest.param(Entry("Ada", "ada@example.com"), Entry("A.", "ada+2@example.com"), id="plus"),
    pytest.param(Entry("Ada", "ada@example.com"), Entry("A.", "ada@example.com."), id="the-domains-last-dot"),
    pytest.param(Entry("Ada", "ada@example.com"), Entry("A.", '"A" <ada@example.com>'), id="with-a-name"),
    pytest.param(Entry("Ada", "ada@bücher.example"), Entry("A.", "ada@xn--bcher-kva.example"), id="punycode"),
    pytest.param(Entry("Ada", "a.da@gmail.com"), Entry("A.", "ad.a+x@googlemail.com"), id="dots-of-gmail"),
    pytest.param(Entry("Ada", slack="U1"), Entry("A.", slack="U1"), id="slack"),
    pytest.param(Entry("Ada", arn=f"{USER}ada"), Entry("A.", arn=f"{USER}ada"), id="user"),
    pytest.param(Entry("Ada", arn=f"{ROLE}Ada"), Entry("A.", arn=f"{ROLE}path/Ada"), id="role-and-path"),
    pytest.param(
        Entry("Ada", arn=SSO.format("Admin", "ada@x.io")), Entry("A.", arn=SSO.format("Dev", "Ada@x.io")), id="two-sets"
    ),
    pytest.param(Entry("Ada", "ada@x.io"), Entry("A.", arn=SSO.format("Dev", "ada@x.io")), id="mail-and-session"),
    pytest.param(Entry("Ada", "ada+ops@x.io"), Entry("A.", arn=f"{USER}people/ada@x.io"), id="mail-and-user"),
    pytest.param(Entry("Ada L", "a@x.io"), Entry("ada  l", "b@x.io"), id="name"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_human(one: Entry, other: Entry) -> None:
    told = one_human([one, Entry("Grace", "grace@x.io"), other])
    assert told is not None
    assert told.startswith(f"{one.name!r} and {other.name!r} have the same ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Entry("Ada", "a.da@example.com"), Entry("A.", "ada@example.com")),
        (Entry("Ada", "ada@example.com"), Entry("A.", "ada@example.org")),
        (Entry("Ada", "+1@example.com"), Entry("A.", "+2@example.com")),
        (Entry("Ada", "ssm:/a"), Entry("A.", "ssm:/A")),
        (Entry("Ada", arn=SSO.format("Dev", "ada@x.io")), Entry("A.", arn=SSO.format("Dev", "bob@x.io"))),
        (Entry("Ada", arn=f"{USER}ada"), Entry("A.", arn=f"{ROLE}ada")),
        (Entry("Ada", arn="arn:aws:sts::123456789012:assumed-role/Admin/ada"),
         Entry("A.", arn="arn:aws:sts::123456789012:assumed-role/Admin/bob")),
    ],
)  # fmt: skip
def test_two_humans(one: Entry, other: Entry) -> None:
    assert one_human([one, other]) is None


def test_whoever_shares_something_is_one_human_over_several_entries() -> None:
    chain = [Entry("A", "ada@x.io"), Entry("B", "ada+1@x.io", "U1"), Entry("C", slack="U1"), Entry("D", slack="U2")]
    assert namesakes(chain, "a") == {"a", "b", "c"}
    assert namesakes(chain, "D") == {"d"}
    assert namesakes(chain, "Nobody") == {"nobody"}


@pytest.mark.parametrize(
    ("entry", "caller"),
    [
        (Entry("Ada", arn=f"{USER}ada"), f"{USER}ada"),
        (Entry("Ada", arn=SSO.format("Admin", "ada@x.io")), SSO.format("Dev", "ada@x.io")),
        (Entry("Ada", "Ada@x.io"), SSO.format("Dev", "ada@x.io")),
        (Entry("Ada", arn=f"{ROLE}AdaOnly"), "arn:aws:sts::123456789012:assumed-role/AdaOnly/whatever"),
    ],
)
def test_the_entry_of_a_caller(entry: Entry, caller: str) -> None:
    assert owner([Entry("Grace", "grace@x.io", "U9", f"{USER}grace"), entry], caller) == "Ada"


@pytest.mark.parametrize(
    "caller", [f"{USER}bob", SSO.format("Dev", "bob@x.io"), "arn:aws:sts::123456789012:assumed-role/Admin/ada@x.io"]
)
def test_a_caller_who_is_nobody(caller: str) -> None:
    assert owner([Entry("Ada", "ada@x.io", "U1", f"{USER}ada")], caller) is None


def test_a_mailbox_is_compared_and_never_written_to() -> None:
    assert mailbox("no address") == "@no address"
