"""The difference between two plans: what was approved and what is asked now, or the last deployment's and this one's.

Pure; `what_changes` compares task definitions, which no plan contains.
"""

import json
from collections.abc import Iterable

from ferryman.decisions.what_changes import by_name
from ferryman.records import Plan, PlannedCheck, PlannedJob, PlannedService
from ferryman.text import one_line

WHOLE = "deployment as a whole"
"""Where the words about what is no service, job or migration stand."""

_LINES = 40
_WIDTH = 300


def of_policy(before: Plan, after: Plan, *, versions: tuple[str, str]) -> dict[str, list[str]]:
    """Return what is different beside task definitions and images: part of the plan → sentences.

    `versions` are those of the releases: smoke tests have them filled in.
    """
    found: list[str] = []
    found += by_name("services and jobs", _names(before), _names(after), _retimed(before, after))
    if _names(before) != _names(after) and sorted(_names(before)) == sorted(_names(after)):
        found.append("the order of the services changed")
    elif before.waves != after.waves and _names(before) == _names(after):
        found.append("the waves changed")
    if before.cluster != after.cluster:
        found.append(f"the cluster changed: {_last(before.cluster)} becomes {_last(after.cluster)}")
    if before.on_failure != after.on_failure:
        found.append(f"on failure: {before.on_failure} becomes {after.on_failure}")
    if before.repositories != after.repositories:
        changed = [name for name, value in after.repositories.items() if before.repositories.get(name, value) != value]
        found += by_name("repositories", before.repositories, after.repositories, changed)
    migrations = ([item.name for item in plan.every_migration if item.name] for plan in (before, after))
    found += by_name("migrations", *migrations)
    old, new = ({check.name: _text(check, version) for check in plan.checks}
                for plan, version in zip((before, after), versions, strict=True))  # fmt: skip
    found += by_name("smoke tests", old, new, [name for name in new if name in old and old[name] != new[name]])
    return {WHOLE: found} if found else {}


def since_approved(before: Plan, after: Plan, why: str, *, versions: tuple[str, str]) -> list[str]:
    """Return why people are asked again, and what differs from what they were shown the last time."""
    lines = []
    for name, now in after.members.items():
        then = before.members.get(name)
        if then is not None:
            lines += [f"{name}: {line}" for line in _of_member(then, now)]
    earlier = {task.name: task for task in before.every_migration}
    for task in after.every_migration:
        was = earlier.get(task.name)
        if was is not None and was.base_task_definition != task.base_task_definition:
            where = f"migration {task.name}".strip()
            lines.append(f"{where}: base {_last(was.base_task_definition)} becomes {_last(task.base_task_definition)}")
    lines += [line for part in of_policy(before, after, versions=versions).values() for line in part]
    lines += _of_words(before, after)
    lines = [one_line(line, limit=_WIDTH) for line in dict.fromkeys(lines)]
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"and {len(lines) - _LINES} more"]
    return [one_line(why, limit=600), *(lines or ["Nothing differs from what was approved."])]


def _of_member(before: PlannedService | PlannedJob, after: PlannedService | PlannedJob) -> list[str]:
    lines = []
    if before.base_task_definition != after.base_task_definition:
        lines.append(f"base {_last(before.base_task_definition)} becomes {_last(after.base_task_definition)}")
    if before.digest != after.digest:
        lines.append(f"image: {before.digest[7:19] or 'none'} becomes {after.digest[7:19] or 'none'}")
    return lines


def _of_words(before: Plan, after: Plan) -> list[str]:
    """Return what the words about the changes say now and did not say then, and the other way round."""
    lines = []
    for name in dict.fromkeys([*after.changes, *before.changes]):
        then, now = before.changes.get(name, []), after.changes.get(name, [])
        lines += [f"{name}, new: {line}" for line in now if line not in then]
        lines += [f"{name}, no longer: {line}" for line in then if line not in now]
    return lines


def _names(plan: Plan) -> list[str]:
    return [name for wave in plan.waves for name in wave]


def _retimed(before: Plan, after: Plan) -> Iterable[str]:
    for name, now in after.services.items():
        then = before.services.get(name)
        if then is not None and _timing(then) != _timing(now):
            yield f"{name} (timeout, fail-fast or proceedWhen)"


def _timing(service: PlannedService) -> tuple[int, int, str]:
    return service.timeout_seconds, service.fail_fast, service.proceed_when


def _text(check: PlannedCheck, version: str) -> str:
    text = json.dumps(check.dump(), sort_keys=True)
    return text.replace(version, "{release}") if version else text


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
