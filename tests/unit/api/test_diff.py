"""What a deployment would change, told before anything does: images, fields, migrations, and what stands in the way."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.api.diff_fields import changes
from ferryman.api.views.live_services import Definitions
from ferryman.decisions.schema_compatibility import MIGRATIONS, UNSAFE, ImageLabels
from ferryman.platform import parse
from ferryman.records import EnvironmentState, Freeze, Hold, Image, Release, Running, Target, Verified
from ferryman.store.table import Store
from unit import builders as make
from unit.api_world import KIM, World
from unit.fakes.clock import FakeClock, FakeIds

OLD, RUNS, NEW = "aaa1234", "bbb1234", "ccc1234"
LETTERS = {OLD: "a", RUNS: "b", NEW: "c"}
ENV = "production"
COMPONENTS = ("api", "ai-gateway", "web")
PASSWORD = "hunter2-hunter2"


def definition(name: str, image: str, revision: int = 7, **more: Any) -> dict[str, Any]:
    container = {
        "name": name,
        "image": image,
        "cpu": 256,
        "environment": [{"name": "DB_URL", "value": f"postgres://x:{PASSWORD}@db"}, {"name": "MODE", "value": "prod"}],
        "command": ["serve", "--token", PASSWORD],
        "portMappings": [{"containerPort": 8000, "protocol": "tcp"}],
    }
    return {
        "taskDefinitionArn": f"arn:aws:ecs:eu-west-1:123456789012:task-definition/scr-{name}:{revision}",
        "family": f"scr-{name}",
        "revision": revision,
        "status": "ACTIVE",
        "memory": "512",
        "containerDefinitions": [container, {"name": "sidecar", "image": "sidecar:1"}],
        **more,
    }


def image(component: str, version: str) -> str:
    return f"registry.example/scr-{component}@{make.digest(LETTERS[version])}"


def release(version: str, **more: Any) -> Release:
    digest = make.digest(LETTERS[version])
    images = {name: Image(digest=digest, tag=version, first_seen_at=make.AT) for name in COMPONENTS}
    proof = Verified(deployment="x", digests=dict.fromkeys(COMPONENTS, digest), at=make.AT)
    return make.release(
        version, components=images, verified={"staging": proof},
        first_seen_at=make.AT + timedelta(hours="abc".index(version[0])),
    ).but(**more)  # fmt: skip


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    world.put(release(OLD, names=["v1.0.0"]), release(RUNS), release(NEW))
    running(world)
    for component in COMPONENTS:
        live, base = definition(component, image(component, RUNS)), definition(component, f"scr-{component}:base", 3)
        addresses = {component: f"registry.example/scr-{component}"}
        world.outside.definitions[f"scr-{component}-production"] = Definitions(live, base, addresses)
    return world


def running(world: World, **changes: Any) -> None:
    digests = dict.fromkeys(COMPONENTS, make.digest("b"))
    before = world.store.state("scr", ENV)
    made = EnvironmentState(
        platform="scr",
        environment=ENV,
        current=Running(version=RUNS, deployment="x", digests=digests, at=make.AT),
        previous=Target(version=OLD, deployment="y"),
        rev=before.rev,
    )
    world.put(made.but(**changes))


def diff(world: World, version: str = NEW) -> dict[str, Any]:
    status, body = world.call("GET", f"/v1/platforms/scr/environments/{ENV}/diff", release=version)
    assert status == 200, body
    return body


def test_images_now_and_then(world: World) -> None:
    found = diff(world)

    assert (found["release"], found["runs"], found["direction"], found["changes"]) == (NEW, RUNS, "deploy", True)
    assert found["components"][0] == {
        "component": "api", "before": make.digest("b"), "after": make.digest("c"), "changed": True
    }  # fmt: skip
    assert found["movingTags"] == ["production-latest", "production-current"]
    assert (found["approvers"], found["required"]) == (["Ada Lovelace", "Grace Hopper"], 1)


def test_only_fields_that_change(world: World) -> None:
    service = diff(world)["services"][0]

    assert (service["service"], service["taskDefinition"]) == ("scr-api-production", "scr-api:7")
    assert service["fields"] == [
        {"field": "containerDefinitions.api.image", "before": image("api", RUNS), "after": image("api", NEW)}
    ]


def test_jobs_show_what_would_change(world: World, scr_document: dict[str, Any]) -> None:
    waves = scr_document["spec"]["environments"][ENV]["waves"]
    waves[-1]["jobs"] = [
        {"name": "report", "component": "api", "schedule": "nightly"},
        {"name": "upload", "component": "api", "rule": "uploads"},
    ]
    applied = world.store.find_platform("scr")
    assert applied is not None
    world.put(applied.but(document=scr_document))
    live = definition("api", image("api", RUNS), 9)
    world.outside.definitions["job/report"] = Definitions(live, live, {"api": "registry.example/scr-api"})
    report, upload = diff(world)["jobs"]

    assert (report["service"], report["taskDefinition"]) == ("job/report", "scr-api:9")
    assert [field["field"] for field in report["fields"]] == ["containerDefinitions.api.image"]
    assert "cannot be read" in upload["note"]


def test_a_changed_base_shows(world: World) -> None:
    base = definition("api", "x", 4, memory="1024", tags=[{"key": "team", "value": "scr"}])
    base["containerDefinitions"][0]["environment"][0]["value"] = "postgres://y"
    base["containerDefinitions"][0]["environment"].append({"name": "NEW", "value": PASSWORD})
    world.outside.definitions["scr-api-production"] = Definitions(
        definition("api", image("api", RUNS)), base, {"api": "registry.example/scr-api"}
    )

    assert diff(world, RUNS)["services"][0]["fields"] == [
        {"field": "containerDefinitions.api.environment.DB_URL.value", "before": "(hidden)", "after": "(hidden)"},
        {"field": "containerDefinitions.api.environment.NEW.value", "before": None, "after": "(hidden)"},
        {"field": "memory", "before": "512", "after": "1024"},
        {"field": "tags.team.value", "before": None, "after": "scr"},
    ]


def test_no_secret_ever_shows(world: World) -> None:
    for name in list(world.outside.definitions):
        world.outside.definitions[name] = Definitions(None, definition(name.split("-")[1], "x"), {})

    assert PASSWORD not in str(diff(world))


def test_what_runs_changes_nothing(world: World) -> None:
    found = diff(world, RUNS)

    assert (found["direction"], found["changes"]) == ("same", False)
    assert found["migrations"]["message"] == "no migrations would run"


def test_where_nothing_runs_yet(world: World) -> None:
    running(world, current=None)
    found = diff(world)

    assert (found["direction"], found["runs"]) == ("first", None)
    assert found["components"][0]["before"] is None


def test_names(world: World) -> None:
    assert diff(world, "v1.0.0")["release"] == OLD
    assert diff(world, "ccc1234")["release"] == NEW


def labels(world: World, **ids: str) -> None:
    for letter, text in ids.items():
        marked = [item.rstrip("!") for item in text.split(",") if item.endswith("!")]
        found = {MIGRATIONS: text.replace("!", ""), UNSAFE: ",".join(marked)}
        world.outside.image_labels[make.digest(letter)] = ImageLabels(found)


def test_migrations_that_would_run(world: World) -> None:
    labels(world, b="1", c="1,2,3!")

    assert diff(world)["migrations"] == {
        "status": "Known", "ids": ["2", "3"], "unsafe": ["3"],
        "message": "it would run 2, 3; 3 is not rollback-safe",
    }  # fmt: skip


def test_going_back_shows_what_stays_in_the_database(world: World) -> None:
    labels(world, a="1", b="1,2!")
    found = diff(world, OLD)

    assert (found["direction"], found["approvers"]) == ("rollback", [])
    assert (found["migrations"]["ids"], found["migrations"]["unsafe"]) == (["2"], ["2"])
    assert [item["reason"] for item in found["obstacles"]] == ["SchemaMismatch"]


@pytest.mark.parametrize("letters", [{}, {"c": "1"}, {"b": "1"}], ids=["none", "only-new", "only-old"])
def test_images_that_do_not_tell(world: World, letters: dict[str, str]) -> None:
    labels(world, **letters)

    assert diff(world)["migrations"]["status"] in ("Untold", "Unclear")


@pytest.mark.parametrize(
    ("standing", "version", "reasons"),
    [
        pytest.param({}, NEW, [], id="nothing"),
        pytest.param({"hold": Hold(reason="x", who=KIM, at=make.AT)}, NEW, ["Held"], id="held"),
        pytest.param({"freeze": Freeze(reason="x", who=KIM, at=make.AT)}, NEW, ["Frozen"], id="frozen"),
        pytest.param({"hold": Hold(reason="x", who=KIM, at=make.AT)}, OLD, [], id="a-hold-is-no-obstacle-to-go-back"),
        pytest.param({}, "ddd1234", ["WaitsForSource"], id="not-verified"),
    ],
)
def test_what_stands_in_the_way(world: World, standing: dict[str, Any], version: str, reasons: list[str]) -> None:
    world.put(release(NEW).but(version="ddd1234", verified={}))
    running(world, **standing)

    assert [item["reason"] for item in diff(world, version)["obstacles"]] == reasons


def test_what_is_under_way(world: World) -> None:
    active = make.state().active
    world.put(make.deployment(environment=ENV))
    running(world, active=active)

    assert diff(world)["obstacles"][0]["reason"] == "UnderWay"


@pytest.mark.parametrize(
    ("found", "note"),
    [
        pytest.param(None, "cannot be read", id="no-service"),
        pytest.param(Definitions(None, None, {}), "cannot be read", id="no-base"),
        pytest.param(
            Definitions(None, definition("other", "x"), {"api": "r/x"}), "has no container 'api'", id="container"
        ),
    ],
)
def test_what_cannot_be_told_is_said(world: World, found: Definitions | None, note: str) -> None:
    world.outside.definitions = {} if found is None else {"scr-api-production": found}
    world.outside.unread = ["there is no service scr-api-production"]
    answer = diff(world)

    assert note in answer["services"][0]["note"]
    assert answer["unread"] == ["there is no service scr-api-production"]


def test_a_component_that_the_release_lacks_is_left_alone(world: World) -> None:
    known = world.store.release("scr", NEW)
    assert known is not None
    world.put(known.but(components={"api": known.components["api"]}))
    found = diff(world)

    assert [item["changed"] for item in found["components"]] == [True, False, False]
    assert "unchanged" in found["services"][2]["note"]


@pytest.mark.parametrize(("query", "status"), [({}, 400), ({"release": " "}, 400), ({"release": "0000000"}, 404)])
def test_releases_that_do_not_do(world: World, query: dict[str, str], status: int) -> None:
    assert world.call("GET", f"/v1/platforms/scr/environments/{ENV}/diff", **query)[0] == status


def test_nothing_is_written(world: World) -> None:
    before = (world.store.state("scr", ENV), world.timeline(f"scr#{ENV}"))
    diff(world)

    assert (world.store.state("scr", ENV), world.timeline(f"scr#{ENV}")) == before
    assert (world.outside.nudged, world.outside.woken) == ([], [])


def test_an_outage_is_told_as_one(world: World) -> None:
    world.outside.down = True

    assert world.call("GET", f"/v1/platforms/scr/environments/{ENV}/diff", release=NEW)[0] == 503


def test_order_and_empty_fields_are_no_change() -> None:
    one = definition("api", "x", requiresCompatibilities=["EC2", "FARGATE"], volumes=[])
    other = definition("api", "x", 9, requiresCompatibilities=["FARGATE", "EC2"], placementConstraints=[])
    other["containerDefinitions"][0]["environment"].reverse()

    assert changes(one, other) == []


def with_others(world: World, document: dict[str, Any], **fields: Any) -> None:
    """The first service's task definition has a worker of its image, and `edge` of another component's."""
    service = document["spec"]["environments"][ENV]["waves"][0]["services"][0]
    service.update(fields)
    if fields:
        world.put(world.store.platform("scr").but(document=parse(document).dump()))
    addresses = {name: f"registry.example/scr-{name}" for name in COMPONENTS}
    others = [
        {"name": "worker", "image": "registry.example/scr-api:base"},
        {"name": "edge", "image": image("web", RUNS)},
    ]
    found = definition("api", image("api", RUNS))
    found = {**found, "containerDefinitions": [*found["containerDefinitions"], *others]}
    world.outside.definitions[service["name"]] = Definitions(found, found, addresses)


def test_each_container_that_would_change_is_told(world: World, scr_document: dict[str, Any]) -> None:
    with_others(world, scr_document)
    service = diff(world)["services"][0]
    assert service["containers"] == ["api", "worker"]
    assert [item["field"] for item in service["fields"]] == [
        "containerDefinitions.api.image",
        "containerDefinitions.worker.image",
    ]


def test_an_additional_component_is_told_with_its_container(world: World, scr_document: dict[str, Any]) -> None:
    with_others(world, scr_document, additionalComponents=[{"component": "web"}])
    service = diff(world)["services"][0]
    assert service["containers"] == ["api", "worker", "edge"]
    assert [item["after"] for item in service["fields"]][1] == image("web", NEW)


def test_an_additional_component_that_the_release_lacks_keeps_what_runs(
    world: World, scr_document: dict[str, Any]
) -> None:
    with_others(world, scr_document, additionalComponents=[{"component": "web"}])
    stored = world.store.release("scr", NEW)
    assert stored is not None
    world.put(stored.but(components={"api": stored.components["api"]}))
    service = diff(world)["services"][0]
    assert service["note"] == "the release has no image of web: it stays as it is"
    assert service["containers"] == ["api", "worker"]


def several(world: World) -> None:
    """Production has two databases, whose migrations are in the API's image."""
    applied = world.store.platform("scr")
    environments = applied.document["spec"]["environments"]
    production = dict(environments[ENV])
    one = production.pop("migration")
    production["migrations"] = [{**one, "name": "orders"}, {**one, "name": "stock"}]
    spec = {**applied.document["spec"], "environments": {**environments, ENV: production}}
    world.put(applied.but(document={**applied.document, "spec": spec}))


