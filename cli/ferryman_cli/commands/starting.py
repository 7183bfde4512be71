"""`ferryman deploy`, `rollback`, `migrate`: deployments that a person starts and confirms by typing."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ferryman.suggestions import command, suggest
from ferryman_cli import asking, choices, confirm, following, options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.output import Format
from ferryman_cli.transport import Api

_WORD = "DEPLOY"

ConfirmPlace = Annotated[
    str | None,
    typer.Option(
        "--confirm", metavar="ENV", show_default=False,
        help="The environment's name again, to confirm. Default: ask for it on a terminal.",
    ),
]  # fmt: skip
Override = Annotated[
    str | None,
    typer.Option(
        "--override", metavar="REASON", show_default=False,
        help="In an emergency, as an admin: run it without the approval that it needs. All approvers and channels are "
        "told the reason.",
    ),
]  # fmt: skip
Revision = Annotated[
    str | None,
    typer.Option("--revision", help="Target revision of `down`, as the migration tool names it.", show_default=False),
]


class Direction(StrEnum):
    """What `migrate` does with the database."""

    UP = "up"
    DOWN = "down"
    CURRENT = "current"


def deploy(
    environment: options.Env,
    release: options.Release,
    confirmed: Annotated[
        str | None,
        typer.Option(
            "--confirm",
            metavar=_WORD,
            show_default=False,
            help=f"The word {_WORD}, to confirm. Default: ask for it on a terminal.",
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

    If the environment requires approval, approvers must still approve the deployment. A release that must first be
    verified in another environment, soak, or pass image scans is refused with the reason (exit 4). To see what would
    change, run `ferryman diff ENV RELEASE` first.

    \b
    Examples:
      ferryman deploy production --release 3f9c2ab --confirm DEPLOY
      ferryman deploy production --release 3f9c2ab --confirm DEPLOY --reason "hotfix" --watch
    """
    again = command("deploy", environment, p=platform, release=release, reason=reason, watch=watch, confirm=_WORD)
    shown = f"{suggest('diff', environment, release, p=platform)} shows what would change."
    question = f"You are about to deploy {release} to {environment}. {shown}"
    word = confirm.typed(_WORD, confirmed, question=question, again=again)
    limit, body = following.seconds(timeout), {"release": release, "confirm": word, "reason": reason}
    _start(api_url, platform, environment, "deploy", body, form, watch=watch, interval=interval, limit=limit)


