"""The operator is updated while executions wait: those of the released version end as they must, with today's Lambdas.

They keep the machine that they began with; their records, plans and task tokens are those that the released code wrote.
"""

import filecmp
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ferryman.records import Deployment, Phase, StepStatus, step_keys
from ferryman_cli.transport import ApiError
from ferryman_local.local_aws import CHECKOUT
from ferryman_local.provisioning.operator_stack import build_operator
from flow.documents import document
from flow.place import Place
from flow.production import Production, promoted
from flow.stage import Stage

RELEASED = Path(__file__).parents[1] / "contract" / "released"
MARK = "As it was released."
PATIENCE_SECONDS = 900
"""For a task to become healthy, and for a rollout: the update of the stack comes in between."""


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator that was released last, marked: so it differs from the work tree's even if nothing has changed."""
    newest = max(RELEASED.glob("*/operator.zip"), key=lambda path: [int(part) for part in path.parent.name.split(".")])
    folder = tmp_path_factory.mktemp("released")
    zipfile.ZipFile(newest).extractall(folder)
    (folder / "layers" / "core" / "ferryman" / "released.txt").write_text(MARK)
    machine = folder / "statemachines" / "deploy.asl.json"
    machine.write_text(json.dumps({**json.loads(machine.read_text()), "Comment": MARK}))
    _take_dependencies(folder)
    return folder


def _take_dependencies(folder: Path) -> None:
    """Where it has the same third-party packages, take them from the work tree's build: that is half of the build."""
    ours, theirs = CHECKOUT / "layers" / "dependencies", folder / "layers" / "dependencies"
    names = [path.name for path in theirs.iterdir()]
    if filecmp.cmpfiles(ours, theirs, names, shallow=False)[0] == names:
        built = build_operator(CHECKOUT) / "DependenciesLayer"
        (theirs / "Makefile").write_text(f'build-DependenciesLayer:\n\tcp -R "{built}/." "$(ARTIFACTS_DIR)"\n')


@pytest.fixture(scope="module")
def stage(released: Path, standing: Callable[..., AbstractContextManager[Stage]]) -> Iterator[Stage]:
    """A local AWS of this module's own, on which the released operator is deployed."""
    with standing("upgrade", operator=released) as started:
        yield started


@dataclass(frozen=True)
class Waiting:
    """What waited when the operator was updated."""

    asked: tuple[Production, Deployment]
    forward: tuple[Place, Deployment, Path]
    """With the gate that its tasks wait at."""
    back: tuple[Place, Deployment, Path]
    at: datetime
    """When the update was done."""


@pytest.fixture(scope="module")
def waiting(stage: Stage) -> Iterator[Waiting]:
    """Start three executions, wait until each waits, and update the operator."""
    forward, back = patient(stage), patient(stage)
    prod = promoted(stage, notify=["team"])
    gate = back.gate()
    gate.touch()
    good = back.push(GATE=str(gate))
    assert back.ended(good).phase is Phase.SUCCEEDED, back.tell()
    gate.unlink()
    # Its tasks are healthy and its smoke test is not; the tasks of what ran before wait at their gate.
    wrong = back.push(TELLS="0000000")
    slow = forward.push(GATE=str(opens := forward.gate()))
    asked = prod.asked()
    rollout = forward.watched(slow, step_keys.rollout(forward.service_of("api"), "forward"))
    way_back = back.watched(wrong, step_keys.rollout(back.service_of("api"), "back"))
    layers = layers_of(stage)
    with pytest.raises(ApiError) as unknown:
        stage.api.get("/v1/auth")
    assert unknown.value.status == 404, "the released operator knows no roles"
    stage.upgrade()
    assert not layers & layers_of(stage), "every Lambda has another layer now"
    yield Waiting((prod, asked), (forward, rollout, opens), (back, way_back, gate), prod.now())
    for place in (forward, back, prod):
        place.remove()


def patient(stage: Stage) -> Place:
    """A place whose rollouts may take their time."""
    place = Place(stage, document(next(stage.names), timeout=f"{PATIENCE_SECONDS}s")).create()
    of = {"cluster": place.cluster, "service": place.service_of("api")}
    place.ecs.update_service(**of, healthCheckGracePeriodSeconds=PATIENCE_SECONDS)
    return place


def layers_of(stage: Stage) -> set[str]:
    """The versions of our own package's layer that the stack's functions use."""
    pages = stage.client("lambda").get_paginator("list_functions").paginate()
    found = {function["FunctionName"]: function.get("Layers", []) for page in pages for function in page["Functions"]}
    ours = [layer["Arn"] for layers in found.values() for layer in layers if ":layer:CoreLayer" in layer["Arn"]]
    assert len(ours) == len(found) > 0, found
    return set(ours)


