"""Whoever loses a race waits a little before the next try: every loop over Conflict takes its tries from the store."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.machine import ROOT

CORE = ROOT / "layers/core/ferryman"
MODULES = sorted(CORE.rglob("*.py"))
ROUNDS = {"controller/reconcile.py"}
"""Each of its rounds reads everything anew, also AWS, and most follow an act that was done."""


def repeated(tree: ast.AST) -> Iterator[ast.For]:
    """Find the loops that go on after a Conflict."""
    for loop in ast.walk(tree):
        if not isinstance(loop, ast.For):
            continue
        caught = (item for item in ast.walk(loop) if isinstance(item, ast.ExceptHandler) and item.type is not None)
        if any("Conflict" in ast.unparse(item.type) and _goes_on(item) for item in caught if item.type):
            yield loop


def _goes_on(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(item, ast.Continue) for item in handler.body)


def paused(loop: ast.For) -> bool:
    """Tell whether the tries are those of `Store.attempts`, which waits between them."""
    call = loop.iter
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "attempts"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CORE)))
def test_a_lost_race_is_tried_again_after_a_pause(path: Path) -> None:
    found = [loop.lineno for loop in repeated(ast.parse(path.read_text(encoding="utf-8"))) if not paused(loop)]

    assert not found or str(path.relative_to(CORE)) in ROUNDS, f"lines {found} try again without a pause"


def test_there_are_such_loops() -> None:
    loops = [loop for path in MODULES for loop in repeated(ast.parse(path.read_text(encoding="utf-8")))]

    assert len([loop for loop in loops if paused(loop)]) >= 10
    assert len([loop for loop in loops if not paused(loop)]) == len(ROUNDS)
