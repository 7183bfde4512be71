"""What a deployment would change, before anything does."""

from typing import Any

from ferryman.api.http import Request
from ferryman.api.operator import Operator


def diff(operator: Operator, request: Request) -> dict[str, Any]:
    """Compare what runs with a release."""
    raise NotImplementedError
