"""Run by `test_released.py` in a process of its own: reads items with the models of a released operator.

    python -I reads_with.py FOLDER < items > answers

FOLDER: where the operator.zip of that release was unpacked. Both are JSON lists: the items of `[kind, DynamoDB item]`,
the answers of `{"dump": …}` or `{"errors": [[location, input], …]}`.
"""

import json
import socket
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from pydantic import ValidationError


def plain(value: Any) -> Any:
    """DynamoDB's decimals as the numbers that they were."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def no_network(*_arguments: Any) -> None:
    raise OSError("reading a record needs no network")


if __name__ == "__main__":
    socket.socket.connect = no_network  # type: ignore[method-assign]
    released = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(released / "layers" / "core"))
    from ferryman import records

    assert Path(records.__file__).is_relative_to(released), f"these are not the released models: {records.__file__}"
    answers: list[dict[str, Any]] = []
    for kind, item in json.load(sys.stdin):
        data = {name: plain(TypeDeserializer().deserialize(value)) for name, value in item.items()}
        try:
            answers.append({"dump": getattr(records, kind).model_validate(data).dump()})
        except ValidationError as error:
            answers.append({"errors": [[found["loc"], str(found["input"])] for found in error.errors()]})
    json.dump(answers, sys.stdout)
