"""Which containers of a task definition run which component's image. Pure.

Called by `steps.verify`, `steps.begin_deployment`, `releases.adoption`, `controller.observe` and serve_api: all of them
decide by the same rule (docs/platform.md#containers-that-share-an-image).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ferryman.clients.aws_types import TaskDefinition
from ferryman.clients.task_definitions import images_of
from ferryman.decisions.image_address import repository_of, same_name_elsewhere, same_repository
from ferryman.platform import Migration, Service
from ferryman.platform.environments import Job
from ferryman.text import listed

Problem = tuple[str, str]
"""Path in the document below the service or migration, and what is wrong."""


@dataclass(frozen=True)
class Use:
    """One component in a task definition, as the document says it."""

    component: str
    container: str
    """Its image is replaced unless `containers` says which."""
    containers: tuple[str, ...] = ()
    """Exactly these; empty: `container`, and every container of the component's repository."""
    path: str = ""
    """Path of it in the document, below the service or migration; empty for the service's own component."""


@dataclass(frozen=True)
class Assignment:
    """What becomes of the containers of one task definition."""

    containers: dict[str, list[str]] = field(default_factory=dict)
    """Component → the containers that get its image, in the task definition's order."""
    problems: list[Problem] = field(default_factory=list)


def uses(declared: Service | Migration | Job) -> list[Use]:
    """Return the components of a service, of a migration or of a job, its own first."""
    own = Use(declared.component, declared.container_name, tuple(declared.containers or ()))
    if not isinstance(declared, Service):
        return [own]
    return [
        own,
        *(
            Use(item.component, item.component, tuple(item.containers or ()), f"additionalComponents.{number}")
            for number, item in enumerate(declared.additional_components)
        ),
    ]


def assign(definition: TaskDefinition, wanted: Iterable[Use], addresses: Mapping[str, str]) -> Assignment:
    """Return which containers get which component's image, and what in the document does not fit.

    What is named in the document comes first, then a container with an additional component's own name, then the
    images. `addresses` is component → `registry/repository`; without one nothing is told by the image.
    """
    found = list(wanted)
    images = images_of(definition)
    revision = definition["taskDefinitionArn"].rsplit("/", 1)[-1]
    owners, problems = _named_owners(found, images, revision)
    for use in found:
        if use.path and not use.containers and use.container in images:
            owners.setdefault(use.container, use.component)
    for use in found:
        for name, image in images.items():
            if not use.containers and same_repository(image, addresses.get(use.component, "")):
                owners.setdefault(name, use.component)
    containers = {use.component: [name for name in images if owners.get(name) == use.component] for use in found}
    for use in found:
        if use.path and not use.containers and not containers[use.component]:
            missing = f"no container of {revision} uses the repository of {use.component!r}; name them in `containers`"
            problems.append((use.path, f"{missing} (it has: {', '.join(images)})"))
    return Assignment(containers, problems)


def _named_owners(found: list[Use], images: Mapping[str, str], revision: str) -> tuple[dict[str, str], list[Problem]]:
    """Return container → component as the document names them, and what is wrong with that."""
    owners: dict[str, str] = {}
    problems: list[Problem] = []
    for use in found:
        if use.containers and not use.path and use.container not in (*use.containers, *images):
            problems.append(("container", _missing(revision, use.container, images)))
        for path, name in _named(use):
            if name not in images:
                problems.append((path, _missing(revision, name, images)))
            elif owners.setdefault(name, use.component) != use.component:
                problems.append((path, f"container {name!r} already gets the image of {owners[name]!r}"))
    return owners, problems


def _named(use: Use) -> list[tuple[str, str]]:
    """Return path and name of each container that the document names for certain."""
    below = f"{use.path}." if use.path else ""
    if use.containers:
        return [(f"{below}containers.{number}", name) for number, name in enumerate(use.containers)]
    return [] if use.path else [("container", use.container)]


def _missing(revision: str, container: str, known: Iterable[str]) -> str:
    return f"{revision} has no container {container!r}; it has: {', '.join(known)}"


def notes(definition: TaskDefinition, wanted: Iterable[Use], addresses: Mapping[str, str]) -> list[str]:
    """Return what people may not expect: containers that change although nobody named them, and ones that stay."""
    found = list(wanted)
    assignment = assign(definition, found, addresses)
    changed = {name for names in assignment.containers.values() for name in names}
    said = []
    for use in found:
        besides = [name for name in assignment.containers[use.component] if name != use.container]
        if besides and not use.containers:
            change, they = ("changes", "it uses") if len(besides) == 1 else ("change", "they use")
            named = f"besides {use.container!r}, also" if use.container in changed else "with this component,"
            said.append(f"{named} {listed(map(repr, besides))} {change}, since {they} the same repository")
    for name, image in images_of(definition).items():
        if name not in changed:
            said += _stays(name, image, found, addresses)
    return said


def _stays(container: str, image: str, wanted: list[Use], addresses: Mapping[str, str]) -> list[str]:
    """Say that a container keeps its image although it looks like a component's."""
    known = {use.component for use in wanted}
    for component, address in addresses.items():
        if same_repository(image, address):
            how = "is not listed in `containers`" if component in known else "is not listed under additionalComponents"
            what = f"container {container!r} uses the repository of component {component!r}"
            about = "it" if component in known else "that component"
            return [f"{what} and keeps its image, since {about} {how}"]
        if component in known and same_name_elsewhere(image, address):
            where = f"{repository_of(image)}, and component {component!r} is {address}"
            return [f"container {container!r} keeps its image: it is of another registry ({where})"]
    return []
