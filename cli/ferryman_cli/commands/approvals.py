"""`ferryman approval`, `approve`, `reject`: deciding with AWS credentials, recorded with their ARN."""

import sys
from typing import Annotated, Any

import typer

from ferryman_cli import asking, confirm, options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.moments import local
from ferryman_cli.output import Format, since
from ferryman_cli.output import status as coloured

Short = Annotated[
    str | None,
    typer.Option(
        "--release", metavar="VERSION", show_default=False,
        help="The version that is decided about, as short as the page shows it. Without it, it is asked for on a "
        "terminal.",
    ),
]  # fmt: skip


def approval(
    environment: options.Env,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show the approval that an environment waits for.

    Which release, who asked, who may decide and how, until when. Exit 2 when nothing waits for approval.

    \b
    Examples:
      ferryman approval production
      ferryman approval production -o json
    """
    api = connect(api_url)
    found = api.get(f"{options.place(api, platform, environment)}/approval")
    output.emit(form, found, lambda: _show(found))


def approve(
    environment: options.Env,
    release: Short = None,
    reason: options.OptionalReason = "",
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Say yes to the deployment that waits.

    For people whose ARN the platform document lists among the approvers (`aws sts get-caller-identity` shows yours);
    everybody else is refused (exit 4), and that is recorded. Who asked for a deployment may not approve it. To approve,
    one types the short version of exactly the release that waits.

    \b
    Examples:
      ferryman approve production
      ferryman approve production --release 3f9c2ab --reason "seen in staging"
    """
    _decide(api_url, platform, environment, "approve", release, reason, form)


def reject(
    environment: options.Env,
    reason: options.Reason,
    release: Short = None,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Say no to the deployment that waits, with a reason.

    For people whose ARN the platform document lists among the approvers. The release is done with here until a person
    deploys it again.

    \b
    Examples:
      ferryman reject production --reason "not before the fair" --release 3f9c2ab
    """
    _decide(api_url, platform, environment, "reject", release, reason, form)


def _decide(
    api_url: str | None,
    platform: str | None,
    environment: str,
    verdict: str,
    release: str | None,
    reason: str,
    form: Format,
) -> None:
    """Send a verdict on exactly the release that was named; what waits is read first, so that both can be compared."""
    api = connect(api_url)
    place = options.place(api, platform, environment)
    found = api.get(f"{place}/approval")
    short, version = found["short"], found["version"]
    if release is not None and release not in (short, version):
        raise Stop(
            Exit.BAD_INPUT, f"{version} is what {environment} waits for, not {release}; nothing was sent. To decide "
            f"about it, type {short}"
        )  # fmt: skip
    if release is None:
        if sys.stdin.isatty():
            _show(found)
        again = confirm.command(verdict, environment, platform=platform, release=short, reason=reason)
        question = f"you are about to {verdict} {version} for {environment}."
        confirm.typed(short, None, question=question, again=again)
    answer = api.post(f"{place}/{verdict}", {"version": short, "reason": reason}, repeatable=True)
    asking.tell(form, answer)


def _show(found: dict[str, Any]) -> None:
    tag = f" ({found['tag']})" if found["tag"] else ""
    decisions = ", ".join(
        f"{item['name']}: {item['verdict']} by {item['how']} {since(item['at'])} ago" for item in found["decisions"]
    )
    output.fields(
        [
            ("Environment", f"{found['platform']}/{found['environment']}"),
            ("Release", f"{found['version']}{tag}, {_instead(found)}"),
            ("Status", coloured(found["status"])),
            ("Requested", f"by {output.who(found['requestedBy'])} {since(found['requestedAt'])} ago"),
            ("Expires", local(found["expiresAt"]) if found["status"] == "Pending" else ""),
            ("Approvals", f"{len(found['approvedBy'])} of {found['required']}"),
            ("Decisions", decisions),
            ("Refused", f"{found['refused']} attempts" if found["refused"] else ""),
            ("Reason", found["reason"]),
            ("Deployment", found["deployment"]),
            ("You", _you(found)),
        ]
    )
    console = output.out()
    for component, digest in sorted(found["digests"].items()):
        console.print(f"  {component}  {digest}")
    for sentence in found["sentences"][1:]:
        console.print(output.clean(sentence))


def _instead(found: dict[str, Any]) -> str:
    return f"instead of {found['from']}" if found["from"] else "the first one here"


def _you(found: dict[str, Any]) -> str:
    you = found["you"]
    if you is None:
        return "are not among its approvers"
    if you == found["barred"]:
        return f"{you}, who asked for it and may not approve"
    return f"{you}, who may approve" if any(item["name"] == you for item in found["mayApprove"]) else str(you)
