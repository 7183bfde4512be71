"""`ferryman validate`: check platform documents without AWS and without an operator."""

from typing import Annotated, Any

import typer

from ferryman.errors import InvalidDocument
from ferryman_cli import options, output, source
from ferryman_cli.exits import Exit, Stop


def validate(
    files: Annotated[
        list[str],
        typer.Option(
            "--filename", "-f", metavar="FILE", help="A platform document; `-` reads standard input. Can be repeated."
        ),
    ],
    form: options.Output = output.Format.TABLE,
) -> None:
    """Check platform documents offline, for example in pull requests.

    Needs no credentials and no network. Reports all problems of all files, each with its file and line. Does not check
    what only AWS or the operator knows: whether services and repositories exist, who the approvers are, and which hosts
    messages may be sent to. To check these, use `ferryman apply --dry-run`.

    \b
    Exit codes:
      0  every document is valid
      2  a document has problems, or cannot be read

    \b
    Examples:
      ferryman validate -f platform.yaml
      ferryman validate -f scr.yaml -f shop.yaml -o json
      cat platform.yaml | ferryman validate -f -
    """
    found = [_checked(file) for file in files]

    def show() -> None:
        for item in found:
            for warning in item["warnings"]:
                output.warn(f"warning: {_line(item, warning)}")
            for problem in item["problems"]:
                output.complain(_line(item, problem))
            if not item["problems"]:
                output.out().print(output.clean(f"{item['file']}: platform/{item['platform']} is valid"))

    output.emit(form, {"valid": not any(item["problems"] for item in found), "documents": found}, show)
    wrong = sum(len(item["problems"]) for item in found)
    if wrong:
        many = "1 problem" if wrong == 1 else f"{wrong} problems"
        raise Stop(Exit.BAD_INPUT, f"{many} found")


def _checked(file: str) -> dict[str, Any]:
    from ferryman.platform import apply_refusals, parse

    name = "<stdin>" if file == "-" else file
    answer: dict[str, Any] = {"file": name, "platform": None, "problems": [], "warnings": []}
    try:
        document = source.read(file)
    except Stop as stop:
        # The message begins with the file, and with the line where there is one.
        return {**answer, "problems": [{"line": None, "path": "", "message": str(stop)}]}
    try:
        platform = parse(document.data)
    except InvalidDocument as error:
        return {**answer, "problems": _told(document, error.problems)}
    refused = apply_refusals.problems_of(platform)
    warnings = [] if refused else apply_refusals.warnings_of(platform)
    return {
        **answer,
        "platform": platform.name,
        "problems": _told(document, refused),
        "warnings": _told(document, warnings),
    }


def _told(document: source.Source, found: list[source.Problem]) -> list[dict[str, Any]]:
    return [{"line": line, "path": path, "message": text} for line, path, text in document.located(found)]


def _line(item: dict[str, Any], problem: dict[str, Any]) -> str:
    if problem["line"] is None:
        return str(problem["message"])
    return source.told(item["file"], problem["line"], problem["path"], problem["message"])
