"""What labels tell of an image's migrations, and what stands between a database and a release, as tables."""

from typing import Any

import pytest

from ferryman.decisions.schema_compatibility import (
    MIGRATIONS,
    UNSAFE,
    ImageLabels,
    Schema,
    Since,
    migrations,
    since,
)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param({}, (None, []), id="silent"),
        pytest.param({MIGRATIONS: ""}, ([], []), id="none"),
        pytest.param({MIGRATIONS: " 001 , 002,,001"}, (["001", "002"], []), id="spaces-and-repeats"),
        pytest.param({MIGRATIONS: "001,002", UNSAFE: "002"}, (["001", "002"], ["002"]), id="unsafe"),
        pytest.param({UNSAFE: "002"}, (None, ["002"]), id="only-unsafe"),
        pytest.param({MIGRATIONS: "a;rm\n-rf"}, (None, []), id="control-characters"),
        pytest.param({MIGRATIONS: "<script>"}, (None, []), id="markup"),
        pytest.param({MIGRATIONS: "x" * 129}, (None, []), id="long-id"),
        pytest.param({MIGRATIONS: ",".join(map(str, range(1001)))}, (None, []), id="too-many"),
        pytest.param({MIGRATIONS: "1," * 20_000}, (None, []), id="too-long"),
    ],
)
def test_migrations(labels: dict[str, str], expected: Any) -> None:
    assert migrations(labels) == expected


def told(ids: str | None, unsafe: str = "") -> ImageLabels:
    return ImageLabels({**({} if ids is None else {MIGRATIONS: ids}), **({UNSAFE: unsafe} if unsafe else {})})


GONE = ImageLabels({}, "the image is gone")


@pytest.mark.parametrize(
    ("database", "target", "status", "between", "unsafe"),
    [
        pytest.param(told("1,2,3"), told("1"), "Known", ["2", "3"], [], id="safe"),
        pytest.param(told("1,2,3", "2"), told("1"), "Known", ["2", "3"], ["2"], id="unsafe"),
        pytest.param(told("1,2,3", "1"), told("1"), "Known", ["2", "3"], [], id="unsafe-but-before"),
        pytest.param(told("1,2", "2"), told("1,2"), "Known", [], [], id="none-between"),
        pytest.param(told("1", "9"), told("1"), "Known", [], ["9"], id="marked-but-not-listed"),
        pytest.param(told(None), told(None), "Untold", [], [], id="no-labels-anywhere"),
        pytest.param(told(None, "2"), told(None), "Unclear", [], [], id="only-marks"),
        pytest.param(told("1,2"), told(None), "Known", [], [], id="target-older-than-labels-nothing-unsafe"),
        pytest.param(told("1,2", "2"), told(None), "Unclear", [], [], id="target-older-than-labels"),
        pytest.param(told(None), told("1"), "Unclear", [], [], id="the-database's-image-is-silent"),
        pytest.param(GONE, told("1"), "Unclear", [], [], id="unreadable"),
        pytest.param(told("1"), GONE, "Unclear", [], [], id="target-unreadable"),
    ],
)
def test_since(database: ImageLabels, target: ImageLabels, status: str, between: list[str], unsafe: list[str]) -> None:
    found = since(database, target)

    assert (found.status, found.migrations, found.unsafe) == (status, between, unsafe)
    assert found.message


NAMED = {f"{MIGRATIONS}.orders": "1,2", f"{MIGRATIONS}.orders.not-rollback-safe": "2"}
PLAIN = {MIGRATIONS: "7", UNSAFE: "7"}


@pytest.mark.parametrize(
    ("labels", "name", "alone", "expected"),
    [
        pytest.param(NAMED, "orders", False, (["1", "2"], ["2"]), id="its-own"),
        pytest.param(NAMED, "stock", False, (None, []), id="those-of-another-one"),
        pytest.param(PLAIN, "orders", False, (None, []), id="nobody-knows-whose"),
        pytest.param(PLAIN, "orders", True, (["7"], ["7"]), id="there-is-no-other-in-the-image"),
        pytest.param(PLAIN | NAMED, "orders", True, (["1", "2"], ["2"]), id="its-own-come-first"),
        pytest.param(PLAIN | NAMED, "", True, (["7"], ["7"]), id="without-a-name"),
        pytest.param({UNSAFE: "9"} | NAMED, "orders", True, (["1", "2"], ["2"]), id="no-mix"),
    ],
)
def test_the_labels_of_one_of_several_migrations(labels: dict[str, str], name: str, alone: bool, expected: Any) -> None:
    found = ImageLabels(labels).of_migration(name, alone=alone)
    assert (found.migrations, found.unsafe) == expected


def test_what_could_not_be_read_may_be_about_any_migration() -> None:
    half = ImageLabels(PLAIN, unread="the configuration cannot be read")
    assert half.of_migration("", alone=True).reason == ""
    assert half.of_migration("orders", alone=False).reason == "the configuration cannot be read"
    assert ImageLabels(NAMED, unread="x").of_migration("orders", alone=False).reason == ""
    assert GONE.of_migration("orders", alone=True).reason == "the image is gone"


@pytest.mark.parametrize(
    ("since", "knows", "newer", "expected"),
    [
        pytest.param(Since("Known", ["2"]), ["1"], True, True, id="something-to-take-back"),
        pytest.param(Since("Known"), ["1"], True, False, id="nothing-new"),
        pytest.param(Since("Known"), None, True, True, id="the-release-does-not-say"),
        pytest.param(Since("Known", [], ["9"]), ["1"], True, True, id="only-marked"),
        pytest.param(Since("Untold"), None, True, True, id="nobody-knows-what"),
        pytest.param(Since("Unclear"), ["1"], True, True, id="cannot-be-read"),
        pytest.param(Since("Known", ["2"]), ["1"], False, False, id="no-newer-release-ran-it"),
    ],
)
def test_whether_a_downgrade_has_something_to_do(
    since: Since, knows: list[str] | None, newer: bool, expected: bool
) -> None:
    assert Schema("orders", since, knows, newer).goes_back is expected
