"""One environment of the example platform, its operator, and the actions of developers and approvers."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from ferryman_cli import progress
from ferryman_cli.transport import Api, ApiError
from ferryman_local.demo.observe import Observer
from ferryman_local.demo.screen import Screen, View
from ferryman_local.engines.engine import DOCKER, PROCESS
from ferryman_local.local_aws import LocalAws, wait_until
from ferryman_local.standins.people import Page, Person, personal_link

DEPLOYMENT_SECONDS = {PROCESS: 180.0, DOCKER: 600.0}
"""Timeout of a deployment. Those of the example take much less, even on a busy machine."""
MAIL_SECONDS = 75.0
"""Timeout for an email. The sweep retries a failed message every minute."""
_LOOK_EVERY = 0.7
_TICK = 0.1

STAGING, PRODUCTION = "staging", "production"


class Stage:
    """Acts as developers, approvers and CI in one environment, and reads the results from the operator's API."""

    def __init__(self, aws: LocalAws, screen: Screen, where: str = STAGING) -> None:
        self.aws, self.screen, self.where = aws, screen, where
        self.patience = DEPLOYMENT_SECONDS[aws.emulator.engine]
        document = aws.document
        self.platform = document["metadata"]["name"]
        self.environment: dict[str, Any] = document["spec"]["environments"][where]
        self.repositories = {name: spec["repository"] for name, spec in document["spec"]["components"].items()}
        self.services = {s["name"]: s["component"] for wave in self.environment["waves"] for s in wave["services"]}
        self.urls = aws.infrastructure[self.platform].urls[where]
        self.api = Api(
            aws.outputs["ApiUrl"],
            credentials=aws.admin.credentials,
            region=aws.emulator.region,
            function=aws.outputs["ApiFunctionArn"],
            connect=aws.emulator.endpoint,
        )
        self.place = Api.path("v1", "platforms", self.platform, "environments", where)
        self.seen = Observer(
            aws.emulator.session(),
            aws.emulator.endpoint,
            f"{self.platform}/{where}",
            self.environment["cluster"],
            self.services,
        )

    def on(self, where: str) -> "Stage":
        """The stage of another environment of the same platform."""
        return Stage(self.aws, self.screen, where)

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
        """Push images of a version, in this order, with a pause (seconds) in between; component → digest."""
        self.aws.build(version, components, fault=fault)
        digests: dict[str, str] = {}
        for component in components:
            time.sleep(pause if digests else 0.0)
            digests |= self.aws.push(version, [component], fault=fault)
            image = f"{self.repositories[component]}:{version}"
            self.screen.line(image, "pushed", digests[component][:19])
        return digests

    def tag(self, version: str, name: str) -> None:
        """Give the images of a version a semver name, as CI does when a git tag is pushed."""
        self.aws.tag(version, name)
        for repository in self.repositories.values():
            self.screen.line(f"{repository}:{name}", "tagged", f"image of {version}")

    # What approvers do

    def asked(self, version: str) -> View:
        """Wait until a deployment waits for approval, and return its view."""

        def look() -> View | None:
            view = self.deployment(version)
            return view if view is not None and view["phase"] == "AwaitingApproval" else None

        view = wait_until(look, self.patience, f"{version} to wait for approval", every=0.3)
        self.screen.line(f"{self.platform}/{self.where}", view["phase"], progress.name(view))
        return view

    def link(self, deployment: str, person: str) -> str:
        """Show the last email that a person got about a deployment, and return its personal link."""
        to = next(a["email"] for a in self.environment["approval"]["approvers"] if a["name"].startswith(person))

        def look() -> list[tuple[View, str]]:
            found = [(mail, personal_link(mail)) for mail in self.seen.inbox.mails(to)]
            return [(mail, link) for mail, link in found if link and f"/a/{deployment}/" in link]

        mail, link = wait_until(look, MAIL_SECONDS, f"the email to {person}", every=0.3)[-1]
        self.screen.message(mail)
        return link

    def decide(self, link: str, decision: str, version: str, person: str, reason: str = "") -> Page:
        """Open a personal link, type the version, press a button, and show the response."""
        with Person() as visitor:
            page = visitor.decide(link, decision, version[:7], reason)
        self.screen.line(person, f"{decision}s", f"types {version[:7]}{f': {reason}' if reason else ''}")
        self.screen.line("the page", f"HTTP {page.status}", page.heading)
        return page

    # What the operator says

    def releases(self) -> dict[str, View]:
        """The releases by version."""
        answer = self.api.get(Api.path("v1", "platforms", self.platform, "releases"))
        return {release["version"]: release for release in answer["releases"]}

    def history(self) -> list[View]:
        """The environment's deployments, newest first."""
        return list(self.api.get(f"{self.place}/history")["deployments"])

    def state(self) -> View:
        """The state of the environment."""
        return self.api.get(self.place)

    def deployment(self, version: str) -> View | None:
        """The latest deployment of a version, with its steps; None if there is none."""
        try:
            return self.api.get(f"{self.place}/deployments/latest", version=version)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def follow(self, version: str) -> View:
        """Show a version's deployment until it ends; TimeoutError if it does not end in time."""
        return self.screen.follow(self._looks(version))

    def _looks(self, version: str) -> Iterator[View | None]:
        deadline, looked, view = time.monotonic() + self.patience, float("-inf"), None
        while True:
            if time.monotonic() - looked >= _LOOK_EVERY:
                view = self.deployment(version)
                looked = time.monotonic()
            yield view
            if view is not None and view["ended"]:
                return
            if time.monotonic() > deadline:
                stands = f"it is {view['phase']} at {view['step']}" if view else "it has not started"
                raise TimeoutError(f"the deployment of {version} did not end within {self.patience:.0f} s: {stands}")
            time.sleep(_TICK)

    def await_running(self, version: str) -> None:
        """Wait until a version's deployment is no longer Pending."""
        wait_until(
            lambda: (view := self.deployment(version)) is not None and view["phase"] != "Pending",
            self.patience,
            f"the deployment of {version} to run",
            every=0.3,
        )

    # What people get

    def mail(self, version: str) -> View:
        """Wait for the message about a version, and show it; TimeoutError if none arrives."""
        mails = wait_until(lambda: self.seen.mails(version), MAIL_SECONDS, f"the email about {version}", every=0.3)
        self.screen.message(mails[-1])
        return mails[-1]
