"""What a deployment changes against what runs, in words for people who approve. Pure.

Environment variables and secrets are told by name only. Definitions are those of `task_definitions.canonical`: without
what is empty. Called by `steps.plan_changes`, which freezes the words in the plan; `decisions.changes_in_words` shows
them. They are for people: what runs is bound by the revisions and digests of the plan, which words never leave out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ferryman.records import PlannedMigration
from ferryman.text import one_line

type Definition = Mapping[str, Any]
"""A task definition, as `task_definitions.canonical` returns it."""

UNREADABLE = "what runs now could not be read, so everything counts as new"

_NAMES = 12
"""Names that one sentence lists; of the others it says how many."""
_LINES = 40
"""Sentences about one service."""
_COMMAND = 160
_TEXT = 90
_MIB = {"memory": " MiB", "memoryReservation": " MiB", "cpu": " units"}
_TOLD = frozenset(
    {"name", "image", "command", "entryPoint", "environment", "secrets", "environmentFiles", "cpu", "memory",
     "memoryReservation"}
)  # fmt: skip
"""Fields of a container that have sentences of their own; every other one is told by its name."""
_TASK = {
    "cpu": "CPU of the task",
    "memory": "memory of the task",
    "taskRoleArn": "task role",
    "executionRoleArn": "execution role",
    "networkMode": "network mode",
}
_SILENT = frozenset({"family", "tags", "containerDefinitions"})
"""Fields of a task definition that say nothing about what runs, or are told container by container."""


def of_definition(before: Definition | None, after: Definition) -> list[str]:
    """Return sentences about what changes from one definition to another; none if both run the same.

    None for `before`: what runs could not be read.
    """
    if before is None:
        return [UNREADABLE, *of_definition({}, after)]
    old, new = _containers(before), _containers(after)
    several = len(new) > 1
    lines: list[str] = []
    for name, container in new.items():
        where = f"container {_word(name)}: " if several or (old and name not in old) else ""
        if name not in old and old:
            lines.append(f"container {_word(name)} is new")
        lines += [f"{where}{line}" for line in _of_container(old.get(name, {}), container)]
    lines += [f"container {_word(name)} is removed" for name in old if name not in new]
    lines += [
        f"{words}: {_becomes(_short(before.get(field)), _short(after.get(field)))}"
        for field, words in _TASK.items()
        if before.get(field) != after.get(field)
    ]
    others = [
        name
        for name in dict.fromkeys([*before, *after])
        if name not in _TASK and name not in _SILENT and before.get(name) != after.get(name)
    ]
    if others:
        lines.append(f"other settings of the task: {some(others)} changed")
    return _most(lines)


def of_migration(before: PlannedMigration | None, after: PlannedMigration) -> list[str]:
    """Return sentences about a migration's task: what it runs, and what is different from its last time (`before`)."""
    command = _command(after.command)
    lines = [f"`{command}` runs once with the image of {after.component} {_digest(after.digest)}"]
    if before is None:
        return lines
    if before.command != after.command:
        lines.append(f"its command changed: it was `{_command(before.command)}`")
    about = ("subnets", "security_groups", "assign_public_ip", "launch_type")
    different = [name.replace("_", " ") for name in about if getattr(before, name) != getattr(after, name)]
    if different:
        lines.append(f"its network changed: {some(different)}")
    return lines


def by_name(words: str, before: Iterable[str], after: Iterable[str], changed: Iterable[str] = ()) -> list[str]:
    """Return one sentence about names that were added, changed and removed, or none."""
    old, new = list(dict.fromkeys(before)), list(dict.fromkeys(after))
    parts = [
        ("added", [name for name in new if name not in old]),
        ("changed", list(changed)),
        ("removed", [name for name in old if name not in new]),
    ]
    told = [f"{verb} {some(names)}" for verb, names in parts if names]
    return [f"{words}: {'; '.join(told)}"] if told else []


def some(names: list[str]) -> str:
    """Return the first names, with commas between; the others are counted."""
    shown = ", ".join(_word(name) for name in names[:_NAMES])
    return f"{shown} and {len(names) - _NAMES} more" if len(names) > _NAMES else shown


def _of_container(before: Definition, after: Definition) -> list[str]:
    lines = []
    if before.get("image") != after.get("image"):
        lines.append(f"image: {_becomes(image(before.get('image')), image(after.get('image')))}")
    for field, words in (("command", "command"), ("entryPoint", "entry point")):
        if before.get(field) != after.get(field):
            old, new = (_command(item.get(field, [])) for item in (before, after))
            lines.append(f"{words}: {_becomes(f'`{old}`' if old else '', f'`{new}`' if new else '')}")
    lines += _pairs("environment variables", before, after, "environment", "value")
    lines += _pairs("secrets", before, after, "secrets", "valueFrom")
    files = [[str(item.get("value")) for item in one.get("environmentFiles", [])] for one in (before, after)]
    lines += by_name("environment files", *files)
    lines += [
        f"{words}: {_becomes(_amount(field, before.get(field)), _amount(field, after.get(field)))}"
        for field, words in (("cpu", "CPU"), ("memory", "memory"), ("memoryReservation", "reserved memory"))
        if before.get(field) != after.get(field)
    ]
    others = [
        name
        for name in dict.fromkeys([*before, *after])
        if name not in _TOLD and before.get(name) != after.get(name)
    ]  # fmt: skip
    if others and before:
        lines.append(f"other settings: {some(others)} changed")
    return lines


def _pairs(words: str, before: Definition, after: Definition, field: str, value: str) -> list[str]:
    old, new = ({item["name"]: item.get(value) for item in one.get(field, [])} for one in (before, after))
    return by_name(words, old, new, [name for name in new if name in old and old[name] != new[name]])


def image(address: str | None) -> str:
    """Return an image in few words: 12 characters of its digest, or the last part of its name with the tag."""
    text = str(address or "")
    _, at, digest = text.partition("@sha256:")
    return digest[:12] if at else _word(text.rsplit("/", 1)[-1])


def _containers(definition: Definition) -> dict[str, Definition]:
    return {item["name"]: item for item in definition.get("containerDefinitions", [])}


def _becomes(before: str, after: str) -> str:
    if not before:
        return after
    return f"{before} becomes {after}" if after else f"{before} is removed"


def _amount(field: str, value: Any) -> str:
    return "" if value is None else f"{value}{_MIB[field]}"


def _short(value: Any) -> str:
    """Return a role or a number without what stands before its name."""
    return "" if value is None else _word(str(value).rsplit("/", 1)[-1])


def _digest(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _command(words: Iterable[str]) -> str:
    return one_line(" ".join(words), limit=_COMMAND).replace("`", "'")


def _word(name: str) -> str:
    return one_line(name, limit=_TEXT)


def _most(lines: list[str]) -> list[str]:
    if len(lines) <= _LINES:
        return lines
    return [*lines[: _LINES - 1], f"and {len(lines) - _LINES + 1} more changes"]
