"""Two names of one thing are spelled alike, names stay short, and a document that can't be parsed still tells them."""

import pytest

from ferryman.platform import claims, parse

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
    assert claims.service(cluster, name) == "service:scr-production/api"


@pytest.mark.parametrize("name", ["default", f"{ECS}:cluster/default"])
def test_the_default_cluster_has_one_name(name: str) -> None:
    assert claims.service(name, "api") == "service:default/api"


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
    assert claims.family(name) == "family:scr-api"


@pytest.mark.parametrize(
    "name", ["task", "arn:aws:iam::123456789012:role/task", "arn:aws:iam::123456789012:role/a/b/Task"]
)
def test_a_role_is_its_name_without_path(name: str) -> None:
    assert claims.role(name) == "role:task"


def test_a_secret_is_found_with_and_without_the_suffix_of_its_arn() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:scr/slack"
    assert set(claims.secrets(f"{arn}-AbCdEf")) & set(claims.secrets(arn))
    assert not set(claims.secrets(f"{arn}-AbCdEf")) & set(claims.secrets(f"{arn}2-AbCdEf"))


@pytest.mark.parametrize(
    "name", ["scr-api", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scr-api", "SCR-API", "scr-api:latest", " scr-api"]
)
def test_a_repository_is_its_name_without_registry(name: str) -> None:
    assert claims.repository(name) == "scr-api"


def test_a_repository_of_a_namespace_keeps_it() -> None:
    assert claims.repository("team/scr-api") == "team/scr-api"


@pytest.mark.parametrize("last", ["a", "b"])
def test_a_long_name_stays_short_and_its_own(last: str) -> None:
    thing = claims.service("c" * 255, "s" * 254 + last)
    assert len(thing.encode()) <= claims.LONGEST
    assert thing != claims.service("c" * 255, "s" * 254 + "c")
    assert claims.words(thing)


def test_parameters_of_other_platforms_are_found_wherever_they_are(scr_document: dict) -> None:  # type: ignore[type-arg]
    staging = scr_document["spec"]["environments"]["staging"]
    staging["cluster"] = "ssm:/ferryman/shop/production/cluster"
    staging["smokeTests"][0]["headers"] = {"Host": "ssm:/ferryman/operator/host"}
    found = dict(claims.parameters_of_others(parse(scr_document).dump(), "scr"))
    assert found == {
        "spec.environments.staging.cluster": "shop",
        "spec.environments.staging.smokeTests.0.headers.Host": "operator",
    }


def test_a_document_that_can_t_be_parsed_still_owns_what_it_says() -> None:
    found = claims.unread(
        {
            "spec": {
                "components": {
                    "api": {"repository": "12.dkr.ecr.eu-west-1.amazonaws.com/shop-api"},
                    "web": 7,
                },
                "environments": {
                    "production": {
                        "cluster": f"{ECS}:cluster/shop",
                        "color": "red",
                        "waves": [{"services": [{"name": "api", "baseTaskDefinition": "shop-api:3"}, "?"]}, None],
                        "movingTags": ["live"],
                    },
                    "staging": {"cluster": "ssm:/ferryman/shop/cluster", "waves": [{"services": [{"name": "api"}]}]},
                    "broken": None,
                },
            }
        }
    )
    things = {name: [claim.thing for claim in part.claims] for name, part in found.environments.items()}
    assert things["production"][:2] == ["service:shop/api", "family:shop-api"]
    assert things["staging"] == ["service:?/api"]
    assert not any(part.complete for part in found.environments.values())
    assert found.tags["production"] == ("live", "production-current", "production-previous")
    assert found.repositories[0] == "shop-api"


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (claims.service("c", "s"), "service s of cluster c"),
        (claims.service("?", "s"), "service s"),
        (claims.family("f:3"), "task definition family f"),
        (claims.role("r"), "IAM role r"),
        (claims.schedule("default", "nightly"), "schedule default/nightly"),
        (claims.rule("default", "upload"), "rule upload"),
        (claims.rule("aws.partner/x/y", "upload"), "rule upload of event bus aws.partner/x/y"),
        (claims.secrets("arn:aws:secretsmanager:eu-west-1:1:secret:a/b-AbCdEf")[1], "secret a/b"),
        (claims.topic("arn:aws:sns:eu-west-1:1:team"), "SNS topic team"),
    ],
)
def test_people_read_it_in_words(thing: str, words: str) -> None:
    assert claims.words(thing) == words
