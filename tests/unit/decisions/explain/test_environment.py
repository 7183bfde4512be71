"""Why an environment runs what it runs, as a table of situations."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from ferryman.decisions.explain.environment import Explanation, current_step, explain
from ferryman.platform import Platform, parse
from ferryman.records import (
    AbortRequest,
    Actor,
    Condition,
    Deployment,
    EnvironmentState,
    Hold,
    Image,
    Phase,
    Release,
    ReleaseStatus,
    Request,
    RolloutProgress,
    Running,
    Settled,
    Verified,
    step_keys,
)
from unit import builders as make

AT = make.AT
NOW = AT + timedelta(minutes=5)
JO = "arn:aws:iam::1:user/jo"


def release(number: int, **changes: Any) -> Release:
    """Release number N, complete; a higher number is newer."""
    at = AT + timedelta(seconds=number)
    return (
        make.release(f"{number:07d}", components=make.images(f"{number:07d}", f"{number:x}"))
        .but(first_seen_at=at, ready_at=at)
        .but(**changes)
    )


def ended(number: int, phase: Phase, **changes: Any) -> Deployment:
    return make.deployment(
        id=f"01K{number:023d}", version=f"{number:07d}", phase=phase, message="It was so.", ended_at=AT, **changes
    )  # fmt: skip


RUNS_ONE = Running(version="0000001", deployment=f"01K{1:023d}", digests={}, at=AT)
ONE = ended(1, Phase.SUCCEEDED)
HOLD = Hold(reason="load test", who=JO, at=AT)
ERRORED = Settled(phase=Phase.ERRORED, reason="X", at=AT, retry_at=NOW + timedelta(minutes=4))
ASKED = Request(version="0000002", kind="retry", reason="", who=JO, at=AT)
BETWEEN = AT + timedelta(seconds=2)
FAILED = Settled(phase=Phase.FAILED, reason="SmokeTestFailed", at=AT)


@pytest.fixture
def document(scr_document: dict[str, Any]) -> Platform:
    return parse(scr_document)


def told(
    document: Platform,
    releases: list[Release],
    deployments: list[Deployment] | None = None,
    now: datetime = NOW,
    **state: Any,
) -> Explanation:
    there: EnvironmentState = make.state(active=None, current=RUNS_ONE).but(**state)
    return explain(document, there, releases, deployments if deployments is not None else [ONE], now)


COMPLETE = ("api", "ai-gateway", "web")


@pytest.mark.parametrize(
    ("releases", "deployments", "state", "summary", "reasons"),
    [
        pytest.param([release(1)], [ONE], {}, "UpToDate", [], id="up-to-date"),
        pytest.param([], [], {"current": None}, "Empty", [], id="nothing-at-all"),
        pytest.param([release(1), release(2)], [ONE], {}, "Waiting", ["Next"], id="about-to-start"),
        pytest.param([release(1), release(2), release(3)], [ONE], {}, "Waiting", ["Next", "Superseded"], id="newest"),
        pytest.param([release(1), release(2)], [ONE], {"hold": HOLD}, "Held", ["Held"], id="held"),
        pytest.param(
            [release(1), release(2)], [ended(2, Phase.FAILED), ONE], {"settled": {"0000002": FAILED}},
            "Settled", ["Settled"], id="settled",
        ),
        pytest.param(
            [release(1), release(2), release(3)], [ended(3, Phase.FAILED), ONE], {"settled": {"0000003": FAILED}},
            "Settled", ["Settled", "Superseded"], id="settled-newest-does-not-bring-the-older-one",
        ),
        pytest.param(
            [release(1), release(2), release(3)], [ended(2, Phase.SUPERSEDED, superseded_by="0000003"), ONE],
            {"settled": {"0000003": FAILED}}, "Settled", ["Settled", "Superseded"], id="superseded",
        ),
        pytest.param(
            [release(1), release(2, verified={"staging": Verified(deployment="D", digests={}, at=AT)})], [ONE], {},
            "Settled", ["Settled"], id="ran-here-and-was-left",
        ),
        pytest.param(
            [release(1), release(2)], [ONE],
            {"settled": {"0000002": ERRORED}},
            "Waiting", ["RetryAfter"], id="errored-is-tried-again",
        ),
        pytest.param(
            [release(1), release(2), release(3)], [ONE],
            {"settled": {"0000002": ERRORED}},
            "Waiting", ["Next", "Settled"], id="errored-and-overtaken-is-not",
        ),
        pytest.param(
            [release(1), release(2, status=ReleaseStatus.ASSEMBLING, ready_at=None)], [ONE], {},
            "Waiting", ["Assembling"], id="waits-for-an-image",
        ),
        pytest.param(
            [release(1), release(2)], [ONE], {"requested": ASKED},
            "Requested", ["Requested"], id="asked-for",
        ),
        pytest.param([release(2), release(1)], [ONE], {"adopted_at": BETWEEN}, "UpToDate", [], id="before-us"),
        pytest.param([release(1), release(2, status=ReleaseStatus.BASELINE)], [ONE], {}, "UpToDate", [], id="baseline"),
        pytest.param([release(0), release(1)], [ONE], {}, "UpToDate", [], id="older-ones-do-not-count"),
        pytest.param(
            [release(1), release(2), release(3)],
            [make.deployment(version="0000002"), ONE], {"active": make.state().active.but(version="0000002")},  # type: ignore[union-attr]
            "Deploying", ["Next", "Deploying"], id="one-under-way-the-next-waits",
        ),
    ],
)  # fmt: skip
def test_situations(
    document: Platform,
    releases: list[Release],
    deployments: list[Deployment],
    state: dict[str, Any],
    summary: str,
    reasons: list[str],
) -> None:
    found = told(document, releases, deployments, **state)

    assert (found.summary, [item.reason for item in found.newer]) == (summary, reasons)
    assert all(sentence.endswith((".", "!", "?")) for sentence in found.sentences)


def test_says_what_runs_since_when_and_by_whom(document: Platform) -> None:
    found = told(document, [release(1)])

    since = "since 2026-01-02 03:04:05 UTC (5m ago)"
    assert found.sentences == [
        f"staging runs 0000001 {since}, deployed by Ferryman (push) (deployment {ONE.id}).",
        "No newer release is known: the environment is up to date.",
    ]
    assert found.headline == "runs 0000001; nothing newer"


def test_says_what_was_found_at_adoption(document: Platform) -> None:
    found = told(document, [], [], current=Running(version=None, deployment=None, digests={}, at=AT))

    assert found.sentences[0] == (
        "staging runs images that belong to no release, as found when the platform was applied, "
        "since 2026-01-02 03:04:05 UTC (5m ago)."
    )


def test_names_the_missing_images_and_what_to_push(document: Platform) -> None:
    found = told(document, [release(1), release(2, status=ReleaseStatus.ASSEMBLING, ready_at=None)])

    assert found.newer[0].missing == ["ai-gateway"]
    assert found.sentences[1] == (
        "0000002 is waiting for images: 2 of 3 pushed, missing ai-gateway (the first was pushed 4m58s ago). "
        "Push scr-ai-gateway:0000002."
    )


def test_names_the_person_who_holds_and_how_to_lift_it(document: Platform) -> None:
    found = told(document, [release(1)], hold=HOLD)

    assert (
        "jo put staging on hold 5m ago: load test. To lift the hold, run `ferryman resume staging -p scr`."
        in found.sentences[1]
    )


def test_names_the_step_under_way_and_an_abort(document: Platform) -> None:
    rollout = RolloutProgress(service="scr-web", direction="forward", desired=2, running=1)
    active = make.deployment(
        version="0000002",
        steps={
            **make.passed(upto=step_keys.rollout("scr-api", "forward")),
            step_keys.rollout("scr-web", "forward"): make.step("Running", rollout=rollout),
        },
        abort=AbortRequest(reason="wrong one", who=JO, at=AT),
    )
    found = told(document, [release(1), release(2)], [active, ONE], active=make.state().active)

    assert found.sentences[1:3] == [
        (
            f"Deployment {active.id} of 0000002 has been Running for 5m, "
            "at rollout of scr-web for 5m, 1 of 2 tasks running."
        ),
        "jo requested an abort 5m ago: wrong one.",
    ]
    assert found.headline == "deploying abc1234 (Running, rollout of scr-web)"


def test_tells_how_the_last_deployment_failed(document: Platform) -> None:
    found = told(document, [release(1)], [ended(2, Phase.ROLLED_BACK), ONE])

    assert found.sentences[-1] == (
        "The last deployment, 01K00000000000000000000002 of 0000002, ended RolledBack 5m ago: It was so."
    )


def test_a_person_is_named_by_the_last_part_of_the_arn(document: Platform) -> None:
    found = told(document, [release(1)], [ONE.but(initiated_by=Actor(who=JO))])

    assert "deployed by jo" in found.sentences[0]


def test_an_environment_without_push_says_so(document: Platform) -> None:
    staging = document.environment("staging").model_copy(update={"triggers": ["manual"]})
    spec = document.spec.model_copy(update={"environments": {"staging": staging}})
    found = told(document.model_copy(update={"spec": spec}), [release(1), release(2)])

    assert (found.summary, found.newer[0].reason) == ("UpToDate", "NoTrigger")


def test_drift_is_told(document: Platform) -> None:
    drifted = Condition(type="Drifted", status="True", reason="BaseChanged", message="See it.", last_transition_time=AT)
    found = told(document, [release(1)], conditions=[drifted])

    assert found.sentences[-1] == "The environment has drifted (BaseChanged): See it."


@pytest.mark.parametrize(
    ("runs", "has", "then"),
    [
        pytest.param("0000001", COMPLETE, "run `ferryman redeploy staging -p scr`", id="a-release-that-has-all"),
        pytest.param(
            "0000001", ("api",), "to see what to do, run `ferryman explain staging -p scr`", id="that-lacks-images"
        ),
        pytest.param(None, (), "push a new release", id="adopted-without-a-version"),
    ],
)
def test_an_environment_whose_worker_runs_another_image_is_not_up_to_date(
    document: Platform, runs: str | None, has: tuple[str, ...], then: str
) -> None:
    drifted = Condition(type="Drifted", status="True", reason="ImagesDiffer", message="No.", last_transition_time=AT)
    images = {name: Image(digest=make.digest("a"), tag="0000001", first_seen_at=AT) for name in has}
    current = RUNS_ONE.but(version=runs, at=NOW)
    releases = [release(1, components=images)] if has else []
    found = told(document, releases, conditions=[drifted], current=current)

    assert found.summary == "ImagesDiffer"
    assert found.headline.endswith(f"but not in every container; {then}")
    assert not any("up to date" in sentence for sentence in found.sentences)


@pytest.mark.parametrize(
    ("done", "step"),
    [
        pytest.param({}, None, id="nothing-began"),
        pytest.param({step_keys.BEGIN: make.step()}, step_keys.BEGIN, id="past-a-step"),
        pytest.param(
            {step_keys.ADMIT: make.step("Running"), step_keys.BEGIN: make.step()}, step_keys.ADMIT, id="in-a-step"
        ),
    ],
)
def test_current_step(done: dict[str, Any], step: str | None) -> None:
    assert current_step(make.deployment(steps=done)) == step
