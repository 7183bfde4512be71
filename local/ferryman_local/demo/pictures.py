"""`python -m ferryman_local.demo.pictures [folder]`: take screenshots of the example's approval page for the docs.

Needs Chromium on the PATH (or CHROMIUM=…) and Playwright's Python package, which is a developer's requirement.
"""

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ferryman_cli.transport import Api
from ferryman_local.demo.screen import Screen
from ferryman_local.demo.stage import PRODUCTION, Stage
from ferryman_local.local_aws import CHECKOUT, LocalAws, wait_until

FOLDER = CHECKOUT / "docs" / "images"
BEFORE, ASKED = ("3f9c2ab", "v1.0.0"), ("c1d4e70", "v1.1.0")
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5, "is_mobile": True}
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
"""In the same order as scripts/need."""
SECONDS = 60.0


def take(folder: Path) -> None:
    """Deploy one release to production and the next one up to its approval, and take screenshots of both."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if chromium is None:
        raise SystemExit("Chromium is not on the PATH; install it, or set CHROMIUM=…")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        aws = stack.enter_context(LocalAws(home, github=True, report=print))
        aws.start()
        stage = Stage(aws, Screen())
        prod = stage.on(PRODUCTION)
        stage.api.put(Api.path("v1", "platforms", stage.platform), aws.document)
        release(stage, prod, *BEFORE)
        prod.decide(prod.link(prod.asked(BEFORE[0])["id"], "Ada"), "approve", BEFORE[0], "Ada")
        prod.follow(BEFORE[0])
        release(stage, prod, *ASKED)
        link = prod.link(prod.asked(ASKED[0])["id"], "Ada")
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=chromium, args=arguments)
        page: Any = browser.new_context(**PHONE, color_scheme="light").new_page()  # type: ignore[arg-type]
        page.goto(link)
        shoot(page, folder / "approval-asks.png")
        page.get_by_label("Type this version").fill(ASKED[0])
        page.get_by_role("button", name="Approve").click()
        wait_until(lambda: rolling(prod, ASKED[0]), SECONDS, "the second service to roll out", every=0.05)
        page.goto(link)
        shoot(page, folder / "approval-progress.png")
        prod.follow(ASKED[0])
        browser.close()


def release(stage: Stage, prod: Stage, version: str, name: str) -> None:
    """Push a version, let staging verify it, and name it."""
    stage.push(version, ("api", "ai-gateway", "web"), pause=0)
    stage.follow(version)
    prod.tag(version, name)


def rolling(prod: Stage, version: str) -> bool:
    """Whether one service runs the release and the next one is being rolled out."""
    view = prod.deployment(version)
    steps = [step["status"] for step in view["steps"] if step["kind"] == "rollout"] if view else []
    return "Succeeded" in steps and "Running" in steps


def shoot(page: Any, file: Path) -> None:
    """Take a screenshot of the whole page."""
    page.screenshot(path=str(file), full_page=True)
    print(f"{file}: {file.stat().st_size // 1024} kB")


if __name__ == "__main__":
    take(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
