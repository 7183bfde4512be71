"""The operator's loop: woken by nudges, by executions that ended and by a schedule, it makes each environment right.

A wake-up says where to look, never what is true: everything is read again. Called by functions/reconcile.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

from pydantic import ConfigDict, Field, ValidationError

from ferryman.clients import stepfunctions
from ferryman.clients.aws_types import ECRClient, ECSClient, MakeClient, StepFunctionsClient
from ferryman.clients.ssm import References
from ferryman.contracts import ExecutionInput
from ferryman.controller import execute, observe
from ferryman.controller.context import Context
from ferryman.controller.observe import Sources
from ferryman.decisions.actions import Complete, NoteSameImages, Observe, RepairTags, RequeueAfter
from ferryman.decisions.decide import decide
from ferryman.effects import Count, Nudges
from ferryman.errors import ClaimLost, Conflict, InvalidInput, NotFound
from ferryman.ids import Clock, NewId
from ferryman.lazy_model import LazyModel
from ferryman.platform import Platform, parse
from ferryman.platform.claims import Claims
from ferryman.records import AppliedPlatform
from ferryman.releases import sweep
from ferryman.releases.recorder import ReleaseRecorder
from ferryman.store.table import Store

ROUNDS = 12
"""How often one run decides about one environment before it leaves the rest to the next."""

_LOG = logging.getLogger("ferryman")


class Gauge(Protocol):
    """Writes a duration in seconds as a metric."""

    def __call__(self, name: str, seconds: float, **dimensions: str) -> None:
        """Write it."""


class _Incoming(LazyModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Key(_Incoming):
    """What a nudge carries."""

    platform: str
    environment: str


class Nudged(_Incoming):
    """One message of the nudges' queue."""

    message_id: str = Field(alias="messageId")
    body: str


class ExecutionChange(_Incoming):
    """Detail of `Step Functions Execution Status Change`."""

    name: str
    input: str | None = None


class ScanEnded(_Incoming):
    """Detail of `ECR Image Scan` (basic scanning) and `Inspector2 Scan` (enhanced)."""

    repository: str = Field(alias="repository-name")
    """Name of the repository, or (enhanced) its ARN."""


class Wakeup(_Incoming):
    """A batch of nudges, a changed execution, an image scan that ended, or the schedule's `{"sweep": true}`."""

    records: list[Nudged] = Field(default=[], alias="Records")
    detail: ExecutionChange | ScanEnded | None = None
    sweep: bool = False


class ItemFailure(LazyModel):
    """A message that has to come again."""

    model_config = ConfigDict(populate_by_name=True)

    item: str = Field(alias="itemIdentifier")


class Report(LazyModel):
    """What SQS wants to hear; empty for the others."""

    model_config = ConfigDict(populate_by_name=True)

    failures: list[ItemFailure] = Field(default=[], alias="batchItemFailures")


class Outbox(Protocol):
    """What `clients.nudge.Outbox` offers."""

    def drain(self) -> None:
        """Have unsent messages sent."""


def reconcile(
    event: Wakeup,
    *,
    store: Store,
    states: StepFunctionsClient,
    ecr: ECRClient,
    ecs: ECSClient,
    references: References,
    client: MakeClient,
    nudge: Nudges,
    outbox: Outbox,
    machine: str,
    migrate_machine: str,
    mutation_timeout_seconds: int,
    clock: Clock,
    new_id: NewId,
    count: Count,
    gauge: Gauge,
) -> Report:
    """Do what a wake-up asks for; `machine` and `migrate_machine` are ARNs. Safe to run twice, late, side by side.

    A nudge that failed is in the report and comes again. Raise the first error of a sweep, after looking at everything.
    """
    timeout = timedelta(seconds=mutation_timeout_seconds)
    sources = Sources(store, states, ecr, ecs, references, client, timeout, clock)
    context = Context(store, states, ecr, nudge, machine, migrate_machine, clock, new_id, count)
    return Reconciler(sources, context, outbox, gauge).wake(event)


