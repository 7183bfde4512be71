"""The operator's loop: woken by nudges, by executions that ended and by a schedule, it makes each environment right.

A wake-up says where to look, never what is true: everything is read again. Called by functions/reconcile.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ferryman.clients import stepfunctions
from ferryman.clients.aws_types import ECRClient, ECSClient, MakeClient, StepFunctionsClient
from ferryman.clients.ssm import References
from ferryman.contracts import ExecutionInput
from ferryman.controller import execute, observe
from ferryman.controller.context import Context
from ferryman.controller.events import ExecutionChange, ItemFailure, Key, Nudged, Report, ScanEnded, Wakeup
from ferryman.controller.observe import Sources
from ferryman.controller.shared_reads import SharedReads
from ferryman.decisions.actions import Complete, NoteSameImages, Observe, RepairTags, RequeueAfter, Start
from ferryman.decisions.decide import decide
from ferryman.effects import Count, Gauge, Nudges
from ferryman.errors import ClaimLost, Conflict, InvalidInput, NotFound
from ferryman.ids import Clock, NewId
from ferryman.platform import Platform, parse
from ferryman.platform.claims import Claims
from ferryman.store.table import Store

if TYPE_CHECKING:
    from ferryman.controller.sweep import Outbox, Queue

ROUNDS = 12
"""How often one run decides about one environment before it leaves the rest to the next."""

_LOG = logging.getLogger("ferryman")


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
    looks: "Queue",
    shared: SharedReads,
    outbox: "Outbox",
    machine: str,
    migrate_machine: str,
    mutation_timeout_seconds: int,
    clock: Clock,
    new_id: NewId,
    count: Count,
    gauge: Gauge,
) -> Report:
    """Do what a wake-up asks for; `machine` and `migrate_machine` are ARNs. Safe to run twice, late, side by side.

    A message that failed is in the report and comes again. A sweep only queues looks: see `controller.sweep`.
    """
    timeout = timedelta(seconds=mutation_timeout_seconds)
    sources = Sources(store, states, ecr, ecs, references, client, timeout, clock, shared)
    context = Context(store, states, ecr, nudge, machine, migrate_machine, clock, new_id, count)
    return Reconciler(sources, context, looks, outbox, gauge).wake(event)


@dataclass(frozen=True)
class Brought:
    """What became of an environment."""

    completed: bool
    """Whether an outcome or a proof was recorded: what was verified here may be what others wait for."""
    waiting_since: datetime | None
    """Since when a release waits that it should run."""


@dataclass(frozen=True)
class Reconciler:
    """Makes environments right."""

    sources: Sources
    context: Context
    looks: "Queue"
    outbox: "Outbox"
    gauge: Gauge

    def wake(self, event: Wakeup) -> Report:
        """Do what a wake-up asks for."""
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
                "an event must be a batch of nudges or looks (Records), a changed execution or ended scan (detail), "
                "or a sweep"
            )
        return Report()

    def environment(self, platform: str, environment: str) -> None:
        """Reconcile one environment; raise NotFound when the document does not, or no longer, contain it."""
        applied = self.sources.store.platform(platform)
        if applied.proposal is not None and self.failure(partial(self.tend, platform), platform) is None:
            applied = self.sources.store.platform(platform)
        document = parse(applied.document)
        if self.bring(document, applied.generation, environment).completed:
            self._promoted_from(platform, environment)

    def bring(self, document: Platform, generation: int, name: str, *, swept: bool = False) -> "Brought":
        """Observe, decide, execute, until there is nothing to do. After a lost race, observe again.

        Raise NotFound when the document does not, or no longer, contain the environment.
        """
        if name not in document.spec.environments:
            known = ", ".join(document.spec.environments)
            raise NotFound(f"platform {document.name} has no environment {name!r}; known environments: {known}")
        started: str | None = None
        completed, since = False, None
        sources = self.sources
        for _ in range(ROUNDS):
            view = observe.view(sources, document, generation, name, swept=swept, started=started)
            actions = decide(view, self.context.clock())
            if swept and sources is self.sources and any(isinstance(action, Start) for action in actions):
                # What looks of a sweep share may be outdated, and with it the reason, such as a changed base.
                sources = sources.anew()
                continue
            since = view.state.waiting_since
            try:
                for action in actions:
                    started = execute.carry_out(action, view, document, self.context) or started
                    completed = completed or isinstance(action, Complete | NoteSameImages)
                    since = action.waiting_since if isinstance(action, Observe) else since
            except (Conflict, ClaimLost):
                continue
            if all(isinstance(action, Observe | RepairTags | RequeueAfter) for action in actions):
                return Brought(completed, since)
        _LOG.warning(
            "still something to do after %d rounds", ROUNDS, extra={"platform": document.name, "environment": name}
        )
        return Brought(completed, since)

    def _nudged(self, records: list[Nudged]) -> Report:
        """Look at each place once, however many messages name it."""
        wanted: dict[Key, list[str]] = {}
        failed: list[str] = []
        for record in records:
            try:
                wanted.setdefault(Key.model_validate_json(record.body), []).append(record.message_id)
            except ValidationError as error:
                _LOG.error("a nudge names no environment: %s", error, extra={"body": record.body[:500]})
                failed.append(record.message_id)
        for key, messages in wanted.items():
            if self.failure(partial(self._look, key), key) is not None:
                failed += messages
        return Report(failures=[ItemFailure(item=message) for message in failed])

    def _look(self, key: Key) -> None:
        if key.queued_at is None:
            self.environment(key.platform, key.environment)
            return
        # Imported here: no nudge needs it.
        from ferryman.controller import looks

        looks.look(self, key.platform, key.environment, key.queued_at)

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
                    error = self.failure(partial(self.environment, applied.name, name), (applied.name, name))
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
        for platform, environments in self.sources.store.environments().items():
            for environment in environments:
                if change.name.startswith(stepfunctions.name_of(platform, environment, "")):
                    return Key(platform=platform, environment=environment)
        return None

    def _sweep(self) -> None:
        from ferryman.controller.sweep import Sweep

        Sweep(self.sources.store, self.looks, self.outbox, self.context.clock, self.gauge).run()

    def tend(self, platform: str) -> None:
        """Take a proposed document further: its approval, its expiry, its application."""
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

    def failure(self, work: Callable[[], None], what: object) -> Exception | None:
        """Do something for one environment and return what went wrong, so that the others get their turn."""
        try:
            work()
        except NotFound as error:
            _LOG.warning("nothing to reconcile: %s", error)
        except Exception as error:  # noqa: BLE001 - logged here, and raised or retried by every caller
            _LOG.exception("could not reconcile %s", what)
            return error
        return None
