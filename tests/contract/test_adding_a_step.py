"""A step of a deployment needs more than its row in `decisions.deployment_steps`: this names the places that it lacks.

For people: docs/development/adding-a-step.md, which has these places in a good order.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from zipfile import ZipFile

import pytest

from contract.machine import ROOT, State, load, snake, states
from contract.template import functions, statements, template
from ferryman import contracts
from ferryman.api.views.deployment import StepView
from ferryman.decisions import deployment_steps
from ferryman.decisions.deployment_steps import STEPS, WITHOUT_A_STEP, DeploymentStep
from ferryman_cli import progress
from ferryman_local.demo import screen
from flow.functions import AFTERWARDS, BEFORE, OF_PRODUCTION, logical

TABLE = "layers/core/ferryman/decisions/deployment_steps.py"
KEYS = "layers/core/ferryman/records/step_keys.py"
VOCABULARY = "docs/reference/vocabulary.md"
GUIDE = "docs/development/adding-a-step.md"
RELEASED = sorted((ROOT / "tests/contract/released").glob("*/operator.zip"))

NEW = DeploymentStep(kind="madeUp", key="made_up", functions=("made_up",), title="")  # type: ignore[arg-type]
"""A step of which nothing is there but its row."""


def lacking(step: DeploymentStep) -> list[str]:
    """Return what a step lacks, each as `place: what to do`."""
    found = [lack for function in step.functions for lack in [*_of_code(function), *_of_template(function, step)]]
    return [*_of_row(step), *found, *_of_machines(step), *_of_readers(step), *_of_released(step)]


def _of_row(step: DeploymentStep) -> Iterator[str]:
    if step.kind not in get_args(deployment_steps.Kind):
        yield f"{TABLE}: add {step.kind!r} to Kind, which the API answers with"
    if not step.title:
        yield f"{TABLE}: say in words what it is (title)"
    row = next(line for line in (ROOT / VOCABULARY).read_text().splitlines() if line.startswith("| step |"))
    key = f"`{step.key}/<service>`" if step.each_service else f"`{step.key}`"
    if key not in row:
        yield f"{VOCABULARY}: name {key} in the row of the word step"


def _of_code(function: str) -> Iterator[str]:
    handler, module = f"functions/{function}/app.py", f"layers/core/ferryman/steps/{function}.py"
    test, model = f"tests/unit/steps/test_{function}.py", f"{logical(function)}Input"
    if not (ROOT / module).exists():
        yield f"{module}: write what the step does"
    if not (ROOT / handler).exists() or f"@step({model})" not in (ROOT / handler).read_text():
        yield f"{handler}: write a handler that parses {model} and calls {module}"
    if not hasattr(contracts, model):
        yield f"layers/core/ferryman/contracts.py: add {model}, and the model of its answer"
    if not (ROOT / test).exists():
        yield f"{test}: write its unit tests"
    answers = json.loads((ROOT / "tests/invoke/answers.json").read_text())
    events = [f"{function}/{path.stem}" for path in sorted((ROOT / "events" / function).glob("*.json"))]
    if not events:
        yield f"events/{function}/: add an event for each of its answers"
    for name in [name for name in events or [f"{function}/..."] if name not in answers]:
        yield f"tests/invoke/answers.json: say what {name} is answered with (what it meets: tests/invoke/states.py)"


def _of_template(function: str, step: DeploymentStep) -> Iterator[str]:
    name = logical(function)
    found = functions().get(name)
    if found is None or found["CodeUri"] != f"functions/{function}":
        yield f"template.yaml: add the function {name} with CodeUri functions/{function}"
    if found is None or not statements(found):
        yield f"template.yaml: give {name} a policy with what it reads and writes, and no more"
    for machine in step.machines:
        resource = f"{machine.title()}Machine"
        properties = template()["Resources"][resource]["Properties"]
        if name not in properties["DefinitionSubstitutions"]:
            yield f"template.yaml: add {name} to the DefinitionSubstitutions of {resource}"
        allowed = [it for found in statements(properties) if found["Sid"] == "InvokeSteps" for it in found["Resource"]]
        if {"GetAtt": f"{name}.Arn"} not in allowed:
            yield f"template.yaml: let {resource} invoke {name} (InvokeSteps)"


def _tasks(machine: str) -> dict[str, State]:
    path = ROOT / f"statemachines/{machine}.asl.json"
    return {snake(state.function): state for state in states(load(path)) if state.lambda_task}


def _of_machines(step: DeploymentStep) -> Iterator[str]:
    for machine in step.machines:
        path, tasks = f"statemachines/{machine}.asl.json", _tasks(machine)
        for function in step.functions:
            if function not in tasks:
                yield f"{path}: add a state that invokes ${{{logical(function)}}}"
                continue
            caught = [catch.get("Assign", {}).get("failure") for catch in tasks[function].data["Catch"]]
            if wrong := [failure["step"] for failure in caught if failure and failure["step"] != function]:
                yield f"{path}: what is caught from {logical(function)} says that it was {wrong}"


def _of_readers(step: DeploymentStep) -> Iterator[str]:
    service = "scr-api" if step.each_service else None
    told = deployment_steps.named(step.title, service)
    view = _view(step, service)
    if view is None:
        yield "layers/core/ferryman/api/views/deployment.py: a step's kind does not take it (it reads the table)"
        view = {**_view(STEPS[0], None), "key": step.key, "kind": step.kind}  # type: ignore[dict-item]
    whole = {"platform": "scr", "environment": "staging", "version": "abc1234", "phase": "Succeeded", "ended": True}
    whole |= {"steps": [view], "command": None, "kind": "deploy", "tag": None, "elapsedSeconds": 1, "approval": None}
    if not told or told not in progress.picture({**whole, "abort": None}, 0, 0).plain:
        yield "cli/ferryman_cli/progress.py: the command does not say its title (it reads the table)"
    if not step.title or not any(service == subject or subject for subject, *_ in screen.told(whole)[:-1]):
        yield "local/ferryman_local/demo/screen.py: the demo does not say its title (it reads the table)"
    for function in step.functions:
        if logical(function) not in {*BEFORE, *AFTERWARDS, *OF_PRODUCTION}:
            yield f"tests/flow/functions.py: {logical(function)} is not among those that fail (it reads the table)"


def _view(step: DeploymentStep, service: str | None) -> dict[str, Any] | None:
    """Return what the API shows of a step that passed; None where it can't."""
    if step.kind not in get_args(StepView.model_fields["kind"].annotation):
        return None
    key = f"{step.key}/{service}" if service else step.key
    return StepView(key=key, kind=step.kind, service=service, status="Succeeded").dump()


