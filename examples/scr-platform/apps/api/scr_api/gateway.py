"""The AI gateway, as the API asks it."""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

ANSWER_SECONDS = 10.0
LARGEST_ANSWER = 1_000_000

Model = TypeVar("Model", bound=BaseModel)


class GatewayError(Exception):
    """No answer that can be used; the message is one line that says why."""


class Completion(BaseModel):
    """What `/v1/complete` answers, as far as it is used here."""

    model: str
    completion: str


class Counted(BaseModel):
    """Money as a decimal string: a float would lose cents."""

    usd: str
    requests: int
    prompt_tokens: int
    completion_tokens: int


class ModelCosts(Counted):
    model: str
    priced: bool


class DayCosts(Counted):
    day: str


class Costs(BaseModel):
    """What `/v1/costs` answers."""

    currency: str
    since: str
    kept_in: str
    total: Counted
    by_model: list[ModelCosts]
    by_day: list[DayCosts]


class Gateway:
    """A new connection each time: a task that was replaced meanwhile must not be asked again."""

    def __init__(self, base_url: str) -> None:
        self._url = urlsplit(base_url)

    def complete(self, prompt: str, max_tokens: int) -> Completion:
        """Raises GatewayError."""
        body = {"prompt": prompt, "max_tokens": max_tokens}
        return self._read(Completion, "POST", "/v1/complete", body)

    def costs(self, days: int) -> Costs:
        """Of the last days, today included. Raises GatewayError."""
        return self._read(Costs, "GET", f"/v1/costs?days={days}")

    def check(self, seconds: float) -> None:
        """Raises GatewayError unless it is healthy."""
        self._send("GET", "/health", seconds=seconds)

    def _read(self, model: type[Model], method: str, path: str, body: Any = None) -> Model:
        try:
            return model.model_validate_json(self._send(method, path, body))
        except ValidationError:
            raise GatewayError(f"returned an unexpected response for {path}") from None

    def _send(self, method: str, path: str, body: Any = None, seconds: float = ANSWER_SECONDS) -> bytes:
        connect = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = connect(self._url.hostname or "", self._url.port, timeout=seconds)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        try:
            connection.request(method, self._url.path + path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            answer = response.read(LARGEST_ANSWER)
        except (OSError, HTTPException) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
            raise GatewayError(f"unreachable ({reason})") from None
        finally:
            connection.close()
        if response.status != 200:
            raise GatewayError(f"returned {response.status} {response.reason}{_detail(answer)}")
        return answer


def _detail(answer: bytes) -> str:
    """What the gateway itself says of it."""
    try:
        detail = json.loads(answer)["detail"]
    except (ValueError, LookupError, TypeError):
        return ""
    return f": {detail}" if isinstance(detail, str) else ""
