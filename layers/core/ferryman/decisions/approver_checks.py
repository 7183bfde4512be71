"""What `apply` refuses of approvers although the parser takes it: each proves to be one person, listed once. Pure.

Called by the API only, when a document is applied, verified, or its status is read. Documents that an earlier version
stored keep working; for them the problems are reported.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ferryman import arns
from ferryman.access.people import PARAMETER, People
from ferryman.platform import Platform, identities
from ferryman.platform import person_names as names
from ferryman.platform.policies import Approver
from ferryman.platform.problem import Problem
from ferryman.platform.values import is_reference
from ferryman.records import ApproverRecord

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[^\s@<>()\[\],;:\"\\]{1,255}")


@dataclass(frozen=True)
class Surroundings:
    """What the checks need to know besides the document."""

    partition: str
    account: str
    """Where the operator runs."""
    people: People
    made_by_identity_center: Callable[[str], bool] = lambda _: True
    """Whether a role of this name was made by IAM Identity Center. Default: nobody asks IAM."""
    resolve: Callable[[str], str | None] = lambda value: None if is_reference(value) else value
    """Return what a value or reference says; None when that is not known now. Default: references are not read."""


def problems_of(document: Platform, about: Surroundings) -> list[Problem]:
    """Return the path of each mistake and how to correct it; empty when every approver is one known person."""
    found: list[Problem] = []
    for name, environment in document.spec.environments.items():
        if environment.approval is None:
            continue
        at, records = f"spec.environments.{name}.approval.approvers", []
        for number, approver in enumerate(environment.approval.approvers):
            record = _resolved(approver, about)
            records.append(record)
            found += [(f"{at}.{number}.{field}", told) for field, told in _wrong(record, document.name, about)]
        if same := identities.one_human(records):
            found.append((at, f"{same}, so one person would count twice; list each person only once"))
    return [*found, *_lookalikes(document, about)]


def has_roles(document: Platform) -> bool:
    """Whether an approver's `arn` is a role, which only the access configuration tells to be a person's."""
    approvals = (one.approval for one in document.spec.environments.values() if one.approval is not None)
    found = (arns.read(approver.arn or "") for policy in approvals for approver in policy.approvers)
    return any(arn is not None and arn.kind == "role" for arn in found)


def _resolved(approver: Approver, about: Surroundings) -> ApproverRecord:
    email = about.resolve(approver.email) if approver.email else None
    arn = about.resolve(approver.arn) if approver.arn else None
    return ApproverRecord(
        name=approver.name,
        # A reference that can't be read now is compared by its name.
        email=(email or approver.email or "").strip() or None,
        slack=approver.slack,
        arn=arn.strip() if arn else None,
    )


def _wrong(approver: ApproverRecord, platform: str, about: Surroundings) -> Iterator[Problem]:
    if (told := names.problem(approver.name)) is not None:
        yield "name", f"{approver.name!r} {told}"
    email = approver.email
    if email is not None and not is_reference(email) and _ADDRESS.fullmatch(email) is None:
        yield "email", f"{email[:60]!r} is not one bare mail address; write name@example.com"
    if approver.arn is not None and (told := _nobody(approver, platform, about)) is not None:
        yield "arn", told


def _nobody(approver: ApproverRecord, platform: str, about: Surroundings) -> str | None:
    """Say why an ARN does not prove one person; None when it does."""
    text = (approver.arn or "")[:200]
    arn = arns.read(approver.arn or "")
    if arn is None:
        return f"{text!r} is not the ARN of a caller. {_WRITE}"
    if (arn.partition, arn.account) != (about.partition, about.account):
        return f"{text!r} is of another account than the operator's ({about.account}), whose API it can't call"
    match arn.kind:
        case "root":
            return f"{text!r} is the account's root user, which is never one person. {_WRITE}"
        case "user":
            return None
        case "role":
            return _not_theirs(approver, text, platform, about)
    if not arn.identity_center:
        return (
            f"{text!r} is a session of the role {arn.name}. Whoever assumes a role chooses the session's name, so it "
            f"proves nobody. {_WRITE} For a role that only one person can assume, have it declared under `people` in "
            f"the access configuration {PARAMETER}{platform}, and write the role's ARN"
        )
    if not about.made_by_identity_center(arn.name):
        return (
            f"{text!r} is not a session of IAM Identity Center: IAM knows no role {arn.name} with the path "
            f"{arns.IDENTITY_CENTER_PATH}. Copy the ARN from `aws sts get-caller-identity`"
        )
    return None


_WRITE = "Write the ARN of an IAM user, or of an Identity Center session (`aws sts get-caller-identity` shows it)."


def _not_theirs(approver: ApproverRecord, text: str, platform: str, about: Surroundings) -> str | None:
    owner = about.people.owner_of(text)
    where = f"the access configuration {PARAMETER}{platform}"
    if owner is None:
        why = f" ({about.people.problem})" if about.people.problem else ""
        return (
            f"{text!r} is a role, and {where} does not declare it as one person's{why}. Have an admin add "
            f'{{"name": "{approver.name}", "role": "{text}"}} to `people` there, or write the ARN of an IAM user or of '
            "an Identity Center session"
        )
    if identities.folded(owner) != identities.folded(approver.name):
        return f"{text!r} is declared as the role of {owner!r} in {where}; write that name, or this person's own ARN"
    return None


def _lookalikes(document: Platform, about: Surroundings) -> Iterator[Problem]:
    """Find different names that look the same, in all environments and among the declared people."""
    seen: dict[str, str] = {identities.folded(one.name): one.name for one in about.people.declared}
    for name, environment in document.spec.environments.items():
        for number, approver in enumerate(environment.approval.approvers if environment.approval else ()):
            if names.problem(approver.name) is not None:
                continue
            mine = identities.folded(approver.name)
            twin = next(
                (one for key, one in seen.items() if key != mine and names.look_the_same(approver.name, one)), None
            )
            if twin is not None:
                path = f"spec.environments.{name}.approval.approvers.{number}.name"
                told = "by eye nobody can tell who approved. If it is one person, write the name in one way"
                yield path, f"{approver.name!r} looks the same as {twin!r}; {told}"
            seen.setdefault(mine, approver.name)
