"""Mutants of the package, found in its syntax tree.

| kind | what is found, and what becomes of it |
|---|---|
| `fence` | a `Fenced` write, a call of `require_claim` or `check_claim`: left out; `fence + 1`: `fence` |
| `guard` | another conditional write of a transaction (`Save`, `Unchanged`, `Once`, `Remove`): left out |
| `condition` | each part of a ConditionExpression: left out |
| `consistent` | a consistent read: an eventually consistent one |
| `check` | a condition about claims, aborts, holds, freezes, expiry or people: left out |
| `order` | two statements, each of which calls AWS, GitHub, Slack or the table: the other way round |
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from mutants.effects import Effects
from mutants.mutant import PACKAGE, ROOT, Mutant

CONDITIONAL = {"Save", "Unchanged", "Once", "Remove"}
SUBJECTS = re.compile(
    r"fence|claim|active|abort|hold|held|freez|frozen|thaw|expir|deadline|until|lapsed|approv|reject|vote|decid"
    r"|request(er|ed)|person|people|who\b|admin|role|member|grant|\bmay|allow|automated|override|initiated|supersed",
    re.IGNORECASE,
)
"""What a condition is about, by the names in it, for it to be one of the checks that the promises rest on."""
SKIPPED = ("platform/", "records/", "redaction/", "messages/")
"""Rooms without decisions about what runs: what people write, what is stored, and words."""


def mutants_of_package() -> Iterator[Mutant]:
    """Yield every mutant of every module, in the order of the files and of the places in them."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    effects = Effects(files)
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        if not name.removeprefix(PACKAGE).startswith(SKIPPED):
            finder = _Finder(name, path.read_bytes(), effects)
            finder.visit(ast.parse(finder.source))
            yield from sorted(finder.found, key=lambda mutant: (mutant.start, mutant.end, mutant.kind, mutant.text))


