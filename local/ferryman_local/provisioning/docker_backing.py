"""PostgreSQL 16 and Redis 7 for the Docker engine: one container each, on the emulator's own network.

Every cluster has its own database and its own Redis database. The data is in memory and is not kept.
"""

import io
import secrets
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ferryman_local.emulator import Emulator
from ferryman_local.engines import docker_client
from ferryman_local.engines.docker_engine import OUTSIDE
from ferryman_local.provisioning.backing import Asked, neighbours

READY_SECONDS = 60.0
USER = "scr"
DATA = "/var/lib/postgresql/data"
SCRATCH = {"web": ("/tmp", "/app/.next/cache")}  # noqa: S108 - in the container; as Terraform has it


class BackingError(Exception):
    """PostgreSQL or Redis did not start."""


class DockerBacking:
    """The backing containers of the platform, and the environment of its components."""

    grace_seconds = 60
    """As in Terraform. On a busy machine, six starts of Node and Python take longer than the default of 20 s."""

    def __init__(self, emulator: Emulator, clusters: Sequence[str], images: Callable[[str], str]) -> None:
        """`images` maps names (POSTGRES_IMAGE) to images."""
        self._emulator, self._clusters, self._image = emulator, list(dict.fromkeys(clusters)), images
        self._password = secrets.token_hex(16)

    def variables(self, asked: Asked) -> dict[str, str]:
        """Environment of the component's container, the same as in Terraform."""
        endpoint = f"http://{OUTSIDE}:{self._emulator.port}"
        inside = {name: url.replace(self._emulator.endpoint, endpoint) for name, url in asked.urls.items()}
        number = self._clusters.index(asked.cluster)
        redis = {"REDIS_URL": f"redis://redis:6379/{number}"}
        database = {
            "DATABASE_HOST": "postgres",
            "DATABASE_PORT": "5432",
            "DATABASE_NAME": database_of(asked.cluster),
            "DATABASE_USER": USER,
            "DATABASE_PASSWORD": self._password,
        }
        known = {"api": {**database, **redis}, "ai-gateway": redis}
        return {
            "APP_ENV": asked.environment,
            "BIND_ADDRESS": "0.0.0.0",  # inside the container; it is published on loopback
            "PORT": str(asked.port),
            **known.get(asked.component, {}),
            **neighbours(asked, inside),
        }

    def definition(self, asked: Asked) -> dict[str, Any]:
        """A read-only file system with scratch folders, and an init process, the same as in Terraform."""
        folders = SCRATCH.get(asked.component, ("/tmp",))  # noqa: S108
        return {
            "readonlyRootFilesystem": True,
            "linuxParameters": {"initProcessEnabled": True},
            "mountPoints": [
                {"sourceVolume": folder.strip("/").replace("/", "-").replace(".", ""), "containerPath": folder}
                for folder in folders
            ],
        }

    def start(self) -> None:
        """Start both, and wait until they respond."""
        client = docker_client.connect()
        label = docker_client.mark(self._emulator.owner)
        (network,) = client.networks.list(filters=docker_client.having(self._emulator.owner))
        name = f"ferryman-{self._emulator.port}"
        postgres = self._run(
            client, network, "postgres", self._image("POSTGRES_IMAGE"), ["postgres", "-c", "fsync=off"],
            name=f"{name}-postgres", labels=label, tmpfs={DATA: ""},
            environment={"POSTGRES_USER": USER, "POSTGRES_PASSWORD": self._password},
            files={"/docker-entrypoint-initdb.d": {"databases.sql": self._databases()}},
        )  # fmt: skip
        redis = self._run(
            client, network, "redis", self._image("REDIS_IMAGE"), ["redis-server", "--save", ""],
            name=f"{name}-redis", labels=label, tmpfs={"/data": ""},
        )  # fmt: skip
        answers(postgres, ["pg_isready", "-q", "-h", "127.0.0.1"])
        answers(redis, ["redis-cli", "ping"])

    def _databases(self) -> bytes:
        return "".join(f"CREATE DATABASE {database_of(cluster)};\n" for cluster in self._clusters).encode()

    def _run(
        self,
        client: Any,
        network: Any,
        alias: str,
        image: str,
        command: Sequence[str],
        *,
        files: Mapping[str, Mapping[str, bytes]] | None = None,
        **settings: Any,
    ) -> Any:
        # Made on no network and then connected: docker-py knows no aliases at creation with `network=`.
        made = client.containers.create(image, list(command), network_mode="none", **settings)
        client.networks.get("none").disconnect(made)
        network.connect(made, aliases=[alias])
        for folder, content in (files or {}).items():
            made.put_archive(folder, archive(content))
        made.start()
        return made


def database_of(cluster: str) -> str:
    """The name of a cluster's database."""
    return cluster.replace("-", "_")


def archive(files: Mapping[str, bytes]) -> bytes:
    """A tar archive of world-readable files (name → content)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            made.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def answers(container: Any, command: list[str]) -> None:
    """Wait until a command in the container succeeds; raise BackingError with its log if it does not."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        container.reload()
        if container.status == "exited":
            break
        if container.status == "running" and container.exec_run(command).exit_code == 0:
            return
        time.sleep(0.2)
    tail = container.logs(tail=10).decode(errors="replace")
    raise BackingError(f"{container.name} did not start. Last lines of its log:\n{tail}")
