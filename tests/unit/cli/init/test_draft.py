"""What the document says, from answers and from what was seen."""

from typing import Any

import pytest

from ferryman_cli.exits import Stop
from ferryman_cli.init.answers import Answers, parse
from ferryman_cli.init.draft import Draft, DraftEnvironment, LeftOut, draft
from ferryman_cli.init.seen import Container, Registry, Seen, SeenService

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def service(name: str, images: dict[str, str], **more: Any) -> SeenService:
    """An image without a host is the account's."""
    containers = tuple(
        Container(key, image if "." in image.rpartition("/")[0] else f"{HOST}/{image}") for key, image in images.items()
    )
    return SeenService(name, "123456789012", "eu-west-1", f"{name}-family", containers, **more)


def answers(**environment: Any) -> Answers:
    return parse({"platform": "shop", "environments": {"staging": {"cluster": "c", **environment}}})


def of(*services: SeenService, registry: Registry | None = None) -> Seen:
    return Seen({"c": {one.name: one for one in services}}, registry or Registry())


def staging(*services: SeenService, registry: Registry | None = None, **environment: Any) -> DraftEnvironment:
    return draft(answers(**environment), of(*services, registry=registry)).environments["staging"]


@pytest.mark.parametrize(
    ("seen", "fields"),
    [
        (service("s", {"api": "shop-api"}), {"name": "s", "component": "api"}),
        (service("s", {"app": "shop-api:1"}), {"name": "s", "component": "api", "container": "app"}),
        (service("s", {"log": "docker.io/fluent", "api": "shop-api"}), {"name": "s", "component": "api"}),
        (service("s", {"api": "x.io/x", "app": "shop-api"}), {"name": "s", "component": "api", "container": "app"}),
        (service("s", {"web": "shop-api", "w": "shop-api"}), {"name": "s", "component": "api", "container": "web"}),
        (
            service("s", {"proxy": "shop-proxy", "api": "shop-api"}, balanced=("api",)),
            {"name": "s", "component": "api", "additionalComponents": [{"component": "proxy"}]},
        ),
        (
            service("s", {"api": "shop-api", "proxy": "docker.io/x", "nginx": "shop-proxy"}),
            {
                "name": "s",
                "component": "api",
                "additionalComponents": [{"component": "proxy", "containers": ["nginx"]}],
            },
        ),
    ],
    ids=["named-as-component", "other-container", "sidecar", "name-taken", "one-image-twice", "balanced", "proxy"],
)  # fmt: skip
def test_a_service_from_its_containers(seen: SeenService, fields: dict[str, Any]) -> None:
    assert [one.fields for one in staging(seen).services] == [fields]


def test_an_essential_container_comes_before_one_that_may_end() -> None:
    containers = (Container("init", f"{HOST}/shop-init", essential=False), Container("api", f"{HOST}/shop-api"))
    seen = SeenService("s", "123456789012", "eu-west-1", "f", containers)
    assert staging(seen).services[0].fields["component"] == "api"


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("docker.io/library/redis:7", Registry()),
        ("210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop-api", Registry()),
        ("123456789012.dkr.ecr.eu-west-2.amazonaws.com/shop-api", Registry()),
        ("cached/library/redis", Registry(caches=("cached",))),
        ("shop-gone", Registry(frozenset({"shop-api"}))),
    ],
    ids=["public", "other-account", "other-region", "pull-through-cache", "no-repository"],
)
def test_a_service_that_no_push_reaches_is_left_out(image: str, registry: Registry) -> None:
    found = staging(service("api", {"api": "shop-api"}), service("x", {"x": image}), registry=registry)
    assert [one.fields["name"] for one in found.services] == ["api"]
    why = "it runs no image of a repository in this account and region that somebody pushes to"
    assert found.left_out == [LeftOut("x", why)]
    with pytest.raises(Stop, match=r"service x of staging: it runs no image.*component: …"):
        staging(service("x", {"x": image}), registry=registry, services=[{"name": "x"}])


def test_what_could_not_be_read_is_left_out_unless_its_component_is_answered() -> None:
    unread = SeenService("x")
    found = staging(service("api", {"api": "shop-api"}), unread)
    assert found.left_out == [LeftOut("x", "its task definition could not be read")]
    named = [{"name": "x", "component": "api"}, {"name": "api"}]
    found = staging(service("api", {"api": "shop-api"}), unread, services=named)
    assert ([one.fields for one in found.services], found.left_out) == (
        [{"name": "x", "component": "api"}, {"name": "api", "component": "api"}],
        [],
    )


