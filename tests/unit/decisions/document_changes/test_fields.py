"""What a new document changes, field by field, and which of it loosens a gate."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ferryman.decisions.document_changes.compare import compare
from ferryman.decisions.document_changes.fields import FieldChange, fields
from ferryman.platform import parse
from unit.decisions.gated import stored

AT = "spec.environments.production"


def changes(edit: Callable[[dict[str, Any]], object]) -> list[tuple[str, str | None, str | None, bool]]:
    after = copy.deepcopy(stored())
    edit(after)
    old, new = parse(stored()), parse(after)
    found = fields(old.dump(), new.dump(), compare(old, new))
    return [(item.path.replace(AT, "…"), item.before, item.after, item.loosens) for item in found]


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set one field of production."""

    def edit(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        node = data["spec"]["environments"]["production"]
        for name in parents:
            node = node[int(name)] if name.isdigit() else node[name]
        if isinstance(node, list):
            node[int(last)] = value
        else:
            node[last] = value

    return edit


def test_the_same_document_changes_nothing() -> None:
    assert changes(lambda _: None) == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (put("soak", "10m"), ("….soak", "1h", "10m", True)),
        (put("soak", "2h"), ("….soak", "1h", "2h", False)),
        (put("scan", None), ("….scan", "block: CRITICAL, HIGH", None, True)),
        (put("triggers", ["tag", "promotion"]), ("….triggers", "tag, manual", "tag, promotion", True)),
        (
            put("approval.approvers.0.slack", "U0000EVE"),
            ("….approval.approvers[Ada].slack", "U0000ADA", "U0000EVE", True),
        ),
        (put("smokeTests.0.expect.status", [500]), ("….smokeTests[health].expect.status", "200", "500", True)),
        (put("waves.0.services.1.component", "api"), ("….waves[one].services[web].component", "web", "api", False)),
    ],
    ids=["shorter-soak", "longer-soak", "scan", "triggers", "approver", "smoke-test", "service"],
)
def test_one_field(edit: Callable[[dict[str, Any]], None], expected: tuple[str, str, str, bool]) -> None:
    assert expected in changes(edit)


def test_what_comes_or_goes_is_one_change() -> None:
    def replace(data: dict[str, Any]) -> None:
        approvers = data["spec"]["environments"]["production"]["approval"]["approvers"]
        approvers[0] = {"name": "Eve", "email": "eve@scr.example"}

    found = {path: (before is None, after is None, loosens) for path, before, after, loosens in changes(replace)}

    assert found["….approval.approvers[Ada]"] == (False, True, True)
    assert found["….approval.approvers[Eve]"] == (True, False, True)


def test_another_order_is_told_as_such() -> None:
    def turn(data: dict[str, Any]) -> None:
        data["spec"]["environments"]["production"]["approval"]["approvers"].reverse()

    assert changes(turn) == [("….approval.approvers", "order Ada, Grace", "order Grace, Ada", False)]


def test_an_environment_that_leaves_loosens_a_gate() -> None:
    def remove(data: dict[str, Any]) -> None:
        del data["spec"]["environments"]["production"]

    [(path, before, after, loosens)] = changes(remove)

    assert (path, before is None, after, loosens) == ("…", False, None, True)


def test_a_judgement_about_a_part_or_the_whole_marks_both_and_no_namesake() -> None:
    from ferryman.decisions.document_changes.change import Change

    def marked(judged: str) -> list[FieldChange]:
        before, after = {"a": {"soak": 1}}, {"a": {"soak": 2}}
        return [item for item in fields(before, after, [Change("x", judged, "looser", "")]) if item.loosens]

    assert [len(marked(path)) for path in ("a.soak", "a", "a.soak.deep", "a.soakLonger", "b")] == [1, 1, 1, 0, 0]


def test_a_first_document_changes_no_field() -> None:
    assert fields(None, parse(stored()).dump(), []) == []
