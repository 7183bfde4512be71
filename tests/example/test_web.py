"""The page: what it shows of an API that works, fails, or is not there."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import override

import pytest
from scr_web.app import create_app
from scr_web.settings import ConfigurationError, Settings, Site

from .clients import AppClient

HEALTH = {"status": "ok", "version": "5d01c77", "revision": "0003"}
PROJECTS = [{"name": "<b>Wind</b>", "stage": "review"}]


@contextmanager
def api_that_answers(answers: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[self.path.partition("?")[0]]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def api(health: tuple[int, bytes], projects: list[dict[str, str]] = PROJECTS) -> AbstractContextManager[str]:
    return api_that_answers({"/api/health": health, "/api/projects": (200, json.dumps(projects).encode())})


def page(api_url: str) -> str:
    settings = Settings(site=Site.read(), version="3f9c2ab", api_url=api_url)
    with AppClient(create_app(settings)) as client:
        answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-app-version"] == "3f9c2ab"
    assert '<code id="web-version">3f9c2ab</code>' in answer.text
    return answer.text


def test_the_page_shows_both_versions_and_the_projects() -> None:
    with api((200, json.dumps(HEALTH).encode())) as url:
        text = page(url)

    assert '<code id="api-version">5d01c77</code>' in text
    assert "database revision 0003" in text
    assert "&lt;b&gt;Wind&lt;/b&gt;" in text
    assert "<b>" not in text


def test_an_api_without_projects() -> None:
    with api((200, json.dumps(HEALTH | {"revision": None}).encode()), projects=[]) as url:
        text = page(url)

    assert "None yet." in text
    assert "database not migrated" in text


@pytest.mark.parametrize(
    ("health", "shown"),
    [
        pytest.param((503, b"{}"), "api answered 503 Service Unavailable", id="unhealthy"),
        pytest.param((200, b"<html>"), "something that is not its own JSON", id="not-json"),
        pytest.param((200, b"[]"), "something that is not its own JSON", id="other-json"),
        pytest.param((200, b"{}"), "something that is not its own JSON", id="no-version"),
    ],
)
def test_an_api_that_does_not_answer_well(health: tuple[int, bytes], shown: str) -> None:
    with api(health) as url:
        assert shown in page(url)


def test_an_api_that_is_not_there() -> None:
    with api((200, b"{}")) as url:
        pass  # its port is free again now

    assert "api unreachable (Connection refused)" in page(url)


def test_reading_settings() -> None:
    settings = Settings.from_env({"API_URL": "http://api.internal:8000/", "APP_VERSION": "3f9c2ab", "PORT": "3001"})

    assert (settings.api_url, settings.version, settings.port) == ("http://api.internal:8000", "3f9c2ab", 3001)
    assert settings.site.title == "SCR platform"


@pytest.mark.parametrize("url", ["", "api:8000", "file:///etc/passwd", "http://", "http://api:port", "http://["])
def test_an_api_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="API_URL is"):
        Settings.from_env({"API_URL": url})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda text: text.replace("title", "name"), "required setting 'title' is missing", id="missing"),
        pytest.param(lambda text: text.replace("10", '"ten"'), "'projects_shown' is 'ten': expected int", id="type"),
        pytest.param(lambda text: text + "[", r"web\.toml is not TOML", id="not-toml"),
    ],
)
def test_a_site_file_that_is_wrong(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    good = 'title = "t"\ntagline = "t"\nprojects_shown = 10\n'
    (tmp_path / "web.toml").write_text(change(good))

    with pytest.raises(ConfigurationError, match=message):
        Site.read(tmp_path / "web.toml")


def test_a_site_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"web\.toml is missing"):
        Site.read(tmp_path / "web.toml")
