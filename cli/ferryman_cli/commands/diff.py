"""`ferryman diff`: what a deployment would change, before anything does."""

from typing import Annotated, Any

import typer
from rich.text import Text

from ferryman_cli import options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit
from ferryman_cli.output import Format


def diff(
    environment: options.Env,
    release: Annotated[
        str, typer.Argument(metavar="RELEASE", help="Its version, or its semver tag.", show_default=False)
    ],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 when something would change, as `git diff` does.")
    ] = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show what deploying a release would change.

    Images, fields of task definitions, migrations, and what stands in the way. Changes nothing. Exit 0, whether there
    are differences or not; with --exit-code 1 when there are.

    \b
    Examples:
      ferryman diff production 3f9c2ab
      ferryman diff production 3f9c2ab --exit-code -o json
    """
    api = connect(api_url)
    found = api.get(f"{options.place(api, platform, environment)}/diff", release=release)
    output.emit(form, found, lambda: _show(found))
    if exit_code and found["changes"]:
        raise typer.Exit(Exit.FAILED)


_DIRECTIONS = {
    "first": "the first release here",
    "deploy": "a newer release",
    "rollback": "going back: `ferryman rollback {env} --to {release} --reason …` does it",
    "same": "what runs already",
}


def _show(found: dict[str, Any]) -> None:
    console, env = output.out(), found["environment"]
    names = f" ({', '.join(found['names'])})" if found["names"] else ""
    direction = _DIRECTIONS[found["direction"]].format(env=env, release=found["release"])
    console.print(f"{found['platform']}/{env}: {found['runs'] or 'nothing'} → {found['release']}{names}, {direction}")
    _images(found["components"])
    _services(found["services"])
    _migrations(found["migrations"])
    if found["changes"]:
        console.print(f"\nTags that follow: {', '.join(found['movingTags'])}")
    else:
        console.print("\nNo image and no task definition would change.")
    if found["approvers"]:
        console.print(f"Approval: {found['required']} of {', '.join(found['approvers'])}")
    if found["obstacles"]:
        console.print("\nIn the way now:")
        output.table(["REASON", "MESSAGE"], [[item["reason"], item["message"]] for item in found["obstacles"]])
    else:
        console.print("Nothing stands in the way.")
    for problem in found["unread"]:
        output.warn(f"could not be looked at: {problem}")


def _images(components: list[dict[str, Any]]) -> None:
    output.out().print("\nImages:")
    rows: list[list[output.Cell]] = []
    for item in components:
        after = _digest(item["after"]) if item["after"] else "no image in the release: stays"
        change = Text(after, style="green") if item["changed"] else Text("unchanged" if item["after"] else after)
        rows.append([item["component"], _digest(item["before"]), change])
    output.table(["COMPONENT", "RUNS", "WOULD RUN"], rows)


def _services(services: list[dict[str, Any]]) -> None:
    console = output.out()
    console.print("\nTask definitions:")
    for service in services:
        revision = f" ({service['taskDefinition']})" if service["taskDefinition"] else ""
        told = service["note"] or ("" if service["fields"] else "unchanged")
        console.print(output.clean(f"  {service['service']}{revision}{f': {told}' if told else ''}"))
        for field in service["fields"]:
            console.print(f"    {output.flat(field['field'])}")
            for sign, value, style in (("-", field["before"], "red"), ("+", field["after"], "green")):
                if value is not None:
                    console.print(Text(f"      {sign} {output.flat(value)}", style=style))


def _migrations(migrations: dict[str, Any]) -> None:
    console = output.out()
    console.print(f"\nDatabase: {output.flat(migrations['message'])}")
    for item in migrations["ids"]:
        unsafe = "  not safe to go back behind" if item in migrations["unsafe"] else ""
        console.print(f"  {output.flat(item)}{unsafe}")


def _digest(digest: str | None) -> str:
    """Return as much of a digest as tells it from others."""
    return digest[:19] if digest else "-"
