"""Report what automation does not do, and why: once, in the timeline and, if it matters, in the channels.

Called by `controller.execute`. Each is one conditional write; a lost race raises Conflict.
"""

import logging

from ferryman.controller.context import Context, ids
from ferryman.decisions import same_images
from ferryman.decisions.actions import Dismiss, NoteSameImages, RefuseTag, ReportWaiting
from ferryman.decisions.candidates import TAG_REFUSED
from ferryman.decisions.snapshot import Snapshot
from ferryman.messages import timeline
from ferryman.messages.environment import for_waiting
from ferryman.messages.release import for_refused_tag
from ferryman.records import EventType, Phase, Settled, limits
from ferryman.records.writes import Save
from ferryman.text import person

_REPORTED = limits.COUNTS["EnvironmentState.reported"] - 1
_LOG = logging.getLogger("ferryman")


def dismiss(action: Dismiss, view: Snapshot, context: Context) -> None:
    request = view.state.requested
    assert request is not None
    message = f"the {request.kind} of {request.version} that {request.who} requested was dropped: {action.why}"
    dropped = timeline.environment_event(
        view.platform,
        view.name,
        EventType.REQUEST_DROPPED,
        message,
        at=context.clock(),
        new_id=context.new_id,
        who="ferryman",
    )
    context.store.write(Save(view.state.but(requested=None)), dropped)
    _LOG.info("%s", message, extra=ids(view, ""))


def lift_hold(view: Snapshot, context: Context) -> None:
    # Rare: most holds are lifted by people.
    from ferryman.messages.environment import for_resume

    hold, at = view.state.hold, context.clock()
    assert hold is not None
    told = timeline.environment_event(
        view.platform, view.name, EventType.RESUMED, f"the hold ended by itself ({person(hold.who)}: {hold.reason})",
        at=at, new_id=context.new_id, who="ferryman",
    )  # fmt: skip
    mails = for_resume(view.platform, view.name, hold, None, view.environment.notify, at)
    context.store.write(Save(view.state.but(hold=None)), told, *mails)
    _LOG.info("the hold of %s ended by itself", hold.who, extra=ids(view, ""))


def remind_of_hold(view: Snapshot, context: Context) -> None:
    from ferryman.messages.environment import for_hold_reminder

    hold, at = view.state.hold, context.clock()
    assert hold is not None
    mails = for_hold_reminder(view.platform, view.name, hold, view.environment.notify, at)
    context.store.write(Save(view.state.but(hold=hold.but(reminded_at=at))), *mails)


def refuse_tag(action: RefuseTag, view: Snapshot, context: Context) -> None:
    # Rare: a tag is refused once.
    from ferryman.decisions.after_outcome import newest

    at = context.clock()
    settled = Settled(phase=Phase.REJECTED, reason=TAG_REFUSED, at=at)
    message = f"{action.name} ({action.version}) was refused: {action.why}"
    told = timeline.environment_event(
        view.platform, view.name, EventType.TAG_REFUSED, message, at=at, new_id=context.new_id, who="ferryman"
    )
    release = view.release(action.version)
    assert release is not None
    mails = for_refused_tag(
        view.platform, view.name, action.name, action.version, action.why, view.environment.notify, at
    )
    state = view.state.but(settled=newest({**view.state.settled, action.version: settled}))
    context.store.write(Save(state), told, *mails)
    context.count("TagRefused")
    _LOG.warning("%s", message, extra=ids(view, ""))


def note_same_images(action: NoteSameImages, view: Snapshot, context: Context) -> None:
    """Record it, and with it the proof of its images: environments that promote from here wait for one."""
    release, proven = view.release(action.version), view.release(action.proof_of)
    assert release is not None
    proof = proven.verified.get(view.name) if proven is not None else None
    copied = (
        [Save(release.but(verified={**release.verified, view.name: proof}, copied_at=context.clock()))] if proof else []
    )
    _report(action.version, same_images.REASON, action.message, action.loud, view, context, *copied)


def report_waiting(action: ReportWaiting, view: Snapshot, context: Context) -> None:
    _report(action.version, action.reason, action.message, action.loud, view, context)


def _report(version: str, reason: str, message: str, loud: bool, view: Snapshot, context: Context, *also: Save) -> None:
    at = context.clock()
    told = timeline.environment_event(
        view.platform, view.name, EventType.WAITING, message, at=at, new_id=context.new_id, who="ferryman"
    )
    channels = view.environment.notify if loud else []
    mails = for_waiting(view.platform, view.name, version, reason, message, channels, at)
    before = dict(list(view.state.reported.items())[-_REPORTED:])
    before[version] = (*before.get(version, ()), reason)
    context.store.write(Save(view.state.but(reported=before)), told, *mails, *also)
