"""The names of what a platform can own, and what one document claims. Pure.

Two names of one thing are spelled alike here: an ARN like the name in it, in lower case, without spaces around it.
Where AWS tells lower and upper case apart, that only makes us stricter.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ferryman.platform.document import Platform
from ferryman.platform.environments import Environment
from ferryman.platform.tags import current_tag, previous_tag

LONGEST = 100
"""Bytes of a thing's name (`records.limits`): a longer one ends in a hash of it."""
UNKNOWN = "?"
"""In place of a cluster whose name could not be read: it may be any."""
PARAMETERS = "ssm:/ferryman/"
_PLACE = re.compile(r":role/ferryman/([^/]+)/(?:([^/]+)/)?")
"""The path of roles that belong to a platform or an environment: Terraform's `roles_below_path`."""
_SUFFIX = re.compile(r"-[a-z0-9]{6}")
"""What Secrets Manager adds to a secret's name in its ARN."""


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


def service(cluster: str, name: str) -> str:
    """Return the thing that an ECS service is; `cluster` is a name or an ARN."""
    return _thing("service", f"{_last(cluster)}/{_last(name)}")


def family(name: str) -> str:
    """Return the thing that a task definition is: its family, whatever the revision."""
    return _thing("family", _last(name).partition(":")[0])


def role(name: str) -> str:
    """Return the thing that a role is. Its name is unique in an account, whatever its path and its case."""
    return _thing("role", _last(name))


def placed(arn: str, path: str, via: str) -> Placed | None:
    """Return whose a role is by its IAM path; None for a path that tells nothing."""
    found = _PLACE.search(arn)
    if found is None:
        return None
    return Placed(arn.rpartition("/")[2], path, via, (found[1].lower(), (found[2] or "").lower()))


def schedule(group: str, name: str) -> str:
    """Return the thing that a schedule of EventBridge Scheduler is."""
    return _thing("schedule", f"{_plain(group)}/{_plain(name)}")


def rule(bus: str, name: str) -> str:
    """Return the thing that a rule of EventBridge is."""
    return _thing("rule", f"{_plain(bus)}/{_plain(name)}")


def secrets(arn: str) -> list[str]:
    """Return the things that the ARN of a secret can mean: with, and without, the suffix that AWS adds to its name."""
    name = _plain(arn)
    short = name[:-7] if _SUFFIX.fullmatch(name[-7:]) else name
    return [_thing("secret", one) for one in dict.fromkeys((name, short))]


def topic(arn: str) -> str:
    """Return the thing that an SNS topic is."""
    return _thing("topic", _plain(arn))


def repository(name: str) -> str:
    """Return the name of a repository, also of one that is written with its registry."""
    host, slash, rest = _plain(name).partition("/")
    return (rest if slash and "." in host else _plain(name)).partition("@")[0].partition(":")[0]


def tags(name: str, environment: Environment) -> tuple[str, ...]:
    """Return the tags that an environment moves, those that Ferryman keeps for it included."""
    return _tags([*environment.moving_tags, current_tag(name), previous_tag(name)])


def anywhere(thing: str) -> str | None:
    """Return the thing that a service is as long as nobody knows its cluster; None for other things."""
    kind, _, name = thing.partition(":")
    return _thing(kind, f"{UNKNOWN}/{name.partition('/')[2]}") if kind == "service" else None


def words(thing: str) -> str:
    """Return a thing as people read it."""
    kind, _, name = thing.partition(":")
    first, _, second = name.partition("/")
    match kind:
        case "service" if first == UNKNOWN:
            return f"service {second}"
        case "service":
            return f"service {second} of cluster {first}"
        case "family":
            return f"task definition family {name}"
        case "role":
            return f"IAM role {name}"
        case "rule":
            bus, _, rule_name = name.rpartition("/")
            return f"rule {rule_name}" if bus == "default" else f"rule {rule_name} of event bus {bus}"
        case "secret":
            return f"secret {name.rpartition(':')[2]}"
        case "topic":
            return f"SNS topic {name.rpartition(':')[2]}"
        case _:
            return f"{kind} {name}"


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
    cluster = str(environment.get("cluster") or UNKNOWN)
    cluster = UNKNOWN if cluster.startswith("ssm:") else cluster
    found = []
    for w, wave in enumerate(_list(environment.get("waves"))):
        for s, item in enumerate(_list(_map(wave).get("services"))):
            here, named = f"{at}.waves.{w}.services.{s}", _map(item)
            found.append(Claim(service(cluster, str(named.get("name", ""))), f"{here}.name"))
            base = named.get("baseTaskDefinition")
            if isinstance(base, str) and not base.startswith("ssm:"):
                found.append(Claim(family(base), f"{here}.baseTaskDefinition"))
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
    return tuple(dict.fromkeys(_plain(str(name)) for name in names))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _last(name: str) -> str:
    return _plain(name).rpartition("/")[2]


def _plain(name: str) -> str:
    return name.strip().lower()


def _thing(kind: str, name: str) -> str:
    thing = f"{kind}:{name}"
    if len(thing.encode()) <= LONGEST:
        return thing
    # The names that AWS allows are ASCII.
    digest = hashlib.sha256(thing.encode()).hexdigest()[:32]
    return f"{thing.encode()[: LONGEST - 36].decode(errors='ignore')}…-{digest}"
