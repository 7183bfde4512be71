"""What the gateway reads from its environment, once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message names it and says what would be right."""


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between two containers of one image."""

    version: str = "dev"
    bind_address: str = "127.0.0.1"
    port: int = 8100
    redis_url: str | None = field(default=None, repr=False)
    """Where costs are counted; without it this process counts for itself."""

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
            redis_url=environ.get("REDIS_URL") or None,
        )
