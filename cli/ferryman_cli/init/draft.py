"""Decide what the first document says, from answers and from what was seen in AWS. Pure.

`render` writes it down. Nothing is invented: a service whose component is not known is left out, with the reason.
"""

import re
from dataclasses import dataclass
from typing import Any

from ferryman.decisions.image_address import digest_of, tag_of
from ferryman.platform.document import Spec
from ferryman.platform.environments import Trigger
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.init.answers import Answers, ServiceAnswer
from ferryman_cli.init.names import component_names
from ferryman_cli.init.seen import Seen, SeenService, own_repository


@dataclass(frozen=True)
class DraftService:
    """A service as the document declares it."""

    fields: dict[str, Any]
    family: str
    """Of its task definition; empty where it is not known."""


@dataclass(frozen=True)
class LeftOut:
    """A service that the document cannot declare, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class DraftEnvironment:
    """An environment as the document declares it."""

    cluster: str
    triggers: list[Trigger]
    promote_from: str | None
    approval: dict[str, Any] | None
    services: list[DraftService]
    left_out: list[LeftOut]


@dataclass(frozen=True)
class Draft:
    """What the document says."""

    platform: str
    components: dict[str, str]
    """Component → repository."""
    channels: dict[str, dict[str, Any]]
    environments: dict[str, DraftEnvironment]
    tag_pattern: str | None
    other_tags: list[str]
    """Tags of images that run now and that no release could have, as far as the pattern tells."""


def draft(answers: Answers, seen: Seen) -> Draft:
    """Return what the document says; raise Stop if an environment would have no service."""
    _check_shared_clusters(answers)
    services = {name: _services(answers, name, seen) for name in answers.environments}
    names = _components(answers, seen, services)
    environments = {name: _environment(answers, name, seen, services[name], names) for name in answers.environments}
    return Draft(
        platform=answers.platform,
        components={component: repository for repository, component in names.items()},
        channels={
            name: channel.model_dump(mode="json", by_alias=True, exclude_unset=True)
            for name, channel in answers.channels.items()
        },
        environments=environments,
        tag_pattern=answers.tag_pattern,
        other_tags=_other_tags(answers, seen, services),
    )


def cluster_name(cluster: str) -> str:
    """Return the name of a cluster that is given by name or ARN."""
    return cluster.rpartition("/")[2] if cluster.startswith("arn:") else cluster


def repositories(service: SeenService, seen: Seen) -> dict[str, list[str]]:
    """Return repository → containers that run its image, the one that users reach first."""
    found: dict[str, list[str]] = {}
    for container in sorted(
        service.containers or (), key=lambda item: (item.name not in service.balanced, not item.essential)
    ):
        repository = own_repository(service, container.image, seen.registry)
        if repository is not None:
            found.setdefault(repository, []).append(container.name)
    return found


def why_not(service: SeenService, seen: Seen) -> str | None:
    """Return why nobody can tell which component a service runs, or why Ferryman cannot operate it; else None."""
    if service.unfit:
        return service.unfit
    if service.containers is None:
        return "its task definition could not be read"
    if not repositories(service, seen):
        return "it runs no image of a repository in this account and region that somebody pushes to"
    return None


def _check_shared_clusters(answers: Answers) -> None:
    first: dict[str, str] = {}
    for name, environment in answers.environments.items():
        cluster = cluster_name(environment.cluster)
        other = first.setdefault(cluster, name)
        both = (answers.environments[other].services, environment.services)
        if other != name and None in both:
            raise Stop(
                Exit.BAD_INPUT,
                f"{other} and {name} are both in cluster {cluster}, so the services of each have to be named; write "
                f"them into a file for --answers, below environments.{name}.services",
            )


def _services(answers: Answers, name: str, seen: Seen) -> list[tuple[ServiceAnswer, SeenService]]:
    given = answers.environments[name]
    there = seen.clusters.get(given.cluster, {})
    wanted = given.services or [ServiceAnswer(name=service) for service in there if _SERVICE.fullmatch(service)]
    return [(one, there.get(one.name) or SeenService(one.name)) for one in wanted]


_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
"""Names that a document can have; ECS also allows one that begins with a hyphen."""


def _components(
    answers: Answers, seen: Seen, services: dict[str, list[tuple[ServiceAnswer, SeenService]]]
) -> dict[str, str]:
    """Return repository → component: what was answered, and for all others a name made from the repository's."""
    names = {component.repository: name for name, component in answers.components.items()}
    both = [pair for pairs in services.values() for pair in pairs if not pair[1].unfit]
    for answer, service in both:
        main = next(iter(repositories(service, seen)), None)
        if main is not None and answer.component and answer.component not in names.values():
            names.setdefault(main, answer.component)
    found = [repository for _, service in both for repository in repositories(service, seen)]
    names = component_names(answers.platform, found, names)
    for answer, _ in both:
        if answer.component and answer.component not in names.values():
            raise Stop(
                Exit.BAD_INPUT,
                f"service {answer.name}: nothing tells the repository of component {answer.component}; add to the "
                f"answers components: {{{answer.component}: {{repository: …}}}}",
            )
    return names


