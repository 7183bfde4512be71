"""The record of the local AWS in the background, stored in `.local/` so that other commands find it.

Written by `ferryman_local.supervisor` and by `make demo KEEP=1`; read by `ferryman local …`.
"""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from ferryman_local.engines.engine import PROCESS, EngineName, remove_left
from ferryman_local.local_aws import CHECKOUT, LocalAws

FOLDER = CHECKOUT / ".local"
FILE = FOLDER / "aws.json"
EXPORTED = ("AWS_", "FERRYMAN_API_")


@dataclass(frozen=True)
class Instance:
    """One local AWS and its supervising process."""

    pid: int
    birth: str
    """`birth(pid)` when the record was written, because another process may have the same id later."""
    by: str
    """The command that started it."""
    home: str
    platform_file: str
    ready: bool = False
    port: int = 0
    owner: str = ""
    """Owner mark of the emulator's processes and containers."""
    engine: EngineName = PROCESS
    exports: dict[str, str] = field(default_factory=dict)
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    """Role → environment variables of a user who has it."""
    services: dict[str, dict[str, str]] = field(default_factory=dict)
    """Environment → component → URL."""

    @classmethod
    def of_this_process(cls, by: str, aws: LocalAws) -> Self:
        """The record of this process, before the local AWS is ready."""
        pid, emulator = os.getpid(), aws.emulator
        return cls(
            pid, birth(pid) or "", by, str(aws.home), str(aws.source),
            port=emulator.port, owner=emulator.owner, engine=emulator.engine,
        )  # fmt: skip

    def standing(self, aws: LocalAws) -> "Instance":
        """The record once the local AWS is ready."""
        created = aws.infrastructure.get(aws.document["metadata"]["name"])
        return replace(
            self,
            ready=True,
            exports=exports(aws.cli_env()),
            people={role: person.env for role, person in aws.people.items()},
            services=created.urls if created else {},
        )

    def lives(self) -> bool:
        """Whether this process is still running."""
        return birth(self.pid) == self.birth

    def write(self) -> None:
        """Write the record where the commands look for it."""
        FOLDER.mkdir(exist_ok=True)
        part = FILE.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(asdict(self), indent=1))
        part.replace(FILE)

    def remove_left(self) -> str:
        """Stop and remove what an ended process left behind; return what could not be removed, and what to do."""
        return remove_left(self.owner, self.engine, f"localhost:{self.port}")

    def forget(self) -> None:
        """Remove the record, unless another process has replaced it."""
        known = _read()
        if known is not None and (known.pid, known.birth) == (self.pid, self.birth):
            FILE.unlink(missing_ok=True)


def find() -> Instance | None:
    """The local AWS that is running or starting; None if there is none or its process is gone."""
    known = _read()
    return known if known is not None and known.lives() else None


def last() -> Instance | None:
    """The recorded local AWS, even if its process is gone."""
    return _read()


def _read() -> Instance | None:
    try:
        return Instance(**json.loads(FILE.read_text()))
    except (OSError, ValueError, TypeError):  # none, or one of another version of this file
        return None


def birth(pid: int) -> str | None:
    """A value that distinguishes this process from a later one with the same id; None if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if stat[0] == "Z" else f"{boot}:{stat[19]}"  # field 22, the start in ticks since the boot


def exports(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that a shell needs to use a local AWS."""
    return {name: value for name, value in sorted(environment.items()) if name.startswith(EXPORTED)}


def shell_lines(values: Mapping[str, str]) -> list[str]:
    """Lines for a POSIX shell; they unset variables for the real AWS."""
    return [
        "unset AWS_PROFILE AWS_SESSION_TOKEN",
        *(f"export {name}={shlex.quote(value)}" for name, value in values.items()),
    ]
