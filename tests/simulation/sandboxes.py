"""Lambda: sandboxes that run the real handlers, their settings, time-outs and deaths.

A sandbox has its own copy of `functions/<name>/app.py`: what that module keeps stays while the sandbox is warm. An app
module is where a handler gets its clients, clock and ids from, so this is where the simulated ones are put in.
"""

import concurrent.futures
import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any, Protocol

import httpx

import ferryman.runtime  # noqa: F401 - in place before a sandbox takes its place
from ferryman.clients.github.client import Network
from ferryman.clients.http_client import Answer, NoAnswer
from simulation.aws.calls import SandboxDied
from simulation.documents import ADMIN, PEOPLE
from simulation.reading import Read, Reading
from simulation.scheduler import Future, Scheduler
from simulation.stack import ROOT, setting, timeouts

ACCOUNT, REGION = "123456789012", "eu-west-1"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine"
SETTINGS = {
    "TABLE_NAME": "ferryman",
    "RELAY_FUNCTION": "RelayChange",
    "UPDATE_SERVICE_ROLE": "",
    "RUN_MIGRATION_ROLE": "",
    "NOTIFY_FUNCTION": "Notify",
    "ADMIN_ARNS": ADMIN,
    "MACHINE_ARN": f"{STATES}:deploy",
    "MIGRATE_MACHINE_ARN": f"{STATES}:migrate",
    "APPROVALS_URL": "https://approve.example/",
    "ALLOWED_SLACK_HOSTS": "",
    "ALLOWED_GITHUB_HOSTS": "",
    "ORIGIN_SECRET_ARN": "",
}
NETWORKED = {"publish_release": ("publish",), "notify": ("Context",)}
"""Function → what in its `app.py` takes the network."""
KEPT_WARM = 2
"""Sandboxes of one function that stay warm."""


