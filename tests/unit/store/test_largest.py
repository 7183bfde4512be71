"""The largest that each record, and each transaction, can become: below what DynamoDB takes."""

from collections.abc import Iterable
from typing import Any

import pytest

from ferryman.decisions import deployment_steps
from ferryman.records import (
    Approval,
    Deployment,
    EnvironmentState,
    OutboxMessage,
    PlanPart,
    Record,
    Release,
    ReleasePointer,
    SplitStep,
    Step,
    TimelineEvent,
    limits,
    step_keys,
)
from ferryman.records.base import Record as Base
from ferryman.releases import sweep
from ferryman.store import bounds, capacity
from ferryman.store.largest import largest
from unit import builders as make
from unit.item_sizes import KEYS, KINDS, head, of, size


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_record_outgrows_an_item(kind: type[Record]) -> None:
    assert of(kind) <= limits.ROOM


def test_a_split_step_holds_the_largest_step_of_a_service() -> None:
    step = Step.model_validate(largest(Step, without=("Step.logs", "Step.migration", "Step.checks")))
    worst = step.but(message='"' * limits.STEP_MESSAGE)
    assert len(worst.model_dump_json(by_alias=True)) <= limits.KNOWN["SplitStep.text"]


def test_a_field_without_a_limit_is_refused() -> None:
    class Longer(Base):
        remark: str = ""

    class More(Base):
        who: list[str] = []

    with pytest.raises(LookupError, match=r"Longer\.remark has no greatest length"):
        largest(Longer)
    with pytest.raises(LookupError, match=r"More\.who has no most entries"):
        largest(More)


@pytest.mark.parametrize("place", sorted(limits.TEXTS))
def test_every_free_text_is_cut_before_it_is_written(place: str) -> None:
    import ferryman.records

    name, _, field = place.partition(".")
    kind = getattr(ferryman.records, name)
    without = {*limits.TOTALS, *limits.DETAILS, "Deployment.plan", "Deployment.steps", "Step.logs"}
    record = kind.model_validate(largest(kind, without=without, known={place: limits.TEXTS[place] + 1}))
    assert len(getattr(bounds.within(record), field).encode()) <= limits.TEXTS[place]


def test_a_limit_belongs_to_a_field() -> None:
    """A field that was renamed or removed would leave its limit behind."""
    import ferryman.records

    places = [*limits.TEXTS, *limits.DETAILS, *limits.COUNTS, *limits.TOTALS, *limits.KNOWN]
    for place in (place for place in places if "." in place):
        name, _, field = place.removesuffix(":key").partition(".")
        assert field in getattr(ferryman.records, name).model_fields, place


# ── one item for a whole deployment, where it has room ──


def planned(count: int, name: str = "service-{}") -> Deployment:
    names = [name.format(number) for number in range(count)]
    services = {name: make.planned(name) for name in names}
    steps = {step_keys.BEGIN: make.step()}
    return make.deployment(plan=make.plan(waves=[names], services=services), steps=steps)


LATER = ("abort", "approvedBy", "endedAt", "executionArn", "message", "phase", "publication", "reason", "supersededBy")
"""What a deployment may get once its plan is frozen, beside its steps."""


def filled(deployment: Deployment) -> dict[str, Any]:
    """Its item once everything that can happen has happened, with the most that each step can say."""
    assert deployment.plan is not None
    data = deployment.dump()
    later = largest(Deployment, without=("Deployment.plan", "Deployment.steps"))
    data |= {name: later[name] for name in LATER}
    without = ("Step.logs", "Step.migration", "Step.checks")
    for key in (key for key in deployment_steps.possible(deployment) if key not in deployment.steps):
        service = deployment_steps.service_of(key)
        if service is None:
            data["steps"][key] = head()["steps"][key]
        else:
            base = len(deployment.plan.services[service].base_task_definition) + 10
            known = {
                "RolloutProgress.service": len(service),
                "RolloutProgress.task_definition": base,
                "RolloutProgress.previous_task_definition": base,
            }
            data["steps"][key] = largest(Step, without=without, known=known)
    return data


def test_whatever_fits_fits_to_the_end() -> None:
    most = max(count for count in range(1, 100) if capacity.fits(planned(count)))
    assert 25 < most < 99
    assert size(filled(planned(most))) <= limits.ROOM + KEYS


def test_few_services_stay_in_one_item() -> None:
    """As version 0.1.0 stores them, which may take over in the middle."""
    assert capacity.fits(planned(25))
    assert not capacity.fits(planned(limits.MOST_SERVICES))


# ── transactions ──


def transaction(*parts: tuple[type[Record], int]) -> tuple[int, int]:
    """Actions and bytes; one more action is the check of the claim."""
    return 1 + sum(count for _, count in parts), sum(of(kind) * count for kind, count in parts)


MESSAGES = limits.MOST_CHANNELS
PARTS = -(-limits.PLAN // limits.PLAN_PART)
TRANSACTIONS: dict[str, Iterable[tuple[type[Record], int]]] = {
    "begin_deployment": [(Deployment, 1), (PlanPart, PARTS), (TimelineEvent, 1)],
    "the end of a deployment, of its approval, and GitHub": [
        (Deployment, 1), (EnvironmentState, 1), (Approval, 1), (Release, 1), (ReleasePointer, 3), (TimelineEvent, 1),
        (OutboxMessage, 2 * MESSAGES + 1),
    ],
    "a request for approval": [
        (Approval, 1), (Deployment, 1), (TimelineEvent, 1), (OutboxMessage, limits.MOST_APPROVERS + MESSAGES + 1),
    ],
    "the first step of the way back": [(Deployment, 1), (SplitStep, 2), (TimelineEvent, 2)],
    "releases that the sweep puts into the lists": [(Release, sweep.TOGETHER), (ReleasePointer, 3 * sweep.TOGETHER)],
    "a claim that passes over 40 releases": [(EnvironmentState, 1), (TimelineEvent, 41)],
}  # fmt: skip


@pytest.mark.parametrize("what", TRANSACTIONS)
def test_no_transaction_outgrows_what_dynamodb_takes(what: str) -> None:
    actions, size = transaction(*TRANSACTIONS[what])
    assert actions <= limits.ACTIONS
    assert size <= limits.TRANSACTION
