"""Which other release decides about the images of one: what runs, is on its way, or ended badly here."""

from typing import Any

import pytest

from ferryman.decisions.actions import EndApproval, NoteSameImages, Start
from ferryman.decisions.candidates import hopeless, outlook
from ferryman.decisions.decide import decide
from ferryman.decisions.same_images import older_twin, twin_of, words
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import Active, Phase, Release, ReleaseStatus, Settled, Verified
from unit import builders as make
from unit.decisions.promoting import HOUR, NOW, at, production, release, settled, view
from unit.decisions.situations import asked, named

TWO = release(2, named=1, verified=2)


WAITING = (release(1), named(2), named(3, 1))
"""r3 was named an hour ago: after r2's approval was asked for."""


def again(number: int, of: Release = TWO, **changes: Any) -> Release:
    """Release `rN` with the images of another, and all that lets it come."""
    proof = Verified(deployment="D", digests=of.digests, at=at(2))
    return release(number, named=0.5, verified={"staging": proof}, components=of.components, **changes)


def proven(of: Release) -> Release:
    """It succeeded in production."""
    proof = Verified(deployment="D", digests=of.digests, at=at(1))
    return of.but(verified={**of.verified, "production": proof})


def active(version: str) -> Active:
    return Active(deployment="D1", version=version, fence=7, execution_name="x", input="{}", claimed_at=at(1))


def tried(version: str, phase: Phase, **changes: Any) -> Any:
    return make.deployment(environment="production", version=version, phase=phase, **changes)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(view(proven(TWO), again(3), current=2), "running", id="runs"),
        pytest.param(view(TWO, again(3), current=2), None, id="runs-since-before-us"),
        pytest.param(view(proven(TWO), again(3), current=1), None, id="ran-before"),
        pytest.param(
            view(proven(TWO), again(3), current=2, deployments=(tried("r1", Phase.FAILED),)), None, id="after-a-failure"
        ),
        pytest.param(
            view(proven(TWO), again(3), current=2, deployments=(tried("r1", Phase.ROLLED_BACK),)),
            "running",
            id="after-a-failure-that-was-undone",
        ),
        pytest.param(view(TWO, again(3), active=active("r2")), "deploying", id="on-its-way"),
        pytest.param(
            view(TWO, again(3), active=active("r2"), deployment=tried("r2", Phase.RUNNING, kind="migrate")),
            None,
            id="a-database-command",
        ),
        pytest.param(view(TWO, again(3), settled={"r2": settled("Rejected")}), "settled", id="rejected"),
        pytest.param(view(TWO, again(3), settled={"r2": settled("Failed")}), "settled", id="failed"),
        pytest.param(
            view(TWO, again(3), settled={"r2": settled("Rejected", reason="TagRefused")}), None, id="never-tried"
        ),
        pytest.param(
            view(
                TWO,
                again(3),
                settled={"r2": settled("Errored", retry_in=1)},
                deployments=(tried("r2", Phase.ERRORED),),
            ),
            "retrying",
            id="retried",
        ),
        pytest.param(view(TWO, again(3), settled={"r2": settled("Errored", retry_in=-9)}), None, id="errored-long-ago"),
        pytest.param(
            view(TWO, again(3, status=ReleaseStatus.INCOMPLETE), settled={"r2": settled("Failed")}),
            None,
            id="not-complete",
        ),
        pytest.param(view(TWO, release(3, named=1, verified=1), settled={"r2": settled("Failed")}), None, id="others"),
    ],
)
def test_what_decides(seen: Snapshot, expected: str | None) -> None:
    twin = twin_of(seen, seen.releases[1])
    assert (twin.how if twin else None) == expected
    if twin is not None:
        assert twin.release.version == "r2"
        assert outlook(seen, NOW).ready is None
        assert words(seen, seen.releases[1], twin).startswith("r3 has the same images as r2, which ")


def test_one_image_more_or_another_is_not_the_same() -> None:
    part = {"api": TWO.components["api"]}
    mixed = {**TWO.components, "web": make.images("r3", "f")["web"]}
    for components in (part, mixed, {}):
        other = release(3, named=1, components=components)
        assert twin_of(view(proven(TWO), other, current=2), other) is None


