"""Target groups of load balancers: which of their targets are healthy, and how long they take. Reads only.

Throttling and outages arrive as TransientError; refusals as ClientError.
"""

from collections.abc import Iterable

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import ELBClient
from ferryman.decisions.rollout_time import TargetGroup

Target = tuple[str, int]
"""Id (an IP address or an instance) and port."""

_GROUPS_PER_CALL = 20
_DELAY = "deregistration_delay.timeout_seconds"
_DELAY_SECONDS = 300
"""ELB's default."""


def healthy_targets(elb: ELBClient, group: str) -> frozenset[Target]:
    """Return the targets of a group (ARN) that are `healthy`: not those that are still checked, fail or drain."""
    with translated():
        answer = elb.describe_target_health(TargetGroupArn=group)
    return frozenset(
        (item["Target"]["Id"], item["Target"].get("Port", 0))
        for item in answer["TargetHealthDescriptions"]
        if item["TargetHealth"].get("State") == "healthy"
    )


def settings(elb: ELBClient, groups: Iterable[str]) -> dict[str, TargetGroup]:
    """Return what decides how long a rollout takes, by ARN. Raise ClientError (`TargetGroupNotFound`) for one."""
    wanted = list(dict.fromkeys(groups))
    found: dict[str, TargetGroup] = {}
    for start in range(0, len(wanted), _GROUPS_PER_CALL):
        with translated():
            answer = elb.describe_target_groups(TargetGroupArns=wanted[start : start + _GROUPS_PER_CALL])
        for group in answer["TargetGroups"]:
            arn = group["TargetGroupArn"]
            found[arn] = TargetGroup(
                name=group["TargetGroupName"],
                interval=group.get("HealthCheckIntervalSeconds", 30),
                healthy_threshold=group.get("HealthyThresholdCount", 5),
                deregistration_delay=_delay(elb, arn),
            )
    return found


def _delay(elb: ELBClient, group: str) -> int:
    with translated():
        answer = elb.describe_target_group_attributes(TargetGroupArn=group)
    values = {item["Key"]: item["Value"] for item in answer["Attributes"]}
    return int(values.get(_DELAY, _DELAY_SECONDS))
