"""`ferryman deploy`, `rollback`, `migrate`: what a person starts by hand, confirmed by typing."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ferryman_cli import asking, confirm, following, options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.output import Format
from ferryman_cli.transport import Api

_WORD = "DEPLOY"

ConfirmPlace = Annotated[
    str | None,
    typer.Option(
        "--confirm", metavar="ENV", show_default=False,
        help="The environment's name once more. Without it, it is asked for on a terminal.",
    ),
]  # fmt: skip
Revision = Annotated[
    str | None,
    typer.Option(
        "--revision", help="Where down takes the database, as the migration tool names it.", show_default=False
    ),
]


class Direction(StrEnum):
    """What `migrate` does with the database."""

    UP = "up"
    DOWN = "down"
    CURRENT = "current"


def deploy(
    environment: options.Env,
    release: Annotated[str, typer.Option("--release", help="Its version, or its semver tag.", show_default=False)],
    confirmed: Annotated[
        str | None,
        typer.Option(
            "--confirm",
            metavar=_WORD,
            show_default=False,
            help=f"The word {_WORD}. Without it, it is asked for on a terminal.",
        ),
    ] = None,
    reason: options.OptionalReason = "",
    watch: following.Watch = False,
    timeout: following.Timeout = None,
    interval: following.Interval = 2,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Deploy a release by hand.

    Where the environment has approvers, one of them still has to say yes. A release that has to be verified elsewhere
    first, soak, or pass image scans is refused with the reason (exit 4). `ferryman diff ENV RELEASE` shows beforehand
    what would change.

    \b
    Examples:
      ferryman deploy production --release 3f9c2ab --confirm DEPLOY
      ferryman deploy production --release 3f9c2ab --confirm DEPLOY --reason "hotfix" --watch
    """
    again = confirm.command(
        "deploy", environment, platform=platform, release=release, reason=reason, watch=watch, confirm=_WORD
    )
    question = f"{release} is about to be deployed to {environment}; `ferryman diff {environment} {release}` shows it."
    word = confirm.typed(_WORD, confirmed, question=question, again=again)
    limit, body = following.seconds(timeout), {"release": release, "confirm": word, "reason": reason}
    _start(api_url, platform, environment, "deploy", body, form, watch=watch, interval=interval, limit=limit)


