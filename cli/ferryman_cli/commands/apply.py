"""`ferryman apply`: apply a platform document."""

from typing import Annotated

import typer

from ferryman.errors import InvalidDocument
from ferryman_cli import options, output, source
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
    form: options.Output = output.Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Apply a platform document.

    Reports all problems at once, each with its file and line, and changes nothing if there are any (exit 2). Before the
    operator accepts the document, it checks it against ECS, ECR and SSM, and says which containers change besides the
    named ones. The first apply adopts what is already running and deploys nothing. Warns of what is legal and likely to
    surprise, such as a tagPattern that also matches semver tags.

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
        answer = api.put(Api.path("v1", "platforms", name), document.data, dryRun="true" if dry_run else None)
    except ApiError as error:
        if not error.problems:
            raise
        raise _refused(document, error.problems, str(error)) from None

    def show() -> None:
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


def _refused(document: source.Source, problems: list[tuple[str, str]], why: str = "") -> Stop:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return Stop(
        Exit.BAD_INPUT, f"{why or 'the document is not valid; nothing was sent'} ({count})\n{document.tell(problems)}"
    )
