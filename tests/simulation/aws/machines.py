"""Step Functions: an interpreter of the part of ASL that the two machines use, with task tokens and aborts.

States: Task (Lambda, with and without a token), Choice, Pass, Map, Wait, Succeed. Anything else is an error when the
definition is read. JSONata is evaluated by the pinned library. An expression without a value fails the state, as AWS
fails it. Facts: docs/reference/aws-facts.md#step-functions.
"""

import json
from collections import ChainMap, Counter
from collections.abc import Callable, MutableMapping
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from jsonata import Jsonata
from jsonata.utils import Utils

from simulation.aws.errors import refusal
from simulation.scheduler import Future, Scheduler

Json = Any
NOT_CAUGHT = ("States.Runtime", "States.DataLimitExceeded")
FIELDS = {
    "Task": {"Resource", "Arguments", "Retry", "Catch", "Assign", "Output", "Next", "End", "TimeoutSeconds"},
    "Choice": {"Choices", "Default"},
    "Pass": {"Assign", "Next", "End"},
    "Map": {"Items", "MaxConcurrency", "ItemProcessor", "Output", "Catch", "Next", "End"},
    "Wait": {"Seconds", "Next"},
    "Succeed": set(),
}
"""The fields of each type of state that this interpreter knows."""


class Invoke(Protocol):
    """Invokes a Lambda function by its logical id; the future has its result, or a `StateError`."""

    def __call__(self, function: str, payload: Json) -> Future:
        """Invoke it."""


class StateError(Exception):
    """An error with a name, as states fail with it."""

    def __init__(self, error: str, cause: str = "") -> None:
        self.error, self.cause = error, cause
        super().__init__(f"{error}: {cause}")


class Ended(BaseException):
    """The execution was stopped; nothing of it goes on."""


class Execution:
    """One execution."""

    def __init__(self, arn: str, machine: str, payload: str, started_at: datetime) -> None:
        self.arn, self.machine, self.payload, self.started_at = arn, machine, payload, started_at
        self.status = "RUNNING"
        self.ended_at: datetime | None = None
        self.error: StateError | None = None
        self.life = 1
        """Another one with each redrive; nothing of an earlier one goes on."""
        self.at: tuple[str, Json, dict[str, Json]] | None = None
        """The state that was entered last, with its input and the variables: where a redrive goes on."""


class Life:
    """One run of an execution, from its start or a redrive to its end."""

    def __init__(self, execution: Execution) -> None:
        self.execution, self.number = execution, execution.life
        self.machine = execution.machine.rsplit(":", 1)[-1]

    def check(self) -> None:
        """Raise Ended when it is over."""
        if self.execution.status != "RUNNING" or self.execution.life != self.number:
            raise Ended


