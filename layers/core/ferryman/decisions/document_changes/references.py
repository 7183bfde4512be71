"""The `ssm:` references that the gates of an environment depend on, and the hashes that hold a document. Pure.

What they stand for is recorded when a document is applied, as one hash for each environment and one for its approvers.
A reference to a task definition is left out: Terraform publishes a new revision every time, and the approval of a
deployment shows it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from ferryman.platform import Environment, Platform
from ferryman.platform.field_classes import class_of
from ferryman.platform.values import is_reference

_DEFINITIONS = ("base_task_definition", "task_definition")


def of_gates(document: Platform, name: str) -> list[str]:
    """Return the references in the gates of an environment and in the channels that it notifies, sorted."""
    environment: Environment = document.spec.environments[name]
    channels = [document.spec.channels[channel] for channel in environment.notify]
    signers = [channel for channel in document.spec.channels.values() if getattr(channel, "signing_secret_arn", None)]
    return sorted({reference for part in (environment, *channels, *signers) for reference in _in(part)})


Values = Callable[[Iterable[str]], Mapping[str, str]]
"""Asks what references stand for now; "" for one that stands for nothing."""


def hashes(document: Platform, values: Values) -> dict[str, str]:
    """Return what is recorded of a document: a hash for each environment that asks for approval, and of its approvers.

    Nothing for one without references in its gates.
    """
    asks = [name for name, environment in document.spec.environments.items() if environment.approval is not None]
    of = {name: of_gates(document, name) for name in asks}
    of |= {_approvers(name): _of_approvers(document, name) for name in asks}
    return {key: digest(values(named)) for key, named in of.items() if named}


def moved(document: Platform, known: Mapping[str, str], name: str, values: Values) -> list[str]:
    """Return the references in the gates of an environment if one has another value than at the last apply, else none.

    `known` is what was recorded then; an environment that it does not name has not moved.
    """
    return _moved(of_gates(document, name), known.get(name), values)


def moved_approvers(document: Platform, known: Mapping[str, str], name: str, values: Values) -> list[str]:
    """Return the same of its approvers alone: if one has moved, nobody can tell who may decide."""
    return _moved(_of_approvers(document, name), known.get(_approvers(name)), values)


def _moved(named: list[str], known: str | None, values: Values) -> list[str]:
    return named if known is not None and digest(values(named)) != known else []


def _approvers(name: str) -> str:
    return f"{name}/approvers"  # no environment has a slash in its name


def _of_approvers(document: Platform, name: str) -> list[str]:
    return sorted(set(_in(document.spec.environments[name].approval)))


def digest(values: Mapping[str, str]) -> str:
    """Return one hash (hex) of references and what they stand for: values may be confidential."""
    text = "".join(f"{len(part)}:{part}" for pair in sorted(values.items()) for part in pair)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(document: dict[str, Any]) -> str:
    """Return the hash (hex) of a document with its defaults written out: the same for every spelling of it."""
    text = json.dumps(_normal(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _normal(value: Any) -> Any:
    """Return data as it is read from the table, where 1.0 is 1."""
    if isinstance(value, dict):
        return {name: _normal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in(value: Any) -> Iterator[str]:
    if isinstance(value, str) and is_reference(value):
        yield value
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            if class_of(type(value), field) == "gate" and field not in _DEFINITIONS:
                yield from _in(getattr(value, field))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _in(item)
