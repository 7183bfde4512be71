"""Where the scenes play: one environment of the example platform, its operator, and what a developer does."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from botocore.credentials import Credentials

from ferryman_cli.transport import Api, ApiError
from ferryman_local.demo.observe import Observer
from ferryman_local.demo.screen import Screen, View
from ferryman_local.local_aws import LocalAws, wait_until

DEPLOYMENT_SECONDS = 180.0
"""No deployment of the example takes nearly as long, also on a busy machine."""
MAIL_SECONDS = 75.0
"""The sweep that sends a message whose first try failed comes every minute."""
_LOOK_EVERY = 0.7
_TICK = 0.1

ENVIRONMENT = "staging"


class Stage:
    """Acts as developers and CI do, and asks the operator's API what became of it."""

    def __init__(self, aws: LocalAws, screen: Screen) -> None:
        self.aws, self.screen = aws, screen
        document = aws.document
        self.platform = document["metadata"]["name"]
        self.environment: dict[str, Any] = document["spec"]["environments"][ENVIRONMENT]
        self.repositories = {name: spec["repository"] for name, spec in document["spec"]["components"].items()}
        self.services = {s["name"]: s["component"] for wave in self.environment["waves"] for s in wave["services"]}
        self.urls = aws.sides[self.platform].urls[ENVIRONMENT]
        self.api = Api(
            aws.outputs["ApiUrl"],
            credentials=Credentials("test", "test"),
            region=aws.emulator.region,
            connect=aws.emulator.endpoint,
        )
        self.place = Api.path("v1", "platforms", self.platform, "environments", ENVIRONMENT)
        self.seen = Observer(aws.emulator.session(), aws.emulator.endpoint, self.environment["cluster"], self.services)

    # What a developer does

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the real `ferryman` command and show what it prints."""
        self.screen.line("$ ferryman", " ".join(arguments))
        done = subprocess.run(
            [sys.executable, "-m", "ferryman_cli", *arguments],
            env={**os.environ, **self.aws.cli_env()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.screen.quote([line for line in (done.stdout + done.stderr).splitlines() if line.strip()])
        return done

    def push(
        self, version: str, components: tuple[str, ...], fault: str | None = None, pause: float = 0.4
    ) -> dict[str, str]:
        """Push images of a version, in this order, with a pause (seconds) between two; component → digest."""
        digests: dict[str, str] = {}
        for component in components:
            time.sleep(pause if digests else 0.0)
            digests |= self.aws.push(version, [component], fault=fault)
            image = f"{self.repositories[component]}:{version}"
            self.screen.line(image, "pushed", digests[component][:19])
        return digests

    # What the operator says

    def releases(self) -> dict[str, View]:
        """Its releases by version."""
        answer = self.api.get(Api.path("v1", "platforms", self.platform, "releases"))
        return {release["version"]: release for release in answer["releases"]}

    def history(self) -> list[View]:
        """The environment's deployments, newest first."""
        return list(self.api.get(f"{self.place}/history")["deployments"])

    def state(self) -> View:
        """Where the environment stands."""
        return self.api.get(self.place)

    def deployment(self, version: str) -> View | None:
        """The latest deployment of a version, with its steps; None before there is one."""
        try:
            return self.api.get(f"{self.place}/deployments/latest", version=version)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def follow(self, version: str) -> View:
        """Show a version's deployment until it ends; TimeoutError when it doesn't."""
        return self.screen.follow(self._looks(version))

    def _looks(self, version: str) -> Iterator[View | None]:
        deadline, looked, view = time.monotonic() + DEPLOYMENT_SECONDS, float("-inf"), None
        while True:
            if time.monotonic() - looked >= _LOOK_EVERY:
                view = self.deployment(version)
                looked = time.monotonic()
            yield view
            if view is not None and view["ended"]:
                return
            if time.monotonic() > deadline:
                stands = f"it is {view['phase']} at {view['step']}" if view else "it has not begun"
                raise TimeoutError(f"the deployment of {version} did not end in {DEPLOYMENT_SECONDS:.0f} s: {stands}")
            time.sleep(_TICK)

    def await_running(self, version: str) -> None:
        """Wait until a version's deployment is past its last gate."""
        wait_until(
            lambda: (view := self.deployment(version)) is not None and view["phase"] != "Pending",
            DEPLOYMENT_SECONDS,
            f"the deployment of {version} to run",
            every=0.3,
        )

    # What people get

    def mail(self, version: str) -> View:
        """The message about a version, once it has come; shown. TimeoutError when none comes."""
        mails = wait_until(lambda: self.seen.mails(version), MAIL_SECONDS, f"the mail about {version}", every=0.3)
        self.screen.message(mails[-1])
        return mails[-1]