def _of_released(step: DeploymentStep) -> Iterator[str]:
    """An execution keeps the machine that it started with: of an earlier version it never comes to a newer state."""
    without = [path.parent.name for path in RELEASED if not _released(path).issuperset(step.functions)]
    if without and step.required is not deployment_steps.not_yet:
        yield f"{TABLE}: set required=not_yet, because executions of {', '.join(without)} have no such state"
    if not without and step.required is deployment_steps.not_yet:
        yield f"{TABLE}: remove required=not_yet, because every execution that may still run has this state"


def _released(path: Path) -> set[str]:
    with ZipFile(path) as operator:
        machine = json.loads(operator.read("statemachines/deploy.asl.json"))
    return {snake(state.function) for state in states(machine) if state.lambda_task}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_a_step_has_all_its_places(step: DeploymentStep) -> None:
    found = lacking(step)
    assert not found, "\n".join([f"the step {step.key} lacks (see {GUIDE}):", *found])


def _places(lacks: list[str], function: str) -> set[str]:
    """Return where to go, with `<function>` for the name of the new one."""
    return {lack.split(": ")[0].replace(function, "<function>") for lack in lacks}


def test_a_new_step_is_told_every_place() -> None:
    assert _places(lacking(NEW), "made_up") == {
        "cli/ferryman_cli/progress.py",
        "docs/reference/vocabulary.md",
        "events/<function>/",
        "functions/<function>/app.py",
        "layers/core/ferryman/api/views/deployment.py",
        "layers/core/ferryman/contracts.py",
        "layers/core/ferryman/decisions/deployment_steps.py",
        "layers/core/ferryman/steps/<function>.py",
        "local/ferryman_local/demo/screen.py",
        "statemachines/deploy.asl.json",
        "template.yaml",
        "tests/flow/functions.py",
        "tests/invoke/answers.json",
        "tests/unit/steps/test_<function>.py",
    }


def test_the_guide_has_every_place_that_has_to_be_touched() -> None:
    guide = (ROOT / GUIDE).read_text()
    to_touch = _places([lack for lack in lacking(NEW) if "(it reads the table)" not in lack], "made_up")
    assert [place for place in sorted(to_touch) if f"`{place}`" not in guide] == []


def test_the_table_has_every_function_of_the_machines() -> None:
    for machine in get_args(deployment_steps.Machine):
        wanted = {function for step in STEPS if machine in step.machines for function in step.functions}
        extra = set(_tasks(machine)) - wanted
        assert extra <= set(WITHOUT_A_STEP), (
            f"statemachines/{machine}.asl.json runs {extra}: which step do they belong to?"
        )


def test_kinds_keys_and_words_are_each_used_once() -> None:
    for words in ([step.kind for step in STEPS], [step.key for step in STEPS], [step.title for step in STEPS]):
        assert len(words) == len(set(words))
    assert [step.kind for step in STEPS] == list(get_args(deployment_steps.Kind))


def test_no_other_module_lists_the_steps() -> None:
    """Such a list would be one more place to touch. Single kinds are named where one step differs from the others."""
    kinds = {step.kind for step in STEPS}
    for folder in ("layers/core/ferryman", "cli/ferryman_cli", "local/ferryman_local"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            named = set(re.findall(r"[\"'](\w+)[\"']", path.read_text())) & kinds
            assert len(named) <= len(kinds) / 2 or path in (ROOT / TABLE, ROOT / KEYS), f"{path} names {sorted(named)}"
