"""What the API reads from its environment, once, at start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

ORIGIN = re.compile(r"(https?)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?")
OWN_PORTS = {"http": 80, "https": 443}


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message names it and says what would be right."""


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between two containers of one image."""

    version: str = "dev"
    bind_address: str = "127.0.0.1"
    port: int = 8000
    database_url: str = field(default="sqlite:///scr.db", repr=False)
    redis_url: str | None = field(default=None, repr=False)
    """Where summaries are kept; without it each is asked for anew."""
    ai_gateway_url: str | None = None
    admin_token: str | None = field(default=None, repr=False)
    """What `/admin/*` asks for; without it nobody gets in."""
    allowed_origins: tuple[str, ...] = ()
    """Of pages elsewhere whose scripts may ask `/api/*`; a page of the API's own origin needs no leave."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises ConfigurationError. What is set to nothing counts as not set."""
        port = environ.get("PORT", str(cls.port))
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigurationError(f"PORT is {port!r}: expected a number from 1 to 65535")
        return cls(
            version=environ.get("APP_VERSION", cls.version),
            bind_address=environ.get("BIND_ADDRESS", cls.bind_address),
            port=int(port),
            database_url=environ.get("DATABASE_URL") or _joined(environ) or "sqlite:///scr.db",
            redis_url=environ.get("REDIS_URL") or None,
            ai_gateway_url=_http_url(environ, "AI_GATEWAY_URL"),
            admin_token=environ.get("ADMIN_TOKEN", "").strip() or None,
            allowed_origins=_origins(environ, "ALLOWED_ORIGINS"),
        )


def _joined(environ: Mapping[str, str]) -> str | None:
    """The URL from the parts that ECS injects: RDS keeps the password, which may hold any character."""
    if "DATABASE_HOST" not in environ:
        return None
    missing = [name for name in ("DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD") if not environ.get(name)]
    if missing:
        raise ConfigurationError(f"DATABASE_HOST is set, but {', '.join(missing)} is not")
    user, password = (quote(environ[name], safe="") for name in ("DATABASE_USER", "DATABASE_PASSWORD"))
    host, port = environ["DATABASE_HOST"], environ.get("DATABASE_PORT", "5432")
    return f"postgresql://{user}:{password}@{host}:{port}/{environ['DATABASE_NAME']}"


def _http_url(environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name, "").rstrip("/")
    if not text:
        return None
    try:
        url = urlsplit(text)
        right = url.scheme in {"http", "https"} and bool(url.hostname) and (url.port or 80) > 0
    except ValueError:
        right = False
    if not right:
        raise ConfigurationError(f"{name} is {text!r}: expected http://host:port")
    return text


def _origins(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Written as browsers send them, since they are compared letter by letter: anything else would never match."""
    found = tuple(filter(None, (part.strip() for part in environ.get(name, "").split(","))))
    for origin in found:
        parts = ORIGIN.fullmatch(origin)
        port = int(parts[2] or 0) if parts else 0
        if parts is None or port > 65535 or port == OWN_PORTS[parts[1]]:
            raise ConfigurationError(
                f"{name} has {origin!r}: expected https://host or http://host:port, in lower case, without a path, a"
                " star or the scheme's own port; commas between several"
            )
    return found
