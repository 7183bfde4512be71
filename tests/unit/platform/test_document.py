"""The platform document: what is taken, what is refused, and whether a person learns what would be right."""

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from ferryman.errors import InvalidDocument
from ferryman.platform import MailChannel, channel_of, parse

EXAMPLE = Path(__file__).parents[3] / "examples/scr-platform/platform.yaml"
STAGING = "spec.environments.staging"
SERVICE = f"{STAGING}.waves.0.services.0"
TEST = f"{STAGING}.smokeTests.0"
WEB = "spec.components.web.repository"
HOOK = "https://hooks.slack.com/services/T000/B000/hunter2"


class Gone:
    """Marks a field to be taken out."""


def example() -> dict[str, Any]:
    found = yaml.safe_load(EXAMPLE.read_text())
    assert isinstance(found, dict)
    return found


def edited(**edits: Any) -> dict[str, Any]:
    """The example with some places changed: `{path: value}`, dots between the parts of a path."""
    document = example()
    for path, value in edits.items():
        *inner, last = path.split(".")
        place: Any = document
        for part in inner:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if value is Gone:
            del place[last]
        elif isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value
    return document


def problems(document: Any) -> dict[str, str]:
    with pytest.raises(InvalidDocument) as caught:
        parse(document)
    return dict(caught.value.problems)


def production(**changes: Any) -> dict[str, Any]:
    environment: dict[str, Any] = copy.deepcopy(example()["spec"]["environments"]["staging"])
    return {**environment, "cluster": "scr-production", "movingTags": ["production-latest"], **changes}


def test_example_is_taken_and_survives_a_round_trip() -> None:
    platform = parse(example())
    assert platform.name == "scr"
    assert [service.name for service in platform.environment("staging").services] == [
        "scr-api-staging", "scr-ai-gateway-staging", "scr-web-staging",
    ]  # fmt: skip
    assert platform.environment("staging").smoke_tests[0].delay == timedelta(seconds=3)
    assert platform.triggered_by_push() == ["staging"]
    assert platform.component_of("scr-web") == "web"
    assert platform.component_of("other") is None
    assert parse(platform.dump()) == platform


def test_anchors_are_fine() -> None:
    shared = {"subnets": "ssm:/s", "securityGroups": ["sg-1"]}
    document = edited(**{f"{STAGING}.migration.network": shared})
    document["spec"]["environments"]["production"] = production(promoteFrom="staging", triggers=["promotion"])
    document["spec"]["environments"]["production"]["migration"]["network"] = shared
    assert parse(document)


