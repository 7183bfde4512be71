"""What the page needs to know: the site's own `site.json`, part of the release, and the environment it runs in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SITE_FILE = Path(__file__).parent.parent / "site.json"
# The look, shared with the Next.js app.
STYLE_FILE = SITE_FILE.with_name("page.css")
MOST_PROJECTS = 100


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message names it and says what would be right."""


@dataclass(frozen=True)
class Site:
    """What is the same wherever this release runs."""

    title: str
    tagline: str
    projects_shown: int

    @classmethod
    def read(cls, file: Path = SITE_FILE) -> "Site":
        """Raises ConfigurationError."""
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigurationError(f"{file.name} is missing; it must be beside the package {__package__}") from None
        except ValueError as error:
            raise ConfigurationError(f"{file.name} is not JSON: {error}") from None
        return cls(
            title=_text(values, "title", file),
            tagline=_text(values, "tagline", file),
            projects_shown=_number(values, "projects_shown", file),
        )


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between two containers of one image."""

    site: Site
    style: str = ""
    version: str = "dev"
    bind_address: str = "127.0.0.1"
    port: int = 3000
    api_url: str = "http://127.0.0.1:8000"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises ConfigurationError."""
        port = environ.get("PORT", str(cls.port))
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigurationError(f"PORT is {port!r}: expected a number from 1 to 65535")
        api_url = environ.get("API_URL", cls.api_url).rstrip("/")
        if not _is_web_address(api_url):
            raise ConfigurationError(f"API_URL is {api_url!r}: expected http://host[:port] or https://host[:port]")
        return cls(
            site=Site.read(),
            style=STYLE_FILE.read_text(encoding="utf-8"),
            version=environ.get("APP_VERSION", cls.version),
            bind_address=environ.get("BIND_ADDRESS", cls.bind_address),
            port=int(port),
            api_url=api_url,
        )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or an unclosed [
        return False


def _required(values: Any, name: str, file: Path) -> Any:
    if not isinstance(values, dict) or name not in values:
        raise ConfigurationError(f"{file.name}: required setting {name!r} is missing")
    return values[name]


def _text(values: Any, name: str, file: Path) -> str:
    value = _required(values, name, file)
    if not isinstance(value, str):
        raise ConfigurationError(f"{file.name}: {name!r} is {json.dumps(value)}: expected text")
    return value


def _number(values: Any, name: str, file: Path) -> int:
    value = _required(values, name, file)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_PROJECTS:
        wanted = f"a whole number from 1 to {MOST_PROJECTS}"
        raise ConfigurationError(f"{file.name}: {name!r} is {json.dumps(value)}: expected {wanted}")
    return value
