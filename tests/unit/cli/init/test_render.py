"""The text of the document: commented, and always one that `ferryman validate` takes."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from ferryman.errors import InvalidDocument
from ferryman.platform import apply_refusals
from ferryman.platform import parse as parse_document
from ferryman_cli import source
from ferryman_cli.exits import Stop
from ferryman_cli.init.answers import parse
from ferryman_cli.init.draft import draft
from ferryman_cli.init.render import render
from ferryman_cli.init.seen import Container, Registry, Seen, SeenService

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def one(name: str, image: str) -> SeenService:
    return SeenService(name, "123456789012", "eu-west-1", name, (Container("app", image),))


def test_the_whole_text() -> None:
    given = parse(
        {
            "platform": "shop",
            "channels": {"team": {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:team"}},
            "environments": {
                "staging": {"cluster": "a"},
                "production": {"cluster": "b", "approval": {"approvers": [{"name": "Ada", "slack": "U024BE7LH"}]}},
            },
        }
    )
    clusters = {
        "a": {"s": one("s", f"{HOST}/shop-api:v1.0.0"), "r": one("r", "redis\n:7")},
        "b": {"p": one("p", f"{HOST}/shop-api")},
    }
    text = render(draft(given, Seen(clusters, Registry())), "eu-west-1")
    assert text == TEXT


TEXT = """\
# A first document, from answers and from what ECS and ECR have in eu-west-1. Check it, and keep it beside your code.
# Comments name what is not known, or has a default. docs/platform.md describes every field.
apiVersion: ferryman/v1
kind: Platform
metadata:
  name: shop
spec:
  # tagPattern: which image tags name a release. Default: commits, (?P<version>[0-9a-f]{7,40}).
  # Images that run now have tags that this does not match: latest, v1.0.0.
  # A release is complete when each of these repositories has an image with its version. Remove a component
  # whose image is not pushed together with the others.
  components:
    api:
      repository: shop-api
  channels:
    team:
      type: sns
      topicArn: arn:aws:sns:eu-west-1:123456789012:team
  environments:
    staging:
      cluster: a
      # A complete release starts a deployment here. Other triggers: tag, promotion, manual.
      triggers: [push]
      # migration: the task that migrates the database before any service changes. Default: none.
      # smokeTests: HTTP checks after the last wave. Default: none, so a release that runs is verified.
      notify: [team]
      # Waves are rolled out one after the other, the services of one wave together. Give them an order.
      # baseTaskDefinition: what Terraform publishes, as ARN or ssm:/path. Default: what the service runs.
      waves:
        - name: services
          services:
            - name: s
              component: api
              container: app
              # baseTaskDefinition: …  # it runs the family s
      # Left out:
      #   r: it runs no image of a repository in this account and region that somebody pushes to
    production:
      cluster: b
      # The trigger promotion starts a deployment as soon as promoteFrom has verified a release.
      triggers: [tag, manual]
      promoteFrom: staging
      approval:
        approvers:
        - name: Ada
          slack: U024BE7LH
      # migration: the task that migrates the database before any service changes. Default: none.
      # smokeTests: HTTP checks after the last wave. Default: none, so a release that runs is verified.
      notify: [team]
      # Waves are rolled out one after the other, the services of one wave together. Give them an order.
      # baseTaskDefinition: what Terraform publishes, as ARN or ssm:/path. Default: what the service runs.
      waves:
        - name: services
          services:
            - name: p
              component: api
              container: app
              # baseTaskDefinition: …  # it runs the family p
