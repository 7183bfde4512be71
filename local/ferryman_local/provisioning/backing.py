"""Backing services of containers, by engine: the addresses of the database, the cache and the other components.

infrastructure.py uses it for each task definition. docker_backing.py has those of the Docker engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Asked:
    """A component in an environment, whose container needs the addresses."""

    component: str
    environment: str
    cluster: str
    port: int
    urls: Mapping[str, str]
    """Component → URL through the load balancer, for this machine."""


class Backing(Protocol):
    """The backing services of the platform's containers."""

    grace_seconds: int
    """Seconds for which failed health checks of a new task are ignored, in addition to the target group's settings."""

    def variables(self, asked: Asked) -> dict[str, str]:
        """Environment of the component's container."""

    def definition(self, asked: Asked) -> dict[str, Any]:
        """Further fields of its task definition, in addition to name, image, port, environment and log."""

    def start(self) -> None:
        """Start the backing services."""


class ProcessBacking:
    """An SQLite file for each cluster; no cache. Processes reach each other like this machine does."""

    grace_seconds = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def variables(self, asked: Asked) -> dict[str, str]:
        """Environment of the component's container."""
        known = {"api": {"DATABASE_URL": f"sqlite:///{self._folder / asked.cluster}.db"}}
        return {"PORT": str(asked.port), **known.get(asked.component, {}), **neighbours(asked)}

    def definition(self, _asked: Asked) -> dict[str, Any]:
        """Empty: a process has no file system of its own that could be read-only."""
        return {}

    def start(self) -> None:
        """Does nothing: a file needs no start."""


def neighbours(asked: Asked, urls: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables with the URLs of the other components; `urls` if they differ from those of this machine."""
    urls = urls or asked.urls
    if asked.component == "web" and "api" in urls:
        return {"API_URL": urls["api"], "PUBLIC_API_URL": asked.urls["api"]}  # the second for browsers
    if asked.component == "api" and "ai-gateway" in urls:
        return {"AI_GATEWAY_URL": urls["ai-gateway"]}
    return {}
