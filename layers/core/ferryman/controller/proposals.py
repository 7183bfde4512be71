"""Bring a proposed document to its end: ask its approvers, remind them, apply what they approve, end what expired.

Called by reconcile, before it looks at a platform's environments. Each change is one transaction; whatever a crash left
undone, the next call does.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from ferryman.clients.ssm import References, values_of
from ferryman.decisions import ownership, proposal_state
from ferryman.decisions.document_changes import references as gates
from ferryman.decisions.document_changes.compare import removed
from ferryman.errors import Conflict, InvalidDocument, PermanentError, Refused
from ferryman.ids import Clock, NewId
from ferryman.messages import proposal as messages
from ferryman.messages import timeline
from ferryman.platform import Platform, parse
from ferryman.platform.claims import Claims
from ferryman.records import Actor, AppliedPlatform, Approval, EnvironmentState, EventType, Proposal
from ferryman.records.writes import Remove, Save, Unchanged, Write
from ferryman.steps import ownership_records
from ferryman.steps.request_approval import approvers_of, requester_of
from ferryman.store.table import Store
from ferryman.text import listed

_NEWEST = 10
"""Proposals that are looked at. Older ones were closed long ago, or nobody could open them any more."""

_LOG = logging.getLogger("ferryman")


@dataclass(frozen=True)
class Proposals:
    """What looking after proposals takes."""

    store: Store
    references: References
    claims: Callable[[Platform], Claims]
    """Asks AWS what a document claims."""
    adopt: Callable[[Platform], None]
    """Has environments that are new to us start from what they run now."""
    nudge: Callable[[str, str], None]
    clock: Clock
    new_id: NewId

    def tend(self, platform: str) -> None:
        """Do what is due about the proposals of a platform. Raise Conflict when somebody else kept changing them."""
        for _ in self.store.attempts(5):
            applied = self.store.find_platform(platform)
            if applied is None or applied.proposal is None:
                return
            try:
                self._tend(applied)
            except Conflict:
                continue
            return
        raise Conflict(f"the proposal of {platform} kept changing; the next run reads it again")

    def _tend(self, applied: AppliedPlatform) -> None:
        newest = self.store.proposals(applied.name, _NEWEST)
        for proposal in (item for item in newest if not item.closed):
            approvals = {name: self.store.approval(id) for name, id in proposal.approvals.items()}
            if proposal.status == "Proposed":
                ended = self._open(applied, proposal, approvals)
                if ended is None:
                    continue
                applied, proposal = ended
            self._close(applied, proposal, approvals)
            applied = self.store.platform(applied.name)

    # ── while it waits ──

    def _open(
        self, applied: AppliedPlatform, proposal: Proposal, approvals: dict[str, Approval | None]
    ) -> tuple[AppliedPlatform, Proposal] | None:
        """Do what is due about a proposal that waits; return the records after its end, or None while it waits."""
        now = self.clock()
        due = proposal_state.due(proposal, applied, approvals, now)
        if due is None:
            self._ask(applied, proposal, approvals, now)
            return None
        status, reason = due
        after = proposal.but(status=status, reason=reason, ended_at=now)
        if status != "Approved":
            self._end(applied, after)
            return applied, after.but(rev=after.rev + 1)
        try:
            return self._apply(applied, after, now)
        except PermanentError as error:
            self._note(proposal, f"it was approved and could not be applied: {error}")
            return None

    def _ask(
        self, applied: AppliedPlatform, proposal: Proposal, approvals: dict[str, Approval | None], now: datetime
    ) -> None:
        try:
            document = parse(applied.document)
            for name, approval in approvals.items():
                if approval is None:
                    self._request(applied, document, proposal, name)
                elif _to_remind(approval, now):
                    after = approval.but(reminded_at=now)
                    self.store.write(Save(after), *messages.for_reminder(after, proposal, document, now))
            if proposal.problem:
                self.store.write(Save(proposal.but(problem="")))
        except PermanentError as error:
            # An admin can apply it all the same; `ferryman proposal` says so.
            self._note(proposal, f"its approvers could not be asked: {error}")

    def _refuse_moved(self, applied: AppliedPlatform, document: Platform, name: str) -> None:
        """Raise Refused when the values that say who the approvers are have changed since they were applied."""
        moved = gates.moved_approvers(document, applied.references, name, self._values)
        if moved:
            raise Refused(
                f"the value of at least one of {listed(moved[:5])} has changed since {name} was applied with it, so "
                "nobody can tell who may decide; restore it, or have an admin apply the document with --override"
            )

    def _request(self, applied: AppliedPlatform, document: Platform, proposal: Proposal, name: str) -> None:
        policy = document.spec.environments[name].approval
        assert policy is not None
        approvers = approvers_of(policy, name, self.references)
        self._refuse_moved(applied, document, name)
        found = requester_of(proposal.proposed_by, proposal.platform, name, policy, approvers, self.references)
        approval = Approval(
            platform=proposal.platform,
            environment=name,
            deployment=proposal.approvals[name],
            fence=0,
            version=proposal.hash,
            digests={},
            proposal=proposal.id,
            requested_by=Actor(who=proposal.proposed_by, automated=False),
            requester=found.approver,
            requester_known=found.known,
            approvers=approvers,
            required=policy.required,
            # Whatever the policy says about deployments: nobody alone decides about the gates.
            requester_may_approve=False,
            allow_unverified=policy.allow_unverified,
            requested_at=self.clock(),
            expires_at=proposal.expires_at,
            remind_at=proposal.expires_at - policy.reminder if policy.reminder is not None else None,
        )
        names = ", ".join(item.name for item in approvers) or "anyone with the link"
        event = timeline.environment_event(
            proposal.platform,
            name,
            EventType.APPROVAL_REQUESTED,
            f"asked {names} to approve {approval.about} ({approval.required} needed)",
            at=approval.requested_at,
            new_id=self.new_id,
            who=proposal.proposed_by,
            detail={"proposal": proposal.id, "hash": proposal.hash, "expiresAt": proposal.expires_at.isoformat()},
        )
        mails = messages.for_request(approval, proposal, document, approval.requested_at)
        # The proposal stands in the transaction: one that has just ended asks nobody any more.
        self.store.write(Save(approval), Unchanged(proposal), event, *mails)

    def _note(self, proposal: Proposal, problem: str) -> None:
        _LOG.error("proposal %s of %s: %s", proposal.id, proposal.platform, problem)
        if proposal.problem != problem:
            self.store.write(Save(proposal.but(problem=problem)))

    # ── its end ──

    def _apply(self, applied: AppliedPlatform, approved: Proposal, at: datetime) -> tuple[AppliedPlatform, Proposal]:
        """Apply the document in one transaction with the end of its proposal."""
        if gates.fingerprint(approved.document) != approved.hash:
            raise InvalidDocument([("", "is not the document that was approved")])
        before, document = parse(applied.document), parse(approved.document)
        gone = self._gone(before, document)
        # Read first: whoever comes to own something after this has changed the register by then.
        register = self.store.ownership_register(at)
        owned = self._owned(applied, before, document, at)
        self.adopt(document)
        after = applied.but(
            generation=applied.generation + 1,
            document=document.dump(),
            applied_by=approved.proposed_by,
            applied_at=at,
            override=None,
            references=gates.hashes(document, self._values),
            removed=removed(applied.removed, applied.document, document),
        )
        event = timeline.environment_event(
            applied.name,
            None,
            EventType.APPLIED,
            f"applied generation {after.generation}, document {approved.short}: {approved.reason}",
            at=at,
            new_id=self.new_id,
            who=approved.proposed_by,
            detail={"proposal": approved.id, "hash": approved.hash},
        )
        mails = messages.for_outcome(approved, before, after.generation, at)
        # Where an environment goes, no deployment may have started meanwhile.
        stays = map(Unchanged, gone)
        self.store.write(Save(after), Save(approved), Save(register.but(at=at)), *owned, *stays, event, *mails)
        for name in document.spec.environments:
            self.nudge(applied.name, name)
        return after.but(rev=after.rev + 1), approved.but(rev=approved.rev + 1)

    def _owned(self, applied: AppliedPlatform, before: Platform, document: Platform, at: datetime) -> list[Write]:
        """Return the writes that record what the document owns; raise Refused if somebody else owns it by now."""
        claims = self.claims(document)
        records, names = ownership_records.current(self.store)
        found = ownership.judge(document, claims, before, applied.document, records, names)
        if found.problems:
            raise Refused("; ".join(f"{path}: {text}" for path, text in found.problems))
        made, gone = ownership.records_of(document.name, claims, applied.generation + 1, self.store.ownerships(), at)
        return [*map(Save, made), *map(Remove, gone)]

    def _gone(self, before: Platform, document: Platform) -> list[EnvironmentState]:
        """Return the states of what the document has no more; raise Refused while a deployment is in progress there."""
        names = before.spec.environments.keys() - document.spec.environments.keys()
        states = [self.store.state(document.name, name) for name in sorted(names)]
        for state in states:
            if state.active is not None:
                raise Refused(
                    f"deployment {state.active.deployment} is in progress in {state.environment}; it is applied after "
                    "its end"
                )
        return states

    def _values(self, named: Iterable[str]) -> dict[str, str]:
        return values_of(self.references, named)

    def _end(self, applied: AppliedPlatform, ended: Proposal) -> None:
        at = ended.ended_at or self.clock()
        event = timeline.environment_event(
            applied.name,
            None,
            EventType.APPROVAL_ENDED,
            f"document {ended.short} was not applied ({ended.status}): {ended.reason}",
            at=at,
            new_id=self.new_id,
            who="ferryman",
            detail={"proposal": ended.id, "hash": ended.hash, "status": ended.status},
        )
        document = _readable(applied)
        mails = messages.for_outcome(ended, document, applied.generation, at) if document else []
        self.store.write(Save(ended), event, *mails)

    def _close(self, applied: AppliedPlatform, proposal: Proposal, approvals: dict[str, Approval | None]) -> None:
        """End the approvals of a proposal that has ended, and tell; at last, note that nothing is left to do."""
        at, document = self.clock(), _readable(applied)
        for approval in approvals.values():
            if approval is None or approval.answered_at is not None:
                continue
            after = proposal_state.as_it_stands(approval, proposal)
            after = after.but(decided_at=after.decided_at or at, answered_at=at)
            self.store.write(Save(after), *(messages.for_ended(after, document, at) if document else []))
        done = [Save(proposal.but(closed=True))]
        if applied.proposal == proposal.id:
            done.append(Save(applied.but(proposal=None)))
        self.store.write(*done)


def _to_remind(approval: Approval, now: datetime) -> bool:
    due = approval.remind_at is not None and now >= approval.remind_at
    return due and approval.reminded_at is None and approval.open_at(now)


def _readable(applied: AppliedPlatform) -> Platform | None:
    try:
        return parse(applied.document)
    except InvalidDocument:
        return None
