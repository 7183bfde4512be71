"""Carry out one look that a sweep queued: at an environment, at what is per platform, or at what concerns all.

Called by reconcile, with one message at a time. A look that fails comes again, and keeps none of the others waiting.
"""

import logging
from dataclasses import replace
from datetime import datetime

from ferryman.controller.reconcile import Reconciler
from ferryman.controller.sweep import OLDEST
from ferryman.decisions import sweep_order
from ferryman.errors import NotFound
from ferryman.platform import parse
from ferryman.records import ScheduledLook
from ferryman.store import scheduled_looks

_LOG = logging.getLogger("ferryman")


def look(reconciler: Reconciler, platform: str, environment: str, queued_at: datetime) -> None:
    """Look at one place, and note it. A message whose look another one has brought is dropped."""
    sources = reconciler.sources
    known = sources.store.scheduled_look(platform, environment)
    if sweep_order.is_answered(known, queued_at):
        _LOG.info("already looked at", extra={"platform": platform, "environment": environment})
        return
    began_at = reconciler.context.clock()
    sources.shared.begin(queued_at)
    try:
        if environment:
            # Only here: who may decide about a document, and what belongs to whom, is read when it is asked.
            sharing = replace(reconciler, sources=replace(sources, references=sources.shared.references))
            _environment(sharing, platform, environment)
        elif platform:
            _platform(reconciler, platform)
        else:
            _all(reconciler)
    except NotFound as error:
        # Removed since it was queued; else the error comes from something that is looked up, and every look finds it.
        _LOG.warning("nothing to look at: %s", error, extra={"platform": platform, "environment": environment})
    before = known or ScheduledLook(platform=platform, environment=environment)
    scheduled_looks.end(sources.store, before, queued_at, began_at)


def _environment(reconciler: Reconciler, platform: str, name: str) -> None:
    applied = reconciler.sources.store.platform(platform)
    document = parse(applied.document)
    brought = reconciler.bring(document, applied.generation, name, swept=True)
    now = reconciler.context.clock()
    seconds = (now - brought.waiting_since).total_seconds() if brought.waiting_since else 0.0
    reconciler.gauge(OLDEST, seconds, platform=platform, environment=name)
    reconciler.gauge(OLDEST, seconds)
    if brought.completed:
        for other in document.promoted_from(name):
            reconciler.context.nudge.environment(platform, other)


def _platform(reconciler: Reconciler, platform: str) -> None:
    """Take its proposal further, and compare its releases with ECR: an error of the one does not stop the other."""
    # Imported here: looks at environments don't need it.
    from ferryman.releases import sweep
    from ferryman.releases.recorder import ReleaseRecorder

    sources, context = reconciler.sources, reconciler.context
    applied = sources.store.platform(platform)
    error = None
    if applied.proposal is not None:
        error = reconciler.failure(lambda: reconciler.tend(platform), platform)
        applied = sources.store.platform(platform)
    recorder = ReleaseRecorder(context.store, context.ecr, context.clock, context.new_id, context.count)
    document = parse(applied.document)
    if sweep.compare(document, recorder):
        # Looks at its environments may be over already.
        for name in document.spec.environments:
            context.nudge.environment(platform, name)
    if error is not None:
        raise error


def _all(reconciler: Reconciler) -> None:
    from ferryman.controller import ownership

    ownership.sweep(reconciler.sources, reconciler.context.count)