FIELDS = [
    ("kind", "Platfrm", "kind", "it must be Platform"),
    ("apiVersion", Gone, "apiVersion", "For example: apiVersion: ferryman/v1"),
    ("apiVersion", "ferryman/v2", "apiVersion", "it must be ferryman/v1"),
    ("metadata.name", "SCR", "metadata.name", "lowercase letters, digits and hyphens"),
    ("metadata.name", "s" * 25, "metadata.name", "at most 24 lowercase letters"),
    ("metadata.name", 5, "metadata.name", "5 is a number, but must be text; put it in quotes"),
    ("spec", None, "spec", "has no value; it must be a mapping"),
    ("spec.componets", {}, "spec.componets", "did you mean components?"),
    ("spec.components", {}, "spec.components", "must not be empty"),
    ("spec.components", Gone, "spec.components", "is missing: Component name → image repository"),
    ("spec.components.Web", {"repository": "x"}, "spec.components.Web", "a name starts with a letter"),
    (WEB, "localhost:5000/web:1", WEB, "without registry and tag"),
    (WEB, "scr-api", WEB, "already belongs to component 'api'"),
    ("spec.tagPattern", "(", "spec.tagPattern", "is not a regular expression"),
    ("spec.tagPattern", "[0-9a-f]{7}", "spec.tagPattern", "needs a named group (?P<version>…)"),
    ("spec.tagPattern", "(?P<version>[0-9a-f]*)", "spec.tagPattern", "matches an empty tag"),
    ("spec.assemblyTimeout", "30 minutes", "spec.assemblyTimeout", "as in 90s, 10m, 1h30m or 2d"),
    ("spec.assemblyTimeout", 30, "spec.assemblyTimeout", "30 is not a duration"),
    ("spec.assemblyTimeout", "0s", "spec.assemblyTimeout", "is zero; use at least 1s"),
    ("spec.assemblyTimeout", "٣m", "spec.assemblyTimeout", "is not a duration"),
    (f"{SERVICE}.timeout", "13h", f"{SERVICE}.timeout", "13h is too long; use at most 12h"),
    (f"{SERVICE}.componnent", "x", f"{SERVICE}.componnent", "did you mean component?"),
    (f"{SERVICE}.base_task_definition", "x", f"{SERVICE}.base_task_definition", "did you mean baseTaskDefinition?"),
    (
        f"{SERVICE}.component",
        "apii",
        f"{SERVICE}.component",
        "known components: api, ai-gateway, web; did you mean api?",
    ),
    (f"{SERVICE}.failFast", "2", f"{SERVICE}.failFast", "leave the quotes out"),
    (f"{SERVICE}.failFast", 0, f"{SERVICE}.failFast", "0 is too small; use at least 1"),
    (f"{SERVICE}.failFast", True, f"{SERVICE}.failFast", "but must be a whole number"),
    (f"{SERVICE}.name", "scr-web-staging", f"{STAGING}.waves.2.services.0.name", "already listed at"),
    (f"{SERVICE}.baseTaskDefinition", "ssm:path", f"{SERVICE}.baseTaskDefinition", "write ssm:/path/of/the/parameter"),
    (f"{STAGING}.cluster", " ", f"{STAGING}.cluster", "must not be empty"),
    (f"{STAGING}.waves", None, f"{STAGING}.waves", "must be a list"),
    (f"{STAGING}.waves", [], f"{STAGING}.waves", "must not be empty"),
    (f"{STAGING}.waves.1.name", "api", f"{STAGING}.waves.1.name", "appears twice"),
    (f"{STAGING}.account", 123456789012, f"{STAGING}.account", "put it in quotes"),
    (f"{STAGING}.region", "Frankfurt", f"{STAGING}.region", "like eu-west-1"),
    (f"{STAGING}.triggers", ["puhs"], f"{STAGING}.triggers.0", "did you mean push?"),
    (f"{STAGING}.triggers", "push", f"{STAGING}.triggers", "write [push]"),
    (f"{STAGING}.triggers", ["push", "push"], f"{STAGING}.triggers.1", "appears twice"),
    (f"{STAGING}.triggers", ["promotion"], f"{STAGING}.promoteFrom", "`promotion` requires the environment"),
    (f"{STAGING}.promoteFrom", "staging", f"{STAGING}.promoteFrom", "forms a cycle (staging → staging)"),
    (f"{STAGING}.promoteFrom", "qa", f"{STAGING}.promoteFrom", "no environment is named 'qa'"),
    (f"{STAGING}.onFailure", "rolback", f"{STAGING}.onFailure", "did you mean rollback?"),
    (f"{STAGING}.notify", ["taem"], f"{STAGING}.notify.0", "known channels: team, ops-mail; did you mean team?"),
    (f"{STAGING}.migration.component", "db", f"{STAGING}.migration.component", "no component is named 'db'"),
    (f"{STAGING}.migration.command", "alembic upgrade head", f"{STAGING}.migration.command", "must be a list"),
    (f"{STAGING}.migration.command", [], f"{STAGING}.migration.command", "must not be empty"),
    (f"{STAGING}.migration.network", Gone, f"{STAGING}.migration.network", "is missing"),
    (f"{STAGING}.migration.network.subnets", 5, f"{STAGING}.migration.network.subnets", "must be a list"),
    (f"{STAGING}.migration.network.subnets", [], f"{STAGING}.migration.network.subnets", "must not be empty"),
    (f"{STAGING}.migration.network.subnets", "subnet-1", f"{STAGING}.migration.network.subnets", "or ssm:/path"),
    (f"{STAGING}.migration.network.subnets", ["a", 3], f"{STAGING}.migration.network.subnets.1", "put it in quotes"),
    (f"{TEST}.timeout", "30s", f"{TEST}.timeout", "30s is too long; use at most 20s"),
    (f"{TEST}.delay", "1d", f"{TEST}.delay", "use at most 10m"),
    (f"{TEST}.path", "health", f"{TEST}.path", "a path starts with /"),
    (f"{TEST}.headers", {"Host": 1}, f"{TEST}.headers.Host", "put it in quotes"),
    (f"{TEST}.headers", {"a b": "x"}, f"{TEST}.headers.a b", "a header name"),
    (f"{TEST}.headers", {"a": "x\ny"}, f"{TEST}.headers.a", "must be one line"),
    (f"{TEST}.expect.status", ["200"], f"{TEST}.expect.status.0", "leave the quotes out"),
    (f"{TEST}.expect.status", [99], f"{TEST}.expect.status.0", "at least 100"),
    (f"{TEST}.expect.json", {"": 1}, f"{TEST}.expect.json", "has an empty path"),
    (f"{TEST}.expect.json", {"n": 2**60}, f"{TEST}.expect.json", "compare something else"),
    (f"{TEST}.expect.json", {"n": float("nan")}, f"{TEST}.expect.json", "not a number"),
    (f"{TEST}.url", "api.example", f"{TEST}.url", "write https://host"),
    (f"{TEST}.url", "https://[x", f"{TEST}.url", "write https://host"),
    (f"{TEST}.url", "https://u:hunter2@x", f"{TEST}.url", "without credentials"),
    (f"{STAGING}.smokeTests.1.name", "api-health", f"{STAGING}.smokeTests.1.name", "appears twice"),
    (f"{STAGING}.movingTags", ["a b"], f"{STAGING}.movingTags.0", "an image tag has"),
    (f"{STAGING}.movingTags", ["-x"], f"{STAGING}.movingTags.0", "an image tag has"),
    (f"{STAGING}.movingTags", ["x" * 129], f"{STAGING}.movingTags.0", "at most 128 letters"),
    (f"{STAGING}.movingTags", ["3f9c2ab"], f"{STAGING}.movingTags.0", "looks like a version"),
    (f"{STAGING}.movingTags", ["v1.2.3"], f"{STAGING}.movingTags.0", "looks like a version"),
    (f"{STAGING}.movingTags", ["staging-current"], f"{STAGING}.movingTags.0", "is maintained by Ferryman"),
    ("spec.channels.team", {"type": "slak"}, "spec.channels.team.type", "did you mean slack?"),
    ("spec.channels.team", {}, "spec.channels.team.type", "write one of: slack, sns, mail"),
    ("spec.channels.team", {"type": "sns"}, "spec.channels.team.topicArn", "is missing: ARN of the topic"),
    ("spec.channels.team", {"type": "sns", "topicArn": "team"}, "spec.channels.team.topicArn", "write arn:aws:sns:"),
    ("spec.channels.ops-mail.to", "a@b", "spec.channels.ops-mail.to", "write [a@b]"),
    ("spec.channels.ops-mail.to", ["ops"], "spec.channels.ops-mail.to", "write name@example.com"),
    ("spec.channels.ops-mail.cc", ["x"], "spec.channels.ops-mail.cc", "known fields: type, from, to"),
    ("spec.environments.staging", ["x"], "spec.environments.staging", "a list, but must be a mapping"),
    ("spec.environments", {1: {}}, "spec.environments.1", "the name 1 is a number; put it in quotes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "where", "told"), FIELDS, ids=[f"{n}-{row[0]}" for n, row in enumerate(FIELDS)]
)
def test_names_the_place_and_what_would_be_right(path: str, value: Any, where: str, told: str) -> None:
    found = problems(edited(**{path: value}))
    assert told in found[where]


JARGON = (
    "constrained",
    "function-",
    "tagged-union",
    "dict_type",
    "pydantic",
    "union",
    "instance of",
    "[key]",
    "should be",
)


def test_no_jargon_anywhere() -> None:
    for path, value, _, _ in FIELDS:
        for where, told in problems(edited(**{path: value})).items():
            assert not [word for word in JARGON if word in where + told], (where, told)


def test_every_problem_is_told_at_once() -> None:
    found = problems(edited(**{f"{SERVICE}.failFast": 0, f"{SERVICE}.timeout": "x", "kind": "x"}))
    assert set(found) == {f"{SERVICE}.failFast", f"{SERVICE}.timeout", "kind"}


def test_a_webhook_in_the_document_is_refused_and_not_repeated() -> None:
    found = problems(edited(**{"spec.channels.chat": {"type": "slack", "webhookSecretArn": HOOK}}))
    assert "store it in Secrets Manager" in found["spec.channels.chat.webhookSecretArn"]
    assert "hunter2" not in str(found)


def test_only_the_documents_own_names_are_fields() -> None:
    found = problems(edited(**{"spec.assemblyTimeout": Gone, "spec.assembly_timeout": "5m"}))
    assert "did you mean assemblyTimeout?" in found["spec.assembly_timeout"]


def test_plain_http_has_to_be_allowed() -> None:
    found = problems(edited(**{f"{TEST}.url": "http://x", f"{TEST}.allowHttp": False}))
    assert "add allowHttp: true" in found[f"{TEST}.url"]


def with_production(**changes: Any) -> dict[str, Any]:
    return edited(**{"spec.environments.production": production(**changes)})


def test_two_environments_promote() -> None:
    assert parse(with_production(triggers=["promotion", "tag", "manual"], promoteFrom="staging"))
    assert parse(with_production(triggers=["manual"]))


def test_push_and_promote_from_contradict_each_other() -> None:
    found = problems(with_production(triggers=["push"], promoteFrom="staging"))
    assert "before 'staging' verified it" in found["spec.environments.production.triggers.0"]


def test_a_circle_of_promotions_is_drawn() -> None:
    document = with_production(triggers=["manual"], promoteFrom="staging")
    document["spec"]["environments"]["staging"] |= {"promoteFrom": "production", "triggers": ["manual"]}
    assert "staging → production → staging" in problems(document)[f"{STAGING}.promoteFrom"]


def test_a_moving_tag_follows_one_environment() -> None:
    found = problems(with_production(triggers=["manual"], movingTags=["staging-latest", "staging-previous"]))
    assert "already follows 'staging'" in found["spec.environments.production.movingTags.0"]
    assert "maintained by Ferryman for 'staging'" in found["spec.environments.production.movingTags.1"]


@pytest.mark.parametrize("data", [None, [], "x", 5, {}, {"spec": {"environments": {"a": {"waves": [[[]]]}}}}])
def test_anything_else(data: Any) -> None:
    assert problems(data)


def test_a_document_that_contains_itself() -> None:
    loop: dict[str, Any] = {}
    loop["a"] = loop
    assert problems(edited(**{f"{TEST}.expect.json": loop}))
    waves: list[Any] = []
    waves.append(waves)
    assert problems(edited(**{f"{STAGING}.waves": waves}))


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=12) | some.sampled_from(
        ["slack", "sns", "push", "ssm:/x", "10m", "api", "v1.2.3"]
    ),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(
        some.text(max_size=6) | some.sampled_from(["type", "name", "waves", "services", "component", "spec", "kind"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(found for key, value in inner for found in places(value, (*path, key)))]


PLACES = places(example())[1:]


@given(VALUES)
def test_arbitrary_data_never_breaks_it(data: Any) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse(data)
    assert caught.value.problems


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(some.lists(some.tuples(some.sampled_from(PLACES), VALUES, some.booleans()), min_size=1, max_size=3))
def test_a_damaged_document_never_breaks_it(damage: list[tuple[tuple[Any, ...], Any, bool]]) -> None:
    document = example()
    for path, value, extra in damage:
        place: Any = document
        for part in path[:-1]:
            try:
                place = place[part]
            except (KeyError, IndexError, TypeError):
                break
        else:
            if extra and isinstance(place, dict):
                place["x" + str(path[-1])] = value
            elif isinstance(place, dict) or (
                isinstance(place, list) and isinstance(path[-1], int) and path[-1] < len(place)
            ):
                place[path[-1]] = value
    try:
        platform = parse(document)
    except InvalidDocument as error:
        found = error.problems
    else:
        assert parse(platform.dump()) == platform
        return
    assert found
    assert not [word for word in JARGON if any(word in told for _, told in found)]


def test_one_channel_whatever_else_is_in_the_document() -> None:
    document = example()
    document["spec"]["environments"] = "from a later version"
    found = channel_of(document, "ops-mail")
    assert isinstance(found, MailChannel)
    assert found.to == ["ops@scr-platform.example"]
    assert channel_of(document, "gone") is None
    assert channel_of({}, "team") is None
    assert channel_of({"spec": {"channels": [1]}}, "team") is None
    document["spec"]["channels"]["team"]["topicArn"] = 5
    with pytest.raises(InvalidDocument) as caught:
        channel_of(document, "team")
    assert caught.value.problems[0][0] == "spec.channels.team.topicArn"


# ── approvers ──

CALLER = "arn:aws:sts::123456789012:assumed-role/Admin/ada@example.com"


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"name": "Ada Lovelace"}, {"name": "ada  LOVELACE"}, "have the same name"),
        ({"name": "Zo\u00eb"}, {"name": "Zoe\u0308"}, "have the same name"),
        ({"email": "ada@example.com"}, {"email": " ADA@Example.com"}, "have the same email"),
        ({"email": "ssm:/ferryman/ada"}, {"email": "ssm:/ferryman/ada"}, "have the same email"),
        ({"slack": "U024BE7LH"}, {"slack": "U024BE7LH"}, "have the same slack"),
        ({"arn": CALLER}, {"arn": CALLER}, "have the same arn"),
    ],
)
def test_one_human_is_one_approver(one: dict[str, str], other: dict[str, str], told: str) -> None:
    first = {"name": "Ada", "email": "a@example.com"} | one
    second = {"name": "Ada L.", "email": "b@example.com"} | other
    policy = {"from": "ferryman@example.com", "required": 2, "approvers": [first, second]}
    found = problems(edited(**{f"{STAGING}.approval": policy}))
    assert told in str(found)
    assert repr(first["name"]) in str(found)
    assert repr(second["name"]) in str(found)


