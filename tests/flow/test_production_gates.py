"""What stands between a verified release and production besides people: scans and freezes; and database commands."""

from datetime import timedelta

import pytest

from ferryman.records import EventType, Phase
from ferryman_cli.transport import ApiError
from ferryman_local.standins.people import Person
from flow.production import Make, Production
from flow.stage import Stage


def named(prod: Production, version: str) -> None:
    """Name a version, and wait until that is known."""
    prod.name_it(version)
    prod.until(lambda: (release := prod.release(version)) and release.names, f"the name of {version}")


def test_findings_hold_a_release_back_until_they_are_waived(production: Make, stage: Stage) -> None:
    prod = production(scan={"block": ["CRITICAL"]}, notify=["team"])
    version = prod.verified()
    stage.scan(prod.digests[version]["api"], counts={"CRITICAL": 2, "HIGH": 5})
    named(prod, version)
    stage.sweep()
    assert prod.deployments(version) == []
    explained = str(prod.api.get(prod.path("explain")))
    assert "2 CRITICAL" in explained
    assert "waive" in explained
    prod.ask("waive", release=version, reason="not reachable from outside", duration="1d")
    deployment = prod.asked(version)
    prod.approve(deployment)
    assert prod.ended(version).phase is Phase.SUCCEEDED, prod.tell()
    waived = [event for event in prod.timeline() if event.type is EventType.WAIVED]
    assert len(waived) == 1
    assert "not reachable from outside" in waived[0].message


def test_a_missing_scan_holds_and_a_clean_one_lets_through(production: Make, stage: Stage) -> None:
    prod = production(scan={"block": ["CRITICAL"]})
    version = prod.verified(index=True)
    child = next(iter(prod.staging.running_digests()))
    stage.scan(child)
    named(prod, version)
    stage.sweep()
    assert prod.deployments(version) == []
    stage.clear_scans()
    stage.sweep()
    assert prod.asked(version)


def test_a_freeze_keeps_everything_back_and_a_thaw_starts_it(production: Make, stage: Stage) -> None:
    prod = production()
    prod.ask("freeze", reason="the auditors are here")
    version = prod.verified()
    named(prod, version)
    stage.sweep()
    assert prod.deployments(version) == []
    assert "the auditors are here" in str(prod.api.get(prod.path("explain")))
    prod.ask("thaw")
    deployment = prod.asked(version)
    prod.ask("freeze", reason="one more day", until=(prod.now() + timedelta(days=1)).isoformat())
    link = prod.link(deployment)
    with Person() as visitor:
        page = visitor.open(link)
        assert "one more day" in page.text
        assert [form.buttons for form in page.forms] == [[("decision", "reject")]]
        answer = visitor.ask("POST", link, data={"decision": "approve", "version": version[:7]})
    assert answer.status == 409, answer.text
    assert "one more day" in answer.text
    prod.ask("thaw")
    prod.approve(deployment)
    assert prod.ended(version).phase is Phase.SUCCEEDED, prod.tell()


def test_a_freeze_window_of_the_document_is_a_freeze(production: Make, stage: Stage) -> None:
    prod = production()
    today = prod.now()
    dates = f"{today - timedelta(days=1):%Y-%m-%d} 00:00 - {today + timedelta(days=2):%Y-%m-%d} 00:00"
    prod.change(freeze={"timeZone": "UTC", "windows": [{"name": "new-year", "dates": dates}]})
    version = prod.verified()
    named(prod, version)
    stage.sweep()
    assert prod.deployments(version) == []
    assert "new-year" in str(prod.api.get(prod.path("explain")))
    prod.change(freeze=None, override="the year is over")
    assert prod.asked(version)


def test_a_rollback_passes_a_freeze(production: Make) -> None:
    prod = production()
    first, _second = prod.running_release(), prod.running_release()
    prod.ask("freeze", reason="the auditors are here")
    prod.ask("rollback", reason="wrong sums", confirm="production")
    prod.until(lambda: prod.running == first and prod.is_idle(), f"{first} to run again")
    prod.runs(first)


def test_database_commands_are_confirmed_recorded_and_run_once(production: Make, stage: Stage) -> None:
    prod = production(migration=True, notify=["team"])
    version = prod.running_release()
    ran = len(prod.migrations())
    with pytest.raises(ApiError):
        prod.ask("migrate", command="current", confirm="staging")
    prod.ask("migrate", command="current", confirm="production")
    current = prod.until(lambda: database_command(prod, 1), "`current` to end")
    assert (current.command, current.phase) == ("current", Phase.SUCCEEDED), prod.tell()
    assert "database is at 0007" in current.message + str([step.logs for step in current.steps.values()])
    prod.ask("migrate", command="down", revision="0006", reason="to try", confirm="production")
    prod.approve(prod.asked(version, attempt=3))
    down = prod.until(lambda: database_command(prod, 2), "`down` to end")
    assert (down.command, down.revision, down.phase) == ("down", "0006", Phase.SUCCEEDED), prod.tell()
    prod.ask("migrate", command="up", reason="and back", confirm="production")
    prod.approve(prod.asked(version, attempt=4))
    up = prod.until(lambda: database_command(prod, 3), "`up` to end")
    assert (up.command, up.phase) == ("up", Phase.SUCCEEDED), prod.tell()
    assert len(prod.migrations()) == ran + 3
    assert [item.version for item in (current, down, up)] == [version] * 3
    prod.runs(version)
    assert prod.told("outcome", owner=down.id)


def database_command(prod: Production, number: int) -> object:
    """The n-th database command, once it has ended."""
    found = [item for item in prod.deployments() if item.kind == "migrate"][::-1]
    ended = len(found) >= number and found[number - 1].phase.terminal and prod.is_idle()
    return found[number - 1] if ended else None
