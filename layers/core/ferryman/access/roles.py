"""The roles, the verbs of the API, and which role each verb needs: the one table that decides. Pure.

docs/security.md shows the same table; a contract test compares the two.
"""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is on an environment."""

    VIEWER = "viewer"
    DEPLOYER = "deployer"
    APPROVER = "approver"
    ADMIN = "admin"


class Where(StrEnum):
    """Where a caller needs the role that a verb needs."""

    NOWHERE = "nowhere"
    """Nothing is needed: the answer has only what the caller may see anyway."""
    SOME = "on one environment of the platform"
    HERE = "on the environment"
    EVERY = "on every environment of the platform"
    """For a document: of those that it names and of those that the stored one names."""
    OPERATOR = "on the operator"


class Verb(StrEnum):
    """What a route does."""

    ASK = "ask"
    """Ask who one is and what one may do, or for the list of platforms."""
    VIEW = "view"
    VIEW_PLATFORM = "view-platform"
    VIEW_DOCUMENT = "view-document"
    VERIFY = "verify"
    TEST = "test-channels"
    """Send a test message to each channel."""
    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RETRY = "retry"
    REDEPLOY = "redeploy"
    ABORT = "abort"
    HOLD = "hold"
    RESUME = "resume"
    FREEZE = "freeze"
    THAW = "thaw"
    WAIVE = "waive"
    MIGRATE = "migrate"
    APPLY = "apply"
    DELETE = "delete-environment"
    APPROVE = "approve"
    REJECT = "reject"
    CREATE = "create-platform"
    RETIRE = "retire-platform"


IMPLIED: dict[Role, frozenset[Role]] = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.DEPLOYER: frozenset({Role.DEPLOYER, Role.VIEWER}),
    Role.APPROVER: frozenset({Role.APPROVER, Role.VIEWER}),
    Role.ADMIN: frozenset(Role),
}
"""What somebody with a role is besides."""

NEEDS: dict[Verb, tuple[Role | None, Where]] = {
    Verb.ASK: (None, Where.NOWHERE),
    Verb.VIEW: (Role.VIEWER, Where.HERE),
    Verb.VIEW_PLATFORM: (Role.VIEWER, Where.SOME),
    Verb.VIEW_DOCUMENT: (Role.VIEWER, Where.EVERY),
    Verb.VERIFY: (Role.VIEWER, Where.HERE),
    Verb.TEST: (Role.DEPLOYER, Where.EVERY),
    Verb.DEPLOY: (Role.DEPLOYER, Where.HERE),
    Verb.ROLLBACK: (Role.DEPLOYER, Where.HERE),
    Verb.RETRY: (Role.DEPLOYER, Where.HERE),
    Verb.REDEPLOY: (Role.DEPLOYER, Where.HERE),
    Verb.ABORT: (Role.DEPLOYER, Where.HERE),
    Verb.HOLD: (Role.DEPLOYER, Where.HERE),
    Verb.RESUME: (Role.DEPLOYER, Where.HERE),
    Verb.FREEZE: (Role.DEPLOYER, Where.HERE),
    Verb.THAW: (Role.DEPLOYER, Where.HERE),
    Verb.WAIVE: (Role.DEPLOYER, Where.HERE),
    Verb.MIGRATE: (Role.DEPLOYER, Where.HERE),
    Verb.APPLY: (Role.DEPLOYER, Where.EVERY),
    Verb.DELETE: (Role.DEPLOYER, Where.EVERY),
    Verb.APPROVE: (Role.APPROVER, Where.HERE),
    Verb.REJECT: (Role.APPROVER, Where.HERE),
    Verb.CREATE: (Role.ADMIN, Where.OPERATOR),
    Verb.RETIRE: (Role.ADMIN, Where.OPERATOR),
}
"""The role that each verb needs, and where."""
