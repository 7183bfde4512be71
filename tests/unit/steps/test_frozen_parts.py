"""Images and base revisions of a frozen plan, as they stand before it is carried out."""

from datetime import timedelta
from typing import Any

from ferryman.records import PlannedImage
from ferryman.steps import frozen_parts
from unit import builders as make
from unit.approving import BaseDefinitions, deployment
from unit.fakes.ecr import FakeEcr

PLAN = make.plan(approval=True)


def look(ecs: Any, ecr: Any = None, **plan: Any) -> frozen_parts.FrozenParts:
    return frozen_parts.look(deployment(plan=PLAN.but(**plan)), ecs=ecs, ecr=ecr or FakeEcr("scr-api", "scr-web"))


def test_all_there() -> None:
    ecr = FakeEcr("scr-api")
    digest = ecr.push("scr-api", "v1", "api")
    one = make.planned("scr-api", digest=digest)
    assert look(BaseDefinitions(), ecr, services={"scr-api": one}, repositories={"api": "scr-api"}).gone == []


def test_additional_images_and_migrations_count_too() -> None:
    image = PlannedImage(component="web", containers=["web"], image="x", digest=make.digest("c"))
    one = make.planned("scr-api", digest="", additional=[image])
    found = look(
        BaseDefinitions(), services={"scr-api": one}, migration=make.migration(),
        repositories={"api": "scr-api", "web": "scr-web"},
    )  # fmt: skip
    assert found.gone == [
        "image cccccccccccc of web is no longer in scr-web",
        "image aaaaaaaaaaaa of api is no longer in scr-api",
    ]


def test_a_service_that_is_left_alone_needs_no_base() -> None:
    ecs = BaseDefinitions()
    ecs.gone = {make.definition("scr-api", 1)}
    one = make.planned("scr-api", skip="NotInRelease", digest="")
    assert look(ecs, services={"scr-api": one}) == frozen_parts.FrozenParts([], [])


def test_only_what_was_registered_since_is_later() -> None:
    ecs = BaseDefinitions()
    for name, at in (("scr-api", make.AT), ("scr-web", make.AT - timedelta(seconds=1))):
        ecs.newer[name] = {"taskDefinitionArn": make.definition(name, 2), "family": name, "registeredAt": at}
    assert look(ecs).later == ["task definition scr-api:2"]
