"""docker-compose.yml: what it lets in, what it starts, in which order."""

import re
from typing import Any

import pytest
import yaml

from .images import FOLDERS, PLATFORM

FILE = PLATFORM / "docker-compose.yml"
APPS = ("api", "ai-gateway", "web", "migrate")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return found


def test_its_services(services: dict[str, Any]) -> None:
    assert set(services) == {*APPS, "postgres", "redis"}
    for component, folder in FOLDERS.items():
        assert services[component]["build"]["context"] == folder
        assert (PLATFORM / folder / "Dockerfile").is_file()


def test_the_page_can_be_given_an_api_of_another_origin(services: dict[str, Any]) -> None:
    """Where the browser finds the API, and what the API lets in, are set beside each other."""
    assert services["web"]["environment"]["PUBLIC_API_URL"] == "${PUBLIC_API_URL:-}"
    assert services["api"]["environment"]["ALLOWED_ORIGINS"] == "${ALLOWED_ORIGINS:-}"


def test_nothing_listens_but_on_loopback(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"web", "api"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_the_apps_are_confined_as_in_ecs(services: dict[str, Any]) -> None:
    for name in APPS:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert "/tmp" in services[name]["tmpfs"]


def test_the_api_waits_for_the_migration(services: dict[str, Any]) -> None:
    assert services["api"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["command"] == ["alembic", "upgrade", "head"]
    assert services["migrate"]["image"] == services["api"]["image"]


def test_base_images_are_arguments_that_the_dockerfiles_have(services: dict[str, Any]) -> None:
    for name in APPS:
        build = services[name]["build"]
        dockerfile = (PLATFORM / build["context"] / "Dockerfile").read_text(encoding="utf-8")
        for argument, value in build["args"].items():
            default = re.fullmatch(rf"\$\{{{argument}:-(.+)\}}", value)
            assert default, f"{name}: {argument} can't be given"
            if argument != "APP_VERSION":
                assert f"ARG {argument}={default[1]}\n" in dockerfile


def test_no_secret_is_in_it_or_in_the_example_of_an_env_file() -> None:
    """What a person has to make up is asked for, never given."""
    example = (PLATFORM / ".env.example").read_text(encoding="utf-8")
    for name in ("POSTGRES_PASSWORD", "ADMIN_TOKEN", "CLERK_PUBLISHABLE_KEY"):
        assert f"\n{name}=\n" in example
        assert all(text.startswith((":?", ":-}")) for text in FILE.read_text().split(f"${{{name}")[1:])


def test_every_variable_is_explained_or_a_base_image() -> None:
    example = (PLATFORM / ".env.example").read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text(encoding="utf-8")))
    assert {name for name in used if f"\n{name}=" not in example} == {
        "BUILD_NETWORK",
        "NODE_IMAGE",
        "POSTGRES_IMAGE",
        "PYTHON_IMAGE",
        "REDIS_IMAGE",
    }
