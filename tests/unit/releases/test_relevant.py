"""A look at the releases that matter decides what a look at all of them decides, and reads no more as history grows."""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from ferryman.decisions import listing
from ferryman.decisions.actions import (
    Action,
    NoteSameImages,
    Observe,
    RefuseTag,
    ReportWaiting,
    Start,
    Supersede,
)
from ferryman.decisions.candidates import TAG_REFUSED
from ferryman.decisions.decide import decide
from ferryman.decisions.snapshot import Snapshot
from ferryman.platform import Environment
from ferryman.records import (
    Deployment,
    EnvironmentState,
    Image,
    Listed,
    Phase,
    Release,
    ReleaseStatus,
    Running,
    Settled,
    Verified,
)
from ferryman.records.writes import Save
from ferryman.releases import relevant
from ferryman.store import items, pointers, sizes
from ferryman.store.table import Store
from unit import builders as make
from unit.decisions.situations import NOW
from unit.fakes.dynamodb import TABLE, FakeDynamoDb
from unit.operating import document

SEEDS = 12
LETTERS = "aabcdefghijklmno"
"""Few images, so that many releases have the same ones."""


def an_environment(chosen: random.Random) -> Environment:
    found = document().environment("staging")
    triggers = chosen.choice([["push"], ["tag"], ["promotion"], ["push", "tag"], ["tag", "promotion"]])
    source = "staging" if "promotion" in triggers or chosen.random() < 0.4 else None
    changes = {"triggers": triggers, "promote_from": source, "scan": None, "soak": None}
    return found.model_copy(update=changes)


