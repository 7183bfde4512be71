"""Types of single values in a platform document: durations, names, tags and `ssm:` references."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    WithJsonSchema,
)

from ferryman.durations import format_duration

_DURATION = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_DURATION_PATTERN = r"^(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
_LONGEST = timedelta(days=3650)


def parse_duration(value: Any) -> timedelta:
    """Parse `90s`, `10m`, `1h30m` or `2d`; raise ValueError for anything else, including zero."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError(
            f"{_shown(value)} is not a duration; write a whole number with a unit, as in 90s, 10m, 1h30m or 2d"
        )  # fmt: skip
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        span = timedelta.max
    if span > _LONGEST:
        raise ValueError(f"{_shown(value)} is too long; use at most 3650d")
    if span <= timedelta(0):
        raise ValueError(f"{_shown(value)} is zero; use at least 1s")
    return span


def between(least: str, most: str) -> Callable[[timedelta], timedelta]:
    """Return a validator that accepts durations from `least` to `most`, inclusive."""
    low, high = parse_duration(least), parse_duration(most)

    def check(span: timedelta) -> timedelta:
        if span < low:
            raise ValueError(f"{format_duration(span)} is too short; use at least {least}, at most {most}")
        if span > high:
            raise ValueError(f"{format_duration(span)} is too long; use at most {most}")
        return span

    return check


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN, "examples": ["90s", "10m", "1h30m"]}),
]

# Platform and environment names become part of execution names (at most 80 characters with a ULID) and SSM paths.
NAME = r"^[a-z][a-z0-9-]{0,23}$"
SERVICE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$"
JOB_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
EVENT_BUS = r"^[/.\-_A-Za-z0-9]+$"
EVENTS_NAME = r"^[0-9A-Za-z._-]{1,64}$"
PROJECT = r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}$"
REPOSITORY = r"^[a-z0-9]+(?:[._/-][a-z0-9]+)*$"
IMAGE_TAG = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"
ACCOUNT = r"^[0-9]{12}$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
PATH = r"^/[^\s#]*$"
HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
_REFERENCE = re.compile(r"ssm:/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")

IN_WORDS = {
    NAME: "a name starts with a letter and has at most 24 lowercase letters, digits and hyphens",
    SERVICE_NAME: "the name of an ECS service has at most 255 letters, digits, hyphens and underscores",
    JOB_NAME: "the name of a job has at most 64 letters, digits, hyphens and underscores",
    EVENTS_NAME: "the name of a schedule, group, rule or target has at most 64 letters, digits and . - _",
    EVENT_BUS: "the name of an event bus consists of letters, digits and / . - _; it is not an ARN",
    REPOSITORY: "the name of an ECR repository is lowercase, as in scr-api or team/scr-api, without registry and tag",
    PROJECT: "a project on GitHub is owner/name",
    IMAGE_TAG: "an image tag has at most 128 letters, digits, dots, underscores and hyphens, and no leading . or -; "
    "a moving tag is the same for every release, as in staging-latest",
    ACCOUNT: "an AWS account id has 12 digits; put it in quotes",
    REGION: "an AWS region looks like eu-west-1",
    PATH: "a path starts with / and contains no spaces and no #",
    HEADER: "a header name consists of letters, digits and hyphens",
}
"""A description of each pattern, for error messages."""

Name = Annotated[str, StringConstraints(pattern=NAME)]
ServiceName = Annotated[str, StringConstraints(pattern=SERVICE_NAME)]
JobName = Annotated[str, StringConstraints(pattern=JOB_NAME)]
EventsName = Annotated[str, StringConstraints(pattern=EVENTS_NAME)]
Repository = Annotated[str, StringConstraints(pattern=REPOSITORY, max_length=256)]
ImageTag = Annotated[str, StringConstraints(pattern=IMAGE_TAG)]
HeaderName = Annotated[str, StringConstraints(pattern=HEADER, max_length=128)]


def _header_value(value: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("a header value must be one line, without control characters")
    return value


HeaderValue = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_header_value)]


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    if is_reference(value) and not _REFERENCE.fullmatch(value):
        raise ValueError(f"{_shown(value)} is not a reference; write ssm:/path/of/the/parameter")
    return value


Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2048),
    AfterValidator(_text),
    Field(json_schema_extra={"pattern": rf"^(?:{_REFERENCE.pattern}$|(?!ssm:)(?=.*\S))"}),
]
"""A plain string, or `ssm:/path`: the name of a String parameter that is read when the value is needed."""


_CREDENTIALS = ("xox", "ghp_", "github_pat_", "ghs_", "-----BEGIN")


def _secret_arn(value: str) -> str:
    if "://" in value or value.startswith(_CREDENTIALS):
        # The message does not quote the value, because it is the credential.
        raise ValueError("is the secret itself; store it in Secrets Manager and write that secret's ARN here")
    if not is_reference(value) and ":secretsmanager:" not in value:
        raise ValueError("is not the ARN of a secret; write arn:aws:secretsmanager:…, or ssm:/path to it")
    return value


SecretArn = Annotated[Text, AfterValidator(_secret_arn)]
"""The ARN of a Secrets Manager secret, or `ssm:/path` to that ARN; never the secret itself."""


def _web_url(value: str) -> str:
    if not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ValueError("is not an https:// URL")
    return value.rstrip("/")


WebUrl = Annotated[str, AfterValidator(_web_url)]
"""The base URL of an API or of web pages, without a trailing slash. Plain http is allowed for localhost only."""


def _reference(value: str) -> str:
    if not _REFERENCE.fullmatch(value):
        # Imported here: it reads the patterns of this module.
        from ferryman.platform.remedies import list_in_text

        listed = list_in_text(value) or "[a, b]"
        told = "is a text" if value.startswith("[") else "is neither a list nor a reference"
        quotes = " without quotes" if value.startswith("[") else ""
        raise ValueError(f"{_shown(value)} {told}; write {listed}{quotes}, or ssm:/path/of/the/parameter")
    return value


Reference = Annotated[
    str,
    AfterValidator(_reference),
    WithJsonSchema({"type": "string", "pattern": f"^{_REFERENCE.pattern}$", "examples": ["ssm:/ferryman/scr/subnets"]}),
]

TextList = Annotated[
    Annotated[list[Text], Field(min_length=1), Tag("list")] | Annotated[Reference, Tag("reference")],
    Discriminator(lambda value: "reference" if isinstance(value, str) else "list"),
]
"""A list, or `ssm:/path`: the name of a StringList parameter that is read when the value is needed."""


def is_reference(value: str) -> bool:
    """Return whether a value is an `ssm:/path` reference."""
    return value.startswith("ssm:")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


SEMVER = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:[-+][0-9A-Za-z.+-]+)?", re.ASCII)
