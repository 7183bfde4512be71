"""Which containers of a service run another image of their component than its other containers. Called by observe.

A task definition never changes, so each one is described once for as long as the Lambda lives.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from weakref import WeakKeyDictionary

from ferryman.clients import ecr as ecr_edge
from ferryman.clients import ecs as ecs_edge
from ferryman.clients import task_containers, task_definitions
from ferryman.clients.aws_errors import Refusal
from ferryman.clients.aws_types import ECRClient, ECSClient, TaskDefinition
from ferryman.decisions.image_address import digest_of, name_of, tag_of
from ferryman.errors import NotFound, TransientError
from ferryman.platform import Environment, Platform

AT_ONCE = 60
"""Task definitions that are described in one look: the API is throttled, and a sweep has many environments."""

_KNOWN: WeakKeyDictionary[ECSClient, dict[str, TaskDefinition]] = WeakKeyDictionary()
_KEPT = 1000
_LOG = logging.getLogger("ferryman")


def differing(
    document: Platform,
    environment: Environment,
    live: Mapping[str, str],
    ecs: ECSClient,
    ecr: ECRClient,
    address: Callable[[str], str] | None = None,
) -> dict[str, dict[str, dict[str, str]]] | None:
    """Return service → component → container → digest, only where the digests of a component differ.

    `live` is service → ARN of the task definition that it runs. `address`: what to ask for the address of a repository
    in place of ECR. None when not all of them could be read this time.
    """
    try:
        definitions, complete = _described(live, ecs)
        addresses = _Addresses(document, address or partial(ecr_edge.address, ecr))
        found: dict[str, dict[str, dict[str, str]]] = {}
        for service in environment.services:
            definition = definitions.get(service.name)
            several = definition is not None and len(definition.get("containerDefinitions", [])) > 1
            if definition is None or not several:
                continue
            wanted = task_containers.uses(service)
            assigned = task_containers.assign(definition, wanted, addresses.of(service.components))
            for component, containers in assigned.containers.items():
                images = {name: task_definitions.images_of(definition)[name] for name in containers}
                if len(set(images.values())) > 1:
                    digests = _digests(images, document.spec.components[component].repository, ecr)
                    if len(set(digests.values())) > 1:
                        found.setdefault(service.name, {})[component] = digests
    except (Refusal, TransientError) as error:
        _LOG.warning("could not look for containers that run another image: %s", error)
        return None
    return found if complete else None


def _described(live: Mapping[str, str], ecs: ECSClient) -> tuple[dict[str, TaskDefinition], bool]:
    """Return service → task definition, and whether these are all."""
    known = _KNOWN.setdefault(ecs, {})
    unknown = [arn for arn in dict.fromkeys(live.values()) if arn not in known]
    if len(known) + len(unknown) > _KEPT:
        known.clear()
        unknown = list(dict.fromkeys(live.values()))
    for arn in unknown[:AT_ONCE]:
        known[arn] = ecs_edge.task_definition(ecs, arn)
    return {service: known[arn] for service, arn in live.items() if arn in known}, len(unknown) <= AT_ONCE


class _Addresses:
    """Asks for the address of a repository once in a look."""

    def __init__(self, document: Platform, ask: Callable[[str], str]) -> None:
        self._document, self._ask = document, ask
        self._known: dict[str, str] = {}

    def of(self, components: Iterable[str]) -> dict[str, str]:
        """Return component → `registry/repository`; empty where there is no such repository."""
        for component in components:
            if component not in self._known:
                repository = self._document.spec.components[component].repository
                try:
                    self._known[component] = self._ask(repository)
                except NotFound:
                    self._known[component] = ""
        return {component: self._known[component] for component in components}


def _digests(images: Mapping[str, str], repository: str, ecr: ECRClient) -> dict[str, str]:
    """Return container → digest; a tag is looked up, and what is of another repository is told as it is named."""
    found = {}
    for container, image in images.items():
        digest = digest_of(image)
        if not digest and name_of(image) == repository:
            digest = ecr_edge.resolve(ecr, repository, tag_of(image)) or ""
        found[container] = digest or image
    return found
