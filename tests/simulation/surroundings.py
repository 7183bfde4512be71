"""The whole world: AWS, the operator's functions and machines, and one scheduler that has it all happen."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx

from ferryman.decisions import listing
from ferryman.releases import relevant
from simulation.aims import Aims
from simulation.aws import calls
from simulation.aws.calls import SandboxDied, Validator
from simulation.aws.ecs import DRAINS, Ecs
from simulation.aws.machines import Execution, Machines, StateError
from simulation.aws.others import Others
from simulation.aws.registry import Image, Registry
from simulation.aws.table import Table
from simulation.choices import Choices
from simulation.delivery import Delivery
from simulation.documents import COMPONENTS, document, service
from simulation.queues import Queues, Shards
from simulation.reading import Read
from simulation.sandboxes import STATES, Lambdas, Sandbox, definition
from simulation.scheduler import Future, Scheduler
from simulation.schedules import Schedules, bookkeeping
from unit.fakes.github import FakeGitHub

WAITING = frozenset({"watch_rollout", "watch_migration"})
"""Steps that may only look again: what they wait for counts when it comes (`Machines.counted`)."""

FIRST = 12.0
"""How much likelier a call fails that this history has not made yet."""
SKEW = {"exact": 0.0, "ahead": 2.0, "behind": -2.0}
"""Seconds by which the clock of a sandbox is ahead: more than AWS's are apart."""
TASKS = {"run": "", "crash": "crashes", "hang": "hangs"}
"""What a new task may do for reasons that are not the image's; each time another one."""
OLD_TASKS = {"end": DRAINS, "stay": 60}
"""In how many steps the old tasks of a service end: in a minute, or later than anybody waits."""
STAYING = 0.03
"""How likely they stay."""
BROKEN = 160.0
"""Seconds in which a function cannot be invoked by a machine: longer than the retries of a state."""
MEANWHILE = ("nobody", "push", "hold", "freeze", "abort", "change a service", "move a tag", "scale a service")
MEANWHILE_SHARE = 0.4
"""How often a person does something in the middle of a step, beside how often its calls go wrong."""


@contextmanager
def lists_settle_soon() -> Iterator[None]:
    """Histories last some hours at most, and both ways to read releases have to be met: all, and those that matter."""
    before = relevant.SETTLED_AFTER, listing.LATE
    relevant.SETTLED_AFTER = listing.LATE = timedelta(minutes=2)
    try:
        yield
    finally:
        relevant.SETTLED_AFTER, listing.LATE = before


class Effect:
    """A change outside the table, at the moment at which it happened."""

    def __init__(self, sandbox: Sandbox, service: str, operation: str, request: dict[str, Any]) -> None:
        self.function, self.payload = sandbox.function, sandbox.payload
        self.service, self.operation, self.request = service, operation, request


