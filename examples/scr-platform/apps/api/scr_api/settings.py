"""What the API reads from its environment, once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass


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
            database_url=environ.get("DATABASE_URL", cls.database_url),
        )
