"""docs/reference/vocabulary.md against the code: every CamelCase name that programs read is explained, and no other."""

import ast
import functools
import inspect
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest

from contract.machine import ROOT
from ferryman import contracts, errors
from ferryman.decisions import approval_rules, why_not
from ferryman.decisions.explain import environment
from ferryman.decisions.snapshot import Execution, ImageScan
from ferryman.records import (
    ApprovalStatus,
    ConditionType,
    EventType,
    MigrationClaim,
    Phase,
    ProposalStatus,
    Publication,
    ReleaseStatus,
    SemverName,
    StepStatus,
)
from ferryman.releases.assembly import Effect

PAGE = (ROOT / "docs/reference/vocabulary.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "layers/core/ferryman"
ROOMS = (
    "api", "approvals", "contracts.py", "controller", "decisions", "notify", "records", "releases", "steps", "store",
)  # fmt: skip
"""Where reasons are made. Clients know the names of AWS; messages and the platform only word and validate."""

NAME = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)*")

FOREIGN = {
    "ECS: stop codes": {
        "EssentialContainerExited", "InfrastructureHealth", "ServiceSchedulerInitiated", "SpotInterruption",
        "TerminationNotice", "UserInitiated",
    },
    "ECS: beginnings of what it says of a container": {"CannotCreate", "CannotPull", "CannotStart"},
    "AWS: error codes that don't end in Exception": {
        "AccessDenied", "ConditionalCheckFailed", "ItemCollectionSizeLimitExceeded", "MessageRejected",
        "SignatureDoesNotMatch",
        "ValidationError",
    },
    "ECS: actions": {"RegisterTaskDefinition", "UpdateService"},
    "AWS: fields and modes": {"Event", "LastEvaluatedKey", "Records", "String"},
    "status of a condition": {"True", "False", "Unknown"},
    "labels that people see": {
        "Approve", "Checks", "Database", "Freeze", "Health", "Images", "Reject", "Scans",
    },
}  # fmt: skip
"""CamelCase words in those rooms that Ferryman did not name."""


def section(title: str) -> str:
    """Return what stands under a heading, without what stands under the next one."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference/vocabulary.md has no section {title!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of every table row, without header and rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    tables = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if not after.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in tables if not line.startswith("|---")]


def first(title: str) -> list[str]:
    """Return the names in the first column of a section's tables."""
    return [row[0].strip("`") for row in rows(section(title)) if row[0].startswith("`")]


def statuses(subject: str) -> list[str]:
    return [row[1].strip("`") for row in rows(section("Statuses of other records")) if row[0] == subject]