class Surroundings:
    """One history."""

    def __init__(self, choices: Choices, variant: str, *, chance: float = 0.0) -> None:
        self.choices, self.variant, self.chance = choices, variant, chance
        self._aims = Aims(choices)
        self.scheduler = Scheduler()
        self._ids = 0
        self.steps = 0
        self.faults: Counter[tuple[str, str, str]] = Counter()
        """(function, operation, fault) → how often."""
        self.called: Counter[tuple[str, str]] = Counter()
        """(function, operation) → how often."""
        self.disturbed: set[str] = set()
        """Deployments of which a call of their own met a fault."""
        self.watch: Callable[[Effect], None] = lambda effect: None
        """Called with each change outside the table, at the moment at which it happens."""
        self.interrupt: Callable[[str, str], None] = lambda what, environment: None
        """Called when a person does something (of `MEANWHILE`) to an environment in the middle of a step."""
        self.throttling: dict[str, float] = {}
        """Service → until when it throttles everything: a region's bad hour."""
        self.trace = hashlib.sha256()
        self.stuck: list[str] = []
        """Errors of invocations that are no `FerrymanError` and no death: programming errors."""
        self.github = FakeGitHub()
        self.table = Table()
        self.read = Read()
        self.registry = Registry(self.scheduler.now, *(f"scr-{name}" for name in COMPONENTS))
        self.ecs = Ecs(self.scheduler, self._image, self._ecs_event)
        self.lambdas = Lambdas(self.scheduler, self, self.new_id)
        self.lambdas.ended = self._invoked
        self.dead: list[tuple[str, Any]] = []
        """What was given up: (function, payload)."""
        self.delivery = Delivery(self.scheduler, choices, self._run, chance, self.dead)
        self.queues = Queues(self.scheduler, choices, self._run, chance, self.dead)
        shards = Shards(self.scheduler, choices, self._run, chance, self.dead)
        self.others = Others(self.delivery.asynchronously)
        self.machines = Machines(self.scheduler, self._step, self._execution_ended)
        self.machines.counted = self._counted
        self.schedules = Schedules(self.scheduler, choices, self.delivery, self.table)
        self.table.observers += [shards.written, self.schedules.written, self._written]
        self._broken: dict[str, float] = {}
        """Function → until when no machine can invoke it."""
        self._significant = False
        """Whether the call that is made now changed something."""
        self._validator = Validator()
        for name in ("deploy", "migrate"):
            self.machines.define(f"{STATES}:{name}", definition(name))
        self.document = document(variant)
        self._build()
        self.ecs.trouble = lambda name: TASKS[choices.pick(f"tasks of {name}", tuple(TASKS), chance)]
        self.ecs.drains = lambda name: OLD_TASKS[choices.pick(f"old tasks of {name}", tuple(OLD_TASKS), STAYING)]

    # ── what is there before the operator ──

    def _build(self) -> None:
        for environment in self.document["spec"]["environments"]:
            for component in COMPONENTS:
                name = service(component, environment)
                digest = self.registry.push(f"scr-{component}", "old0000", f"{component} old")
                image = f"registry.example/scr-{component}@{digest}"
                self.ecs.define(f"{name}-base", f"registry.example/scr-{component}:base")
                self.ecs.create_service(f"scr-{environment}", name, name, image)
            self.ecs.define(f"scr-migrate-{environment}", "registry.example/scr-api:base")

    def _written(self, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        if not bookkeeping(before, after):
            self._significant = True

    def _image(self, name: str) -> Image | None:
        return self.registry.by_digest(name.rsplit("@", 1)[-1])

    # ── the operator's functions ──

    def new_id(self) -> str:
        """Return an id that sorts by time, as a ULID does."""
        self._ids += 1
        return f"01K{int(self.scheduler.seconds * 1000):011d}{self._ids:012d}"

    def _run(self, function: str, payload: Any) -> Future:
        cold = self.choices.pick(f"sandbox of {function}", ("warm", "cold"), self.chance) == "cold"
        return self.lambdas.invoke(function, payload, cold=cold)

    def _step(self, function: str, payload: Any) -> Future:
        """Invoke a function for a state machine: errors get the names that Step Functions gives them."""
        answered = Future()
        how = self.choices.pick(f"step {function}", ("once", "throttled", "answer lost", "broken"), self.chance)
        if how == "broken":
            self._broken[function] = self.scheduler.seconds + BROKEN
        if how == "throttled" or self.scheduler.seconds < self._broken.get(function, 0.0):
            answered.set(error=StateError("Lambda.TooManyRequestsException", "Rate exceeded"))
            return answered
        running = self._run(function, payload)
        if how == "answer lost":
            # It goes on while the state tries again: two deliveries of one step side by side.
            lost = StateError("Lambda.SdkClientException", "the connection was closed")
            self.scheduler.after(0.03, lambda: answered.set(error=lost))
        running.when_done(lambda: answered.set(running.value, error=_as_state_error(running.error)))
        return answered

    def _invoked(self, sandbox: Sandbox, future: Future) -> None:
        error = future.error
        outcome = type(error).__name__ if error is not None else "ok"
        self._note(f"{sandbox.function}#{sandbox.invocation} {outcome}")
        if (
            error is not None
            and not isinstance(error, SandboxDied)
            and not type(error).__module__.startswith("ferryman")
        ):
            self.stuck.append(f"{sandbox.function}: {error!r}")
        if sandbox.met_fault or error is not None or (sandbox.changed and sandbox.function not in WAITING):
            self._counted()

    def _counted(self) -> None:
        self.steps += 1

    def _note(self, line: str) -> None:
        self.trace.update(f"{self.scheduler.seconds:.3f} {line}\n".encode())

    # ── calls of the functions ──

    def call(self, sandbox: Sandbox, service: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call of an AWS client for a sandbox, with what may go wrong."""
        if operation == "transact_write_items":
            request = {**request, "ClientRequestToken": self.new_id()}
        self._validator.check(service, operation, request)
        eventual = operation in ("get_item", "query") and not request.get("ConsistentRead")
        assert not eventual or request.get("IndexName"), f"{operation} decides on a read that may be stale"
        self._meanwhile(sandbox, f"{service}.{operation}")
        fault = self._fault(sandbox, f"{service}.{operation}", calls.faults_of(service, operation))

        def do(asked: dict[str, Any], **how: Any) -> Any:
            if operation in calls.READS:
                return self._operation(service, operation)(asked, **how)
            self._note(f"{sandbox.function}#{sandbox.invocation} {operation}")
            self.watch(Effect(sandbox, service, operation, asked))
            # Looks that a sweep queues are no change yet.
            self._significant = service != "dynamodb" and operation != "send_message_batch"
            answer = self._operation(service, operation)(asked, **how)
            sandbox.changed = sandbox.changed or self._significant
            return answer

        return calls.perform(operation, do, request, fault, sandbox.pause)

    def _fault(self, sandbox: Sandbox, operation: str, options: tuple[str, ...]) -> str:
        self.called[sandbox.function, operation] += 1
        payload = sandbox.payload
        deployment = str(payload.get("deployment", "")) if isinstance(payload, dict) else ""
        chance = max(self.chance, self._aims.chance(deployment)) if deployment and self.chance else self.chance
        fault = self.choices.pick(f"{sandbox.function} {operation}", options, chance, first=FIRST)
        until = max(self.throttling.get(name, 0.0) for name in (operation.partition(".")[0], "everything"))
        if self.scheduler.seconds < until and not operation.startswith("http."):
            fault = "throttled"
        if fault != "ok":
            sandbox.met_fault = True
            self.faults[sandbox.function, operation, fault] += 1
            self._note(f"{sandbox.function} {operation}: {fault}")
            if deployment:
                self.disturbed.add(deployment)
                self._aims.failed(deployment)
        return fault

    def _meanwhile(self, sandbox: Sandbox, operation: str) -> None:
        """Have a person do something while a step is between two calls."""
        environment = sandbox.payload.get("environment", "") if isinstance(sandbox.payload, dict) else ""
        options = MEANWHILE if environment else MEANWHILE[:2]
        point = f"meanwhile {sandbox.function} {operation}"
        what = self.choices.pick(point, options, self.chance * MEANWHILE_SHARE)
        if what != options[0]:
            self.interrupt(what, environment)

    def fetch(self, sandbox: Sandbox, url: str) -> int | None:
        """Answer a smoke test, from what runs now."""
        fault = self._fault(sandbox, "http.get", calls.HTTP_FAULTS)
        if fault.startswith("crash"):
            raise SandboxDied("crash")
        sandbox.pause(0.05)
        if fault in ("unreachable", "lost"):
            return None
        if fault == "failing":
            return 502
        image = self.ecs.running_image(url.removeprefix("https://").split(".", 1)[0])
        return 200 if image is not None and image.runs == "well" else 503

    def ask_github(self, sandbox: Sandbox, request: httpx.Request) -> httpx.Response:
        """Answer a request to GitHub."""
        fault = self._fault(sandbox, f"http.github_{request.method.lower()}", calls.HTTP_FAULTS)
        if fault == "crash before":
            raise SandboxDied("crash")
        if fault == "unreachable":
            sandbox.pause(3.0)
            raise httpx.ConnectError("no route", request=request)
        sandbox.pause(0.1)
        if fault == "failing":
            return httpx.Response(502, json={"message": "Server Error"})
        if request.method != "GET":
            sandbox.changed = True
            self._note(f"{sandbox.function}#{sandbox.invocation} {request.method} {request.url.path}")
        answer = self.github(request)
        if fault == "crash after":
            raise SandboxDied("crash")
        if fault == "lost":
            sandbox.pause(8.0)
            raise httpx.ReadTimeout("no answer", request=request)
        return answer

    def download(self, url: str) -> bytes:
        """Return an image's configuration."""
        return self.registry.download(url)

    def skew(self, function: str) -> float:
        """Return by how much the clock of a new sandbox is wrong."""
        return SKEW[self.choices.pick(f"clock of {function}", tuple(SKEW), self.chance)]

    def _operation(self, service: str, operation: str) -> Any:
        match service:
            case "dynamodb":
                return getattr(self.table, operation)
            case "ecr":
                return getattr(self.registry, operation)
            case "ecs":
                return getattr(self.ecs, operation)
            case "stepfunctions":
                return getattr(self.machines, operation)
            case "sqs":
                return getattr(self.queues, operation)
        return getattr(self.others, f"{service}_{operation}")

    # ── events ──

    def _ecs_event(self, source: str, kind: str, resources: list[str], detail: dict[str, Any]) -> None:
        payload = {"source": source, "detail-type": kind, "resources": resources, "detail": detail}
        self.delivery.event("RelayChange", payload, kind)

    def _execution_ended(self, execution: Execution) -> None:
        name = execution.arn.rsplit(":", 1)[-1]
        self._note(f"execution {name} {execution.status}")
        detail = {"name": name, "status": execution.status, "input": execution.payload}
        payload = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}
        self.delivery.event("Reconcile", payload, "execution")

    def pushed(self, component: str, tag: str) -> None:
        """Have ECR tell of a push."""
        detail = {
            "action-type": "PUSH",
            "result": "SUCCESS",
            "repository-name": f"scr-{component}",
            "image-tag": tag,
            "image-digest": self.registry.tags[f"scr-{component}"][tag],
        }
        payload = {
            "id": self.new_id(),
            "source": "aws.ecr",
            "detail-type": "ECR Image Action",
            "time": self.scheduler.now().isoformat(),
            "resources": [],
            "detail": detail,
        }
        self.delivery.event("ReceivePush", payload, "push")


def _as_state_error(error: BaseException | None) -> StateError | None:
    if error is None:
        return None
    if isinstance(error, SandboxDied):
        return StateError("Sandbox.Timedout" if error.how == "time-out" else "Lambda.Unknown", "the sandbox died")
    cause = {"errorMessage": str(error), "errorType": type(error).__name__}
    return StateError(type(error).__name__, json.dumps(cause))
