"""What `verify` says about the time that rollouts take."""

from typing import Any

import pytest

from ferryman.platform import parse
from ferryman.steps.verify import Survey
from ferryman.steps.verify_rollouts import remarks
from unit.fakes.elb import GROUP, FakeElb

AT = "spec.environments.staging"


def said(document: dict[str, Any], elb: FakeElb, timeout: str = "10m", **service: Any) -> list[tuple[str, str]]:
    staging = document["spec"]["environments"]["staging"]
    staging["waves"][0]["services"][0]["timeout"] = timeout
    live = {"desiredCount": 4, "loadBalancers": [{"targetGroupArn": GROUP}], **service}
    seen = Survey(
        cluster="c",
        services={"scr-api-staging": live},  # type: ignore[dict-item]
        bases={"scr-api-staging": {"containerDefinitions": [{"name": "api", "image": "x"}]}},  # type: ignore[typeddict-item]
    )
    environment = parse(document).environment("staging")
    return remarks(environment, seen, client=lambda service: {"elbv2": elb}[service], at=AT)  # type: ignore[arg-type,call-overload]


def test_a_timeout_below_a_healthy_rollout_is_told_at_its_place(scr_document: dict[str, Any]) -> None:
    ((path, text),) = said(scr_document, FakeElb(), "1m")
    assert path == f"{AT}.waves.0.services.0.timeout"
    assert "about 3m30s until all new tasks are healthy, but timeout is 60s" in text
    assert "health checks of target group api (5 every 30 s)" in text


def test_percentages_of_the_service_count(scr_document: dict[str, Any]) -> None:
    little = {"minimumHealthyPercent": 50, "maximumPercent": 100}
    ((_, text),) = said(scr_document, FakeElb(), deploymentConfiguration=little)
    assert "about 18m in 2 rounds" in text


def test_a_service_that_is_quick_enough_has_no_note(scr_document: dict[str, Any]) -> None:
    quick = FakeElb(**{"deregistration_delay.timeout_seconds": "30"})
    assert said(scr_document, quick) == []


def test_without_a_load_balancer_nothing_is_asked(scr_document: dict[str, Any]) -> None:
    elb = FakeElb()
    assert said(scr_document, elb, loadBalancers=[]) == []
    assert not elb.calls


@pytest.mark.parametrize("code", ["AccessDenied", "TargetGroupNotFound"])
def test_what_cannot_be_read_is_told(scr_document: dict[str, Any], code: str) -> None:
    elb = FakeElb()
    elb.refused = code
    ((path, text),) = said(scr_document, elb)
    assert path == f"{AT}.waves"
    assert code in text
    assert "DescribeTargetGroups" in text