@dataclass
class History:
    """One environment called `here`, promoted from `staging`; what is decided is carried out on the spot."""

    chosen: random.Random
    environment: Environment = field(init=False)
    table: FakeDynamoDb = field(init=False)
    store: Store = field(init=False)
    now: Any = NOW
    generation: int = 1
    deployments: list[Deployment] = field(default_factory=list)
    source: EnvironmentState = field(default_factory=lambda: EnvironmentState(platform="scr", environment="staging"))
    few: int = 0
    """Looks that did not read all releases."""
    acts: list[str] = field(default_factory=list)
    _ids: int = 0

    def __post_init__(self) -> None:
        self.environment = an_environment(self.chosen)
        self.table = FakeDynamoDb()
        self.store = Store(self.table, TABLE)  # type: ignore[arg-type]
        adopted = self.now - timedelta(hours=5) if self.chosen.random() < 0.5 else None
        self.state = EnvironmentState(platform="scr", environment="here", adopted_at=adopted)

    def id(self) -> str:
        self._ids += 1
        return f"{self._ids:026d}"

    def save(self, release: Release) -> None:
        self.store.write(Save(release))

    def any_release(self) -> Release | None:
        known = self.store.releases("scr")
        return self.chosen.choice(known[-8:] if self.chosen.random() < 0.7 else known) if known else None

    # ── what happens ──

    def push(self) -> None:
        at = self.now - timedelta(minutes=self.chosen.choice([0, 0, 0, 30, 600]))
        status = ReleaseStatus.READY if self.chosen.random() < 0.75 else ReleaseStatus.ASSEMBLING
        number = self.id()
        self.save(
            Release(
                platform="scr",
                version=f"r{number[-4:]}",
                status=status,
                components=images(self.chosen.choice(LETTERS)),
                seq=self.chosen.choice([None, None, None, self._ids]),
                first_seen_at=at,
                ready_at=self.now if status is ReleaseStatus.READY else None,
                ulid=number,
            )
        )

    def happen(self) -> None:
        release, kind = self.any_release(), self.chosen.random()
        if release is None or kind < 0.45:
            self.push()
        elif kind < 0.55:
            if release.status is ReleaseStatus.ASSEMBLING:
                self.save(release.but(status=ReleaseStatus.READY, ready_at=self.now))
        elif kind < 0.7:
            self.save(release.but(names=[*release.names, f"v{self.id()[-3:]}.0.0"], named_at=self.now))
        elif kind < 0.85:
            proof = Verified(deployment=self.id(), digests=release.digests, at=self.now)
            self.save(release.but(verified={**release.verified, "staging": proof}))
        elif kind < 0.9:
            # The order of a release can change, even that of what runs.
            self.save(
                release.but(first_seen_at=release.first_seen_at - timedelta(minutes=self.chosen.choice([1, 200])))
            )
        elif kind < 0.93:
            left = Settled(phase=Phase.FAILED, reason="RolledBack", at=self.now)
            self.source = self.source.but(settled={**self.source.settled, release.version: left})
        elif kind < 0.96 and self.state.current is not None:
            # A person goes back.
            if release.status is ReleaseStatus.READY:
                self.deploy(release, Phase.SUCCEEDED)
        elif kind < 0.98:
            self.environment, self.generation = an_environment(self.chosen), self.generation + 1
        else:
            self.earlier_version(release)

    def earlier_version(self, release: Release) -> None:
        """Have a version of Ferryman that knows no lists name a release and look, as it does every five minutes."""
        named = release.but(names=[*release.names, f"v{self.id()[-3:]}.0.0"], named_at=self.now, rev=release.rev + 1)
        item = items.item(named)
        del item["listed"]
        self.table.items[item["pk"]["S"], item["sk"]["S"]] = item
        self.state = self.state.but(listed=None)

    def sweep(self) -> None:
        for release in self.store.releases("scr"):
            if not pointers.is_listed(release):
                self.save(release)

    # ── a look ──

    def look(self) -> None:
        for _ in range(30):
            releases = tuple(self.store.releases("scr"))
            complete = all(map(pointers.is_listed, releases))
            every = replace(self.view(), releases=releases, all_listed=complete)
            some = relevant.with_releases(self.view(), self.store, self.now)
            self.few += some.all_listed is None
            decided = decide(some, self.now)
            assert decided == decide(every, self.now), (self.environment.triggers, some.all_listed)
            acts = [action for action in decided if self.carry_out(action, every)]
            if not acts:
                return
        raise AssertionError("it does not come to rest")

    def view(self) -> Snapshot:
        return Snapshot(
            platform="scr",
            name="here",
            environment=self.environment,
            generation=self.generation,
            state=self.state,
            deployments=tuple(self.deployments[::-1]),
            source=self.source,
            swept=True,
        )

    def carry_out(self, action: Action, view: Snapshot) -> bool:
        self.acts.append(type(action).__name__)
        match action:
            case Start():
                release = view.release(action.version)
                assert release is not None
                self.skip(view, action.supersede)
                phase = self.chosen.choice([Phase.SUCCEEDED, Phase.SUCCEEDED, Phase.SUCCEEDED, Phase.FAILED])
                self.deploy(release, phase)
            case Supersede():
                self.skip(view, action.versions[:3])
            case NoteSameImages():
                self.report(action.version, "SameImages")
                release, proven = view.release(action.version), view.release(action.proof_of)
                proof = proven.verified.get("here") if proven else None
                if release is not None and proof is not None:
                    self.save(release.but(verified={**release.verified, "here": proof}, copied_at=self.now))
            case ReportWaiting():
                self.report(action.version, action.reason)
            case RefuseTag():
                self.settle(action.version, Settled(phase=Phase.REJECTED, reason=TAG_REFUSED, at=self.now))
            case Observe():
                self.state = self.state.but(
                    conditions=action.conditions, observed_generation=action.generation, listed=action.listed,
                    waiting_since=action.waiting_since, waiting_for=action.waiting_for, reconciled_at=self.now,
                )  # fmt: skip
                return False
            case _:
                return False
        return True

    def deploy(self, release: Release, phase: Phase) -> None:
        self.record(release, phase)
        if phase is Phase.SUCCEEDED:
            before = self.state.settled
            rest = {version: one for version, one in before.items() if version != release.version}
            running = Running(
                version=release.version, deployment=self.deployments[-1].id, digests=release.digests, at=self.now
            )
            self.state = self.state.but(current=running, settled=rest)
            proof = Verified(deployment=running.deployment or "", digests=release.digests, at=self.now)
            fresh = self.store.release("scr", release.version)
            assert fresh is not None
            self.save(fresh.but(verified={**fresh.verified, "here": proof}))
        else:
            self.settle(release.version, Settled(phase=phase, reason="RolloutFailed", at=self.now))

    def skip(self, view: Snapshot, versions: tuple[str, ...]) -> None:
        for version in versions:
            release = view.release(version)
            assert release is not None
            self.record(release, Phase.SUPERSEDED)

    def record(self, release: Release, phase: Phase) -> None:
        plan = make.plan() if phase is not Phase.SUPERSEDED else None
        self.deployments.append(
            make.deployment(
                environment="here", id=self.id(), version=release.version, phase=phase, plan=plan, steps={},
                digests=release.digests, created_at=self.now, started_at=self.now, ended_at=self.now,
            )
        )  # fmt: skip
        self.state = self.state.but(tagged=self.deployments[-1].id)

    def report(self, version: str, reason: str) -> None:
        before = self.state.reported
        self.state = self.state.but(reported={**before, version: (*before.get(version, ()), reason)})

    def settle(self, version: str, settled: Settled) -> None:
        self.state = self.state.but(settled={**self.state.settled, version: settled})


def images(letter: str) -> dict[str, Image]:
    return make.images("x", letter)


def test_the_releases_that_matter_decide_what_all_of_them_decide() -> None:
    few, acts = 0, set[str]()
    for seed in range(SEEDS):
        world = History(random.Random(seed))
        for _ in range(25):
            for _ in range(world.chosen.choice([0, 1, 1, 2, 6])):
                world.happen()
            world.now += timedelta(minutes=world.chosen.choice([1, 5, 40, 300]))
            world.look()
            if world.chosen.random() < 0.3:
                world.sweep()
        few += world.few
        acts.update(world.acts)
    assert few > 200
    assert {"Start", "Supersede", "NoteSameImages", "Observe"} <= acts


