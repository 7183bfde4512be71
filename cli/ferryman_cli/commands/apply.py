"""`ferryman apply`: apply a platform document."""

from typing import Annotated, Any

import typer

from ferryman.errors import InvalidDocument
from ferryman_cli import options, output, source
from ferryman_cli.commands.proposal import changes
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.transport import Api, ApiError


def apply(
    file: Annotated[
        str, typer.Option("--filename", "-f", metavar="FILE", help="The platform document; `-` reads standard input.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the document and show what would happen, without applying it.")
    ] = False,
    override: Annotated[
        str | None,
        typer.Option(
            "--override",
            metavar="REASON",
            show_default=False,
            help="Of an admin: apply a document that weakens a gate without the approval that it needs. Everybody is "
            "told.",
        ),
    ] = None,
    form: options.Output = output.Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Apply a platform document.

    Reports all problems at once, each with its file and line, and changes nothing if there are any (exit 2). Before the
    operator accepts the document, it checks it against ECS, ECR and SSM, and says which containers change besides the
    named ones. The first apply adopts what is already running and deploys nothing. Warns of what is legal and likely to
    surprise, such as a tagPattern that also matches semver tags.

    A document that weakens a gate of an environment that asks for approval (its approvers, promotion, soak, scans,
    freeze windows and the like) is not applied. It is proposed to the approvers of the document that is applied, and
    the command exits with 5. `ferryman proposal` shows how it stands; a newer apply supersedes it.

    \b
    Examples:
      ferryman apply -f platform.yaml
      ferryman apply -f platform.yaml --dry-run
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
        path, dry = Api.path("v1", "platforms", name), "true" if dry_run else None
        answer = api.put(path, document.data, dryRun=dry, override=override or None)
    except ApiError as error:
        if not error.problems:
            raise
        raise _refused(document, error.problems, str(error)) from None

    def show() -> None:
        if answer["result"] == "proposed":
            _proposed(answer)
            return
        tail = "" if answer["result"] == "unchanged" and not dry_run else f" (generation {answer['generation']})"
        tail += " (dry run)" if answer["dryRun"] else ""
        output.out().print(f"platform/{answer['platform']} ", output.status(answer["result"]), tail, sep="")
        warnings = [(item["path"], item["message"]) for item in answer.get("warnings", [])]
        if warnings:
            output.warn(f"warning: {document.tell(warnings)}")
        notes = [(note["path"], note["message"]) for note in answer.get("notes", [])]
        if notes:
            output.out().print(output.clean(f"Note:\n{document.tell(notes)}"))

    output.emit(form, answer, show)
    if answer["result"] == "proposed" and not dry_run:
        raise typer.Exit(int(Exit.PROPOSED))


def _proposed(answer: dict[str, Any]) -> None:
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
        told = f"To follow it, run `ferryman proposal {platform}`. To take it back, apply the present document again."
        output.out().print(output.clean(told))


def _refused(document: source.Source, problems: list[tuple[str, str]], why: str = "") -> Stop:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return Stop(
        Exit.BAD_INPUT, f"{why or 'the document is not valid; nothing was sent'} ({count})\n{document.tell(problems)}"
    )
