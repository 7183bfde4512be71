"""Two names of one thing are spelled alike, and names stay short."""

import pytest

from ferryman.records import things

ECS = "arn:aws:ecs:eu-west-1:123456789012"


@pytest.mark.parametrize(
    "cluster",
    [
        "scr-production",
        " scr-production\n",
        "SCR-Production",
        f"{ECS}:cluster/scr-production",
        "arn:aws:ecs:us-east-1:999999999999:cluster/scr-production",
    ],
)
@pytest.mark.parametrize("name", ["api", "API ", f"{ECS}:service/scr-production/api", f"{ECS}:service/api"])
def test_a_service_has_one_name_however_it_is_written(cluster: str, name: str) -> None:
    assert things.service(cluster, name) == "service:scr-production/api"


@pytest.mark.parametrize("name", ["default", f"{ECS}:cluster/default"])
def test_the_default_cluster_has_one_name(name: str) -> None:
    assert things.service(name, "api") == "service:default/api"


@pytest.mark.parametrize(
    "name",
    [
        "scr-api",
        "scr-api:7",
        f"{ECS}:task-definition/scr-api:7",
        f"{ECS}:task-definition/scr-api",
        "Scr-Api ",
        "scr-api:12\n",
    ],
)
def test_a_task_definition_is_its_family(name: str) -> None:
    assert things.family(name) == "family:scr-api"


@pytest.mark.parametrize(
    "name", ["task", "arn:aws:iam::123456789012:role/task", "arn:aws:iam::123456789012:role/a/b/Task"]
)
def test_a_role_is_its_name_without_path(name: str) -> None:
    assert things.role(name) == "role:task"


def test_a_secret_is_found_with_and_without_the_suffix_of_its_arn() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:scr/slack"
    assert set(things.secrets(f"{arn}-AbCdEf")) & set(things.secrets(arn))
    assert not set(things.secrets(f"{arn}-AbCdEf")) & set(things.secrets(f"{arn}2-AbCdEf"))


@pytest.mark.parametrize("last", ["a", "b"])
def test_a_long_name_stays_short_and_its_own(last: str) -> None:
    thing = things.service("c" * 255, "s" * 254 + last)
    assert len(thing.encode()) <= things.LONGEST
    assert thing != things.service("c" * 255, "s" * 254 + "c")
    assert things.words(thing)


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (things.service("c", "s"), "service s of cluster c"),
        (things.service("?", "s"), "service s"),
        (things.family("f:3"), "task definition family f"),
        (things.role("r"), "IAM role r"),
        (things.schedule("default", "nightly"), "schedule default/nightly"),
        (things.rule("default", "upload"), "rule upload"),
        (things.rule("aws.partner/x/y", "upload"), "rule upload of event bus aws.partner/x/y"),
        (things.secrets("arn:aws:secretsmanager:eu-west-1:1:secret:a/b-AbCdEf")[1], "secret a/b"),
        (things.topic("arn:aws:sns:eu-west-1:1:team"), "SNS topic team"),
    ],
)
def test_people_read_it_in_words(thing: str, words: str) -> None:
    assert things.words(thing) == words
