"""The one table: who writes first wins, the rest fail loudly and change nothing."""

from typing import Any

import pytest

from ferryman.errors import ClaimLost, Conflict, NotFound, TransientError
from ferryman.messages import timeline
from ferryman.records import Deployment, EventType, OutboxMessage, Phase, PlannedCheck, Wait
from ferryman.records.writes import Add, Fenced, Save
from ferryman.store import pointers
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeIds
from unit.fakes.dynamodb import TABLE, FakeDynamoDb


class Ref:
    platform, environment, deployment, fence = "scr", "staging", make.deployment().id, make.FENCE


@pytest.fixture(params=["moto", "fake"])
def store(request: pytest.FixtureRequest) -> Store:
    client = request.getfixturevalue("dynamodb") if request.param == "moto" else FakeDynamoDb()
    return Store(client, TABLE)


@pytest.fixture
def stored(store: Store) -> Store:
    store.write(Save(make.deployment()), Save(make.state()), Save(make.release()))
    return store


def test_what_was_written_is_what_is_read(stored: Store) -> None:
    assert stored.deployment("scr", "staging", Ref.deployment) == make.deployment(rev=1)
    assert stored.state("scr", "staging") == make.state(rev=1)
    release = make.release(rev=1)
    assert stored.release("scr", "abc1234") == release.but(listed=pointers.mark(release))


def test_a_record_is_made_once(stored: Store) -> None:
    with pytest.raises(Conflict):
        stored.write(Save(make.deployment()))


def test_the_slower_writer_loses_and_nothing_of_its_transaction_is_written(stored: Store) -> None:
    read_by_both = stored.deployment("scr", "staging", Ref.deployment)
    stored.write(Save(read_by_both.but(reason="first")))
    with pytest.raises(Conflict):
        stored.write(Save(stored.state("scr", "staging").but(fence=99)), Save(read_by_both.but(reason="second")))
    assert stored.deployment("scr", "staging", Ref.deployment).reason == "first"
    assert stored.state("scr", "staging").fence == make.FENCE


@pytest.mark.parametrize(("deployment", "fence"), [(Ref.deployment, make.FENCE + 1), ("another", make.FENCE)])
def test_a_write_under_a_lost_fence_fails(stored: Store, deployment: str, fence: int) -> None:
    before = stored.deployment("scr", "staging", Ref.deployment)
    with pytest.raises(ClaimLost, match="nothing was written"):
        stored.write(Fenced("scr", "staging", deployment, fence), Save(before.but(phase=Phase.FAILED)))
    assert stored.deployment("scr", "staging", Ref.deployment).phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("deployment", "fence"), [("another", make.FENCE), (None, make.FENCE + 1), (None, make.FENCE - 1)]
)
def test_an_update_of_a_deployment_without_its_claim_fails(stored: Store, deployment: str | None, fence: int) -> None:
    active = stored.state("scr", "staging").active
    assert active is not None
    holder = active.but(deployment=deployment or active.deployment, fence=fence)
    stored.update_state("scr", "staging", lambda state: state.but(active=holder))
    with pytest.raises(ClaimLost):
        stored.update_deployment(Ref, lambda before: before.but(message="mine"))  # type: ignore[arg-type]
    assert stored.deployment("scr", "staging", Ref.deployment).message != "mine"


def test_an_update_is_tried_again_on_what_the_faster_one_wrote(stored: Store) -> None:
    interrupted = False

    def change(before: Deployment) -> Deployment:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            stored.write(Save(before.but(reason="theirs")))
        return before.but(message="mine")

    after = stored.update_deployment(Ref, change)
    assert (after.reason, after.message) == ("theirs", "mine")
    assert stored.deployment("scr", "staging", Ref.deployment) == after


