"""Adopt what runs: the first `apply` of an environment deploys nothing.

Called by serve_api's apply, before the document is stored: until then nothing acts on what is written here.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ferryman.clients import ecr as ecr_edge
from ferryman.clients import ecs as ecs_edge
from ferryman.clients import task_containers, task_definitions
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECRClient, ECSClient, ECSService, MakeClient
from ferryman.clients.ssm import References
from ferryman.decisions import image_address
from ferryman.decisions.pinned_images import with_room, written
from ferryman.errors import Conflict, NotFound
from ferryman.ids import Clock, NewId
from ferryman.messages import timeline
from ferryman.platform import Environment, Platform, classify
from ferryman.records import (
    AdoptedImages,
    EnvironmentState,
    EventType,
    Image,
    Release,
    ReleaseStatus,
    Running,
    Target,
    step_keys,
)
from ferryman.records.writes import Add, Save, Write
from ferryman.releases import new_history, semver_tags
from ferryman.releases.assembly import frozen
from ferryman.releases.semver_tags import Names
from ferryman.store.table import Store
from ferryman.text import listed


@dataclass(frozen=True)
class _Adopter:
    store: Store
    ecs: ECSClient
    ecr: ECRClient
    references: References
    client: MakeClient
    clock: Clock
    new_id: NewId


def adopt(
    document: Platform,
    *,
    store: Store,
    ecs: ECSClient,
    ecr: ECRClient,
    references: References,
    client: MakeClient,
    clock: Clock,
    new_id: NewId,
) -> None:
    """Make every environment that the stored document lacks start from what it runs now, with a history of its own.

    Call it for each document that differs from the stored one, before it is stored: existing version tags that the
    stored one does not know (`_read_anew`) become part of Baseline releases. Safe to run again. Raise
    ReferenceUnresolved when a cluster or base can't be resolved.
    """
    adopter = _Adopter(store, ecs, ecr, references, client, clock, new_id)
    applied = store.find_platform(document.name)
    before: dict[str, Any] = applied.document["spec"] if applied else {"components": {}, "environments": {}}
    anew = _read_anew(document, before)
    _record_baseline(document, anew, adopter)
    if anew:
        _take_over_names(document, adopter)
    for name, environment in document.spec.environments.items():
        state = store.state(document.name, name)
        if state.rev and name not in before["environments"] and state.active is None:
            # A name that is used again; or an apply that died before it stored the document, which is repeated whole.
            state = new_history.begin(store, state, clock())
        elif state.rev or state.fence:
            continue
        store.write(*_adopted(document, name, environment, state, adopter))


def _read_anew(document: Platform, before: dict[str, Any]) -> list[str]:
    """Return the components of whose existing tags the stored document (`spec` of it) knows nothing. Pure.

    New ones, those with another repository, and all when tags are read by another pattern: else the next sweep would
    take years of old tags for pushes whose events were lost, and deploy one of them.
    """
    if before.get("tagPattern") != document.spec.tag_pattern:
        return list(document.spec.components)
    known = {name: component.get("repository") for name, component in before["components"].items()}
    return [name for name, component in document.spec.components.items() if known.get(name) != component.repository]


def _record_baseline(document: Platform, components: Collection[str], adopter: _Adopter) -> None:
    """Write down what ECR has of these components, version by version; releases that are complete stay as they are."""
    now = adopter.clock()
    found: dict[str, dict[str, Image]] = {}
    for component in components:
        for image in ecr_edge.tagged_images(adopter.ecr, document.spec.components[component].repository):
            for text in image.tags:
                tag = classify(text, document)
                if tag.version is not None:
                    # For releases that are never started by themselves, the push time is good enough an order.
                    seen = min(image.pushed_at, now)
                    found.setdefault(tag.version, {})[component] = Image(
                        digest=image.digest, tag=text, first_seen_at=seen
                    )  # fmt: skip
    for version, images in found.items():
        _write_baseline(document, version, images, adopter)


def _take_over_names(document: Platform, adopter: _Adopter) -> None:
    """Write down which release each semver tag names that is there already: none of them starts anything."""
    parts = document.spec.components
    images = {name: list(ecr_edge.tagged_images(adopter.ecr, part.repository)) for name, part in parts.items()}
    names = Names(adopter.store, adopter.clock, adopter.new_id, lambda _: None)
    for name, carried in sorted(semver_tags.of_images(document, images).items()):
        names.record_tag(document, name, carried, quiet=True)


def _write_baseline(document: Platform, version: str, images: dict[str, Image], adopter: _Adopter) -> None:
    for _ in adopter.store.attempts():
        release = adopter.store.release(document.name, version)
        if release is None:
            release = Release(
                platform=document.name,
                version=version,
                status=ReleaseStatus.BASELINE,
                first_seen_at=max(image.first_seen_at for image in images.values()),
                ulid=adopter.new_id(),
            )
        missing = {name: image for name, image in images.items() if name not in release.components}
        if not missing or release.status is ReleaseStatus.READY or frozen(release, document.spec.components):
            return
        try:
            adopter.store.write(Save(release.but(components={**release.components, **missing})))
        except Conflict:
            continue
        return
    raise Conflict(f"release {version} kept changing; apply again")


def _adopted(
    document: Platform, name: str, environment: Environment, state: EnvironmentState, adopter: _Adopter
) -> list[Write]:
    now = adopter.clock()
    found = _running(document, environment, adopter)
    digests, definitions = found.digests, found.task_definitions
    # Where containers of one component run different images, no release is what runs.
    release = _release_of(digests, adopter.store.releases(document.name)) if not found.differing else None
    version = release.version if release else None
    target = Target(version=version, deployment=None, digests=digests, task_definitions=definitions, bases=found.bases)
    pinned = with_room(found.pinned)
    adopted = AdoptedImages(platform=document.name, environment=name, images=pinned, at=now)
    message, at = _summary(version, found), now
    return [
        Save(
            state.but(
                adopted_at=now,
                current=Running(version=version, deployment=None, digests=digests, at=now) if digests else None,
                last_succeeded=target if definitions else None,
            )
        ),
        *([Add(adopted)] if pinned else []),
        timeline.environment_event(
            document.name, name, EventType.ADOPTED, message, at=at, new_id=adopter.new_id, who="ferryman"
        ),
    ]


@dataclass
class _Found:
    """What the services of an environment run."""

    digests: dict[str, str] = field(default_factory=dict)
    """Component → digest; the first that was found, where containers differ."""
    task_definitions: dict[str, str] = field(default_factory=dict)
    """Service → ARN."""
    bases: dict[str, str] = field(default_factory=dict)
    """Service → ARN of its base task definition."""
    pinned: dict[str, str] = field(default_factory=dict)
    """ARN of a task definition that names tags → the images that it runs."""
    differing: list[str] = field(default_factory=list)
    """`worker of scr-api`: containers that run another image of their component than the first one."""


def _running(document: Platform, environment: Environment, adopter: _Adopter) -> _Found:
    """Read what the services that exist run, in every container that a deployment would change."""
    cluster = adopter.references.text(environment.cluster)
    live = ecs_edge.services(adopter.ecs, cluster, [service.name for service in environment.services])
    addresses = _addresses(document, environment, adopter)
    found = _Found()
    # Services with tasks first: what is scaled to zero runs nothing, and says something only where nothing else does.
    for service in sorted(environment.services, key=lambda one: live.get(one.name, {}).get("desiredCount") == 0):
        raw = live.get(service.name)
        if raw is None or raw.get("status") != "ACTIVE":
            continue
        definition = ecs_edge.task_definition(adopter.ecs, raw["taskDefinition"])
        arn = found.task_definitions[service.name] = str(definition["taskDefinitionArn"])
        base = ecs_edge.find_task_definition(
            adopter.ecs, adopter.references.text(service.base_task_definition or arn)
        )  # fmt: skip
        if base is not None:
            found.bases[service.name] = str(base["taskDefinitionArn"])
        images = task_definitions.images_of(definition)
        assigned = task_containers.assign(definition, task_containers.uses(service), addresses).containers
        tagged = {
            container: component
            for component, containers in assigned.items()
            for container in containers
            if not image_address.digest_of(images[container])
        }
        if tagged:
            run = _running_digests(raw, arn, adopter) if raw.get("desiredCount") else {}
            _pin(arn, images, tagged, run, document, addresses, adopter, found)
        for component, containers in assigned.items():
            # The main container first: what it runs is what the environment runs.
            for container in sorted(containers, key=lambda name: name != service.container_name):
                digest = _digest(images[container], document, component, addresses, adopter.ecr)
                if digest is None or (raw.get("desiredCount") == 0 and component in found.digests):
                    continue
                if found.digests.setdefault(component, digest) != digest:
                    found.differing.append(f"{container} of {service.name}")
    if environment.jobs:
        _adopt_jobs(document, environment, addresses, adopter, found)
    return found


def _running_digests(service: ECSService, definition: str, adopter: _Adopter) -> dict[str, str]:
    """Return container → the image that most running tasks of a service run; empty where they can't be read."""
    try:
        tasks = ecs_edge.running_tasks(adopter.ecs, service["clusterArn"], service["serviceName"], definition)
    except Refusal:
        return {}
    told: dict[str, Counter[str]] = {}
    for task in tasks:
        for container in task.get("containers", []):
            if container.get("imageDigest"):
                told.setdefault(container["name"], Counter())[container["imageDigest"]] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in told.items()}


