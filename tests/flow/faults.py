"""What can become of a Lambda: faults of the local AWS by name, as the arguments of `LocalAws.lambda_fault`."""

from typing import Any

FAULTS: dict[str, dict[str, Any]] = {
    "raises": {"error": "ValueError", "when": "before"},
    "raises-when-done": {"error": "ValueError", "when": "after"},
    "times-out": {"timeout": True, "when": "after"},
    "keeps-timing-out": {"timeout": True, "when": "after", "times": 1000},
    "keeps-raising-transient": {"error": "Unavailable", "when": "before", "times": 1000},
}
