"""Answers of AWS that say no, as botocore raises them."""

from typing import Any

from botocore.exceptions import ClientError


def refusal(operation: str, code: str, message: str = "", status: int = 400, **more: Any) -> ClientError:
    """Return a ClientError."""
    said = {"Error": {"Code": code, "Message": message or code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError({**said, **more}, operation)  # type: ignore[arg-type]
