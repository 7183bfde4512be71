"""Semver tags: which release they name, whatever the order in which images, tags and events arrive."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from ferryman.clients.ecr import TaggedImage
from ferryman.errors import Conflict
from ferryman.platform import Platform, parse
from ferryman.records import Image, Release, ReleaseStatus, SemverName, Verified
from ferryman.releases import semver_tags
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.operating import World, document

NOW = make.AT + timedelta(days=1)
V1, V2, V3 = "aaaaaaa1", "aaaaaaa2", "aaaaaaa3"
NAME = "v1.0.0"
DOCUMENT = document(production={})


def image(letter: str, *tags: str) -> TaggedImage:
    return TaggedImage(make.digest(letter), (NAME, *tags), make.AT)


def release(number: int, status: str = "Ready", verified: tuple[str, ...] = (), **letters: str) -> Release:
    version = f"aaaaaaa{number}"
    first = make.AT + timedelta(minutes=number)
    return Release(
        platform="scr",
        version=version,
        status=ReleaseStatus(status),
        components={
            name: Image(digest=make.digest(letter), tag=version, first_seen_at=first)
            for name, letter in letters.items()
        },
        first_seen_at=first,
        ulid=version,
        verified={name: Verified(deployment="D", digests={}, at=make.AT) for name in verified},
    )


def known(status: Any, version: str | None = None, minutes: float = 1) -> SemverName:
    first = NOW - timedelta(minutes=minutes)
    return SemverName(platform="scr", name=NAME, status=status, version=version, first_seen_at=first)


R1, R2 = release(1, api="a", web="b"), release(2, api="c", web="b")

VERDICTS = [
    ("nothing-carries-it", {}, (R1,), None, "Waiting", "is waiting for images of api, web"),
    ("one-carries-it", {"api": image("a", V1)}, (R1,), None, "Waiting", "is waiting for images of web"),
    ("all-carry-it", {"api": image("a", V1), "web": image("b", V1, V2)}, (R1, R2), None, V1, "all its images carry it"),
    (
        "the-same-images-the-one-verified-most",
        {"api": image("a", V1), "web": image("b", V1)},
        (release(1, verified=("staging",), api="a", web="b"), release(2, api="a", web="b")),
        None,
        V1,
        f"{V2} has the same images, and {V1} was verified in the most environments",
    ),
    (
        "the-same-images-the-newest",
        {"api": image("a", V1), "web": image("b", V1)},
        (R1, release(2, api="a", web="b"), release(3, api="a", web="b")),
        None,
        V3,
        f"{V1}, {V2} have the same images, and {V3} is the newest of them",
    ),
    (
        "images-of-different-releases",
        {"api": image("c", V2), "web": image("d", V3)},
        (R1, R2, release(3, api="e", web="d")),
        None,
        "Refused",
        f"its images belong to different releases: api is of {V2}; web is of {V3}",
    ),
    (
        "its-release-is-on-its-way",
        {"api": image("c", V2), "web": image("b", V1)},
        (R1, release(2, "Assembling", api="c")),
        None,
        "Waiting",
        "is waiting for its release to be complete",
    ),
    (
        "its-release-is-not-even-known",
        {"api": image("c", V2), "web": image("b", V1)},
        (R1,),
        None,
        "Waiting",
        "is waiting for its release",
    ),
    (
        "a-release-on-its-way-with-another-image",
        {"api": image("c", V2), "web": image("d", V1)},
        (release(1, api="a", web="d"), release(2, "Incomplete", api="f")),
        None,
        "Refused",
        "belong to different releases",
    ),
    (
        "a-release-that-stayed-incomplete",
        {"api": image("c", V2), "web": image("b", V1)},
        (R1, release(2, "Incomplete", api="c")),
        known("Waiting", minutes=30.1),
        "Refused",
        f"api is of {V2}; web is of {V1}",
    ),
    (
        "an-image-without-a-version-may-get-one",
        {"api": image("a", V1), "web": image("f")},
        (R1,),
        known("Waiting", minutes=29),
        "Waiting",
        "is waiting for its release",
    ),
    (
        "an-image-without-a-version-did-not",
        {"api": image("a", V1), "web": image("f")},
        (R1,),
        known("Waiting", minutes=31),
        "Refused",
        "the image of web with this tag has no version tag",
    ),
    (
        "a-baseline-can-be-named",
        {"api": image("a", V1), "web": image("b", V1)},
        (release(1, "Baseline", api="a", web="b"),),
        None,
        V1,
        "all its images carry it",
    ),
    (
        "one-that-is-bound-stays",
        {"api": image("a", V1), "web": image("b", V1)},
        (R1, release(2, verified=("staging",), api="a", web="b")),
        known("Bound", V1),
        V1,
        f"{NAME} names {V1}",
    ),
    (
        "also-when-the-record-of-the-name-is-missing",
        {"api": image("c", V2)},
        (R1.but(names=[NAME]), R2),
        None,
        f"{V1} moved",
        "another image of api carries it now",
    ),
    (
        "one-that-moved-stays-and-is-refused",
        {"api": image("c", V2), "web": image("d", V2)},
        (R1, release(2, api="c", web="d")),
        known("Bound", V1),
        f"{V1} moved",
        f"it already names {V1}, and another image of api, web carries it now",
    ),
    ("a-tag-that-was-taken-off-moved-nowhere", {"api": image("a", V1)}, (R1,), known("Bound", V1), V1, "names"),
    (
        "what-was-refused-may-be-put-right",
        {"api": image("a", V1), "web": image("b", V1)},
        (R1,),
        known("Refused"),
        V1,
        "all its images carry it",
    ),
]


@pytest.mark.parametrize(("carried", "releases", "before", "expected", "said"),
                         [pytest.param(*case[1:], id=case[0]) for case in VERDICTS])  # fmt: skip
def test_what_a_tag_means(carried: Any, releases: Any, before: Any, expected: str, said: str) -> None:
    verdict = semver_tags.judge_tag(DOCUMENT, NAME, carried, releases, before, NOW)
    told = f"{verdict.version}{' moved' if verdict.moved else ''}" if verdict.status == "Bound" else verdict.status
    assert told == expected
    assert said in verdict.message
    assert verdict.refuses is (expected == "Refused" or "moved" in expected)


# ── with events, in any order ──


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    world = World(store, clock, new_id)
    world.run_services()
    world.apply(document(production={}))
    return world


def names(world: World) -> dict[str, list[str]]:
    return {release.version: release.names for release in world.store.releases("scr")}


def status(world: World, name: str = NAME) -> tuple[str, str | None]:
    found = world.store.semver_name("scr", name)
    assert found is not None
    return found.status, found.version


def told(world: World, environment: str = "production") -> list[str]:
    kinds = ("Named", "TagRefused")
    return [
        str(event.type) for event in world.store.timeline(f"scr#{environment}") if str(event.type) in kinds
    ]  # fmt: skip


def test_a_name_is_bound_when_the_last_image_carries_it(world: World) -> None:
    world.release(V1)
    world.nudges.sent.clear()
    assert world.receive(world.tag("api", V1, NAME)) == [
        f"scr: Waiting ({NAME} is waiting for images of web that carry it)"
    ]
    assert (status(world), names(world), told(world), world.nudges.sent) == (("Waiting", None), {V1: []}, [], [])
    assert world.receive(world.tag("web", V1, NAME)) == [f"scr: Named {V1}"]
    release = world.store.release("scr", V1)
    assert release is not None
    assert (release.names, release.named_at) == ([NAME], world.clock())
    assert status(world) == ("Bound", V1)
    assert told(world) == ["Named"]
    (line,) = [event for event in world.store.timeline("scr#production") if event.type == "Named"]
    assert line.detail["version"] == V1, "the audit says which release got the name"
    assert told(world, "staging") == []
    assert world.nudges.sent == [("scr", "production", 0)]
    assert world.store.unsent() == []


def test_a_repeated_event_only_nudges_again(world: World) -> None:
    world.release(V1)
    world.name(V1, NAME)
    before = world.store.release("scr", V1)
    world.nudges.sent.clear()
    world.clock.forward(hours=1)
    assert world.receive(world.event("scr-web", NAME)) == [f"scr: Named {V1}"]
    assert world.store.release("scr", V1) == before
    assert told(world) == ["Named"]
    assert world.nudges.sent == [("scr", "production", 0)]


def test_every_order_of_images_and_tags_ends_the_same(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    """The web image did not change since V1: its digest is the same, under both versions."""
    ends = set()
    for order in itertools.permutations([("api", V2), ("web", V2), ("api", NAME), ("web", NAME)]):
        world = World(Store(type(store._dynamodb)(), "ferryman"), clock, new_id)
        world.run_services()
        world.apply(document(production={}))
        world.release(V1)
        for component, tag in order:
            content = "api of V2" if component == "api" else f"web {V1}"
            world.ecr.push(f"scr-{component}", tag, content, at=clock())
            for _ in range(2):
                world.receive(world.event(f"scr-{component}", tag))
        assert told(world) == ["Named"], order
        assert ("scr", "production", 0) in world.nudges.sent
        ends.add((str(names(world)), status(world)))
    assert ends == {(str({V1: [], V2: [NAME]}), ("Bound", V2))}


def test_images_of_different_releases_are_refused_and_told_once(world: World) -> None:
    world.release(V1)
    world.release(V2)
    events = [world.tag("api", V1, NAME), world.tag("web", V2, NAME)]
    for event in (*events, *events):
        (outcome,) = world.receive(event)
    assert outcome == f"scr: Refused (its images belong to different releases: api is of {V1}; web is of {V2})"
    assert status(world) == ("Refused", None)
    assert told(world) == ["TagRefused"]
    (message,) = world.store.unsent()
    assert (message.environment, message.channel) == ("production", "team")
    assert f"api is of {V1}; web is of {V2}" in message.text
    world.sweep()
    assert len(world.store.unsent()) == 1
    assert world.counted.count("TagRefused") == 1
    # Put right, it names a release like any other.
    world.receive(world.tag("web", V1, NAME))
    assert names(world) == {V1: [NAME], V2: []}
    assert told(world) == ["TagRefused", "Named"]


def test_what_was_refused_is_told_once_while_it_is_put_right(world: World) -> None:
    world.release(V1)
    world.release(V2)
    world.receive(world.tag("api", V1, NAME))
    world.receive(world.tag("web", V2, NAME))
    world.receive(world.push("api", V3))
    for component in ("api", "web"):
        # Half way, its release is not complete yet; then it names none again.
        world.receive(world.tag(component, V3 if component == "api" else V1, NAME))
        world.sweep()
        assert (status(world), told(world)) == (("Refused", None), ["TagRefused"])
    world.receive(world.tag("api", V1, NAME))
    assert (status(world), told(world)) == (("Bound", V1), ["TagRefused", "Named"])


def test_where_no_environment_listens_to_tags_nobody_is_told(world: World) -> None:
    world.apply(document(production={"triggers": ["promotion"]}))
    world.release(V1)
    world.release(V2)
    world.receive(world.tag("api", V1, NAME))
    world.receive(world.tag("web", V2, NAME))
    assert (status(world), told(world), world.store.unsent()) == (("Refused", None), [], [])


def test_a_name_that_is_bound_stays_bound(world: World) -> None:
    world.release(V1)
    world.release(V2)
    world.name(V1, NAME)
    world.nudges.sent.clear()
    assert "Refused" in world.receive(world.tag("api", V2, NAME))[0]
    assert "Refused" in world.receive(world.tag("web", V2, NAME))[0]
    world.sweep()
    assert names(world) == {V1: [NAME], V2: []}
    assert status(world) == ("Bound", V1)
    assert told(world) == ["Named", "TagRefused"]
    (message,) = world.store.unsent()
    assert f"it already names {V1}" in message.text
    assert ("scr", "production", 0) not in world.nudges.sent
    # Moved back, and away again: that is news.
    world.name(V1, NAME)
    assert told(world) == ["Named", "TagRefused"]
    world.receive(world.tag("web", V2, NAME))
    assert told(world) == ["Named", "TagRefused", "TagRefused"]


def test_two_names_at_once_bind_one_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two events at the same moment, of a tag that is moved between them: one release gets the name."""
    world.release(V1)
    world.release(V2)
    world.receive(world.tag("api", V1, NAME))
    event = world.tag("web", V1, NAME)
    write, raced = world.store.write, []

    def racing(*writes: Any) -> None:
        if not raced and any(isinstance(item.record, SemverName) for item in writes):
            raced.append(True)
            world.name(V2, NAME)  # the other one, between our reading and our writing
        write(*writes)

    monkeypatch.setattr(world.store, "write", racing)
    world.receive(event)
    assert raced
    assert sum(NAME in found for found in names(world).values()) == 1
    version = status(world)[1]
    assert version is not None
    assert NAME in names(world)[version]


