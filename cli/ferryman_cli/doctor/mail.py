"""Whether SES sends the platforms' mails. Pure.

Source: the Amazon SES Developer Guide, "Request production access": in the sandbox, recipients have to be verified
identities, too, and no more than 200 mails a day are sent.
"""

from collections.abc import Iterable, Mapping

from ferryman_cli.doctor.checks import Blind, Check, Seen, blind, ok, problem, warning

MAIL = "mail"
_VERIFY = (
    "Verify it: open the link in SES's mail, or create the DNS records (output dkim_records of terraform/platform)"
)


def identities_of(address: str) -> list[str]:
    """Return the SES identities that may stand for an address: itself, its domain, and the domains above it."""
    plain = address.rpartition("<")[2].rstrip("> ").strip()
    labels = plain.rpartition("@")[2].lower().split(".")
    domains = [".".join(labels[i:]) for i in range(len(labels) - 1)]
    return [plain, *domains] if "@" in plain else domains


def mail(
    account: Seen, senders: Iterable[str], recipients: Iterable[str], identities: Mapping[str, Seen]
) -> list[Check]:
    """Judge the answers of GetAccount, and of GetEmailIdentity for each identity that may stand for an address."""
    senders, recipients = list(senders), list(recipients)
    if not senders:
        return [ok(MAIL, "no platform sends mails")]
    if isinstance(account, Blind) or account is None:
        return [blind(MAIL, account or Blind(why="SES has no settings"))]
    checks = [check for sender in senders if (check := _sender(sender, identities)) is not None]
    if not account.get("SendingEnabled", True):
        status = account.get("EnforcementStatus", "")
        step = "Find out why in the SES console (reputation), and ask AWS Support to lift it"
        checks.append(problem(MAIL, f"SES sends no mails for this account now ({status or 'paused'})", step))
    if account.get("ProductionAccessEnabled", True):
        return checks or [ok(MAIL, f"SES sends from {', '.join(senders)}")]
    step = "Request production access in the SES console (Account dashboard); until then, verify each recipient in SES"
    unverified = [one for one in recipients if _state(one, identities) in (False, None)]
    told = "SES is in the sandbox: it sends at most 200 mails a day, and only to verified addresses and domains"
    if unverified:
        checks.append(problem(MAIL, f"{told}; {', '.join(unverified)} get nothing", step))
    else:
        checks.append(warning(MAIL, told, step))
    return checks


def _sender(sender: str, identities: Mapping[str, Seen]) -> Check | None:
    state = _state(sender, identities)
    if isinstance(state, Blind):
        return blind(MAIL, state)
    if state is None:
        step = (
            "Add it or its domain to mail_identities of the platform in platforms.tfvars, apply terraform/platform and "
            "terraform/shared, deploy the stack again, and verify the identity"
        )
        return problem(MAIL, f"SES has no identity for the sender {sender}", step)
    return None if state else problem(MAIL, f"the sender {sender} is not verified in SES, so no mail is sent", _VERIFY)


def _state(address: str, identities: Mapping[str, Seen]) -> bool | Blind | None:
    """Return whether an address is verified; None: it has no identity at all."""
    found = [identities.get(name) for name in identities_of(address)]
    if any(isinstance(one, dict) and one.get("VerifiedForSendingStatus") for one in found):
        return True
    if refused := next((one for one in found if isinstance(one, Blind)), None):
        return refused
    return False if any(isinstance(one, dict) for one in found) else None
