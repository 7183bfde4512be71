"""What `apply` refuses although the parser takes it: mistakes that no release could ever come out of. Pure.

Called by `api.apply` only. Documents that an earlier version stored are parsed without it and keep working.
"""

import re

from ferryman.platform.document import Platform

Problem = tuple[str, str]

_REGISTRY = re.compile(r"(?:[0-9]+\.dkr[.-]ecr(?:-fips)?\.[^/]*|public\.ecr\.aws)(?:/(.*))?")
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html: also dual-stack, FIPS and China."""


def problems_of(document: Platform) -> list[Problem]:
    """Return the path of each mistake and how to correct it; empty when there is none."""
    return [
        (f"spec.components.{name}.repository", _without_registry(component.repository, match.group(1)))
        for name, component in document.spec.components.items()
        if (match := _REGISTRY.fullmatch(component.repository)) is not None
    ]


def _without_registry(repository: str, name: str | None) -> str:
    return (
        f"{repository!r} begins with a registry, so no push would ever match it; write the repository's name alone: "
        f"{name or 'scr-api'}"
    )
