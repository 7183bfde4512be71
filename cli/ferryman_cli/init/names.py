"""Names of components, made from the names of their repositories. Pure."""

import re
from collections.abc import Iterable, Iterator
from itertools import count

_LONGEST = 24


def component_names(platform: str, repositories: Iterable[str], known: dict[str, str]) -> dict[str, str]:
    """Return repository → component, each name once. Those in `known` keep their names.

    `shop-api` and `shop/api` of the platform `shop` become `api`.
    """
    names = dict(known)
    for repository in repositories:
        if repository not in names:
            taken = set(names.values())
            names[repository] = next(name for name in _candidates(platform, repository) if name not in taken)
    return names


def _candidates(platform: str, repository: str) -> Iterator[str]:
    last = repository.rpartition("/")[2]
    for text in (last.removeprefix(f"{platform}-"), last, repository):
        if name := _name(text):
            yield name
    base = _name(last) or "component"
    yield base
    for number in count(2):
        suffix = f"-{number}"
        yield base[: _LONGEST - len(suffix)].rstrip("-") + suffix


def _name(text: str) -> str:
    """Return a text as a name of the document: lowercase letters, digits and hyphens, a letter first."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).lstrip("-0123456789")[:_LONGEST].rstrip("-")
