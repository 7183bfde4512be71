"""Does an answer look as a smoke test expects? Pure."""

import json
from collections.abc import Mapping
from typing import Any

from ferryman.clients.http_client import Answer
from ferryman.records import PlannedCheck
from ferryman.text import one_line

_EXCERPT = 200


class _Missing:
    """Stands for a JSON field that is not there; None is a value."""


def problems(check: PlannedCheck, answer: Answer) -> list[str]:
    """Return what is not as expected, each as `expected …, got …`; an empty list means that the check passes."""
    found: list[str] = []
    if answer.status not in check.status:
        found.append(f"expected status {_or(check.status)}, got {answer.status}")
    found += _headers(check.expect_headers, answer)
    text = answer.body.decode("utf-8", "replace")
    found += _json(check.expect_json, text, answer)
    if check.expect_body is not None and check.expect_body not in text:
        short = f" in its first {len(answer.body)} bytes" if answer.truncated else ""
        found.append(f"expected a body with {_quote(check.expect_body)}{short}, got a different one")
    return found


def excerpt(answer: Answer) -> str:
    """Return the beginning of the body, fit to be shown."""
    text = one_line(answer.body.decode("utf-8", "replace"), limit=_EXCERPT)
    return _quote(text) if text else "empty"


def _headers(expected: Mapping[str, str], answer: Answer) -> list[str]:
    found = []
    for name, value in expected.items():
        got = answer.headers.get(name.lower())
        if got is None:
            found.append(f"expected header {name}: {value}, got none")
        elif got.strip() != value.strip():
            found.append(f"expected header {name}: {value}, got {one_line(got, limit=_EXCERPT)}")
    return found


def _json(expected: Mapping[str, Any], text: str, answer: Answer) -> list[str]:
    if not expected:
        return []
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        why = "is too long to read completely" if answer.truncated else "is not JSON"
        encoding = answer.headers.get("content-encoding", "identity")
        if encoding != "identity":
            why = f"is encoded as {one_line(encoding)}, although identity was requested"
        return [f"expected a JSON body, but it {why}"]
    found = []
    for path, value in expected.items():
        got = select(data, path)
        if isinstance(got, _Missing):
            found.append(f"expected JSON field {path} to be {_show(value)}, but it is not there")
        elif not same(value, got):
            found.append(f"expected JSON field {path} to be {_show(value)}, got {_show(got)}")
    return found


def select(data: Any, path: str) -> Any:
    """Return the value at a dotted path, where a number selects a list's item; a `_Missing` when there is none.

    A key that contains dots itself is found by its whole name.
    """
    if isinstance(data, dict) and path in data:
        return data[path]
    for part in path.split("."):
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and part.isascii() and part.isdigit() and len(part) < 9 and int(part) < len(data):
            data = data[int(part)]
        else:
            return _Missing()
    return data


def same(expected: Any, got: Any) -> bool:
    """Tell whether a JSON value is exactly the expected one: true is not 1, "3" is not 3."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(same(expected[name], got[name]) for name in expected)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    return bool(expected == got)


def _or(statuses: list[int]) -> str:
    return " or ".join(map(str, statuses))


def _show(value: Any) -> str:
    return one_line(json.dumps(value, ensure_ascii=False, default=str), limit=_EXCERPT)


def _quote(text: str) -> str:
    return f"“{one_line(text, limit=_EXCERPT)}”"
