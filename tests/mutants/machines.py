"""Mutants of the state machines and of the rules in the template: every Retry, Catch, Choice, time-out and `$reverse`.

| kind | what becomes of it |
|---|---|
| `retry`, `catch`, `choice` | one of them is left out |
| `swap` | a choice and the default, the other way round |
| `timeout`, `concurrency` | left out |
| `expression` | `$f(x)` in JSONata, with one argument: `x` |
| `pattern` | one value of a list in an event pattern of the template: left out |
"""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from mutants.mutant import ROOT, Mutant

_ONE_ARGUMENT = re.compile(r"\$(reverse|count|exists)\(([^()]*)\)")
_VALUES = re.compile(r"^ +[\w-]+: \[([\w, !]+)\]$", re.MULTILINE)


def mutants_of_machines() -> Iterator[Mutant]:
    """Yield every mutant of the two machines."""
    for path in sorted((ROOT / "statemachines").glob("*.asl.json")):
        file, source = path.relative_to(ROOT).as_posix(), path.read_bytes()
        machine = json.loads(source)
        for kind, state, what, changed in _changed(machine):
            text = json.dumps(changed, indent=2, ensure_ascii=False) + "\n"
            yield Mutant(kind, file, state, 0, len(source), text, f"{state}: {what}")


def _changed(machine: Any) -> Iterator[tuple[str, str, str, Any]]:
    for way, state in _states(machine):
        name = way[-1]
        for field, kind in (("Retry", "retry"), ("Catch", "catch"), ("Choices", "choice")):
            for number, item in enumerate(state.get(field, [])):
                label = item.get("Condition") or f"{field} {number} of {', '.join(item['ErrorEquals'])[:80]}"
                changed, found = _copy(machine, way)
                del found[field][number]
                if not found[field] and field == "Choices":
                    found["Choices"] = [{"Condition": "{% false %}", "Next": item["Next"]}]
                yield kind, name, f"without {label}", changed
                if field == "Choices":
                    changed, found = _copy(machine, way)
                    found["Choices"][number]["Next"], found["Default"] = found["Default"], item["Next"]
                    yield "swap", name, f"{label} ⇄ Default", changed
        for field, kind in (("TimeoutSeconds", "timeout"), ("MaxConcurrency", "concurrency")):
            if field in state:
                changed, found = _copy(machine, way)
                del found[field]
                yield kind, name, f"without {field}", changed
        for field in ("Items", "Arguments", "Output", "Assign", "Choices"):
            text = json.dumps(state.get(field), ensure_ascii=False)
            for match in _ONE_ARGUMENT.finditer(text):
                changed, found = _copy(machine, way)
                found[field] = json.loads(text[: match.start()] + match[2] + text[match.end() :])
                yield "expression", name, f"{match[0]} → {match[2]}", changed
    changed = copy.deepcopy(machine)
    if changed.pop("TimeoutSeconds", None):
        yield "timeout", "-", "without TimeoutSeconds", changed


def _states(machine: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, state in machine["States"].items():
        yield (*way, name), state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"], (*way, name))


def _copy(machine: Any, way: tuple[str, ...]) -> tuple[Any, Any]:
    """Return a copy and the state in it."""
    changed = inside = copy.deepcopy(machine)
    for number, name in enumerate(way):
        inside = (inside["ItemProcessor"] if number else inside)["States"][name]
    return changed, inside


def mutants_of_template() -> Iterator[Mutant]:
    """Yield every mutant of the event patterns."""
    source = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for block in re.finditer(r"^( +)Pattern:\n((?:\1 .*\n)+)", source, re.MULTILINE):
        resource = re.findall(r"^  (\w+):$", source[: block.start()], re.MULTILINE)[-1]
        for match in _VALUES.finditer(block[2]):
            values = match[1].split(", ")
            for value in values if len(values) > 1 else ():
                start = len(source[: block.start(2) + match.start(1)].encode())
                text = ", ".join(item for item in values if item != value)
                end = start + len(match[1].encode())
                yield Mutant("pattern", "template.yaml", resource, start, end, text, f"{resource}: without {value}")
