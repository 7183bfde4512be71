"""What the API reads from its environment, once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message names it and says what would be right."""


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between two containers of one image."""

    version: str = "dev"
    bind_address: str = "127.0.0.1"
    port: int = 8000
    database_url: str = "sqlite:///scr.db"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises ConfigurationError."""
        port = environ.get("PORT", str(cls.port))
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigurationError(f"PORT is {port!r}: expected a number from 1 to 65535")
        return cls(
            version=environ.get("APP_VERSION", cls.version),
            bind_address=environ.get("BIND_ADDRESS", cls.bind_address),
            port=int(port),
            database_url=environ.get("DATABASE_URL") or _joined(environ) or cls.database_url,
        )


def _joined(environ: Mapping[str, str]) -> str | None:
    """The URL from the parts that ECS injects: RDS keeps the password, which may hold any character."""
    if "DATABASE_HOST" not in environ:
        return None
    missing = [name for name in ("DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD") if not environ.get(name)]
    if missing:
        raise ConfigurationError(f"DATABASE_HOST is set, and {', '.join(missing)} is not")
    user, password = (quote(environ[name], safe="") for name in ("DATABASE_USER", "DATABASE_PASSWORD"))
    host, port = environ["DATABASE_HOST"], environ.get("DATABASE_PORT", "5432")
    return f"postgresql://{user}:{password}@{host}:{port}/{environ['DATABASE_NAME']}"
