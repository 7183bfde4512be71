"""`ferryman status`, `releases`, `history`, `explain`, `events`: what is to be seen."""

from typing import Annotated, Any

import typer

from ferryman.ages import span
from ferryman_cli import options, output
from ferryman_cli.connection import connect
from ferryman_cli.output import Format, since
from ferryman_cli.output import status as coloured
from ferryman_cli.transport import Api


def status(
    platform: options.PlatformArgument = None,
    environment: Annotated[str | None, typer.Argument(metavar="[ENV]", help="Name of the environment.")] = None,
    named: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show where environments stand.

    All of them, those of one platform, or one in detail.

    \b
    Examples:
      ferryman status
      ferryman status scr
      ferryman status scr staging -o yaml
    """
    api = connect(api_url)
    chosen = platform or named
    if environment:
        path = Api.path("v1", "platforms", options.only_platform(api, chosen), "environments", environment)
        view = api.get(path)
        output.emit(form, view, lambda: _detail(view))
        return
    names = [chosen] if chosen else [found["name"] for found in api.get("/v1/platforms")["platforms"]]
    found = [api.get(Api.path("v1", "platforms", name)) for name in names]
    output.emit(form, found[0] if chosen else {"platforms": found}, lambda: _overview(found))


def _overview(platforms: list[dict[str, Any]]) -> None:
    rows: list[list[output.Cell]] = [
        [platform["name"], env["name"], coloured(env["ready"]), _version(env), env["headline"], since(_at(env))]
        for platform in platforms
        for env in platform["environments"]
    ]
    if not rows:
        output.warn("No platform has been applied yet; `ferryman apply -f platform.yaml` does that.")
        return
    output.table(["PLATFORM", "ENVIRONMENT", "READY", "VERSION", "STATUS", "AGE"], rows)


def _version(env: dict[str, Any]) -> str:
    return (env["current"] or {}).get("version") or "-"


def _at(env: dict[str, Any]) -> str | None:
    return (env["current"] or {}).get("at")


def _detail(env: dict[str, Any]) -> None:
    current, active, hold, request = env["current"], env["active"], env["hold"], env["requested"]
    running = ""
    if current:
        running = f"{_version(env)} for {since(current['at'])} (deployment {current['deployment'] or 'none: adopted'})"
    under_way = ""
    if active:
        under_way = (
            f"{active['version']} {active['phase']} for {span(active['elapsedSeconds'])} (deployment {active['id']})"
        )
    output.fields(
        [
            ("Name", f"{env['platform']}/{env['name']}"),
            ("Ready", coloured(env["ready"])),
            ("Status", env["headline"]),
            ("Running", running),
            ("Deploying", under_way),
            ("Step", (active or {}).get("step") or ""),
            (
                "Requested",
                f"{request['kind']} of {request['version']} by {output.who(request['who'])}" if request else "",
            ),
            ("Hold", f"by {output.who(hold['who'])} {since(hold['at'])} ago: {hold['reason']}" if hold else ""),
        ]
    )
    if env["newer"]:
        output.out().print("\nNewer releases:")
        output.table(
            ["VERSION", "REASON", "MESSAGE"], [[i["version"], i["reason"], i["message"]] for i in env["newer"]]
        )
    if env["conditions"]:
        output.out().print("\nConditions:")
        output.table(
            ["TYPE", "STATUS", "REASON", "AGE", "MESSAGE"],
            [
                [c["type"], coloured(c["status"]), c["reason"], since(c["lastTransitionTime"]), c["message"]]
                for c in env["conditions"]
            ],
        )


def releases(
    platform: options.PlatformArgument = None,
    named: options.Platform = None,
    limit: options.Limit = 20,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """List the releases of a platform, newest first.

    Which are complete, what they lack, where they proved themselves, and where they run.

    \b
    Examples:
      ferryman releases
      ferryman releases scr --limit 5
    """
    api = connect(api_url)
    path = Api.path("v1", "platforms", options.only_platform(api, platform or named), "releases")
    found = api.get(path, limit=limit)

    def show() -> None:
        rows: list[list[output.Cell]] = [
            [
                item["version"],
                coloured(item["status"]),
                f"{len(item['components'])}/{len(item['components']) + len(item['missing'])}",
                ", ".join(item["missing"]),
                ", ".join(item["verified"]),
                ", ".join(item["runsIn"]),
                since(item["firstSeenAt"]),
                ", ".join(item["names"]),
            ]
            for item in found["releases"]
        ]
        _list(
            ["VERSION", "STATUS", "IMAGES", "MISSING", "VERIFIED", "RUNS IN", "AGE", "NAMES"], rows, "No release yet."
        )

    output.emit(form, found, show)


def history(
    environment: options.Env,
    platform: options.Platform = None,
    limit: options.Limit = 20,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """List the deployments of an environment, newest first.

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
                item["kind"],
                coloured(item["phase"]),
                "-" if item["phase"] == "Superseded" else span(item["elapsedSeconds"]),
                since(item["createdAt"]),
                output.who(item["initiatedBy"]["who"]),
                item["message"],
            ]
            for item in found["deployments"]
        ]
        headers = ["DEPLOYMENT", "VERSION", "KIND", "PHASE", "TOOK", "AGE", "BY", "MESSAGE"]
        _list(headers, rows, f"No deployment in {environment} yet.")

    output.emit(form, found, show)


def explain(
    environment: options.Env,
    platform: options.Platform = None,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Tell why an environment runs what it runs.

    Also what it waits for, and what to do about it.

    \b
    Examples:
      ferryman explain staging
      ferryman explain staging -o json
    """
    api = connect(api_url)
    found = api.get(f"{options.place(api, platform, environment)}/explain")

    def show() -> None:
        console = output.out()
        for sentence in found["sentences"]:
            console.print(output.clean(sentence))

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
    """Show the timeline: who did what when, oldest first.

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
        _list(["LAST SEEN", "TYPE", "OBJECT", "BY", "MESSAGE"], rows, f"Nothing has happened in {environment} yet.")

    output.emit(form, found, show)


def _list(headers: list[str], rows: list[list[output.Cell]], nothing: str) -> None:
    if rows:
        output.table(headers, rows)
    else:
        output.warn(nothing)
