"""Run pnpm in the version and with the hash that apps/web/package.json pins. Node's corepack installs it.

python pnpm.py lint        # a script of package.json, with the locked packages installed
python pnpm.py lock [1]    # writes pnpm-lock.yaml again; with 1 it upgrades the packages
"""

import os
import re
import shutil
import subprocess
import sys

from release import FOLDERS, PLATFORM, ReleaseError, main, run

WEB = PLATFORM / FOLDERS["web"]
OLDEST_NODE = (20, 9)
WITHOUT = (
    "Get Node 20 (20.9 or newer) with its corepack, from your system's packages or nodejs.org. Without it, the page in "
    "Python works (`python -m scr_web`, which the local AWS runs), and so do all targets of the api and the gateway."
)


def check() -> None:
    """Raises ReleaseError that says what is missing, how to get it, and what works without."""
    if not shutil.which("node"):
        raise ReleaseError(f"node is not on the PATH. {WITHOUT}")
    version = run("node", "--version").strip()
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if not found or (int(found[1]), int(found[2])) < OLDEST_NODE:
        raise ReleaseError(f"node on the PATH is {version}, which is too old for Next.js. {WITHOUT}")
    if not shutil.which("corepack"):
        raise ReleaseError(
            f"node is installed, but corepack is not (`npm install --global corepack` adds it). {WITHOUT}"
        )


def pnpm(
    *arguments: str, env: dict[str, str] | None = None, stdout: int | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run it in the app's folder."""
    quiet = {"CI": "true", "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0", "NEXT_TELEMETRY_DISABLED": "1"}
    command = ["corepack", "pnpm", *arguments]
    return subprocess.run(command, cwd=WEB, env=os.environ | quiet | (env or {}), stdout=stdout, text=True, check=False)


def install() -> None:
    """Install exactly what is in the lock. Returns at once if it is installed."""
    check()
    if pnpm("install", "--frozen-lockfile", "--silent").returncode:
        raise ReleaseError(
            "pnpm install failed; see above. It needs a package registry; check `pnpm config get registry`."
        )


def script(name: str, env: dict[str, str] | None = None) -> None:
    install()
    if pnpm("run", "--silent", name, env=env).returncode:
        raise ReleaseError(f"pnpm {name} failed; see above.")


def lock(upgrade: bool) -> None:
    check()
    arguments = ["update", "--lockfile-only"] if upgrade else ["install", "--lockfile-only", "--no-frozen-lockfile"]
    if pnpm(*arguments).returncode:
        raise ReleaseError("pnpm-lock.yaml could not be written; see above.")


if __name__ == "__main__":
    name, *options = sys.argv[1:]
    main(lambda: lock(bool(options)) if name == "lock" else script(name))
