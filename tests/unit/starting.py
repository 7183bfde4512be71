"""A production with four releases, and what a person asks of it."""

from datetime import timedelta
from typing import Any

from ferryman.decisions.schema_compatibility import MIGRATIONS, UNSAFE, ImageLabels
from ferryman.records import (
    Active,
    Deployment,
    EnvironmentState,
    Freeze,
    Hold,
    Image,
    Phase,
    Release,
    Running,
    Target,
    Verified,
)
from unit import builders as make
from unit.api_world import JO, KIM, World

A, B, C, D = "aaa1234", "bbb1234", "ccc1234", "ddd1234"
LETTERS = {A: "a", B: "b", C: "c", D: "d"}
ENV = "production"
PLACE = f"/v1/platforms/scr/environments/{ENV}"
ID = "01K00000000000000000000ACT"
HOLD = Hold(reason="load test", who=KIM, at=make.AT)
FREEZE = Freeze(reason="fair", who=KIM, at=make.AT)


def digests(version: str) -> dict[str, str]:
    return {name: make.digest(LETTERS[version]) for name in ("api", "ai-gateway", "web")}


def release(version: str, **changes: Any) -> Release:
    """A release that staging has verified; later letters are newer."""
    hours = "abcd".index(version[0])
    images = {name: Image(digest=d, tag=version, first_seen_at=make.AT) for name, d in digests(version).items()}
    proof = Verified(deployment="x", digests=digests(version), at=make.AT)
    made = make.release(
        version, components=images, first_seen_at=make.AT + timedelta(hours=hours), verified={"staging": proof}
    )
    return made.but(**changes)


def running(version: str | None = C, before: str | None = B, **changes: Any) -> EnvironmentState:
    """Production runs one release, and the one before is known."""
    made = EnvironmentState(
        platform="scr",
        environment=ENV,
        fence=make.FENCE,
        current=Running(version=version, deployment="x", digests=digests(version) if version else {}, at=make.AT),
        last_succeeded=Target(version=version, deployment="x"),
        previous=Target(version=before, deployment="y") if before else None,
    )
    return made.but(**changes)


def deployment(version: str = D, phase: Phase = Phase.RUNNING, **changes: Any) -> Deployment:
    return make.deployment(
        id=ID, environment=ENV, version=version, from_version=C, phase=phase, steps={}, digests=digests(version)
    ).but(**changes)


def claim(version: str = D) -> Active:
    return Active(
        deployment=ID, version=version, fence=make.FENCE, execution_name="x", input="{}", claimed_at=make.AT
    )  # fmt: skip


def change(world: World, **fields: Any) -> None:
    """Change production in the applied document; None takes a field out."""
    applied = world.store.platform("scr")
    production = {**applied.document["spec"]["environments"][ENV], **fields}
    production = {name: value for name, value in production.items() if value is not None}
    environments = {**applied.document["spec"]["environments"], ENV: production}
    world.put(
        applied.but(document={**applied.document, "spec": {**applied.document["spec"], "environments": environments}})
    )


def ask(world: World, what: str, who: str = JO, **body: Any) -> tuple[int, dict[str, Any]]:
    word = {"deploy": "DEPLOY", "rollback": ENV, "migrate": ENV}[what]
    return world.call("POST", f"{PLACE}/{what}", {"confirm": word, **body}, who=who)


def state(world: World) -> EnvironmentState:
    return world.store.state("scr", ENV)


def lines(world: World) -> list[tuple[str, str]]:
    return world.timeline(f"scr#{ENV}")


def refused(world: World, answer: tuple[int, dict[str, Any]], words: str, before: EnvironmentState) -> None:
    """Nothing happened, the reason was told, and the audit knows of it."""
    status, body = answer
    assert (status, words in body["error"]["message"]) == (409, True), body
    assert (state(world), lines(world)) == (before, [("RequestRefused", JO)])
    assert (world.outside.nudged, world.outside.woken, world.store.unsent()) == ([], [], [])


def proven(world: World, *versions: str) -> None:
    """These ran in production before."""
    for version in versions:
        known = world.store.release("scr", version)
        assert known is not None
        proof = Verified(deployment="x", digests=digests(version), at=make.AT)
        world.put(known.but(verified={**known.verified, ENV: proof}))


def told(ids: str | None, unsafe: str = "") -> ImageLabels:
    return ImageLabels({**({MIGRATIONS: ids} if ids is not None else {}), **({UNSAFE: unsafe} if unsafe else {})})


def brings(world: World, **labels: ImageLabels) -> None:
    """Give the images of releases labels, by their letter."""
    world.outside.image_labels = {make.digest(letter): found for letter, found in labels.items()}


GONE = ImageLabels({}, "the image is gone")
ACCEPT, DOWN = {"acceptSchemaMismatch": True}, {"downgrade": True}
