"""AWS's quotas as token buckets. Facts: docs/reference/aws-facts.md#limits, and the pages that it names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """What an account may do in one region."""

    burst: float
    """Calls at once, after a pause."""
    sustained: float
    """Calls per second after that."""

    def seconds(self, calls: float) -> float:
        """Return in how many seconds so many calls can be made, beginning with a full bucket."""
        return max(0.0, calls - self.burst) / self.sustained


REGISTER = "RegisterTaskDefinition"
UPDATE = "UpdateService"
LAUNCH = "Fargate launches"
TRANSITION = "StateTransition"
QUOTAS: Mapping[str, Quota] = {
    REGISTER: Quota(20, 1),
    UPDATE: Quota(50, 5),
    "DescribeServices": Quota(100, 20),
    "DescribeTasks": Quota(100, 20),
    "RunTask": Quota(100, 40),
    "DescribeTaskDefinition": Quota(50, 20),
    LAUNCH: Quota(100, 20),
    "StartExecution": Quota(1300, 300),
    "SendTaskSuccess": Quota(3000, 500),
    TRANSITION: Quota(5000, 5000),
}
"""By name, as in the larger regions. Actions that share a quota have the name of one of them."""
BUCKET_OF = {
    "register_task_definition": REGISTER,
    "update_service": UPDATE,
    "describe_services": "DescribeServices",
    "describe_tasks": "DescribeTasks",
    "list_tasks": "DescribeTasks",
    "run_task": "RunTask",
    "stop_task": "RunTask",
    "describe_task_definition": "DescribeTaskDefinition",
    "start_execution": "StartExecution",
    "send_task_success": "SendTaskSuccess",
}
"""Operation of a client → the quota that it counts against. All others have none here."""


class Bucket:
    """The tokens of one quota."""

    def __init__(self, quota: Quota, clock: Callable[[], float]) -> None:
        """`clock` returns seconds."""
        self.quota, self._clock = quota, clock
        self._tokens, self._at = quota.burst, clock()

    def take(self, tokens: float = 1.0) -> bool:
        """Take tokens; False, and none taken, when there are not enough."""
        now = self._clock()
        self._tokens = min(self.quota.burst, self._tokens + (now - self._at) * self.quota.sustained)
        self._at = now
        # A bucket that is full lets any one request pass: an item can cost more than a second's worth.
        if self._tokens + 1e-9 < min(tokens, self.quota.burst):
            return False
        self._tokens -= tokens
        return True
