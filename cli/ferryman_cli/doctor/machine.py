"""The machine that the command runs on: credentials, region, clock. Pure."""

from ferryman_cli.doctor.checks import Blind, Check, Seen, blind, ok, problem, warning

CREDENTIALS, REGION, CLOCK = "credentials", "region", "clock"
_OFF_SECONDS, _REFUSED_SECONDS = 60, 240
"""How far the clock may be off. AWS and the operator refuse signatures that are five minutes off."""


def no_credentials(why: str) -> Check:
    """Return the check when there are no credentials to look with."""
    step = "Run `aws sso login` (and set AWS_PROFILE) or `aws configure`, then try again"
    return problem(CREDENTIALS, why, step)


def credentials(identity: Seen) -> Check:
    """Judge the answer of GetCallerIdentity."""
    if isinstance(identity, Blind) or identity is None:
        why = identity.why if identity is not None and identity.why else "STS does not accept them"
        return no_credentials(f"AWS does not accept the credentials: {why}")
    arn, account = str(identity["Arn"]), identity["Account"]
    if arn.endswith(":root"):
        step = "Use an IAM role or a user; the root user is never an admin or an approver of Ferryman"
        return warning(CREDENTIALS, f"you are the root user of account {account}", step)
    return ok(CREDENTIALS, f"you are {arn} in account {account}")


def region(ours: str | None, *, has_stack: bool) -> Check:
    """Judge the region that is set, if any; `has_stack`: whether the operator's stack was found there."""
    if not ours:
        return problem(REGION, "no AWS region is set", "Set AWS_REGION to the region of the operator and its platforms")
    return ok(REGION, f"{ours}, like the stack" if has_stack else f"{ours}; the operator has to be there, too")


def clock(ahead: float | None) -> Check:
    """Judge by how many seconds this machine is ahead of AWS."""
    if ahead is None:
        return blind(CLOCK, Blind(why="AWS answered without a date"))
    where = "ahead of" if ahead > 0 else "behind"
    told = f"this machine is {abs(ahead):.0f} seconds {where} AWS"
    if abs(ahead) > _REFUSED_SECONDS:
        return problem(CLOCK, f"{told}, so AWS refuses its signatures", "Set the clock, for example by NTP")
    if abs(ahead) > _OFF_SECONDS:
        return warning(CLOCK, f"{told}; from five minutes on, AWS refuses its signatures", "Set the clock, e.g. by NTP")
    return ok(CLOCK, "agrees with AWS")
