"""Where a container's log is, as a table; what is said when it was not read."""

from typing import Any

import pytest

from ferryman.clients.container_logs import ContainerLog, Place, place, read
from ferryman.errors import Throttled
from unit.clients.definitions import BASE, changed
from unit.fakes.ecs import FakeLogs, refusal

TASK: Any = {
    "taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/scr/0123abcd",
    "containers": [{"name": "app", "runtimeId": "d0c4e5"}],
}
PREFIXED = {"awslogs-group": "/ecs/api", "awslogs-stream-prefix": "ecs"}
STREAM = "ecs/app/0123abcd"
FIRELENS = "app-firelens-0123abcd"


def definition(driver: str | None, **options: str) -> Any:
    log = {"logConfiguration": {"logDriver": driver, "options": options}} if driver else {}
    return {"containerDefinitions": [{"name": "app", **log}]}


def at(group: str, stream: str, region: str = "eu-west-1") -> Place:
    return Place(group, stream, region)


@pytest.mark.parametrize(
    ("driver", "options", "expected"),
    [
        pytest.param("awslogs", PREFIXED, at("/ecs/api", STREAM), id="awslogs"),
        pytest.param("awslogs", {**PREFIXED, "awslogs-region": "us-east-1"}, at("/ecs/api", STREAM, "us-east-1"),
                     id="awslogs-in-another-region"),
        pytest.param("awslogs", {"awslogs-group": "/ecs/api"}, at("/ecs/api", "d0c4e5"),
                     id="awslogs-on-ec2-without-a-prefix-is-named-after-dockers-id"),
        pytest.param("awsfirelens", {"Name": "cloudwatch", "log_group_name": "g", "log_stream_prefix": "from-"},
                     at("g", f"from-{FIRELENS}"), id="firelens-prefix"),
        pytest.param("awsfirelens", {"Name": "cloudwatch_logs", "log_group_name": "g", "log_stream_prefix": "",
                                     "region": "us-east-1"}, at("g", FIRELENS, "us-east-1"), id="firelens-c-plugin"),
        pytest.param("awsfirelens", {"name": "cloudwatch", "log_group_name": "g", "log_stream_name": "all"},
                     at("g", "all"), id="firelens-one-stream"),
        pytest.param("awsfirelens", {"Name": "cloudwatch", "log_group_name": "/$(ecs_cluster)",
                                     "log_stream_name": "app/$(ecs_task_id)"}, at("/scr", "app/0123abcd"),
                     id="firelens-variables"),
        pytest.param("awsfirelens", {"@type": "cloudwatch_logs", "log_group_name": "g", "log_stream_name": "all"},
                     at("g", "all"), id="firelens-fluentd"),
        pytest.param("awsfirelens", {"Name": "cloudwatch", "log_group_name": "g", "log_stream_name": "$(sha)"},
                     "its options do not tell", id="firelens-variable-that-is-not-known"),
        pytest.param("awsfirelens", {"Name": "datadog"}, "FireLens sends it to datadog", id="firelens-datadog"),
        pytest.param("awsfirelens", {}, "configuration file of its own", id="firelens-own-configuration"),
        *[pytest.param(driver, {}, f"its log driver is {driver}", id=driver)
          for driver in ("json-file", "syslog", "journald", "gelf", "fluentd", "splunk")],
        pytest.param(None, {}, "no logConfiguration", id="docker's-default"),
        pytest.param("awslogs", {}, "no awslogs-group", id="awslogs-without-a-group"),
    ],
)  # fmt: skip
def test_where_a_log_is(driver: str | None, options: dict[str, str], expected: Place | str) -> None:
    found = place(definition(driver, **options), "app", TASK)
    assert found == expected if isinstance(expected, Place) else expected in str(found)


def test_without_a_prefix_and_without_dockers_id_the_stream_is_not_known() -> None:
    task: Any = {**TASK, "containers": [{"name": "app"}]}
    assert "no awslogs-stream-prefix" in str(place(definition("awslogs", **{"awslogs-group": "g"}), "app", task))


def test_a_container_that_aws_added_has_no_log_of_ours() -> None:
    log = read(FakeLogs(), definition("awslogs", **PREFIXED), "aws-guardduty-agent", TASK)  # type: ignore[arg-type]
    assert "AWS added it" in log.sentence()


