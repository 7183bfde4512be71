"""A plugin for mypy: `.get("field")` of a TypedDict that has no such field is an error.

mypy itself answers `object` there, so that a misspelt field of an AWS answer is just never found: `answer["field"]` is
checked, `answer.get("field")` is not.
"""

from collections.abc import Callable

from mypy.errorcodes import TYPEDDICT_ITEM
from mypy.plugin import MethodContext, Plugin
from mypy.plugins.common import try_getting_str_literals
from mypy.plugins.default import typed_dict_get_callback
from mypy.types import Type, TypedDictType


def _get(context: MethodContext) -> Type:
    if isinstance(context.type, TypedDictType) and context.arg_types and len(context.arg_types[0]) == 1:
        named = try_getting_str_literals(context.args[0][0], context.arg_types[0][0]) or []
        for name in named:
            if name not in context.type.items:
                of = context.type.fallback.type.name
                context.api.fail(f"{of} has no field {name!r}", context.context, code=TYPEDDICT_ITEM)
    return typed_dict_get_callback(context)


class KnownFields(Plugin):
    """Looks at each `.get` of a TypedDict."""

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Return what checks this method, if any."""
        return _get if fullname == "typing.Mapping.get" else None


def plugin(version: str) -> type[Plugin]:  # noqa: ARG001 - mypy calls it with its version
    """Return the plugin; mypy looks for this name."""
    return KnownFields
