"""What one caller may do. The API asks here, and nowhere else decides it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ferryman.access.grants import Grants, parameter_name
from ferryman.access.principals import matches, permission_set, reserved, set_role
from ferryman.access.roles import IMPLIED, NEEDS, Role, Verb
from ferryman.errors import NotPermitted


def _none(platform: str) -> Grants:
    return Grants(problem=f"nobody was granted a role on {platform}")


def _unconfirmed(_role: str) -> bool:
    return False


@dataclass(frozen=True)
class Access:
    """The admins of the operator, and where the roles of each platform are found."""

    admins: tuple[str, ...] = ()
    """ARNs of users and roles, from the stack's parameter AdminArns."""
    grants_of: Callable[[str], Grants] = _none
    """Return what a platform grants; raise a TransientError when it can't be read just now."""
    account: str = ""
    """The operator's AWS account."""
    is_permission_set: Callable[[str], bool] = _unconfirmed
    """Whether IAM says that Identity Center made the role of this name; raise a TransientError when nobody can tell."""

    def is_admin(self, caller: str) -> bool:
        """Whether this caller (the ARN that STS reports) is an admin."""
        return any(matches(admin, caller) for admin in self.admins)

    def require_admin(self, caller: str, what: str) -> None:
        """Raise NotPermitted unless the caller is an admin. `what` completes "Only an admin can …"."""
        if not self.is_admin(caller):
            raise NotPermitted(
                f"only an admin of Ferryman can {what}, and {caller} is not one. The admins are in the parameter "
                f"AdminArns of the operator's stack: {', '.join(self.admins) or 'there is none'}"
            )

    def roles(self, caller: str, platform: str, environment: str) -> frozenset[Role]:
        """Return what a caller is on an environment; raise a TransientError when that can't be known just now."""
        if self.is_admin(caller):
            return IMPLIED[Role.ADMIN]
        found: set[Role] = set()
        for grant in self.grants_of(platform).grants:
            if grant.covers(environment) and any(self._is(principal, caller) for principal in grant.principals):
                found |= IMPLIED[grant.role]
        return frozenset(found)

    def has_any(self, caller: str, platform: str) -> bool:
        """Whether a caller has a role on any environment of a platform."""
        if self.is_admin(caller):
            return True
        found = self.grants_of(platform).grants
        return any(self._is(principal, caller) for grant in found for principal in grant.principals)

    def sees(self, caller: str, platform: str, environment: str) -> bool:
        """Whether a caller may see an environment; raise a TransientError when that can't be known just now."""
        return Role.VIEWER in self.roles(caller, platform, environment)

    def lacking(self, caller: str, verb: Verb, platform: str, environments: Collection[str]) -> list[str]:
        """Return those of the environments on which a caller lacks the role that a verb needs."""
        role, _ = NEEDS[verb]
        return [env for env in environments if role not in self.roles(caller, platform, env)]

    def require(self, caller: str, verb: Verb, platform: str, environments: Collection[str]) -> None:
        """Raise NotPermitted unless a caller has the role of a verb on each of these environments, of which one is."""
        lacking = self.lacking(caller, verb, platform, environments)
        if lacking or not environments:
            on = ", ".join(f"{platform}/{name[:60]}" for name in lacking[:5]) or platform
            raise NotPermitted(self.refusal(caller, verb, platform, on))

    def refusal(self, caller: str, verb: Verb, platform: str, where: str) -> str:
        """Return what a caller without the role of a verb is told. `where` follows "on": scr/staging."""
        role, parameter = NEEDS[verb][0], parameter_name(platform)
        ask = f"ask an admin of Ferryman: {', '.join(self.admins) or 'there is none'}"
        if role is Role.ADMIN:
            return f"`{verb}` needs the role admin, and {caller} does not have it; {ask}"
        if problem := self.grants_of(platform).problem:
            return f"only admins of Ferryman can use {platform} now, because {problem}. To get in, {ask}"
        return (
            f"`{verb}` on {where} needs the role {role}, and {caller} does not have it there. Roles are granted in the "
            f"SSM parameter {parameter} (`access` in terraform/platform); to get one, {ask}"
        )

    def _is(self, principal: str, caller: str) -> bool:
        name = permission_set(principal)
        if name is None and not reserved(principal, self.account):
            return matches(principal, caller)
        found = set_role(caller, self.account)
        named = found is not None and (found[0] == name if name else matches(principal, caller))
        return found is not None and named and self.is_permission_set(found[1])
