"""From push events to a release, whatever their order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ferryman.records import Release
from ferryman.releases import assembly
from ferryman.releases.assembly import Effect, Pushed

V1 = "aaaaaaa1"


@st.composite
def pushes(draw: st.DrawFn) -> list[Pushed]:
    import datetime as dt

    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return [
        Pushed(
            platform="scr",
            component=draw(st.sampled_from(["api", "web"])),
            version=V1,
            tag=V1,
            digest="sha256:1",
            at=start + dt.timedelta(seconds=draw(st.integers(0, 50))),
            seq=draw(st.none() | st.integers(0, 3)),
        )
        for _ in range(draw(st.integers(1, 6)))
    ]


@given(pushes(), st.randoms(use_true_random=False))
def test_assembling_does_not_depend_on_the_order(events: list[Pushed], random: Any) -> None:
    shuffled = [*events, *events[:2]]
    random.shuffle(shuffled)
    assert _assembled(events) == _assembled(shuffled)


def _assembled(events: list[Pushed]) -> Release:
    release: Release | None = None
    for pushed in events:
        release, effect = assembly.merge(
            release, pushed, wanted=["api", "web"], now=pushed.at.replace(year=2027, second=0), new_id=lambda: "ulid"
        )
        assert effect is not Effect.REFUSED
    assert release is not None
    return release.but(ready_at=None)
