"""An admin's override of the approval that a request needs. Pure; whether somebody is an admin is checked before."""

from ferryman.decisions.approval_needed import would_need
from ferryman.errors import Refused
from ferryman.platform import Environment
from ferryman.records import Deployment, Phase, Request, StepStatus, step_keys


def refuse_needless(environment: Environment, wish: Request) -> None:
    """Raise Refused for an override where no approval is needed: what is told to everybody has to be true."""
    if wish.override and not would_need(environment, wish):
        what = f"{wish.kind} {wish.command}" if wish.command else wish.kind
        raise Refused(f"`{what}` needs no approval here, so there is nothing to override; run it without `--override`")


def approvals_open(deployment: Deployment | None) -> bool:
    """Tell whether a deployment still waits for its approval. An approved one is under way."""
    if deployment is None or deployment.phase is not Phase.AWAITING_APPROVAL:
        return False
    step = deployment.step(step_keys.APPROVAL)
    return step is None or step.status is not StepStatus.SUCCEEDED


def to_be_asked(environment: Environment) -> str:
    """Say who is asked."""
    policy = environment.approval
    names = ", ".join(person.name for person in policy.approvers) if policy is not None else ""
    return f"{names or 'anyone with the link'} will be asked"
