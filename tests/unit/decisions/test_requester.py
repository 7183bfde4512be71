"""Who requested a deployment, and whether that is proved."""

import pytest

from ferryman.access.people import Declared, People
from ferryman.decisions.requester import Requester, recognise
from ferryman.records import ApproverRecord

USER = "arn:aws:iam::123456789012:user/"
ADMIN = "arn:aws:sts::123456789012:assumed-role/Admin/"
SSO = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_{}_0123456789abcdef/{}@x.io"
ONLY = "arn:aws:sts::123456789012:assumed-role/GraceOnly/any"

APPROVERS = [
    ApproverRecord(name="Ada", email="ada@x.io", arn=f"{USER}ada"),
    ApproverRecord(name="Grace", email="grace+ops@x.io"),
    ApproverRecord(name="Linus", slack="U1", arn=SSO.format("Ops", "linus")),
    ApproverRecord(name="Old", slack="U2", arn=f"{ADMIN}old"),
]
PEOPLE = People(
    (
        Declared("grace", "arn:aws:iam::123456789012:role/GraceOnly"),
        Declared("Jo", f"{USER}jo"),
        Declared("Ada", f"{USER}ada-ci"),
    )
)


@pytest.mark.parametrize(
    ("caller", "approver", "known"),
    [
        pytest.param(f"{USER}ada", "Ada", True, id="arn"),
        pytest.param(f"{USER}ada-ci", "Ada", True, id="declared-under-an-approvers-name"),
        pytest.param(SSO.format("Dev", "linus"), "Linus", True, id="another-permission-set"),
        pytest.param(SSO.format("Dev", "grace"), "Grace", True, id="session-with-the-mail-address"),
        pytest.param(ONLY, "Grace", True, id="declared-role"),
        pytest.param(f"{USER}jo", None, True, id="declared-and-no-approver"),
        pytest.param(f"{USER}bob", None, False, id="unknown-user"),
        pytest.param(SSO.format("Dev", "bob"), None, False, id="unknown-session"),
        pytest.param(f"{ADMIN}ada", None, False, id="session-that-anybody-names"),
        pytest.param(f"{ADMIN}old", "Old", False, id="an-approver-whom-nothing-proves"),
        pytest.param("arn:aws:iam::123456789012:root", None, False, id="root"),
        pytest.param("", None, False, id="nothing"),
    ],
)
def test_who_it_is(caller: str, approver: str | None, known: bool) -> None:
    assert recognise(caller, APPROVERS, PEOPLE) == Requester(approver, known)