def _pin(
    definition: str,
    images: Mapping[str, str],
    tagged: Mapping[str, str],
    run: Mapping[str, str],
    document: Platform,
    addresses: Mapping[str, str],
    adopter: _Adopter,
    found: _Found,
) -> None:
    """Note the images of the containers that name tags (`tagged`: container → component): what runs, or else the tag's.

    ECS would resolve the tag anew on a way back, and it may have moved.
    """
    digests = {
        container: digest
        for container, component in tagged.items()
        if (digest := run.get(container) or _digest(images[container], document, component, addresses, adopter.ecr))
    }
    if digests:
        found.pinned[definition] = written(digests)


def _adopt_jobs(
    document: Platform, environment: Environment, addresses: Mapping[str, str], adopter: _Adopter, adopted: _Found
) -> None:
    """Add what the targets of the jobs name now. Which release runs is told by the services alone."""
    # Imported here: most environments have no jobs.
    from ferryman.clients import job_targets

    for job in environment.jobs:
        found = job_targets.find(adopter.client, job_targets.place_of(job))
        if found is None or not found.task_definition:
            continue
        key = step_keys.job(job.name)
        adopted.task_definitions[key] = found.task_definition
        definition = ecs_edge.find_task_definition(adopter.ecs, found.task_definition)
        if definition is not None:
            images = task_definitions.images_of(definition)
            containers = task_containers.assign(definition, task_containers.uses(job), addresses).containers
            tagged = {
                name: job.component
                for name in containers.get(job.component, [])
                if not image_address.digest_of(images[name])
            }
            _pin(str(definition["taskDefinitionArn"]), images, tagged, {}, document, addresses, adopter, adopted)
        named = adopter.references.text(job.base_task_definition or found.task_definition)
        base = ecs_edge.find_task_definition(adopter.ecs, named)
        if base is not None:
            adopted.bases[key] = str(base["taskDefinitionArn"])


