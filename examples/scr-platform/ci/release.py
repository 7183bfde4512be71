"""What one release is: its components, its version, and AWS as the `aws` command shows it.

Of the standard library only: building, pushing and tagging need nothing installed.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLATFORM = Path(__file__).resolve().parent.parent
FOLDERS = {"api": "apps/api", "ai-gateway": "services/ai-gateway", "web": "apps/web"}

# As `tagPattern` in platform.yaml wants a version, and as Ferryman reads a version tag. An image tag can't hold a `+`,
# so a version with build metadata is refused by name_is_no_tag().
VERSION_LENGTH = 7
SEMVER = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:[-+][0-9A-Za-z.+-]+)?", re.ASCII)


class ReleaseError(Exception):
    """It can't go on; the message says what happened and what to do."""


def on_github() -> bool:
    """Whether this is a job of GitHub Actions, where the variable is `true`."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def repository(component: str) -> str:
    return f"scr-{component}"


def commit() -> str:
    """The full sha of what is checked out. Of an annotated tag, too: HEAD is the commit it points to."""
    return run("git", "-C", str(PLATFORM), "rev-parse", "HEAD").strip()


def version() -> str:
    """Cut, not abbreviated by git: git's length depends on how much of the history is there."""
    return commit()[:VERSION_LENGTH]


def chosen_component() -> str:
    component = os.environ.get("COMPONENT", "")
    if component not in FOLDERS:
        raise ReleaseError(f"COMPONENT is {component!r}; set COMPONENT=api, COMPONENT=ai-gateway or COMPONENT=web.")
    return component


def run(*command: str, stdin: str | None = None) -> str:
    """Its output; what it writes to standard error is shown as it comes."""
    try:
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise ReleaseError(f"{command[0]} is not installed.") from None
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[:3])} … failed with exit status {done.returncode}; see above.")
    return done.stdout


def aws(*arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("aws", *arguments, "--output", "json"))
    return answer


def image(component: str, tag: str) -> dict[str, Any] | None:
    """`imageId`, `imageManifest` and `imageManifestMediaType` of what carries the tag; None when nothing does."""
    name = repository(component)
    answer = aws("ecr", "batch-get-image", "--repository-name", name, "--image-ids", f"imageTag={tag}")
    if answer["images"]:
        found: dict[str, Any] = answer["images"][0]
        return found
    failure = answer["failures"][0]
    if failure["failureCode"] != "ImageNotFound":
        raise ReleaseError(f"ECR returned an error for {name}:{tag}: {failure['failureReason']}")
    return None


def main(work: Callable[[], None]) -> None:
    """Do it; one sentence and exit status 1 when it can't be done."""
    try:
        work()
    except ReleaseError as error:
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        sys.exit(1)