def logs(*lines: str, stream: str = STREAM, group: str = "/ecs/api") -> Any:
    fake = FakeLogs()
    fake.write(group, stream, *lines)
    return fake


def test_the_last_line_is_quoted_with_a_link_to_the_stream() -> None:
    log = read(logs("one", "two"), definition("awslogs", **PREFIXED), "app", TASK)
    assert log.lines == ("one", "two")
    url = (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
        "#logsV2:log-groups/log-group/$252Fecs$252Fapi/log-events/ecs$252Fapp$252F0123abcd"
    )
    assert log.sentence() == f"Its log ends with “two”. See {url}"


def test_a_log_without_lines_is_empty() -> None:
    assert "Its log is empty." in read(logs(), definition("awslogs", **PREFIXED), "app", TASK).sentence()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusal("GetLogEvents", "AccessDeniedException"), "refused with AccessDeniedException"),
        (refusal("GetLogEvents", "ResourceNotFoundException"), "does not have it, or not yet"),
        (refusal("GetLogEvents", "ThrottlingException"), "did not answer"),
        (Throttled("slow"), "did not answer"),
    ],
)
def test_a_log_that_can_not_be_read_is_not_called_empty(error: Exception, said: str) -> None:
    class Refusing:
        def get_log_events(self, **_: Any) -> Any:
            raise error

    log = read(Refusing(), definition("awslogs", **PREFIXED), "app", TASK)  # type: ignore[arg-type]
    for part in ("was not read", said, "/ecs/api", STREAM, "https://"):
        assert part in log.sentence()
    assert "empty" not in log.sentence()


def test_a_log_in_another_region_is_not_looked_for_here() -> None:
    elsewhere = definition("awslogs", **PREFIXED, **{"awslogs-region": "us-east-1"})
    assert "it is in region us-east-1" in read(logs("not this one"), elsewhere, "app", TASK).sentence()


def test_firelens_wraps_each_line_in_a_record() -> None:
    record = '{"container_id":"1","container_name":"/app","source":"stdout","log":"KeyError: PORT"}'
    options = {"Name": "cloudwatch", "log_group_name": "g", "log_stream_prefix": ""}
    own = '{"log": "of the app itself"}'
    read_log = read(logs(own, record, stream=FIRELENS, group="g"), definition("awsfirelens", **options), "app", TASK)
    assert read_log.lines == (own, "KeyError: PORT")


def test_an_empty_page_is_not_the_end_of_a_log() -> None:
    pages = [{"events": [], "nextBackwardToken": "b/1"}, {"events": [{"message": "late"}], "nextBackwardToken": "b/2"}]

    class Paged:
        def get_log_events(self, **_: Any) -> Any:
            return pages.pop(0)

    assert read(Paged(), definition("awslogs", **PREFIXED), "app", TASK).lines == ("late",)  # type: ignore[arg-type]


def test_consoles_of_other_partitions() -> None:
    assert at("g", "s").url("aws-cn").startswith("https://console.amazonaws.cn/")
    assert at("g", "s").url("aws-us-gov").startswith("https://console.amazonaws-us-gov.com/")


def test_another_containers_log_is_named() -> None:
    assert ContainerLog(("bye",)).sentence("The log of proxy") == "The log of proxy ends with “bye”."


@pytest.mark.parametrize(
    ("log", "lines"),
    [
        pytest.param({}, ["hello", "password=[hidden]"], id="awslogs"),
        pytest.param({"logDriver": "awsfirelens"}, [], id="elsewhere"),
        pytest.param({"options": {"awslogs-group": "/ecs/api"}}, [], id="no-prefix"),
        pytest.param({"options": {"awslogs-group": "/ecs/none", "awslogs-stream-prefix": "run"}}, [], id="no-stream"),
    ],
)
def test_the_end_of_a_log_without_what_looks_like_a_secret(log: dict[str, Any], lines: list[str]) -> None:
    logs = FakeLogs()
    logs.write("/ecs/api", "run/app/123", "hello\n", "\n", "password=hunter2")
    known = BASE["containerDefinitions"][1]["logConfiguration"]
    definition = changed(logConfiguration={**known, **log})
    task: Any = {"taskArn": "arn:aws:ecs:eu-west-1:1:task/c/123"}
    assert list(read(logs, definition, "app", task).lines) == lines