def _addresses(document: Platform, environment: Environment, adopter: _Adopter) -> dict[str, str]:
    """Return component → `registry/repository`, of those that have a repository."""
    found = {}
    named = [name for service in environment.services for name in service.components]
    for component in dict.fromkeys([*named, *(job.component for job in environment.jobs)]):
        with suppress(NotFound):
            found[component] = ecr_edge.address(adopter.ecr, document.spec.components[component].repository)
    return found


def _digest(image: str, document: Platform, component: str, addresses: Mapping[str, str], ecr: ECRClient) -> str | None:
    """Tell which image of the component's repository a task definition names, by digest or by tag.

    A digest means the same image in a replica of the repository, too; a tag does not.
    """
    repository = document.spec.components[component].repository
    if image_address.name_of(image) != repository:
        return None
    digest = image_address.digest_of(image)
    known = image_address.repository_of(image) == repository
    if digest or not (known or image_address.same_repository(image, addresses.get(component, ""))):
        return digest or None
    return ecr_edge.resolve(ecr, repository, image_address.tag_of(image))


def _release_of(digests: dict[str, str], releases: list[Release]) -> Release | None:
    """Return the newest release that has just these images, as far as services run them."""
    if not digests:
        return None
    fitting = [
        release
        for release in releases
        if all(release.digests.get(component) == digest for component, digest in digests.items())
    ]
    return fitting[-1] if fitting else None


def _summary(version: str | None, found: _Found) -> str:
    if not found.digests:
        return "adopted: no service runs an image of this platform yet; the next complete release will be deployed"
    runs = f"{version} is running" if version else "the running images have no version tag"
    if found.differing:
        runs = f"no single release is running, since {listed(found.differing)} run another image than the others"
    return f"adopted: {runs}; existing tags are the baseline, and the next complete release will be deployed"
