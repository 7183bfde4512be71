"""What a sweep does about ownership: it makes the records that are missing, and reports what is owned twice.

Called by reconcile. Documents that share something since before that was refused go on running.
"""

import logging

from ferryman.controller.observe import Sources
from ferryman.decisions.ownership import owned_twice
from ferryman.effects import Count
from ferryman.platform import Platform
from ferryman.platform.claims import Claims
from ferryman.steps import ownership, ownership_records

_AT_ONCE = 5
"""Platforms whose records one sweep makes, and looks at again: each costs up to some seconds of its 60."""

_LOG = logging.getLogger("ferryman")


def sweep(sources: Sources, count: Count) -> None:
    """Make some of the records that are missing; log and count (metric `OwnedTwice`) what belongs to two."""

    def claims_of(document: Platform) -> Claims:
        return ownership.read(document, ecs=sources.ecs, references=sources.references, client=sources.client)

    left = ownership_records.make_missing(sources.store, claims_of, sources.clock, _AT_ONCE)
    if left:
        _LOG.info("the records of what belongs to %d platforms are made by the next sweeps", left)
    else:
        ownership_records.complete(sources.store, claims_of, sources.clock, 1)
    for (platform, environment), texts in owned_twice(ownership_records.current(sources.store)[0]).items():
        count("OwnedTwice")
        _LOG.warning("owned twice: %s", "; ".join(texts[:10]), extra={"platform": platform, "environment": environment})
