"""One thread that takes events in order, matches them against the rules and delivers them, with retries."""

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ferryman_local.relay.events import Event
from ferryman_local.relay.inputs import payload
from ferryman_local.relay.rules import Rule, Rules
from ferryman_local.relay.targets import Targets, UnsupportedTargetError

logger = logging.getLogger(__name__)

_KEPT = 20_000  # deliveries remembered
_ATTEMPTS = 3  # EventBridge tries for 24 h; a local machine that fails three times fails for good
_PAUSE = 0.2  # seconds before the first retry; doubles


@dataclass(frozen=True)
class Delivery:
    """The delivery of an event to one target. `error` is empty if the target accepted it."""

    event: Event
    rule: str
    target: str
    payload: str
    attempts: int = 1
    error: str = ""
    buried: bool = False  # in the target's dead-letter queue


class Dispatcher:
    """Delivers events in the order of their due time; events that are due at the same time keep their order."""

    def __init__(self, rules: Rules, targets: Targets) -> None:
        self._rules = rules
        self._targets = targets
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._closed = False
        self._deliveries: deque[Delivery] = deque(maxlen=_KEPT)
        self._thread = threading.Thread(target=self._run, name="relay-dispatch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop; events that are not delivered yet are lost."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout=30)

    def put(self, event: Event, delay: float = 0.0) -> None:
        """Deliver the event to all matching targets when it is due."""
        self._later(delay, lambda: self._match(event))

    @property
    def deliveries(self) -> list[Delivery]:
        with self._changed:
            return list(self._deliveries)

    def wait_for(self, predicate: Callable[[Delivery], bool], timeout: float) -> Delivery:
        """The first past or future delivery for which the predicate holds; raise TimeoutError if there is none."""
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                for delivery in self._deliveries:
                    if predicate(delivery):
                        return delivery
                left = until - time.monotonic()
                if left <= 0 or self._closed:
                    raise TimeoutError(f"no such delivery within {timeout} s among {len(self._deliveries)}")
                self._changed.wait(left)

    def _later(self, delay: float, work: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + delay if delay else 0.0, next(self._numbers), work))
            self._changed.notify_all()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                left = self._due[0][0] - time.monotonic() if self._due else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(left)
        return None

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except (BotoCoreError, ClientError) as error:
                logger.warning("an event was lost because the rules of EventBridge could not be read: %s", error)
            except Exception:  # one event must not end the relay
                logger.exception("an event was lost")

    def _match(self, event: Event) -> None:
        for rule in self._rules.matching(event):
            for target in self._rules.targets(rule):
                text = payload(event, target, rule_name=rule.name, rule_arn=rule.arn)
                self._deliver(event, rule, target, text, 1)

    def _deliver(self, event: Event, rule: Rule, target: Mapping[str, Any], text: str, attempt: int) -> None:
        try:
            self._targets.deliver(target, text)
        except UnsupportedTargetError as error:
            self._give_up(event, rule, target, text, attempt, error)
        except (BotoCoreError, ClientError) as error:
            allowed = (target.get("RetryPolicy") or {}).get("MaximumRetryAttempts", _ATTEMPTS - 1) + 1
            if attempt >= min(_ATTEMPTS, allowed):
                self._give_up(event, rule, target, text, attempt, error)
            else:
                again = attempt + 1
                pause = _PAUSE * 2 ** (attempt - 1)
                self._later(pause, lambda: self._deliver(event, rule, target, text, again))
        else:
            self._record(Delivery(event, rule.name, target["Arn"], text, attempt))

    def _give_up(
        self, event: Event, rule: Rule, target: Mapping[str, Any], text: str, attempts: int, error: Exception
    ) -> None:
        logger.warning("rule %s: %s did not accept the event %s: %s", rule.name, target["Arn"], event.get("id"), error)
        try:
            buried = self._targets.bury(rule, target, text, error, attempts)
        except (BotoCoreError, ClientError) as problem:
            logger.warning("rule %s: its dead-letter queue did not accept the event either: %s", rule.name, problem)
            buried = False
        self._record(Delivery(event, rule.name, target["Arn"], text, attempts, str(error), buried))

    def _record(self, delivery: Delivery) -> None:
        with self._changed:
            self._deliveries.append(delivery)
            self._changed.notify_all()
