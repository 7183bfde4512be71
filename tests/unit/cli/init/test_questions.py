"""What is asked at a terminal, and in which order."""

from typing import Any

import pytest

from ferryman_cli.init.answers import parse
from ferryman_cli.init.draft import draft
from ferryman_cli.init.look import Look
from ferryman_cli.init.questions import complete
from ferryman_cli.init.render import render
from ferryman_cli.init.seen import Seen
from unit.fakes.account import FakeEyes


class Person:
    """Answers questions that begin like this; the answer `None` takes the default. Answers are used up in order."""

    def __init__(self, answers: list[tuple[str, str | None]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, question: str, default: str) -> str:
        self.asked.append(question)
        begins, answer = self.answers.pop(0)
        assert question.startswith(begins), question
        return default if answer is None else answer


@pytest.fixture
def eyes() -> FakeEyes:
    eyes = FakeEyes()
    for env in ("staging", "production"):
        eyes.service(f"shop-{env}", f"api-{env}", {"app": "shop-api:3f9c2ab"})
        eyes.service(f"shop-{env}", f"web-{env}", {"web": "shop-web:3f9c2ab"})
        eyes.service(f"shop-{env}", f"redis-{env}", {"redis": "docker.io/redis"})
    return eyes


def asked(eyes: FakeEyes, data: dict[str, Any], *answers: tuple[str, str | None]) -> tuple[dict[str, Any], Person]:
    """Return the answers. They make a valid document, and no answer is left over."""
    person = Person(list(answers))
    look = Look(eyes, lambda _: None)
    registry = look.registry()
    found = complete(data, look, registry, person)
    assert person.answers == []
    given = parse(found)
    there = {one.cluster: look.services(one.cluster, None) or {} for one in given.environments.values()}
    render(draft(given, Seen(there, registry)), "eu-west-1")
    return found, person


def test_everything_is_asked_with_what_was_seen(eyes: FakeEyes) -> None:
    found, person = asked(
        eyes,
        {},
        ("Name of the platform", "Shop!"),
        ("Name of the platform", "shop"),
        ("Environments", "staging, production"),
        ("Cluster of staging", None),
        ("Cluster of production", "shop-productoin"),
        ("Cluster of production", "shop-production"),
        ("Environment that must verify", None),
        ("Services of staging", None),
        ("Services of production", "api-production"),
        ("Who approves deployments to production", "Ada=ada@example.com"),
        ("Another approver", ""),
        ("Sender", "ferryman@example.com"),
        ("Where messages go", ""),
    )
    assert person.asked[3] == "Cluster of staging (shop-production, shop-staging)"
    assert person.asked[7] == "Services of staging to operate (api-staging, web-staging)"
    assert found == {
        "platform": "shop",
        "environments": {
            "staging": {"cluster": "shop-staging"},
            "production": {
                "cluster": "shop-production",
                "promoteFrom": "staging",
                "services": [{"name": "api-production"}],
                "approval": {
                    "approvers": [{"name": "Ada", "email": "ada@example.com"}],
                    "from": "ferryman@example.com",
                },
            },
        },
    }


def test_what_was_given_is_not_asked(eyes: FakeEyes) -> None:
    given = {
        "platform": "shop",
        "environments": {"staging": {"cluster": "shop-staging"}},
        "channels": {"t": {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:t"}},
    }
    assert asked(eyes, given, ("Services of staging", None))[0] == given


def test_components_that_could_not_be_read_are_asked_with_their_repositories(eyes: FakeEyes) -> None:
    eyes.refused = {"ecs:DescribeTaskDefinition"}
    given: dict[str, Any] = {"platform": "shop", "environments": {"staging": {"cluster": "shop-staging"}}}
    found, _ = asked(
        eyes,
        given,
        ("Services of staging", None),
        ("Component whose image api-staging runs", "api"),
        ("ECR repository of component api", "Shop-API"),
        ("ECR repository of component api", "shop-api"),
        ("Component whose image redis-staging runs", ""),
        ("Component whose image web-staging runs", "api"),
        ("Where messages go", ""),
    )
    assert found["components"] == {"api": {"repository": "shop-api"}}
    services = [{"name": "api-staging", "component": "api"}, {"name": "web-staging", "component": "api"}]
    assert found["environments"]["staging"]["services"] == services


def test_nothing_can_be_read(eyes: FakeEyes) -> None:
    eyes.refused = {"ecs:ListClusters", "ecs:ListServices", "ecs:DescribeServices"}
    found, _ = asked(
        eyes,
        {"platform": "shop"},
        ("Environments", "staging"),
        ("Cluster of staging", "any"),
        ("Services of staging, which could not be read", ""),
        ("Services of staging, which could not be read", "api"),
        ("Component whose image api runs", "api"),
        ("ECR repository", "shop-api"),
        ("Who approves deployments to staging", ""),
        ("Where messages go", "arn:aws:sns:eu-west-1:123456789012:t"),
    )
    assert found["environments"] == {"staging": {"cluster": "any", "services": [{"name": "api", "component": "api"}]}}


def test_no_promotion(eyes: FakeEyes) -> None:
    found, _ = asked(
        eyes,
        {"platform": "shop"},
        ("Environments", "staging production"),
        ("Cluster of staging", None),
        ("Cluster of production", None),
        ("Environment that must verify", "-"),
        ("Services of staging", None),
        ("Services of production", None),
        ("Who approves", ""),
        ("Where messages go", ""),
    )
    assert found["environments"]["production"]["promoteFrom"] is None


def test_environments_in_one_cluster_share_no_service(eyes: FakeEyes) -> None:
    for name in ("api-production", "web-production"):
        eyes.clusters["shop-staging"][name] = eyes.clusters["shop-production"][name]
    there = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-staging"
    given = {"platform": "shop", "environments": {"a": {"cluster": "shop-staging"}, "b": {"cluster": there}}}
    found, person = asked(
        eyes, given, ("Services of a", "api-staging web-staging"), ("Services of b", None), ("Where messages go", "")
    )
    assert person.asked[1] == "Services of b to operate (api-production, web-production)"
    assert [[service["name"] for service in one["services"]] for one in found["environments"].values()] == [
        ["api-staging", "web-staging"],
        ["api-production", "web-production"],
    ]
