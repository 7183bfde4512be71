"""The task token of a waiting step. Pure."""

from typing import Literal

from pydantic import AwareDatetime

from ferryman.records.base import Record


class Wait(Record):
    """The task token of a waiting step."""

    resource: str
    """ARN of the ECS service or task whose change wakes it."""
    platform: str
    environment: str
    deployment: str
    fence: int
    step: str
    token: str
    service: str | None = None
    direction: Literal["forward", "back"] | None = None
    may_proceed: bool = False
    """Of a rollout: whether the answer may be that the next wave begins."""
    at: AwareDatetime
