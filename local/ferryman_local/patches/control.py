"""What tests and the benchmark see and steer inside the emulator: counters and a fault table, served as
`/_ferryman/...` on the emulator's own port.

    GET    /_ferryman/owner                    {"owner": mark}: whose emulator answers on this port
    GET    /_ferryman/counters                 {"lambda": {name: {...}}, "executions": {arn: {...}}}
    DELETE /_ferryman/counters                 start from zero
    GET    /_ferryman/invocations              the last invocations of Lambdas, oldest first: [{"number": n, "function":
                                               name, "event": event, "schedule": name of the schedule or null,
                                               "running": bool}]
    GET    /_ferryman/lambda-faults            the faults that are still to come
    POST   /_ferryman/lambda-faults            add one: {"function": glob, "when": "before"|"after", "error": class,
                                               "message": text, "timeout": bool, "times": n, "match": text}
    DELETE /_ferryman/lambda-faults            forget all
    PUT    /_ferryman/lambda-endpoint          {"url": u}: where Lambdas started from now on find AWS
    PUT    /_ferryman/concurrency-limit        {"limit": n}: Lambda's limit of concurrent executions, 1,000 at first
    PUT    /_ferryman/scans/<digest>           what ECR's image scan says: {"status": s, "counts": {severity: n},
                                               "description": text}; {} is an image that was never scanned
    DELETE /_ferryman/scans                    every scan is COMPLETE and clean again
    GET    /_ferryman/permissions              what roles asked for, each kind of request once: [{"role": name,
                                               "action": a, "allowedBy": [{"sid": s, "resource": its position,
                                               "values": [...]}]}]; "allowedBy" is empty where it was denied
    DELETE /_ferryman/permissions              forget it
    POST   /_ferryman/executions/time-out      {"executionArn": arn}: TIMED_OUT now, as a machine-level timeout does
    any    /_ferryman/at/<load balancer>/<host>/<path>   through that load balancer with that Host header:
                                               what DNS does on AWS, as a URL that every client can open
"""

import contextlib
import fnmatch
import json
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

Message = dict[str, Any]
Asgi = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


HOSTS = "/_ferryman/at/"
INVOCATIONS = 2000
"""How many of the last invocations are kept."""


@dataclass
class Fault:
    """What happens to the next invocations of the functions whose name matches (shell pattern)."""

    function: str
    when: str = "before"
    error: str = "RuntimeError"
    message: str = "a fault that a test asked for"
    timeout: bool = False
    times: int = 1
    match: str = ""
    """Only events whose JSON holds this text."""

    def __post_init__(self) -> None:
        if self.when not in ("before", "after"):
            raise ValueError(f'"when" is {self.when!r}; it must be "before" or "after" (the handler ran)')

    def body(self, timeout_seconds: int) -> dict[str, str]:
        """The failure, as Lambda reports it."""
        if self.timeout:
            return {
                "errorType": "Sandbox.Timedout",
                "errorMessage": f"Task timed out after {timeout_seconds}.00 seconds",
            }
        return {"errorType": self.error, "errorMessage": self.message}


