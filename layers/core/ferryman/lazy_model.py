"""The base of all pydantic models: built at its first use instead of at import, by one thread at a time.

Building the validators of all models took a good part of a cold start, and a step uses few of them.
"""

import threading
from collections.abc import Iterator, Mapping
from typing import Any, TypeAliasType, get_args

from pydantic import BaseModel, ConfigDict

BUILDING = threading.RLock()
"""Held while a model is built. Whoever makes a TypeAdapter of models in a thread holds it, too."""


class LazyModel(BaseModel):
    """A model that threads may use for the first time side by side.

    Pydantic builds a deferred model by calling `model_rebuild`, which is not thread-safe in its version 2.13
    (https://github.com/pydantic/pydantic/issues/13419): two threads could meet in it, and one of them fail.
    """

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def model_rebuild(
        cls,
        *,
        force: bool = False,
        raise_errors: bool = True,
        _parent_namespace_depth: int = 2,
        _types_namespace: Mapping[str, Any] | None = None,
    ) -> bool | None:
        """Build the model, unless it is built already; see pydantic."""
        with BUILDING:
            if not cls.__pydantic_complete__:
                _build_parts(cls)
            return super().model_rebuild(
                force=force,
                raise_errors=raise_errors,
                # The depth counts callers, of which this method is one.
                _parent_namespace_depth=_parent_namespace_depth + 1 if _parent_namespace_depth else 0,
                _types_namespace=_types_namespace,
            )


_in_work: set[type[LazyModel]] = set()
"""Models whose parts are being built: a model may be a part of itself. Only touched while BUILDING is held."""


def _build_parts(model: type[LazyModel]) -> None:
    """Build the models in the fields of a model first.

    Validating the model makes instances of its parts, and pydantic cannot write an instance of a model that was never
    built where it stands in a field of type Any.
    """
    _in_work.add(model)
    try:
        for field in model.__pydantic_fields__.values():
            for part in _models(field.annotation):
                if part not in _in_work and not part.__pydantic_complete__:
                    part.model_rebuild(raise_errors=False, _parent_namespace_depth=0)
    finally:
        _in_work.discard(model)


def _models(annotation: Any) -> Iterator[type[LazyModel]]:
    if isinstance(annotation, TypeAliasType):
        annotation = annotation.__value__
    if isinstance(annotation, type) and issubclass(annotation, LazyModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
