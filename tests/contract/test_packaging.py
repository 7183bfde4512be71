"""What the layers hold against what the code imports and calls."""

import re

from contract.machine import ROOT

SERVICES = ROOT / "layers" / "dependencies" / "services.txt"


def test_the_layer_has_the_model_of_every_service_that_is_called() -> None:
    kept = {line.split("#")[0].strip() for line in SERVICES.read_text().splitlines()} - {""}
    called = set()
    for folder in ("functions", "layers/core/ferryman"):
        for path in (ROOT / folder).rglob("*.py"):
            called |= set(re.findall(r"client\(\"([a-z0-9-]+)\"\)", path.read_text()))
    assert called, "nothing was found: has the way clients are made changed?"
    assert called <= kept, f"{SERVICES.relative_to(ROOT)} lacks {called - kept}: Lambda would raise UnknownServiceError"


def test_only_runtime_makes_clients_and_reads_the_environment() -> None:
    for path in (ROOT / "layers" / "core" / "ferryman").rglob("*.py"):
        source = path.read_text()
        if path.name != "runtime.py":
            assert "os.environ" not in source, path
            assert "boto3.client(" not in source, path


def test_no_lock_names_an_address() -> None:
    for path in [*(ROOT / "requirements").glob("*.txt"), ROOT / "layers/dependencies/requirements.txt"]:
        assert not re.search(r"--(extra-)?index-url|--find-links|https?://", path.read_text()), path
