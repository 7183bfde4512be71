"""From when on a look at an environment reads only the releases that matter to it. Pure; part of `decisions.decide`."""

from datetime import datetime, timedelta

from ferryman.decisions import candidates
from ferryman.decisions.snapshot import Snapshot
from ferryman.records import Listed

LATE = timedelta(hours=1)
"""A release may be written that much later than the time that it bears: longer than a Lambda runs."""


def listed(view: Snapshot, now: datetime) -> Listed | None:
    """Return what is known of the lists of releases after this look; nothing was due in it.

    None when a release is missing in them: then every look reads all releases.
    """
    before = view.state.listed
    if view.all_listed is False or (view.all_listed is None and before is None):
        return None
    since = before.since if before is not None else now
    return Listed(since=since, generation=view.generation, decided_until=_decided_until(view, now))


def _decided_until(view: Snapshot, now: datetime) -> datetime | None:
    """Return until when nothing happened that is not decided yet, among the releases that are older than what runs.

    What is newer than that may soon be older; so this is never later than the first change of one that may start.
    """
    before = view.state.listed
    if view.state.active is not None:
        return before.decided_until if before is not None and before.generation == view.generation else None
    if view.current is None:
        return None
    newer = (release for release in view.releases if not candidates.runs_or_is_older(view, release))
    changes = (release.changed_at for release in newer if candidates.trigger(view, release) is not None)
    return min([now - LATE, *changes])
