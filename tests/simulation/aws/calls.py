"""One call of an AWS client: its latency, the SDK's three attempts, and what can go wrong with it.

Above HTTP and below the SDK's retries: a lost answer is first repeated inside the same call, as botocore's standard
mode repeats it (`runtime` sets three attempts, 3 s to connect and 8 s to read).
"""

from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.validate import ParamValidator

from simulation.aws.errors import refusal

Request = dict[str, Any]
Operation = Callable[..., Any]

CRASHES = ("crash before", "crash after")
READ_FAULTS = ("ok", "slow", "throttled", "unreachable", *CRASHES)
WRITE_FAULTS = (*READ_FAULTS, "repeated", "lost", "cut")
"""`repeated`: works, the answer is lost, and the SDK's second attempt is answered. `lost`: all three attempts work and
no answer arrives. `cut`: works, and nothing can be reached after that."""
HTTP_FAULTS = ("ok", "unreachable", "lost", "failing", *CRASHES)
"""`lost`: it works, and the answer does not arrive. `failing`: the other side answers with an error of its own."""
READS = frozenset(
    {
        *(
            "get_item",
            "batch_get_item",
            "query",
            "describe_services",
            "describe_tasks",
            "list_tasks",
            "describe_task_definition",
        ),
        *("describe_execution", "describe_images", "describe_repositories", "batch_get_image", "get_parameter"),
        *("describe_image_scan_findings", "get_download_url_for_layer", "get_log_events", "get_secret_value"),
        "get_task_protection",
    }
)
EVENTUALLY_CONSISTENT = frozenset({"describe_services", "describe_tasks", "list_tasks", "describe_execution"})
"""Operations whose answer can be some seconds old. DynamoDB's reads are only where `ConsistentRead` is not set."""
VALIDATED = 3
"""How many requests of each operation are held against botocore's model; they are much alike."""
_LATENCY, _SLOW, _CONNECT, _READ = 0.02, 3.0, 3.0, 8.0


class SandboxDied(BaseException):
    """The sandbox died: a crash, out of memory, or Lambda's time-out. No `except Exception` sees it."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(how)


def faults_of(service: str, operation: str) -> tuple[str, ...]:
    """Return what can become of a call; the first is the ordinary course."""
    if service == "http":
        return HTTP_FAULTS
    if operation in READS:
        stale = ("stale",) if operation in EVENTUALLY_CONSISTENT else ()
        return (*READ_FAULTS, *stale)
    own = {"transact_write_items": ("conflict",), "send_message_batch": ("partly",)}
    return (*WRITE_FAULTS, *own.get(operation, ()))


def perform(operation: str, do: Operation, request: Request, fault: str, pause: Callable[[float], None]) -> Any:
    """Make one call under a fault. `pause` lets time pass, and raises SandboxDied when the sandbox's time is over."""
    name = "".join(part.title() for part in operation.split("_"))
    if fault == "crash before":
        raise SandboxDied("crash")
    if fault == "throttled":
        pause(1.5)
        raise refusal(name, "ThrottlingException", "Rate exceeded")
    if fault == "unreachable":
        pause(3 * _CONNECT)
        raise EndpointConnectionError(endpoint_url="https://aws.example")
    if fault == "conflict":
        pause(_LATENCY)
        reasons = [{"Code": "TransactionConflict"} for _ in request["TransactItems"]]
        raise refusal(name, "TransactionCanceledException", CancellationReasons=reasons)
    pause(_SLOW if fault == "slow" else _LATENCY)
    if fault in ("stale", "partly"):
        return do(request, **{fault: True})
    if fault in ("ok", "slow"):
        return do(request)
    answer = _attempt(do, request)
    if fault == "crash after":
        raise SandboxDied("crash")
    if fault == "cut":
        pause(2 * _CONNECT)
        raise EndpointConnectionError(endpoint_url="https://aws.example")
    pause(_READ)
    answer = _attempt(do, request)
    if fault == "lost":
        pause(_READ)
        _attempt(do, request)
        pause(_READ)
        raise ReadTimeoutError(endpoint_url="https://aws.example")
    if isinstance(answer, ClientError):
        raise answer
    return answer


def _attempt(do: Operation, request: Request) -> Any:
    try:
        return do(request)
    except ClientError as error:
        return error


class Validator:
    """Holds requests against botocore's models, which know what a real client refuses before it sends anything."""

    _models: dict[str, Any] = {}

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}

    def check(self, service: str, operation: str, request: Request) -> None:
        """Raise AssertionError for a request that botocore would refuse."""
        seen = self._seen.get((service, operation), 0)
        if seen >= VALIDATED:
            return
        self._seen[service, operation] = seen + 1
        if service not in self._models:
            self._models[service] = botocore.session.get_session().get_service_model(service)
        model = self._models[service]
        name = next(found for found in model.operation_names if found.lower() == operation.replace("_", ""))
        report = ParamValidator().validate(request, model.operation_model(name).input_shape)
        assert not report.has_errors(), f"{service}.{operation}: {report.generate_report()}"
