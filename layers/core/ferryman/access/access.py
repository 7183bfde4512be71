"""What one caller may do. The API asks here, and nowhere else decides it."""

from dataclasses import dataclass

from ferryman.access.principals import matches
from ferryman.errors import NotPermitted


@dataclass(frozen=True)
class Access:
    """The admins of the operator: ARNs of users and roles, from the stack's parameter AdminArns."""

    admins: tuple[str, ...] = ()

    def is_admin(self, caller: str) -> bool:
        """Whether this caller (the ARN that STS reports) is an admin."""
        return any(matches(admin, caller) for admin in self.admins)

    def require_admin(self, caller: str, what: str) -> None:
        """Raise NotPermitted unless the caller is an admin. `what` completes "Only an admin can …"."""
        if not self.is_admin(caller):
            raise NotPermitted(
                f"only an admin of Ferryman can {what}, and {caller} is not one. The admins are in the parameter "
                "AdminArns of the operator's stack"
            )