class Machines:
    """State machines and their executions."""

    def __init__(self, scheduler: Scheduler, invoke: Invoke, ended: Callable[[Execution], None]) -> None:
        self._scheduler, self._invoke, self._ended = scheduler, invoke, ended
        self._definitions: dict[str, Json] = {}
        self.executions: dict[str, Execution] = {}
        self._tokens: dict[str, Future] = {}
        self._given = 0
        self.transitions: Counter[tuple[str, str, str]] = Counter()
        """(machine, from, to) → how often."""
        self.counted: Callable[[], None] = lambda: None
        """Called with each transition and each answer that was waited for."""
        self.jitter: Callable[[], float] = lambda: 0.5
        """Full jitter: anything between 0 and 1 of the pause. The half stands for it."""

    def define(self, arn: str, definition: Json) -> None:
        """Create a state machine."""
        check(definition)
        self._definitions[arn] = definition

    # ── the client's operations ──

    def start_execution(self, request: Json) -> Json:
        """StartExecution: the same name and input as one that runs is that one."""
        machine, name, payload = request["stateMachineArn"], request["name"], request["input"]
        arn = f"{machine.replace(':stateMachine:', ':execution:', 1)}:{name}"
        known = self.executions.get(arn)
        if known is not None:
            if known.status == "RUNNING" and known.payload == payload:
                return {"executionArn": arn, "startDate": known.started_at}
            raise refusal("StartExecution", "ExecutionAlreadyExists")
        execution = Execution(arn, machine, payload, self._scheduler.now())
        self.executions[arn] = execution
        self._scheduler.spawn(lambda: self._run(execution))
        return {"executionArn": arn, "startDate": execution.started_at}

    def describe_execution(self, request: Json, *, stale: bool = False) -> Json:
        """DescribeExecution; a stale answer is one of some seconds ago."""
        found = self.executions.get(request["executionArn"])
        new = found is not None and (self._scheduler.now() - found.started_at).total_seconds() < 10
        if found is None or (stale and new):
            raise refusal("DescribeExecution", "ExecutionDoesNotExist")
        if stale and found.ended_at and (self._scheduler.now() - found.ended_at).total_seconds() < 10:
            return {"status": "RUNNING", "executionArn": found.arn}
        stop = {"stopDate": found.ended_at} if found.ended_at else {}
        return {"status": found.status, "executionArn": found.arn, **stop}

    def send_task_success(self, request: Json) -> Json:
        """SendTaskSuccess: each token is answered once, in time or not at all."""
        waiting = self._tokens.pop(request["taskToken"], None)
        if waiting is None:
            raise refusal("SendTaskSuccess", "TaskTimedOut")
        waiting.set(json.loads(request["output"]))
        return {}

    # ── what people do in the console ──

    def stop(self, arn: str, status: str = "ABORTED") -> None:
        """Stop an execution: ABORTED by a person, TIMED_OUT by its own limit."""
        execution = self.executions[arn]
        if execution.status == "RUNNING":
            self._end(execution, status)

    def redrive(self, arn: str) -> None:
        """Redrive what did not succeed: the state that it was in begins again, with what it was given then."""
        execution = self.executions[arn]
        if execution.status not in ("RUNNING", "SUCCEEDED"):
            execution.status, execution.ended_at, execution.error = "RUNNING", None, None
            execution.life += 1
            self._scheduler.spawn(lambda: self._run(execution))

    # ── running ──

    def _run(self, execution: Execution) -> None:
        definition, life = self._definitions[execution.machine], Life(execution)
        start, given, variables = execution.at or (definition["StartAt"], json.loads(execution.payload), {})
        try:
            self._states(life, definition | {"StartAt": start}, given, dict(variables), {}, top=True)
            life.check()
        except StateError as error:
            execution.error = error
            self._end(execution, "FAILED")
        except Ended:
            pass
        else:
            self._end(execution, "SUCCEEDED")

    def _end(self, execution: Execution, status: str) -> None:
        execution.status, execution.ended_at = status, self._scheduler.now()
        self._ended(execution)

    def _states(
        self,
        life: Life,
        machine: Json,
        given: Json,
        variables: MutableMapping[str, Json],
        context: Json,
        *,
        top: bool = False,
    ) -> Json:
        name = machine["StartAt"]
        while True:
            life.check()
            if top:
                life.execution.at = name, given, dict(variables)
            state = machine["States"][name]
            scope = _Scope(given, variables, context)
            output, following = self._state(life, name, state, scope)
            life.check()
            self.transitions[life.machine, name, following or "end"] += 1
            self.counted()
            if following is None:
                return output
            name, given = following, output

    def _state(self, life: Life, name: str, state: Json, scope: "_Scope") -> tuple[Json, str | None]:
        match state["Type"]:
            case "Choice":
                for choice in state["Choices"]:
                    if scope.of_type(choice["Condition"], bool):
                        return scope.given, choice["Next"]
                return scope.given, state["Default"]
            case "Succeed":
                return scope.given, None
            case "Pass":
                scope.assign(state)
                return scope.given, state.get("Next")
            case "Wait":
                self._scheduler.sleep(scope.of_type(state["Seconds"], int))
                return scope.given, state["Next"]
            case "Task" | "Map":
                try:
                    work = self._task if state["Type"] == "Task" else self._map
                    scope.result = work(life, name, state, scope)
                    output = scope.value(state["Output"]) if "Output" in state else scope.result
                    scope.assign(state)
                except StateError as error:
                    return _caught(state, scope, error)
                return output, state.get("Next")
        raise AssertionError(state["Type"])

    def _map(self, life: Life, name: str, state: Json, scope: "_Scope") -> Json:
        items = scope.of_type(state["Items"], list)
        processor, results = state["ItemProcessor"], []

        def one(item: Json) -> Future:
            inner: MutableMapping[str, Json] = ChainMap({}, scope.variables)  # type: ignore[arg-type]
            return self._scheduler.spawn(lambda: self._states(life, processor, item, inner, {}))

        most = state.get("MaxConcurrency") or len(items)
        for start in range(0, len(items), most or 1):
            running = [one(item) for item in items[start : start + most]]
            for future in running:
                self._scheduler.wait(future)
            results += [future.result() for future in running]
        return results

    def _task(self, life: Life, name: str, state: Json, scope: "_Scope") -> Json:
        tried: Counter[int] = Counter()
        while True:
            life.check()
            try:
                return self._attempt(state, scope, name)
            except StateError as error:
                life.check()
                number, retrier = _retrier(state, error)
                if retrier is None or tried[number] >= retrier.get("MaxAttempts", 3):
                    raise
                pause = retrier["IntervalSeconds"] * retrier.get("BackoffRate", 2) ** tried[number]
                tried[number] += 1
                jitter = self.jitter() if retrier.get("JitterStrategy") == "FULL" else 1
                self._scheduler.sleep(min(pause, retrier.get("MaxDelaySeconds", pause)) * jitter)

    def _attempt(self, state: Json, scope: "_Scope", name: str) -> Json:
        token = None
        if state["Resource"].endswith(".waitForTaskToken"):
            token = self._new_token(name)
            scope.context = {"Task": {"Token": token}}
        arguments = scope.value(state["Arguments"])
        function = arguments["FunctionName"].removeprefix("${").removesuffix("}")
        answered = Future()
        if token is not None:
            self._tokens[token] = answered
        try:
            return self._answer(self._invoke(function, arguments["Payload"]), answered, token, state)
        finally:
            if token is not None:
                self._tokens.pop(token, None)

    def _answer(self, invoked: Future, answered: Future, token: str | None, state: Json) -> Json:
        limit = state.get("TimeoutSeconds")
        if token is None:
            self._scheduler.wait(invoked, limit)
            if not invoked.done:
                raise StateError("States.Timeout")
            return {"Payload": invoked.result()}
        # The function's own answer matters only if it is an error; it may come after the token's.
        invoked.when_done(lambda: answered.set(error=invoked.error) if invoked.error is not None else None)
        if not self._scheduler.wait(answered, limit):
            raise StateError("States.Timeout")
        self.counted()
        return answered.result()

    def _new_token(self, name: str) -> str:
        self._given += 1
        return f"AQC+task/token={name}-{self._given:06d}"


