"""The release on GitHub: there once, whatever GitHub does, and a failure that people can see."""

import contextlib
import importlib.util
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from ferryman.contracts import PublishReleaseOutput
from ferryman.errors import Conflict, Throttled, Unavailable
from ferryman.platform.hosts import Hosts
from ferryman.records import (
    Decision,
    EventType,
    Phase,
    Publication,
    Verified,
)
from ferryman.records.writes import Save
from ferryman.steps.publish_release import publish
from ferryman.store.table import Store
from unit import asked
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import FakeDynamoDb
from unit.fakes.github import REPOSITORY, SHA, TOKEN, FakeGitHub, Fault, answering, nonsense, raising
from unit.fakes.secrets import FakeSecrets
from unit.steps.published import EVENT, PROJECT, apply, put

ROOT = Path(__file__).parents[3]
URL = f"https://github.com/{REPOSITORY}/releases/tag/v1.0.0"


@pytest.fixture
def github() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def dynamodb() -> FakeDynamoDb:
    return FakeDynamoDb()


@pytest.fixture
def store(dynamodb: FakeDynamoDb) -> Store:
    return Store(dynamodb, "ferryman")


@pytest.fixture(autouse=True)
def applied(store: Store, scr_document: dict[str, Any]) -> None:
    apply(store, scr_document, PROJECT)
    store.write(Save(make.release(verified={"staging": Verified(deployment="01STAGING", digests={}, at=make.AT)})))


@pytest.fixture
def run(store: Store, github: FakeGitHub, clock: FakeClock, new_id: FakeIds) -> Any:
    def once(secrets: FakeSecrets | None = None) -> PublishReleaseOutput:
        return publish(
            EVENT,
            store=store,
            client=secrets or FakeSecrets(token=TOKEN),
            hosts=Hosts(),
            clock=clock,
            new_id=new_id,
            network=github.network,
        )

    return once


def publication(store: Store) -> Publication | None:
    return store.deployment("scr", "production", EVENT.deployment).publication


def told(store: Store) -> list[tuple[EventType, str]]:
    return [(event.type, event.message) for event in store.timeline(EVENT.deployment)]


def test_published_with_notes(store: Store, github: FakeGitHub, run: Any, clock: FakeClock) -> None:
    put(store)
    assert run() == PublishReleaseOutput(verdict="Published", url=URL)
    release = github.releases["v1.0.0"]
    assert (release["target_commitish"], release["name"], release["draft"], release["prerelease"]) == (
        SHA, "v1.0.0", False, False,
    )  # fmt: skip
    for part in (
        "- Fix the door (#12) (1111111)\n- Thanks @\u2060everyone &lt;b> (2222222)\n- and 3 more",
        f"https://github.com/{REPOSITORY}/compare/0001234...abc1234",
        f"| api | `{make.digest('a')}` |",
        "Approved by Ada Lovelace",
        "Verified in staging at 2026-01-02 03:04 UTC (deployment 01STAGING)",
        EVENT.deployment,
    ):
        assert part in release["body"]
    assert publication(store) == Publication(
        status="Published", url=URL, message="release v1.0.0 is on GitHub", at=clock()
    )  # fmt: skip
    assert told(store) == [(EventType.PUBLISHED, f"release v1.0.0 is on GitHub: {URL}")]
    # The statuses on GitHub get its address.
    assert store.message(EVENT.deployment, "github-published", "github") is not None


def test_twice_publishes_once(store: Store, github: FakeGitHub, run: Any) -> None:
    put(store)
    assert run() == run()
    assert github.asked().count(f"POST /repos/{REPOSITORY}/releases") == 1
    assert len(told(store)) == 1


def test_there_already(store: Store, github: FakeGitHub, run: Any) -> None:
    put(store)
    github.releases["v1.0.0"] = {"html_url": URL, "body": "by hand"}
    assert run().url == URL
    assert github.releases["v1.0.0"]["body"] == "by hand"


def test_somebody_made_it_meanwhile(store: Store, github: FakeGitHub, run: Any) -> None:
    put(store)

    def meanwhile(request: httpx.Request) -> None:
        if request.method == "POST":
            github.releases["v1.0.0"] = {"html_url": URL}

    github.always = meanwhile
    assert run() == PublishReleaseOutput(verdict="Published", url=URL)


