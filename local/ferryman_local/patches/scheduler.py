"""Corrections of the emulator's schedules: EventBridge Scheduler's and EventBridge's scheduled rules.

The emulator stores any text as an expression and never fires what it cannot read, so that a mistake here would be
found on AWS only. Sources: the EventBridge Scheduler User Guide ("Schedule types"), the EventBridge User Guide ("Cron
expressions reference", "Rate expressions reference"), and what AWS answered to LocalStack's tests that were validated
against it. Where AWS documents nothing (a range that ends before it begins), the expression is refused here too: it
would never fire.
"""

import functools
import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ferryman_local.patches.private_attributes import module, replace

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_RATE = re.compile(r"rate\(([0-9]+) +(minute|hour|day)(s?)\)")
_AT = re.compile(r"at\(([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\)")
_CRON = re.compile(r"cron\((\S(?:[^()]*\S)?)\)")
_SCHEDULE = "ferrymanSchedule"
"""Key in the emulator's record of a function that is about to run: the schedule that runs it."""

_firing: ContextVar[str | None] = ContextVar("firing_schedule", default=None)


@dataclass(frozen=True)
class _Field:
    """What one of the six fields of a cron expression may hold, beside `?`."""

    low: int
    high: int
    names: tuple[str, ...] = ()
    """They stand for `low`, `low + 1` and so on."""
    steps: bool = True
    special: str = r"(?!)"
    """A pattern of what else an item may be; its groups are values of the field."""

    def allows(self, text: str) -> bool:
        return all(self._allows_item(item) for item in text.upper().split(","))

    def _allows_item(self, item: str) -> bool:
        if found := re.fullmatch(self.special, item):
            return all(self._value(group) is not None for group in found.groups() if group is not None)
        span, slash, step = item.partition("/")
        if slash and not (self.steps and re.fullmatch(r"[0-9]+", step) and int(step) > 0):
            return False
        if span == "*":
            return True
        first, dash, last = span.partition("-")
        start, end = self._value(first), self._value(last if dash else first)
        return start is not None and end is not None and start <= end

    def _value(self, text: str) -> int | None:
        if text in self.names:
            return self.low + self.names.index(text)
        value = int(text) if re.fullmatch(r"[0-9]+", text) else None
        return value if value is not None and self.low <= value <= self.high else None


_CRON_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31, special=r"L|LW|([0-9]+)W"),
    _Field(1, 12, names=_MONTHS),
    _Field(1, 7, names=_DAYS, steps=False, special=r"L|([0-9A-Z]+)L|([0-9A-Z]+)#[1-5]"),
    _Field(0, 9999),  # documented as 1970-2199, but AWS takes others
)
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4


def taken_by_scheduler(expression: str) -> bool:
    """Whether CreateSchedule and UpdateSchedule take it: rate, cron or at. `rate(1 minutes)` is right for them."""
    return _is_rate(expression) or _is_cron(expression) or _is_at(expression)


def taken_by_put_rule(expression: str) -> bool:
    """Whether PutRule takes it: cron, or a rate whose unit is singular for 1 and plural for more."""
    return _is_rate(expression, grammatical=True) or _is_cron(expression)


def _is_rate(expression: str, *, grammatical: bool = False) -> bool:
    found = _RATE.fullmatch(expression)
    if found is None or int(found[1]) < 1:
        return False
    return not grammatical or (int(found[1]) == 1) == (found[3] == "")


def _is_at(expression: str) -> bool:
    found = _AT.fullmatch(expression)
    try:
        return found is not None and datetime.fromisoformat(found[1]) is not None
    except ValueError:  # the 30th of February
        return False


def _is_cron(expression: str) -> bool:
    found = _CRON.fullmatch(expression)
    texts = found[1].split() if found else []
    if len(texts) != len(_CRON_FIELDS) or [texts[_DAY_OF_MONTH], texts[_DAY_OF_WEEK]].count("?") != 1:
        return False
    days = (_DAY_OF_MONTH, _DAY_OF_WEEK)
    return all(
        (number in days and text == "?") or field.allows(text)
        for number, (field, text) in enumerate(zip(_CRON_FIELDS, texts, strict=True))
    )


