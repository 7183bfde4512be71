"""Documents that `apply` refuses today, and that a version before stored."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ferryman.platform import parse
from ferryman.platform.apply_refusals import problems_of

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
Change = Callable[[dict[str, Any]], None]


def _registry(spec: dict[str, Any]) -> None:
    spec["components"]["api"]["repository"] = f"{REGISTRY}/{spec['components']['api']['repository']}"


def _only_semver(spec: dict[str, Any]) -> None:
    spec["tagPattern"] = r"(?P<version>v[0-9]+\.[0-9]+\.[0-9]+)"


each = pytest.mark.parametrize(
    "refuse",
    [
        pytest.param(_registry, id="repository-with-its-registry"),
        pytest.param(_only_semver, id="pattern-that-only-semver-tags-match"),
    ],
)


def stored(document: dict[str, Any], refuse: Change) -> dict[str, Any]:
    """Return the document with the mistake, as the version before stored it."""
    changed = copy.deepcopy(document)
    refuse(changed["spec"])
    parsed = parse(changed)
    assert problems_of(parsed), "apply refuses it"
    return parsed.dump()
