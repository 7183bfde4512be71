"""The measurement of the time to the first AWS call: every handler makes one, without the network."""

import sysconfig
from pathlib import Path

from contract.machine import ROOT
from ferryman_local.bench import first_call
from ferryman_local.bench.loaded import handlers


def test_each_handler_has_an_event() -> None:
    assert sorted(first_call.EVENTS) == handlers(ROOT)
    missing = [name for name, event in first_call.EVENTS.items() if not _file(name, event).exists()]
    assert not missing


def _file(name: str, event: str) -> Path:
    return ROOT / "events" / name / f"{event}.json"


def test_a_handler_ends_at_its_first_call() -> None:
    folders = [ROOT / "functions/finish_deployment", ROOT / "layers/core", Path(sysconfig.get_path("purelib"))]
    event = _file("finish_deployment", "all_passed").read_text(encoding="utf-8")
    seconds, call = first_call.measured(first_call.HANDLER, event, folders)
    assert call == "DynamoDB_20120810.GetItem"
    assert seconds > 0
