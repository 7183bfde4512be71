"""Until when every change is decided, and when the lists of releases are relied on no more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ferryman.decisions import listing
from ferryman.decisions.listing import listed
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import Listed, ReleaseStatus, Running
from unit import builders as make
from unit.decisions.situations import NOW
from unit.operating import document

BEFORE = Listed(since=NOW - timedelta(days=3), generation=4, decided_until=NOW - timedelta(days=1))
LONG_AGO = NOW - timedelta(days=2)


def look(**changes: object) -> Snapshot:
    """Return a look at a release that runs and one that came after it, two days ago, and has not started."""
    runs, newer = (
        make.release(name, status=ReleaseStatus.READY, first_seen_at=at, ready_at=at, ulid=name)
        for name, at in (("r1", LONG_AGO - timedelta(days=1)), ("r2", LONG_AGO))
    )
    state = make.state(
        active=None, adopted_at=None, listed=BEFORE, current=Running(version="r1", deployment=None, digests={}, at=NOW)
    )
    view = Snapshot(
        platform="scr", name="staging", environment=document().environment("staging"), generation=4, state=state,
        releases=(runs, newer), all_listed=None,
    )  # fmt: skip
    return replace(view, **changes)  # type: ignore[arg-type]


def test_nothing_counts_as_decided_that_changed_after_the_oldest_release_that_may_still_start() -> None:
    assert listed(look(), NOW) == BEFORE.but(decided_until=LONG_AGO)


def test_where_nothing_may_start_all_is_decided_but_what_may_just_be_written() -> None:
    view = look()

    assert listed(replace(view, releases=view.releases[:1]), NOW) == BEFORE.but(decided_until=NOW - listing.LATE)


def test_what_a_deployment_passes_over_is_decided_when_it_has_ended() -> None:
    view = look(state=look().state.but(active=make.state().active))

    assert listed(view, NOW) == BEFORE
    assert listed(replace(view, generation=5), NOW) == BEFORE.but(generation=5, decided_until=None)


def test_nothing_is_decided_where_nothing_runs() -> None:
    assert listed(look(state=look().state.but(current=None)), NOW) == BEFORE.but(decided_until=None)


@pytest.mark.parametrize("before", [BEFORE, None])
def test_the_first_look_that_finds_all_releases_in_the_lists_begins_to_count(before: Listed | None) -> None:
    view = look(all_listed=True, state=look().state.but(listed=before))

    found = listed(view, NOW)

    assert found is not None
    assert found.since == (before.since if before else NOW)


def test_a_missing_release_begins_it_all_again() -> None:
    assert listed(look(all_listed=False), NOW) is None
