"""GitHub behind httpx.MockTransport: one repository, with failures on order. It keeps every request it got."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from ferryman.clients.github.client import Network

REPOSITORY = "scr-platform/scr"
TOKEN = "github_pat_hunter2hunter2hunter2"
SHA = "abc1234" + "0" * 33
BEFORE = "0001234" + "0" * 33

Fault = Callable[[httpx.Request], httpx.Response | None]


class FakeGitHub:
    def __init__(self) -> None:
        self.commits = {"abc1234": SHA, "0001234": BEFORE, SHA: SHA, BEFORE: BEFORE}
        self.tokens = {TOKEN}
        self.releases: dict[str, dict[str, Any]] = {}
        self.statuses: list[dict[str, Any]] = []
        self.deployments: list[dict[str, Any]] = []
        self.deployment_statuses: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.before: list[Fault] = []
        """Asked first, each once: answer, raise, or None to let the request through."""
        self.after: list[Fault] = []
        """The same, but the request has been carried out: its answer gets lost."""
        self.always: Fault | None = None
        self.paused: list[float] = []
        self.now = 0.0

    @property
    def network(self) -> Network:
        return Network(httpx.MockTransport(self), self._pause, lambda: self.now)

    def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.now += seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return streamed(self._answer(request))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        for fault in [self.always, *([self.before.pop(0)] if self.before else [])]:
            if fault is not None and (answer := fault(request)) is not None:
                return answer
        answer = self._respond(request)
        if request.method == "POST" and self.after and (lost := self.after.pop(0)(request)) is not None:
            return lost
        return answer

    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def _respond(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content or b"null")
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return said(401, "Bad credentials")
        inside = re.fullmatch(rf"/repos/{REPOSITORY}(/.*)?", path)
        if inside is None:
            return said(404, "Not Found")
        for pattern, answer in (
            ("GET ", lambda: httpx.Response(200, json={"full_name": REPOSITORY})),
            ("GET /commits/([^/]+)", self._commit),
            (r"GET /compare/(.+)\.\.\.(.+)", self._compare),
            ("GET /releases/tags/([^/]+)", self._release),
            ("POST /releases", lambda: self._publish(body)),
            ("POST /statuses/([^/]+)", lambda sha: self._made(self.statuses, {"sha": sha, **body})),
            ("GET /deployments", lambda: httpx.Response(200, json=self._listed(request))),
            ("POST /deployments", lambda: self._made(self.deployments, {**body, "sha": body["ref"]})),
            (r"GET /deployments/(\d+)/statuses", self._states),
            (r"POST /deployments/(\d+)/statuses", lambda number: self._state(number, body)),
        ):
            found = re.fullmatch(pattern, f"{request.method} {inside[1] or ''}")
            if found is not None:
                return answer(*found.groups())  # type: ignore[operator]
        return said(404, "Not Found")

    def _commit(self, ref: str) -> httpx.Response:
        sha = self.commits.get(ref)
        return httpx.Response(200, json={"sha": sha}) if sha else said(422, f"No commit found for SHA: {ref}")

    def _compare(self, base: str, head: str) -> httpx.Response:
        if base not in self.commits or head not in self.commits:
            return said(404, "Not Found")
        titles = ["Fix the door (#12)\n\nIt stuck.", "Thanks @everyone <b>"]
        commits = [
            {"sha": f"{n}" * 40, "commit": {"message": title, "author": {"name": f"Person {n}"}}}
            for n, title in enumerate(titles, 1)
        ]
        return httpx.Response(200, json={"total_commits": 5, "commits": commits})

    def _release(self, tag: str) -> httpx.Response:
        return httpx.Response(200, json=self.releases[tag]) if tag in self.releases else said(404, "Not Found")

    def _publish(self, body: dict[str, Any]) -> httpx.Response:
        tag = body["tag_name"]
        if tag in self.releases:
            errors = [{"resource": "Release", "code": "already_exists", "field": "tag_name"}]
            return httpx.Response(422, json={"message": "Validation Failed", "errors": errors})
        self.releases[tag] = {**body, "html_url": f"https://github.com/{REPOSITORY}/releases/tag/{tag}"}
        return httpx.Response(201, json=self.releases[tag])

    def _listed(self, request: httpx.Request) -> list[dict[str, Any]]:
        query = request.url.params
        return [
            item
            for item in self.deployments
            if item["sha"] == query["sha"] and item["environment"] == query["environment"]
        ][::-1]

    def _states(self, number: str) -> httpx.Response:
        return httpx.Response(
            200, json=[item for item in self.deployment_statuses if item["deployment"] == int(number)][::-1]
        )

    def _state(self, number: str, body: dict[str, Any]) -> httpx.Response:
        return self._made(self.deployment_statuses, {"deployment": int(number), **body})

    def _made(self, among: list[dict[str, Any]], item: dict[str, Any]) -> httpx.Response:
        assert len(item.get("description", "")) <= 140
        item["id"] = len(among) + 1
        among.append(item)
        return httpx.Response(201, json=item)


def streamed(answer: httpx.Response) -> httpx.Response:
    """An answer whose body has yet to come, as from a network."""
    return httpx.Response(answer.status_code, headers=answer.headers, stream=_Stream(answer.content))


class _Stream(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content


def said(status: int, message: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"message": message}, headers=named)


def answering(status: int, message: str = "", **headers: str) -> Fault:
    return lambda request: said(status, message, **headers)


def raising(error: type[httpx.HTTPError]) -> Fault:
    def fault(request: httpx.Request) -> httpx.Response:
        raise error(f"with {request.headers.get('authorization')}")

    return fault


def nonsense(status: int = 200, content: bytes = b"<html>proxy</html>") -> Fault:
    return lambda request: httpx.Response(status, content=content, headers={"content-type": "text/html"})