def apply() -> None:
    """Refuse what AWS refuses, in the API and in CloudFormation; look every second; keep which schedule invoked."""
    rules, scheduler = module("services.eventbridge"), module("services.scheduler")
    # The emulator looks every ten seconds; AWS's schedules are precise to the minute, so a lag would only cost time.
    replace(rules, "_SCHEDULER_TICK_INTERVAL", lambda _: 1)
    replace(scheduler, "_SCHEDULE_TICK_INTERVAL", lambda _: 1)
    for name in ("_create_schedule", "_update_schedule"):
        replace(scheduler, name, lambda original: _write_schedule(original, scheduler))
    replace(rules, "_put_rule", lambda original: _put_rule(original, rules))
    _refuse_in_templates()
    replace(rules, "_invoke_target", _invoke_target)
    replace(module("services.lambda_svc"), "_execution_record_for_config", _execution_record)


def _write_schedule(original: Any, scheduler: Any) -> Any:
    """CreateSchedule and UpdateSchedule raise ValidationException for an expression that is not valid."""

    def write(name: str, body: dict[str, Any]) -> Any:
        if problem := _schedule_problem(body):
            return scheduler._error(400, "ValidationException", problem)
        return original(name, body)

    return write


def _put_rule(original: Any, rules: Any) -> Any:
    """PutRule raises ValidationException for an invalid expression, and for a schedule outside the default bus."""

    def put_rule(data: dict[str, Any]) -> Any:
        if problem := _rule_problem(data):
            return rules.error_response_json("ValidationException", problem, 400)
        return original(data)

    return put_rule


def _schedule_problem(schedule: dict[str, Any]) -> str:
    """What Scheduler says against a schedule's expression; empty when it takes it."""
    expression = str(schedule.get("ScheduleExpression") or "")
    return "" if taken_by_scheduler(expression) else f"Invalid Schedule Expression {expression}."


def _rule_problem(rule: dict[str, Any]) -> str:
    """What EventBridge says against a rule's schedule; empty when it takes it, or when the rule has none."""
    expression = str(rule.get("ScheduleExpression") or "")
    if not expression:
        return ""
    if str(rule.get("EventBusName") or "default").rpartition("/")[2] != "default":
        return "ScheduleExpression is supported only on the default event bus."
    return "" if taken_by_put_rule(expression) else "Parameter ScheduleExpression is not valid."


def _refuse_in_templates() -> None:
    """CloudFormation calls the same APIs; the emulator's writes past them, or does not look at what they answer."""
    handlers = module("services.cloudformation.provisioners")._RESOURCE_HANDLERS
    for kind, problem_of in {"AWS::Scheduler::Schedule": _schedule_problem, "AWS::Events::Rule": _rule_problem}.items():
        handler = handlers[kind]
        handler["create"] = _validated(handler["create"], 1, kind, problem_of)
        handler["update"] = _validated(handler["update"], 2, kind, problem_of)


def _validated(original: Any, position: int, kind: str, problem_of: Any) -> Any:
    """A handler that fails when its properties, the argument at `position`, hold an expression that AWS refuses."""

    @functools.wraps(original)  # the emulator looks at its signature
    def handle(*arguments: Any, **more: Any) -> Any:
        if problem := problem_of(arguments[position]):
            raise ValueError(f"{kind}: ValidationException: {problem}")
        return original(*arguments, **more)

    return handle


def _invoke_target(original: Any) -> Any:
    """Not a correction: while a schedule invokes its target, keep which schedule it is.

    Its event has a source `aws.*`, which only the emulator itself can use: PutEvents refuses them.
    """

    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> Any:
        scheduled = event.get("DetailType") == "Scheduled Event" and event.get("Source") in (
            "aws.scheduler",
            "aws.events",
        )
        token = _firing.set(str(rule.get("Name")) if scheduled else None)
        try:
            return original(target, event, rule, view)
        finally:
            _firing.reset(token)

    return invoke_target


def _execution_record(original: Any) -> Any:
    """Not a correction: add the schedule to the emulator's record of a function that is about to run."""

    def record_for(func: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
        return {**original(func, config), _SCHEDULE: _firing.get()}

    return record_for


def schedule_of(function: dict[str, Any]) -> str | None:
    """The name of the schedule that runs a function now, given the emulator's record of it; None: something else."""
    return function.get(_SCHEDULE)