class Aws(Protocol):
    """What a sandbox asks of the world."""

    read: Read

    def call(self, sandbox: "Sandbox", service: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call of an AWS client."""

    def fetch(self, sandbox: "Sandbox", url: str) -> int | None:
        """Return the status that a service answers with; None for no answer."""

    def ask_github(self, sandbox: "Sandbox", request: httpx.Request) -> httpx.Response:
        """Return GitHub's answer."""

    def download(self, url: str) -> bytes:
        """Return an image's configuration."""

    def skew(self, function: str) -> float:
        """Return by how many seconds the clock of a new sandbox is ahead."""


class Sandbox:
    """One sandbox of one function."""

    def __init__(
        self,
        function: str,
        timeout: float,
        scheduler: Scheduler,
        aws: Aws,
        token: Callable[[], str],
        skew: float,
    ) -> None:
        """`skew`: seconds by which its clock is ahead."""
        self.function, self.timeout = function, timeout
        self._scheduler, self._aws = scheduler, aws
        self.deadline = 0.0
        self.payload: Any = None
        self.invocation = 0
        self.changed = self.met_fault = False
        """Whether the invocation changed something outside, and whether a call of it went wrong."""
        self._clients: dict[str, Client] = {}
        self.module = _loaded(function, self._runtime(aws))
        skewed = timedelta(seconds=skew)
        replaced = {
            "ids": SimpleNamespace(now=lambda: scheduler.now() + skewed, new_id=token),
            "fetch": self._fetch,
            "image_labels": SimpleNamespace(download=aws.download),
            "time": SimpleNamespace(sleep=self.pause),
            "respond_to_action": lambda *told: None,
            "sts": SimpleNamespace(caller=self._caller),
        }
        network = Network(httpx.MockTransport(self._github), self.pause, lambda: scheduler.seconds)
        for name in NETWORKED.get(function, ()):
            replaced[name] = partial(self.module[name], network=network)
        self.module.update({name: value for name, value in replaced.items() if name in self.module})

    def _runtime(self, aws: Aws) -> ModuleType:
        """Return a `ferryman.runtime` of its own: what it keeps is this sandbox's, and it reaches the world."""
        found = ModuleType("ferryman.runtime")
        exec(_code(ROOT / "layers/core/ferryman/runtime.py"), found.__dict__)
        store = Reading(
            aws.read, self.client("dynamodb"), SETTINGS["TABLE_NAME"], pause=self._pause_before_trying_again
        )
        found.__dict__.update(
            client=self.client,
            store=lambda: store,
            setting=self._setting,
            logger=lambda: LOG,
            metrics=lambda: SimpleNamespace(metric_set={}),
            count=lambda name, value=1: None,
            count_now=lambda name: None,
            gauge=lambda name, seconds, **dimensions: None,
            endpoint=lambda: None,
            threads=lambda most: _OneByOne(),
        )
        return found

    def client(self, service: str, /) -> "Client":
        """Return the client of a service."""
        return self._clients.setdefault(service, Client(self, service))

    def run(self, payload: Any, context: Any) -> Any:
        """Run the handler. Raises what it raises, or SandboxDied."""
        self.payload, self.deadline = payload, self._scheduler.seconds + self.timeout
        self.changed = self.met_fault = False
        return self.module["handler"](payload, context)

    def pause(self, seconds: float) -> None:
        """Let time pass; raise SandboxDied when the function's time is over."""
        left = self.deadline - self._scheduler.seconds
        self._scheduler.sleep(max(0.0, min(seconds, left)))
        if seconds >= left:
            raise SandboxDied("time-out")

    def call(self, service: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call of an AWS client."""
        return self._aws.call(self, service, operation, request)

    def _pause_before_trying_again(self, longest: float) -> None:
        self.pause(longest / 2)

    def _setting(self, name: str) -> str:
        return SETTINGS[name] if name in SETTINGS else setting(camel(self.function), name)

    def _caller(self, host: str, headers: Mapping[str, str], body: bytes, **how: Any) -> str:
        self.pause(0.05)
        return PEOPLE[headers["authorization"].partition("Credential=AKIA")[2].partition("/")[0]]

    def _github(self, request: httpx.Request) -> httpx.Response:
        return self._aws.ask_github(self, request)

    def _fetch(
        self, url: str, headers: Mapping[str, str], allow_http: bool, timeout: float, *, allow_loopback: bool
    ) -> Answer:
        status = self._aws.fetch(self, url)
        if status is None:
            self.pause(timeout)
            raise NoAnswer("it did not answer in time")
        return Answer(status)


class _OneByOne(Executor):
    """A pool without threads: what is submitted is done at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do it; a death is not caught."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Client:
    """A boto3 client: every method is an operation."""

    def __init__(self, sandbox: Sandbox, service: str) -> None:
        self._sandbox, self._service = sandbox, service

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            return self._sandbox.call(self._service, operation, request)

        return call


class Lambdas:
    """The functions of the operator."""

    def __init__(self, scheduler: Scheduler, aws: Aws, token: Callable[[], str]) -> None:
        self._scheduler, self._aws, self._token = scheduler, aws, token
        self._warm: dict[str, list[Sandbox]] = {}
        self.kept_warm = KEPT_WARM
        self._invocations = 0
        self.ended: Callable[[Sandbox, Future], None] = lambda sandbox, future: None
        """Called after each invocation."""

    def invoke(self, function: str, payload: Any, *, cold: bool = False) -> Future:
        """Run a function by its logical id, as `BeginDeployment`; the future has its result or its error."""
        name = snake(function)
        warm = self._warm.setdefault(name, [])
        sandbox = warm.pop() if warm and not cold else self._sandbox(function)
        self._invocations += 1
        sandbox.invocation = self._invocations
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ferryman-{name}"
        context = SimpleNamespace(
            function_name=name, aws_request_id=f"request-{self._invocations}", invoked_function_arn=arn
        )
        future = self._scheduler.spawn(lambda: sandbox.run(payload, context))

        def ended() -> None:
            if not isinstance(future.error, SandboxDied) and len(warm) < self.kept_warm:
                warm.append(sandbox)
            self.ended(sandbox, future)

        future.when_done(ended)
        return future

    def is_warm(self, function: str) -> bool:
        """Tell whether a sandbox waits for work."""
        return bool(self._warm.get(snake(function)))

    def _sandbox(self, function: str) -> Sandbox:
        name = snake(function)
        return Sandbox(name, timeouts()[function], self._scheduler, self._aws, self._token, self._aws.skew(name))


LOG: Any = SimpleNamespace(
    clear_state=lambda: None,
    append_keys=lambda **more: None,
    **{name: lambda *said, **more: None for name in ("debug", "info", "warning", "error", "exception")},
)


@cache
def definition(machine: str) -> Any:
    """Return a state machine's definition: `deploy` or `migrate`."""
    return json.loads((ROOT / f"statemachines/{machine}.asl.json").read_text(encoding="utf-8"))


def snake(function: str) -> str:
    """Return the folder of a function: `BeginDeployment` → `begin_deployment`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in function).lstrip("_")


def camel(function: str) -> str:
    """Return the logical id of a function: `begin_deployment` → `BeginDeployment`."""
    return "".join(part.title() for part in function.split("_"))


def _loaded(function: str, runtime: ModuleType) -> dict[str, Any]:
    """Return a function's app module, made anew with this runtime."""
    module: dict[str, Any] = {"__name__": f"functions.{function}.app"}
    before = sys.modules["ferryman.runtime"]
    sys.modules["ferryman.runtime"] = runtime
    try:
        exec(_code(ROOT / "functions" / function / "app.py"), module)
    finally:
        sys.modules["ferryman.runtime"] = before
    return module


@cache
def _code(path: Path) -> CodeType:
    return compile(path.read_text(encoding="utf-8"), str(path), "exec")
