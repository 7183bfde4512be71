"""Who requested a deployment: which approver, if any, and whether that is proved. Pure.

A requester who matches no known person may be any of the approvers under another identity, and would then approve their
own request. The policy's `unknownRequester` says what follows (`platform.policies`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ferryman import arns
from ferryman.access.people import People
from ferryman.platform.identities import Person, folded, owner


@dataclass(frozen=True)
class Requester:
    """What a caller's ARN tells about them."""

    approver: str | None
    """Name of the approver whose entry it belongs to."""
    known: bool
    """Whether it proves one person: an approver, or one whom the access configuration declares."""


def recognise(caller: str, approvers: Sequence[Person], people: People) -> Requester:
    """Return who a caller is. Sessions of Identity Center's form are taken for real: the API proves them before."""
    declared = people.named(caller)
    name = owner(approvers, caller)
    if name is None and declared is not None:
        name = next((one.name for one in approvers if folded(one.name) == folded(declared)), None)
    arn = arns.read(caller)
    alone = arn is not None and (arn.kind == "user" or arn.identity_center)
    return Requester(name, known=declared is not None or (name is not None and alone))


def refusal(caller: str, environment: str, platform: str) -> str:
    """Say why a request of somebody unknown is refused, and what to do."""
    return (
        f"{caller} matches no person that Ferryman knows, so it could be an approver who then approves their own "
        f"request, and {environment} refuses such requests (approval.unknownRequester). Ask one of the approvers to "
        "request it, or have this identity added: as the `arn` of an approver, or to `people` in the access "
        f"configuration /ferryman/operator/access/{platform}"
    )
