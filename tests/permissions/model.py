"""The permissions of the operator's roles, one by one: those in template.yaml, and those that requests have used."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract.template import functions, resources, statements

SPLIT = ("dynamodb:LeadingKeys", "iam:PassedToService")
"""Condition keys of which each allowed value is a permission of its own."""


@dataclass(frozen=True, order=True)
class Permission:
    """One action that one statement allows one role, on one part of what the statement names."""

    holder: str
    """Logical id of the function or the state machine."""
    sid: str
    action: str
    part: str = ""
    """Which resource, partition or service, where the statement lists several."""

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.holder}/{self.sid}", self.action, self.part)))


def holders() -> dict[str, list[dict[str, Any]]]:
    """Return function or state machine → the statements that the template gives its role."""
    machines = {name: item["Properties"] for name, item in resources("AWS::Serverless::StateMachine").items()}
    return {name: statements(properties) for name, properties in {**functions(), **machines}.items()}


def of_template() -> list[Permission]:
    """Return every permission, in the template's order."""
    return [
        Permission(holder, statement["Sid"], action, part)
        for holder, found in holders().items()
        for statement in found
        for action in _listed(statement["Action"])
        for part in parts(statement)
    ]


def parts(statement: Mapping[str, Any]) -> list[str]:
    """Return what a statement lists: several resources, or several values of a condition; else one empty text."""
    named = _values(statement)
    if len(named) > 1:
        return named
    several = statement["Resource"] if isinstance(statement["Resource"], list) else []
    return [_name(one) for one in several] if len(several) > 1 else [""]


def used(uses: Iterable[Mapping[str, Any]]) -> Iterator[Permission]:
    """Yield the permissions without which a request would have been denied: where no other statement allows it."""
    known = {(holder, one["Sid"]): one for holder, found in holders().items() for one in found}
    for use in uses:
        if len(use["allowedBy"]) != 1 or not use["role"].startswith("ferryman-"):
            continue  # the others are roles of tests
        (by,), holder = use["allowedBy"], use["role"].split("-")[1].removesuffix("Role")
        statement = known.get((holder, by["sid"]))
        if statement is None:
            continue  # of a policy that AWS manages
        possible, found = parts(statement), [""]
        if len(_values(statement)) > 1:
            found = by["values"]
        elif possible != [""]:
            found = [possible[by["resource"]]]
        for part in found:
            yield Permission(holder, by["sid"], use["action"], part)


def _values(statement: Mapping[str, Any]) -> list[str]:
    found = [
        value
        for operator, keys in statement.get("Condition", {}).items()
        if operator != "Null"
        for key in SPLIT
        for value in _listed(keys.get(key, []))
    ]
    return [str(value) for value in found]


def _name(resource: Any) -> str:
    ((_, text),) = resource.items()
    inner = re.search(r"\$\{(?!AWS::)([A-Za-z]+)", str(text))
    return inner[1] if inner else str(text).partition(".")[0]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
