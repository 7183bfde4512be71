"""Answers in a file and as options."""

from collections.abc import Callable
from typing import Any

import pytest

from ferryman.errors import InvalidDocument
from ferryman_cli.init import answers
from ferryman_cli.init.answers import approver, channel, environment, given, parse

TOPIC = "arn:aws:sns:eu-west-1:123456789012:team"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slack-AbCdEf"
USER = "arn:aws:iam::123456789012:user/ada"


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (environment, "staging = shop-staging", ("staging", {"cluster": "shop-staging"})),
        (approver, "Ada Lovelace=ada@example.com", {"name": "Ada Lovelace", "email": "ada@example.com"}),
        (approver, "Ada=U024BE7LH", {"name": "Ada", "slack": "U024BE7LH"}),
        (approver, f"Ada={USER}", {"name": "Ada", "arn": USER}),
        (channel, TOPIC, ("topic", {"type": "sns", "topicArn": TOPIC})),
        (channel, SECRET, ("slack", {"type": "slack", "webhookSecretArn": SECRET})),
    ],
)
def test_what_an_option_means(read: Callable[[str], Any], text: str, found: Any) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (environment, "staging"), (environment, "=c"), (environment, "staging="), (approver, "ada@example.com"),
        (approver, "Ada="), (approver, "Ada=ada"), (channel, "team"), (channel, "https://hooks.slack.com/services/x"),
    ],
)  # fmt: skip
def test_what_an_option_cannot_mean(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError, match="is n") as error:
        read(text)
    assert "hooks.slack.com" not in str(error.value), "the URL of a webhook is a secret"


def test_options_together() -> None:
    found = given("shop", ["staging=a", "production=b"], ["Ada=ada@example.com"], "f@example.com", TOPIC)
    assert found == {
        "platform": "shop",
        "environments": {
            "staging": {"cluster": "a"},
            "production": {
                "cluster": "b",
                "approval": {"approvers": [{"name": "Ada", "email": "ada@example.com"}], "from": "f@example.com"},
            },
        },
        "channels": {"topic": {"type": "sns", "topicArn": TOPIC}},
    }
    parse(found)
    assert given(None, [], [], None, None) == {}


@pytest.mark.parametrize(
    ("environments", "approvers", "sender", "told"),
    [
        (["a=b", "a=c"], [], None, "names one environment twice"),
        ([], ["Ada=U024BE7LH"], None, "approvers need an environment"),
        (["a=b"], [], "f@example.com", "a sender needs approvers"),
    ],
)
def test_options_that_do_not_fit_together(
    environments: list[str], approvers: list[str], sender: str | None, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        given("shop", environments, approvers, sender, None)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (None, ""), ([], ""), ({}, "platform"), ({"platform": "Shop"}, "platform"),
        ({"platform": "shop", "environments": {}}, "environments"),
        ({"platform": "shop", "environments": {"a": {"clusters": "b"}}}, "environments.a.clusters"),
        ({"platform": "shop", "environments": {"a": {"cluster": "b", "services": []}}}, "environments.a.services"),
        ({"platform": "shop", "environments": {"a": {"cluster": "b", "services": ["s"]}}}, "environments.a.services.0"),
        ({"environments": {"a": {"cluster": "b", "promote_from": "c"}}}, "environments.a.promote_from"),
    ],
)  # fmt: skip
def test_wrong_answers_are_told_with_their_path(data: Any, path: str) -> None:
    with pytest.raises(InvalidDocument) as error:
        parse(data)
    assert path in [where for where, _ in error.value.problems]


def test_fields_of_the_document_have_its_names() -> None:
    """Whoever knows the document knows the answers."""
    from ferryman.platform import Environment, Service

    own = {"cluster", "services", "triggers", "promote_from", "approval"}
    assert set(answers.EnvironmentAnswers.model_fields) == own
    assert own - {"services"} <= set(Environment.model_fields)
    assert set(answers.ServiceAnswer.model_fields) <= set(Service.model_fields)
