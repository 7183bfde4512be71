"""Whether SES sends the mails: verified senders, and the sandbox."""

import pytest

from ferryman_cli.doctor import mail
from ferryman_cli.doctor.checks import Blind, Seen

LIVE: Seen = {"SendingEnabled": True, "ProductionAccessEnabled": True}
SANDBOX: Seen = {"SendingEnabled": True, "ProductionAccessEnabled": False}
YES: Seen = {"VerifiedForSendingStatus": True}
NO: Seen = {"VerifiedForSendingStatus": False}


@pytest.mark.parametrize(
    ("account", "identities", "status", "words", "cure"),
    [
        (LIVE, {"example.com": YES}, "ok", "SES sends from ferryman@mail.example.com", ""),
        (LIVE, {}, "problem", "no identity for the sender ferryman@mail.example.com", "mail_identities"),
        (LIVE, {"mail.example.com": NO}, "problem", "is not verified", "dkim_records"),
        (LIVE, {"example.com": Blind("ses:GetEmailIdentity")}, "can't look", "ses:GetEmailIdentity", "permission"),
        (Blind("ses:GetAccount"), {}, "can't look", "ses:GetAccount", "permission"),
        (
            {"SendingEnabled": False, "EnforcementStatus": "SHUTDOWN"},
            {"example.com": YES},
            "problem",
            "SHUTDOWN",
            "AWS Support",
        ),
        (SANDBOX, {"example.com": YES}, "problem", "ada@elsewhere.example get nothing", "production access"),
        (
            SANDBOX,
            {"example.com": YES, "ada@elsewhere.example": YES},
            "warning",
            "SES is in the sandbox",
            "production access",
        ),
    ],
)
def test_each_is_judged_with_its_cure(
    account: Seen, identities: dict[str, Seen], status: str, words: str, cure: str
) -> None:
    (check,) = mail.mail(account, ["ferryman@mail.example.com"], ["ada@elsewhere.example"], identities)
    assert (check.verdict, words in check.message, cure in check.next_step) == (status, True, True), check


def test_without_mails_nothing_is_asked_of_ses() -> None:
    (check,) = mail.mail(None, [], [], {})
    assert check.verdict == "ok"


def test_an_address_may_be_verified_by_its_domain_or_one_above() -> None:
    assert mail.identities_of("Ferryman <f@a.example.com>") == ["f@a.example.com", "a.example.com", "example.com"]
