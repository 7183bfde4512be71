"""`ferryman delete`: take a platform or an environment out of Ferryman. Nothing changes in ECS."""

from typing import Annotated

import typer

from ferryman.suggestions import command
from ferryman_cli import asking, confirm, options, output
from ferryman_cli.commands.apply import told_proposed
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit
from ferryman_cli.group import Commands
from ferryman_cli.output import Format
from ferryman_cli.transport import Api

app = typer.Typer(
    cls=Commands, name="delete", help="Take a platform or an environment out of Ferryman.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip
former = typer.Typer(cls=Commands, name="platform", hidden=True, no_args_is_help=True, rich_markup_mode=None)
"""`platform retire`, for one version: the former name of `delete platform`."""

_STAYS = "Nothing changes in ECS; releases and records stay. A {kind} of this name begins a new history."
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="The name again, instead of typing it.", show_default=False),
]


@app.callback()
def group() -> None:
    """Take a platform or an environment out of Ferryman."""


@former.callback()
def former_group() -> None:
    """Manage platforms as a whole."""


@former.command("retire")
@app.command()
def platform(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the platform.", show_default=False)],
    reason: options.Reason,
    confirmation: Confirm = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Take a platform out of Ferryman, for admins.

    Removes the platform's document, so that nothing of it is deployed any more, and frees what belongs to it: services,
    task definitions, roles, schedules, secrets, topics and tags. Changes nothing in ECS. Its releases and its records
    stay. A platform that is applied under this name later begins a new history: it adopts what runs, and what was
    verified before does not count. Exits with 4 while a deployment is in progress in one of its environments.

    \b
    Examples:
      ferryman delete platform shop --reason "moved to the platform store"
      ferryman delete platform shop --reason "moved to the platform store" --confirm shop
    """
    confirm.typed(
        name,
        confirmation,
        question=f"This takes platform {name} out of Ferryman and frees what belongs to it. "
        + _STAYS.format(kind="platform"),
        again=command("delete", "platform", name, reason=reason, confirm=name),
    )
    answer = connect(api_url).post(Api.path("v1", "platforms", name, "retire"), {"reason": reason}, repeatable=False)
    asking.tell(form, answer)


@app.command()
def environment(
    name: options.Env,
    reason: options.Reason,
    confirmation: Confirm = None,
    override: Annotated[
        str | None,
        typer.Option(
            "--override",
            metavar="REASON",
            show_default=False,
            help="As an admin: delete an environment that asks for approval without its approvers, who are told.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, without doing it.")] = False,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Take an environment out of a platform.

    Applies the stored document without this environment: nothing is deployed there any more, and what belongs to it is
    free. Changes nothing in ECS. Its records stay. An environment that is applied under this name later begins a new
    history.

    An environment that asks for approval is deleted once its approvers agree (exit 5). The last environment, one that
    another promotes from, and one in which a deployment is in progress are not deleted (exit 4). Remove it from your
    file, too: the next `apply` of that file would create it again.

    \b
    Examples:
      ferryman delete environment qa --reason "no longer used" --confirm qa
      ferryman delete environment qa --reason "no longer used" --dry-run
    """
    api = connect(api_url)
    chosen = options.only_platform(api, platform)
    if not dry_run:
        confirm.typed(
            name,
            confirmation,
            question=f"This takes {chosen}/{name} out of Ferryman. " + _STAYS.format(kind="environment"),
            again=command("delete", "environment", name, p=chosen, reason=reason, override=override, confirm=name),
        )
    answer = api.post(
        f"{options.place(api, chosen, name)}/delete", {"reason": reason}, repeatable=False,
        dryRun="true" if dry_run else None, override=override or None,
    )  # fmt: skip

    def show() -> None:
        if answer["result"] == "proposed":
            told_proposed(answer)
            return
        would = "would be" if dry_run else "is"
        output.out().print(
            f"{chosen}/{name} {would} deleted from Ferryman, and what it owned {would} free (generation "
            f"{answer['generation']}){' (dry run)' if dry_run else ''}"
        )
        output.out().print(_STAYS.format(kind="environment"))

    output.emit(form, answer, show)
    if answer["result"] == "proposed" and not dry_run:
        raise typer.Exit(int(Exit.PROPOSED))