def rollback(
    environment: options.Env,
    reason: options.Reason,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="RELEASE",
            help="Its version, or its semver tag. Default: the one before.",
            show_default=False,
        ),
    ] = None,
    accept_schema_mismatch: Annotated[
        bool,
        typer.Option(
            "--accept-schema-mismatch",
            help="Go back although migrations since then are marked as not safe for it.",
        ),
    ] = False,
    downgrade: Annotated[
        bool, typer.Option("--downgrade", help="Take the database back first, with the platform's downgrade command.")
    ] = False,
    revision: Annotated[
        str | None,
        typer.Option(
            "--revision",
            show_default=False,
            help="Where --downgrade takes the database. Default: the last migration that the release knows.",
        ),
    ] = None,
    confirmed: ConfirmPlace = None,
    watch: following.Watch = False,
    timeout: following.Timeout = None,
    interval: following.Interval = 2,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Go back to an earlier release.

    To one that ran here successfully. Puts the environment on hold, so that automation does not undo it; `ferryman
    resume ENV` lifts that. Passes a freeze. Supersedes an approval that is pending; a deployment under way is aborted
    and taken back first. Refused (exit 4) when migrations since that release are marked as not safe for a rollback, or
    when nobody can tell. The database stays as it is, unless --downgrade is given.

    \b
    Examples:
      ferryman rollback production --reason "checkout fails" --confirm production
      ferryman rollback production --to 3f9c2ab --reason "checkout fails" --confirm production --watch
      ferryman rollback production --reason "bad schema" --downgrade --revision 0042 --confirm production
    """
    if revision is not None and not downgrade:
        raise Stop(Exit.BAD_INPUT, "--revision says where the database goes to; it needs --downgrade beside it")
    again = confirm.command(
        "rollback", environment, platform=platform, to=to, reason=reason,
        accept_schema_mismatch=accept_schema_mismatch, downgrade=downgrade, revision=revision, watch=watch,
        confirm=environment,
    )  # fmt: skip
    database = ", after its database" if downgrade else "; its database stays as it is"
    question = f"{environment} is about to go back to {to or 'the release before'}{database}, and is put on hold."
    name = confirm.typed(environment, confirmed, question=question, again=again)
    body: dict[str, Any] = {"reason": reason, "confirm": name}
    body |= {"to": to} if to else {}
    body |= {"acceptSchemaMismatch": True} if accept_schema_mismatch else {}
    body |= {"downgrade": True} if downgrade else {}
    body |= {"revision": revision} if revision else {}
    limit = following.seconds(timeout)
    _start(api_url, platform, environment, "rollback", body, form, watch=watch, interval=interval, limit=limit)


def migrate(
    environment: options.Env,
    direction: Annotated[
        Direction, typer.Argument(metavar="COMMAND", help="Which of the platform's database commands.")
    ],
    revision: Revision = None,
    reason: options.OptionalReason = "",
    confirmed: ConfirmPlace = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for its end and print its log.")] = True,
    timeout: following.Timeout = None,
    interval: following.Interval = 2,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Run a database command by hand, as a one-off task.

    With the image that runs: `up` migrates, `down` goes back to --revision, `current` tells where the database stands.
    Recorded and announced like a deployment; no service changes. Prints the last lines of the container's log. Exit 1
    when its exit code was not 0.

    \b
    Examples:
      ferryman migrate production current --confirm production
      ferryman migrate production down --revision 0042 --reason "index locks" --confirm production
      ferryman migrate staging up --confirm staging
    """
    if direction is Direction.DOWN and not revision:
        raise Stop(Exit.BAD_INPUT, "down needs --revision: where the database goes to")
    if direction is not Direction.DOWN and revision:
        raise Stop(Exit.BAD_INPUT, f"--revision belongs to down; {direction} takes none")
    again = confirm.command(
        "migrate", environment, str(direction), platform=platform, revision=revision, reason=reason, confirm=environment
    )
    question = f"the database of {environment} is about to be asked for its revision"
    if direction is not Direction.CURRENT:
        question = f"the database of {environment} is about to be migrated {direction}"
    name = confirm.typed(environment, confirmed, question=f"{question}.", again=again)
    body: dict[str, Any] = {"command": str(direction), "reason": reason, "confirm": name}
    body |= {"revision": revision} if revision else {}
    limit = following.seconds(timeout)
    _start(api_url, platform, environment, "migrate", body, form, watch=wait, interval=interval, limit=limit)


def _start(
    api_url: str | None,
    platform: str | None,
    environment: str,
    what: str,
    body: dict[str, Any],
    form: Format,
    *,
    watch: bool,
    interval: float,
    limit: float | None,
) -> None:
    """Ask for it and tell the answer; with `watch`, follow what comes of it to its end."""
    api = connect(api_url)
    place = options.place(api, platform, environment)
    before = following.known(api, place) if watch else set()
    answer = api.post(f"{place}/{what}", body, repeatable=False)
    if not watch:
        asking.tell(form, answer)
        return
    output.warn(answer["message"])
    version = str(answer.get("version") or body.get("release") or body.get("to"))
    if not answer["changed"] and _settled(api, place, version):
        return
    view = following.to_the_end(following.asked(api, place, before, version, interval, limit), form, environment)
    following.judge(view)


def _settled(api: Api, place: str, version: str) -> bool:
    """Tell whether nothing comes of an answer that changed nothing: nobody's wish for it stands."""
    wish = api.get(place)["requested"]
    return wish is None or wish["version"] != version
