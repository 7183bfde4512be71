"""`ferryman platform retire`: take an abandoned platform out of Ferryman."""

from typing import Annotated

import typer

from ferryman_cli import asking, confirm, options
from ferryman_cli.connection import connect
from ferryman_cli.exits import Commands
from ferryman_cli.output import Format
from ferryman_cli.transport import Api

app = typer.Typer(
    cls=Commands, name="platform", help="Manage platforms as a whole.", no_args_is_help=True, rich_markup_mode=None
)  # fmt: skip


@app.callback()
def group() -> None:
    """Manage platforms as a whole."""


@app.command()
def retire(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the platform.", show_default=False)],
    reason: options.Reason,
    confirmation: Annotated[
        str | None,
        typer.Option(
            "--confirm", metavar="NAME", help="The platform's name, instead of typing it.", show_default=False
        ),
    ] = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Take a platform out of Ferryman, for admins.

    Removes the platform's document, so that nothing of it is deployed any more, and frees what belongs to it: services,
    task definitions, roles, schedules, secrets, topics and tags. Changes nothing in ECS. Its releases and its history
    stay, and are there again if a platform of this name is applied later.

    \b
    Examples:
      ferryman platform retire shop --reason "moved to the platform store"
      ferryman platform retire shop --reason "moved to the platform store" --confirm shop
    """
    confirm.typed(
        name,
        confirmation,
        question=f"This takes platform {name} out of Ferryman and frees what belongs to it.",
        again=confirm.command("platform", "retire", name, reason=reason, confirm=name),
    )
    answer = connect(api_url).post(Api.path("v1", "platforms", name, "retire"), {"reason": reason}, repeatable=False)
    asking.tell(form, answer)
