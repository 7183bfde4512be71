"""The promises that are judged when faults have stopped and everything has had its time."""

from ferryman.decisions import deployment_report
from ferryman.records import Deployment, OutboxMessage, Phase, ReleaseStatus
from ferryman.store import items, keys
from simulation.approvers import links
from simulation.documents import COMPONENTS, service
from simulation.invariants import Invariants
from simulation.people import People
from simulation.surroundings import Surroundings

TOLD = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.ROLLED_BACK, Phase.REJECTED, Phase.EXPIRED, Phase.ABORTED})
"""Outcomes of which people hear."""


def judge(world: Surroundings, people: People, invariants: Invariants) -> None:
    """Hold every promise about the end of a history."""
    for environment in invariants.environments:
        _no_claim_for_ever(world, invariants, environment)
        _nothing_is_forgotten(world, people, invariants, environment)
        _all_agree(world, invariants, environment)
    _every_execution_has_an_outcome(world, invariants)
    _everything_is_told(world, invariants)
    _no_link_is_kept(world, invariants)
    for error in world.stuck:
        invariants.break_("NoProgrammingError", error)


def _no_claim_for_ever(world: Surroundings, invariants: Invariants, environment: str) -> None:
    active = invariants.state(environment).active
    if active is not None:
        invariants.break_("NoClaimForEver", f"{active.deployment} of {active.version} still holds {environment}")


def _nothing_is_forgotten(world: Surroundings, people: People, invariants: Invariants, environment: str) -> None:
    """Every release that should come here was deployed, superseded, failed, or is held back for a reason."""
    state = invariants.state(environment)
    ended = [item for item in invariants.deployments(environment) if item.phase.terminal]
    for version, digests in people.pushed.items():
        release = invariants.release(version)
        if set(digests) != set(COMPONENTS):
            continue
        if release is None:
            invariants.break_("NothingIsForgotten", f"{version} was pushed, and there is no record of it")
            continue
        adopted = state.adopted_at is not None and release.ready_at is not None and release.ready_at <= state.adopted_at
        if adopted or release.status is ReleaseStatus.BASELINE:
            continue  # It was there before the operator.
        comes = environment == "staging" or "staging" in release.verified
        if world.variant == "semver" and environment == "production":
            comes = comes and bool(release.names)
        held = state.hold is not None or state.freeze is not None
        waits = state.waiting_for is not None and state.waiting_for.version == version
        retried = version in state.settled and state.settled[version].retry_at is not None
        if comes and not held and not waits and not retried and not any(item.version == version for item in ended):
            what = f"{version} was neither deployed in {environment} nor superseded, and nobody was told"
            invariants.break_("NothingIsForgotten", what)


def _every_execution_has_an_outcome(world: Surroundings, invariants: Invariants) -> None:
    known: dict[str, Deployment] = {}
    for environment in invariants.environments:
        known |= {item.id: item for item in invariants.deployments(environment)}
    for execution in world.machines.executions.values():
        name = execution.arn.rsplit(":", 1)[-1]
        deployment = known.get(name.rsplit("-", 1)[-1])
        if deployment is None or (execution.status != "RUNNING" and not deployment.phase.terminal):
            invariants.break_("OneOutcome", f"the execution {name} is {execution.status} and has no outcome")


def _all_agree(world: Surroundings, invariants: Invariants, environment: str) -> None:
    """What runs, what the record says and the moving tags are the same."""
    state = invariants.state(environment)
    if state.current is None or state.current.version is None:
        return
    since = [item for item in invariants.deployments(environment) if item.id > (state.current.deployment or "")]
    # Such a deployment leaves services as they are, and its record says so; the next one that changes a service puts
    # them right, forward or on its way back.
    changed = [item for item in since if item.phase is Phase.ROLLED_BACK or deployment_report.way_back(item).not_back]
    left = state.hold is not None or (changed and changed[-1].phase is not Phase.ROLLED_BACK)
    for component in COMPONENTS:
        recorded = state.current.digests.get(component)
        runs = _image_of(world, service(component, environment))
        if runs != recorded and not left:
            invariants.break_("AllAgree", f"{component} of {environment} runs {runs}, and {recorded} is recorded")
        for tag in (f"{environment}-latest", f"{environment}-current"):
            points = world.registry.tags[f"scr-{component}"].get(tag)
            if points != recorded:
                invariants.break_("AllAgree", f"{tag} of {component} points at {points}, and {recorded} is recorded")


def _no_link_is_kept(world: Surroundings, invariants: Invariants) -> None:
    """No key of a personal link is anywhere but in its mail, and each mail has a key of its own."""
    nonces = [nonce for _, _, nonce in links(world)]
    kept = str(world.table.items) + str(world.others.told) if nonces else ""
    for nonce in nonces:
        if nonce in kept:
            invariants.break_("NoSecretIsTold", "the key of a personal link is stored or told")


def _image_of(world: Surroundings, name: str) -> str:
    primary = next(item for item in world.ecs.services[name]["deployments"] if item["status"] == "PRIMARY")
    return str(world.ecs.definitions[primary["taskDefinition"]]["containerDefinitions"][0]["image"].rsplit("@", 1)[-1])


def _everything_is_told(world: Surroundings, invariants: Invariants) -> None:
    told = set()
    for partition in list(world.table.items):
        if not partition.startswith("DEPLOYMENT#"):
            continue
        for item in world.table.partition(partition, keys.OUTBOX):
            message = OutboxMessage.model_validate(items.plain(item))
            told.add(message.owner)
            if message.sent_at is None and not message.gave_up:
                invariants.break_("EverythingIsTold", f"{message.event} of {message.owner} was never sent")
    for environment in invariants.environments:
        for deployment in invariants.deployments(environment):
            if deployment.phase in TOLD and deployment.plan is not None and deployment.id not in told:
                invariants.break_("EverythingIsTold", f"nobody heard that {deployment.id} ended {deployment.phase}")