def rollback(
    environment: options.Env,
    reason: options.Reason,
    release: Annotated[
        str | None,
        typer.Option(
            "--release",
            metavar="RELEASE",
            autocompletion=choices.releases,
            help="Version or semver tag to roll back to. Default: the previous release.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", hidden=True)] = None,
    accept_schema_mismatch: Annotated[
        bool,
        typer.Option(
            "--accept-schema-mismatch",
            help="Roll back even though migrations since that release are marked as not safe for a rollback.",
        ),
    ] = False,
    downgrade: Annotated[
        bool,
        typer.Option("--downgrade", help="Downgrade the database first, with the command in the platform document."),
    ] = False,
    revision: Annotated[
        list[str] | None,
        typer.Option(
            "--revision",
            metavar="[NAME=]REVISION",
            show_default=False,
            help="Target revision of --downgrade; NAME=REVISION for each migration that has a name. Default: "
            "the last migration that the release knows.",
        ),
    ] = None,
    override: Override = None,
    confirmed: ConfirmPlace = None,
    watch: following.Watch = False,
    timeout: following.Timeout = None,
    interval: following.Interval = 2,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Roll back to an earlier release.

    The release must have run here successfully. The environment is put on hold, so that automation does not undo the
    rollback; `ferryman resume ENV` lifts the hold. A freeze does not block a rollback. A pending approval is
    superseded. A running deployment is aborted first, and its services go back. The rollback is refused (exit 4) if
    migrations since that release are marked as not safe for a rollback, or if this is unknown. The database stays as it
    is unless you use --downgrade. If the environment has approvers, they must approve a downgrade first; they
    are told of a rollback that needs no approval, and of an accepted schema mismatch.

    \b
    Examples:
      ferryman rollback production --reason "checkout fails" --confirm production
      ferryman rollback production --release 3f9c2ab --reason "checkout fails" --confirm production --watch
      ferryman rollback production --reason "bad schema" --downgrade --revision 0042 --confirm production
      ferryman rollback production --reason "bad schema" --downgrade --revision orders=0042 --confirm production
    """
    release = options.release_of(release, to, "--to")
    if revision and not downgrade:
        raise Stop(Exit.BAD_INPUT, "--revision requires --downgrade")
    targets = _targets(revision or [])
    again = command(
        "rollback", environment, p=platform, release=release, reason=reason,
        accept_schema_mismatch=accept_schema_mismatch, downgrade=downgrade, revision=revision, override=override,
        watch=watch, confirm=environment,
    )  # fmt: skip
    database = "is downgraded first" if downgrade else "stays as it is"
    without = ", without the approval that it may need" if override is not None else ""
    question = (
        f"You are about to roll back {environment} to {release or 'the previous release'}{without}. "
        f"Its database {database}, and the environment is put on hold."
    )
    name = confirm.typed(environment, confirmed, question=question, again=again)
    body: dict[str, Any] = {"reason": reason, "confirm": name}
    body |= {"to": release} if release else {}
    body |= {"acceptSchemaMismatch": True} if accept_schema_mismatch else {}
    body |= {"downgrade": True} if downgrade else {}
    body |= {"override": override} if override is not None else {}
    body |= targets
    limit = following.seconds(timeout)
    _start(api_url, platform, environment, "rollback", body, form, watch=watch, interval=interval, limit=limit)


def _targets(revisions: list[str]) -> dict[str, Any]:
    """Return the target revisions as fields of the request: one without a name, or those of named migrations."""
    named = dict(text.split("=", 1) for text in revisions if "=" in text)
    plain = [text for text in revisions if "=" not in text]
    if len(plain) > 1 or (plain and named) or len(named) + len(plain) < len(revisions):
        raise Stop(Exit.BAD_INPUT, "give --revision once, or once per migration as --revision NAME=REVISION")
    return {"revision": plain[0]} if plain else {"revisions": named} if named else {}


def _words(words: list[str]) -> tuple[str | None, Direction]:
    """Return the name of the migration, if it is given, and the command."""
    name, command = (words[0], words[1]) if len(words) == 2 else (None, words[0])
    if len(words) > 2 or command not in list(Direction):
        known = ", ".join(Direction)
        raise Stop(Exit.BAD_INPUT, f"give a command, one of {known}, after the name of the migration if it has one")
    return name, Direction(command)


def migrate(
    environment: options.Env,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] COMMAND",
            help="The database command: up, down or current; before it the migration's name, if there are several.",
            show_default=False,
        ),
    ],
    revision: Revision = None,
    reason: options.OptionalReason = "",
    override: Override = None,
    confirmed: ConfirmPlace = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the command to end and print its log.")
    ] = True,
    timeout: following.Timeout = None,
    interval: following.Interval = 2,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Run a database command as a one-off task.

    The task uses the image that is running: `up` migrates, `down` goes back to --revision, `current` shows the
    database's revision. It is recorded and announced like a deployment, but changes no service. If the environment has
    approvers, they must approve `up` and `down` first; `current` needs no approval. Prints the last lines of the
    container's log. Exits with 1 if the container's exit code is not 0. If the environment has several migrations, NAME
    says which one.

    \b
    Examples:
      ferryman migrate production current --confirm production
      ferryman migrate production orders current --confirm production
      ferryman migrate production down --revision 0042 --reason "index locks" --confirm production
      ferryman migrate staging up --confirm staging
    """
    migration, direction = _words(words)
    if direction is Direction.DOWN and not revision:
        raise Stop(Exit.BAD_INPUT, "down requires --revision, the revision to go back to")
    if direction is not Direction.DOWN and revision:
        raise Stop(Exit.BAD_INPUT, f"--revision works only with down, not with {direction}")
    again = command(
        "migrate", environment, *words, p=platform, revision=revision, reason=reason, override=override,
        confirm=environment,
    )  # fmt: skip
    database = f"the database {migration} of {environment}" if migration else f"the database of {environment}"
    without = ", without the approval that it may need" if override is not None else ""
    question = f"You are about to read the revision of {database}"
    if direction is not Direction.CURRENT:
        to = f" to {revision}" if revision else ""
        question = f"You are about to migrate {database} {direction}{to}{without}"
    name = confirm.typed(environment, confirmed, question=f"{question}.", again=again)
    body: dict[str, Any] = {"command": str(direction), "reason": reason, "confirm": name}
    body |= {"migration": migration} if migration else {}
    body |= {"revision": revision} if revision else {}
    body |= {"override": override} if override is not None else {}
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
    """Send the request and print the answer; with `watch`, follow the deployment that it starts to its end."""
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
    looks = following.asked(api, place, before, version, interval, limit)
    view = following.to_the_end(looks, form, platform, environment)
    following.judge(view)


def _settled(api: Api, place: str, version: str) -> bool:
    """Return whether no deployment of this version follows: no request for it is stored."""
    wish = api.get(place)["requested"]
    return wish is None or wish["version"] != version