@dataclass(frozen=True)
class Reconciler:
    """Makes environments right."""

    sources: Sources
    context: Context
    outbox: Outbox
    gauge: Gauge

    def wake(self, event: Wakeup) -> Report:
        """Do what a wake-up asks for. Raise the first error of a sweep after everything was looked at."""
        if event.records:
            return self._nudged(event.records)
        if isinstance(event.detail, ScanEnded):
            self._scanned(event.detail)
        elif event.detail is not None:
            self._changed(event.detail)
        elif event.sweep:
            self._sweep()
        else:
            raise InvalidInput(
                "an event must be a batch of nudges (Records), a changed execution or ended scan (detail), or a sweep"
            )
        return Report()

    def environment(self, platform: str, environment: str) -> None:
        """Reconcile one environment; raise NotFound when the document does not, or no longer, contain it."""
        applied = self.sources.store.platform(platform)
        if applied.proposal is not None and self._failure(partial(self._tend, platform), platform) is None:
            applied = self.sources.store.platform(platform)
        document = parse(applied.document)
        if environment not in document.spec.environments:
            known = ", ".join(document.spec.environments)
            raise NotFound(f"platform {platform} has no environment {environment!r}; known environments: {known}")
        if self._reconcile(document, applied.generation, environment, swept=False):
            self._promoted_from(platform, environment)

    def _reconcile(self, document: Platform, generation: int, name: str, *, swept: bool) -> bool:
        """Observe, decide, execute, until there is nothing to do. After a lost race, observe again.

        Return whether an outcome or a proof was recorded: what was verified here may be what others wait for.
        """
        started: str | None = None
        completed = False
        for _ in range(ROUNDS):
            view = observe.view(self.sources, document, generation, name, swept=swept, started=started)
            actions = decide(view, self.context.clock())
            try:
                for action in actions:
                    started = execute.carry_out(action, view, document, self.context) or started
                    completed = completed or isinstance(action, Complete | NoteSameImages)
            except (Conflict, ClaimLost):
                continue
            if all(isinstance(action, Observe | RepairTags | RequeueAfter) for action in actions):
                return completed
        _LOG.warning(
            "still something to do after %d rounds", ROUNDS, extra={"platform": document.name, "environment": name}
        )
        return completed

    def _nudged(self, records: list[Nudged]) -> Report:
        """Reconcile each environment once, however many nudges name it."""
        wanted: dict[Key, list[str]] = {}
        failed: list[str] = []
        for record in records:
            try:
                wanted.setdefault(Key.model_validate_json(record.body), []).append(record.message_id)
            except ValidationError as error:
                _LOG.error("a nudge names no environment: %s", error, extra={"body": record.body[:500]})
                failed.append(record.message_id)
        for key, messages in wanted.items():
            if self._failure(partial(self.environment, key.platform, key.environment), key) is not None:
                failed += messages
        return Report(failures=[ItemFailure(item=message) for message in failed])

    def _changed(self, change: ExecutionChange) -> None:
        key = self._key_of(change)
        if key is None:
            _LOG.info("an execution of another operator ended: %s", change.name)
            return
        try:
            self.environment(key.platform, key.environment)
            self._promoted_from(key.platform, key.environment)
        except NotFound as error:
            _LOG.warning("nothing to reconcile: %s", error)

    def _scanned(self, scan: ScanEnded) -> None:
        """Look at the environments that ask for scans of this repository. Raise the first error after all of them."""
        repository = scan.repository.rpartition(":repository/")[2]
        errors: list[Exception] = []
        for applied in self.sources.store.platforms():
            spec = applied.document.get("spec", {})
            if all(part.get("repository") != repository for part in spec.get("components", {}).values()):
                continue
            for name, environment in spec.get("environments", {}).items():
                if environment.get("scan") is not None:
                    error = self._failure(partial(self.environment, applied.name, name), (applied.name, name))
                    errors += [error] if error else []
        if errors:
            raise errors[0]

    def _promoted_from(self, platform: str, environment: str) -> None:
        """Look at the environments that take what was just decided here: verified, or failed with a tag on it."""
        document = parse(self.sources.store.platform(platform).document)
        for name in document.promoted_from(environment):
            self.environment(platform, name)

    def _key_of(self, change: ExecutionChange) -> Key | None:
        if change.input:
            try:
                found = ExecutionInput.model_validate_json(change.input)
                return Key(platform=found.platform, environment=found.environment)
            except ValidationError:
                pass
        for applied in self.sources.store.platforms():
            for environment in applied.document.get("spec", {}).get("environments", {}):
                if change.name.startswith(stepfunctions.name_of(applied.name, environment, "")):
                    return Key(platform=applied.name, environment=environment)
        return None

    def _sweep(self) -> None:
        """Look at everything, whatever events were lost; one broken platform does not keep the others waiting."""
        errors: list[Exception] = []
        oldest = 0.0
        for applied in self.sources.store.platforms():
            if applied.proposal is not None:
                error = self._failure(partial(self._tend, applied.name), applied.name)
                errors += [error] if error else []
            error = self._failure(partial(self._compare, applied), applied.name)
            errors += [error] if error else []
            for name in applied.document.get("spec", {}).get("environments", {}):
                error = self._failure(partial(self._swept, applied, name), (applied.name, name))
                errors += [error] if error else []
                oldest = max(oldest, self._measure(applied.name, name))
        # An alarm on this metric takes silence for trouble: it comes with every sweep, also when nothing waits.
        self.gauge("OldestUnreconciled", oldest)
        if self.sources.store.unsent(limit=1):
            self.outbox.drain()
        # Imported here: only a sweep looks at all platforms.
        from ferryman.controller import ownership

        error = self._failure(partial(ownership.sweep, self.sources, self.context.count), "what belongs to whom")
        errors += [error] if error else []
        if errors:
            raise errors[0]

    def _tend(self, platform: str) -> None:
        # Rare: few documents wait for approval.
        from ferryman.controller.proposals import Proposals
        from ferryman.releases.adoption import adopt
        from ferryman.steps import ownership

        sources, context = self.sources, self.context

        def take_over(document: Platform) -> None:
            adopt(document, store=sources.store, ecs=sources.ecs, ecr=sources.ecr, references=sources.references,
                  client=sources.client, clock=context.clock, new_id=context.new_id)  # fmt: skip

        def claims_of(document: Platform) -> Claims:
            return ownership.read(document, ecs=sources.ecs, references=sources.references, client=sources.client)

        Proposals(
            sources.store,
            sources.references,
            claims_of,
            take_over,
            context.nudge.environment,
            context.clock,
            context.new_id,
        ).tend(platform)

    def _compare(self, applied: AppliedPlatform) -> None:
        context = self.context
        sweep.compare(
            parse(applied.document),
            ReleaseRecorder(context.store, context.ecr, context.clock, context.new_id, context.count),
        )

    def _swept(self, applied: AppliedPlatform, name: str) -> None:
        if self._reconcile(parse(applied.document), applied.generation, name, swept=True):
            self._promoted_from(applied.name, name)

    def _measure(self, platform: str, environment: str) -> float:
        since = self.sources.store.state(platform, environment).waiting_since
        seconds = (self.context.clock() - since).total_seconds() if since else 0.0
        self.gauge("OldestUnreconciled", seconds, platform=platform, environment=environment)
        return seconds

    def _failure(self, work: Callable[[], None], what: object) -> Exception | None:
        """Do something for one environment and return what went wrong, so that the others get their turn."""
        try:
            work()
        except NotFound as error:
            _LOG.warning("nothing to reconcile: %s", error)
        except Exception as error:  # noqa: BLE001 - logged here, and raised or retried by every caller
            _LOG.exception("could not reconcile %s", what)
            return error
        return None
