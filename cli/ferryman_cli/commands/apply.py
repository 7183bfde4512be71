"""`ferryman apply`: apply a platform document."""

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from ferryman.errors import InvalidDocument
from ferryman.suggestions import suggest
from ferryman_cli import options, output, source
from ferryman_cli.commands.proposal import changes
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.transport import Api, ApiError


class Shown(StrEnum):
    """The values of `-o` for this command."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    MARKDOWN = "markdown"


def apply(
    file: Annotated[
        str, typer.Option("--filename", "-f", metavar="FILE", help="The platform document; `-` reads standard input.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the document and show what would happen, without applying it.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Stop operating environments that the file no longer has; ECS is not changed."),
    ] = False,
    override: Annotated[
        str | None,
        typer.Option(
            "--override",
            metavar="REASON",
            show_default=False,
            help="As an admin: apply a document that weakens a gate without the approval that it needs. All approvers "
            "and channels are told the reason.",
        ),
    ] = None,
    form: Annotated[Shown, typer.Option("--output", "-o", help="Output format.")] = Shown.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Apply a platform document.

    Reports all problems at once, each with its file and line, and changes nothing if there are any (exit 2). Before the
    operator accepts the document, it checks it against ECS, ECR, SSM and IAM, and says which other containers change
    with the named ones. Lists each field that changes, and marks changes that loosen a gate or start a deployment.
    Warns of settings that are valid but likely to surprise, such as a tagPattern that also matches semver tags. The
    first apply adopts what is already running and deploys nothing.

    A file that leaves out an environment is refused, unless you add `--prune`.

    A document that weakens a gate of an environment that asks for approval (its approvers, promotion, soak, scans,
    freeze windows and the like) is not applied. It is proposed to the approvers of the document that is applied, and
    the command exits with 5. `ferryman proposal` shows who has agreed; a newer apply supersedes it.

    \b
    Examples:
      ferryman apply -f platform.yaml
      ferryman apply -f platform.yaml --dry-run
      ferryman apply -f platform.yaml --dry-run -o markdown   # for a comment on a pull request
      cat platform.yaml | ferryman apply -f -
    """
    from ferryman.platform import parse

    document = source.read(file)
    try:
        name = parse(document.data).name
    except InvalidDocument as error:
        raise _refused(document, error.problems) from None
    api = connect(api_url)
    try:
        path, flag = Api.path("v1", "platforms", name), {True: "true", False: None}
        # What `ferryman get` writes is not part of the document; an operator of an earlier version would refuse it.
        sent = {key: value for key, value in document.data.items() if key != "status"}
        answer = api.put(path, sent, dryRun=flag[dry_run], override=override or None, prune=flag[prune])
    except ApiError as error:
        if not error.problems:
            raise
        raise _refused(document, error.problems, str(error)) from None

    def show() -> None:
        if answer["result"] == "proposed":
            told_proposed(answer)
            _preview(answer)
            return
        tail = "" if answer["result"] == "unchanged" and not dry_run else f" (generation {answer['generation']})"
        tail += " (dry run)" if answer["dryRun"] else ""
        output.out().print(f"platform/{answer['platform']} ", output.status(answer["result"]), tail, sep="")
        warnings = [(item["path"], item["message"]) for item in answer.get("warnings", [])]
        if warnings:
            output.warn(f"warning: {document.tell(warnings)}")
        notes = [(note["path"], note["message"]) for note in answer.get("notes", [])]
        if notes:
            output.out().print(output.clean(f"Note:\n{document.tell(source.grouped(notes))}"))
        _preview(answer)

    if form is Shown.MARKDOWN:
        from ferryman_cli.markdown import of_apply

        sys.stdout.write(of_apply(answer, document))
    else:
        output.emit(output.Format(form), answer, show)
    if answer["result"] == "proposed" and not dry_run:
        raise typer.Exit(int(Exit.PROPOSED))


def _preview(answer: dict[str, Any]) -> None:
    """Print each field that changes, and which deployments start by themselves. An older operator tells neither."""
    fields = answer.get("fields", [])
    if fields:
        output.out().print("Changes:")
    for item in fields:
        mark = "   (loosens a gate)" if item["loosens"] else ""
        output.out().print(output.clean(f"  {item['path']}: {_change(item['before'], item['after'])}{mark}"))
    would = "would start" if answer["dryRun"] or answer["result"] == "proposed" else "starts"
    for item in answer.get("starts", []):
        output.out().print(output.clean(f"This {would} a deployment of {item['version']} in {item['environment']}."))


def _change(before: str | None, after: str | None) -> str:
    if after is None:
        return "removed"
    return f"added: {output.flat(after)}" if before is None else f"{output.flat(before)} → {output.flat(after)}"


def told_proposed(answer: dict[str, Any]) -> None:
    """Say that nothing was applied, what waits for whom, and how to follow it."""
    dry, platform = answer["dryRun"], answer["platform"]
    tail = f" (generation {answer['generation']} stays){' (dry run)' if dry else ''}"
    output.out().print(f"platform/{platform} ", output.status("proposed"), tail, sep="")
    what = "would not be" if dry else "was not"
    output.out().print(f"The document {what} applied: it weakens what other people rely on.")
    changes(answer["changes"])
    for item in answer["waitsFor"]:
        people = ", ".join(item["approvers"]) or "anyone with the link"
        waits = "It would wait" if dry else "It waits"
        output.out().print(output.clean(f"{waits} for {item['required']} of {people} ({item['environment']})."))
    if not dry:
        told = (
            f"To follow it, run {suggest('proposal', p=platform)}. To take it back, apply the present document again."
        )
        output.out().print(output.clean(told))


def _refused(document: source.Source, problems: list[tuple[str, str]], why: str = "") -> Stop:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return Stop(
        Exit.BAD_INPUT, f"{why or 'the document is not valid; nothing was sent'} ({count})\n{document.tell(problems)}"
    )