def ended(place: Place, before: Deployment, stage: Stage) -> Deployment:
    """The same deployment at its end; its one execution ran to its end on the released machine."""
    done = place.ended(before.version)
    assert (done.id, done.execution_arn) == (before.id, before.execution_arn), place.tell()
    states = stage.client("stepfunctions")
    arn = {"executionArn": done.execution_arn}
    place.until(lambda: states.describe_execution(**arn)["status"] != "RUNNING", "the execution's end")
    assert states.describe_execution(**arn)["status"] == "SUCCEEDED"
    ran = json.loads(states.describe_state_machine_for_execution(**arn)["definition"])
    assert ran["Comment"] == MARK
    events = states.get_paginator("get_execution_history").paginate(**arn)
    entered = {event["stateEnteredEventDetails"]["name"] for page in events for event in page["events"]
               if event["type"].endswith("StateEntered")}  # fmt: skip
    assert entered <= names(ran)
    return done


def names(machine: dict[str, Any]) -> set[str]:
    """All states of a machine, those inside Maps too."""
    inside = (data["ItemProcessor"] for data in machine["States"].values() if "ItemProcessor" in data)
    return set(machine["States"]).union(*map(names, inside))


def test_the_stack_has_the_machine_of_the_work_tree(stage: Stage, waiting: Waiting) -> None:
    machine = stage.aws.outputs["DeployMachineArn"]
    found = stage.client("stepfunctions").describe_state_machine(stateMachineArn=machine)["definition"]
    wanted = (CHECKOUT / "statemachines" / "deploy.asl.json").read_text()
    functions = {name: stage.function(name) for name in re.findall(r"\$\{(\w+)\}", wanted)}
    prefix = "arn:aws:lambda:eu-west-1:000000000000:function:"
    assert json.loads(found) == json.loads(re.sub(r"\$\{(\w+)\}", lambda name: prefix + functions[name[1]], wanted))


def test_now_a_call_needs_a_role(stage: Stage, waiting: Waiting) -> None:
    prod, _ = waiting.asked
    assert stage.api.get("/v1/auth")["admin"]
    with pytest.raises(ApiError, match="needs the role viewer"):
        stage.api_of(stage.person("somebody")).get(prod.path())
    assert stage.api_of(stage.aws.people["viewer"]).get(prod.path())["name"] == "production"


def test_what_waits_for_approval_is_approved_on_the_new_page_and_goes_to_production(
    stage: Stage, waiting: Waiting
) -> None:
    prod, asked = waiting.asked
    approval = prod.approval(asked)
    assert approval is not None
    assert approval.status == "Pending"
    prod.approve(asked)
    done = ended(prod, asked, stage)
    assert (done.phase, done.approved_by) == (Phase.SUCCEEDED, ["Ada"]), prod.tell()
    assert done.steps[step_keys.ADMIT].started_at > waiting.at
    prod.runs(done.version)
    assert done.version in prod.told("outcome", owner=done.id).text


def test_a_watched_rollout_goes_on(stage: Stage, waiting: Waiting) -> None:
    scr, slow, gate = waiting.forward
    key = step_keys.rollout(scr.service_of("api"), "forward")
    assert scr.deployments(slow.version)[0].steps[key].status is StepStatus.RUNNING, scr.tell()
    gate.touch()
    done = ended(scr, slow, stage)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    assert done.steps[key].status is StepStatus.SUCCEEDED
    assert done.steps[step_keys.SMOKE_TEST].started_at > waiting.at
    scr.runs(slow.version)


def test_a_watched_way_back_goes_on(stage: Stage, waiting: Waiting) -> None:
    scr, wrong, gate = waiting.back
    key = step_keys.rollout(scr.service_of("api"), "back")
    assert scr.deployments(wrong.version)[0].steps[key].status is StepStatus.RUNNING, scr.tell()
    gate.touch()
    done = ended(scr, wrong, stage)
    assert done.phase is Phase.ROLLED_BACK, scr.tell()
    assert (done.steps[key].status, done.steps[step_keys.SMOKE_TEST].status) == (
        StepStatus.SUCCEEDED,
        StepStatus.FAILED,
    )
    assert done.ended_at is not None
    assert done.ended_at > waiting.at
    scr.runs(scr.deployments()[-1].version)
    assert scr.state.hold is None


def test_what_is_pushed_afterwards_runs_on_the_new_machine(stage: Stage, waiting: Waiting) -> None:
    scr, slow, gate = waiting.forward
    gate.touch()
    scr.ended(slow.version)
    version = scr.push()
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    states = stage.client("stepfunctions")
    ran = states.describe_state_machine_for_execution(executionArn=done.execution_arn)["definition"]
    assert json.loads(ran).get("Comment") != MARK
    scr.runs(version)
