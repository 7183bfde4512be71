"""Compare a caller's ARN, as STS reports it, with the users and roles that a grant names. Pure.

STS reports a session without its role's path. A role's name is unique in its account, whatever its path
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html), so a role that exists can't be imitated.
The role of a permission set has a name with a suffix that changes when its last assignment in the account is deleted
(https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html), so the name becomes free for
a role of somebody else: such a session counts only once IAM has confirmed the role's path, which AWS reserves.
"""

import re

_SESSION = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/[^/]+")
_ROLE = re.compile(r"arn:(?P<partition>[^:]+):iam::(?P<account>\d{12}):role/(?:.+/)?(?P<role>[^/]+)")
# IAM also allows commas in names, which separate the ARNs of AdminArns.
_NAMED = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:user|role)/(?:[\w+=.@-]+/)*[\w+=.@-]+", re.ASCII)
_SET = re.compile(r"permission-set/(?P<name>[\w+=,.@-]{1,32})", re.ASCII)
_SET_ROLE = re.compile(r"AWSReservedSSO_(?P<name>.+)_[0-9a-f]{16}")
_ROOT = re.compile(r"arn:[^:]+:iam::\d{12}:root")
_CALLER = re.compile(
    r"arn:aws[a-z-]*:(?:iam::\d{12}:user/(?:[\w+=,.@-]+/)*[\w+=,.@-]+|sts::\d{12}:assumed-role/[\w+=,.@-]+/[\w+=,.@-]+)",
    re.ASCII,
)


def problem_of(principal: str) -> str | None:
    """Return why no grant can name this principal; None when one can."""
    if len(principal) > 600:
        return "it is too long"
    if _NAMED.fullmatch(principal) or _SET.fullmatch(principal):
        return None
    if "*" in principal or "?" in principal:
        return "it has a wildcard; name each user, role or permission set"
    if _ROOT.fullmatch(principal):
        return "nobody gets a role as the root of an account; use an IAM user or role"
    if ":assumed-role/" in principal:
        return "it is one session; name its role, or permission-set/NAME for IAM Identity Center"
    return "it is neither the ARN of an IAM user or role nor permission-set/NAME"


def matches(principal: str, caller: str) -> bool:
    """Whether a caller is the user of this ARN, or has a session of the role of this ARN. The root is nobody."""
    if _ROOT.fullmatch(caller):
        return False
    session, role = _SESSION.fullmatch(caller), _ROLE.fullmatch(principal)
    if session and role:
        return session.groupdict() == role.groupdict()
    return principal == caller


def reserved(principal: str, account: str) -> bool:
    """Whether a grant names a role that Identity Center made in this account, by its whole ARN."""
    return f":{account}:role/aws-reserved/sso.amazonaws.com/" in principal


def permission_set(principal: str) -> str | None:
    """Return the name of the permission set that a grant names; None when it names no permission set."""
    found = _SET.fullmatch(principal)
    return found["name"] if found else None


def set_role(caller: str, account: str) -> tuple[str, str] | None:
    """Return the permission set that a session seems to come from, and its role's name; None when it can't be one.

    Only the operator's own account counts: in other accounts, nobody can confirm where a role comes from.
    """
    session = _SESSION.fullmatch(caller)
    found = _SET_ROLE.fullmatch(session["role"]) if session and session["account"] == account else None
    return (found["name"], session["role"]) if found and session else None


def as_caller(arn: str) -> str | None:
    """Return how STS reports a user or a session of a role, given the ARN of either; None for anything else."""
    role = _ROLE.fullmatch(arn) if _NAMED.fullmatch(arn) else None
    if role:
        return f"arn:{role['partition']}:sts::{role['account']}:assumed-role/{role['role']}/any"
    return arn if _CALLER.fullmatch(arn) else None