class Counting(FakeDynamoDb):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = self.items_read = self.bytes_read = 0

    def get_item(self, **how: Any) -> Any:
        found = super().get_item(**how)
        return self._counted(found, [found["Item"]] if found else [])

    def query(self, **how: Any) -> Any:
        found = super().query(**how)
        return self._counted(found, found["Items"])

    def batch_get_item(self, **how: Any) -> Any:
        found = super().batch_get_item(**how)
        return self._counted(found, [item for part in found["Responses"].values() for item in part])

    def _counted(self, answer: Any, found: list[Any]) -> Any:
        self.calls += 1
        self.items_read += len(found)
        self.bytes_read += sum(sizes.of_item(item) for item in found)
        return answer


def history(count: int) -> tuple[Counting, Snapshot]:
    """Return a table of so many releases, a day apart, of which the newest runs; and a look at it."""
    table = Counting()
    for number in range(count):
        at = NOW - timedelta(days=count - number)
        release = make.release(
            f"r{number:07d}", status=ReleaseStatus.READY, first_seen_at=at, ready_at=at, ulid=f"{number:026d}",
            components=images("abcdef"[number % 6]),
        )  # fmt: skip
        for record in (release.but(listed=pointers.mark(release), rev=1), *pointers.of(release)):
            item = items.item(record)
            table.items[item["pk"]["S"], item["sk"]["S"]] = item
    running = Running(version=f"r{count - 1:07d}", deployment="1", digests={}, at=NOW)
    listed = Listed(since=NOW - timedelta(days=1), generation=1, decided_until=NOW - listing.LATE)
    state = make.state(active=None, current=running, listed=listed)
    return table, Snapshot(
        platform="scr", name="staging", environment=document().environment("staging"), generation=1, state=state
    )


def read(count: int) -> tuple[int, int, int]:
    table, view = history(count)
    relevant.with_releases(view, Store(table, TABLE), NOW)  # type: ignore[arg-type]
    return table.calls, table.items_read, table.bytes_read


def test_an_idle_look_reads_as_much_of_ten_thousand_releases_as_of_ten() -> None:
    assert read(10_000) == read(10) == (3, 1, pytest.approx(550, abs=50))


def test_a_look_at_a_new_release_reads_it_and_those_with_the_same_images() -> None:
    table, view = history(50)
    older = view.state.but(current=view.state.current.but(version="r0000048") if view.state.current else None)

    seen = relevant.with_releases(replace(view, state=older), Store(table, TABLE), NOW)  # type: ignore[arg-type]

    same = [f"r{number:07d}" for number in range(1, 50, 6)]
    assert [release.version for release in seen.releases] == sorted([*same, "r0000048"])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"listed": None}, id="a version that knows no lists wrote the state"),
        pytest.param({"listed": Listed(since=NOW, generation=1, decided_until=NOW)}, id="listed only now"),
        pytest.param(
            {"listed": Listed(since=NOW - timedelta(days=1), generation=0, decided_until=NOW)}, id="another document"
        ),
        pytest.param({"listed": Listed(since=NOW - timedelta(days=1), generation=1)}, id="nothing decided"),
        pytest.param({"current": None}, id="nothing runs"),
        pytest.param({"current": Running(version="gone", deployment=None, digests={}, at=NOW)}, id="unknown runs"),
    ],
)
def test_all_releases_are_read_where_the_lists_cannot_be_relied_on(changes: dict[str, Any]) -> None:
    table, view = history(20)

    seen = relevant.with_releases(replace(view, state=view.state.but(**changes)), Store(table, TABLE), NOW)  # type: ignore[arg-type]

    assert (len(seen.releases), seen.all_listed) == (20, True)


def test_all_releases_are_read_when_very_many_are_newer_than_what_runs() -> None:
    table, view = history(relevant.MOST + 10)
    old = view.state.but(current=Running(version="r0000003", deployment=None, digests={}, at=NOW))

    seen = relevant.with_releases(replace(view, state=old), Store(table, TABLE), NOW)  # type: ignore[arg-type]

    assert len(seen.releases) == relevant.MOST + 10


def test_a_release_that_an_earlier_version_wrote_is_missing_in_the_lists() -> None:
    """Version 0.1.0 drops `listed`, and writes no pointers; the state says so from the next look on."""
    table, view = history(20)
    table.items["RELEASE#scr", "r0000007"].pop("listed")

    seen = relevant.with_releases(replace(view, generation=2), Store(table, TABLE), NOW)  # type: ignore[arg-type]

    assert seen.all_listed is False
    assert listing.listed(seen, NOW) is None
