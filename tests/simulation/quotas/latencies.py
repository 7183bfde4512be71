"""How long things take: log-normal distributions, given by their median and the 99th of a hundred.

AWS promises none of these. They are what such calls take from a Lambda function in the same region, rounded up; a
makespan depends little on them, because quotas and rollouts take seconds and minutes.
"""

import math
import random

_Z99 = 2.326
"""The 99th percentile of the normal distribution, in standard deviations."""
COLD, WARM = "cold start", "warm start"
SECONDS: dict[str, tuple[float, float]] = {
    COLD: (0.9, 2.0),
    WARM: (0.04, 0.2),  # the invocation itself, and what the handler computes
    "dynamodb": (0.006, 0.03),
    "dynamodb.transact_write_items": (0.015, 0.08),
    "ecs": (0.06, 0.3),
    "ecs.register_task_definition": (0.15, 0.6),
    "ecs.update_service": (0.25, 0.9),
    "stepfunctions": (0.03, 0.15),
}
"""What → median and 99th percentile, in seconds: an operation, or its service where it is not named."""
OTHER = (0.04, 0.2)


class Latencies:
    """Draws latencies; the same ones for the same seed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def draw(self, what: str) -> float:
        """Return seconds; `what` is `<service>.<operation>`, or a key of `SECONDS`."""
        median, high = SECONDS.get(what) or SECONDS.get(what.partition(".")[0]) or OTHER
        return self._random.lognormvariate(math.log(median), math.log(high / median) / _Z99)

    def jitter(self) -> float:
        """Return a share of a pause, anything between 0 and 1."""
        return self._random.random()

    def backoff(self, attempt: int) -> float:
        """Return how long botocore's standard mode waits after a failed attempt, of which the first is 0."""
        return min(20.0, self._random.random() * 2**attempt)