"""


def test_a_long_list_of_services_becomes_several_waves() -> None:
    services = {f"s{n:03}": one(f"s{n:03}", f"{HOST}/shop-api") for n in range(81)}
    given = parse({"platform": "shop", "environments": {"staging": {"cluster": "c"}}})
    document = read(render(draft(given, Seen({"c": services}, Registry())), ""))
    waves = document["spec"]["environments"]["staging"]["waves"]
    assert [(wave["name"], len(wave["services"])) for wave in waves] == [
        ("services", 40), ("services-2", 40), ("services-3", 1),
    ]  # fmt: skip


def test_names_that_yaml_would_read_as_something_else() -> None:
    given = parse(
        {
            "platform": "null",
            "channels": {"true": {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:team"}},
            "environments": {"null": {"cluster": "0"}, "false": {"cluster": "~"}},
        }
    )
    clusters = {"0": {"s": one("s", f"{HOST}/shop-api")}, "~": {"p": one("p", f"{HOST}/shop-api")}}
    document = parse_document(read(render(draft(given, Seen(clusters, Registry())), "")))
    assert (document.name, list(document.spec.environments)) == ("null", ["null", "false"])
    last = document.environment("false")
    assert (last.cluster, last.promote_from, last.notify) == ("~", "null", ["true"])


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"triggers": ["push"], "promoteFrom": "staging"}, "staging.promoteFrom: promotion forms a cycle"),
        ({"promoteFrom": "qa"}, "spec.environments.staging.promoteFrom: no environment is named 'qa'"),
        ({"triggers": ["tag", "tag"]}, "spec.environments.staging.triggers.1: 'tag' appears twice"),
    ],
)  # fmt: skip
def test_what_would_not_be_valid_is_not_written(environment: dict[str, Any], told: str) -> None:
    given = parse(
        {
            "platform": "shop",
            "components": {"api": {"repository": "shop-api"}},
            "environments": {"staging": {"cluster": "c", **environment}},
        }
    )
    found = draft(given, Seen({"c": {"s": one("s", f"{HOST}/shop-api")}}, Registry()))
    with pytest.raises(Stop) as stop:
        render(found, "")
    assert "nothing was written" in str(stop.value)
    assert told in str(stop.value)


def read(text: str) -> Any:
    return source.of_text("document", text).data


NAMES = some.sampled_from(["shop", "null", "true", "no", "on", "a-1", "x" * 24])
TEXTS = some.text(min_size=1, max_size=20) | some.sampled_from(
    ["yes", "~", "0x1", "# a", "a: b", "- a", "{a}", "'\n\"", "\x85", " a"]
)
OWN = some.sampled_from(["a", "shop-a", "b/a", "9", "c.d_e"]).map(lambda name: f"{HOST}/{name}:1")
CONTAINERS = some.lists(
    some.builds(Container, name=some.sampled_from(["a", "app", "Web_1"]), image=OWN | OWN | OWN | TEXTS),
    min_size=1,
    max_size=4,
).map(tuple)
SERVICES = some.builds(
    SeenService,
    name=some.sampled_from(["s", "t", "-u", "0", "null", "x" * 255]),
    account=some.just("123456789012"),
    region=some.just("eu-west-1"),
    family=TEXTS,
    containers=CONTAINERS | CONTAINERS | some.none(),
    unfit=some.sampled_from([*[""] * 7, "is\ndeployed: otherwise"]),
)
PEOPLE = some.builds(
    lambda name: {"name": name, "slack": "U024BE7LH"}, some.sampled_from(["Ada: #1", "'Zo\u00eb'"]) | TEXTS
)
ENVIRONMENTS = some.fixed_dictionaries(
    {"seen": some.lists(SERVICES, min_size=1, max_size=6, unique_by=lambda one: one.name)},
    optional={
        "triggers": some.sampled_from([["push"], ["tag", "manual"], ["promotion"], ["manual", "manual"]]),
        "promoteFrom": some.none(),
        "approval": some.lists(PEOPLE, min_size=1, max_size=1).map(lambda people: {"approvers": people}),
        "services": some.just([{"name": "s", "component": "a"}]),
    },
)


def test_a_document_is_valid_or_refused_and_says_what_was_answered() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(NAMES, some.dictionaries(NAMES, ENVIRONMENTS, min_size=1, max_size=3), TEXTS)
    def one(platform: str, environments: dict[str, Any], cluster: str) -> None:
        seen: dict[str, dict[str, SeenService]] = {}
        told: dict[str, Any] = {}
        for n, (name, environment) in enumerate(environments.items()):
            place = f"{cluster}{n}" if n else cluster
            seen[place] = {service.name: service for service in environment["seen"]}
            told[name] = {key: value for key, value in environment.items() if key != "seen"} | {"cluster": place}
        data = {"platform": platform, "components": {"a": {"repository": "r"}}, "environments": told}
        outcomes[check_one(data, seen)] += 1

    one()
    assert outcomes["valid"] > 10, outcomes


def check_one(data: dict[str, Any], seen: dict[str, dict[str, SeenService]]) -> str:
    try:
        answers = parse(data)
        text = render(draft(answers, Seen(seen, Registry())), "eu-west-1")
    except InvalidDocument:
        return "wrong answers"
    except Stop:
        return "refused"
    document = parse_document(read(text))
    assert apply_refusals.problems_of(document) == []
    assert (document.name, list(document.spec.environments)) == (data["platform"], list(answers.environments))
    for name, environment in document.spec.environments.items():
        given = answers.environments[name]
        assert (environment.cluster, environment.promote_from) == (given.cluster, answers.source_of(name))
        assert environment.approval == given.approval
        assert {service.name for service in environment.services} <= seen[given.cluster].keys() | {"s", "t"}
    return "valid"
