"""The payload for a rule's target: the event, or the result of the target's Input, InputPath or InputTransformer."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ferryman_local.relay.events import Event

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
_STRING_OR_VARIABLE = re.compile(r'"(?:\\.|[^"\\])*"|<[^<>]+>')
_VARIABLE = re.compile(r"<([^<>]+)>")
_MISSING = object()


def payload(event: Event, target: Mapping[str, Any], *, rule_name: str, rule_arn: str) -> str:
    """Return the payload as text."""
    if transformer := target.get("InputTransformer"):
        return _transform(event, transformer, rule_name, rule_arn)
    if target.get("Input"):
        return str(target["Input"])
    if path := target.get("InputPath"):
        found = _at(event, path)
        return json.dumps(event if found is _MISSING else found)
    return json.dumps(event)


def _at(value: Any, path: str) -> Any:
    """A value by EventBridge's small JSON path (`$.detail.containers[0].name`), or _MISSING."""
    for name, index, quoted in _STEP.findall(path.removeprefix("$")):
        try:
            value = value[int(index)] if index else value[name or quoted]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _transform(event: Event, transformer: Mapping[str, Any], rule_name: str, rule_arn: str) -> str:
    """EventBridge's template: a variable stands for JSON, or for bare text inside a string literal."""
    paths = transformer.get("InputPathsMap") or {}
    values = {name: _at(event, path) for name, path in paths.items()}
    values |= {
        "aws.events.event.json": event,
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.rule-name": rule_name,
        "aws.events.rule-arn": rule_arn,
        "aws.events.event.ingestion-time": event.get("time", ""),
    }

    def text(match: re.Match[str]) -> str:
        value = values.get(match[1], _MISSING)
        if value is _MISSING:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def inside(match: re.Match[str]) -> str:
        rendered = text(match)
        # An object's quotes would end the string literal, so EventBridge drops them.
        return rendered if isinstance(values.get(match[1]), str) else rendered.replace('"', "")

    def token(match: re.Match[str]) -> str:
        if match[0].startswith('"'):
            return _VARIABLE.sub(inside, match[0])
        value = values.get(match[0][1:-1], _MISSING)
        return json.dumps("" if value is _MISSING else value)

    template = str(transformer.get("InputTemplate", ""))
    if '"' not in template:  # plain text, not JSON
        return _VARIABLE.sub(text, template)
    return _STRING_OR_VARIABLE.sub(token, template)
