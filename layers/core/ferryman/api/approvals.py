"""Routes for approvers with AWS credentials; who = the IAM ARN as AWS tells it."""

from typing import Any

from ferryman.api.http import Request
from ferryman.api.operator import Operator


def approval(operator: Operator, request: Request) -> dict[str, Any]:
    """The approval that the environment waits for."""
    raise NotImplementedError


def approve(operator: Operator, request: Request) -> dict[str, Any]:
    """Say yes."""
    raise NotImplementedError


def reject(operator: Operator, request: Request) -> dict[str, Any]:
    """Say no, with a reason."""
    raise NotImplementedError
