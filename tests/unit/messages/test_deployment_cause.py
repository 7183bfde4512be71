"""The record of a deployment that failed and the message about it name the same cause, whatever came together."""

import itertools
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ferryman.contracts import StepFailure
from ferryman.decisions import deployment_steps
from ferryman.decisions.deployment_report import cause_of
from ferryman.decisions.outcome import judge
from ferryman.messages import deployment as messages
from ferryman.records import (
    Deployment,
    OutboxMessage,
    Phase,
    PlannedCheck,
    PlannedMigration,
    PlannedTag,
    Step,
    StepStatus,
    step_keys,
)
from unit import builders as make

PLAN = make.plan(
    waves=[list(make.SERVICES)],  # In one wave, where two services can fail side by side.
    approval=True,
    promotions=[PlannedTag(component="api", repository="scr-api", digest=make.digest("a"), tag="current")],
    migration=PlannedMigration(
        component="api", container="api", digest="d", image="x", base_task_definition="td", command=["up"],
        timeout_seconds=600, subnets=[], security_groups=[],
    ),
    checks=[PlannedCheck(name="web", url="https://x", status=[200], attempts=1, delay_seconds=1, timeout_seconds=1)],
)  # fmt: skip
KEYS = [found.key for found in deployment_steps.flow(make.deployment(plan=PLAN, steps={}))]
BACK = {step_keys.rollout(name, "back"): make.rollout(name, direction="back") for name in make.SERVICES}
FAILURE = StepFailure(error="ValueError", cause="no", step="watch_rollout")


def step(key: str, status: StepStatus, minutes: int) -> Step:
    """A step whose reason and message say whose they are; one that passed has nothing to say."""
    said = {} if status.passed else {"reason": f"ReasonOf {key}", "message": f"message of {key}."}
    service = deployment_steps.service_of(key)
    made = make.step(str(status), **said) if service is None else make.rollout(service, str(status), **said)
    return made.but(started_at=make.AT + timedelta(minutes=minutes))


def recorded(first: str, second: str) -> Iterator[dict[str, Step]]:
    """Every pair of statuses of two steps, of which either began first; all others passed."""
    passed = {key: step(key, StepStatus.SUCCEEDED, 0) for key in KEYS if key not in (first, second)}
    for one, two, minutes in itertools.product([None, *StepStatus], [None, *StepStatus], (-1, 1)):
        found = {first: (one, 0), second: (two, minutes)}
        yield passed | {key: step(key, status, at) for key, (status, at) in found.items() if status is not None}


def message(deployment: Deployment) -> str:
    [row] = messages.for_outcome(deployment, ["team"], make.AT)
    return str(row.record.text)  # type: ignore[union-attr]


@pytest.mark.parametrize("failure", [None, FAILURE])
@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(KEYS, 2)))
def test_the_record_and_the_message_name_the_same_step(first: str, second: str, failure: StepFailure | None) -> None:
    for steps in recorded(first, second):
        well = failure is None and len(steps) == len(KEYS) and all(found.status.passed for found in steps.values())
        ran = make.deployment(plan=PLAN, steps=steps if well else steps | BACK)
        judged, cause = judge(ran, failure), cause_of(ran)
        assert (judged.phase is Phase.SUCCEEDED) == well, steps
        if well:
            continue
        in_record = [key for key in KEYS if f"message of {key}." in judged.message]
        ended = ran.but(phase=judged.phase, reason=judged.reason, message=judged.message)
        in_message = [line for line in message(ended).splitlines() if line.startswith("What failed: ")]
        if cause is None:
            assert (in_record, in_message) == ([], []), steps
            continue
        assert in_message == [f"What failed: {cause.title} ({cause.step.reason})"], steps
        if cause.step.status is StepStatus.RUNNING:  # It never told why; what the machine caught may.
            assert (in_record, judged.reason) == ([], failure.error if failure else "Interrupted"), steps
        else:
            assert (in_record, judged.reason) == ([cause.key], cause.step.reason), steps
        if cause.key not in (step_keys.APPROVAL, step_keys.ADMIT):
            ours = cause.step.status in (StepStatus.ERRORED, StepStatus.RUNNING)
            assert (judged.phase is Phase.ERRORED) == ours, steps


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(KEYS, 2)))
def test_the_gravest_is_the_cause_and_of_two_alike_the_first_of_the_machine(first: str, second: str) -> None:
    gravest = [StepStatus.FAILED, StepStatus.ERRORED, StepStatus.RUNNING, StepStatus.ABORTED]
    for steps in recorded(first, second):
        failing = [key for key in (first, second) if key in steps and not steps[key].status.passed]
        wanted = min(failing, key=lambda key: (gravest.index(steps[key].status), KEYS.index(key)), default=None)
        for order in (steps, dict(reversed(steps.items()))):
            cause = cause_of(make.deployment(plan=PLAN, steps=order | BACK))
            assert (cause.key if cause else None) == wanted, steps


def test_what_this_version_does_not_know_can_be_the_cause_and_is_no_success() -> None:
    """A newer version began the deployment, and was itself taken back meanwhile."""
    steps = {key: step(key, StepStatus.SUCCEEDED, 0) for key in KEYS} | {"made_up": step("x", StepStatus.FAILED, 1)}
    ran = make.deployment(plan=PLAN, steps=steps | BACK)
    assert (judge(ran, None).phase, judge(ran, None).reason) == (Phase.ROLLED_BACK, "ReasonOf x")
    assert "What failed: made up (ReasonOf x)" in message(ran.but(phase=Phase.ROLLED_BACK))
    assert judge(ran.but(steps=steps), None).phase is not Phase.SUCCEEDED


def test_of_40_failures_the_first_ones_are_told_in_full_and_the_log_has_room() -> None:
    names = [f"service-{number:02d}" for number in range(40)]
    said = "漢" * 600
    steps = {
        step_keys.rollout(name, "forward"): make.rollout(name, "Failed", reason="BreakerTripped", message=said)
        for name in names
    }
    first = step_keys.rollout(names[0], "forward")
    steps[first] = steps[first].but(logs=["no route to host"])
    plan = make.plan(waves=[names], services={name: make.planned(name) for name in names})
    failed = make.deployment(phase=Phase.FAILED, plan=plan, steps={**make.passed(upto=step_keys.MIGRATION), **steps})
    [row] = messages.for_outcome(failed, ["team"], make.AT)
    assert isinstance(row.record, OutboxMessage)
    text = row.record.text
    assert text.count("Also failed: rollout of") == 10
    assert "Also failed: 29 more (service-11, service-12" in text
    assert "  | no route to host" in text
