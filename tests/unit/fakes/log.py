"""A logger that keeps what was logged."""

import traceback
from typing import Any


class FakeLog:
    """Powertools' logger, as far as handlers use it: messages with fields, and the tracebacks of failures."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.failed: list[str] = []

    def info(self, msg: str, **fields: Any) -> None:
        self.said.append((msg, fields))

    def warning(self, msg: str, **fields: Any) -> None:
        self.said.append((msg, fields))

    def exception(self, msg: str, **fields: Any) -> None:
        self.said.append((msg, fields))
        self.failed.append(traceback.format_exc())
