"""`ferryman approval`, `approve`, `reject`: approvals by people with AWS credentials, recorded with their ARN."""

import sys
from typing import Annotated, Any

import typer

from ferryman.suggestions import command
from ferryman_cli import asking, choices, confirm, options, output
from ferryman_cli.commands.proposal import changes
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.moments import local
from ferryman_cli.output import Format, since
from ferryman_cli.output import status as coloured

Short = Annotated[
    str | None,
    typer.Option(
        "--release", metavar="VERSION", show_default=False, autocompletion=choices.releases,
        help="The version that you decide about, in the short form that the approval page shows. Default: ask for it "
        "on a terminal.",
    ),
]  # fmt: skip

Proposal = Annotated[
    bool,
    typer.Option("--proposal", help="The proposed document, if a deployment waits for approval at the same time."),
]


def approval(
    environment: options.Env,
    proposal: Proposal = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show the approval that an environment is waiting for.

    Shows the release, who requested it, who can decide and how, and when the request expires. Exits with 4 if
    nothing is waiting for approval.

    \b
    Examples:
      ferryman approval production
      ferryman approval production -o json
    """
    api = connect(api_url)
    found = api.get(f"{options.place(api, platform, environment)}/approval", about=_about(proposal))
    output.emit(form, found, lambda: _show(found))


def approve(
    environment: options.Env,
    release: Short = None,
    reason: options.OptionalReason = "",
    proposal: Proposal = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Approve the deployment that is waiting, or the document that was proposed.

    Only approvers whose ARN is in the platform document can approve (`aws sts get-caller-identity` shows yours). Anyone
    else is refused (exit 4), and the attempt is recorded. The person who requested the deployment cannot approve it
    unless `requesterMayApprove: true`. To confirm, type the short version of the release that is waiting.

    \b
    Examples:
      ferryman approve production
      ferryman approve production --release 3f9c2ab --reason "tested in staging"
    """
    _decide(api_url, platform, environment, "approve", release, reason, form, proposal=proposal)


def reject(
    environment: options.Env,
    reason: options.Reason,
    release: Short = None,
    proposal: Proposal = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Reject the deployment that is waiting, or the document that was proposed, with a reason.

    Only approvers whose ARN is in the platform document can reject. A rejected release does not start again in this
    environment until a person deploys it.

    \b
    Examples:
      ferryman reject production --reason "not before the fair" --release 3f9c2ab
    """
    _decide(api_url, platform, environment, "reject", release, reason, form, proposal=proposal)


def _decide(
    api_url: str | None,
    platform: str | None,
    environment: str,
    verdict: str,
    release: str | None,
    reason: str,
    form: Format,
    *,
    proposal: bool,
) -> None:
    """Send a decision about the named release; the pending approval is read first, so that both can be compared."""
    api = connect(api_url)
    place = options.place(api, platform, environment)
    found = api.get(f"{place}/approval", about=_about(proposal))
    short, version = found["short"], found["version"]
    if release is not None and release not in (short, version):
        raise Stop(
            Exit.BAD_INPUT, f"{environment} is waiting for {version}, not {release}; nothing was sent. To decide about "
            f"{version}, use --release {short}"
        )  # fmt: skip
    if release is None:
        if sys.stdin.isatty():
            _show(found)
        again = command(
            verdict, environment, p=platform, release=short, reason=reason, proposal=proposal
        )  # fmt: skip
        what = f"`{found['command']}` with {version}" if found.get("command") else version
        what = f"document {short}" if _is_document(found) else what
        question = f"You are about to {verdict} {what} for {environment}."
        confirm.typed(short, None, question=question, again=again)
    body = {"version": short, "reason": reason}
    if _is_document(found):
        body["about"] = "proposal"
    if verdict == "approve" and found.get("planHash"):
        body["planHash"] = found["planHash"]
    answer = api.post(f"{place}/{verdict}", body, repeatable=True)
    asking.tell(form, answer)


def _about(proposal: bool) -> str | None:
    return "proposal" if proposal else None


def _is_document(found: dict[str, Any]) -> bool:
    """Whether an approval is about a proposed document; an operator of an earlier version knows of none."""
    return bool(found.get("about") == "proposal")


def _show(found: dict[str, Any]) -> None:
    decisions = ", ".join(
        f"{item['name']}: {item['verdict']} via {item['how']} {since(item['at'])} ago" for item in found["decisions"]
    )
    output.fields(
        [
            ("Environment", f"{found['platform']}/{found['environment']}"),
            ("Command", found.get("command", "")),
            _subject(found),
            ("Status", coloured(found["status"])),
            ("Requested", f"by {output.who(found['requestedBy'])} {since(found['requestedAt'])} ago"),
            ("Expires", local(found["expiresAt"]) if found["status"] == "Pending" else ""),
            ("Approvals", f"{len(found['approvedBy'])} of {found['required']}"),
            ("Decisions", decisions),
            ("Refused", _attempts(found["refused"])),
            ("Reason", found["reason"]),
            ("Deployment", "" if _is_document(found) else found["deployment"]),
            ("You", _you(found)),
        ]
    )
    console = output.out()
    for task in found.get("tasks", []):
        which = f" on {task['migration']}" if task["migration"] else ""
        console.print(output.clean(f"  runs{which}  {' '.join(task['command'])}"))
        console.print(output.clean(f"  with the image  {task['image']}"))
    if found["kind"] != "migrate":
        console.print("Images:")
        wide = max(map(len, found["digests"]), default=0)
        for component, digest in sorted(found["digests"].items()):
            console.print(f"  {component:{wide}}  {digest}")
    if _is_document(found):
        changes(found["gates"])
    else:
        _show_changes(found)
    for sentence in found["sentences"][1:]:
        console.print(output.clean(sentence))
    if found.get("proposalWaits") and not _is_document(found):
        console.print("A proposed document waits, too: add --proposal to see it.")


def _subject(found: dict[str, Any]) -> tuple[str, str]:
    if _is_document(found):
        return "Document", f"{found['short']}, proposed in place of the one that is applied"
    tag = f" ({found['tag']})" if found["tag"] else ""
    return "Release", f"{found['version']}{tag}, {_instead(found)}"


def _show_changes(found: dict[str, Any]) -> None:
    """Show what changes against what runs, as the operator froze it; an older operator does not tell."""
    console = output.out()
    why, *different = found.get("sinceApproved") or [""]
    if why:
        console.print(output.clean(f"You are asked again: {why}"))
        console.print("What differs from what was approved:")
        for line in different:
            console.print(output.clean(f"  - {line}"))
    if found.get("changes"):
        console.print("What changes against what runs now:")
    for change in found.get("changes", []):
        console.print(output.clean(f"  {change['title']}:"))
        for line in change["lines"]:
            console.print(output.clean(f"    - {line}"))
    if found.get("notFrozen"):
        console.print("Not covered by the approval:")
    for line in found.get("notFrozen", []):
        console.print(output.clean(f"  - {line}"))


def _instead(found: dict[str, Any]) -> str:
    if found["kind"] == "migrate":
        return "which is running and stays"
    return f"replaces {found['from']}" if found["from"] else "the first release here"


def _attempts(count: int) -> str:
    return "" if not count else "1 attempt" if count == 1 else f"{count} attempts"


def _you(found: dict[str, Any]) -> str:
    you = found["you"]
    if you is None:
        return "not an approver of this request"
    if you == found["barred"]:
        return f"{you}, requested it and cannot approve"
    return f"{you}, can approve" if any(item["name"] == you for item in found["mayApprove"]) else str(you)