class _Scope:
    """What an expression can see."""

    def __init__(self, given: Json, variables: MutableMapping[str, Json], context: Json) -> None:
        self.given, self.variables, self.context = given, variables, context
        self.result: Json = None
        self.error: Json = None

    def value(self, template: Json) -> Json:
        """Evaluate a template: expressions in it are replaced by their values."""
        if isinstance(template, str) and template.startswith("{%"):
            states = {"input": self.given, "context": self.context, "result": self.result, "errorOutput": self.error}
            return evaluate(template[2:-2].strip(), {"states": states, **self.variables})
        if isinstance(template, dict):
            return {name: self.value(item) for name, item in template.items()}
        if isinstance(template, list):
            return [self.value(item) for item in template]
        return template

    def of_type(self, template: Json, kind: type) -> Json:
        """Evaluate an expression that must have a value of one type."""
        found = self.value(template)
        if not isinstance(found, kind):
            raise StateError("States.QueryEvaluationError", f"{template} is {found!r}")
        return found

    def assign(self, source: Json) -> None:
        """Set the variables that a state, or a catcher, assigns: all are evaluated before the first is set."""
        new = {name: self.value(item) for name, item in source.get("Assign", {}).items()}
        self.variables.update(new)


def _caught(state: Json, scope: _Scope, error: StateError) -> tuple[Json, str]:
    for catcher in state.get("Catch", []):
        if _matches(catcher, error):
            scope.error = {"Error": error.error, "Cause": error.cause}
            output = scope.value(catcher["Output"]) if "Output" in catcher else scope.error
            scope.assign(catcher)
            return output, catcher["Next"]
    raise error


