"""What reaches the operator from the registry: twice, late, never, or nothing that it should act on."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from ferryman.records import EventType, Phase, ReleaseStatus
from flow.place import Place
from flow.stage import Stage

Make = Callable[..., Place]


def delivered(stage: Stage, scr: Place, tag: str, component: str = "api") -> None:
    """Wait until the event of a push has reached receive_push."""
    wanted = scr.pushes(component)
    stage.relay.wait_for(lambda it: wanted(it.event) and it.event["detail"].get("image-tag") == tag, 20)


def test_a_duplicate_event_changes_nothing(shared: Make, stage: Stage) -> None:
    scr = shared()
    doubled = stage.relay.disturb(scr.pushes(), "duplicate")
    version = scr.push()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    assert doubled.hits >= 1
    twice = [it for it in stage.relay.sent if scr.pushes()(it.event) and it.event["detail"]["image-tag"] == version]
    assert len(twice) == 2
    assert len(scr.deployments(version)) == 1
    # And once more, after all is over.
    taken = stage.invocations("ReceivePush")
    stage.relay.emit(twice[0].event)
    stage.until(lambda: stage.invocations("ReceivePush") >= taken + 2, "the event, doubled again")
    stage.sweep()
    assert len(scr.deployments(version)) == 1


def test_a_delayed_event_is_waited_for(shared: Make, stage: Stage) -> None:
    scr = shared(("api", "web"))
    late = stage.relay.disturb(scr.pushes(), "hold")
    version = scr.push()
    scr.until(lambda: late.hits, "the event of api")
    scr.until(lambda: scr.release(version), "the release")
    assert scr.release(version).status is ReleaseStatus.ASSEMBLING
    assert scr.deployments(version) == []
    stage.relay.release(late)
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()


def test_an_older_release_whose_event_comes_late_never_replaces_a_newer_one(shared: Make, stage: Stage) -> None:
    scr = shared()
    late = stage.relay.disturb(scr.pushes(), "hold", times=1)
    older = scr.push()
    scr.until(lambda: late.hits, "the first event")
    # Events tell whole seconds.
    pushed = int(time.time())
    scr.until(lambda: int(time.time()) > pushed, "the next second")
    newer = scr.push()
    assert scr.ended(newer).phase is Phase.SUCCEEDED, scr.tell()
    stage.relay.release(late)
    skipped = scr.ended(older)
    assert (skipped.phase, skipped.superseded_by) == (Phase.SUPERSEDED, newer)
    scr.runs(newer)


def test_a_dropped_event_is_found_by_the_sweep(shared: Make, stage: Stage) -> None:
    scr = shared()
    dropped = stage.relay.disturb(scr.pushes(), "drop")
    version = scr.push()
    scr.until(lambda: dropped.hits, "the event")
    assert scr.release(version) is None
    stage.sweep()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()


def test_an_untagged_push_is_ignored_and_the_index_that_follows_is_deployed(shared: Make, stage: Stage) -> None:
    scr = shared()
    before, ignored = scr.running, stage.metric("PushIgnored")
    scr.push_one("api", "fffffff", None)
    delivered(stage, scr, "")
    stage.until(lambda: stage.metric("PushIgnored") > ignored, "the metric PushIgnored")
    assert scr.release("fffffff") is None
    scr.runs(before)
    # A multi-architecture image: untagged children, then the tagged index.
    version = scr.push(index=True)
    done = scr.ended(version)
    assert done.phase is Phase.SUCCEEDED, scr.tell()
    planned = next(iter(done.plan.services.values()))
    assert planned.digest == scr.digests[version]["api"] != planned.platform_digest
    assert scr.running_digests() == {planned.platform_digest}


def test_a_push_to_a_repository_of_no_platform_is_ignored(stage: Stage, shared: Make) -> None:
    scr = shared()
    unknown = stage.metric("PushUnknownRepository")
    # The rule names no repositories: pushes to all of the account arrive.
    foreign = event("somebody-elses", "1234567")
    stage.relay.emit(foreign)
    stage.until(lambda: stage.metric("PushUnknownRepository") > unknown, "the metric PushUnknownRepository")
    version = scr.push()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    assert [it.attempts for it in stage.relay.sent if it.event["id"] == foreign["id"]] == [1]


@pytest.mark.parametrize(
    ("tag", "metric"),
    [("feature-x", "PushUnknownTag"), ("v1.2.3", None), ("staging-latest", None)],
    ids=["unknown", "semver without a release", "moving"],
)
def test_a_tag_that_names_no_release_starts_nothing(shared: Make, stage: Stage, tag: str, metric: str | None) -> None:
    scr = shared()
    before = scr.running
    counted = stage.metric(metric) if metric else 0
    known = {release.version for release in scr.store.releases(scr.name)}
    scr.push_one("api", tag, tag)
    if metric:
        stage.until(lambda: stage.metric(metric) > counted, f"the metric {metric}")
    elif tag.endswith("-latest"):
        scr.until(lambda: [it for it in stage.relay.seen if it["detail"].get("image-tag") == tag], "the event")
    else:
        delivered(stage, scr, tag)
    stage.sweep()
    assert {release.version for release in scr.store.releases(scr.name)} == known
    assert scr.is_free()
    scr.runs(before)


def test_another_image_under_a_released_tag_is_refused_and_reported(place: Make, stage: Stage) -> None:
    scr = place(notify=["team"])
    version = scr.push()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    other = scr.push_one("api", version, version, OTHER="content")
    assert other != scr.digests[version]["api"]
    release = scr.until(lambda: (r := scr.release(version)) and r.refused and r, "the refusal")
    assert release.refused == {"api": other}
    assert release.digests == scr.digests[version]
    [told] = [line for line in scr.timeline() if line.type is EventType.IMAGE_REFUSED]
    assert other in told.message
    messages = scr.until(lambda: [m for m in stage.messages(scr.name) if other in m.text], "the message")
    scr.until(lambda: scr.store.message(messages[0].owner, messages[0].event, "team").sent_at, "its delivery")
    stage.sweep()
    assert len([line for line in scr.timeline() if line.type is EventType.IMAGE_REFUSED]) == 1, "reported once"
    scr.runs(version)
    assert len(scr.deployments(version)) == 1


def test_a_malformed_event_goes_to_the_dead_letters_and_stops_no_other(shared: Make, stage: Stage) -> None:
    scr = shared()
    malformed = event(scr.spec["components"]["api"]["repository"], "1234567") | {"time": "yesterday"}
    stage.expected_dead_letters.add(malformed["id"])
    stage.relay.emit(malformed)
    version = scr.push()
    assert scr.ended(version).phase is Phase.SUCCEEDED, scr.tell()
    scr.until(lambda: [it for it in stage.dead_letters() if malformed["id"] in it["Body"]], "the dead letter")
    tries = stage.logged(lambda record: record.get("correlation_id") == malformed["id"], times=3)
    assert {record["error"] for record in tries} == {"InvalidInput"}
    assert "time" in tries[0]["message"]


def event(repository: str, tag: str) -> dict[str, Any]:
    """A push event made by hand."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "000000000000",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": repository,
            "image-digest": "sha256:" + "0" * 64,
            "action-type": "PUSH",
            "image-tag": tag,
        },
    }


