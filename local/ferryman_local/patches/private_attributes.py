"""How the emulator's private parts are replaced: checked, so that another version is refused and not half patched."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

PINNED = "1.5.33"


class IncompatibleEmulatorError(Exception):
    """The installed ministack is not the one these patches were written for."""


def check_version() -> None:
    """Refuse another version than the pinned one."""
    installed = version("ministack")
    if installed != PINNED:
        raise IncompatibleEmulatorError(
            f"ministack {installed} is installed, but ferryman's local AWS replaces private parts of {PINNED}. "
            f"Install ministack=={PINNED}, or review local/ferryman_local/patches and change PINNED."
        )


def module(name: str) -> Any:
    """A module of the emulator, e.g. `services.ecs`."""
    return import_module(f"ministack.{name}")


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Set `owner.name` to `make(original)`; refuse when there is no such attribute."""
    if not hasattr(owner, name):
        raise IncompatibleEmulatorError(
            f"ministack {PINNED} should have {getattr(owner, '__name__', owner)}.{name}, but it is missing: "
            "the installation is damaged or changed; install it anew."
        )
    setattr(owner, name, make(getattr(owner, name)))
