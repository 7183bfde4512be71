"""The roles that one platform grants: the JSON that Terraform's shared root writes to SSM. Pure.

    {"grants": [
      {"role": "deployer", "environments": ["staging"], "principals": ["arn:aws:iam::123456789012:role/Developers"]}
    ]}

What is not understood in full grants nothing at all: a part that is skipped could be the one that limits another.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ferryman.access.principals import problem_of
from ferryman.access.roles import Role

EVERY = "*"
"""In place of environments: each one of the platform, and those to come."""
GRANTED = (Role.VIEWER, Role.DEPLOYER, Role.APPROVER)
"""The roles that a grant can give; admins are in the stack's parameter AdminArns."""
_KEYS = {"role", "environments", "principals"}
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,23}")


class Malformed(ValueError):
    """A value that is no list of grants. Its text says where, and what to write."""


@dataclass(frozen=True)
class Grant:
    """A role on environments, for principals."""

    role: Role
    environments: tuple[str, ...]
    """Names, or just EVERY."""
    principals: tuple[str, ...]
    """ARNs of users and roles, and `permission-set/NAME`."""

    def covers(self, environment: str) -> bool:
        """Whether it is about this environment."""
        return environment in self.environments or EVERY in self.environments


@dataclass(frozen=True)
class Grants:
    """What a platform grants; with a `problem`, which completes "… because", it grants nothing."""

    grants: tuple[Grant, ...] = ()
    problem: str = ""


def parameter_name(platform: str) -> str:
    """Return the name of the SSM parameter with a platform's grants."""
    return f"/ferryman/operator/access/{platform}"


def parse(text: str) -> Grants:
    """Return the grants of a parameter's value; raise Malformed."""
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is not JSON ({error})") from None
    if not isinstance(value, dict) or set(value) != {"grants"} or not isinstance(value["grants"], list):
        raise Malformed('it is not an object with the one key "grants", a list')
    return Grants(tuple(_grant(item, f"grants[{number}]") for number, item in enumerate(value["grants"])))


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:40]!r} is there twice")
        found[key] = value
    return found


def _grant(item: Any, path: str) -> Grant:
    if not isinstance(item, dict) or set(item) != _KEYS:
        raise Malformed(f"{path} needs just the keys role, environments and principals")
    roles = {str(role): role for role in GRANTED}
    role = roles.get(item["role"]) if isinstance(item["role"], str) else None
    if role is None:
        admins = "; admins are in the parameter AdminArns of the operator's stack" if item["role"] == "admin" else ""
        raise Malformed(f"{path}.role is {_shown(item['role'])}; it can be {', '.join(roles)}{admins}")
    environments = _texts(item["environments"], f"{path}.environments")
    for name in environments:
        if name != EVERY and not _ENVIRONMENT.fullmatch(name):
            raise Malformed(f"{path}.environments has {_shown(name)}, which is not the name of an environment")
    if EVERY in environments and len(environments) > 1:
        raise Malformed(f'{path}.environments has "*" beside names; write ["*"] alone for every environment')
    principals = _texts(item["principals"], f"{path}.principals")
    for principal in principals:
        if wrong := problem_of(principal):
            raise Malformed(f"{path}.principals has {_shown(principal)}: {wrong}")
    return Grant(role, environments, principals)


def _texts(value: Any, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise Malformed(f"{path} must be a list of one text or more")
    return tuple(value)


def _shown(value: Any) -> str:
    return repr(value)[:120]
