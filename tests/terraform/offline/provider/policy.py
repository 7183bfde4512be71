"""Rendering of the aws_iam_policy_document data source."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Document = dict[str, Any]

STATEMENT_ORDER = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
)


class PolicyError(Exception):
    """A document that can't be made; the text says why."""


def _strings(values: Iterable[str] | None) -> str | list[str]:
    """A set: one string alone, several in descending order."""
    found = sorted((value.replace("&{", "${") for value in values or ()), reverse=True)
    return found[0] if len(found) == 1 else found


def _principals(blocks: Iterable[Document] | None) -> Any:
    out: dict[str, set[str]] = {}
    for p in blocks or ():
        out.setdefault(p["type"], set()).update(p["identifiers"])
    if out == {"*": {"*"}}:
        return "*"
    return {t: _strings(ids) for t, ids in sorted(out.items())}


def _conditions(blocks: Iterable[Document] | None) -> Document:
    out: dict[str, dict[str, list[str]]] = {}
    for c in blocks or ():
        values = out.setdefault(c["test"], {}).setdefault(c["variable"], [])
        values += [v.replace("&{", "${") for v in c["values"]]
    return {t: {k: v[0] if len(v) == 1 else v for k, v in sorted(vs.items())} for t, vs in sorted(out.items())}


def _statement(s: Document) -> Document:
    out = {
        "Sid": s.get("sid"),
        "Effect": s.get("effect") or "Allow",
        "Action": _strings(s.get("actions")),
        "NotAction": _strings(s.get("not_actions")),
        "Resource": _strings(s.get("resources")),
        "NotResource": _strings(s.get("not_resources")),
        "Principal": _principals(s.get("principals")),
        "NotPrincipal": _principals(s.get("not_principals")),
        "Condition": _conditions(s.get("condition")),
    }
    return {k: v for k, v in out.items() if v}


def _parse(text: str, what: str) -> Document:
    try:
        doc = json.loads(text)
        statements = doc.get("Statement") or []
        if not isinstance(statements, list):
            raise ValueError("Statement must be a list")
    except (ValueError, AttributeError) as e:
        raise PolicyError(f"merging {what}: {e}") from e
    statements = [{k: s[k] for k in STATEMENT_ORDER if s.get(k)} for s in statements]
    return {"Version": doc.get("Version"), "Id": doc.get("Id"), "Statement": statements}


def _merge(into: Document, doc: Document) -> None:
    into["Version"] = max(into.get("Version") or "", doc.get("Version") or "") or None
    into["Id"] = doc.get("Id") or into.get("Id")
    for s in doc["Statement"]:
        same = [i for i, old in enumerate(into["Statement"]) if s.get("Sid") and old.get("Sid") == s["Sid"]]
        if same:
            into["Statement"][same[0]] = s
        else:
            into["Statement"].append(s)


def _check_sids(statements: Iterable[Document], what: str) -> None:
    sids = [s["Sid"] for s in statements if s.get("Sid")]
    for sid in sids:
        if sids.count(sid) > 1:
            raise PolicyError(f"duplicate Sid ({sid}) in {what}")


def render(config: Mapping[str, Any]) -> tuple[str, str]:
    """(pretty JSON, minified JSON) of the document that a configuration describes."""
    sources = [
        _parse(t, f"source document {i}") for i, t in enumerate(config.get("source_policy_documents") or ()) if t
    ]
    _check_sids([s for d in sources for s in d["Statement"]], "source_policy_documents")
    own: Document = {
        "Version": config.get("version") or "2012-10-17",
        "Id": config.get("policy_id"),
        "Statement": [_statement(s) for s in config.get("statement") or ()],
    }
    _check_sids(own["Statement"], "statement")
    overrides = [
        _parse(t, f"override document {i}") for i, t in enumerate(config.get("override_policy_documents") or ()) if t
    ]
    merged: Document = {"Version": None, "Id": None, "Statement": []}
    for doc in [*sources, own, *overrides]:
        _merge(merged, doc)
    merged = {k: v for k, v in merged.items() if v}

    def dump(**style: Any) -> str:  # the real provider escapes these three characters
        text = json.dumps(merged, ensure_ascii=False, **style)
        return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")

    return dump(indent=2), dump(separators=(",", ":"))
