"""`ferryman proposal`: the document that waits for approval."""

from typing import Any

from ferryman.suggestions import suggest
from ferryman_cli import options, output
from ferryman_cli.connection import connect
from ferryman_cli.moments import local
from ferryman_cli.output import Format, since
from ferryman_cli.output import status as coloured
from ferryman_cli.transport import Api


def proposal(
    platform: options.PlatformArgument = None,
    named: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show the newest document that waits, or waited, for approval.

    `apply` proposes a document that weakens a gate of the applied one: who must approve, what must be verified first,
    freeze windows and the like. The approvers of the applied document decide, with their personal link, in Slack or
    with `approve` and `reject`. A newer `apply` supersedes it. Exits with 2 if there never was one.

    \b
    Examples:
      ferryman proposal
      ferryman proposal -p scr -o yaml
    """
    api = connect(api_url)
    found = api.get(Api.path("v1", "platforms", options.only_platform(api, platform or named), "proposal"))
    output.emit(form, found, lambda: _show(found))


def _show(found: dict[str, Any]) -> None:
    waits = found["status"] == "Proposed"
    output.fields(
        [
            ("Document", f"{found['short']}, in place of generation {found['generation']} of {found['platform']}"),
            ("Status", coloured(found["status"])),
            ("Proposed", f"by {output.who(found['proposedBy'])} {since(found['proposedAt'])} ago"),
            ("Expires", local(found["expiresAt"]) if waits else ""),
            *[(f"Approvals of {item['environment']}", _approvals(item)) for item in found["approvals"]],
        ]
    )
    console = output.out()
    console.print(output.clean(found["message"]))
    if found["problem"]:
        by_hand = suggest("apply", f="FILE", override="REASON")
        output.warn(output.clean(f"It can't go on: {found['problem']}. An admin can use {by_hand}."))
    changes(found["changes"])
    if waits:
        names = " or ".join(
            suggest("approve", item["environment"], p=found["platform"], proposal=True) for item in found["approvals"]
        )
        console.print(output.clean(f"To approve it: {names}."))


def changes(found: list[dict[str, Any]]) -> None:
    """Print what a document changes; what weakens a gate comes first."""
    titles = {"looser": "Weaker", "tighter": "Stricter", "neutral": "What else changes"}
    for effect, title in titles.items():
        texts = list(dict.fromkeys(item["text"] for item in found if item["effect"] == effect))
        if texts:
            output.out().print(f"{title}:")
            for text in texts:
                output.out().print(output.clean(f"  {text}"))


def _approvals(item: dict[str, Any]) -> str:
    if item["required"] is None:
        return "not asked yet"
    have = f" ({', '.join(item['approvedBy'])})" if item["approvedBy"] else ""
    people = ", ".join(item["approvers"]) or "anyone with the link"
    return f"{len(item['approvedBy'])} of {item['required']}{have}, by {people}"
