"""What labels tell of an image's migrations, and what stands between a database and a release, as tables."""

from typing import Any

import pytest

from ferryman.decisions.schema_compatibility import MIGRATIONS, UNSAFE, ImageLabels, migrations, since


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