def _environment(
    answers: Answers,
    name: str,
    seen: Seen,
    services: list[tuple[ServiceAnswer, SeenService]],
    names: dict[str, str],
) -> DraftEnvironment:
    given = answers.environments[name]
    declared: list[DraftService] = []
    left_out: list[LeftOut] = []
    for answer, service in services:
        why = service.unfit if answer.component else why_not(service, seen)
        if why and given.services is not None:
            raise Stop(Exit.BAD_INPUT, _unknown(name, answer, why, unfit=bool(service.unfit)))
        if why:
            left_out.append(LeftOut(service.name, why))
        else:
            declared.append(DraftService(_fields(answer, service, seen, names), service.family))
    if not declared:
        raise Stop(Exit.BAD_INPUT, _empty(name, given.cluster, left_out, known=given.cluster in seen.clusters))
    source, approval = answers.source_of(name), given.approval
    triggers: list[Trigger] = ["push"] if source is None else ["tag", "manual"] if approval else ["manual"]
    return DraftEnvironment(
        cluster=given.cluster,
        triggers=given.triggers or triggers,
        promote_from=source,
        approval=approval.model_dump(mode="json", by_alias=True, exclude_unset=True) if approval else None,
        services=declared,
        left_out=left_out,
    )


def _fields(answer: ServiceAnswer, service: SeenService, seen: Seen, names: dict[str, str]) -> dict[str, Any]:
    found = repositories(service, seen)
    main = next((one for one in found if names[one] == answer.component), next(iter(found), None))
    component = answer.component or names[main or ""]
    every = [container.name for container in service.containers or ()]
    # Without an image of ECR, which may be a placeholder, there is no doubt only about a single container.
    candidates = found[main] if main is not None else every if len(every) == 1 else []
    fields: dict[str, Any] = {"name": service.name, "component": component}
    if candidates and component not in candidates:
        fields["container"] = candidates[0]
    others = []
    for repository, containers in found.items():
        if repository != main:
            other: dict[str, Any] = {"component": names[repository]}
            if names[repository] in every and names[repository] not in containers:
                other["containers"] = containers
            others.append(other)
    return {**fields, "additionalComponents": others} if others else fields


def _unknown(environment: str, answer: ServiceAnswer, why: str, *, unfit: bool) -> str:
    step = "leave it out" if unfit else f"write {{name: {answer.name}, component: …}}, or leave it out"
    return f"service {answer.name} of {environment}: {why}; {step}"


def _empty(environment: str, cluster: str, left_out: list[LeftOut], *, known: bool) -> str:
    if not known:
        why = f"the services of cluster {cluster} could not be read"
    elif left_out:
        why = "; ".join(f"{one.name}: {one.why}" for one in left_out[:3])
    else:
        why = f"cluster {cluster} has no service"
    return (
        f"{environment} would have no service ({why}). Name its services in a file for --answers, as in "
        f"environments: {{{environment}: {{cluster: {cluster}, services: [{{name: …, component: …}}]}}}}, and their "
        "components: {…: {repository: …}}"
    )


def _other_tags(
    answers: Answers, seen: Seen, services: dict[str, list[tuple[ServiceAnswer, SeenService]]]
) -> list[str]:
    if answers.tag_pattern is not None:
        return []
    pattern = str(Spec.model_fields["tag_pattern"].default)
    tags = {
        tag_of(container.image)
        for pairs in services.values()
        for _, service in pairs
        for container in service.containers or ()
        if not digest_of(container.image) and own_repository(service, container.image, seen.registry)
    }
    return sorted(tag for tag in tags if not re.fullmatch(pattern, tag))
