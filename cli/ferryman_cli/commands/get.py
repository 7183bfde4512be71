"""`ferryman get`: the documents that are applied, with their status."""

from typing import Annotated, Any

import typer

from ferryman_cli import options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.group import Commands
from ferryman_cli.output import Format
from ferryman_cli.transport import Api

app = typer.Typer(
    cls=Commands, name="get", help="Show applied platform documents.", no_args_is_help=True, rich_markup_mode=None
)  # fmt: skip


@app.callback()
def group() -> None:
    """Show applied platform documents."""


@app.command()
def platform(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Name of the platform. Default: list all of them.", show_default=False),
    ] = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """List the platforms, or show one platform's document and status.

    With NAME, shows the platform's status: the generation, who applied it and when, whether each environment has seen
    it, and the conditions of each. `-o yaml` and `-o json` print the whole document as it was applied, with all
    defaults and with this `status`. You can apply that output again: `ferryman apply` ignores `status` and answers
    "unchanged".

    \b
    Examples:
      ferryman get platform
      ferryman get platform scr -o yaml > platform.yaml
      ferryman get platform scr -o json | jq .status.observedGeneration
    """
    api = connect(api_url)
    if name is None:
        found = api.get("/v1/platforms")
        output.emit(form, found, lambda: _list(found["platforms"]))
        return
    answer = api.get(Api.path("v1", "platforms", name, "document"))
    if "status" not in answer:
        raise Stop(
            Exit.UNREACHABLE,
            "the operator is older than this command and does not report the status of a document; update the operator",
        )
    whole = {**answer["document"], "status": answer["status"]}
    output.emit(form, whole, lambda: _show(name, answer["status"]))


def _list(found: list[dict[str, Any]]) -> None:
    if not found:
        output.out().print("No platforms yet.")
        return
    rows: list[list[output.Cell]] = [
        [
            item["name"], str(item["generation"]), output.since(item["appliedAt"]), item["appliedBy"],
            ", ".join(item["environments"]),
        ]
        for item in found
    ]  # fmt: skip
    output.table(["NAME", "GENERATION", "APPLIED", "BY", "ENVIRONMENTS"], rows, drop=("BY", "APPLIED"))


def _show(name: str, status: dict[str, Any]) -> None:
    ready = status["conditions"][0]
    pairs: list[tuple[str, output.Cell]] = [
        ("Platform", name),
        ("Generation", f"{status['generation']} (seen by all environments: {status['observedGeneration']})"),
        ("Applied", f"{output.since(status['appliedAt'])} ago by {status['appliedBy']}"),
        ("Ready", f"{ready['status']}: {ready['message']}"),
    ]
    if "override" in status:
        pairs.append(("Override", f"{status['override']['by']}: {status['override']['reason']}"))
    output.fields(pairs)
    rows: list[list[output.Cell]] = [
        [env, str(item["observedGeneration"]), item["release"] or "", _condition(item["conditions"])]
        for env, item in status["environments"].items()
    ]
    output.table(["ENVIRONMENT", "SEEN", "RELEASE", "READY"], rows)


def _condition(found: list[dict[str, Any]]) -> str:
    ready = next((item for item in found if item["type"] == "Ready"), None)
    return f"{ready['status']} ({ready['reason']})" if ready is not None else "Unknown"
