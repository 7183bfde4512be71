"""Which events a change stands for: tables over the relay's pure diffs."""

from typing import Any

import pytest

from ferryman_local.relay import deployments, images, tasks
from ferryman_local.relay.images import Image
from ferryman_local.relay.inputs import payload
from ferryman_local.relay.reads import ReadError, Reads
from ferryman_local.relay.watch import Watcher

SERVICE = "arn:aws:ecs:eu-west-1:111122223333:service/staging/web"


def registry(*pictures: Image) -> dict[str, Image]:
    return {image.digest: image for image in pictures}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(registry(), registry(Image("d1", ("a",))), [("PUSH", "d1", "a")], id="push"),
        pytest.param(
            registry(), registry(Image("d1", ("a", "b"))), [("PUSH", "d1", "a"), ("PUSH", "d1", "b")], id="two-tags"
        ),
        pytest.param(
            registry(),
            registry(Image("child", ()), Image("index", ("a",))),
            [("PUSH", "child", ""), ("PUSH", "index", "a")],
            id="untagged-child-then-index",
        ),
        pytest.param(
            registry(Image("d1", ("sha", "latest")), Image("d2", ("sha2",))),
            registry(Image("d1", ("sha",)), Image("d2", ("sha2", "latest"))),
            [("PUSH", "d2", "latest")],
            id="retag-pushes-and-deletes-nothing",
        ),
        pytest.param(
            registry(Image("d1", ("a",))),
            registry(Image("d1", ()), Image("d2", ("a",))),
            [("PUSH", "d2", "a")],
            id="a-digest-that-lost-its-tag-is-silent",
        ),
        pytest.param(
            registry(Image("d1", ("a", "b")), Image("d2", ())),
            registry(),
            [("DELETE", "d1", "a"), ("DELETE", "d1", "b"), ("DELETE", "d2", "")],
            id="delete",
        ),
        pytest.param(registry(Image("d1", ("a",))), registry(Image("d1", ("a",))), [], id="nothing"),
    ],
)
def test_images(before: dict[str, Image], after: dict[str, Image], expected: list[tuple[str, str, str]]) -> None:
    found = images.changes("scr-api", before, after)

    told = [(c.detail["action-type"], c.detail["image-digest"], c.detail["image-tag"]) for c in found]
    assert told == expected
    assert all(c.detail["repository-name"] == "scr-api" and c.resources == () for c in found)


def service(*rows: str) -> dict[str, deployments.Deployment]:
    """Rows of 'id status rolloutState', newest first, as DescribeServices answers."""
    raw = [dict(zip(("id", "status", "rolloutState"), row.split(), strict=True)) for row in rows]
    return deployments.deployments_of({"deployments": raw})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            service("old PRIMARY COMPLETED"),
            service("new PRIMARY IN_PROGRESS", "old ACTIVE COMPLETED"),
            ["new IN_PROGRESS"],
            id="start",
        ),
        pytest.param(
            service("new PRIMARY IN_PROGRESS", "old ACTIVE COMPLETED"),
            service("new PRIMARY COMPLETED"),
            ["new COMPLETED"],
            id="completed",
        ),
        pytest.param(
            service("old PRIMARY COMPLETED"),
            service("new PRIMARY COMPLETED"),
            ["new IN_PROGRESS", "new COMPLETED"],
            id="whole-rollout-between-two-looks",
        ),
        pytest.param(
            service("new PRIMARY IN_PROGRESS", "old ACTIVE COMPLETED"),
            service("new ACTIVE FAILED", "old PRIMARY IN_PROGRESS"),
            ["new FAILED", "old IN_PROGRESS"],
            id="breaker-fails-then-rolls-back",
        ),
        pytest.param(
            service("new ACTIVE FAILED", "old PRIMARY IN_PROGRESS"),
            service("new ACTIVE FAILED", "old PRIMARY COMPLETED"),
            ["old COMPLETED"],
            id="rollback-completed",
        ),
        pytest.param(
            service("new PRIMARY IN_PROGRESS", "old ACTIVE COMPLETED"),
            service("new ACTIVE FAILED", "old PRIMARY COMPLETED"),
            ["new FAILED", "old IN_PROGRESS", "old COMPLETED"],
            id="whole-rollback-between-two-looks",
        ),
        pytest.param(
            service("b PRIMARY IN_PROGRESS", "a ACTIVE IN_PROGRESS"),
            service("b PRIMARY IN_PROGRESS"),
            [],
            id="superseded-deployment-goes-silently",
        ),
    ],
)
def test_deployments(
    before: dict[str, deployments.Deployment], after: dict[str, deployments.Deployment], expected: list[str]
) -> None:
    found = deployments.changes(SERVICE, before, after)

    told = [f"{c.detail['deploymentId']} {c.detail['eventName'].removeprefix('SERVICE_DEPLOYMENT_')}" for c in found]
    assert told == expected
    assert all(c.resources == (SERVICE,) for c in found)
    assert all((c.detail["eventType"] == "ERROR") == c.detail["eventName"].endswith("FAILED") for c in found)


