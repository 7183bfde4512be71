"""Routes that start something a person wants: a release, the way back, a database command."""

from typing import Any

from ferryman.api.http import Request
from ferryman.api.operator import Operator


def deploy(operator: Operator, request: Request) -> dict[str, Any]:
    """Ask for a release, confirmed."""
    raise NotImplementedError


def rollback(operator: Operator, request: Request) -> dict[str, Any]:
    """Ask for the release before, or another one."""
    raise NotImplementedError


def migrate(operator: Operator, request: Request) -> dict[str, Any]:
    """Ask for a database command."""
    raise NotImplementedError
