"""The enabled rules of the default event bus: which of them an event matches, and their targets."""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ferryman_local.relay.events import Event

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rule:
    """An enabled rule with an event pattern."""

    name: str
    arn: str
    pattern: str


class Rules:
    """Uses EventBridge itself (TestEventPattern), so that a pattern has the same meaning as there.

    Rules are read when an event arrives, and again for an event more than `fresh` seconds later: a burst needs one
    read, and nothing is read while nothing happens. Not thread-safe: the dispatcher owns it.
    """

    def __init__(self, events: Any, fresh: float = 0.2) -> None:
        self._events = events
        self._fresh = fresh
        self._read_at = float("-inf")
        self._rules: list[Rule] = []
        self._targets: dict[str, list[dict[str, Any]]] = {}

    @classmethod
    def of(cls, session: boto3.Session, **arguments: Any) -> "Rules":
        """Rules read with a session's client."""
        return cls(session.client("events", **arguments))

    def matching(self, event: Event) -> list[Rule]:
        """The rules that match the event."""
        if time.monotonic() - self._read_at > self._fresh:
            self._read()
        return [rule for rule in self._rules if _may_match(rule, event) and self._matches(rule, event)]

    def targets(self, rule: Rule) -> list[dict[str, Any]]:
        """A rule's targets."""
        if rule.name not in self._targets:
            answers = _pages(self._events.list_targets_by_rule, Rule=rule.name)
            self._targets[rule.name] = [target for answer in answers for target in answer["Targets"]]
        return self._targets[rule.name]

    def _read(self) -> None:
        answers = _pages(self._events.list_rules)
        self._rules = [
            Rule(rule["Name"], rule["Arn"], rule["EventPattern"])
            for answer in answers
            for rule in answer["Rules"]
            if rule.get("EventPattern") and rule.get("State") != "DISABLED"
        ]
        self._targets.clear()
        self._read_at = time.monotonic()

    def _matches(self, rule: Rule, event: Event) -> bool:
        try:
            return bool(self._events.test_event_pattern(EventPattern=rule.pattern, Event=json.dumps(event))["Result"])
        except ClientError as error:  # a malformed event matches nothing, and must not stop the others
            logger.warning("rule %s: EventBridge could not test the event %s: %s", rule.name, event.get("id"), error)
            return False


def _may_match(rule: Rule, event: Event) -> bool:
    """False if the pattern's plain `source` or `detail-type` exclude the event, which saves most calls."""
    pattern: Mapping[str, Any] = json.loads(rule.pattern)
    for key in ("source", "detail-type"):
        wanted = pattern.get(key)
        if isinstance(wanted, list) and all(isinstance(item, str) for item in wanted) and event.get(key) not in wanted:
            return False
    return True


def _pages(call: Any, **arguments: Any) -> list[dict[str, Any]]:
    pages = [call(**arguments)]
    while token := pages[-1].get("NextToken"):
        pages.append(call(NextToken=token, **arguments))
    return pages
