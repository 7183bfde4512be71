"""What GitHub shows of a deployment: the present state, once, whatever order rows come in."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from ferryman.clients.github.app_token import KeyUnusable
from ferryman.clients.github.auth import connect
from ferryman.clients.github.client import Declined
from ferryman.contracts import DeploymentRef
from ferryman.errors import Unavailable
from ferryman.messages import github as messages_github
from ferryman.notify import github_status
from ferryman.platform import GitHub, Platform, parse
from ferryman.platform.hosts import Hosts
from ferryman.records import Deployment, OutboxMessage, Phase, Publication, Running
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import asked
from unit import builders as make
from unit.fakes.clock import FakeClock
from unit.fakes.github import REPOSITORY, SHA, TOKEN, FakeGitHub, answering
from unit.fakes.secrets import FakeSecrets, arn

DOCUMENT = GitHub(repository=REPOSITORY, token_secret_arn=arn("token"))


@pytest.fixture
def github() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def show(store: Store, github: FakeGitHub, clock: FakeClock) -> Any:
    def once(deployment: Deployment | None = None) -> None:
        one = deployment or make.deployment()
        about = DeploymentRef(platform="scr", environment="staging", deployment=one.id, fence=0)
        project = connect(
            DOCUMENT, FakeSecrets(token=TOKEN), platform="scr", hosts=Hosts(), clock=clock, network=github.network
        )
        github_status.show(about, store=store, project=project)

    return once


def put(store: Store, **changes: Any) -> Deployment:
    store.write(Save(make.deployment(**changes)))
    return store.deployment("scr", "staging", changes.get("id", make.deployment().id))


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_its_words(phase: Phase) -> None:
    wanted = github_status.status_of(make.deployment(phase=phase, version="f" * 128))
    assert len(wanted.description) <= 140
    assert (wanted.commit == "pending") is not phase.terminal
    assert (wanted.deployment in ("queued", "in_progress")) is not phase.terminal
    assert (wanted.commit == "success") is (phase is Phase.SUCCEEDED)


def test_shown_on_the_commit_and_among_the_deployments(store: Store, github: FakeGitHub, show: Any) -> None:
    put(store, phase=Phase.RUNNING)
    show()
    (status,) = github.statuses
    assert (status["sha"], status["state"], status["context"]) == (SHA, "pending", "ferryman/staging")
    (entry,) = github.deployments
    assert (entry["ref"], entry["environment"], entry["auto_merge"], entry["required_contexts"]) == (
        SHA, "staging", False, [],
    )  # fmt: skip
    assert entry["payload"] == {"ferryman": make.deployment().id}
    assert [item["state"] for item in github.deployment_statuses] == ["in_progress"]


@pytest.mark.parametrize("known", [True, False])
def test_approvers_are_told_whether_there_is_such_a_commit(
    store: Store, github: FakeGitHub, show: Any, known: bool
) -> None:
    version = "abc1234" if known else "not-a-commit"
    put(store, phase=Phase.AWAITING_APPROVAL, version=version)
    store.write(Save(asked.approval(deployment=make.deployment().id, version=version)))
    if known:
        show()
    else:
        with pytest.raises(github_status.NoSuchCommit):
            show()
    found = store.approval(make.deployment().id)
    assert found is not None
    assert found.commit_confirmed is known


def test_approvers_are_shown_the_commits_of_the_release(store: Store, github: FakeGitHub, show: Any) -> None:
    github.commits["0001234"] = "0" * 40
    put(store, phase=Phase.AWAITING_APPROVAL, from_version="0001234")
    store.write(Save(asked.approval(deployment=make.deployment().id, version="abc1234")))
    show()
    found = store.approval(make.deployment().id)
    assert found is not None
    assert [(item.title, item.author) for item in found.commits] == [
        ("Thanks @everyone <b>", "Person 2"),
        ("Fix the door (#12)", "Person 1"),
    ]
    assert found.commits_in_all == 5


@pytest.mark.parametrize("before", [None, "abc1234", "unheard-of"])
def test_without_a_comparison_there_are_no_commits(
    store: Store, github: FakeGitHub, show: Any, before: str | None
) -> None:
    put(store, phase=Phase.AWAITING_APPROVAL, from_version=before)
    store.write(Save(asked.approval(deployment=make.deployment().id, version="abc1234")))
    show()
    found = store.approval(make.deployment().id)
    assert found is not None
    assert (found.commit_confirmed, found.commits) == (True, [])
    assert len(github.deployments) == 1


@pytest.mark.parametrize(
    "item", [None, {}, {"sha": 1, "commit": {"message": "x"}}, {"sha": "a", "commit": {}}, {"sha": "a", "commit": "x"}]
)
def test_a_malformed_commit_is_left_out(item: Any) -> None:
    assert github_status._commit_in(item) is None


def test_an_approval_that_ended_stays_as_it_was(store: Store, show: Any) -> None:
    put(store, phase=Phase.RUNNING)
    store.write(Save(asked.approval(deployment=make.deployment().id, status="Approved")))
    show()
    found = store.approval(make.deployment().id)
    assert found is not None
    assert (found.commit_confirmed, found.rev) == (None, 1)


def test_a_key_is_read_for_an_allowed_host_only(store: Store, clock: FakeClock) -> None:
    secrets = FakeSecrets(token=TOKEN)
    elsewhere = DOCUMENT.model_copy(update={"api_url": "https://api.github.com.evil.example"})
    with pytest.raises(KeyUnusable, match=r"api\.github\.com\.evil\.example is not a host of GitHub"):
        connect(elsewhere, secrets, platform="scr", hosts=Hosts(), clock=clock)
    assert secrets.read == []


def test_twice_makes_one_entry_and_one_state(store: Store, github: FakeGitHub, show: Any) -> None:
    put(store, phase=Phase.RUNNING)
    show()
    show()
    assert (len(github.deployments), len(github.deployment_statuses)) == (1, 1)


def test_an_entry_whose_answer_got_lost_is_found_again(store: Store, github: FakeGitHub, show: Any) -> None:
    put(store, phase=Phase.RUNNING)
    github.after = [lambda request: None, answering(502)]
    with pytest.raises(Unavailable):
        show()
    show()
    assert len(github.deployments) == 1


def test_a_payload_that_comes_back_as_text(store: Store, github: FakeGitHub, show: Any) -> None:
    put(store, phase=Phase.RUNNING)
    show()
    github.deployments[0]["payload"] = '{"ferryman": "' + make.deployment().id + '"}'
    github.deployments.append({**github.deployments[0], "id": 9, "payload": "not json"})
    show()
    assert len(github.deployments) == 2


def test_a_late_row_shows_the_end_and_takes_nothing_back(store: Store, github: FakeGitHub, show: Any) -> None:
    put(store, phase=Phase.SUCCEEDED)
    show()
    show()
    assert {item["state"] for item in github.statuses} == {"success"}
    assert [item["state"] for item in github.deployment_statuses] == ["success"]


def test_what_changes_while_it_is_shown_is_shown_too(store: Store, github: FakeGitHub, show: Any) -> None:
    running = put(store, phase=Phase.RUNNING)

    def ends(request: httpx.Request) -> None:
        store.write(Save(running.but(phase=Phase.FAILED)))

    github.before = [ends]  # type: ignore[list-item]
    show()
    assert [item["state"] for item in github.statuses] == ["pending", "failure"]


def test_the_commit_belongs_to_the_latest_deployment_of_its_version(
    store: Store, github: FakeGitHub, show: Any
) -> None:
    first = put(store, phase=Phase.ERRORED, id="01K00000000000000000000OLD")
    running = Running(version=first.version, deployment="01K00000000000000000000XEW", digests={}, at=make.AT)
    store.write(Save(make.state(active=None, current=running)))
    show(first)
    assert github.statuses == []
    assert [item["state"] for item in github.deployment_statuses] == ["error"]


def test_the_release_is_linked_once_it_is_there(store: Store, github: FakeGitHub, show: Any) -> None:
    url = "https://github.com/scr-platform/scr/releases/tag/v1.0.0"
    before = put(store, phase=Phase.SUCCEEDED)
    show()
    store.write(Save(before.but(publication=Publication(status="Published", url=url, at=make.AT))))
    show()
    assert [item.get("log_url") for item in github.deployment_statuses] == [None, url]
    assert github.statuses[-1]["target_url"] == url


def test_a_version_that_is_no_commit(store: Store, github: FakeGitHub, show: Any) -> None:
    put(store, version="build-17")
    with pytest.raises(
        github_status.NoSuchCommit, match=r"build-17 is not a commit of https://github\.com/scr-platform/scr"
    ):
        show()
    assert (github.statuses, github.deployments) == ([], [])


def test_a_project_that_we_may_not_see_is_no_unknown_commit(store: Store, github: FakeGitHub, show: Any) -> None:
    put(store)
    github.always = answering(404, "Not Found")
    with pytest.raises(Declined, match="does not exist, or our key has no access"):
        show()


def test_merged_instead_of_made(store: Store, github: FakeGitHub, show: Any) -> None:
    put(store)

    def merged(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and request.url.path.endswith("/deployments"):
            return httpx.Response(202, json={"message": "Auto-merged main"})
        return None

    github.always = merged
    with pytest.raises(Declined, match=r"GitHub created no deployment .Auto-merged main"):
        show()


def document(scr_document: dict[str, Any], **github: Any) -> Platform:
    scr_document["spec"]["github"] = {"repository": REPOSITORY, **github}
    return parse(scr_document)


@pytest.mark.parametrize(
    ("github", "kind", "count"),
    [
        ({"tokenSecretArn": arn("token")}, "deploy", 1),
        ({"tokenSecretArn": arn("token"), "statuses": False}, "deploy", 0),
        ({}, "deploy", 0),
        ({"tokenSecretArn": arn("token")}, "migrate", 0),
    ],
    ids=["told", "not-wanted", "no-key", "database-command"],
)
def test_rows(scr_document: dict[str, Any], github: dict[str, Any], kind: Any, count: int) -> None:
    rows = messages_github.for_change(
        make.deployment(kind=kind), document(scr_document, **github), make.AT + timedelta(1), "ended"
    )
    assert len(rows) == count
    for row in rows:
        assert isinstance(row.record, OutboxMessage)
        assert (row.record.channel, row.record.event) == ("github", "github-ended")


def test_no_row_without_a_project(scr_document: dict[str, Any]) -> None:
    assert messages_github.for_change(make.deployment(), parse(scr_document), make.AT, "ended") == []
