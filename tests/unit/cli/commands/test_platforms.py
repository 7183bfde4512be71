"""`ferryman platform retire` against the real API."""

from typing import Any

import pytest

from ferryman.platform import parse
from ferryman.records import AppliedPlatform
from unit import builders as make
from unit.api_world import ADMIN, JO, World
from unit.cli.function_url import Run, Server

RETIRE = ("platform", "retire", "scr", "--reason", "moved to shop")


@pytest.fixture(autouse=True)
def _applied(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)


def test_an_admin_retires_a_platform(run: Run, world: World, server: Server) -> None:
    server.sts.people["AKIDEXAMPLE"] = ADMIN
    done = run(*RETIRE, "--confirm", "scr")
    assert (done.exit_code, done.stdout) == (
        0,
        "platform scr is retired: Ferryman deploys nothing of it, and what it owned is free\n",
    )
    assert world.store.find_platform("scr") is None


def test_others_are_refused(run: Run, world: World) -> None:
    done = run(*RETIRE, "--confirm", "scr")
    assert done.exit_code == 4
    assert f"only an admin of Ferryman can retire platform scr, and {JO} is not one" in " ".join(done.stderr.split())
    assert world.store.find_platform("scr") is not None


@pytest.mark.parametrize("confirmation", [(), ("--confirm", "shop")])
def test_without_the_name_typed_nothing_is_sent(run: Run, world: World, confirmation: tuple[str, ...]) -> None:
    done = run(*RETIRE, *confirmation)
    assert (done.exit_code, "nothing was sent" in done.stderr) == (2, True)
    assert world.store.find_platform("scr") is not None


def test_what_is_shared_is_in_the_status(run: Run, world: World, scr_document: dict[str, Any]) -> None:
    other = {**scr_document, "metadata": {"name": "shop"}}
    stored = parse(other).dump()
    world.put(AppliedPlatform(name="shop", generation=1, document=stored, applied_by=JO, applied_at=make.AT))
    world.call("PUT", "/v1/platforms/third", {**scr_document, "metadata": {"name": "third"}})
    shown = run("status", "scr", "production")
    assert "Belongs to somebody else, too:" in shown.stdout
    assert "scr-api-production of cluster scr-production belongs to environment production" in " ".join(
        shown.stdout.split()
    )
