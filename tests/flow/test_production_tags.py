"""Semver tags and promotion: which release may start, when, and with which bytes."""

from ferryman.records import EventType, Phase, StepStatus, step_keys
from flow.production import Make, Production
from flow.stage import Stage


def bound(prod: Production, version: str, name: str) -> None:
    """Wait until a release carries a name."""
    prod.until(lambda: (release := prod.release(version)) and name in release.names, f"{version} to be {name}")


def test_a_tag_that_comes_before_staging_has_decided_waits_for_it(reused: Make, stage: Stage) -> None:
    prod = reused()
    gate = prod.gate()
    version = prod.push(GATE=str(gate))
    prod.staging.claimed(version)
    name = prod.name_it(version)
    bound(prod, version, name)
    stage.sweep()
    assert prod.deployments(version) == []
    assert "staging" in str(prod.api.get(prod.path("explain"))), "explain says what it waits for"
    gate.touch()
    assert prod.staging.ended(version).phase is Phase.SUCCEEDED, prod.staging.tell()
    deployment = prod.asked(version)
    assert deployment.tag == name
    prod.approve(deployment)
    assert prod.ended(version).phase is Phase.SUCCEEDED, prod.tell()
    prod.runs(version)


def test_a_tag_on_a_release_that_staging_failed_is_refused_and_told(production: Make, stage: Stage) -> None:
    prod = production(notify=["team"])
    version = prod.push(CRASH="1")
    assert prod.staging.ended(version).phase is Phase.ROLLED_BACK, prod.staging.tell()
    name = prod.name_it(version)
    bound(prod, version, name)
    stage.sweep()
    message = prod.until(
        lambda: next((m for m in prod.messages() if m.environment == "production" and name in m.text), None),
        "a message that refuses the tag",
    )
    assert version in message.text
    assert "staging" in message.text
    assert [item for item in prod.deployments(version) if item.phase in (Phase.AWAITING_APPROVAL, Phase.RUNNING)] == []
    kinds = [event.type for event in prod.timeline()]
    assert EventType.TAG_REFUSED in kinds, kinds
    prod.runs("bootstrap")
    before = len(prod.messages())
    stage.sweep()
    stage.sweep()
    assert len(prod.messages()) == before, "told once"


def test_a_tag_on_components_of_different_releases_is_refused_and_told(production: Make, stage: Stage) -> None:
    prod = production(("api", "web"), notify=["team"])
    first, second = prod.verified(), prod.verified()
    name = "v7.0.0"
    prod.tag(first, name, ("api",))
    prod.tag(second, name, ("web",))
    stage.sweep()
    message = prod.until(
        lambda: next((m for m in prod.messages() if name in m.text or name in m.subject), None), "a refusal"
    )
    assert first in message.text
    assert second in message.text
    known = prod.store.semver_name(prod.name, name)
    assert known is not None
    assert known.status == "Refused"
    assert prod.deployments() == []
    prod.runs("bootstrap")


def test_a_tag_on_some_of_the_components_waits_for_the_rest(reused: Make, stage: Stage) -> None:
    prod = reused(("api", "web"))
    version = prod.verified()
    prod.tag(version, "v8.0.0", ("api",))
    prod.until(lambda: prod.store.semver_name(prod.name, "v8.0.0"), "the name to be known")
    stage.sweep()
    assert prod.deployments(version) == []
    prod.tag(version, "v8.0.0", ("web",))
    assert prod.asked(version).tag == "v8.0.0"


def test_an_index_is_promoted_as_it_is(production: Make) -> None:
    prod = production()
    version = prod.verified(index=True)
    prod.name_it(version)
    deployment = prod.asked(version)
    prod.approve(deployment)
    done = prod.ended(version)
    assert done.phase is Phase.SUCCEEDED, prod.tell()
    assert prod.digest_of("api", "production-latest") == prod.digests[version]["api"]
    (child,) = prod.running_digests()
    assert child != prod.digests[version]["api"]
    assert prod.staging.running_digests() == {child}


def test_a_moving_tag_that_may_not_move_stops_before_anything_changes(production: Make, stage: Stage) -> None:
    prod = production(notify=["team"])
    version = prod.verified()
    prod.tag("bootstrap", "production-latest")
    prod.ecr.put_image_tag_mutability(repositoryName=f"{prod.name}-api", imageTagMutability="IMMUTABLE")
    prod.name_it(version)
    prod.approve(prod.asked(version))
    done = prod.ended(version)
    assert done.phase is not Phase.SUCCEEDED, prod.tell()
    step = done.step(step_keys.PROMOTION)
    assert step is not None
    assert step.status in (StepStatus.FAILED, StepStatus.ERRORED), step
    for text in ("production-latest", f"{prod.name}-api"):
        assert text in done.message, done.message
    assert [call for call in prod.calls("UpdateService") if prod.cluster in str(call.arguments)] == []
    prod.runs("bootstrap")
    assert prod.digest_of("api", "production-latest") == prod.digests["bootstrap"]["api"]


def test_other_bytes_under_the_version_tag_stop_before_anything_changes(production: Make, stage: Stage) -> None:
    """Somebody moves the semver tag while people are asked: what they saw is not what it names any more."""
    prod = production(notify=["team"])
    first, second = prod.verified(), prod.verified()
    name = prod.name_it(second)
    deployment = prod.asked(second)
    prod.tag(first, name)
    prod.approve(deployment)
    done = prod.ended(second)
    assert done.phase is not Phase.SUCCEEDED, prod.tell()
    assert name in done.message
    prod.runs("bootstrap")


def test_promotion_asks_without_a_tag_as_soon_as_staging_has_verified(production: Make) -> None:
    prod = production(triggers=["promotion"])
    deployment = prod.asked(prod.verified())
    assert deployment.tag is None
    prod.approve(deployment)
    done = prod.ended(deployment.version)
    assert (done.phase, done.publication) == (Phase.SUCCEEDED, None), prod.tell()
    prod.runs(deployment.version)


def test_own_tags_wake_nothing(reused: Make, stage: Stage) -> None:
    prod = reused()
    version = prod.running_release()
    for tag in ("production-latest", "production-current"):
        prod.until(lambda t=tag: prod.digest_of("api", t) == prod.digests[version]["api"], tag)
    count = len(prod.deployments()) + len(prod.staging.deployments())
    stage.sweep()
    assert len(prod.deployments()) + len(prod.staging.deployments()) == count
