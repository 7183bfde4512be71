"""`ferryman tags`: what tags would be under a platform document, without AWS."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferryman.errors import InvalidDocument
from ferryman_cli import options, output, source
from ferryman_cli.exits import Exit, Stop

if TYPE_CHECKING:
    from ferryman.platform import Platform
    from ferryman.platform.tag_report import TagReport


def tags(
    file: Annotated[
        str, typer.Option("--filename", "-f", metavar="FILE", help="The platform document; `-` reads standard input.")
    ],
    tested: Annotated[
        list[str], typer.Argument(metavar="TAG", help="Image tags, as you would push them.", show_default=False)
    ],
    form: options.Output = output.Format.TABLE,
) -> None:
    """Show what image tags would be under a platform document.

    Reads only the document and needs neither AWS nor an operator. KIND is one of: Release (names a release),
    SemverName (a second name for a release), MovingTag (follows what runs), Ignored.

    \b
    Exit codes:
      0  every tag is what it seems to be
      1  a tag would be ignored, or is a semver tag that tagPattern matches, too
      2  the document is not valid

    \b
    Examples:
      ferryman tags -f platform.yaml 3f9c2ab v1.2.3 staging-current
      ferryman tags -f platform.yaml "$(git rev-parse --short=7 HEAD)" || exit 1
      ferryman tags -f platform.yaml sha-3f9c2ab -o json
    """
    from ferryman.platform import apply_refusals
    from ferryman.platform.tag_report import report, taken_for_a_version

    document, platform = _read(file)
    found = [report(tag, platform) for tag in tested]
    refused = apply_refusals.problems_of(platform)
    warnings = [*refused, *([] if refused else apply_refusals.warnings_of(platform))]
    answer = {
        "platform": platform.name,
        "tagPattern": platform.spec.tag_pattern,
        "tags": [_row(item) for item in found],
        "warnings": [{"path": path, "message": message} for path, message in warnings],
    }

    def show() -> None:
        rows: list[list[output.Cell]] = [[item.tag, item.kind, item.version or "-", _told(item)] for item in found]
        output.table(["TAG", "KIND", "VERSION", "MESSAGE"], rows, drop=("VERSION",))
        if warnings:
            output.warn(f"warning: {document.tell(warnings)}")

    output.emit(form, answer, show)
    if any(item.kind == "Ignored" or taken_for_a_version(item.tag, platform) for item in found):
        raise typer.Exit(Exit.FAILED)


def _read(file: str) -> "tuple[source.Source, Platform]":
    from ferryman.platform import parse

    document = source.read(file)
    try:
        return document, parse(document.data)
    except InvalidDocument as error:
        raise Stop(Exit.BAD_INPUT, f"the document is not valid\n{document.tell(error.problems)}") from None


def _row(item: "TagReport") -> dict[str, Any]:
    return {
        "tag": item.tag,
        "kind": item.kind,
        "version": item.version,
        "seq": item.seq,
        "reason": item.reason,
        "message": item.message,
        "nextStep": item.next_step,
    }


def _told(item: "TagReport") -> str:
    return f"{item.message}. {item.next_step}".strip()
