"""Who did what, when, from where, on which digests."""

from typing import Any

from ferryman.api.http import Request
from ferryman.api.operator import Operator


def audit(operator: Operator, request: Request) -> dict[str, Any]:
    """The audit trail, newest first."""
    raise NotImplementedError
