"""Compare a caller's ARN, as STS reports it, with the users and roles that a grant names. Pure."""

import re

_SESSION = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/[^/]+")
_ROLE = re.compile(r"arn:(?P<partition>[^:]+):iam::(?P<account>\d{12}):role/(?:.+/)?(?P<role>[^/]+)")


def matches(principal: str, caller: str) -> bool:
    """Whether a caller is the user of this ARN, or has a session of the role of this ARN.

    STS reports a session without its role's path. A role's name is unique in its account, whatever its path
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
    """
    session, role = _SESSION.fullmatch(caller), _ROLE.fullmatch(principal)
    if session and role:
        return session.groupdict() == role.groupdict()
    return principal == caller
