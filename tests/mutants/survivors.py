"""Mutants that nothing notices, each with the reason why nothing observable changes (survivors.json)."""

import json
from pathlib import Path

FILE = Path(__file__).with_name("survivors.json")


def listed() -> dict[str, str]:
    """Return the reasons by the mutants' ids."""
    return dict(json.loads(FILE.read_text(encoding="utf-8")))