@dataclass
class Control:
    """Counters and faults of one emulator process."""

    owner: str = ""
    lambdas: dict[str, dict[str, int]] = field(default_factory=dict)
    executions: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    scans: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Image digest → its scan, where a test wants another one than a clean COMPLETE."""
    invocations: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=INVOCATIONS))
    permissions: dict[str, dict[str, Any]] = field(default_factory=dict)
    concurrency_limit: int = 1000
    lambda_endpoint: str | None = None
    on_endpoint_change: Callable[[], None] = lambda: None
    time_out_execution: Callable[[str], bool] = lambda _arn: False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count_lambda(self, name: str, what: str, number: int = 1) -> None:
        """Add to a function's counter."""
        with self._lock:
            row = self.lambdas.setdefault(
                name, {"invocations": 0, "errors": 0, "coldStarts": 0, "faults": 0, "milliseconds": 0}
            )
            row[what] += number

    @contextlib.contextmanager
    def invocation(self, function: str, event: Any, schedule: str | None) -> Iterator[None]:
        """Keep that a function runs, and the schedule that runs it, if one does."""
        row = {"function": function, "event": event, "schedule": schedule, "running": True}
        with self._lock:
            row["number"] = self.invocations[-1]["number"] + 1 if self.invocations else 1
            self.invocations.append(row)
        try:
            yield
        finally:
            row["running"] = False

    def count_transitions(self, execution_arn: str, number: int = 1) -> None:
        """States entered or retried, inside Maps too."""
        with self._lock:
            row = self.executions.setdefault(execution_arn, {"transitions": 0})
            row["transitions"] += number

    def note_permission(self, use: dict[str, Any]) -> None:
        """Keep that a role has used a permission, or lacks it."""
        with self._lock:
            self.permissions.setdefault(json.dumps(use), use)

    def take_fault(self, function: str, event: Any, when: str) -> Fault | None:
        """The next fault for this invocation, used up once."""
        with self._lock:
            for fault in self.faults:
                if fault.when != when or not fnmatch.fnmatch(function, fault.function):
                    continue
                if fault.match and fault.match not in json.dumps(event):
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:  # noqa: C901 - one arm per path
        """One request to the control endpoint."""
        data = json.loads(body) if body else {}
        if path == "/_ferryman/owner":
            return 200, {"owner": self.owner}
        with self._lock:
            if path == "/_ferryman/counters" and method == "GET":
                return 200, {"lambda": self.lambdas, "executions": self.executions}
            if path == "/_ferryman/counters" and method == "DELETE":
                self.lambdas.clear()
                self.executions.clear()
                return 200, {}
            if path == "/_ferryman/invocations" and method == "GET":
                return 200, list(self.invocations)
            if path == "/_ferryman/lambda-faults" and method == "GET":
                return 200, [asdict(fault) for fault in self.faults]
            if path == "/_ferryman/lambda-faults" and method == "POST":
                self.faults.append(Fault(**data))
                return 201, asdict(self.faults[-1])
            if path == "/_ferryman/lambda-faults" and method == "DELETE":
                self.faults.clear()
                return 200, {}
            if path.startswith("/_ferryman/scans/") and method == "PUT":
                self.scans[path.rpartition("/")[2]] = data
                return 200, data
            if path == "/_ferryman/scans" and method == "DELETE":
                self.scans.clear()
                return 200, {}
        if method == "PUT" and path in ("/_ferryman/lambda-endpoint", "/_ferryman/concurrency-limit"):
            return 200, self._set(path.rpartition("/")[2], data)
        if path == "/_ferryman/executions/time-out" and method == "POST":
            arn = data.get("executionArn", "")
            return (200, {}) if self.time_out_execution(arn) else (404, {"message": f"no running execution {arn}"})
        if path == "/_ferryman/permissions":
            return self._permissions(method)
        return 404, {"message": f"{method} {path} is not known; see ferryman_local/patches/control.py"}

    def _permissions(self, method: str) -> tuple[int, Any]:
        with self._lock:
            found = list(self.permissions.values())
            if method == "DELETE":
                self.permissions.clear()
        return 200, found

    def _set(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        if what == "concurrency-limit":
            self.concurrency_limit = int(data["limit"])
            return {"limit": self.concurrency_limit}
        self.lambda_endpoint = data.get("url")
        self.on_endpoint_change()
        return {"url": self.lambda_endpoint}


def through_load_balancer(scope: Message) -> Message:
    """The request as its load balancer would get it: addressed by name, with the host name the client meant."""
    balancer, _, rest = scope["path"].removeprefix(HOSTS).partition("/")
    host, _, path = rest.partition("/")
    raw = scope.get("raw_path", scope["path"].encode()).split(b"/", 5)
    headers = [(k, v) for k, v in scope["headers"] if k.lower() != b"host"]
    return {
        **scope,
        "path": f"/_alb/{balancer}/{path}",
        "raw_path": f"/_alb/{balancer}/".encode() + (raw[5] if len(raw) > 5 else b""),
        "headers": [*headers, (b"host", host.encode())],
    }


def serve(control: Control, inner: Asgi) -> Asgi:
    """The emulator's ASGI application with the control endpoint in front."""

    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/_ferryman/"):
            await inner(scope, receive, send)
            return
        if scope["path"].startswith(HOSTS):
            await inner(through_load_balancer(scope), receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            status, result = control.answer(scope["method"], scope["path"], body)
        except (TypeError, ValueError) as error:
            status, result = 400, {"message": str(error)}
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(result).encode()})

    return app
