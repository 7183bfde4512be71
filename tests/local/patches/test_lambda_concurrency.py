"""How many batches of a queue a function takes at the same time."""

import pytest

from ferryman_local.patches.lambda_concurrency import batches_at_once


def emulated(mapping: dict[str, dict[str, int]], function: object, config: object) -> int:
    assert (function, config) == ("function", "config")
    return mapping.get("ScalingConfig", {}).get("MaximumConcurrency") or 5


@pytest.mark.parametrize(
    ("mapping", "most"),
    [
        ({"ScalingConfig": {"MaximumConcurrency": "2"}}, 2),
        ({"ScalingConfig": {"MaximumConcurrency": 3}}, 3),
        ({"ScalingConfig": None}, 5),
        ({}, 5),
    ],
)
def test_a_limit_that_is_text_is_read_as_a_number(mapping: dict[str, object], most: int) -> None:
    assert batches_at_once(emulated)(mapping, "function", "config") == most