def test_a_rollback_says_so_in_its_reason() -> None:
    before = service("new PRIMARY IN_PROGRESS", "old ACTIVE COMPLETED")
    after = service("new ACTIVE FAILED", "old PRIMARY IN_PROGRESS")

    reasons = {c.detail["deploymentId"]: c.detail["reason"] for c in deployments.changes(SERVICE, before, after)}

    assert reasons["old"] == "ECS deployment circuit breaker: rolling back to deploymentId old."


def test_a_stopped_task_tells_why_and_a_running_one_does_not() -> None:
    task: dict[str, Any] = {
        "taskArn": "arn:task", "lastStatus": "STOPPED", "desiredStatus": "STOPPED", "version": 5, "stopCode": "X",
        "stoppedReason": "because", "stoppedAt": 1_700_000_000.5, "startedBy": "", "launchType": None,
        "containers": [{"name": "app", "exitCode": 1}],
    }  # fmt: skip

    told = tasks.change(task)

    assert told.resources == ("arn:task",)
    assert told.detail["stopCode"] == "X"
    assert told.detail["stoppedAt"] == "2023-11-14T22:13:20.500Z"
    assert told.detail["containers"] == [{"name": "app", "exitCode": 1}]
    assert "startedBy" not in told.detail
    assert "launchType" not in told.detail
    assert "stopCode" not in tasks.change({**task, "lastStatus": "RUNNING"}).detail


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param({}, '{"id": "1", "time": "t", "detail": {"n": 7, "tags": ["a", "b"], "s": "x"}}', id="event"),
        pytest.param({"Input": '{"fixed": 1}'}, '{"fixed": 1}', id="input"),
        pytest.param({"InputPath": "$.detail.tags[1]"}, '"b"', id="path"),
        pytest.param(
            {"InputPath": "$.nowhere[0]"},
            '{"id": "1", "time": "t", "detail": {"n": 7, "tags": ["a", "b"], "s": "x"}}',
            id="path-to-nothing",
        ),
        pytest.param({"InputPath": "$.detail"}, '{"n": 7, "tags": ["a", "b"], "s": "x"}', id="subtree"),
        pytest.param(
            {
                "InputTransformer": {
                    "InputPathsMap": {"n": "$.detail.n", "s": "$.detail.s", "t": "$.detail.tags", "no": "$.detail.no"},
                    "InputTemplate": '{"n": <n>, "s": <s>, "say": "<s>/<t>", "no": <no>, "by": <aws.events.rule-name>}',
                }
            },
            '{"n": 7, "s": "x", "say": "x/[a, b]", "no": "", "by": "r"}',
            id="transformer",
        ),
        pytest.param(
            {"InputTransformer": {"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": "count <n>"}},
            "count 7",
            id="plain-text",
        ),
    ],
)
def test_inputs(target: dict[str, Any], expected: str) -> None:
    event = {"id": "1", "time": "t", "detail": {"n": 7, "tags": ["a", "b"], "s": "x"}}

    assert payload(event, target, rule_name="r", rule_arn="arn:r") == expected


class FakeReads(Reads):
    """Answers of ECR by repository; an exception is raised instead of answered."""

    def __init__(self, **repositories: list[dict[str, Any]] | Exception) -> None:
        self.repositories = repositories

    def changed(self, service: str, action: str, **arguments: Any) -> list[dict[str, Any]] | None:
        if action == "DescribeRepositories":
            return [{"repositories": [{"repositoryName": name} for name in self.repositories]}]
        if action == "DescribeImages":
            answer = self.repositories[arguments["repositoryName"]]
            if isinstance(answer, Exception):
                raise answer
            return [{"imageDetails": answer}]
        return [{"clusterArns": []}]


def test_what_a_look_found_before_it_failed_is_told_by_the_next() -> None:
    reads = FakeReads(api=[{"imageDigest": "d1", "imageTags": ["v1"]}], web=ReadError("throttled"))
    watcher = Watcher(reads)

    with pytest.raises(ReadError):
        watcher.look()
    reads.repositories["web"] = [{"imageDigest": "d2", "imageTags": ["v1"]}]

    assert [change.detail["repository-name"] for change in watcher.look()] == ["api", "web"]
    assert watcher.look() == []