@pytest.mark.parametrize(
    "lost", [answering(502), raising(httpx.ReadTimeout), nonsense()], ids=["502", "slow", "nonsense"]
)
def test_a_lost_answer_is_found_to_have_worked(store: Store, github: FakeGitHub, run: Any, lost: Fault) -> None:
    put(store)
    github.after = [lost]
    with pytest.raises(Unavailable):
        run()
    assert run() == PublishReleaseOutput(verdict="Published", url=URL)
    assert github.asked().count(f"POST /repos/{REPOSITORY}/releases") == 1


def test_a_crash_before_it_was_recorded(
    store: Store, github: FakeGitHub, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store)
    real = store.write

    def down(*writes: Any) -> None:
        raise Unavailable("the table does not answer")

    monkeypatch.setattr(store, "write", down)
    with pytest.raises(Unavailable):
        run()
    monkeypatch.setattr(store, "write", real)
    assert run().verdict == "Published"
    assert len(github.releases) == len(told(store)) == 1


def test_somebody_else_writes_the_deployment_meanwhile(store: Store, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store)
    real, lost = store.write, [1, 1]

    def racing(*writes: Any) -> None:
        if lost:
            lost.pop()
            before = store.deployment("scr", "production", EVENT.deployment)
            real(Save(before.but(message="somebody else was here")))
        real(*writes)

    monkeypatch.setattr(store, "write", racing)
    assert run().verdict == "Published"
    after = store.deployment("scr", "production", EVENT.deployment)
    assert (after.message, after.publication and after.publication.status) == ("somebody else was here", "Published")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (answering(503), Unavailable),
        (raising(httpx.ConnectError), Unavailable),
        (nonsense(), Unavailable),
        (answering(403, "secondary rate limit"), Throttled),
    ],
    ids=["down", "out-of-reach", "nonsense", "limited"],
)
def test_down_is_for_another_try_and_seen_meanwhile_once(
    store: Store, github: FakeGitHub, run: Any, fault: Fault, error: type[Exception]
) -> None:
    put(store)
    github.always = fault
    for _ in range(3):
        with pytest.raises(error):
            run()
    assert [type for type, _ in told(store)] == [EventType.PUBLISH_FAILED]
    seen = publication(store)
    assert seen is not None
    assert seen.status == "Failed"
    # Four hours from then: true whoever reads it whenever.
    assert "it is retried until about 2026-01-02 07:04 UTC; after that, create it manually" in seen.message
    assert [message.event for message in store.unsent()] == ["github-release"]
    github.always = None
    assert run().verdict == "Published"
    assert [type for type, _ in told(store)] == [EventType.PUBLISH_FAILED, EventType.PUBLISHED]


def test_down_in_many_ways_is_told_once(store: Store, github: FakeGitHub, run: Any) -> None:
    put(store)
    for fault in (answering(503), raising(httpx.ConnectError), nonsense()):
        github.always = fault
        with pytest.raises(Unavailable):
            run()
    assert len(told(store)) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (answering(401, "Bad credentials"), "GitHub answered 401: Bad credentials"),
        (answering(404, "Not Found"), "does not exist, or our key has no access to it"),
        (answering(403, "Resource not accessible by integration"), "Resource not accessible"),
    ],
    ids=["401", "404", "403"],
)
def test_what_no_try_can_help_is_failed_and_seen(
    store: Store, github: FakeGitHub, run: Any, fault: Fault, words: str
) -> None:
    put(store)
    github.always = fault
    assert run() == run() == PublishReleaseOutput(verdict="Failed")
    ((type, message),) = told(store)
    assert type is EventType.PUBLISH_FAILED
    assert message.startswith("release v1.0.0 is not on GitHub: ")
    assert words in message


def test_a_version_that_is_no_commit(store: Store, github: FakeGitHub, run: Any) -> None:
    put(store)
    github.commits = {}
    assert run().verdict == "Failed"
    assert "abc1234 is not a commit of" in told(store)[0][1]
    assert github.releases == {}


def test_a_tag_that_names_something_else(store: Store, github: FakeGitHub, run: Any) -> None:
    put(store)
    github.commits["v1.0.0"] = "f" * 40
    assert run().verdict == "Failed"
    assert "the git tag v1.0.0 points to commit fffffff, but abc1234 runs" in told(store)[0][1]
    assert github.releases == {}