class _Finder(ast.NodeVisitor):
    def __init__(self, file: str, source: bytes, effects: Effects) -> None:
        self.file, self.source, self.effects = file, source, effects
        self.found: list[Mutant] = []
        self._scope: list[str] = []
        self._fences: set[str] = set()
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    # ── places ──

    def _at(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.AST) -> str:
        start, end = self._at(node)
        return self.source[start:end].decode()

    def _add(self, kind: str, node: ast.AST, text: str, what: str) -> None:
        start, end = self._at(node)
        self.found.append(Mutant(kind, self.file, ".".join(self._scope), start, end, text, what))

    def _short(self, node: ast.AST) -> str:
        return " ".join(self._text(node).split())[:100]

    # ── scopes and blocks ──

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scope.append(node.name)
        self.generic_visit(node)
        self._scope.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._scope.append(node.name)
        self._fences = {
            target.id
            for part in ast.walk(node)
            if isinstance(part, ast.Assign) and _called(part.value) == "Fenced"
            for target in part.targets
            if isinstance(target, ast.Name)
        }
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if argument.arg == "consistent" and isinstance(default, ast.Constant) and default.value is True:
                self._add("consistent", default, "False", f"default of {argument.arg}")
        self.generic_visit(node)
        self._scope.pop()

    def generic_visit(self, node: ast.AST) -> None:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and self._scope:
                self._orders([item for item in block if isinstance(item, ast.stmt)])
        super().generic_visit(node)

    def _orders(self, block: list[ast.stmt]) -> None:
        inside = self._scope[0] if len(self._scope) > 1 else ""
        acts = [(at, item) for at, item in enumerate(block) if self.effects.acts(self.file, inside, item)]
        for (first, one), (second, other) in pairwise(acts):
            between = block[first:second]
            bound = {name for item in between for name in _bound(item)}
            leaves = isinstance(one, ast.Return | ast.Raise) or isinstance(other, ast.Return | ast.Raise)
            if leaves or bound & _used(other) or _bound(other) & {n for item in between for n in _used(item)}:
                continue
            (start, _), (begins, end) = self._at(one), self._at(other)
            indent = " " * one.col_offset
            text = f"{self.source[begins:end].decode()}\n{indent}{self.source[start:begins].decode().rstrip()}"
            what = f"{self._short(other)[:60]} ⇄ {self._short(one)[:60]}"
            self.found.append(Mutant("order", self.file, ".".join(self._scope), start, end, text, what))

    # ── fences, guards, conditions, reads ──

    def visit_Call(self, node: ast.Call) -> None:
        for argument in node.args:
            self._element(argument, lambda item: ast.Call(node.func, _without(node.args, item), node.keywords), node)
        for keyword in node.keywords:
            if keyword.arg == "ConsistentRead" and _true(keyword.value):
                self._add("consistent", keyword.value, "False", self._short(node))
            if keyword.arg == "ConditionExpression":
                kept = [item for item in node.keywords if item is not keyword]
                self._add("condition", node, ast.unparse(ast.Call(node.func, node.args, kept)), self._short(keyword))
        self.generic_visit(node)

    def visit_List(self, node: ast.List) -> None:
        for item in node.elts:
            self._element(item, lambda one: ast.List(_without(node.elts, one), node.ctx), node)
        self.generic_visit(node)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        for item in node.elts:
            self._element(item, lambda one: ast.Tuple(_without(node.elts, one), node.ctx), node)
        self.generic_visit(node)

    def _element(self, item: ast.expr, without: "type[ast.expr] | object", whole: ast.expr) -> None:
        name = _called(item)
        fenced = name == "Fenced" or (isinstance(item, ast.Name) and item.id in self._fences)
        if fenced or name in CONDITIONAL:
            text = ast.unparse(without(item))  # type: ignore[operator]
            self._add("fence" if fenced else "guard", whole, text, f"without {self._short(item)}")

    def visit_Yield(self, node: ast.Yield) -> None:
        if node.value is not None and _called(node.value) in CONDITIONAL:
            self._add("guard", node, "None", f"without {self._short(node)}")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        name = _called(node.value)
        if name in ("require_claim", "check_claim"):
            self._add("fence", node, "pass", self._short(node))
        if name == "_if_as_read":
            self._add("condition", node, "pass", self._short(node))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Add) and self._text(node.left).endswith("fence") and self._text(node.right) == "1":
            self._add("fence", node, self._text(node.left), "a fence that does not grow")
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant):
                continue
            if key.value == "ConsistentRead" and not (isinstance(value, ast.Constant) and value.value is False):
                self._add("consistent", value, "False", self._short(value))
            if key.value == "ConditionExpression" and isinstance(value, ast.Constant) and value.value:
                self._condition(node, key, value)
        self.generic_visit(node)

    def _condition(self, node: ast.Dict, key: ast.Constant, value: ast.Constant) -> None:
        parts = str(value.value).split(" AND ")
        for part in parts if len(parts) > 1 else ():
            kept = " AND ".join(other for other in parts if other != part)
            self._add("condition", value, repr(kept), f"without {part}")
        pairs = [(name, item) for name, item in zip(node.keys, node.values, strict=True) if name is not key]
        text = ast.unparse(ast.Dict([name for name, _ in pairs], [item for _, item in pairs]))
        self._add("condition", node, text, f"without {value.value}")

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if isinstance(target, ast.Subscript) and _constant(target.slice) == "ConditionExpression":
            self._add("condition", node, "pass", self._short(node))
        self.generic_visit(node)

    # ── checks ──

    def visit_If(self, node: ast.If) -> None:
        self._check(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._check(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        if isinstance(node.test, ast.BoolOp):
            self._check(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for condition in node.ifs:
            self._check(condition)
        self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self._check(node.guard)
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        value = node.value
        if isinstance(value, ast.BoolOp | ast.Compare) or (
            isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
        ):
            self._check(value)
        self.generic_visit(node)

    def _check(self, test: ast.expr, instead: tuple[str, ...] = ("False", "True")) -> None:
        if isinstance(test, ast.BoolOp):
            neutral = "True" if isinstance(test.op, ast.And) else "False"
            for part in test.values:
                self._check(part, (neutral,))
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.BoolOp):
            self._check(test.operand)
        elif SUBJECTS.search(self._text(test)):
            for text in instead:
                self._add("check", test, text, f"{self._short(test)} → {text}")


def function_at(source: bytes, at: int) -> str:
    """Return the name of the function around a byte of a file, as `Store._get`; empty at module level."""
    line = source[:at].count(b"\n") + 1

    def inside(node: ast.AST, scope: tuple[str, ...]) -> tuple[str, ...]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef) and child.lineno <= line <= (child.end_lineno or 0):
                return inside(child, (*scope, child.name))
        return scope

    return ".".join(inside(ast.parse(source), ()))


def _called(node: ast.AST) -> str:
    """Return the last name of what is called, or an empty text."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _without(items: list[ast.expr], item: ast.expr) -> list[ast.expr]:
    return [other for other in items if other is not item]


def _true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _bound(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def _used(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
