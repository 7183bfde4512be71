"""The relay as a whole: watcher → disturbances → dispatcher."""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import boto3
import urllib3
from botocore.config import Config

from ferryman_local.relay.dispatch import Delivery, Dispatcher
from ferryman_local.relay.disturb import Disturbance, Disturbances, Kind, Match, Outcome
from ferryman_local.relay.events import Change, Event, envelope
from ferryman_local.relay.reads import ReadError, Reads
from ferryman_local.relay.rules import Rules
from ferryman_local.relay.targets import Targets
from ferryman_local.relay.watch import Watcher

logger = logging.getLogger(__name__)

_KEPT = 20_000  # events remembered


class Relay:
    """Sends the ECR and ECS events that the emulator does not send; the emulator itself sends those of `aws.states`.

    `poll` is the polling interval in seconds. With `baseline`, existing resources cause no events; without it, the
    first poll reports all of them. `start()` returns after the first poll, so that any later change causes an event. A
    change that is undone between two polls is not seen, nor is a push of the image that a tag already points to.
    """

    def __init__(
        self,
        session: boto3.Session,
        poll: float = 0.15,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        baseline: bool = True,
    ) -> None:
        self._region = region or session.region_name or "us-east-1"
        arguments: dict[str, Any] = {
            "region_name": self._region,
            # A delivery that hangs must not hold up the ones behind it for minutes.
            "config": Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2}),
        }
        if endpoint is not None:  # else the session's own, or AWS_ENDPOINT_URL
            arguments["endpoint_url"] = endpoint
        sts = session.client("sts", **arguments)
        self._account: str = sts.get_caller_identity()["Account"]
        self._reads = Reads(session, str(sts.meta.endpoint_url), self._region)
        self._watcher = Watcher(self._reads)
        self._disturbances = Disturbances()
        self._dispatcher = Dispatcher(Rules.of(session, **arguments), Targets(session, **arguments))
        self._poll = poll
        self._baseline = baseline
        self._seen: deque[Event] = deque(maxlen=_KEPT)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay-watch", daemon=True)

    def start(self) -> Self:
        """Poll once, then watch in the background; raise an error if the emulator does not respond."""
        changes = self._watcher.look()
        self._dispatcher.start()
        if not self._baseline:
            self._tell(changes)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop both threads. Events that are held or not delivered yet are lost."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=30)
            self._dispatcher.stop()
        self._reads.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # What happened

    @property
    def seen(self) -> list[Event]:
        """Every event, before any disturbance."""
        return list(self._seen)

    @property
    def sent(self) -> list[Delivery]:
        """Every delivery of an event to a target, including failures."""
        return self._dispatcher.deliveries

    def wait_for(self, predicate: Callable[[Delivery], bool], timeout: float = 10.0) -> Delivery:
        """The first past or future delivery for which the predicate holds; raise TimeoutError if there is none."""
        return self._dispatcher.wait_for(predicate, timeout)

    # What to do to it

    def emit(self, event: Event) -> None:
        """Send a custom event, valid or not, through disturbances, rules and targets like all others."""
        events = self._disturbances.apply(event)
        self._seen.append(event)  # only now: whoever sees it there may release what holds it
        self._forward(events)

    def disturb(self, match: Match, kind: Kind, times: int | None = None, seconds: float = 0.0) -> Disturbance:
        """Disturb matching events, the first `times` of them or all.

        drop: never delivered; duplicate: delivered once more; delay: `seconds` late; hold: kept back until `release()`;
        reorder: the same, then delivered in reverse. Disturbances compose in the order of their calls.
        """
        return self._disturbances.add(Disturbance(kind, match, times, seconds))

    def release(self, disturbance: Disturbance | None = None) -> int:
        """End one `hold` or `reorder` (or all of them) and deliver its events; return their number."""
        freed = self._disturbances.release(disturbance)
        for outcome in freed:
            self._forward(outcome)
        return len(freed)

    def calm(self) -> int:
        """End all disturbances and deliver the held events; return their number."""
        freed = self._disturbances.clear()
        for outcome in freed:
            self._forward(outcome)
        return len(freed)

    def _forward(self, outcome: Outcome | None) -> None:
        for _ in range(outcome.copies if outcome else 0):
            assert outcome is not None
            self._dispatcher.put(outcome.event, outcome.delay)

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            event_id, now = str(uuid.uuid4()), datetime.now(UTC)
            self.emit(envelope(change, event_id=event_id, now=now, account=self._account, region=self._region))

    def _run(self) -> None:
        trouble = ""
        began = time.monotonic()
        while not self._stopping.wait(max(0.01, began + self._poll - time.monotonic())):
            began = time.monotonic()
            try:
                self._tell(self._watcher.look())
                trouble = ""
            except (ReadError, urllib3.exceptions.HTTPError, OSError, KeyError, ValueError) as error:
                if trouble != type(error).__name__:  # the emulator may be away for long: say it once
                    logger.warning("the relay cannot read ECR and ECS and will try again: %s", error)
                trouble = type(error).__name__
