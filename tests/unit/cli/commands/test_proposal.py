"""`ferryman proposal`, and what `apply`, `approve` and `status` say about a proposed document."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ferryman.clients.ssm import References
from ferryman.controller.proposals import Proposals
from ferryman.platform.claims import of_document
from unit.api_world import JO, KIM, World
from unit.cli.function_url import Run
from unit.fakes.secrets import FakeParameters


@pytest.fixture
def weaker(world: World, scr_document: dict[str, Any], tmp_path: Path) -> Path:
    """An applied platform with Jo as an approver, and a file with a document that asks nobody."""
    scr_document["spec"]["environments"]["production"]["approval"]["approvers"] = [{"name": "Jo", "arn": JO}]
    assert world.call("PUT", "/v1/platforms/scr", scr_document)[0] == 200
    after = copy.deepcopy(scr_document)
    del after["spec"]["environments"]["production"]["approval"]
    path = tmp_path / "platform.yaml"
    path.write_text(yaml.safe_dump(after))
    return path


def asked(world: World) -> str:
    """Have the approvers asked; what they have to type."""
    references = References(FakeParameters({}))
    Proposals(world.store, references, of_document, lambda _: None, lambda *_: None, world.clock, world.new_id).tend(
        "scr"
    )
    # Whoever calls last has the roles (`api_world`), and the command is Jo's.
    world.call("GET", "/v1/platforms", who=JO)
    return world.store.proposals("scr", 1)[0].short


def test_apply_says_what_waits_for_whom_and_exits_with_5(run: Run, weaker: Path) -> None:
    dry, result = run("apply", "-f", str(weaker), "--dry-run"), run("apply", "-f", str(weaker))

    assert (dry.exit_code, result.exit_code) == (0, 5)
    assert dry.stdout == (
        "platform/scr proposed (generation 1 stays) (dry run)\n"
        "The document would not be applied: it weakens what other people rely on.\n"
        "Weaker:\n  production no longer asks for approval\n"
        "It would wait for 1 of Jo (production).\n"
        "Changes:\n  spec.environments.production.approval: removed   (loosens a gate)\n"
    )
    assert result.stdout == (
        "platform/scr proposed (generation 1 stays)\n"
        "The document was not applied: it weakens what other people rely on.\n"
        "Weaker:\n  production no longer asks for approval\n"
        "It waits for 1 of Jo (production).\n"
        "To follow it, run `ferryman proposal -p scr`. To take it back, apply the present document again.\n"
        "Changes:\n  spec.environments.production.approval: removed   (loosens a gate)\n"
    )


def test_apply_prints_json_and_exits_with_5(run: Run, weaker: Path) -> None:
    result = run("apply", "-f", str(weaker), "-o", "json")
    assert (result.exit_code, json.loads(result.stdout)["result"]) == (5, "proposed")


def test_nobody_but_an_admin_overrides(run: Run, weaker: Path) -> None:
    result = run("apply", "-f", str(weaker), "--override", "hurry")
    assert result.exit_code != 0
    assert "only an admin of Ferryman can apply a document without the approval that it needs" in result.stderr


def test_it_is_shown_and_approved(run: Run, world: World, weaker: Path, scr_document: dict[str, Any]) -> None:
    assert run("proposal", "scr").exit_code == 2
    after = yaml.safe_load(weaker.read_text())
    world.call("PUT", "/v1/platforms/scr", after, who=KIM)
    short = asked(world)

    shown = run("proposal")
    assert shown.exit_code == 0, shown.stderr
    assert f"Document {short} waits for the approvers of production." in shown.stdout
    assert "Approvals of production: 0 of 1, by Jo" in " ".join(shown.stdout.split())
    assert "Weaker:\n  production no longer asks for approval" in shown.stdout
    assert "`ferryman proposal -p scr`" in run("status").stderr

    result = run("approve", "production", "--release", short)

    assert result.exit_code == 0, result.stderr
    assert f"You have approved document {short}. It is applied in a moment." in result.stdout


def test_the_approval_of_a_document_is_shown(run: Run, world: World, weaker: Path) -> None:
    world.call("PUT", "/v1/platforms/scr", yaml.safe_load(weaker.read_text()), who=KIM)
    short = asked(world)

    result = run("approval", "production", "--proposal")

    assert result.exit_code == 0, result.stderr
    assert f"{short}, proposed in place of the one that is applied" in result.stdout
    assert "production no longer asks for approval" in result.stdout
