"""Every JSONata expression of the machines, with inputs that can occur.

Executions of the real machines are played with functions that answer anything their contracts allow, fail in any way,
or say nothing until they time out. Whatever is evaluated on the way is written down.
"""

import random
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from ferryman import contracts
from ferryman.errors import Paced
from simulation.aws import machines
from simulation.aws.machines import Execution, Machines, StateError
from simulation.sandboxes import definition
from simulation.scheduler import Future, Scheduler

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:{name}"
ANSWERS: dict[str, type[BaseModel]] = {
    "BeginDeployment": contracts.BeginDeploymentOutput,
    "RequestApproval": contracts.ApprovalVerdict,
    "AdmitDeployment": contracts.AdmitDeploymentOutput,
    "PromoteImages": contracts.PromoteImagesOutput,
    "RunMigration": contracts.RunMigrationOutput,
    "WatchMigration": contracts.MigrationVerdict,
    "UpdateService": contracts.UpdateServiceOutput,
    "WatchRollout": contracts.RolloutVerdict,
    "SmokeTest": contracts.SmokeTestOutput,
    "FinishDeployment": contracts.FinishDeploymentOutput,
    "PublishRelease": contracts.PublishReleaseOutput,
}
GOOD = ("Planned", "Approved", "Admitted", "Promoted", "Started", "Succeeded", "Waiting", "Published")
"""Verdicts that lead on; they come more often, or few executions would get far."""
LATER = ("migrations",)
"""Answers that a function of the version before does not give to a machine that is new."""
ERRORS = ("Throttled", "Lambda.Unknown", "Sandbox.Timedout", "KeyError", "States.Timeout")
TEXTS = ("", "web", "job/nightly", "a 'quote'", "ünï", "{% $no %}", "x" * 3000)

Evaluation = tuple[str, dict[str, Any]]
"""An expression, and the variables that it sees."""


class Played:
    """Plays executions of one machine, and keeps what was evaluated."""

    def __init__(self, name: str, seed: str) -> None:
        self.chosen = random.Random(seed)
        self.seen: list[tuple[str, dict[str, Any], Any]] = []
        """With the value."""
        self.without_value: list[Evaluation] = []
        self._scheduler, self._name = Scheduler(), name
        self.machines = Machines(self._scheduler, self._invoke, lambda execution: None)
        self.machines.define(ARN.format(name=name), definition(name))

    def run(self, count: int) -> list[Execution]:
        """Play so many executions to their end."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(machines, "evaluate", self._evaluate)
            for number in range(count):
                payload = '{"platform": "p", "environment": "e", "deployment": "D", "fence": 3}'
                arn = ARN.format(name=self._name)
                self.machines.start_execution({"stateMachineArn": arn, "name": str(number), "input": payload})
                while self._scheduler.next_at() < float("inf"):
                    self._scheduler.step()
        return list(self.machines.executions.values())

    def _evaluate(self, expression: str, variables: Any) -> Any:
        try:
            value = EVALUATE(expression, variables)
        except StateError:
            self.without_value.append((expression, variables))
            raise
        self.seen.append((expression, variables, value))
        return value

    def _invoke(self, function: str, payload: Any) -> Future:
        future = Future()
        if self.chosen.random() < 0.07:
            cause = self.chosen.choice(("", '{"errorType": "KeyError"}', "x" * 3000))
            future.set(error=StateError(self.chosen.choice(ERRORS), cause))
            return future
        if function == "UpdateService" and self.chosen.random() < 0.2:
            future.set(error=self._paced(payload["service"]))
            return future
        answer = self._answer(ANSWERS[function])
        if "taskToken" not in payload:
            future.set(answer)
        else:
            future.set(None)
            if self.chosen.random() < 0.95:
                self._scheduler.spawn(lambda: self._say(payload["taskToken"], answer))
        return future

    def _paced(self, service: str) -> StateError:
        slot = self.chosen.choice(("", "1767600000"))
        error = Paced(service[:100], self.chosen.choice((1, 300)), slot)
        return StateError("Paced", machines.json.dumps({"errorMessage": str(error), "errorType": "Paced"}))

    def _say(self, token: str, answer: Any) -> None:
        self._scheduler.sleep(self.chosen.choice((0.0, 1.0)))
        self.machines.send_task_success({"taskToken": token, "output": machines.json.dumps(answer)})

    def _answer(self, model: type[BaseModel]) -> Any:
        values = {name: self._value(field.annotation) for name, field in model.model_fields.items()}
        for name, field in model.model_fields.items():
            if any(hasattr(limit, "min_length") for limit in field.metadata):
                values[name] = values[name] or [""]
        made = model(**values)
        said = made.model_dump(mode="json", by_alias=True)
        return {name: value for name, value in said.items() if name not in LATER or self.chosen.random() < 0.8}

    def _value(self, kind: Any) -> Any:
        if get_origin(kind) is Literal:
            options = get_args(kind)
            return self.chosen.choice([*options, *[item for item in options if item in GOOD] * 8])
        if get_origin(kind) is list:
            return [self._value(get_args(kind)[0]) for _ in range(self.chosen.choice((0, 1, 1, 2, 3)))]
        if kind is bool:
            return self.chosen.random() < 0.5
        if kind is int:
            return self.chosen.choice((0, 1, 15, 900))
        if kind is str:
            return self.chosen.choice(TEXTS)
        return kind(**{name: self._value(field.annotation) for name, field in kind.model_fields.items()})


EVALUATE = machines.evaluate


def played(name: str, count: int) -> Played:
    """Return what executions of a machine evaluated; the same every time."""
    found = Played(name, f"expressions of {name}")
    found.run(count)
    return found


def expressions(value: Any) -> Iterator[str]:
    """Yield every expression in a definition."""
    if isinstance(value, str) and value.startswith("{%"):
        yield value[2:-2].strip()
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from expressions(item)
