"""What differs between the two engines in what a container is told: where its database, its cache and the others are.

infrastructure.py asks it for each task definition. The Docker engine's is in docker_backing.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Asked:
    """A component in an environment, whose container is to be told."""

    component: str
    environment: str
    cluster: str
    port: int
    urls: Mapping[str, str]
    """Component → URL through the load balancer, as this machine reaches it."""


class Backing(Protocol):
    """Beside the containers of the platform."""

    grace_seconds: int
    """How long a task's load balancer overlooks failed health checks, beside what the target group allows."""

    def variables(self, asked: Asked) -> dict[str, str]:
        """Environment of the component's container."""

    def definition(self, asked: Asked) -> dict[str, Any]:
        """What its task definition has beside name, image, port, environment and log."""

    def start(self) -> None:
        """Have it running."""


class ProcessBacking:
    """An SQLite file for each cluster; no cache. Processes reach each other as this machine does."""

    grace_seconds = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def variables(self, asked: Asked) -> dict[str, str]:
        """Environment of the component's container."""
        known = {"api": {"DATABASE_URL": f"sqlite:///{self._folder / asked.cluster}.db"}}
        return {"PORT": str(asked.port), **known.get(asked.component, {}), **neighbours(asked)}

    def definition(self, _asked: Asked) -> dict[str, Any]:
        """A process has no file system of its own that could be closed."""
        return {}

    def start(self) -> None:
        """A file needs no start."""


def neighbours(asked: Asked, urls: Mapping[str, str] | None = None) -> dict[str, str]:
    """Where a component finds the others; `urls` where they are not those of this machine."""
    urls = urls or asked.urls
    if asked.component == "web" and "api" in urls:
        return {"API_URL": urls["api"], "PUBLIC_API_URL": asked.urls["api"]}  # the second for browsers
    if asked.component == "api" and "ai-gateway" in urls:
        return {"AI_GATEWAY_URL": urls["ai-gateway"]}
    return {}
