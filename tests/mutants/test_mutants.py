"""The list of mutants: the same for the same code, each one a defect that can run, and each survivor still there."""

import ast
import json
from collections import Counter
from pathlib import Path

import pytest

from mutants import __main__ as command
from mutants import trial
from mutants.by_hand import DEFECTS
from mutants.every import every
from mutants.mutant import ROOT, Mutant
from mutants.survivors import FILE, listed
from mutants.trial import Reach

PROMISES = range(1, 17)
KINDS = {
    "fence", "guard", "condition", "consistent", "check", "order", "retry", "catch", "choice", "swap", "timeout",
    "concurrency", "expression", "pattern", "by-hand",
}  # fmt: skip


def test_each_kind_is_found_and_each_mutant_has_an_id_of_its_own() -> None:
    assert {mutant.kind for mutant in every()} == KINDS
    assert [name for name, count in Counter(mutant.id for mutant in every()).items() if count > 1] == []


def test_each_mutant_is_another_program() -> None:
    """Of the many checks only some, for time; `make test-mutants` runs them all."""
    tried = [mutant for number, mutant in enumerate(every()) if mutant.kind != "check" or number % 10 == 0]
    sources = {mutant.file: (ROOT / mutant.file).read_bytes() for mutant in tried}
    for mutant in tried:
        changed = mutant.applied(sources[mutant.file])
        assert changed != sources[mutant.file], mutant.id
        if mutant.file.endswith(".py"):
            ast.parse(changed, mutant.id)
        elif mutant.file.endswith(".json"):
            json.loads(changed)


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_has_three_by_hand(promise: int) -> None:
    assert len([defect for defect in DEFECTS if defect.promise == promise]) >= 3


def test_what_is_listed_as_a_survivor_is_still_in_the_code() -> None:
    gone = set(listed()) - {mutant.id for mutant in every()}
    assert not gone, f"{FILE.name} lists mutants that the code no longer has; try their successors: {sorted(gone)}"
    assert [name for name, reason in listed().items() if len(reason) < 20] == [], "each has its reason"


def mutant(file: str, function: str) -> Mutant:
    return Mutant("check", file, function, 0, 1, "x", "some")


def test_the_tests_that_are_tried_first_are_those_of_the_module_then_those_that_run_little() -> None:
    place = "layers/core/ferryman/store/table.py:Store._get"
    tests = {
        "tests/unit/store/test_sizes.py::wide": (frozenset({place, "x", "y"}), 1.0),
        "tests/unit/store/test_sizes.py::narrow": (frozenset({place}), 1.0),
        "tests/unit/store/test_table.py::own": (frozenset({place, "x", "y", "z"}), 1.0),
        "tests/unit/store/test_sizes.py::other": (frozenset({"x"}), 1.0),
    }
    histories = (frozenset({place, "x"}), frozenset({"x"}), frozenset({place}))
    reach, where = Reach(tests, histories), mutant("layers/core/ferryman/store/table.py", "Store._get")
    found = [name.rpartition("::")[2] for name in reach.tests_of(where, budget=10)]
    assert found == ["own", "narrow", "wide"]
    assert len(reach.tests_of(where, budget=2)) == 2
    assert reach.histories_of(where) == [2, 0]
    assert reach.histories_of(mutant("layers/core/ferryman/store/table.py", "Store.other")) == []
    assert reach.histories_of(mutant("statemachines/deploy.asl.json", "RollOut")) == [1, 2, 0]


def test_a_shard_that_is_none_is_refused_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--shard", "3/2"])
    assert "a shard is n/m with n from 1 to m, not '3/2'" in capsys.readouterr().err


def test_shards_are_parts_of_one_list(capsys: pytest.CaptureFixture[str]) -> None:
    def printed(*arguments: str) -> list[str]:
        assert command.main(["--list", "--only", "store/", *arguments]) == 0
        return capsys.readouterr().out.splitlines()

    whole = printed()
    assert whole == printed()
    assert sorted([*printed("--shard", "1/2"), *printed("--shard", "2/2")]) == whole
    assert len(printed("--limit", "5")) == 5
    assert printed("--limit", "5", "--seed", "2") != printed("--limit", "5", "--seed", "3")


def test_the_work_tree_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = next(one for one in every() if one.kind == "consistent")
    tree = trial.Tree.__new__(trial.Tree)
    tree.path = tmp_path
    copied = tmp_path / some.file
    copied.parent.mkdir(parents=True)
    before = (ROOT / some.file).read_bytes()
    copied.write_bytes(before)
    with tree.with_(some):
        assert copied.read_bytes() == some.applied(before)
        assert (ROOT / some.file).read_bytes() == before
    assert copied.read_bytes() == before
