"""The production commands against the real API: what it answers is what they read."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ferryman.records import EnvironmentState, Image, Running, Target, Verified
from unit import builders as make
from unit.api_world import JO, World
from unit.cli.function_url import Run

HOUR = timedelta(hours=1)


def whole(version: str, hours: int, **changes: Any) -> Any:
    at = make.AT + hours * HOUR
    images = {
        name: Image(digest=make.digest(version[-1]), tag=version, first_seen_at=at)
        for name in ("api", "ai-gateway", "web")
    }
    made = make.release(version, components=images, first_seen_at=at, ready_at=at, ulid=f"01K{hours}")
    return made.but(verified={"staging": Verified(deployment="D", digests=made.digests, at=make.AT)}).but(**changes)


def target(version: str) -> Target:
    return Target(version=version, deployment="D", digests=whole(version, 0).digests)


@pytest.fixture(autouse=True)
def _production(world: World, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["production"]["scan"] = {"block": ["CRITICAL"]}
    world.applied(scr_document)
    digests = whole("000000b", 2).digests
    world.put(
        whole("000000a", 1), whole("000000b", 2), whole("000000c", 3, names=["v1.0.0"], named_at=make.AT),
        make.state(
            environment="production", active=None, last_succeeded=target("000000b"), previous=target("000000a"),
            current=Running(version="000000b", deployment="D", digests=digests, at=make.AT),
        ),
    )  # fmt: skip


def state(world: World) -> EnvironmentState:
    return world.store.state("scr", "production")


def test_freeze_and_thaw(run: Run, world: World) -> None:
    frozen = run("freeze", "production", "--reason", "fair", "--until", "2040-12-24 18:00")
    assert (frozen.exit_code, "frozen by jo until" in frozen.stdout) == (0, True), frozen.output
    assert (state(world).freeze.until.isoformat(), state(world).freeze.who) == ("2040-12-24T18:00:00+00:00", JO)  # type: ignore[union-attr]

    refused = run("deploy", "production", "--release", "v1.0.0", "--confirm", "DEPLOY")
    assert refused.exit_code == 4

    assert run("thaw", "production").exit_code == 0
    assert state(world).freeze is None


def test_deploy_needs_a_scan_or_a_waiver(run: Run, world: World) -> None:
    refused = run("deploy", "production", "--release", "v1.0.0", "--confirm", "DEPLOY")
    assert (refused.exit_code, "ferryman waive production --release 000000c" in refused.stderr) == (4, True)

    waived = run("waive", "production", "--release", "v1.0.0", "--reason", "looked at it")
    assert waived.exit_code == 0, waived.output
    asked = run("deploy", "production", "--release", "v1.0.0", "--confirm", "DEPLOY", "-o", "json")
    assert (asked.exit_code, json.loads(asked.stdout)["version"]) == (0, "000000c"), asked.output
    wish = state(world).requested
    assert wish is not None
    assert (wish.kind, wish.version, wish.who) == ("deploy", "000000c", JO)

    acts = [act["act"] for act in json.loads(run("audit", "production", "-o", "json").stdout)["acts"]]
    assert sorted(acts) == ["DeployRequested", "RequestRefused", "Waived"]


def test_rollback(run: Run, world: World) -> None:
    result = run("rollback", "production", "--reason", "checkout fails", "--confirm", "production")

    assert result.exit_code == 0, result.output
    found = state(world)
    assert found.requested is not None
    assert (found.requested.kind, found.requested.version, found.hold is not None) == ("rollback", "000000a", True)
    assert "asked to roll back to 000000a" in run("explain", "production").stdout


def test_migrate(run: Run, world: World) -> None:
    result = run("migrate", "production", "down", "--revision", "0042", "--confirm", "production", "--no-wait")

    assert result.exit_code == 0, result.output
    wish = state(world).requested
    assert wish is not None
    assert (wish.kind, wish.command, wish.revision) == ("migrate", "down", "0042")


def test_diff(run: Run) -> None:
    result = run("diff", "production", "v1.0.0")

    assert result.exit_code == 0, result.output
    assert "api          sha256:bbbbbbbbbbbb   sha256:cccccccccccc\n" in result.stdout
    assert "ScanMissing" in result.stdout
    assert "Approvals required: 1 of Ada Lovelace, Grace Hopper\n" in result.stdout
