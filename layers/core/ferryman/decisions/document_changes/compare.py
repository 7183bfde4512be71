"""Compare the stored document with a new one. Pure.

Only environments that ask for approval in the stored document are protected. `platform.field_classes` says which fields
are gates; a gate whose change has no rule here (`rules`) counts as weakened.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ferryman.decisions.document_changes import resources, rules
from ferryman.decisions.document_changes.change import Change, Place, shown
from ferryman.platform import Environment, Platform
from ferryman.platform.field_classes import class_of
from ferryman.records import limits
from ferryman.text import listed


def compare(before: Platform, after: Platform, moved: Mapping[str, Sequence[str]] | None = None) -> list[Change]:
    """Return what changes, what weakens a gate first.

    `moved`: environment → the `ssm:` references in its gates, if one of them has another value than at the last apply.
    """
    found = list(_neutral_platform(before, after))
    for name, old in before.spec.environments.items():
        if old.approval is None:
            if name not in after.spec.environments:
                found.append(Change("", f"spec.environments.{name}", "neutral", f"the environment {name} is removed"))
            elif after.spec.environments[name] != old:
                found.append(Change("", f"spec.environments.{name}", "neutral", f"{name} changes"))
            continue
        if name not in after.spec.environments:
            found.append(_removed(name, old, after))
            continue
        if moved and name in moved:
            found.append(_moved(name, moved[name]))
        found += _environment(Place(name, old, after.spec.environments[name], before, after))
    order = {"looser": 0, "tighter": 1, "neutral": 2}
    return sorted(found, key=lambda change: order[change.effect])


def protected(document: Platform) -> list[str]:
    """Return the environments that ask for approval."""
    return [name for name, environment in document.spec.environments.items() if environment.approval is not None]


def removed(known: Sequence[str], before: Mapping[str, Any], after: Platform) -> list[str]:
    """Return the environments that asked for approval when they were removed and are not there now, by name.

    `known`: those of earlier. `before`: the stored document, which perhaps can't be parsed any more. At most 200 names
    are remembered.
    """
    spec = before.get("spec")
    environments = spec.get("environments") if isinstance(spec, dict) else None
    asked = [
        name for name, item in (environments.items() if isinstance(environments, dict) else ())
        if not isinstance(item, dict) or item.get("approval") is not None
    ]  # fmt: skip
    found = sorted({*known, *asked} - after.spec.environments.keys())
    return found[: limits.COUNTS["AppliedPlatform.removed"]]


def _moved(name: str, references: Sequence[str]) -> Change:
    which = listed(references[:5]) + (f" and {len(references) - 5} more" if len(references) > 5 else "")
    one = "the value of" if len(references) == 1 else "the value of at least one of"
    text = f"{one} {which}, which {name} depends on, has changed since it was applied"
    return Change(name, f"spec.environments.{name}", "looser", text)


def _removed(name: str, old: Environment, after: Platform) -> Change:
    path = f"spec.environments.{name}"
    heirs = [
        other for other, environment in after.spec.environments.items()
        if resources.claimed(old) & resources.claimed(environment)
    ]  # fmt: skip
    if not heirs:
        return Change(name, path, "looser", f"the environment {name} is removed, and its gates with it")
    policy = after.spec.environments[heirs[0]].approval
    asks = "asks nobody for approval" if policy is None else "has a policy of its own"
    return Change(name, path, "looser", f"{name} is removed, and {heirs[0]}, which {asks}, takes over its services")


def _neutral_platform(before: Platform, after: Platform) -> Iterator[Change]:
    for name, environment in after.spec.environments.items():
        if name not in before.spec.environments:
            asks = "" if environment.approval else ", which asks nobody for approval"
            yield Change("", f"spec.environments.{name}", "neutral", f"the environment {name} is new{asks}")
    for field in ("components", "assembly_timeout"):
        if getattr(before.spec, field) != getattr(after.spec, field):
            alias = alias_of(before.spec, field)
            yield Change("", f"spec.{alias}", "neutral", f"{alias} changes")


def _environment(place: Place) -> Iterator[Change]:
    at = f"spec.environments.{place.name}"
    yield from rules.of_platform(place)
    yield from resources.left(place, at)
    yield from _model(place.old, place.new, at, place)


def _model(old: BaseModel, new: BaseModel, at: str, place: Place) -> Iterator[Change]:
    """Compare two models of the same kind, field by field."""
    for field in type(old).model_fields:
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            path = f"{at}.{alias_of(old, field)}"
            yield from _field(type(old), field, before, after, path, place)


def _field(model: type[BaseModel], field: str, before: Any, after: Any, path: str, place: Place) -> Iterator[Change]:
    rule = rules.RULES.get(f"{model.__name__}.{field}")
    if class_of(model, field) != "gate":
        yield place.neutral(path, f"{place.name}: {_inside(path, place)} changes")
    elif isinstance(before, BaseModel) and type(before) is type(after):
        yield from _model(before, after, path, place)
    elif rule is not None:
        yield from rule(before, after, path, place)
    else:
        yield place.looser(path, rules.changed(_inside(path, place), before, after, place))


def _inside(path: str, place: Place) -> str:
    return path.removeprefix(f"spec.environments.{place.name}.")


def alias_of(model: BaseModel, field: str) -> str:
    """Return a field's name in the document."""
    return type(model).model_fields[field].alias or field


__all__ = ["Change", "compare", "protected", "removed", "shown"]
