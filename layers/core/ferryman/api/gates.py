"""Routes that close and open the gates of an environment: freezes, and waivers of image scans."""

from typing import Any

from ferryman.api.http import Request
from ferryman.api.operator import Operator


def freeze(operator: Operator, request: Request) -> dict[str, Any]:
    """Let nothing start for a while."""
    raise NotImplementedError


def thaw(operator: Operator, request: Request) -> dict[str, Any]:
    """Lift a freeze."""
    raise NotImplementedError


def waive(operator: Operator, request: Request) -> dict[str, Any]:
    """Let a release pass in spite of its scans, for a while."""
    raise NotImplementedError