def test_each_of_several_databases_is_told(world: World) -> None:
    several(world)
    new = ImageLabels({f"{MIGRATIONS}.orders": "1,2", f"{MIGRATIONS}.orders.not-rollback-safe": "2"})
    world.outside.image_labels = {
        make.digest("b"): ImageLabels({f"{MIGRATIONS}.orders": "1"}), make.digest("c"): new
    }  # fmt: skip

    found = diff(world)

    orders, stock = found["databases"]["orders"], found["databases"]["stock"]
    assert (orders["status"], orders["ids"], orders["unsafe"]) == ("Known", ["2"], ["2"])
    assert (stock["status"], stock["ids"]) == ("Untold", [])
    together = found["migrations"]
    assert (together["status"], together["ids"], together["unsafe"]) == ("Untold", ["orders/2"], ["orders/2"])
    assert "orders: it would run 2" in together["message"]
    assert "stock: the image does not list" in together["message"]


def test_one_database_that_an_older_release_cannot_run_with_is_an_obstacle(world: World) -> None:
    several(world)
    new = ImageLabels({f"{MIGRATIONS}.stock": "1,2", f"{MIGRATIONS}.stock.not-rollback-safe": "2"})
    world.outside.image_labels = {
        make.digest("a"): ImageLabels({f"{MIGRATIONS}.stock": "1"}), make.digest("b"): new
    }  # fmt: skip

    found = diff(world, OLD)

    assert [item["reason"] for item in found["obstacles"]] == ["SchemaMismatch"]
    assert found["migrations"]["unsafe"] == ["stock/2"]


def test_without_names_there_is_one_database(world: World) -> None:
    assert diff(world)["databases"] == {}


def test_a_service_moves_for_an_additional_component_although_the_release_lacks_its_own(
    world: World, scr_document: dict[str, Any]
) -> None:
    with_others(world, scr_document, additionalComponents=[{"component": "web"}])
    stored = world.store.release("scr", NEW)
    assert stored is not None
    world.put(stored.but(components={"web": stored.components["web"]}))
    service = diff(world)["services"][0]
    assert service["note"] == "the release has no image of api: it stays as it is"
    assert service["containers"] == ["edge"]
    assert [item["field"] for item in service["fields"]] == ["containerDefinitions.edge.image"]
