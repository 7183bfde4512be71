"""Links of a message: made from records, and never from what a text quotes."""

import pytest

from ferryman.messages import links
from ferryman.platform import GitHub
from ferryman.records import Phase, step_keys
from unit import builders as make
from unit.notify_world import message

ARN = "arn:aws:states:eu-west-1:123456789012:execution:deploy:scr-staging-01K"
LOG = (
    "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/"
    "$252Fecs$252Fapi/log-events/api$252F1"
)
PROJECT = GitHub.model_validate({"repository": "acme/scr"}, by_alias=True)


def test_the_links_of_a_failure() -> None:
    failed = make.deployment(
        phase=Phase.FAILED,
        version="abc1234",
        from_version="0001234",
        execution_arn=ARN,
        steps={step_keys.BEGIN: make.step(), step_keys.MIGRATION: make.step("Failed", "Exited", f"See {LOG}.")},
    )
    assert links.of_deployment(failed, PROJECT) == {
        "Deployment in AWS": f"https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1"
        f"#/v2/executions/details/{ARN}",
        "Log": LOG,
        "Commit": "https://github.com/acme/scr/commit/abc1234",
        "Changes": "https://github.com/acme/scr/compare/0001234...abc1234",
    }


@pytest.mark.parametrize("arn", [None, "", "arn:aws:states:eu-west-1:1:execution:x", f"{ARN} https://evil.example"])
def test_without_an_execution_there_is_no_link(arn: str | None) -> None:
    assert links.of_deployment(make.deployment(execution_arn=arn, version="2026.1"), PROJECT) == {}


def test_a_log_of_somebody_else_is_no_link() -> None:
    step = make.step(
        "Failed", "Exited", "See https://evil.example/cloudwatch/home?region=x#logsV2:log-groups/log-group/x"
    )
    failed = make.deployment(phase=Phase.FAILED, steps={step_keys.BEGIN: make.step(), step_keys.MIGRATION: step})
    assert "Log" not in links.of_deployment(failed, None)


@pytest.mark.parametrize("url", ["http://x.example", "javascript:alert(1)", 'https://x/"><script>', "https://x y", 1])
def test_only_addresses_are_links(url: object) -> None:
    assert links.links_of(message("text").but(detail={"links": {"Log": url}})) == []


def test_a_plain_text_has_its_links_below() -> None:
    told = message("text").but(detail={"links": {"Commit": "https://x.example/1"}})
    assert links.with_links(told, "text") == "text\n\nCommit: https://x.example/1"
    assert links.with_links(message("text"), "text") == "text"
