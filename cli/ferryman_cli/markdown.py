"""The answer of `apply` as Markdown, for a comment on a pull request."""

from typing import Any

from ferryman_cli import output, source

_MOST = 100
"""Rows of a table; a comment on GitHub takes 65,536 characters."""


def of_apply(answer: dict[str, Any], document: source.Source) -> str:
    """Return what a document changes: a heading, a table of fields, what starts, and who has to agree."""
    dry = " (dry run)" if answer["dryRun"] else ""
    lines = [f"### Ferryman: platform `{answer['platform']}` {answer['result']}{dry}", ""]
    if answer["result"] == "unchanged":
        lines += ["The document is the same as the one that is applied.", ""]
    lines += _fields(answer.get("fields", []))
    for item in answer.get("starts", []):
        lines.append(f"- **Starts a deployment** of {_code(item['version'])} in {_code(item['environment'])}.")
    for item in answer.get("waitsFor", []):
        people = ", ".join(item["approvers"]) or "anyone with the link"
        lines.append(f"- **Waits for approval**: {item['required']} of {_text(people)} ({_code(item['environment'])}).")
    for title, key in (("Warning", "warnings"), ("Note", "notes")):
        for item in source.grouped([(item["path"], item["message"]) for item in answer.get(key, [])]):
            lines.append(f"- {title}: {_text(document.tell([item]))}")
    return "\n".join(lines).rstrip() + "\n"


def _fields(found: list[dict[str, Any]]) -> list[str]:
    if not found:
        return []
    lines = ["| field | before | after | |", "|---|---|---|---|"]
    for item in found[:_MOST]:
        mark = "**loosens a gate**" if item["loosens"] else ""
        values = ("" if item[key] is None else _code(item[key]) for key in ("before", "after"))
        lines.append(f"| {_code(item['path'])} | {' | '.join(values)} | {mark} |")
    if len(found) > _MOST:
        lines.append(f"| and {len(found) - _MOST} more | | | |")
    return [*lines, ""]


def _code(text: str) -> str:
    """Return text as code in a table: a backtick would end the code, a bar the cell."""
    return f"`{output.flat(text).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def _text(text: str) -> str:
    """Return plain text in which nothing is Markdown, HTML or a mention of somebody."""
    return "".join(f"&#{ord(one)};" if one in "\\`*_{}[]<>#|@&" else one for one in output.flat(text))
