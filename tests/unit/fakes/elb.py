"""Elastic Load Balancing: target groups whose targets a test makes healthy."""

from collections import Counter
from typing import Any

from unit.fakes.ecs import refusal

Raw = dict[str, Any]
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/0123456789abcdef"


class FakeElb:
    def __init__(self, **attributes: str) -> None:
        self.calls: Counter[str] = Counter()
        self.targets: dict[str, dict[tuple[str, int], str]] = {GROUP: {}}
        """Target group → (id, port) → state."""
        self.attributes = {"deregistration_delay.timeout_seconds": "300", **attributes}
        self.refused = ""
        """Code with which everything is refused."""

    def describe_target_health(self, TargetGroupArn: str) -> Raw:  # noqa: N803
        self._called("DescribeTargetHealth")
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": id, "Port": port}, "HealthCheckPort": str(port), "TargetHealth": {"State": state}}
                for (id, port), state in self.targets[TargetGroupArn].items()
            ]
        }

    def describe_target_groups(self, TargetGroupArns: list[str]) -> Raw:  # noqa: N803
        self._called("DescribeTargetGroups")
        assert len(TargetGroupArns) <= 20
        if any(arn not in self.targets for arn in TargetGroupArns):
            raise refusal("DescribeTargetGroups", "TargetGroupNotFound", "One or more target groups not found")
        return {
            "TargetGroups": [
                {
                    "TargetGroupArn": arn,
                    "TargetGroupName": arn.split("/")[1],
                    "HealthCheckIntervalSeconds": 30,
                    "HealthyThresholdCount": 5,
                }
                for arn in TargetGroupArns
            ]
        }

    def describe_target_group_attributes(self, TargetGroupArn: str) -> Raw:  # noqa: N803
        self._called("DescribeTargetGroupAttributes")
        assert TargetGroupArn in self.targets
        return {"Attributes": [{"Key": key, "Value": value} for key, value in self.attributes.items()]}

    def _called(self, operation: str) -> None:
        self.calls[operation] += 1
        if self.refused:
            raise refusal(operation, self.refused, f"not authorized to perform: elasticloadbalancing:{operation}")