def test_an_update_that_never_gets_through_says_so(stored: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def always_late(before: Deployment) -> Deployment:
        stored.write(Save(before))
        return before.but(message="mine")

    with pytest.raises(Conflict, match="kept changing"):
        stored.update_deployment(Ref, always_late)


def test_tries_are_farther_and_farther_apart(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is random, so that writers that met once do not meet again: here always the longest one."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setattr("random.uniform", lambda least, most: most)

    assert list(store.attempts(5)) == [0, 1, 2, 3, 4]
    assert pauses == [0.04, 0.08, 0.16, 0.32]


def test_nothing_is_written_when_nothing_changes(stored: Store) -> None:
    stored.update_deployment(Ref, lambda before: None)
    assert stored.deployment("scr", "staging", Ref.deployment).rev == 1


def test_the_index_holds_just_what_is_unsent(store: Store) -> None:
    from ferryman.records import OutboxMessage

    message = OutboxMessage(
        owner="d",
        event="outcome",
        channel="team",
        platform="scr",
        environment="staging",
        subject="s",
        text="t",
        created_at=make.AT,
    )
    store.write(Add(message), Add(message.but(channel="mail", sent_at=make.AT)))
    assert [found.channel for found in store.unsent()] == ["team"]


def test_an_answered_wait_goes_a_newer_token_stays(store: Store) -> None:
    def wait(token: str) -> Wait:
        return Wait(
            resource="arn:service",
            platform="scr",
            environment="staging",
            deployment="d",
            fence=1,
            step="s",
            token=token,
            at=make.AT,
        )

    store.write(Add(wait("old")))
    store.write(Add(wait("new")))
    store.forget_wait(wait("old"))
    assert [found.token for found in store.waits("arn:service")] == ["new"]
    store.forget_wait(wait("new"))
    assert store.waits("arn:service") == []


def test_long_listings_are_read_to_their_end(store: Store) -> None:
    releases = [make.release(f"{number:07x}", refused={"api": "x" * 20_000}) for number in range(80)]
    for release in releases:
        store.write(Save(release))
    assert len(store.releases("scr")) == 80  # 1.6 MB: two pages


def test_fractions_survive(store: Store) -> None:
    made = make.deployment(plan=make.plan(), steps={})
    assert made.plan is not None
    check = PlannedCheck(
        name="n",
        url="u",
        status=[200],
        expect_json={"ratio": 0.5, "count": 3, "flags": [True, 1.25]},
        attempts=1,
        delay_seconds=1,
        timeout_seconds=1,
    )
    store.write(Save(made.but(plan=made.plan.but(checks=[check]))))
    stored = store.deployment("scr", "staging", made.id).plan
    assert stored is not None
    assert stored.checks == [check]


def test_a_long_timeline_shows_its_end(store: Store, new_id: FakeIds) -> None:
    deployment = make.deployment()
    for number in range(6):
        store.write(timeline.event(deployment, EventType.STARTED, str(number), at=make.AT, new_id=new_id))
    assert [event.message for event in store.timeline(deployment.id, limit=3)] == ["3", "4", "5"]


def test_unknown_names_say_which_exist(stored: Store, scr_document: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match="none has been applied yet"):
        stored.platform("scr")


def test_a_message_is_marked_together_with_its_line_in_the_timeline_or_not_at_all(store: Store) -> None:
    row = OutboxMessage(
        owner="01DEP", event="outcome", channel="team", platform="scr", environment="staging", subject="x", text="x",
        created_at=make.AT,
    )  # fmt: skip
    store.write(Add(row, expires_at=1_900_000_000))
    claimed = row.but(attempts=1, tried_at=make.AT)
    assert store.mark(claimed, since=0)
    line = timeline.message_event(row, "given up", at=make.AT, new_id=FakeIds())
    assert not store.mark(claimed.but(gave_up=True), since=0, also=[line])
    assert store.timeline("01DEP") == []
    assert store.mark(claimed.but(gave_up=True), since=1, also=[line])
    assert [event.message for event in store.timeline("01DEP")] == ["given up"]
    assert store.unsent() == []


def test_many_messages_are_marked_at_once_without_those_that_others_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    message = OutboxMessage(
        owner="D", event="outcome", channel="team", platform="scr", environment=None, subject="s", text="t",
        created_at=make.AT,
    )  # fmt: skip
    rows = [message.but(owner=f"D{number:02}") for number in range(30)]
    for row in rows:
        store.write(Add(row))
    for number in (3, 29):
        assert store.mark(rows[number].but(attempts=1, last_error="theirs"), since=0)
    done = [(row.but(attempts=1, sent_at=make.AT, digested=True), 0) for row in rows]
    stored = store.mark_all(done)
    assert [row.owner for row in stored] == [row.owner for row in rows if row.owner not in ("D03", "D29")]
    assert {row.owner for row in store.unsent()} == {"D03", "D29"}
    assert {(row.owner, row.text) for row in store.unsent_in_brief()} == {("D03", ""), ("D29", "")}
    assert store.mark_all([]) == []


def test_some_releases_are_found_by_their_places_and_read_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.store.table._READ_TOGETHER", 5)
    releases = [make.release(f"r{number:03d}", seq=number, ulid=f"{number:026d}") for number in range(12)]
    for release in releases:
        store.write(Save(release))

    assert store.pointed("scr", "ORDER", after=f"{pointers.place(releases[3])}#r003", limit=3) == [
        "r004",
        "r005",
        "r006",
    ]
    assert len(store.pointed("scr", "IMAGES", prefix=pointers.images(releases[0]))) == 12
    found = store.releases_named("scr", [*(release.version for release in releases), "unknown"])
    assert sorted(release.version for release in found) == [release.version for release in releases]


def test_what_dynamodb_does_not_read_in_several_tries_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    class Throttled(FakeDynamoDb):
        def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            return {"Responses": {}, "UnprocessedKeys": RequestItems}

    store = Store(Throttled(), TABLE, pause=lambda longest: None)  # type: ignore[arg-type]
    with pytest.raises(TransientError, match="1 items"):
        store.releases_named("scr", ["r1"])
