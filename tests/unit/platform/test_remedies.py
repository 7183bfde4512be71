"""What people are told to write instead of a frequent mistake."""

import copy
from typing import Any

import pytest

from ferryman.errors import InvalidDocument
from ferryman.platform import parse, remedies
from ferryman.platform.apply_refusals import problems_of

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    "value",
    [
        f"{REGISTRY}/team/api",
        f"{REGISTRY}/team/api:latest",
        f"{REGISTRY}/team/api@sha256:{'a' * 64}",
        f"https://{REGISTRY}/team/api",
        "arn:aws:ecr:eu-central-1:123456789012:repository/team/api",
        "public.ecr.aws/team/api:1.2",
        "team/api:latest",
        " team/api:latest",
    ],
)
def test_the_name_of_a_repository(value: str) -> None:
    assert remedies.repository_name(value) == "team/api"


@pytest.mark.parametrize("value", ["team/api", "Team/API", "", ":latest", REGISTRY])
def test_no_name_can_be_told(value: str) -> None:
    assert remedies.repository_name(value) is None


def spec(document: dict[str, Any], *path: Any, value: Any) -> dict[str, Any]:
    stored = copy.deepcopy(document)
    stored["spec"]["channels"] = {**stored["spec"].get("channels", {}), "c": {"type": "slack"}}
    stored["spec"]["channels"]["c"]["webhookSecretArn"] = "ssm:/a"
    place = stored["spec"]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return stored


NETWORK = ("environments", "staging", "migration", "network")
SERVICE = ("environments", "staging", "waves", 0, "services", 0)
CHECK = ("environments", "staging", "smokeTests", 0)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("components", "api", "repository"), f"{REGISTRY}/scr-api:latest", "without registry and tag; write scr-api"),
        (("channels", "c", "url"), "https://hooks.slack.com/x", "write the ARN of that secret as webhookSecretArn"),
        (("channels", "c", "webhook_url"), "https://x", "write the ARN of that secret as webhookSecretArn"),
        (("channels", "c", "botToken"), "xoxb-1", "write the ARN of that secret as botTokenSecretArn"),
        (("components", "api", "image"), "scr-api", "write the name of its ECR repository as repository"),
        ((*SERVICE, "taskDefinition"), "api:1", "write baseTaskDefinition"),
        ((*SERVICE, "name"), "arn:aws:ecs:eu-west-1:123456789012:service/scr/api", "; write api"),
        (("environments", "staging", "services"), [], "waves: [{name: all, services: [...]}]"),
        ((*NETWORK, "subnets"), "[subnet-1, subnet-2]", "write [subnet-1, subnet-2] without quotes"),
        ((*NETWORK, "subnets"), "subnet-1,subnet-2", "write [subnet-1, subnet-2], or ssm:/path"),
        ((*NETWORK, "subnets"), "ssm:no/slash", "write [a, b], or ssm:/path/of/the/parameter"),
        ((*NETWORK, "subnets"), None, "has no value"),
        (("tagPattern",), "v{version}", "for commits, write v(?P<version>[0-9a-f]{7,40})"),
        (("tagPattern",), "[0-9a-f]+", "for commits, write (?P<version>[0-9a-f]{7,40})"),
        (("environments", "staging", "movingTags"), ["{env}-latest"], "as in staging-latest"),
    ],
)
def test_a_mistake_of_the_document_says_what_to_write(
    scr_document: dict[str, Any], path: tuple[Any, ...], value: Any, told: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse(spec(scr_document, *path, value=value))
    assert told in str(caught.value)


def test_a_missing_list_of_subnets_has_an_example(scr_document: dict[str, Any]) -> None:
    stored = spec(scr_document, *NETWORK, "subnets", value=[])
    del stored["spec"]["environments"]["staging"]["migration"]["network"]["subnets"]
    with pytest.raises(InvalidDocument, match=r"For example: subnets: \[subnet-0a1b2c3d, subnet-4e5f6a7b\]"):
        parse(stored)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ((*NETWORK, "subnets"), ["[subnet-123]"], "'[subnet-123]' is not one id; write subnets: [subnet-123] without"),
        ((*NETWORK, "securityGroups"), ["sg-1, sg-2"], "write securityGroups: [sg-1, sg-2] without quotes"),
        ((*CHECK, "expect"), {"json": {"version": "{version}"}}, "{version} is not filled in; write {release}"),
        ((*CHECK, "expect"), {"json": {"a": "v${GIT_SHA}"}}, "${GIT_SHA} is not filled in; write {release}"),
        (("environments", "staging", "migration", "command"), ["up", "{version}"], "so leave it out"),
    ],
)
def test_a_mistake_that_stored_documents_may_have_is_refused_by_apply(
    scr_document: dict[str, Any], path: tuple[Any, ...], value: Any, told: str
) -> None:
    (problem,) = problems_of(parse(spec(scr_document, *path, value=value)))
    assert told in problem[1]


@pytest.mark.parametrize("word", ["echo ${VERSION}", "${VERSION}", "print(f'{version}')", "{revision}"])
def test_a_command_may_have_what_a_shell_fills_in(scr_document: dict[str, Any], word: str) -> None:
    path = ("environments", "staging", "migration", "command")
    assert problems_of(parse(spec(scr_document, *path, value=["sh", "-c", word]))) == []


@pytest.mark.parametrize("value", ["{release}", "v{release}", "{}", "{other}", '{"version": 1}', "version"])
def test_other_texts_are_no_placeholders(value: str) -> None:
    assert list(remedies.placeholders({"a": [value]})) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("python -m orders migrate", "[python, -m, orders, migrate]"),
        ("push, tag", "[push, tag]"),
        ("alembic upgrade head && true", '[sh, -c, "alembic upgrade head && true"]'),
        ("team@example.com", "[team@example.com]"),
        ("echo '5' yes", '[echo, "5", "yes"]'),
        ("it's", '["it\'s"]'),
        (200, "[200]"),
    ],
)
def test_a_text_is_told_as_the_list_that_was_meant(text: str | int, told: str) -> None:
    assert remedies.as_list(text) == told


@pytest.mark.parametrize(
    "address", ["https://github.com/acme/shop", "github.com/acme/shop/", "git@github.com:acme/shop.git"]
)
def test_an_address_of_a_project_is_told_as_its_name(address: str) -> None:
    assert remedies.project_name(address) == "acme/shop"
