"""What tests need of this machine. Tools: skipped where one is missing, failed in CI, where it has to be there."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from ferryman_local import flags

ROOT = Path(__file__).resolve().parents[1]
MISSING = 3


def require(*tools: str) -> None:
    """Go on when scripts/need finds all of them."""
    done = subprocess.run([ROOT / "scripts/need", *tools], capture_output=True, text=True, check=False)
    if done.returncode == MISSING:
        said = [line.removeprefix("need: ") for line in done.stderr.splitlines() if line.startswith("need: ")]
        missing(f"{'; '.join(said)} (`scripts/need {' '.join(tools)}` says how to get it)")
    assert done.returncode == 0, done.stderr


def missing(reason: str) -> NoReturn:
    """Skip with the reason; in CI that is a failure."""
    if flags.on("CI"):
        pytest.fail(f"CI must not skip this: {reason}")
    pytest.skip(reason)


def skip_in_ci_too(reason: str) -> NoReturn:
    """For what CI can do without: skip with the reason, which .ci/run tells in its table (CI_SKIPPED names a file)."""
    if told := os.environ.get("CI_SKIPPED"):
        with Path(told).open("a", encoding="utf-8") as file:
            file.write(f"{reason}\n")
    pytest.skip(reason)


def without_make() -> dict[str, str]:
    """The environment without what the `make` that runs these tests was given: it is not for another one."""
    given = ("MAKE", "MFLAGS")
    return {name: value for name, value in os.environ.items() if name != "ARGS" and not name.startswith(given)}


def chromium() -> str:
    """The browser that is there."""
    require("chromium")
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next(path for name in names if (path := shutil.which(name)))
