"""A release of the example in real containers: images from its Dockerfiles, PostgreSQL, Redis, and a browser.

The tests are one story and run in their order. Screenshots are left in build/docker/.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

import needed
from ferryman_cli.exits import Exit
from ferryman_local.demo.logs import save
from ferryman_local.demo.screen import Screen
from ferryman_local.demo.stage import PRODUCTION, Stage
from ferryman_local.demo.visitor import Visitor
from ferryman_local.engines import docker_client
from ferryman_local.engines.engine import DOCKER
from ferryman_local.local_aws import CHECKOUT, LocalAws
from ferryman_local.processes import owned_by
from ferryman_local.provisioning.docker_backing import USER, database_of

playwright = pytest.importorskip("playwright.sync_api")

PICTURES = CHECKOUT / "build" / "docker"
HOME, BEFORE = PICTURES / "aws", PICTURES / "aws-before"
"""The last run's logs stay here, and those of the run before."""
CHECK_ADDRESSES = CHECKOUT / "examples" / "scr-platform" / "ci" / "check_addresses.py"
COMPONENTS = ("api", "ai-gateway", "web")
FIRST, FIRST_NAME = "3f9c2ab", "v1.0.0"
SECOND, SECOND_NAME, ONE_WAY = "0b7d3e9", "v1.1.0", "0005"
QUIET_SECONDS = 2.0
ASKED = 50
"""Fewer than every 100 ms, because a busy machine leaves some out: `told` says how many."""

Figure = Callable[[str], None]


@dataclass
class Story:
    """The local AWS, seen from both environments, and the browser before its page."""

    aws: LocalAws
    staging: Stage
    production: Stage
    page: Any
    took: dict[str, float] = field(default_factory=dict)
    runs: str = ""
    """What production runs."""

    def goes_on_from(self, version: str) -> None:
        """Skip a test whose beginning failed."""
        if self.runs != version:
            pytest.skip(f"the story stopped before: production runs {self.runs or 'no release'}, not {version}")

    def release(self, version: str, name: str, fault: str | None = None) -> None:
        """Push a release, let staging verify it, and name it."""
        began = time.monotonic()
        self.staging.push(version, COMPONENTS, fault=fault, pause=0)
        view = self.staging.follow(version)
        assert view["phase"] == "Succeeded", view["message"]
        self.took[f"{version} pushed and verified in staging"] = time.monotonic() - began
        self.production.tag(version, name)

    def approved(self, version: str) -> None:
        """Ada approves, and production runs it."""
        link = self.production.link(self.production.asked(version)["id"], "Ada")
        began = time.monotonic()
        self.production.decide(link, "approve", version, "Ada")
        view = self.production.follow(version)
        assert view["phase"] == "Succeeded", view["message"]
        self.took[f"{version} approved and verified in production"] = time.monotonic() - began
        self.runs = version

    def shows(self, version: str, picture: str) -> None:
        """Claim that the browser shows production's page of a version, of both the web and the api behind it."""
        for _ in range(3):  # the page gives a new API two seconds, and this machine may be busy
            answer = self.page.goto(self.production.urls["web"] + "/")
            if self.page.locator("#api-version").count():
                break
        assert answer.status == 200
        assert answer.headers["x-app-version"] == version
        self.page.screenshot(path=str(PICTURES / f"{picture}.png"), full_page=True)
        assert self.page.get_by_role("heading", level=1).inner_text() == "SCR platform"
        assert self.page.locator("#web-version").inner_text() == version
        assert self.page.locator("#api-version").inner_text() == version

    def revision(self, cluster: str) -> str:
        """The revision that PostgreSQL itself tells of a cluster's database."""
        with contextlib.closing(docker_client.connect()) as client:
            label = docker_client.having(self.aws.emulator.owner)
            containers = {container.name: container for container in client.containers.list(filters=label)}
            # The api's image has a client for PostgreSQL; the stand-in for PostgreSQL's own image has none.
            api = next(c for name, c in containers.items() if name.endswith("-api"))
            postgres = next(c for name, c in containers.items() if name.endswith("-postgres"))
            told = dict(item.split("=", 1) for item in postgres.attrs["Config"]["Env"])
            url = f"postgresql+psycopg://{USER}:{told['POSTGRES_PASSWORD']}@postgres:5432/{database_of(cluster)}"
            ask = (
                "import sys, sqlalchemy as s; c = s.create_engine(sys.argv[1]).connect(); "
                "print(*c.scalars(s.text('select version_num from alembic_version')))"
            )
            done = api.exec_run(["python", "-c", ask, url])
            return str(done.output.decode()).strip()


