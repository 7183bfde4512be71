"""What every handler needs: clients, settings, logging, and the decorator that parses, calls and dumps.

Called by `functions/*/app.py` only. The environment is read here and nowhere else, at call time.
"""

import functools
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from pydantic import BaseModel, ValidationError

from ferryman.clients.aws_types import MakeClient
from ferryman.errors import InvalidInput, PermanentError
from ferryman.store.table import Store
from ferryman.text import redacted, redacted_data

_OWN = (
    "level", "location", "timestamp", "service", "cold_start", "function_name", "function_memory_size", "function_arn",
    "function_request_id", "correlation_id", "xray_trace_id", "function", "request_id", "platform", "environment",
    "deployment", "who",
)  # fmt: skip
"""Fields of a log line that hold names and ids of our own."""

if TYPE_CHECKING:
    from concurrent.futures import Executor

# Time-outs far below the Lambdas' own, so that a hanging call becomes an error that can be told, not a killed process.
_CONFIG = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 3})


@functools.cache
def _client(service: str) -> Any:
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]


client: MakeClient = _client
"""Return the boto3 client of a service, made at first use and kept while the sandbox lives."""


def patient(service: Any) -> Any:
    """Return a client that waits up to 25 seconds for an answer, and never repeats a call; not kept."""
    config = Config(connect_timeout=3, read_timeout=25, retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client(service, config=config)


def setting(name: str) -> str:
    """Return a value that the template put into the function's environment."""
    return os.environ[name]


def endpoint() -> str | None:
    """Return the address that stands in for AWS's own, if one does: on the local AWS."""
    return os.environ.get("AWS_ENDPOINT_URL")


def services_on_loopback() -> bool:
    """Whether the services that are deployed run on this machine: on the local AWS, which says so, and never in Lambda.

    Lambda sets AWS_LAMBDA_RUNTIME_API in each of its environments and lets nobody change it
    (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
    """
    return os.environ.get("FERRYMAN_SERVICES_ON_LOOPBACK") == "1" and "AWS_LAMBDA_RUNTIME_API" not in os.environ


@functools.cache
def store() -> Store:
    """Return the store on the operator's table."""
    return Store(client("dynamodb"), setting("TABLE_NAME"))


@functools.cache
def logger() -> Logger:
    """Return the structured logger; `step` puts the deployment's ids into each line."""
    return Logger(service="ferryman", utc=True, json_serializer=_serialized)


def _serialized(log: dict[str, Any]) -> str:
    """Write a line of the log as JSON, without the secrets that errors of AWS and of HTTP clients quote."""
    shown = {name: value if name in _OWN else redacted_data(_as_json(value)) for name, value in log.items()}
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


@functools.cache
def metrics() -> Metrics:
    """Return the metrics, written as EMF into the log."""
    return Metrics(namespace="Ferryman", service="ferryman")


def threads(most: int) -> "Executor":
    """Return a pool of at most so many threads, for what a handler does side by side."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max_workers=most)


def count(name: str, value: float = 1) -> None:
    """Count something that happened; written when the handler returns."""
    metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)


def count_now(name: str) -> None:
    """Count something at once: for handlers that write no other metrics."""
    with single_metric(
        name=name, unit=MetricUnit.Count, value=1, namespace="Ferryman", default_dimensions={"service": "ferryman"}
    ):
        pass


def gauge(name: str, seconds: float, **dimensions: str) -> None:
    """Write a duration at once, under its own dimensions beside `service`."""
    with single_metric(
        name=name,
        unit=MetricUnit.Seconds,
        value=seconds,
        namespace="Ferryman",
        default_dimensions={"service": "ferryman", **dimensions},
    ):
        pass


def step[In: BaseModel](
    contract: type[In],
) -> Callable[[Callable[[In, LambdaContext], Any]], Callable[[Any, LambdaContext], Any]]:
    """Make a Lambda handler of a function from a contract to a contract (or to None).

    A payload that does not fit raises InvalidInput, which is not retried. Errors are logged once, here, with the ids.
    """

    def decorate(function: Callable[[In, LambdaContext], Any]) -> Callable[[Any, LambdaContext], Any]:
        @functools.wraps(function)
        def handler(payload: Any, context: LambdaContext) -> Any:
            log = logger()
            log.clear_state()
            log.append_keys(**_ids(payload, context))
            try:
                result = function(_parse(contract, payload), context)
            except PermanentError as error:
                log.error(str(error), error=type(error).__name__)
                raise _told(error) from None
            except Exception as error:
                log.exception("step failed")
                raise _told(error) from None
            finally:
                if metrics().metric_set:
                    metrics().flush_metrics()
            return result.model_dump(mode="json", by_alias=True) if isinstance(result, BaseModel) else result

        return handler

    return decorate


def _told(error: Exception) -> Exception:
    """Return the error without secrets: Lambda logs its text, and Step Functions keeps it as the cause."""
    text = str(error)
    told = redacted(text)
    if told == text:
        return error
    # Of the same name, which is what the state machines match.
    same_name: type[Exception] = type(type(error).__name__, (Exception,), {})
    return same_name(told).with_traceback(error.__traceback__)


def _parse[In: BaseModel](contract: type[In], payload: Any) -> In:
    try:
        return contract.model_validate(payload)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise InvalidInput(f"the payload does not fit {contract.__name__}: {problems}") from None


def _ids(payload: Any, context: LambdaContext) -> dict[str, Any]:
    found = {"function": getattr(context, "function_name", "?"), "request_id": getattr(context, "aws_request_id", "?")}
    if isinstance(payload, dict):
        for name in ("platform", "environment", "deployment", "service", "direction"):
            if isinstance(payload.get(name), str):
                found[name] = payload[name]
        event_id = payload.get("id")
        found["correlation_id"] = str(payload.get("deployment") or event_id or found["request_id"])
    return found