def values(kind: Any) -> list[str]:
    """Return the values of an enumeration, of a Literal, or of the field `status`."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [str(item) for item in kind]
    if isinstance(kind, type):
        return list(get_args(inspect.get_annotations(kind, eval_str=True)["status"]))
    return list(get_args(kind))


GATE = first("Reasons of the gate")
EXPLAINED, SUMMARIES = (
    [row[0].strip("`") for row in rows(part)]
    for part in re.split(
        r"^The summary of an environment is one of:|^`ferryman diff`",
        section("Why a release does not run"),
        flags=re.MULTILINE,
    )[:2]
)
VERDICTS = sorted(
    {
        word
        for _, model in inspect.getmembers(contracts, inspect.isclass)
        if issubclass(model, contracts.Contract) and "verdict" in model.model_fields
        for word in get_args(model.model_fields["verdict"].annotation)
    }
)
ERRORS = [
    name
    for name, item in inspect.getmembers(errors, inspect.isclass)
    if issubclass(item, errors.PermanentError | errors.TransientError | errors.Paced)
    and item not in (errors.PermanentError, errors.TransientError)
]


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        pytest.param(first("Phases of a deployment"), values(Phase), id="phases"),
        pytest.param(first("Status of a step"), values(StepStatus), id="step-status"),
        pytest.param(
            [row[0].strip("`") for row in rows(section("Conditions"))][: len(values(ConditionType))],
            values(ConditionType),
            id="conditions",
        ),
        pytest.param(statuses("release"), values(ReleaseStatus), id="release"),
        pytest.param(statuses("approval"), values(ApprovalStatus), id="approval"),
        pytest.param(statuses("proposal"), values(ProposalStatus), id="proposal"),
        pytest.param(statuses("semver name"), values(SemverName), id="semver-name"),
        pytest.param(statuses("migration claim"), values(MigrationClaim), id="migration-claim"),
        pytest.param(statuses("publication"), values(Publication), id="publication"),
        pytest.param(statuses("image scan"), values(ImageScan), id="image-scan"),
        pytest.param(statuses("execution"), values(Execution), id="execution"),
        pytest.param(statuses("recorded image"), values(Effect), id="recorded-image"),
        pytest.param(first("Events of a timeline"), values(EventType), id="events"),
        pytest.param(first("Answers to an approver"), values(approval_rules.Kind), id="answers"),
        pytest.param([*EXPLAINED, *GATE], values(why_not.Reason), id="explained"),
        pytest.param(SUMMARIES, values(environment.Summary), id="summaries"),
        pytest.param(first("Answers of a step"), VERDICTS, id="verdicts"),
        pytest.param(first("Errors")[: len(ERRORS)], ERRORS, id="errors"),
    ],
)
def test_a_list_of_the_page_is_that_of_the_code(listed: list[str], known: list[str]) -> None:
    assert sorted(listed) == sorted(known)


@pytest.mark.parametrize("error", ERRORS)
def test_the_page_says_which_errors_are_retried(error: str) -> None:
    row = next(row for row in rows(section("Errors")) if row[0] == f"`{error}`")

    kind = getattr(errors, error)
    expected = "after a wait" if kind is errors.Paced else "yes" if issubclass(kind, errors.TransientError) else "no"
    assert row[1] == expected


@functools.cache
def used() -> dict[str, str]:
    """Return the CamelCase words of the code, each with a place where it stands."""
    files = [
        path
        for room in ROOMS
        for path in ([PACKAGE / room] if room.endswith(".py") else (PACKAGE / room).rglob("*.py"))
    ]
    return {word: place for path in sorted(files) for word, place in _words(path)}


def _words(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed = {id(node) for parent in ast.walk(tree) for node in _not_ours(parent)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in passed or not isinstance(node.value, str):
            continue
        if NAME.fullmatch(node.value) and not node.value.endswith("Exception"):
            yield node.value, f"{path.relative_to(ROOT)}:{node.lineno}"


def _not_ours(parent: ast.AST) -> list[ast.AST]:
    """Return the strings below a node that are keys of data, names of classes, or parts of a sentence."""
    match parent:
        case ast.Subscript(value=ast.Name(id="Literal")):
            return []
        case ast.Subscript():
            return [parent.slice]
        case ast.Call(func=ast.Attribute(attr="get")):
            return list(parent.args[:1])
        case ast.Dict():
            return [key for key in parent.keys if key is not None]
        case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=names)):
            return list(names)
        case ast.JoinedStr():
            return list(parent.values)
        case ast.FunctionDef(returns=ast.Constant() as quoted):
            return [quoted]
        case ast.arg(annotation=ast.Constant() as quoted) | ast.AnnAssign(annotation=ast.Constant() as quoted):
            return [quoted]
    return []


def listed() -> set[str]:
    """Return every name in the page's tables, from the phases on."""
    tables = PAGE[PAGE.index("## Phases of a deployment") :]
    return {found for row in rows(tables) for cell in row[:2] for found in re.findall(r"`([A-Z]\w+)`", cell)}


def test_every_name_that_the_code_uses_is_explained() -> None:
    words = used()
    assert len(words) > 150, "nothing much was found: has the layout changed?"
    foreign = set().union(*FOREIGN.values())

    assert {word: place for word, place in words.items() if word not in listed() | foreign} == {}


def test_every_name_that_is_explained_is_one_of_the_code() -> None:
    assert listed() - set(used()) - set(ERRORS) == set()


def test_every_exception_is_still_needed() -> None:
    assert set().union(*FOREIGN.values()) - set(used()) == set()
