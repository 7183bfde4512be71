"""The page in Python, and that it is the page of the Next.js app."""

import json
import socket
from pathlib import Path

import pytest
from page_facts import NO_API_VERSION, SITUATIONS, UNREACHABLE, VERSION, Situation, problems, stub_api
from scr_web.app import create_app
from scr_web.settings import STYLE_FILE, ConfigurationError, Settings, Site

from .clients import AppClient


def page_problems(api_url: str, shows: tuple[str, ...], hides: tuple[str, ...]) -> list[str]:
    settings = Settings.from_env({"API_URL": api_url, "APP_VERSION": VERSION})
    with AppClient(create_app(settings)) as client:
        answer = client.get("/")
    assert answer.status_code == 200
    return problems(shows, hides, answer.headers, answer.text)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_the_page(situation: Situation) -> None:
    """`make web-build` asks the same of the Next.js app."""
    with stub_api() as api:
        api.situation = situation
        assert page_problems(api.url, situation.shows, situation.hides) == []


def test_the_page_without_an_api() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        assert page_problems(f"http://127.0.0.1:{unused.getsockname()[1]}", UNREACHABLE, NO_API_VERSION) == []


def test_facts_that_do_not_hold_are_told() -> None:
    with stub_api() as api:
        found = page_problems(api.url, ("database revision 0009",), ("database revision 0003",))
    assert found == ["it lacks database revision 0009", "it has database revision 0003"]
    assert problems((), (), {}, "")[-1] == "its Content-Type is None, not 'text/html; charset=utf-8'"


def test_reading_settings() -> None:
    settings = Settings.from_env({"API_URL": "http://api.internal:8000/", "APP_VERSION": "3f9c2ab", "PORT": "3001"})

    assert (settings.api_url, settings.version, settings.port) == ("http://api.internal:8000", "3f9c2ab", 3001)
    assert settings.site.title == "SCR platform"


@pytest.mark.parametrize("url", ["", "api:8000", "file:///etc/passwd", "http://", "http://api:port", "http://["])
def test_an_api_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="API_URL is"):
        Settings.from_env({"API_URL": url})


GOOD = {"title": "t", "tagline": "t", "projects_shown": 10}


def without(name: str) -> str:
    return json.dumps({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(without("title"), "required setting 'title' is missing", id="missing"),
        pytest.param(json.dumps(GOOD | {"title": 1}), "'title' is 1: expected text", id="text"),
        pytest.param(json.dumps(GOOD | {"projects_shown": "ten"}), "'projects_shown' is \"ten\": expected", id="type"),
        pytest.param(json.dumps(GOOD | {"projects_shown": True}), "'projects_shown' is true: expected", id="bool"),
        pytest.param(json.dumps(GOOD | {"projects_shown": 101}), "a whole number from 1 to 100", id="too-many"),
        pytest.param("[]", "required setting 'title' is missing", id="list"),
        pytest.param("title =", r"site\.json is not JSON", id="not-json"),
    ],
)
def test_a_site_file_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "site.json").write_text(text)

    with pytest.raises(ConfigurationError, match=message):
        Site.read(tmp_path / "site.json")


def test_a_site_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"site\.json is missing"):
        Site.read(tmp_path / "site.json")


def test_both_pages_read_the_same_files() -> None:
    """`file("…")` in settings.mjs, which is beside them."""
    settings = (STYLE_FILE.parent / "settings.mjs").read_text(encoding="utf-8")
    assert 'file("site.json")' in settings
    assert f'file("{STYLE_FILE.name}")' in settings
