"""What one document claims: things (`records.things`), tags and repositories. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ferryman.platform.document import Platform
from ferryman.platform.environments import Environment
from ferryman.platform.tags import current_tag, previous_tag
from ferryman.records import things
from ferryman.records.things import plain

PARAMETERS = "ssm:/ferryman/"
_PLACE = re.compile(r":role/ferryman/([^/]+)/(?:([^/]+)/)?")
"""The path of roles that belong to a platform or an environment: Terraform's `roles_below_path`."""


@dataclass(frozen=True)
class Claim:
    """One thing, and where in the document it is named."""

    thing: str
    path: str
    via: str = ""
    """Of a role: the task definition family that runs with it."""


@dataclass(frozen=True)
class Placed:
    """A role below `/ferryman/<platform>/…`, and where in the document it is named."""

    role: str
    path: str
    via: str
    """The task definition family, or the job, that runs with it."""
    owner: tuple[str, str]
    """Platform and environment; the environment is empty for a role of the whole platform."""


@dataclass(frozen=True)
class Part:
    """What one environment claims, or the platform as a whole."""

    claims: tuple[Claim, ...] = ()
    complete: bool = True
    """False: something could not be read in AWS."""
    placed: tuple[Placed, ...] = ()
    """Roles whose IAM path tells whose they are, whether their owner has applied a document or not."""


@dataclass(frozen=True)
class Claims:
    """What a document claims."""

    environments: Mapping[str, Part] = field(default_factory=dict)
    whole: Part = Part()
    """Secrets and topics."""
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Environment → the tags that it moves."""
    repositories: tuple[str, ...] = ()


def placed(arn: str, path: str, via: str) -> Placed | None:
    """Return whose a role is by its IAM path; None for a path that tells nothing."""
    found = _PLACE.search(arn)
    if found is None:
        return None
    return Placed(arn.rpartition("/")[2], path, via, (found[1].lower(), (found[2] or "").lower()))


def repository(name: str) -> str:
    """Return the name of a repository, also of one that is written with its registry."""
    host, slash, rest = plain(name).partition("/")
    return (rest if slash and "." in host else plain(name)).partition("@")[0].partition(":")[0]


def tags(name: str, environment: Environment) -> tuple[str, ...]:
    """Return the tags that an environment moves, those that Ferryman keeps for it included."""
    return _tags([*environment.moving_tags, current_tag(name), previous_tag(name)])


def parameters_of_others(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Return path → platform, for each `ssm:/ferryman/<platform>/…` in a document that is not its own."""
    for path, value in _texts(document, ""):
        if value.startswith(PARAMETERS):
            owner = value.removeprefix(PARAMETERS).partition("/")[0].lower()
            if owner != name:
                yield path, owner


def unread(document: Mapping[str, Any]) -> Claims:
    """Return what a stored document claims that today's models refuse: as far as its own text tells."""
    spec = _map(document.get("spec"))
    environments = {name: _map(value) for name, value in _map(spec.get("environments")).items()}
    return Claims(
        environments={name: _unread(value, f"spec.environments.{name}") for name, value in environments.items()},
        whole=Part(complete=False),
        tags={
            name: _tags([*_list(value.get("movingTags")), current_tag(name), previous_tag(name)])
            for name, value in environments.items()
        },
        repositories=tuple(
            repository(str(_map(item).get("repository", ""))) for item in _map(spec.get("components")).values()
        ),
    )


def of_document(document: Platform) -> Claims:
    """Return what a document claims by its own text: its tags, its repositories, and nothing else yet."""
    return Claims(
        tags={name: tags(name, environment) for name, environment in document.spec.environments.items()},
        repositories=tuple(repository(item.repository) for item in document.spec.components.values()),
    )


def _unread(environment: Mapping[str, Any], at: str) -> Part:
    cluster = str(environment.get("cluster") or things.UNKNOWN)
    cluster = things.UNKNOWN if cluster.startswith("ssm:") else cluster
    found = []
    for w, wave in enumerate(_list(environment.get("waves"))):
        for s, item in enumerate(_list(_map(wave).get("services"))):
            here, named = f"{at}.waves.{w}.services.{s}", _map(item)
            found.append(Claim(things.service(cluster, str(named.get("name", ""))), f"{here}.name"))
            base = named.get("baseTaskDefinition")
            if isinstance(base, str) and not base.startswith("ssm:"):
                found.append(Claim(things.family(base), f"{here}.baseTaskDefinition"))
    return Part(tuple(found), complete=False)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{path}.{number}")


def _tags(names: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain(str(name)) for name in names))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
