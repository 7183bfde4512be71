"""Many histories, and the tables of what they met."""

from collections import Counter
from itertools import islice

import pytest

from simulation import cells, tally
from simulation.aws.machines import transitions
from simulation.sandboxes import definition
from simulation.tally import Tally, every


def test_several_processes_play_the_same_histories_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "ROUND", 1)
    traces = []
    for processes in (1, 2):
        played = Tally()
        for one in islice(every("several", "few", processes), 3):
            played.add(one)
        traces.append((played.trace.hexdigest(), played.steps, played.met.cells))
    assert traces[0] == traces[1]


def test_each_call_that_a_policy_allows_is_in_the_table_or_impossible_with_a_reason() -> None:
    pair = ("update_service", "ecs.update_service")
    rows = list(cells.lines(Counter({pair: 30}), Counter({(*pair, "lost"): 25})))
    assert "    25  update_service ecs.update_service lost" in rows
    assert "     0  update_service ecs.update_service cut" in rows
    assert any(row.startswith("     -  smoke_test dynamodb.query: ") for row in rows)
    assert "  never  smoke_test dynamodb.get_item: no history made this call" in rows
    named = {tuple(row[8:].split(":")[0].split()[:2]) for row in rows[:-2]}
    assert cells.allowed() <= named


def test_a_call_that_is_named_impossible_and_made_after_all_is_told() -> None:
    pair = next(iter(cells.NO_CALL))
    assert cells.wrong(Counter({pair: 1})) == [f"{' '.join(pair)} is named impossible, and was called"]
    assert cells.wrong(Counter({("smoke_test", "ecs.run_task"): 1})) == [
        "smoke_test ecs.run_task was called, and no policy allows it"
    ]
    assert cells.wrong(Counter({("run_migration", "ecs.run_task"): 1, ("smoke_test", "http.get"): 1})) == []


def test_what_is_impossible_is_allowed_at_all() -> None:
    assert set(cells.NO_CALL) <= cells.allowed()
    assert set(cells.NO_FUNCTION) <= {name for name, _ in cells.allowed()}


def test_transitions_that_were_never_taken_are_counted() -> None:
    rows = list(cells.machine_lines(Counter({("deploy", "Errored", "end"): 3})))
    total = sum(len(transitions(definition(name))) for name in ("deploy", "migrate"))
    assert "     3  deploy: Errored → end" in rows
    assert rows[-1] == f"transitions never taken: {total - 1}"
