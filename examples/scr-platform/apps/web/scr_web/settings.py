"""What the page needs to know: the site's own `web.toml`, part of the release, and the environment it runs in."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SITE_FILE = Path(__file__).parent.parent / "web.toml"


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
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigurationError(f"{file.name} is missing: it belongs beside the package {__package__}") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{file.name} is not TOML: {error}") from None
        return cls(
            title=_required(values, "title", str, file),
            tagline=_required(values, "tagline", str, file),
            projects_shown=_required(values, "projects_shown", int, file),
        )


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between two containers of one image."""

    site: Site
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


def _required[T](values: Mapping[str, Any], name: str, kind: type[T], file: Path) -> T:
    if name not in values:
        raise ConfigurationError(f"{file.name}: required setting {name!r} is missing")
    if not isinstance(values[name], kind):
        raise ConfigurationError(f"{file.name}: {name!r} is {values[name]!r}: expected {kind.__name__}")
    value: T = values[name]
    return value
