"""GitHub's API: whatever it does, one of three errors within seconds, and the key goes nowhere else."""

import logging
from typing import Any

import httpx
import pytest

from ferryman.clients.github import client
from ferryman.clients.github.client import Api, Declined
from ferryman.errors import Throttled, Unavailable
from unit.fakes.github import REPOSITORY, SHA, TOKEN, FakeGitHub, Fault, answering, nonsense, raising, said

COMMIT = f"/repos/{REPOSITORY}/commits/abc1234"


@pytest.fixture
def github() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def api(github: FakeGitHub) -> Api:
    return Api("https://api.github.com", lambda renew: TOKEN, github.network)


def test_asks_with_the_key_and_the_version(github: FakeGitHub, api: Api) -> None:
    assert api.get(COMMIT) == {"sha": SHA}
    headers = github.requests[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["x-github-api-version"] == "2022-11-28"


@pytest.mark.parametrize(
    ("fault", "pauses"),
    [
        (answering(502), [1.0]),
        (nonsense(503), [1.0]),
        (nonsense(200), [1.0]),
        (raising(httpx.ConnectError), [1.0]),
        (raising(httpx.ReadTimeout), [1.0]),
        (raising(httpx.RemoteProtocolError), [1.0]),
        (answering(429, "slow down", retry_after="2"), [2.0]),
        (answering(403, "You have exceeded a secondary rate limit", retry_after="3"), [3.0]),
    ],
    ids=["5xx", "html-5xx", "html-200", "refused", "slow", "broken-off", "429", "secondary-limit"],
)
def test_a_question_is_asked_again(github: FakeGitHub, api: Api, fault: Fault, pauses: list[float]) -> None:
    github.before = [fault]
    assert api.get(COMMIT) == {"sha": SHA}
    assert github.paused == pauses


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (answering(500), Unavailable, "GitHub answered 500"),
        (nonsense(200), Unavailable, "malformed: 200 with text/html"),
        (raising(httpx.ReadTimeout), Unavailable, "did not answer in time"),
        (raising(httpx.ConnectError), Unavailable, "ConnectError"),
        (answering(429, "slow down", retry_after="1"), Throttled, "rate limit is used up .slow down"),
    ],
    ids=["5xx", "nonsense", "slow", "refused", "429"],
)
def test_three_tries_are_enough(github: FakeGitHub, api: Api, fault: Fault, error: type[Exception], words: str) -> None:
    github.always = fault
    with pytest.raises(error, match=words) as caught:
        api.get(COMMIT)
    assert len(github.requests) == 3
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "fault", [answering(500), raising(httpx.ReadTimeout), nonsense()], ids=["5xx", "slow", "nonsense"]
)
def test_what_makes_something_is_not_sent_again_after_a_lost_answer(github: FakeGitHub, api: Api, fault: Fault) -> None:
    github.after = [fault]
    with pytest.raises(Unavailable):
        api.post(f"/repos/{REPOSITORY}/releases", {"tag_name": "v1"})
    assert len(github.requests) == 1


def test_what_makes_something_is_sent_again_after_a_limit(github: FakeGitHub, api: Api) -> None:
    github.before = [answering(429, retry_after="1")]
    assert api.post(f"/repos/{REPOSITORY}/releases", {"tag_name": "v1"})["tag_name"] == "v1"


@pytest.mark.parametrize(
    "fault",
    [answering(429), answering(429, retry_after="3600"), answering(403, "API rate limit", x_ratelimit_remaining="0")],
    ids=["no-word-of-how-long", "an-hour", "used-up"],
)
def test_a_long_pause_is_left_to_whoever_called(github: FakeGitHub, api: Api, fault: Fault) -> None:
    github.always = fault
    with pytest.raises(Throttled):
        api.get(COMMIT)
    assert (len(github.requests), github.paused) == (1, [])


def test_time_is_bounded_over_all_requests(github: FakeGitHub, api: Api) -> None:
    def slow(request: httpx.Request) -> None:
        github.now += 7

    github.before = [slow, slow, slow, slow]  # type: ignore[list-item]
    for _ in range(2):
        api.get(COMMIT)
    with pytest.raises(Unavailable, match="took too long"):
        api.get(COMMIT)
    assert github.now <= client.BUDGET_SECONDS + 7


def test_a_body_without_end_is_cut_off(github: FakeGitHub, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_LIMIT", 100)
    github.always = nonsense(200, b"[" * 1_000)
    with pytest.raises(Declined, match="answer is too large"):
        api.get(COMMIT)


def test_deep_nesting_is_nonsense(github: FakeGitHub, api: Api) -> None:
    github.always = nonsense(200, b"[" * 200_000)
    with pytest.raises(Unavailable, match="malformed"):
        api.get(COMMIT)


@pytest.mark.parametrize(
    ("status", "message"), [(403, "Resource not accessible by personal access token"), (404, "Not Found"), (422, "no")]
)
def test_no_is_no(github: FakeGitHub, api: Api, status: int, message: str) -> None:
    github.always = answering(status, message)
    with pytest.raises(Declined, match=f"GitHub answered {status}: {message}") as caught:
        api.get(COMMIT)
    assert (caught.value.status, len(github.requests)) == (status, 1)


def test_find_takes_404_for_an_answer(github: FakeGitHub, api: Api) -> None:
    assert api.find(f"/repos/{REPOSITORY}/releases/tags/v1") is None


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_refused_key_is_renewed_once(github: FakeGitHub, method: str) -> None:
    asked: list[bool] = []

    def bearer(renew: bool) -> str:
        asked.append(renew)
        return TOKEN if renew else "stale"

    api = Api("https://api.github.com", bearer, github.network)
    body: Any = {"tag_name": "v1"}
    assert api.get(COMMIT) if method == "get" else api.post(f"/repos/{REPOSITORY}/releases", body)
    assert asked == [False, True]


def test_a_key_that_stays_refused(github: FakeGitHub) -> None:
    with pytest.raises(Declined, match="GitHub answered 401: Bad credentials"):
        Api("https://api.github.com", lambda renew: "stale", github.network).get(COMMIT)
    assert len(github.requests) == 2


def test_a_renamed_repository_is_followed_on_the_same_host(github: FakeGitHub, api: Api) -> None:
    github.before = [answering(301, location=f"https://api.github.com{COMMIT}")]
    assert api.get("/repos/old/name/commits/abc1234") == {"sha": SHA}


@pytest.mark.parametrize(
    "location",
    ["https://evil.example/", "http://api.github.com/", "https://api.github.com:8443/", "https://[", "//evil.example"],
)
def test_no_key_leaves_for_another_host(github: FakeGitHub, api: Api, location: str) -> None:
    github.always = answering(302, location=location)
    with pytest.raises(Declined, match="current name"):
        api.get(COMMIT)
    assert len(github.requests) == 1


def test_a_circle_of_redirects_ends(github: FakeGitHub, api: Api) -> None:
    github.always = answering(307, location=COMMIT)
    with pytest.raises(Unavailable, match="loop"):
        api.get(COMMIT)


def test_what_makes_something_is_not_turned_into_a_question(github: FakeGitHub, api: Api) -> None:
    github.before = [answering(301, location="/elsewhere")]
    with pytest.raises(Declined):
        api.post("/repos/old/name/releases", {})


def test_no_key_in_logs(github: FakeGitHub, api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    github.always = raising(httpx.ConnectError)
    with pytest.raises(Unavailable):
        api.get(COMMIT)
    github.always = lambda request: said(401, "Bad credentials")
    with pytest.raises(Declined):
        api.get(COMMIT)
    assert "hunter2" not in caplog.text
