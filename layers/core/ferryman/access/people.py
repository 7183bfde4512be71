"""Who is who: the people that the operator's access configuration declares. Pure.

The configuration is JSON in the SSM parameter `/ferryman/operator/access/<platform>`, which no environment's Terraform
may write. Its key `people` says which roles, users and Identity Center sessions are one person's alone:

    {"people": [{"name": "Grace", "role": "arn:aws:iam::123456789012:role/GraceOnly"}]}

Called by the API, and when an approval is requested. What can't be read declares nobody.
"""

import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from ferryman import arns

PARAMETER = "/ferryman/operator/access/"
"""Prefix of the parameter's name; the platform's name follows."""
_MOST = 500


@dataclass(frozen=True)
class Declared:
    """One person's role, user or Identity Center session."""

    name: str
    arn: str


@dataclass(frozen=True)
class People:
    """The declared people of a platform."""

    declared: tuple[Declared, ...] = ()
    problem: str = ""
    """Why nobody is declared, when that is an error."""

    def owner_of(self, role: str) -> str | None:
        """Return whose role this is, whatever path is written; None when it is not declared as one person's."""
        wanted = arns.read(role)
        for one in self.declared:
            found = arns.read(one.arn)
            if wanted and found and (found.kind, found.account, found.name) == ("role", wanted.account, wanted.name):
                return one.name if wanted.kind == "role" and wanted.partition == found.partition else None
        return None

    def named(self, caller: str) -> str | None:
        """Return the name of the person that a caller's ARN is declared for."""
        return next((one.name for one in self.declared if caller == one.arn or arns.acts_as(caller, one.arn)), None)


def parse(text: str | None) -> People:
    """Read the people of an access configuration; None when there is none. Raises nothing: see `People.problem`."""
    if text is None:
        return People()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return People(problem="the access configuration is not JSON")
    listed = data.get("people", []) if isinstance(data, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST:
        return People(problem=f"`people` in the access configuration is not a list of at most {_MOST} people")
    found: list[Declared] = []
    for number, item in enumerate(listed):
        one = _person(item)
        if isinstance(one, str):
            return People(problem=f"people.{number} in the access configuration {one}")
        found.append(one)
    return _told_apart(found)


def _person(item: Any) -> Declared | str:
    """Return one person, or what is wrong with the entry."""
    wanted = "needs a name and one of role and arn"
    if not isinstance(item, dict) or set(item) not in ({"name", "role"}, {"name", "arn"}):
        return wanted
    name, text = item["name"], item.get("role", item.get("arn"))
    if not isinstance(name, str) or not name.strip() or not isinstance(text, str):
        return wanted
    arn = arns.read(text)
    if "role" in item:
        if arn is None or arn.kind != "role":
            return f"is wrong: {text[:120]!r} is not the ARN of one role"
    elif arn is None or not (arn.kind == "user" or arn.identity_center):
        return f"is wrong: {text[:120]!r} is not the ARN of an IAM user or of an Identity Center session"
    return Declared(name.strip(), text)


def _told_apart(found: list[Declared]) -> People:
    """Refuse a role, user or session that is declared as two people's."""
    seen: dict[tuple[str, ...], Declared] = {}
    for one in found:
        arn = arns.read(one.arn)
        assert arn is not None
        other = seen.setdefault((arn.kind, arn.account, arn.name, arn.session), one)
        if _folded(other.name) != _folded(one.name):
            what = f"{one.arn} as {other.name!r} and as {one.name!r}"
            return People(problem=f"the access configuration declares {what}; it can be one person's only")
    return People(tuple(found))


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
