"""Turns pydantic's validation errors into messages for the authors of platform documents. Pure."""

from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ferryman.platform import remedies
from ferryman.platform.problem import Problem, closest
from ferryman.platform.values import IN_WORDS, PROJECT, REPOSITORY, SERVICE_NAME

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false, without quotes",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def of(error: ValidationError, data: Any, root: Any) -> list[Problem]:
    """Return each problem once: its path in `data`, what is wrong, and how to correct it.

    `root` is the model (or union of models) that validated `data`.
    """
    found: list[Problem] = []
    for item in error.errors(include_url=False):
        if item["type"] == "document":
            found.extend(item["ctx"]["problems"])
        else:
            found.append((_path(item, data), _message(item, root)))
    return list(dict.fromkeys(found))


def _path(item: ErrorDetails, data: Any) -> str:
    """Return the part of a location that is in the document: pydantic adds the names of union members and keys."""
    parts: list[str] = []
    current = data
    *inner, last = item["loc"] or ("",)
    for part in (*inner, last):
        here = range(len(current)) if isinstance(current, list) else current if isinstance(current, dict) else ()
        if part in here:
            current = current[part]
        elif not (part is last and item["type"] == "missing"):
            continue
        parts.append(str(part))
    if item["type"] in ("union_tag_invalid", "union_tag_not_found") and isinstance(current, dict):
        parts.append("type")
    return ".".join(parts)


def _message(item: ErrorDetails, root: Any) -> str:
    kind, value, context = item["type"], item["input"], item.get("ctx", {})
    if item["loc"] and item["loc"][-1] == "[key]" and kind == "string_type":
        return f"the name {value!r} is {_kind_of(value)}; put it in quotes"
    if kind in _KINDS:
        return _wrong_kind(_KINDS[kind], value)
    if kind in _BOUNDS:
        return _BOUNDS[kind](value, context)
    match kind:
        case "extra_forbidden":
            return _unknown_field(item["loc"], root)
        case "missing":
            return _missing(item["loc"], root)
        case "invalid_key":
            return f"the name {item['loc'][-1]!r} is not text; put it in quotes"
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return _not_one_of(value, str(context["expected"]))
        case "union_tag_invalid":
            return _not_one_of(context["tag"], str(context["expected_tags"]))
        case "union_tag_not_found":
            return f"is missing; write one of: {', '.join(_tags(root, item['loc']))}"
    return f"{item['msg'][0].lower()}{item['msg'][1:]} (found {_shorten(value)})"


def _too_short(_: Any, context: dict[str, Any]) -> str:
    return "must not be empty" if context["min_length"] == 1 else f"needs at least {context['min_length']}"


_BOUNDS: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "string_too_short": _too_short,
    "too_short": _too_short,
    "string_too_long": lambda value, context: f"is too long; use at most {context['max_length']} characters",
    "too_long": lambda value, context: f"has too many items; use at most {context['max_length']}",
    "greater_than_equal": lambda value, context: f"{_shorten(value)} is too small; use at least {context['ge']}",
    "less_than_equal": lambda value, context: f"{_shorten(value)} is too large; use at most {context['le']}",
    "recursion_loop": lambda value, context: "contains itself",
    "string_pattern_mismatch": lambda value, context: _mismatch(value, context["pattern"]),
}


def _mismatch(value: Any, pattern: str) -> str:
    rule = IN_WORDS.get(pattern, f"it must match {pattern}")
    name = value.rsplit("/", 1)[-1] if pattern == SERVICE_NAME and value.startswith("arn:") else None
    if pattern == REPOSITORY:
        name = remedies.repository_name(value)
    elif pattern == PROJECT:
        name = remedies.project_name(value)
    return f"{_shorten(value)} is not valid: {rule}{f'; write {name}' if name else ''}"


def _wrong_kind(wanted: str, value: Any) -> str:
    if value is None:
        return f"has no value; it must be {wanted}"
    hint = ""
    if wanted == "text" and not isinstance(value, dict | list):
        hint = "; put it in quotes"
    elif wanted == "a whole number" and isinstance(value, str) and value.isdigit():
        hint = "; leave the quotes out"
    elif wanted == "a list":
        hint = (
            f"; write {remedies.as_list(value)}" if isinstance(value, str | int) else "; start each item with a hyphen"
        )
    return f"{_shorten(value)} is {_kind_of(value)}, but must be {wanted}{hint}"


def _kind_of(value: Any) -> str:
    for kind, words in (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
        (dict, "a mapping"),
        (list, "a list"),
    ):
        if isinstance(value, kind):
            return words
    return f"a {type(value).__name__}"


def _not_one_of(value: Any, expected: str) -> str:
    allowed = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    only = f"it must be {allowed[0]}" if len(allowed) == 1 else f"it must be one of: {', '.join(allowed)}"
    near = closest(value, allowed) if isinstance(value, str) and len(allowed) > 1 else ""
    return f"{_shorten(value)} is not valid; {only}{near}"


def _shorten(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"this ({len(value)} {'item' if len(value) == 1 else 'items'})"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# ── the fields of a model at a location ──


def _unknown_field(location: tuple[int | str, ...], root: Any) -> str:
    models = _models_at(root, location[:-1])
    names = [name for model in models for name in _fields(model)]
    if not names:
        return "unknown field; docs/platform.md lists the fields"
    meant = next(filter(None, (remedies.meant(model.__name__, str(location[-1])) for model in models)), None)
    if meant is not None:
        return f"unknown field; {meant}"
    return f"unknown field; known fields: {', '.join(names)}{closest(str(location[-1]), names)}"


def _missing(location: tuple[int | str, ...], root: Any) -> str:
    for model in _models_at(root, location[:-1]):
        field = _fields(model).get(str(location[-1]))
        if field is not None:
            example = f" For example: {location[-1]}: {_example(field.examples[0])}" if field.examples else ""
            return f"is missing: {field.description}{example}"
    return "is missing"


def _example(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _tags(root: Any, location: tuple[int | str, ...]) -> list[str]:
    models = _models_at(root, location)
    return [str(tag) for model in models for tag in get_args(model.model_fields["type"].annotation)]


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_at(root: Any, location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the models that are allowed at a location."""
    current = _members(root)
    for part in location:
        current = [member for one in current for member in _step(one, part)]
    return [one for one in current if isinstance(one, type) and issubclass(one, BaseModel)]


def _step(annotation: Any, part: int | str) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = _fields(annotation)
        if part in fields:
            return _members(fields[str(part)].annotation)
        # pydantic adds the tag of a union to the location: it selects a member and is not a key of the document.
        kind = annotation.model_fields.get("type")
        return [annotation] if kind is not None and part in get_args(kind.annotation) else []
    arguments = get_args(annotation)
    if get_origin(annotation) in (list, dict) and arguments:
        return _members(arguments[-1])
    return []


def _members(annotation: Any) -> list[Any]:
    """Return the members of a union, or the type inside Annotated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin is None or origin in (list, dict):
        return [annotation]
    return [member for argument in get_args(annotation) for member in _members(argument)]