def test_a_crash_between_reading_and_writing_leaves_nothing_half(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.release(V1)
    world.receive(world.tag("api", V1, NAME))
    event = world.tag("web", V1, NAME)

    def down(*_: Any) -> None:
        raise Conflict("somebody was faster")

    pauses: list[float] = []
    with monkeypatch.context() as patch:
        patch.setattr("time.sleep", pauses.append)
        patch.setattr(world.store, "write", down)
        with pytest.raises(Conflict):
            world.receive(event)
    assert len(pauses) == 9, "a pause between two tries each"
    assert (names(world), status(world)) == ({V1: []}, ("Waiting", None))
    world.receive(event)
    assert (names(world), status(world)) == ({V1: [NAME]}, ("Bound", V1))


class TestSweep:
    def test_finds_tags_whose_events_were_lost(self, world: World) -> None:
        world.release(V1)
        world.tag("api", V1, NAME)
        world.tag("web", V1, NAME)
        world.sweep()
        assert (names(world), told(world)) == ({V1: [NAME]}, ["Named"])
        world.sweep()
        assert told(world) == ["Named"]

    def test_completes_one_that_waited(self, world: World) -> None:
        world.release(V1)
        world.receive(world.tag("api", V1, NAME))
        world.tag("web", V1, NAME)
        world.sweep()
        assert names(world) == {V1: [NAME]}

    def test_finds_the_release_and_its_name_at_once(self, world: World) -> None:
        for component in ("api", "web"):
            world.push(component, V1)
            world.tag(component, V1, NAME)
        world.sweep()
        assert names(world) == {V1: [NAME]}

    def test_refuses_one_whose_release_never_came(self, world: World) -> None:
        world.release(V1)
        world.receive(world.tag("api", V1, NAME))
        world.ecr.push("scr-web", NAME, "built for this tag alone")
        world.receive(world.event("scr-web", NAME))
        assert (status(world), told(world)) == (("Waiting", None), [])
        world.clock.forward(minutes=30)
        world.sweep()
        world.sweep()
        assert (status(world), told(world)) == (("Refused", None), ["TagRefused"])

    def test_asks_ecr_for_no_tag_that_is_settled(self, world: World) -> None:
        world.release(V1)
        world.name(V1, NAME)
        world.tag("api", V1, "v2.0.0")
        world.sweep()
        world.ecr.calls.clear()
        world.sweep()
        assert world.ecr.calls.count("DescribeImages") == 2


class TestAdoption:
    def test_names_that_were_there_start_nothing_and_are_told_to_nobody(
        self, store: Store, clock: FakeClock, new_id: FakeIds
    ) -> None:
        world = World(store, clock, new_id)
        world.run_services()
        for component in ("api", "web"):
            for version in (V1, V2):
                world.push(component, version)
        for component, version, name in (
            ("api", V1, NAME), ("web", V1, NAME), ("api", V1, "v1.1.0"), ("web", V2, "v1.1.0"), ("api", V2, "v2.0.0"),
        ):  # fmt: skip
            world.tag(component, version, name)
        world.apply(document(production={}))
        for _ in range(8):
            world.sweep()
        assert names(world) == {V1: [NAME], V2: []}
        assert all(release.named_at is None for release in store.releases("scr"))
        assert (told(world), store.unsent()) == ([], [])
        # What a person completes since is news, and so is a second name.
        world.receive(world.tag("web", V2, "v2.0.0"))
        assert told(world) == ["Named"]
        world.name(V1, "v1.2.0")
        assert names(world) == {V1: [NAME, "v1.2.0"], V2: ["v2.0.0"]}

    def test_an_old_name_never_passes_for_the_latest(self, world: World) -> None:
        world.release(V1)
        world.name(V1, "v2.0.0")
        for component in ("api", "web"):
            world.tag(component, V1, NAME)
        again = document(production={}).dump()
        again["spec"]["tagPattern"] = "(?P<version>[0-9a-f]{8})"
        world.apply(parse(again))
        release = world.store.release("scr", V1)
        assert release is not None
        assert release.names == [NAME, "v2.0.0"]


@pytest.mark.parametrize("tag", ["staging-latest", "staging-current", "staging-previous", "production-current",
                                 "production-previous", "stable", "v9", "release"])  # fmt: skip
def test_the_operators_own_tags_wake_nothing(world: World, tag: str) -> None:
    """The rule filters those with a telling suffix; a document's other moving tags are recognised here."""
    tags = ["production-latest", "stable", "v9", "release"]
    world.apply(document(production={"movingTags": tags}))
    world.release(V1)
    world.nudges.sent.clear()
    world.counted.clear()
    before = world.store.releases("scr")
    for component in ("api", "web"):
        assert world.receive(world.tag(component, V1, tag)) == ["scr: Ignored (moving tag)"]
    assert (world.nudges.sent, world.counted, world.store.releases("scr")) == ([], [], before)


def platform_of(*names: str) -> Platform:
    """A platform of these components; nothing else of it matters."""
    data = DOCUMENT.dump()
    data["spec"]["components"] = {name: {"repository": f"scr-{name}"} for name in names}
    for environment in data["spec"]["environments"].values():
        environment["waves"] = [
            {"name": "one", "services": [{"name": f"{environment['movingTags'][0]}-x", "component": names[0]}]}
        ]
    return parse(data)


def test_what_a_release_must_carry_is_what_the_document_names_now() -> None:
    three = platform_of("api", "web", "jobs")
    carried = {"api": image("a", V1), "web": image("b", V1)}
    assert (
        semver_tags.judge_tag(three, NAME, carried, [R1], None, NOW).message
        == f"{NAME} is waiting for images of jobs that carry it"
    )
    one = platform_of("api")
    assert semver_tags.judge_tag(one, NAME, {"api": image("a", V1)}, [R1], None, NOW).version == V1
