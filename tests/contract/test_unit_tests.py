"""The tests' own layout: unit tests mirror the rooms, there is one set of fakes, and no test imports from another.

A test file belongs to the module of its name: `tests/unit/steps/test_verify.py` to `ferryman/steps/verify.py`. A module
with many tests has several: `test_<module>_<what>.py`.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from contract.machine import ROOT

TESTS = ROOT / "tests"
UNIT = TESTS / "unit"
ROOMS = {"cli": ROOT / "cli/ferryman_cli"}
"""Folders of unit tests whose modules are elsewhere than in the core package."""
OF_SEVERAL = {
    "controller/test_promotion_loop": "staging and production side by side: the whole loop",
    "controller/test_rollback_loop": "from a person's wish to the end of the way back: the whole loop",
    "cli/test_real_answers": "several commands, against what the API really answers",
    "redaction/test_corpus": "the whole room, measured on a corpus of secrets and of ordinary lines",
    "handlers/test_push_and_reconcile_events": "the recorded events of two functions",
    "handlers/test_smoke_test_and_notify": "two functions as Lambda runs them, with the same table behind them",
}
"""Test files that belong to no single module, without `.py`, and why."""
WITH_TESTS = ("decisions", "decisions/explain", "decisions/requests", "steps")
"""Rooms in which every module that has a function has tests of its own."""
MOST_WORLDS = 7
"""Classes `World`, each the operator with the fakes around one subject. Take one of these before you write another."""


def files_of_tests(folder: Path) -> list[Path]:
    return sorted(folder.rglob("test_*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def module_of(test: Path) -> Path | None:
    """The module that a test file belongs to: the one with the longest name that its own begins with."""
    room, *below = test.relative_to(UNIT).parent.parts or ("",)
    if room == "handlers":
        found = ROOT / "functions" / test.stem.removeprefix("test_") / "app.py"
        return found if found.exists() else None
    base = ROOMS.get(room, ROOT / "layers/core/ferryman" / room).joinpath(*below)
    words = test.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((base / f"{name}.py" for name in names if (base / f"{name}.py").exists()), None)


def decides(module: Path) -> bool:
    """Whether a module has any function; one that only describes data has nothing to test."""
    return any(isinstance(node, ast.FunctionDef) for node in ast.walk(parsed(module)))


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names of all that is imported: modules, and what is taken from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{name.name}" for name in node.names)


def test_every_unit_test_belongs_to_a_module_or_says_why_not() -> None:
    names = {str(test.relative_to(UNIT).with_suffix("")): module_of(test) for test in files_of_tests(UNIT)}
    assert [name for name, module in names.items() if module is None and name not in OF_SEVERAL] == []
    assert [name for name in OF_SEVERAL if names.get(name, ROOT) is not None] == [], "these need no exception"


@pytest.mark.parametrize("room", WITH_TESTS)
def test_every_module_that_decides_has_tests_of_its_own(room: str) -> None:
    modules = [module for module in (ROOT / "layers/core/ferryman" / room).glob("*.py") if decides(module)]
    assert len(modules) > 1, "nothing much was found"
    missing = [f"{room}/{module.name}" for module in modules if not (UNIT / room / f"test_{module.name}").exists()]
    assert missing == []


def test_no_test_imports_from_a_test_file_or_a_conftest() -> None:
    """What tests share has a module of its own: a name that says what it is, and no tests that come along with it."""
    files = [path for path in TESTS.rglob("*.py") if "released" not in path.parts]
    assert len(files) > 200
    found = [
        f"{path.relative_to(TESTS)}: {name}"
        for path in files
        for name in imported(parsed(path))
        if any(part == "conftest" or part.startswith("test_") for part in name.split("."))
    ]
    assert found == []


def test_there_is_one_fake_of_each_kind() -> None:
    """Those of tests/unit/fakes, and whatever else is called a fake, wherever it is."""
    classes: Counter[str] = Counter()
    shared = set()
    for path in TESTS.rglob("*.py"):
        if "released" in path.parts:
            continue
        names = [node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
        classes.update(names)
        if path.is_relative_to(UNIT / "fakes"):
            shared.update(names)
    fakes = shared | {name for name in classes if name.startswith("Fake")}
    assert len(shared) > 10
    assert {name: classes[name] for name in fakes if classes[name] > 1} == {}


def test_there_are_few_worlds() -> None:
    worlds = [
        str(path.relative_to(UNIT))
        for path in UNIT.rglob("*.py")
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and node.name == "World"
    ]
    assert len(worlds) <= MOST_WORLDS, worlds
