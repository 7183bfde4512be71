"""`ferryman diff`: show what a deployment would change."""

from typing import Annotated, Any

import typer
from rich.text import Text

from ferryman.suggestions import suggest
from ferryman.text import listed
from ferryman_cli import choices, options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit
from ferryman_cli.output import Format


def diff(
    environment: options.Env,
    release: Annotated[
        str,
        typer.Argument(
            metavar="RELEASE",
            help="Version or semver tag of the release.",
            show_default=False,
            autocompletion=choices.releases,
        ),
    ],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if there are changes, like `git diff`.")
    ] = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show what deploying a release would change.

    Compares images, fields of task definitions and migrations, and shows what blocks the deployment now. Changes
    nothing. Exits with 0 even if there are differences; with --exit-code, exits with 1 if there are any.

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
    "rollback": "an older release: deploy it with {way}",
    "same": "already running",
}


def _show(found: dict[str, Any]) -> None:
    console, env = output.out(), found["environment"]
    names = f" ({', '.join(found['names'])})" if found["names"] else ""
    way = suggest("rollback", env, p=found["platform"], release=found["release"], reason="REASON")
    direction = _DIRECTIONS[found["direction"]].format(way=way)
    console.print(f"{found['platform']}/{env}: {found['runs'] or 'nothing'} → {found['release']}{names}, {direction}")
    _images(found["components"])
    # An operator of an earlier version tells of no jobs.
    _services([*found["services"], *found.get("jobs", [])])
    _migrations(found["migrations"])
    if found["changes"]:
        console.print(f"\nTags that would move: {', '.join(found['movingTags'])}")
    else:
        console.print("\nNo image or task definition would change.")
    if found["approvers"]:
        console.print(f"Approvals required: {found['required']} of {', '.join(found['approvers'])}")
    if found["obstacles"]:
        console.print("\nBlocked now by:")
        output.table(["REASON", "MESSAGE"], [[item["reason"], item["message"]] for item in found["obstacles"]])
    else:
        console.print("Nothing blocks this deployment.")
    for problem in found["unread"]:
        output.warn(f"could not be read: {problem}")


def _images(components: list[dict[str, Any]]) -> None:
    output.out().print("\nImages:")
    rows: list[list[output.Cell]] = []
    for item in components:
        after = _digest(item["after"]) if item["after"] else "no image in the release; stays as it is"
        change = Text(after, style="green") if item["changed"] else Text("unchanged" if item["after"] else after)
        rows.append([item["component"], _digest(item["before"]), change])
    output.table(["COMPONENT", "RUNNING", "WOULD RUN"], rows)


def _services(services: list[dict[str, Any]]) -> None:
    console = output.out()
    console.print("\nTask definitions:")
    for service in services:
        revision = f" ({service['taskDefinition']})" if service["taskDefinition"] else ""
        told = service["note"] or ("" if service["fields"] else "unchanged")
        containers = service.get("containers", [])
        named = f", containers {listed(containers)}" if len(containers) > 1 else ""
        console.print(output.clean(f"  {service['service']}{revision}{named}{f': {told}' if told else ''}"))
        for field in service["fields"]:
            console.print(f"    {output.flat(field['field'])}")
            for sign, value, style in (("-", field["before"], "red"), ("+", field["after"], "green")):
                if value is not None:
                    console.print(Text(f"      {sign} {output.flat(value)}", style=style))


def _migrations(migrations: dict[str, Any]) -> None:
    console = output.out()
    console.print(f"\nDatabase: {output.flat(migrations['message'])}")
    for item in migrations["ids"]:
        unsafe = "  not safe to roll back past" if item in migrations["unsafe"] else ""
        console.print(f"  {output.flat(item)}{unsafe}")


def _digest(digest: str | None) -> str:
    """Return the start of a digest, long enough to tell it from others."""
    return digest[:19] if digest else "-"
