"""The small types that a platform document is made of: durations, names and `ssm:` references."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_PATTERN = r"^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"


def parse_duration(value: Any) -> timedelta:
    """Turn `90s`, `10m`, `1h30m` or `2d` into a time span; raise ValueError for anything else, also for zero."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write a whole number with a unit, as in 90s, 10m, 1h30m or 2d")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise ValueError(f"{value!r} is longer than any deployment; use at most 3650d") from None
    if span <= timedelta(0):
        raise ValueError(f"{value!r} is no time at all; use at least 1s")
    return span


def format_duration(span: timedelta) -> str:
    """Write a time span as `1h30m`; the inverse of `parse_duration` for whole seconds."""
    total = int(span.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, total = divmod(total, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["90s", "10m", "1h30m"]}),
]

# Platform and environment names become part of execution names (at most 80 characters with a ULID) and SSM paths.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,23}$")]
ServiceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]
Repository = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[._/-][a-z0-9]+)*$", max_length=256)]

Text = Annotated[str, StringConstraints(min_length=1)]
"""A plain string, or `ssm:/path`, the name of a String parameter that is read at run time."""

TextList = Annotated[
    list[Text] | Annotated[str, StringConstraints(pattern=r"^ssm:/.+$")],
    Field(description="A list, or ssm:/path, the name of a StringList parameter that is read at run time."),
]


def is_reference(value: str) -> bool:
    """Tell whether a value is an `ssm:/path` reference."""
    return value.startswith("ssm:")
