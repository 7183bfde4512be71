"""Mutants by hand: at least three for each promise of the simulation, for what no rule of `python_code` makes.

Each names a text that stands exactly once in a file, and what stands there instead.
"""

from collections.abc import Iterator
from typing import NamedTuple

from mutants.mutant import PACKAGE, ROOT, Mutant
from mutants.python_code import function_at


class Defect(NamedTuple):
    """A defect, as it is written down."""

    promise: int
    """Its number in issue and README."""
    name: str
    file: str
    """Within the package, or from the repository's root with a slash before it."""
    find: str
    instead: str


DEFECTS = (
    Defect(1, "fence-of-the-deployment-before", "controller/claims.py", "context.new_id(), state.fence + 1",
           "context.new_id(), max(state.fence, 1)"),
    Defect(1, "claim-compared-without-its-fence", "store/transactions.py",
           "(active.deployment, active.fence) != (ref.deployment, ref.fence)", "active.deployment != ref.deployment"),
    Defect(1, "claim-released-at-once", "decisions/decide.py", "ended + view.mutation_timeout - now", "ended - now"),
    Defect(2, "each-run-has-its-own-token", "decisions/migration_attempts.py",
           'return f"fm-{deployment}-{attempt}" + (f"-{number}" if number is not None else "")',
           'return f"fm-{deployment}-{attempt}" + (f"-{number}" if number else "")'),
    Defect(2, "an-absent-task-never-ran", "decisions/migration_attempts.py",
           'return claim.task is None and claim.status == "Claimed" and now < claim.at + CERTAIN_UNTIL',
           "return claim.task is None"),
    Defect(2, "a-failed-migration-is-tried-again", "decisions/migration_attempts.py",
           'if last.status == "Failed" and deployment.initiated_by.automated:', 'if last.status == "failed":'),
    Defect(2, "a-success-of-another-attempt-is-not-seen", "decisions/migration_attempts.py",
           'done = next((claim for claim in claims if claim.status == "Succeeded"), None)',
           'done = claims[-1] if claims and claims[-1].status == "Succeeded" and len(claims) == 1 else None'),
    Defect(3, "images-of-the-release-as-it-is-now", "decisions/admission.py",
           "if {name: found.get(name) for name in deployment.digests} == deployment.digests:",
           "if set(found) >= set(deployment.digests):"),
    Defect(3, "the-approved-digests-are-not-compared", "decisions/admission.py",
           "(approval.version, approval.digests) != (deployment.version, deployment.digests)",
           "approval.version != deployment.version"),
    Defect(3, "the-tag-is-not-looked-at-again", "steps/promote_images.py",
           "wrong = self._wrong_after()", "wrong = None"),
    Defect(4, "what-runs-is-not-the-limit", "decisions/candidates.py",
           "return view.current is not None and release.order <= view.current.order", "return False"),
    Defect(4, "a-settled-newer-release-is-no-limit", "decisions/candidates.py",
           "decided = max(decided or done, done)\n        elif _may_come_after(decided, found):\n            waits",
           "decided = None\n        elif _may_come_after(decided, found):\n            waits"),
    Defect(4, "an-older-release-supersedes-a-newer-pending-one", "decisions/candidates.py",
           "if brought is None or release.order >= by.order or release.version in decided",
           "if brought is None or release.order == by.order or release.version in decided"),
    Defect(5, "a-second-outcome-is-recorded", "steps/record_outcome.py",
           "if not deployment.phase.terminal:", "if True:"),
    Defect(5, "an-errored-deployment-is-tried-for-ever", "decisions/after_outcome.py",
           "attempts <= len(ERRORED_BACKOFF)", "attempts <= 10_000"),
    Defect(5, "an-execution-that-timed-out-is-not-heard-of", "/template.yaml",
           "[SUCCEEDED, FAILED, TIMED_OUT, ABORTED]", "[SUCCEEDED, FAILED, ABORTED]"),
    Defect(6, "the-requester-may-approve", "decisions/approval_rules.py",
           'if attempt.verdict == "approve" and voters.is_barred(approval, _name(approval, attempt)):',
           'if attempt.verdict == "approve" and attempt.how != "slack" and voters.is_barred(approval, attempt.name):'),
    Defect(6, "an-approval-counts-after-its-expiry", "decisions/approval_rules.py",
           'if approval.expired_at(now):\n        return no("Expired", _expired(approval))',
           'if approval.expired_at(now) and not approval.decisions:\n        return no("Expired", _expired(approval))'),
    Defect(6, "entries-are-counted-not-people", "decisions/approval_rules.py",
           "names = voters.same_person(approval, _name(approval, attempt))", "names = {folded(attempt.name)}"),
    Defect(6, "one-approval-is-enough", "decisions/approval_rules.py", "if given < approval.required:",
           "if given < min(approval.required, 1):"),
    Defect(7, "head-runs-the-post-route", "api/serve_api.py", "if params is not None and accepted == method:",
           'if params is not None and (accepted == method or (method == "HEAD" and accepted == "POST")):'),
    Defect(7, "an-expired-page-writes", "approvals/web/decision_page.py", 'if over.kind != "AlreadyDecided":',
           'if over.kind == "Expired":\n        from ferryman.records.writes import Save\n'
           '        desk.store.write(Save(approval.but(status="Expired")))\n'
           '    if over.kind != "AlreadyDecided":'),
    Defect(7, "a-page-is-counted", "approvals/web/decision_page.py",
           "    question = _question(records, visitor, now, pause)",
           "    from ferryman.records.writes import Save\n"
           "        desk.store.write(Save(approval.but(refused=approval.refused + 1)))\n"
           "        question = _question(records, visitor, now, pause)"),
    Defect(7, "a-look-at-an-environment-is-recorded", "api/read.py",
           "    releases = operator.store.releases(document.name)\n    tags = ",
           "    from ferryman.records.writes import Save\n"
           "    operator.store.write(Save(operator.store.state(document.name, name)))\n"
           "    releases = operator.store.releases(document.name)\n    tags = "),
    Defect(8, "a-late-release-is-forgotten", "decisions/candidates.py", "    by = newest or view.current\n",
           "    by = view.current\n"),
    Defect(8, "no-retry-of-what-errored", "decisions/after_outcome.py", "retry_at = at + ERRORED_BACKOFF[attempts - 1]",
           "retry_at = None"),
    Defect(8, "a-hold-is-never-told", "decisions/after_outcome.py",
           "return state.but(hold=Hold(reason=judgement.hold, who=\"ferryman\", at=at).instead_of(standing))",
           "return state"),
    Defect(9, "a-failed-message-is-given-up-at-once", "notify/delivery.py",
           "gave_up = pacing.failures_of(message) >= pacing.ATTEMPTS", "gave_up = True"),
    Defect(9, "a-message-is-sent-before-it-is-claimed", "notify/delivery.py",
           "if self.store.mark(claimed, since=message.attempts) else []",
           "if self.store.mark(claimed, since=message.attempts) or True else []"),
    Defect(9, "a-failed-message-counts-as-sent", "notify/delivery.py",
           "after = [_failed(message, _reason(error)) for message in messages]",
           'after = [(message.but(sent_at=self.clock()), "sent") for message in messages]'),
    Defect(10, "a-refusal-is-told-as-it-is", "api/http.py", '"message": redacted(str(error)), "problems": problems',
           '"message": str(error), "problems": problems'),
    Defect(10, "a-pasted-link-is-kept", "approvals/record_decision.py",
           "one_line(link_tokens.hidden(approval, text[: limit * 2]), limit=limit)", "one_line(text, limit=limit)"),
    Defect(10, "execution-data-is-logged", "/template.yaml",
           "PublishRelease: !GetAtt PublishRelease.Arn\n      Logging:\n        Level: ERROR\n"
           "        # Inputs contain task tokens, which must not be logged.\n        IncludeExecutionData: false",
           "PublishRelease: !GetAtt PublishRelease.Arn\n      Logging:\n        Level: ERROR\n"
           "        IncludeExecutionData: true"),
    Defect(10, "execution-data-of-the-second-machine-is-logged", "/template.yaml",
           "FinishDeployment: !GetAtt FinishDeployment.Arn\n      Logging:\n        Level: ERROR\n"
           "        # Inputs contain task tokens, which must not be logged.\n        IncludeExecutionData: false",
           "FinishDeployment: !GetAtt FinishDeployment.Arn\n      Logging:\n        Level: ERROR\n"
           "        IncludeExecutionData: true"),
    Defect(11, "a-missing-execution-is-not-started-again", "decisions/decide.py",
           "if view.execution is Execution.MISSING:\n        return Redrive()",
           "if view.execution is Execution.MISSING:\n        return None"),
    Defect(11, "a-claim-is-kept-after-the-outcome", "decisions/decide.py",
           "return DropClaim() if wait <= 0 else RequeueAfter(math.ceil(wait))", "return RequeueAfter(60)"),
    Defect(11, "a-pending-approval-keeps-a-dead-execution", "decisions/decide.py",
           'return EndApproval("Aborted", "the execution that requested it has ended", "ferryman")', "return None"),
    Defect(12, "a-hold-after-the-claim-counts-only-for-people", "decisions/admission.py",
           "(deployment.initiated_by.automated or hold.at > deployment.created_at)",
           "deployment.initiated_by.automated and hold.at < deployment.created_at"),
    Defect(12, "a-freeze-without-an-end-has-ended", "decisions/freeze_windows.py",
           "(freeze.until is None or freeze.until > now)", "(freeze.until is not None and freeze.until > now)"),
    Defect(12, "the-last-gate-does-not-check-the-state", "steps/admit_deployment.py",
           "found = (self.applied, self.state, self.source, self.release, self.approval)",
           "found = (self.applied, None, None, self.release, self.approval)"),
    Defect(12, "the-last-gate-does-not-check-the-source", "steps/admit_deployment.py",
           "found = (self.applied, self.state, self.source, self.release, self.approval)",
           "found = (self.applied, self.state, None, self.release, self.approval)"),
    Defect(13, "what-was-left-alone-has-no-way-back", "decisions/after_outcome.py",
           "definitions, bases = dict(known.task_definitions), dict(known.bases)",
           "definitions, bases = dict[str, str](), dict(known.bases)"),
    Defect(13, "the-way-back-goes-first-wave-first", "/statemachines/deploy.asl.json", "$reverse($waves)", "$waves"),
    Defect(13, "an-untouched-service-is-taken-back", "decisions/wave_order.py",
           "return step is not None and step.rollout is not None and step.rollout.task_definition is not None",
           "return True"),
    Defect(13, "back-to-what-ran-when-it-began", "steps/update_service.py",
           "arn = str(self._planned.rollback_task_definition)", 'arn = service["taskDefinition"]'),
    Defect(14, "a-release-that-was-left-is-not-settled", "decisions/after_outcome.py",
           "settled[left] = Settled(phase=Phase.ROLLED_BACK, reason=LEFT_BY_ROLLBACK, at=at, tag=tag)", "pass"),
    Defect(14, "previous-is-a-release-that-was-left", "decisions/after_outcome.py",
           "found = good_before(version, {left, *state.settled}, history, releases)",
           "found = good_before(version, set(), history, releases)"),
    Defect(14, "a-rollback-sets-no-hold", "decisions/requests/rollback.py",
           "state.but(requested=wish, hold=_hold(state, release, wanted)),", "state.but(requested=wish),"),
    Defect(15, "a-mismatch-is-accepted", "decisions/requests/rollback.py", "accepted=wanted.accept_mismatch",
           "accepted=True"),
    Defect(15, "a-reverted-migration-counts", "decisions/migration_attempts.py",
           'claim.status == "Succeeded" and _OWN not in claim.version', "_OWN not in claim.version"),
    Defect(15, "the-last-migration-is-that-of-the-first-claim", "decisions/migration_attempts.py",
           "return release_of(max(done, key=lambda claim: claim.at)) if done else None",
           "return release_of(min(done, key=lambda claim: claim.at)) if done else None"),
    Defect(16, "what-runs-is-what-was-there", "decisions/after_outcome.py",
           "digests = {**known.digests, **deployment.digests}", "digests = {**deployment.digests, **known.digests}"),
    Defect(16, "an-outcome-of-nothing-is-a-success", "decisions/outcome.py",
           "return all(deployment.step(key) is not None for key in deployment_steps.required(deployment))",
           "return True"),
    Defect(16, "a-moving-tag-is-not-repaired", "decisions/decide.py",
           "actions: list[Action] = [*_observe(view, now), *_repair_tags(view)]",
           "actions: list[Action] = [*_observe(view, now)]"),
)  # fmt: skip


def mutants_by_hand() -> Iterator[Mutant]:
    """Yield them. Raise ValueError for one whose text does not stand exactly once in its file."""
    for defect in DEFECTS:
        file = defect.file[1:] if defect.file.startswith("/") else PACKAGE + defect.file
        source = (ROOT / file).read_bytes()
        count, at = source.count(defect.find.encode()), source.find(defect.find.encode())
        if count != 1:
            raise ValueError(f"by hand: {defect.name}: its text stands {count} times in {file}; write it anew")
        function = function_at(source, at) if file.endswith(".py") else ""
        yield Mutant(
            "by-hand", file, function, at, at + len(defect.find.encode()), defect.instead,
            f"({defect.promise}) {defect.name}", f"by-hand:{defect.promise}:{defect.name}",
        )  # fmt: skip