def test_it_is_told_once_and_then_what_is_older_does_not_come() -> None:
    seen = view(release(1), proven(TWO), again(4), current=2)
    (note,) = decide(seen, NOW)
    assert note == NoteSameImages("r4", note.message, proof_of="r2", loud=False)  # type: ignore[union-attr]
    known = view(*seen.releases, current=2, reported={"r4": ("SameImages",)})
    assert not any(isinstance(action, Start | NoteSameImages) for action in decide(known, NOW))


@pytest.mark.parametrize("current", [1, 2])
def test_old_images_under_a_new_name_are_told_loudly_and_the_newest_comes(current: int) -> None:
    """Also if they run: it would take the place of the release that came in between."""
    newest = release(3, named=0.9, verified=1)
    seen = view(release(1), proven(TWO), newest, again(4), again(5), current=current)
    (note,) = decide(seen, NOW)
    assert isinstance(note, NoteSameImages)
    assert (note.version, note.proof_of, note.loud) == ("r5", None, True)
    assert "has the same images as r2, which is older than r3" in note.message
    ready = outlook(seen, NOW).ready
    assert ready is not None
    assert ready.release == newest


@pytest.mark.parametrize(
    ("releases", "older"),
    [
        pytest.param("12", None, id="own-images"),
        pytest.param("122", None, id="a-docs-only-commit"),
        pytest.param("1222", None, id="two-docs-only-commits"),
        pytest.param("121", "r1", id="re-tagged"),
        pytest.param("1211", "r1", id="re-tagged-twice"),
        pytest.param("1212", None, id="the-newest-after-a-re-tag"),
        pytest.param("123121", "r1", id="another-after-others"),
        pytest.param("1213", None, id="a-new-one-after-a-re-tag"),
    ],
)
def test_which_release_is_older_than_its_name(releases: str, older: str | None) -> None:
    """Each digit stands for a release with these images, oldest first; asked about the last one."""
    made = [
        release(number, components=release(int(images)).components) for number, images in enumerate(releases, start=1)
    ]
    found = older_twin(view(*made), made[-1])
    assert (found.version if found else None) == older


def test_one_changed_component_of_several_is_a_release_of_its_own() -> None:
    one, two = release(1), release(2)
    mixed = release(3, components={**two.components, "api": one.components["api"]})
    assert older_twin(view(one, two, mixed), mixed) is None


def test_a_proof_of_its_own_says_that_a_person_wanted_it() -> None:
    three = release(3, components=release(1).components)
    seen = [release(1), release(2), three]
    assert older_twin(view(*seen), three) is not None
    own = Verified(deployment="D2", digests=three.digests, at=at(0))
    earned = three.but(verified={"staging": own})
    assert older_twin(view(*seen[:2], earned), earned) is None
    first = seen[0].but(verified=earned.verified)
    assert older_twin(view(first, seen[1], earned), earned) is not None, "the proof is the first one's"
    copied = three.but(verified={"staging": own.but(at=three.first_seen_at - HOUR)})
    assert older_twin(view(*seen[:2], copied), copied) is not None, "the proof is older than the release"


def test_that_is_told_once() -> None:
    known = view(release(1), proven(TWO), again(4), current=2, reported={"r4": ("SameImages",)})
    assert not any(isinstance(action, Start | NoteSameImages) for action in decide(known, NOW))


def test_its_tag_is_not_refused_for_lack_of_a_proof() -> None:
    seen = view(proven(TWO), again(3, named_at=at(900)).but(verified={}), current=2, environment=production())
    assert hopeless(seen, NOW) is None


def test_it_does_not_take_the_place_of_the_one_that_waits_for_approval() -> None:
    """Approvers are not asked twice for the same images."""
    twin = named(3, 1, components=WAITING[1].components)
    twin = twin.but(verified={"staging": twin.verified["staging"].but(digests=twin.digests)})
    waiting = asked(releases=(*WAITING[:2], twin))
    assert not any(isinstance(action, EndApproval) for action in decide(waiting, NOW))
    assert any(isinstance(action, EndApproval) for action in decide(asked(releases=WAITING), NOW))


def test_the_last_of_several_that_ended_badly_is_named() -> None:
    ended = {"r2": settled("Rejected", 3), "r3": settled("Failed", 1)}
    assert isinstance(ended["r3"], Settled)
    four = again(4)
    twin = twin_of(view(TWO, again(3), four, settled=ended), four)
    assert twin is not None
    assert twin.release.version == "r3"
