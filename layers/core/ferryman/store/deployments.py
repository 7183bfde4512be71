"""A deployment that one item can't hold: taken apart when it is written, put together when it is read. Pure.

The head is the deployment's own item, without its plan and without the steps of single services. Every write of such a
step writes the head, too: `rev` of the head is the revision of the whole, as it is where one item holds everything.
Whether a deployment is split is decided once, when its plan is frozen (`store.capacity`). Called by `store.table`.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ferryman.clients.aws_types import Item
from ferryman.errors import RecordInvalid
from ferryman.records import Deployment, Plan, PlanPart, SplitStep, Step
from ferryman.records.deployment import Apart
from ferryman.records.limits import PLAN, PLAN_PART
from ferryman.records.writes import Add, Save, Write
from ferryman.store.bounds import within


def split(deployment: Deployment) -> Deployment:
    """Return a deployment that is stored in several items from its next write on."""
    return deployment.with_apart(Apart(plan=None, steps={}))


def apart(writes: Iterable[Write]) -> list[Write]:
    """Return writes in which each deployment that is split is its head and those of its parts that changed."""
    return [part for write in writes for part in _apart(write)]


def together(head: Deployment, parts: Iterable[Item]) -> Deployment:
    """Return a deployment from its head and the items of its parts: there may be hundreds, so only texts are read."""
    texts: dict[str, str] = {}
    steps: dict[str, Step] = {}
    for part in parts:
        if "key" in part:
            steps[_text(part, "key")] = _step(_text(part, "text"))
        else:
            texts[_text(part, "sk")] = _text(part, "text")
    if not texts:
        return head
    plan = _plan("".join(texts[number] for number in sorted(texts)))
    return head.but(plan=plan, steps={**head.steps, **steps}).with_apart(Apart(plan=plan, steps=steps))


def _apart(write: Write) -> Iterator[Write]:
    record = write.record if isinstance(write, Save) else None
    if not isinstance(record, Deployment) or record.apart is None:
        yield write
        return
    own = {key: step for key, step in record.steps.items() if _of_one_service(key)}
    yield Save(record.but(plan=None, steps={key: step for key, step in record.steps.items() if key not in own}))
    if record.plan is not None and record.plan is not record.apart.plan:
        yield from (Add(part) for part in _plan_parts(record.id, record.plan))
    for key, step in own.items():
        if step is not record.apart.steps.get(key):
            text = within(step).model_dump_json(by_alias=True)
            yield Add(SplitStep(deployment=record.id, key=key, text=text))


def _text(item: Item, name: str) -> str:
    return item[name].get("S", "")


# Records are frozen, and one Lambda after the other reads the same texts.
@lru_cache(maxsize=2_000)
def _step(text: str) -> Step:
    return Step.model_validate_json(text)


@lru_cache(maxsize=4)
def _plan(text: str) -> Plan:
    return Plan.model_validate_json(text)


def _of_one_service(key: str) -> bool:
    return "/" in key


def _plan_parts(deployment: str, plan: Plan) -> Iterator[PlanPart]:
    # JSON in ASCII: a piece has as many bytes as characters.
    text = json.dumps(plan.dump(), separators=(",", ":"))
    if len(text) > PLAN:
        raise RecordInvalid(
            f"the plan of deployment {deployment} has {len(text)} bytes, and {PLAN} can be stored: the document lists "
            "too much for one environment (services, headers and values of smoke tests, commands)"
        )
    for number, start in enumerate(range(0, len(text), PLAN_PART)):
        yield PlanPart(deployment=deployment, number=number, text=text[start : start + PLAN_PART])