def test_a_component_without_a_repository_is_refused() -> None:
    with pytest.raises(Stop, match=r"service x: nothing tells the repository of component web; add .*web: {repository"):
        staging(SeenService("x"), services=[{"name": "x", "component": "web"}])


def test_what_ferryman_does_not_operate_is_left_out_even_with_its_component() -> None:
    unfit = SeenService("x", unfit="is deployed by CODE_DEPLOY/ROLLING, not by ECS/ROLLING")
    assert staging(service("api", {"api": "shop-api"}), unfit).left_out == [LeftOut("x", unfit.unfit)]
    with pytest.raises(Stop, match=r"service x of staging: is deployed by CODE_DEPLOY/ROLLING.*; leave it out"):
        staging(unfit, services=[{"name": "x", "component": "api"}])


def test_an_answered_component_names_the_repository_that_was_seen() -> None:
    given = answers(services=[{"name": "s", "component": "backend"}, {"name": "t"}])
    found = draft(given, of(service("s", {"app": "shop-api"}), service("t", {"app": "shop-api"})))
    assert found.components == {"backend": "shop-api"}
    assert [one.fields["component"] for one in found.environments["staging"].services] == ["backend", "backend"]


def test_the_only_container_of_a_placeholder_image() -> None:
    placeholder = service("s", {"app": "public.ecr.aws/nginx"})
    given = parse(
        {
            "platform": "shop",
            "components": {"api": {"repository": "shop-api"}},
            "environments": {"staging": {"cluster": "c", "services": [{"name": "s", "component": "api"}]}},
        }
    )
    found = draft(given, of(placeholder))
    assert found.environments["staging"].services[0].fields == {"name": "s", "component": "api", "container": "app"}


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Seen(), "the services of cluster c could not be read"),
        (Seen({"c": {}}), "cluster c has no service"),
        (Seen({"c": {"x": SeenService("x")}}), "x: its task definition could not be read"),
    ],
)
def test_an_environment_without_a_service_is_refused_with_what_to_answer(seen: Seen, why: str) -> None:
    with pytest.raises(Stop) as stop:
        draft(answers(), seen)
    assert str(stop.value).startswith(f"staging would have no service ({why}). Name its services in a file")


def several(**environments: dict[str, Any]) -> Draft:
    given = parse({"platform": "shop", "environments": environments})
    seen = {one.cluster: {"s": service(f"{name}-s", {"api": "shop-api"})} for name, one in given.environments.items()}
    return draft(given, Seen({cluster: {s.name: s for s in found.values()} for cluster, found in seen.items()}))


APPROVAL = {"approvers": [{"name": "Ada", "slack": "U024BE7LH"}]}


@pytest.mark.parametrize(
    ("given", "source", "triggers"),
    [
        ({}, "staging", ["manual"]),
        ({"approval": APPROVAL}, "staging", ["tag", "manual"]),
        ({"triggers": ["promotion"]}, "staging", ["promotion"]),
        ({"promoteFrom": None}, None, ["push"]),
        ({"triggers": ["push"]}, None, ["push"]),
    ],
)
def test_promotion_and_triggers(given: dict[str, Any], source: str | None, triggers: list[str]) -> None:
    found = several(staging={"cluster": "a"}, production={"cluster": "b", **given}).environments
    assert (found["staging"].promote_from, found["staging"].triggers) == (None, ["push"])
    assert (found["production"].promote_from, found["production"].triggers) == (source, triggers)
    assert found["production"].approval == given.get("approval")


@pytest.mark.parametrize("other", ["c", "arn:aws:ecs:eu-west-1:123456789012:cluster/c"])
def test_the_services_of_a_shared_cluster_have_to_be_named(other: str) -> None:
    with pytest.raises(Stop, match="staging and production are both in cluster c"):
        several(staging={"cluster": "c", "services": [{"name": "s"}]}, production={"cluster": other})


def test_tags_that_the_default_pattern_ignores_are_told() -> None:
    images = {"a": "shop-a:v1.2.3", "b": "shop-b:3f9c2ab", "c": "shop-c@sha256:1", "d": "docker.io/x:9"}
    assert draft(answers(), of(service("s", images))).other_tags == ["v1.2.3"]
    own = parse({"platform": "shop", "tagPattern": "(?P<version>.+)", "environments": {"staging": {"cluster": "c"}}})
    assert draft(own, of(service("s", images))).other_tags == []
