"""Execute the actions of `decisions.decide`. Every act is one conditional write, or safe to repeat, or both.

Called by reconcile. A lost race raises Conflict: read again, decide again.
"""

import logging
from datetime import datetime, timedelta
from typing import assert_never

from ferryman.approvals import lifecycle
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.nudge import LONGEST_DELAY
from ferryman.controller import claims, notices
from ferryman.controller.context import Context, ids
from ferryman.decisions.actions import (
    Action,
    Complete,
    Dismiss,
    DropClaim,
    EndApproval,
    LiftHold,
    NoteSameImages,
    Observe,
    Redrive,
    RefuseTag,
    RemindApprovers,
    RemindHold,
    RepairTags,
    ReportWaiting,
    RequeueAfter,
    Start,
    Supersede,
    TellMachine,
)
from ferryman.decisions.snapshot import Snapshot
from ferryman.errors import PermanentError
from ferryman.platform import Platform
from ferryman.records import EnvironmentState
from ferryman.records.writes import Save
from ferryman.releases import moving_tags

AT_WORK = timedelta(seconds=65)
"""Longer than reconcile can run: its time-out in the template, and some seconds in which clocks may differ."""

_LOG = logging.getLogger("ferryman")


def carry_out(  # noqa: C901 - one arm per act
    action: Action, view: Snapshot, document: Platform, context: Context
) -> str | None:
    """Execute one action; return the name of the execution that it started, if any. Raise Conflict on a lost race."""
    match action:
        case Start():
            return claims.start(action, view, context)
        case Redrive():
            return claims.redrive(view, context)
        case Complete():
            claims.complete(action, view, context)
        case DropClaim():
            claims.drop(view, context)
        case Supersede():
            by = view.release(action.by)
            claims.supersede(action.versions, by, view, context)
        case Dismiss():
            notices.dismiss(action, view, context)
        case LiftHold():
            notices.lift_hold(view, context)
        case RemindHold():
            notices.remind_of_hold(view, context)
        case RefuseTag():
            notices.refuse_tag(action, view, context)
        case ReportWaiting():
            notices.report_waiting(action, view, context)
        case NoteSameImages():
            notices.note_same_images(action, view, context)
        case EndApproval():
            lifecycle.end(action, view, store=context.store, clock=context.clock, new_id=context.new_id)
        case RemindApprovers():
            lifecycle.remind(view, store=context.store, clock=context.clock, new_id=context.new_id)
        case TellMachine():
            lifecycle.answer_machine(view, store=context.store, states=context.states, clock=context.clock)
        case Observe():
            after = view.state.but(
                conditions=action.conditions,
                waiting_since=action.waiting_since,
                waiting_for=action.waiting_for,
                observed_generation=action.generation,
                health=action.health,
                listed=action.listed,
                reconciled_at=context.clock(),
            )
            context.store.write(Save(after))
        case RepairTags():
            _repair(action, view, document, context)
        case RequeueAfter():
            # Anything farther away is found by a sweep in time.
            if action.seconds <= LONGEST_DELAY:
                context.nudge.environment(view.platform, view.name, action.seconds)
        case _:
            assert_never(action)
    return None


def _repair(action: RepairTags, view: Snapshot, document: Platform, context: Context) -> None:
    """Set each tag independently; a tag that cannot be set is logged and never stops a deployment.

    ECR checks no fence, so the state says first that tags are being repaired: until that has ended, or this function
    cannot be at work any more, no deployment is claimed. One that was claimed meanwhile moves the tags itself.
    """
    now = context.clock()
    until, ours = now + AT_WORK, True

    def announce(state: EnvironmentState) -> EnvironmentState | None:
        nonlocal ours
        others = state.tagging_until is not None and state.tagging_until > now
        ours = state.active is None and state.fence == view.state.fence and not others
        return state.but(tagging_until=until) if ours else None

    if action.settings:
        context.store.update_state(view.platform, view.name, announce)
        if not ours:
            _LOG.info("moving tags left alone: somebody else moves them", extra=ids(view))
            return
    for setting in action.settings:
        try:
            moving_tags.ensure(document, setting, context.ecr)
        except (PermanentError, Refusal) as error:
            context.count("MovingTagFailed")
            _LOG.error("moving tag %s not set: %s", setting.tag, error, extra=ids(view, action.deployment or ""))
    context.store.update_state(view.platform, view.name, lambda state: _repaired(state, until, action.deployment))


def _repaired(state: EnvironmentState, until: datetime, deployment: str | None) -> EnvironmentState | None:
    own = None if state.tagging_until == until else state.tagging_until
    after = state.but(tagging_until=own, tagged=deployment)
    return None if after == state else after
