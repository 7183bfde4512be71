"""The machines' expressions always have a value, and the reference implementation of JSONata has the same.

AWS names version 2.0.6 of JSONata; package.json pins the version that the linter of state machines brings with it.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import needed
from simulation.aws.machines import StateError, evaluate
from simulation.expressions import Played, expressions, played
from simulation.sandboxes import definition

COUNT = 120
"""Executions of each machine."""
MACHINES = ("deploy", "migrate")
ODD = (
    "$states.input.nothing", "$reduce($x, $append)", "$reduce($x, $append, [])", "$reverse($x)", "$x[0]", "$x[$y]",
    "$count($x[$not(a in ['b'])]) > 0", "$substring($z & '', 0, 2000)", "$x.a", "$exists($x.a) ? $x.a : ['']",
    "$x in ['b', 'c']", "$x = true", "$y + 1 < $count($x)",
)  # fmt: skip
"""Forms of expressions as the machines have them, and ones near to them."""
VALUES = ([], [[]], [[1]], [[1], [2, 3]], [{"a": "b"}], [{"a": "b"}, {"a": "c"}], [""], "b", True, 0, {"a": []})


@pytest.fixture(scope="module", params=MACHINES)
def found(request: pytest.FixtureRequest) -> Played:
    return played(request.param, COUNT)


def test_every_expression_comes_up(found: Played) -> None:
    (name,) = {arn.rsplit(":", 2)[-2] for arn in found.machines.executions}
    assert set(expressions(definition(name))) == {expression for expression, _, _ in found.seen}


def test_every_expression_has_a_value(found: Played) -> None:
    """AWS fails an execution whose expression has none (States.QueryEvaluationError)."""
    assert found.without_value == []


def test_the_reference_implementation_has_the_same_values(found: Played) -> None:
    once = {json.dumps(item, sort_keys=True): item for item in found.seen}.values()
    compare([(expression, variables, [value]) for expression, variables, value in once])


def test_the_reference_implementation_treats_odd_values_in_the_same_way() -> None:
    cases = []
    for value in VALUES:
        text = value if isinstance(value, str) else "z"
        variables = {"x": value, "y": 1, "z": text, "states": {"input": {"v": value}}}
        cases += [(expression, variables, ours_of(expression, variables)) for expression in ODD]
    # The Python library takes null for an array where it stands for one. The machines have no such value.
    cases += [(expression, {"x": None}, ours_of(expression, {"x": None})) for expression in ("$x", "$x = true", "[$x]")]
    compare(cases)


def ours_of(expression: str, variables: dict[str, Any]) -> list[Any]:
    """Return the value in a list; an empty one where there is none, or an error: for AWS it is the same."""
    try:
        return [evaluate(expression, variables)]
    except StateError:
        return []


def compare(cases: Sequence[tuple[str, dict[str, Any], list[Any]]]) -> None:
    """Evaluate with the reference implementation, too."""
    needed.require("node")
    module = needed.ROOT / "node_modules" / "jsonata"
    if not module.exists():
        needed.missing("the reference implementation of JSONata is not installed (`make setup` does it)")
    pairs = json.dumps([case[:2] for case in cases])
    script = Path(__file__).with_name("reference.cjs")
    done = subprocess.run(
        ["node", script, module], input=pairs, capture_output=True, text=True, check=True, timeout=60
    )  # fmt: skip
    answers = json.loads(done.stdout)
    different = [
        (case, theirs)
        for case, theirs in zip(cases, answers, strict=True)
        if case[2] != (theirs if isinstance(theirs, list) else [])
    ]
    assert not different, "\n".join(map(repr, different[:5]))