def test_different_people_are_fine() -> None:
    people = [{"name": "Ada", "email": "ssm:/a"}, {"name": "Adam", "email": "ssm:/A"}, {"name": "Zo", "arn": CALLER}]
    assert parse(edited(**{f"{STAGING}.approval": {"from": "x@example.com", "approvers": people}}))


def test_containers_and_additional_components_are_taken() -> None:
    listed = {"containers": ["web", "worker"], "additionalComponents": [{"component": "web", "containers": ["edge"]}]}
    document = example()
    document["spec"]["environments"]["staging"]["waves"][0]["services"][0].update(listed)
    service = parse(document).environment("staging").services[0]
    assert (service.container_name, service.containers) == ("web", ["web", "worker"])
    assert service.components == ["api", "web"]


def test_without_them_a_service_is_what_it_was() -> None:
    service = parse(example()).environment("staging").services[0]
    assert (service.container_name, service.containers, service.components) == ("api", None, ["api"])


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"containers": []}, f"{SERVICE}.containers", "must not be empty"),
        ({"additionalComponents": [{"component": "apii"}]}, f"{SERVICE}.additionalComponents.0.component", "apii"),
        (
            {"additionalComponents": [{"component": "web", "container": "x"}]},
            f"{SERVICE}.additionalComponents.0.container",
            "unknown field",
        ),
    ],
)
def test_what_is_wrong_with_them_is_told(fields: dict[str, Any], path: str, words: str) -> None:
    document = example()
    document["spec"]["environments"]["staging"]["waves"][0]["services"][0].update(fields)
    with pytest.raises(InvalidDocument) as raised:
        parse(document)
    told = dict(raised.value.problems)
    assert words in told[path]
