"""`ferryman delete` against the real API."""

from typing import Any

import pytest

from ferryman.platform import parse
from ferryman.records import AppliedPlatform
from unit import builders as make
from unit.api_world import ADMIN, JO, World
from unit.cli.function_url import Run, Server

RETIRE = ("delete", "platform", "scr", "--reason", "moved to shop")


@pytest.fixture(autouse=True)
def _applied(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(scr_document)


def test_an_admin_retires_a_platform(run: Run, world: World, server: Server) -> None:
    server.sts.people["AKIDEXAMPLE"] = ADMIN
    done = run(*RETIRE, "--confirm", "scr")
    assert (done.exit_code, done.stdout) == (
        0,
        (
            "platform scr is deleted: Ferryman deploys nothing of it, and what it owned is free. Nothing changed in "
            "ECS; its releases and records stay, and a platform of this name begins a new history\n"
        ),
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


def delete(env: str, *more: str) -> tuple[str, ...]:
    return ("delete", "environment", env, "--reason", "not used", "--confirm", env, *more)


def test_the_former_name_still_works(run: Run, world: World, server: Server) -> None:
    server.sts.people["AKIDEXAMPLE"] = ADMIN
    done = run("platform", "retire", "scr", "--reason", "moved", "--confirm", "scr")
    assert (done.exit_code, world.store.find_platform("scr")) == (0, None)


def test_an_environment_is_deleted_and_what_stays_is_told(run: Run, world: World, server: Server) -> None:
    server.sts.people["AKIDEXAMPLE"] = ADMIN
    done = run(*delete("production", "--override", "it moves"))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("scr/production is deleted from Ferryman, and what it owned is free (generation 2)\n")
    applied = world.store.platform("scr")
    assert list(applied.document["spec"]["environments"]) == ["staging"]
    (event,) = [it for it in world.store.timeline("scr") if it.type == "Applied"]
    assert event.message.startswith("applied generation 2 without production: not used, without the approval")


def test_a_protected_one_is_proposed(run: Run, world: World) -> None:
    done = run(*delete("production"))
    assert (done.exit_code, "was not applied" in done.stdout) == (5, True)
    assert "production" in world.store.platform("scr").document["spec"]["environments"]


def test_a_dry_run_changes_nothing_and_needs_no_confirmation(run: Run, world: World) -> None:
    done = run("delete", "environment", "production", "--reason", "why", "--dry-run")
    assert (done.exit_code, "would not be applied" in done.stdout) == (0, True)
    assert world.store.platform("scr").proposal is None


def test_one_that_another_promotes_from_stays(run: Run, world: World) -> None:
    done = run(*delete("staging"))
    assert done.exit_code == 4
    assert "production of scr promotes from staging" in " ".join(done.stderr.split())


def test_the_last_one_stays(run: Run, world: World, server: Server) -> None:
    server.sts.people["AKIDEXAMPLE"] = ADMIN
    assert run(*delete("production", "--override", "it moves")).exit_code == 0
    done = run(*delete("staging"))
    assert done.exit_code == 4
    assert "staging is the only environment of scr" in " ".join(done.stderr.split())


def test_one_that_is_not_there_is_named_with_those_that_are(run: Run) -> None:
    done = run(*delete("live"))
    assert (done.exit_code, "known environments: staging, production" in done.stderr) == (2, True)


@pytest.mark.parametrize("what", [("environment", "production"), ("platform", "scr")])
def test_nothing_is_deleted_during_a_deployment(run: Run, world: World, server: Server, what: tuple[str, str]) -> None:
    server.sts.people["AKIDEXAMPLE"] = ADMIN
    world.put(make.state(environment="production"))
    more = ("--override", "x") if what[0] == "environment" else ()
    done = run("delete", *what, "--reason", "why", "--confirm", what[1], *more)
    assert (done.exit_code, "01K00000000000000000000DEP is in progress" in done.stderr) == (4, True)


def test_one_in_which_a_deployment_starts_meanwhile_stays(
    run: Run, world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.sts.people["AKIDEXAMPLE"] = ADMIN
    verify = world.outside.verify

    def verified(document: Any) -> Any:
        world.put(make.state(environment="production"))
        return verify(document)

    monkeypatch.setattr(world.outside, "verify", verified)
    done = run(*delete("production", "--override", "it moves"))
    assert done.exit_code == 4
    assert "production" in world.store.platform("scr").document["spec"]["environments"]
