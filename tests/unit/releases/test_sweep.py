"""What each sweep does for all releases of a platform: it puts those of earlier versions into the lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from ferryman.errors import Conflict
from ferryman.records import Release
from ferryman.records.writes import Save, Write
from ferryman.releases import sweep
from ferryman.releases.recorder import ReleaseRecorder
from ferryman.store import pointers
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE, FakeDynamoDb
from unit.operating import document

RELEASED = Path(__file__).parents[2] / "contract/released/0.1.0/items.json"


class NoImages:
    """ECR without a repository's images."""

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> list[Any]:
        return []

    def describe_images(self, **_: Any) -> dict[str, Any]:
        return {"imageDetails": []}


def stored_by_released(count: int) -> FakeDynamoDb:
    """Return a table with so many releases as version 0.1.0 stored them: only their versions differ."""
    kept = [
        item for kind, item in json.loads(RELEASED.read_text()) if kind == "Release" and item["status"]["S"] == "Ready"
    ]
    table = FakeDynamoDb()
    for number in range(count):
        version = {"S": f"r{number:04d}"}
        item = {
            **kept[number % len(kept)],
            "version": version,
            "sk": version,
            "pk": {"S": "RELEASE#scr"},
            "platform": {"S": "scr"},
        }
        table.items["RELEASE#scr", version["S"]] = item
    return table


def compare(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    recorder = ReleaseRecorder(store, NoImages(), clock, new_id, lambda name: None)  # type: ignore[arg-type]
    sweep.compare(document(), recorder)


def listed(store: Store) -> int:
    return sum(map(pointers.is_listed, store.releases("scr")))


def test_releases_of_the_released_version_get_into_the_lists_some_at_a_time_and_nobody_is_told(
    clock: FakeClock, new_id: FakeIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "LISTED_AT_ONCE", 25)
    table = stored_by_released(60)
    store = Store(table, TABLE)  # type: ignore[arg-type]
    before = store.releases("scr")

    counts = []
    for _ in range(4):
        compare(store, clock, new_id)
        counts.append(listed(store))

    assert counts == [25, 50, 60, 60]
    assert {pk.partition("#")[0] for pk, _ in table.items} == {"RELEASE", "ORDER", "CHANGED", "IMAGES"}
    assert store.pointed("scr", "ORDER") == [release.version for release in before]
    same = {"listed": "", "rev": 0}
    assert [one.but(**same) for one in store.releases("scr")] == [one.but(**same) for one in before]
    assert {one.rev - was.rev for one, was in zip(store.releases("scr"), before, strict=True)} == {1}


def test_what_somebody_else_changes_meanwhile_is_left_to_the_next_sweep(clock: FakeClock, new_id: FakeIds) -> None:
    class Late(Store):
        late = True

        def write(self, *writes: Write) -> None:
            if self.late:
                self.late = False
                raise Conflict("somebody was faster")
            super().write(*writes)

    store = Late(stored_by_released(30), TABLE)  # type: ignore[arg-type]

    compare(store, clock, new_id)
    assert listed(store) == 30 - sweep.TOGETHER
    compare(store, clock, new_id)
    assert listed(store) == 30


def test_a_release_that_moves_is_found_at_its_new_place(store: Store) -> None:
    """In the transaction that moves it. Its old pointer stays, and leads to the release as well."""
    first, second = (
        Release.model_validate(
            {"platform": "scr", "version": f"r{number}", "status": "Assembling", "ulid": f"{number}",
             "firstSeenAt": f"2026-01-0{number}T00:00:00Z"}
        )
        for number in (1, 2)
    )  # fmt: skip
    store.write(Save(first), Save(second))

    saved = store.release("scr", "r1")
    assert saved is not None
    store.write(Save(saved.but(seq=7)))

    found = store.pointed("scr", "ORDER", after=f"{pointers.place(second)}#r2")
    assert found == ["r1"]
    assert [release.version for release in store.releases_named("scr", [*found, "r9"])] == ["r1"]


def test_places_sort_as_orders_do() -> None:
    template = {"platform": "scr", "version": "v", "status": "Assembling"}
    times = ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000001Z", "2026-01-02T04:04:04+01:00", "2025-12-31T23:59:59Z")
    releases = [
        Release.model_validate({**template, "seq": seq, "firstSeenAt": at, "ulid": ulid})
        for seq in (None, 0, 1, 9, 10, 10**18 - 1)
        for at in times
        for ulid in ("01A", "01B")
    ]

    assert sorted(releases, key=pointers.place) == sorted(releases, key=lambda release: release.order)
