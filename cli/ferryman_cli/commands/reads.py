"""`ferryman releases`, `history`, `explain`, `events`: commands that only read."""

from typing import Annotated, Any

import typer

from ferryman.durations import span
from ferryman_cli import options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.output import Format, since
from ferryman_cli.output import status as coloured
from ferryman_cli.transport import Api


def releases(
    platform: options.PlatformArgument = None,
    named: options.Platform = None,
    ignored: Annotated[
        bool, typer.Option("--ignored", help="List the newest tags that were pushed and are no releases, and why.")
    ] = False,
    limit: options.Limit = 20,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """List the releases of a platform, newest first.

    Shows which releases are complete, which images are missing, where each was verified, and where it runs. With
    --ignored, shows the newest tags that name no release instead, with the reason and what to do.

    \b
    Examples:
      ferryman releases
      ferryman releases -p scr --limit 5
      ferryman releases --ignored
    """
    api = connect(api_url)
    path = Api.path("v1", "platforms", options.only_platform(api, platform or named), "releases")
    found = api.get(path, limit=limit, ignored="true" if ignored else None)

    def show() -> None:
        if ignored:
            _ignored(found.get("ignored"))
            return
        rows: list[list[output.Cell]] = [
            [
                item["version"],
                coloured(item["status"]),
                f"{len(item['components'])}/{len(item['components']) + len(item['missing'])}",
                ", ".join(item["missing"]),
                ", ".join(_verified(item)),
                ", ".join(item["runsIn"]),
                ", ".join(f"{name} ({phase})" for name, phase in item.get("failedIn", {}).items()),
                since(item["firstSeenAt"]),
                ", ".join(item["names"]),
            ]
            for item in found["releases"]
        ]
        _list(
            ["VERSION", "STATUS", "IMAGES", "MISSING", "VERIFIED", "RUNS IN", "FAILED IN", "AGE", "NAMES"],
            rows,
            "No releases yet.",
            optional=("FAILED IN",),
            drop=("IMAGES", "NAMES", "VERIFIED", "MISSING"),
        )

    output.emit(form, found, show)


def _verified(item: dict[str, Any]) -> list[str]:
    """Return where a release was verified, and that nothing but ECS looked at it there, if so."""
    unchecked = item.get("unchecked", [])
    return [f"{name} (no smoke tests)" if name in unchecked else name for name in item["verified"]]


def _ignored(found: list[dict[str, Any]] | None) -> None:
    if found is None:
        raise Stop(Exit.BAD_INPUT, "the operator is older than this command and keeps no ignored tags; update it")
    rows: list[list[output.Cell]] = [
        [
            item["tag"],
            ", ".join(item["components"]),
            item["reason"],
            since(item["at"]),
            f"{item['message'].rstrip('.')}. {item['nextStep']}".strip(),
        ]
        for item in found
    ]
    _list(["TAG", "COMPONENTS", "REASON", "AGE", "MESSAGE"], rows, "No ignored tags.", drop=("AGE", "COMPONENTS"))


def history(
    environment: options.Env,
    platform: options.Platform = None,
    limit: options.Limit = 20,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """List the deployments of an environment, newest first.

    What was told of one is shown by `ferryman events ENV --deployment DEPLOYMENT`, and by -o json.

    \b
    Examples:
      ferryman history staging
      ferryman history staging -n 5 -o json
    """
    api = connect(api_url)
    found = api.get(f"{options.place(api, platform, environment)}/history", limit=limit)

    def show() -> None:
        rows: list[list[output.Cell]] = [
            [
                item["id"],
                item["version"],
                item["tag"] or "-",
                _kind(item),
                coloured(item["phase"]),
                "-" if item["phase"] == "Superseded" else span(item["elapsedSeconds"]),
                since(item["createdAt"]),
                output.who(item["initiatedBy"]["who"]),
                ", ".join(item["approvedBy"]),
                item["reason"],
            ]
            for item in found["deployments"]
        ]
        headers = ["DEPLOYMENT", "VERSION", "TAG", "KIND", "PHASE", "TOOK", "AGE", "BY", "APPROVED BY", "REASON"]
        optional, drop = ("TAG", "APPROVED BY", "REASON"), ("APPROVED BY", "TOOK", "KIND", "TAG", "BY", "REASON")
        _list(headers, rows, f"No deployments in {environment} yet.", optional=optional, drop=drop)

    output.emit(form, found, show)


def _kind(item: dict[str, Any]) -> str:
    return f"{item['kind']} {item['command']}" if item["command"] else str(item["kind"])


def explain(
    environment: options.Env,
    version: Annotated[
        str | None,
        typer.Argument(metavar="[VERSION]", help="Only this version, semver tag or image tag.", show_default=False),
    ] = None,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Explain why an environment runs its current release.

    Also shows what the environment is waiting for, and what you can do about it. With VERSION, explains why that
    version does not run, or why that tag is no release.

    \b
    Examples:
      ferryman explain staging
      ferryman explain staging 3f9c2ab
      ferryman explain staging -o json
    """
    api = connect(api_url)
    found = api.get(f"{options.place(api, platform, environment)}/explain", version=version)

    def show() -> None:
        output.out()
        # An operator that is older than this command ignores the version.
        for sentence in found.get("subject", found)["sentences"]:
            output.paragraph(sentence)

    output.emit(form, found, show)


def events(
    environment: options.Env,
    deployment: Annotated[
        str | None, typer.Option("--deployment", "-d", help="Only this deployment: an id, `latest` or `active`.")
    ] = None,
    platform: options.Platform = None,
    limit: options.Limit = 100,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show the timeline of an environment, oldest first.

    Shows what happened, when, and who did it, for all deployments or for one.

    \b
    Examples:
      ferryman events staging
      ferryman events staging --deployment latest
    """
    api = connect(api_url)
    path = f"{options.place(api, platform, environment)}/events"
    found = api.get(path, deployment=deployment, limit=limit)

    def show() -> None:
        rows: list[list[output.Cell]] = [
            [
                since(e["at"]),
                e["type"],
                e["step"] or e["deployment"] or e["environment"] or "-",
                output.who(e["who"]),
                e["message"],
            ]
            for e in found["events"]
        ]
        _list(
            ["LAST SEEN", "TYPE", "OBJECT", "BY", "MESSAGE"],
            rows,
            f"No events in {environment} yet.",
            drop=("OBJECT", "BY"),
        )

    output.emit(form, found, show)


def _list(
    headers: list[str],
    rows: list[list[output.Cell]],
    nothing: str,
    optional: tuple[str, ...] = (),
    drop: tuple[str, ...] = (),
) -> None:
    if rows:
        output.table(headers, rows, optional=optional, drop=drop)
    else:
        output.warn(nothing)
