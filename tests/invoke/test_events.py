"""Every committed event of every function in Lambda's own container: it answers as the handler does in this process."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped]

from ferryman_local.local_aws import wait_until
from ferryman_local.signed_event import container_arn, needs_a_signature, signed
from invoke import docker, here
from invoke.same import plain, summary
from invoke.stage import Stage
from invoke.states import MEETS, met

pytestmark = [pytest.mark.docker, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
EVENTS = sorted((ROOT / "events").glob("*/*.json"))
NAMES = [f"{path.parent.name}/{path.stem}" for path in EVENTS]
LOGICAL = {
    Path(resource["Properties"]["CodeUri"]).name: name
    for name, resource in yaml_parse((ROOT / "template.yaml").read_text())["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
ANSWERS: dict[str, str] = json.loads((Path(__file__).parent / "answers.json").read_text())
"""What each event is for: in short, what its function answers."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The local AWS of these tests."""
    docker.require()
    made = Stage(tmp_path_factory.mktemp("invoke"))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def lambdas(stage: Stage) -> Iterator[docker.Lambdas]:
    """The functions in their containers."""
    log = ROOT / ".cache" / "sam-local.log"
    with docker.Lambdas(stage.aws.emulator.env(), stage.variables, log) as made:
        yield made
    assert not made.left, f"SAM left containers behind: {made.left}"


@pytest.mark.parametrize("path", EVENTS, ids=NAMES)
def test_the_container_answers_as_the_handler_does(stage: Stage, lambdas: docker.Lambdas, path: Path) -> None:
    function, scenario = path.parent.name, path.stem
    event = json.loads(path.read_text())
    logical = LOGICAL[function]
    variables = lambdas.variables_of(logical)
    outcomes: list[tuple[Any, Any]] = []
    for run in (
        lambda: lambdas.call(logical, sent(event, logical, stage)),
        lambda: here.call(function, logical, sent(event, logical, stage), variables, stage.region),
    ):
        stage.set(met(stage, function, scenario, event, variables["AWS_ENDPOINT_URL"]))
        answer = run()
        outcomes.append((answer, stage.left()))
    (container, left), (process, wanted) = outcomes

    assert plain(container) == plain(process), lambdas.log()
    assert not (found := different(left, wanted)), "\n".join(found)
    assert summary(container) == ANSWERS.get(f"{function}/{scenario}"), container


def sent(event: Any, logical: str, stage: Stage) -> Any:
    """The event as it arrives: one that AWS signed carries the proof of who sent it, the operator's admin."""
    admin = stage.aws.admin.credentials
    return signed(event, container_arn(logical), admin) if needs_a_signature(event) else event


def test_one_by_hand(stage: Stage) -> None:
    """`make invoke`: a container of its own, made and removed, and a field of the event changed."""
    docker.require()
    before = docker.containers()
    command = [sys.executable, ROOT / "scripts" / "sam-invoke", "smoke_test", "round", "--set", "deployment=nobody"]
    done = subprocess.run(command, env=stage.aws.emulator.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["errorType"], answer["errorMessage"]) == ("NotFound", "scr/staging has no deployment 'nobody'")
    assert "sam-invoke: the function raised NotFound" in done.stderr
    wait_until(lambda: docker.containers() == before, 20, "its container is removed")


def test_every_event_is_for_something() -> None:
    assert set(ANSWERS) == set(NAMES)
    assert set(MEETS) <= set(NAMES)


def different(left: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What only one of the two runs left behind, in an order that new ids don't change."""
    items = [
        Counter([*map(plain, left["nudges"]), *(json.dumps(plain(item), sort_keys=True) for item in left["table"])])
        for left in (left, wanted)
    ]
    return [
        f"{where}: {item}"
        for where, one, other in (("container", *items), ("process", *items[::-1]))
        for item in one - other
    ]
