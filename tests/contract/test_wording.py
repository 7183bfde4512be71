"""No program logic on words: what is written for people is never searched, compared nor taken apart again.

A decision context its reason on as data. Messages may then be worded anew without a change of what happens.
"""

import ast
from collections.abc import Iterator

import pytest

from contract.machine import ROOT

ROOTS = (ROOT / "layers/core/ferryman", ROOT / "cli/ferryman_cli")
MODULES = sorted(path for root in ROOTS for path in root.rglob("*.py"))
WORDS = {"message", "why", "headline", "sentence", "sentences"}
"""Fields that hold words for people. (Those called `reason` hold CamelCase, which is made to be compared.)"""
SEARCHES = {
    "startswith", "endswith", "find", "index", "replace", "split", "rsplit", "partition", "rpartition", "removeprefix",
    "removesuffix",
}  # fmt: skip
ALLOWED = {
    # A sentence that a message has already is not said twice: it changes the wording, and nothing else.
    "outcome.py: sentence in message",
}


def searched(tree: ast.AST) -> Iterator[str]:
    """Find the places where words for people are looked at as a program looks at data."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            searches = any(isinstance(op, ast.In | ast.NotIn) for op in node.ops)
            matches = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops) and any(map(_is_text, sides))
            if (searches and any(map(_is_words, node.comparators))) or (matches and any(map(_is_words, sides))):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and _is_search(node.func):
            yield ast.unparse(node)


def _is_search(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and called.attr in SEARCHES and _is_words(called.value)


def _is_words(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in WORDS
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name in WORDS
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_words_for_people_are_no_data() -> None:
    found = {
        f"{path.name}: {place}" for path in MODULES for place in searched(ast.parse(path.read_text(encoding="utf-8")))
    }

    assert found == ALLOWED, "hand the reason on as data instead"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("if version in seen.message: pass", 1),
        ("seen.message.rsplit('; ', 1)", 1),
        ("waits.message.replace('ENV', env)", 1),
        ("view['message'].startswith('no')", 1),
        ("seen.message == 'nothing'", 1),
        ("seen.reason.startswith('Scan')", 0),
        ("message.channel == 'team'", 0),
        ("before.message == after.message", 0),
        ("f'{seen.message}.'", 0),
    ],
)
def test_what_counts_as_looking_at_words(code: str, found: int) -> None:
    assert len(list(searched(ast.parse(code)))) == found