def test_a_secret_that_is_no_token(store: Store, run: Any) -> None:
    put(store)
    assert run(FakeSecrets(token="hunter2 hunter2")).verdict == "Failed"
    assert "hunter2" not in str(told(store))


def test_a_secret_that_cannot_be_read(store: Store, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store)

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")

    secrets = FakeSecrets(token=TOKEN)
    monkeypatch.setattr(secrets, "get_secret_value", denied)
    assert run(secrets).verdict == "Failed"
    assert "cannot read GitHub's key from AWS: GetSecretValue, AccessDeniedException" in told(store)[0][1]


def test_no_key_in_the_table_or_the_log(
    store: Store, dynamodb: FakeDynamoDb, github: FakeGitHub, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    put(store)
    for fault in (raising(httpx.ReadTimeout), answering(401, "Bad credentials"), None):
        github.always = fault
        with contextlib.suppress(Unavailable):
            run()
    assert github.releases
    assert TOKEN not in str(dynamodb.items)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("changes", "project"),
    [
        ({"tag": None}, PROJECT),
        ({"phase": Phase.ROLLED_BACK}, PROJECT),
        ({}, None),
        ({}, {"repository": REPOSITORY}),
    ],
    ids=["no-tag", "not-succeeded", "no-project", "no-key"],
)
def test_nothing_to_publish(
    store: Store, github: FakeGitHub, run: Any, scr_document: dict[str, Any], changes: Any, project: Any
) -> None:
    apply(store, scr_document, project)
    put(store, **changes)
    assert run() == PublishReleaseOutput(verdict="Skipped")
    assert (github.requests, told(store)) == ([], [])


def test_a_document_that_cannot_be_read_is_seen(store: Store, run: Any, scr_document: dict[str, Any]) -> None:
    apply(store, {"spec": {}}, PROJECT)
    put(store)
    assert run().verdict == "Failed"


@pytest.mark.parametrize(("tag", "early"), [("v1.0.0-rc.1", True), ("v1.0.0+a-b", False)])
def test_prereleases(store: Store, github: FakeGitHub, run: Any, tag: str, early: bool) -> None:
    put(store, tag=tag)
    run()
    assert github.releases[tag]["prerelease"] is early


@pytest.mark.parametrize("before", [None, "abc1234"], ids=["first", "the-same"])
def test_notes_without_anything_before(store: Store, github: FakeGitHub, run: Any, before: str | None) -> None:
    put(store, from_version=before)
    run()
    assert "Changes" not in github.releases["v1.0.0"]["body"]


def test_notes_when_what_ran_before_is_no_commit(store: Store, github: FakeGitHub, run: Any) -> None:
    put(store, from_version="gone")
    run()
    assert "GitHub cannot compare gone with this version" in github.releases["v1.0.0"]["body"]


def test_a_record_that_keeps_changing(store: Store, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store)

    def always(*writes: Any) -> None:
        raise Conflict("again")

    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setattr(store, "write", always)
    with pytest.raises(Conflict):
        run()
    assert len(pauses) == 9, "a pause between two tries each"


def test_the_handler_hands_everything_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("publish_app", ROOT / "functions/publish_release/app.py")
    assert spec is not None
    assert spec.loader is not None
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    put(store, tag=None)
    monkeypatch.setattr(app, "store", lambda: store)
    monkeypatch.setenv("ALLOWED_GITHUB_HOSTS", "")
    assert app.handler(EVENT.model_dump(), None) == {"verdict": "Skipped", "url": ""}


def test_a_name_that_nobody_proved_says_so(store: Store, github: FakeGitHub, run: Any) -> None:
    put(store, approved_by=["Ada Lovelace", "Joe"])
    joe = Decision(name="Joe", verdict="approve", how="shared link", identity="unverified", at=make.AT)
    ada = joe.but(name="Ada Lovelace", how="mail", identity="ada@scr-platform.example")
    store.write(Save(asked.approval(deployment=EVENT.deployment, status="Approved", decisions=[ada, joe])))
    run()
    assert "- Approved by Ada Lovelace, Joe (unverified)\n" in github.releases["v1.0.0"]["body"]