def _retrier(state: Json, error: StateError) -> tuple[int, Json | None]:
    for number, retrier in enumerate(state.get("Retry", [])):
        if _matches(retrier, error):
            return number, retrier
    return -1, None


def _matches(rule: Json, error: StateError) -> bool:
    return error.error in rule["ErrorEquals"] or ("States.ALL" in rule["ErrorEquals"] and error.error not in NOT_CAUGHT)


@cache
def _compiled(expression: str) -> Jsonata:
    return Jsonata(expression)


def evaluate(expression: str, variables: Json) -> Json:
    """Evaluate a JSONata expression; raise StateError where it has no value, as AWS does."""
    # jsonata-python takes None for undefined; NULL_VALUE is its null.
    bound = {name: Utils.NULL_VALUE if item is None else item for name, item in variables.items()}
    try:
        found = _compiled(expression).evaluate(None, bound)
        if found is None and not _compiled(f"$exists(({expression}))").evaluate(None, bound):
            raise StateError("States.QueryEvaluationError", f"{expression} has no value")
    except StateError:
        raise
    except Exception as error:
        raise StateError("States.QueryEvaluationError", f"{expression}: {error}") from error
    return found


def transitions(machine: Json) -> set[tuple[str, str]]:
    """Return every transition that a definition has: (from, to), `end` for the end of it or of a Map's round."""
    found: set[tuple[str, str]] = set()
    for name, state in machine["States"].items():
        after = [state.get("Next"), state.get("Default"), "end" if state.get("End") else None]
        after += [item["Next"] for item in (*state.get("Choices", []), *state.get("Catch", []))]
        after += ["end"] if state["Type"] == "Succeed" else []
        found |= {(name, following) for following in after if following}
        if "ItemProcessor" in state:
            found |= transitions(state["ItemProcessor"])
    return found


def caught(machine: Json) -> list[tuple[str, str, str]]:
    """Return what happens to states whose function fails for long: (state, function, the state after it)."""
    found = []
    for name, state in machine["States"].items():
        if state["Type"] == "Task" and state.get("Catch"):
            function = state["Arguments"]["FunctionName"].removeprefix("${").removesuffix("}")
            found.append((name, function, state["Catch"][-1]["Next"]))
        found += caught(state["ItemProcessor"]) if "ItemProcessor" in state else []
    return found


def check(machine: Json) -> None:
    """Raise ValueError for a definition that uses what this interpreter does not know."""
    for name, state in machine["States"].items():
        unknown = set(state) - FIELDS.get(state["Type"], set()) - {"Type", "Comment"}
        if state["Type"] not in FIELDS or unknown:
            raise ValueError(f"the simulation does not know {state['Type']} with {sorted(unknown)} (state {name})")
        if "ItemProcessor" in state:
            check(state["ItemProcessor"])
