"""The promises, as code. Each has a name; the numbers are those of the README.

Most are held after every step: they watch what is written to the table and what is done to AWS. The others can only be
judged when faults have stopped and everything has had its time (`at_the_end`).
"""

from typing import Any

from ferryman.records import AppliedPlatform, Approval, Deployment, EnvironmentState, Phase, Proposal, Release
from ferryman.records.base import Record
from ferryman.store import keys
from simulation.documents import COMPONENTS, PEOPLE, PLATFORM, service
from simulation.people import WHATEVER, People
from simulation.surroundings import Effect, Surroundings

Item = dict[str, Any]
_TOKEN = "AQC+task/token"


class Invariants:
    """Watches one world."""

    def __init__(self, world: Surroundings, people: People) -> None:
        self._world, self._people = world, people
        self.broken: list[tuple[str, str]] = []
        """(name of the promise, what happened)."""
        self.environments = list(world.document["spec"]["environments"])
        self._seen: set[str] = set()
        """Tasks whose approval was looked at."""
        self._taken_back: dict[str, list[int]] = {}
        """Deployment → its waves of which a service went back, in this order."""
        world.table.observers.append(self._written)
        world.watch = self._done

    def break_(self, name: str, what: str) -> None:
        """Note a broken promise."""
        self.broken.append((name, f"at {self._world.scheduler.seconds:.2f} s: {what}"))

    # ── what others read ──

    def state(self, environment: str) -> EnvironmentState:
        """Return an environment's state as it is now."""
        found = self._world.table.get(*keys.state(PLATFORM, environment).values())
        if found is None:
            return EnvironmentState(platform=PLATFORM, environment=environment)
        return EnvironmentState.model_validate(self._world.read.of(found))

    def deployments(self, environment: str) -> list[Deployment]:
        """Return the deployments of an environment, oldest first."""
        found = self._world.table.partition(keys.environment(PLATFORM, environment), keys.DEPLOYMENT)
        return [Deployment.model_validate(self._world.read.of(item)) for item in found]

    def release(self, version: str) -> Release | None:
        """Return a release."""
        found = self._world.table.get(*keys.release(PLATFORM, version).values())
        return None if found is None else Release.model_validate(self._world.read.of(found))

    def _both[R: Record](self, model: type[R], before: Item | None, after: Item) -> tuple[R | None, R]:
        old = model.model_validate(self._world.read.of(before)) if before is not None else None
        return old, model.model_validate(self._world.read.of(after))

    # ── after every step ──

    def _written(self, before: Item | None, after: Item | None) -> None:
        if after is None:
            return
        pk, sk = after["pk"]["S"], after["sk"]["S"]
        if sk == "STATE":
            self._state_changed(*self._both(EnvironmentState, before, after))
        elif pk.startswith("ENV#"):
            self._deployment_changed(*self._both(Deployment, before, after))
        elif pk == keys.PLATFORMS and before is not None:
            self._document_changed(*self._both(AppliedPlatform, before, after))
        elif sk == "APPROVAL":
            self._approval_changed(*self._both(Approval, before, after))
        elif pk.startswith("DEPLOYMENT#") and _TOKEN in str(after):
            self.break_("NoSecretIsTold", f"{sk} holds a task token")

    def _state_changed(self, before: EnvironmentState | None, after: EnvironmentState) -> None:
        old = before or EnvironmentState(platform=after.platform, environment=after.environment)
        name = "OneClaimHolder"
        if after.fence < old.fence:
            self.break_(name, f"the fence of {after.environment} fell from {old.fence} to {after.fence}")
        if after.active is not None and (old.active is None or old.active.deployment != after.active.deployment):
            if old.active is not None:
                self.break_(name, f"{after.active.deployment} took the claim of {old.active.deployment}")
            if after.active.fence != after.fence or after.fence <= old.fence:
                self.break_(name, f"the claim of {after.active.deployment} has the fence {after.active.fence}")
        if after.current is not None and (old.current is None or old.current.version != after.current.version):
            self._runs_now(old, after)

    def _runs_now(self, old: EnvironmentState, after: EnvironmentState) -> None:
        """Hold `OrderNeverRegresses`: only a person's deployment may bring an older release."""
        assert after.current is not None
        was, now = (self.release(item.version or "") if item else None for item in (old.current, after.current))
        if was is None or now is None or now.order >= was.order or after.current.deployment is None:
            return
        found = self._world.table.get(*keys.deployment(PLATFORM, after.environment, after.current.deployment).values())
        if found is None:
            return
        deployment = Deployment.model_validate(self._world.read.of(found))
        asked = deployment.requested_by or deployment.initiated_by
        if asked.automated:
            self.break_(
                "OrderNeverRegresses", f"{after.environment} went from {was.version} to {now.version} by itself"
            )

    def _deployment_changed(self, before: Deployment | None, after: Deployment) -> None:
        was = before.phase if before is not None else None
        if was is not None and was.terminal and after.phase is not was:
            self.break_("OneOutcome", f"{after.id} had ended {was} and became {after.phase}")
        if after.phase is Phase.RUNNING and was is not Phase.RUNNING:
            self._may_run(after)

    def _may_run(self, deployment: Deployment) -> None:
        """Hold `HoldsHold`, and `PromotedAsVerified` for what is promoted."""
        state, now = self.state(deployment.environment), self._world.scheduler.now()
        stopped = deployment.initiated_by.automated and deployment.kind != "rollback"
        if stopped and state.hold is not None:
            self.break_("HoldsHold", f"{deployment.version} became Running while {deployment.environment} is on hold")
        freeze = state.freeze
        passes = deployment.kind == "rollback" or deployment.command == "current"
        if not passes and freeze is not None and (freeze.until is None or freeze.until > now):
            self.break_("HoldsHold", f"{deployment.version} became Running while {deployment.environment} is frozen")
        settled = state.settled.get(deployment.version)
        if deployment.initiated_by.automated and settled is not None and settled.retry_at is None:
            what = f"{deployment.version} runs again by itself, although it ended {settled.phase} ({settled.reason})"
            self.break_("SettledStays", what)
        if deployment.kind == "rollback":
            self._fits(deployment, state)
        source = self._world.document["spec"]["environments"][deployment.environment].get("promoteFrom")
        release = self.release(deployment.version)
        if source is None or release is None or deployment.kind not in ("deploy", "retry"):
            return
        proof = release.verified.get(source)
        if proof is None or proof.digests != deployment.digests:
            self.break_("PromotedAsVerified", f"{deployment.version} runs with images that {source} has not verified")

    def _fits(self, deployment: Deployment, state: EnvironmentState) -> None:
        """Hold `RollbackFits`: no way back over a migration that is not rollback-safe, unless a person accepts it."""
        runs, people = state.current.version if state.current else None, self._people
        known = people.migrations
        if not people.declares or deployment.why == WHATEVER or deployment.command is not None or runs not in known:
            return
        # What ran before the operator lists nothing.
        start = known.index(deployment.version) + 1 if deployment.version in known else 0
        over = [name for name in known[start : known.index(runs) + 1] if name in people.unsafe]
        if over:
            what = f"{deployment.environment} goes from {runs} back to {deployment.version} over {', '.join(over)}"
            self.break_("RollbackFits", what)

    def _approval_changed(self, before: Approval | None, after: Approval) -> None:
        name = "DecidedOnce"
        was = before.status if before is not None else "Pending"
        if was not in ("Pending", after.status):
            self.break_(name, f"the approval of {after.deployment} was {was} and became {after.status}")
        if after.status == "Approved" and was == "Pending":
            if len(set(after.approved_by)) < after.required:
                self.break_(name, f"{after.deployment} was approved by {after.approved_by}, {after.required} required")
            if after.decided_at is None or after.decided_at >= after.expires_at:
                self.break_(name, f"{after.deployment} was approved after its expiry")

    def _document_changed(self, before: AppliedPlatform | None, after: AppliedPlatform) -> None:
        """Hold `GatesHold`: only approvers weaken a gate, as many as it requires and not who asks, or an admin."""
        assert before is not None
        was, required = _required(before), _required(after)
        if required >= was:
            return
        if after.override is not None:
            if after.applied_by != PEOPLE["ada"]:
                self.break_("GatesHold", f"{after.applied_by} overrode the gates and is no admin")
            return
        proposals = self._world.table.partition(keys.proposals(PLATFORM))
        found = [Proposal.model_validate(self._world.read.of(item)) for item in proposals]
        said = [item for item in found if item.document == after.document and item.generation == before.generation]
        for proposal in said:
            item = self._world.table.get(*keys.approval(proposal.approvals["production"]).values())
            approval = Approval.model_validate(self._world.read.of(item)) if item is not None else None
            if approval is None or approval.status != "Approved" or approval.version != proposal.hash:
                continue
            people = {decision.name for decision in approval.decisions if decision.verdict == "approve"}
            if len(people) >= was and not any(PEOPLE[name] == proposal.proposed_by for name in people):
                return
        self.break_("GatesHold", f"{required} instead of {was} approvals are required now, and nobody approved that")

    def _done(self, effect: Effect) -> None:
        payload = effect.payload if isinstance(effect.payload, dict) else {}
        method = payload.get("requestContext", {}).get("http", {}).get("method")
        if method in ("GET", "HEAD", "OPTIONS") and not _spends_a_proof(effect.request):
            self.break_("ReadsWriteNothing", f"{effect.function} did {effect.operation} for {payload['rawPath']}")
        if effect.operation == "put_image" and effect.function == "reconcile":
            self._repairs(effect)
        elif effect.operation in ("update_service", "run_task", "put_image") and "deployment" in payload:
            self._holds_claim(effect, payload)
        if effect.operation == "update_service":
            self._goes_to(effect, payload)

    def _holds_claim(self, effect: Effect, payload: dict[str, Any]) -> None:
        active = self.state(payload["environment"]).active
        if active is None or active.deployment != payload["deployment"]:
            holder = active.deployment if active is not None else "nobody"
            what = f"{effect.operation} of {payload['deployment']} while {holder} holds {payload['environment']}"
            self.break_("OneClaimHolder", what)

    def _repairs(self, effect: Effect) -> None:
        tag = effect.request["imageTag"]
        environment = next((name for name in self.environments if tag.startswith(f"{name}-")), "")
        active = self.state(environment).active
        if active is not None:
            self.break_("OneClaimHolder", f"reconcile moved {tag} while {active.deployment} holds {environment}")

    def _goes_to(self, effect: Effect, payload: dict[str, Any]) -> None:
        """Hold `OnlyWhatWasAskedFor`: forward to the release's own digest, back to the last success."""
        environment, name = payload["environment"], payload["service"]
        definition = self._world.ecs.definitions[effect.request["taskDefinition"]]
        image = definition["containerDefinitions"][0]["image"].rsplit("@", 1)[-1]
        component = next(item for item in COMPONENTS if service(item, environment) == name)
        found = self._world.table.get(*keys.deployment(PLATFORM, environment, payload["deployment"]).values())
        digests = found["digests"]["M"] if found is not None else {}
        last = self.state(environment).last_succeeded
        if payload["direction"] == "back":
            wave, taken = COMPONENTS.index(component), self._taken_back.setdefault(payload["deployment"], [])
            if wave not in taken and any(earlier < wave for earlier in taken):
                self.break_("LastWaveFirst", f"{name} goes back after a service of an earlier wave")
            taken.append(wave)
        if payload["direction"] == "forward":
            if digests.get(component, {}).get("S") != image:
                self.break_("OnlyWhatWasAskedFor", f"{name} goes to {image}, which is not of {payload['deployment']}")
        elif last is not None and last.digests.get(component, image) != image:
            self.break_("BackToTheLastSuccess", f"{name} goes back to {image}, which is not the last that succeeded")

    def at_rest(self) -> None:
        """Hold what can be looked at after any step and costs a little more: the one-off tasks."""
        for environment in self.environments:
            tasks = [
                task for task in self._world.ecs.tasks.values() if task["group"] == f"family:scr-migrate-{environment}"
            ]
            if sum(task["lastStatus"] != "STOPPED" for task in tasks) > 1:
                self.break_("OneMigration", f"two migrations run in {environment} at the same time")
            # Of a task that was stopped nobody knows whether it was ready, whatever its exit code: another one may run.
            ended = [task for task in tasks if task["containers"][0].get("exitCode") == 0 and _by_itself(task)]
            self._approved(environment, tasks)
            up = [
                (task["containers"][0]["imageDigest"], *_command(task))
                for task in ended
                if not {"down", "current"} & set(_command(task)) and not self._is_command(environment, task)
            ]
            down = any("down" in _command(task) for task in ended)
            if len(set(up)) != len(up) and not down:
                self.break_("OneMigration", f"a migration succeeded twice in {environment}")

    def _deployment_of(self, environment: str, task: dict[str, Any]) -> Deployment | None:
        """Return the deployment that a one-off task belongs to."""
        # `fm-<deployment>-<attempt>`: decisions.migration_attempts.client_token
        id = str(task["startedBy"]).split("-")[1]
        found = self._world.table.get(*keys.deployment(PLATFORM, environment, id).values())
        return Deployment.model_validate(self._world.read.of(found)) if found is not None else None

    def _is_command(self, environment: str, task: dict[str, Any]) -> bool:
        """Tell whether a person asked for a task; that may succeed as often as people ask."""
        deployment = self._deployment_of(environment, task)
        return deployment is not None and deployment.command is not None

    def _approved(self, environment: str, tasks: list[dict[str, Any]]) -> None:
        """Hold `OnlyApprovedCommands`: where people approve, they approved each task, or an admin overrode that."""
        if "approval" not in self._world.document["spec"]["environments"][environment]:
            return
        for task in tasks:
            if task["taskArn"] in self._seen or _command(task) == ["migrate", "current"]:
                continue
            self._seen.add(task["taskArn"])
            deployment = self._deployment_of(environment, task)
            if deployment is None or (not deployment.approved_by and not deployment.override):
                self.break_(
                    "OnlyApprovedCommands", f"{_command(task)} of {task['startedBy']} ran without anybody's yes"
                )
            elif deployment.override and deployment.initiated_by.who != PEOPLE["ada"]:
                self.break_("OnlyApprovedCommands", f"{deployment.initiated_by.who} overrode it and is no admin")


def _required(applied: AppliedPlatform) -> int:
    """Return how many people have to approve in production."""
    production = applied.document["spec"]["environments"].get("production", {})
    return int((production.get("approval") or {}).get("required", 0))


def _spends_a_proof(request: dict[str, Any]) -> bool:
    """Tell whether a write only notes that a proof of identity was used, which each request of the API does."""
    puts = [action.get("Put", {}) for action in request.get("TransactItems", [{}])]
    return all(put.get("Item", {"pk": {"S": ""}})["pk"]["S"].startswith("PROOF#") for put in puts)


def _by_itself(task: dict[str, Any]) -> bool:
    return bool(task.get("stopCode") == "EssentialContainerExited")


def _command(task: dict[str, Any]) -> list[str]:
    return list(task["overrides"]["containerOverrides"][0]["command"])