@pytest.fixture(scope="module")
def story(figure: Figure, request: pytest.FixtureRequest) -> Iterator[Story]:
    """A local AWS in Docker with the example applied; at its end nothing of it may be left."""
    program, failed = needed.chromium(), request.session.testsfailed
    shutil.rmtree(BEFORE, ignore_errors=True)
    if HOME.exists():
        HOME.rename(BEFORE)
    PICTURES.mkdir(parents=True, exist_ok=True)
    screen, began = Screen(), time.monotonic()
    aws = LocalAws(HOME, github=True, report=screen.setup, engine=DOCKER)
    try:
        aws.start()
        staging = Stage(aws, screen)
        assert staging.cli("apply", "-f", str(aws.platform_file)).returncode == 0
        with playwright.sync_playwright() as started:
            arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # only our own page is opened
            browser = started.chromium.launch(executable_path=program, args=arguments)
            told = Story(aws, staging, staging.on(PRODUCTION), browser.new_page())
            told.took["the local AWS started"] = time.monotonic() - began
            yield told
            browser.close()
        for what, seconds in told.took.items():
            figure(f"{what}: {seconds:.0f} s")
    finally:
        if request.session.testsfailed > failed or sys.exc_info()[0]:
            for line in save(aws):
                figure(line)
        began = time.monotonic()
        aws.stop()
        shutil.rmtree(HOME / "state", ignore_errors=True)
        figure(f"everything stopped: {time.monotonic() - began:.0f} s")
    nothing_is_left(aws)


def nothing_is_left(aws: LocalAws) -> None:
    """Claim that no container, network, image name or process of this local AWS exists any more."""
    with contextlib.closing(docker_client.connect()) as client:
        assert docker_client.owned(client, aws.emulator.owner) == []
        names = [name for image in client.api.images() for name in image.get("RepoTags") or []]
        assert [name for name in names if name.startswith(f"{aws.emulator.registry}/")] == []
    assert owned_by(aws.emulator.owner) == []
    with pytest.raises(httpx.TransportError):
        httpx.get(aws.emulator.endpoint, trust_env=False, timeout=2)


def test_a_first_release_gets_to_production(story: Story) -> None:
    story.release(FIRST, FIRST_NAME)
    story.approved(FIRST)
    story.shows(FIRST, "1-first-release")
    for cluster in story.aws.infrastructure["scr"].urls:
        assert story.revision(f"scr-{cluster}") == "0004", cluster


def addresses_in(*images: str) -> tuple[int, str]:
    """Exit status and words of the example's search for what belongs to an environment."""
    command = [sys.executable, str(CHECK_ADDRESSES), *images]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout


def test_no_image_holds_anything_of_an_environment(story: Story) -> None:
    story.goes_on_from(FIRST)
    repositories = [spec["repository"] for spec in story.aws.document["spec"]["components"].values()]
    images = [f"{story.aws.emulator.registry}/{repository}:{FIRST}" for repository in repositories]
    status, said = addresses_in(*images)
    assert status == 0, said
    assert [image for image in images if f"check_addresses: {image}: " not in said] == []


def test_an_image_that_was_told_an_address_is_found(story: Story) -> None:
    story.goes_on_from(FIRST)
    registry = story.aws.emulator.registry
    told = f"FROM {registry}/scr-ai-gateway:{FIRST}\nENV API_URL=https://api.staging.scr-platform.example\n"
    image = f"{registry}/scr-ai-gateway:told"  # its name goes with all of this local AWS
    subprocess.run(["docker", "build", "-q", "-t", image, "-"], input=told, text=True, check=True, timeout=300)
    status, said = addresses_in(image)
    assert status == 1, said
    assert "api.staging.scr-platform.example" in said


def test_a_second_release_goes_out_while_somebody_asks_all_the_time(story: Story, figure: Figure) -> None:
    story.goes_on_from(FIRST)
    story.release(SECOND, SECOND_NAME, fault="one-way-migration")
    with Visitor(story.production.urls["web"]) as visitor:
        story.approved(SECOND)
        time.sleep(QUIET_SECONDS)
    visit = visitor.visit
    figure(f"production's page, asked up to every 100 ms during the rolling update: {visit.told()}")
    assert visit.failures == []
    assert len(visit.answers) >= ASKED
    assert visit.versions == [FIRST, SECOND]
    story.shows(SECOND, "2-second-release")
    assert story.revision("scr-production") == ONE_WAY


def test_the_way_back_is_refused_because_of_the_migration(story: Story, figure: Figure) -> None:
    story.goes_on_from(SECOND)
    done = story.production.cli("rollback", PRODUCTION, "--reason", "nobody likes it", "--confirm", PRODUCTION)
    said = " ".join((done.stdout + done.stderr).split())
    figure(f"ferryman rollback production: {said[:300]}")
    assert done.returncode == Exit.REFUSED, said
    assert ONE_WAY in said
    assert "rollback-safe" in said
    story.shows(SECOND, "3-after-the-refusal")
    assert story.revision("scr-production") == ONE_WAY