UNNAMED = {"notify": ["team"], "triggers": ["push", "manual"], "smokeTests": []}
"""Where an image has the tags of several releases, and so cannot tell which one runs."""


def test_a_new_tag_on_old_images_is_reported_and_never_the_newest(shared: Make, stage: Stage) -> None:
    """Whoever may push tags the images of the first release as a new version: the second one stays."""
    scr = shared(("api", "web"), **UNNAMED)
    first = scr.push()
    assert scr.ended(first).phase is Phase.SUCCEEDED, scr.tell()
    second = scr.push()
    assert scr.ended(second).phase is Phase.SUCCEEDED, scr.tell()
    again = scr.version()
    scr.tag(first, again)
    line = scr.until(
        lambda: next((e for e in scr.timeline() if e.type is EventType.WAITING and again in e.message), None),
        "the report",
    )
    assert f"{again} has the same images as {first}, which is older than {second}" in line.message
    assert any(
        again in message.subject for message in scr.stage.messages(scr.name) if message.event.startswith("waiting-")
    )
    stage.sweep()
    assert scr.deployments(again) == []
    scr.runs(second)
    # A person may, and after that it is what people want.
    scr.ask("deploy", release=again, reason="back to it", confirm="DEPLOY")
    assert scr.ended(again).phase is Phase.SUCCEEDED, scr.tell()


def test_one_changed_component_of_a_monorepo_is_a_release_like_any_other(shared: Make, stage: Stage) -> None:
    scr = shared(("api", "web"), **UNNAMED)
    first = scr.push()
    assert scr.ended(first).phase is Phase.SUCCEEDED, scr.tell()
    second = scr.version()
    scr.tag(first, second, ["api"])
    scr.push(second, ["web"])
    assert scr.ended(second).phase is Phase.SUCCEEDED, scr.tell()
    third = scr.version()
    scr.tag(second, third, ["web"])
    scr.push(third, ["api"])
    assert scr.ended(third).phase is Phase.SUCCEEDED, scr.tell()


def test_a_reproducible_build_of_a_docs_only_commit_changes_nothing(shared: Make, stage: Stage) -> None:
    """All its images are those of the newest release: nothing is deployed, nobody is bothered, the next one comes."""
    scr = shared(("api", "web"), **UNNAMED)
    first = scr.push()
    assert scr.ended(first).phase is Phase.SUCCEEDED, scr.tell()
    docs = scr.version()
    scr.tag(first, docs)
    line = scr.until(
        lambda: next((e for e in scr.timeline() if e.type is EventType.WAITING and docs in e.message), None), "the note"
    )
    assert f"{docs} has the same images as {first}, which is running" in line.message
    assert scr.deployments(docs) == []
    assert not [one for one in stage.messages(scr.name) if one.event.startswith(f"waiting-{docs}")]
    following = scr.push()
    assert scr.ended(following).phase is Phase.SUCCEEDED, scr.tell()
