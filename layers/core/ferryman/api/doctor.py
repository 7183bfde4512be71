"""Routes for `ferryman doctor`: what the operator knows and the caller's own eyes cannot see. Bounded, and read-only.

What ECS says is asked for with `verify`, one environment at a time.
"""

from typing import Any

from ferryman import __version__
from ferryman.api.context import Context
from ferryman.api.http import Request
from ferryman.api.read import seen_of
from ferryman.platform import MailChannel, Platform, TopicChannel, parse
from ferryman.platform.values import is_reference
from ferryman.records import Record
from ferryman.records.limits import ITEM

_DEPLOYMENTS = 5
"""Of each environment, how many of the newest are measured."""


def operator(operator: Context, _request: Request) -> dict[str, Any]:
    """Which operator this is, and what its clock says."""
    return {"version": __version__, "now": operator.clock().isoformat()}


def platform(operator: Context, request: Request) -> dict[str, Any]:
    """What one platform stands on, in the environments that the caller may see."""
    applied = operator.store.platform(request.params["platform"])
    document, names = parse(applied.document), seen_of(operator, request, applied)
    states = {name: operator.store.state(document.name, name) for name in names}
    sized: list[tuple[str, Record]] = [("the document", applied)]
    sized += [(f"the state of {name}", state) for name, state in states.items()]
    for name in names:
        found = operator.store.deployments(document.name, name, limit=_DEPLOYMENTS)
        sized += [(f"deployment {one.id} of {name}", one) for one in found]
    return {
        "name": document.name,
        "repositories": sorted({component.repository for component in document.spec.components.values()}),
        "environments": [
            {
                "name": name,
                "cluster": _value(operator, document.environment(name).cluster),
                "services": [service.name for service in document.environment(name).services],
                "waitingSince": state.waiting_since.isoformat() if state.waiting_since else None,
            }
            for name, state in states.items()
        ],
        "mail": _mail(operator, document, names),
        "topics": sorted({_value(operator, arn) for arn in _topics(document)} - {""}),
        "largest": _largest(sized),
    }


def channels(operator: Context, request: Request) -> dict[str, Any]:
    """Whether Slack and GitHub accept the platform's keys; nothing is sent."""
    return _probed(operator, request, send=False)


def send_test(operator: Context, request: Request) -> dict[str, Any]:
    """Send a test message to each channel of the platform."""
    return _probed(operator, request, send=True)


def _probed(operator: Context, request: Request, *, send: bool) -> dict[str, Any]:
    name = operator.store.platform(request.params["platform"]).name
    return {"channels": operator.outside.probe(name, send=send)}


def _largest(records: list[tuple[str, Record]]) -> dict[str, Any]:
    # Rare: no other call measures.
    from ferryman.store import items, sizes

    size, name = max((sizes.of_item(items.item(record)), name) for name, record in records)
    return {"record": name, "bytes": size, "limit": ITEM}


def _topics(document: Platform) -> list[str]:
    return [item.topic_arn for item in document.spec.channels.values() if isinstance(item, TopicChannel)]


def _mail(operator: Context, document: Platform, names: list[str]) -> dict[str, list[str]]:
    """Return who mails are from and to: of the channels, and of the approvals that the caller may see."""
    senders, to = set(), set()
    for channel in document.spec.channels.values():
        if isinstance(channel, MailChannel):
            senders.add(channel.sender)
            to |= set(channel.to)
    for name in names:
        policy = document.environment(name).approval
        if policy is not None and policy.sender is not None:
            senders.add(policy.sender)
            to |= {approver.email for approver in policy.approvers if approver.email is not None}
    return {"from": _values(operator, senders), "to": _values(operator, to)}


def _values(operator: Context, given: set[str]) -> list[str]:
    return sorted({_value(operator, item) for item in given} - {""})


def _value(operator: Context, given: str) -> str:
    """Return a value of the document, or what the parameter holds that it refers to; empty if that can't be read."""
    return operator.outside.values([given])[given] if is_reference(given) else given
