"""AWS's clients and answers have their types, so that the type checker finds a field that AWS does not know."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.machine import ROOT

PACKAGE = ROOT / "layers/core/ferryman"
TYPES = PACKAGE / "clients/aws_types.py"
ROOMS = ("clients", "store", "steps", "releases", "controller")
"""What passes AWS's answers around: here each `Any` has to be of something else."""

CLIENTS = frozenset(
    {
        "client", "dynamodb", "ecr", "ecs", "functions", "logs", "made", "secrets", "ses", "sns", "sqs", "ssm",
        "states", "table",
    }
)  # fmt: skip

NOT_OF_AWS = {
    # JSON of GitHub and of Slack
    "clients/github/client.py": None,
    "clients/slack.py": None,
    # the answer of another function, as JSON
    "clients/pass_on.py": {"__call__"},
    # an image's manifest and configuration, as JSON
    "clients/ecr.py": {"manifest"},
    "clients/image_index.py": None,
    "clients/image_labels.py": {"_config", "_texts"},
    # any value inside a task definition
    "clients/task_definitions.py": {"_canonical"},
    # a record's data, before it is a record or after
    "store/bounds.py": None,
    "store/items.py": {"attributes", "plain", "_storable", "_readable"},
    "store/largest.py": None,
    "store/reduction.py": {"_no_logs", "_short"},
    "store/sizes.py": {"of_item", "of_value"},
    "store/table.py": {"_data", "_get", "_get_many", "_query"},
    # the stored document of a platform
    "releases/adoption.py": {"before", "_read_anew"},
    # what is told of an event
    "releases/semver_tags.py": {"_events"},
    # JSON of what a smoke test expects and gets
    "steps/begin_deployment.py": {"_filled"},
    # the detail of an event, before it is checked
    "steps/relay_change.py": {"shown_task"},
    "steps/smoke_expectations.py": None,
}
"""The functions and variables that say `Any` and mean nothing of AWS; None: all of a module."""


def annotations(path: Path) -> Iterator[tuple[str, str, ast.expr | None]]:
    """Yield function or variable, parameter (or `return`), and its annotation."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
                if each is not None and each.arg not in ("self", "cls"):
                    yield node.name, each.arg, each.annotation
            yield node.name, "return", node.returns
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.target.id, node.annotation


def says_any(annotation: ast.expr | None) -> bool:
    return annotation is None or any(
        isinstance(node, ast.Name) and node.id in ("Any", "object", "Raw") for node in ast.walk(annotation)
    )


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_client_has_its_type(path: Path) -> None:
    for where, name, annotation in annotations(path):
        assert name not in CLIENTS or not says_any(annotation), f"{where}: {name}"


def test_any_is_never_an_answer_of_aws() -> None:
    found: dict[str, set[str]] = {}
    for path in MODULES:
        place = str(path.relative_to(PACKAGE))
        if place.split("/")[0] in ROOMS:
            for where, _, annotation in annotations(path):
                if annotation is not None and "Any" in {n.id for n in ast.walk(annotation) if isinstance(n, ast.Name)}:
                    found.setdefault(place, set()).add(where)
    # Equal, not just contained: what says `Any` no more has to leave the list.
    assert found == {place: found.get(place) if names is None else names for place, names in NOT_OF_AWS.items()}


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
    return names


def test_only_the_type_checker_reads_the_stubs() -> None:
    for path in [*MODULES, *(ROOT / "functions").rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path == TYPES:
            checked = [node for node in tree.body if isinstance(node, ast.If)]
            assert [ast.unparse(node.test) for node in checked] == ["TYPE_CHECKING"]
            tree.body = [node for node in tree.body if node not in checked]
        stubs = {name for name in imported(tree) if name.startswith(("mypy_boto3", "types_boto3"))}
        assert not stubs, f"{path.relative_to(ROOT)}: take the types from ferryman.clients.aws_types"


WRONG = """
from ferryman.clients.aws_types import ECSClient, ECSTask, MakeClient

def read(task: ECSTask, ecs: ECSClient, client: MakeClient) -> None:
    task["taskArm"]
    task.get("stopedReason")
    ecs.describe_tasks(cluster="", task=[])
    client("ecs").describe_images(repositoryName="")
    client("efs")
"""


@pytest.mark.slow
def test_the_type_checker_finds_what_aws_does_not_know(tmp_path: Path) -> None:
    source = tmp_path / "wrong.py"
    source.write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "--no-pretty", str(source)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False).stdout
    lines = [line.split(": error: ") for line in told.splitlines() if ": error: " in line]
    assert [place.rsplit(":", 1)[-1] for place, _ in lines] == ["5", "6", "7", "8", "9"], told
    for (_, message), word in zip(
        lines, ("taskArm", "stopedReason", '"task"', "describe_images", '"__call__"'), strict=True
    ):  # fmt: skip
        assert word in message
