"""`ferryman status`: the status of environments."""

import json
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ferryman.durations import span
from ferryman.suggestions import suggest
from ferryman_cli import choices, options, output
from ferryman_cli.connection import connect
from ferryman_cli.exits import Exit, Stop
from ferryman_cli.moments import local
from ferryman_cli.output import Format, since
from ferryman_cli.output import status as coloured
from ferryman_cli.transport import Api

_INTERVAL = 5.0
"""Seconds between two looks of `--watch`."""
_FLEETING = ("elapsedSeconds", "headline", "message", "observedAt", "reconciledAt", "sentences")


def status(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENV]",
            help="Name of an environment. Default: all environments.",
            show_default=False,
            autocompletion=choices.environments,
        ),
    ] = None,
    former: Annotated[str | None, typer.Argument(hidden=True)] = None,
    platform: options.Platform = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it again whenever it changes, until interrupted.")
    ] = False,
    form: options.Output = Format.TABLE,
    api_url: options.ApiUrl = None,
) -> None:
    """Show the status of environments.

    Shows all environments, those of one platform (-p), or one environment in detail.

    \b
    Examples:
      ferryman status
      ferryman status -p scr
      ferryman status staging
      ferryman status staging -p scr -o yaml
      ferryman status --watch
    """
    api = connect(api_url)
    chosen, environment = _meant(api, name, former, platform)
    if watch:
        _watch(lambda: _look(api, chosen, environment), form)
        return
    data, show = _look(api, chosen, environment)
    output.emit(form, data, show)


Look = tuple[Any, Callable[[], None]]
"""What the API answered, and how it is printed."""


def _look(api: Api, chosen: str | None, environment: str | None) -> Look:
    if environment:
        view = api.get(options.place(api, chosen, environment))
        return view, lambda: _detail(view)
    names = [chosen] if chosen else [found["name"] for found in api.get("/v1/platforms")["platforms"]]
    found = [api.get(Api.path("v1", "platforms", name)) for name in names]
    return found[0] if chosen else {"platforms": found}, lambda: _overview(found)


def _watch(look: Callable[[], Look], form: Format) -> None:
    """Print each state that differs from the one before, until somebody interrupts. JSON: one object per line."""
    before: Any = None
    try:
        while True:
            data, show = look()
            if _lasting(data) != before:
                if before is not None and form is Format.TABLE:
                    output.out().print("")
                if form is Format.JSON:
                    output.out().file.write(f"{json.dumps(data, ensure_ascii=False)}\n")
                    output.out().file.flush()
                else:
                    output.emit(form, data, show)
                before = _lasting(data)
            time.sleep(_INTERVAL)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.OK) from None


def _lasting(data: Any) -> Any:
    """Return what was answered without what changes with every look: times of looks, and how long something lasts."""
    if isinstance(data, dict):
        return {name: _lasting(value) for name, value in data.items() if name not in _FLEETING}
    return [_lasting(value) for value in data] if isinstance(data, list) else data


def _meant(api: Api, name: str | None, former: str | None, platform: str | None) -> tuple[str | None, str | None]:
    """Return the platform and the environment that are meant.

    For one version, `status PLATFORM` and `status PLATFORM ENV` work, too.
    """
    if name is None:
        return platform, None
    if former is not None:
        _renamed(suggest("status", former, p=name))
        return name, former
    found = api.get("/v1/platforms")["platforms"]
    having = [item["name"] for item in found if name in item["environments"] and platform in (None, item["name"])]
    if len(having) > 1:
        ways = " or ".join(suggest("status", name, p=item) for item in having)
        raise Stop(Exit.BAD_INPUT, f"{len(having)} platforms have an environment {name}; run {ways}")
    if not having and (not found or any(item["name"] == name for item in found)):
        _renamed(suggest("status", p=name))
        return name, None
    # One that nobody has is refused by the operator, with those that there are.
    return having[0] if having else platform, name


def _renamed(new: str) -> None:
    output.warn(f"a platform is named with -p now: run {new}; this form works for one more version")


def _overview(platforms: list[dict[str, Any]]) -> None:
    rows: list[list[output.Cell]] = [
        [
            platform["name"],
            env["name"],
            coloured(env["ready"]),
            coloured(_word(env, "health")),
            coloured(_word(env, "sync")),
            _version(env),
            env["headline"],
            since(_at(env)),
        ]
        for platform in platforms
        for env in platform["environments"]
    ]
    if not rows:
        output.warn(f"No platform has been applied yet. Apply one with {suggest('apply', f='platform.yaml')}.")
        return
    heads = ["PLATFORM", "ENVIRONMENT", "READY", "HEALTH", "SYNC", "VERSION", "STATUS", "AGE"]
    # What STATUS says as well may go, and the platform where there is only one.
    one = ("PLATFORM",) if len(platforms) == 1 else ()
    output.table(heads, rows, drop=("AGE", "READY", *one, "VERSION"))
    for platform in platforms:
        _notes(platform)


def _notes(view: dict[str, Any]) -> None:
    """Print what is to be known about the document: one that waits for approval, an admin's override."""
    for note in view.get("notes", []):
        output.warn(output.clean(note))


def _word(env: dict[str, Any], field: str) -> str:
    """Return health or sync in one word; an operator of an earlier version tells neither."""
    return str(env[field]["status"]) if env.get(field) else "-"


def _judged(env: dict[str, Any], field: str) -> list[tuple[str, output.Cell]]:
    """Return health or sync with its reason, and, of what was observed, when."""
    found = env.get(field)
    if not found:
        return []
    at = f" ({since(found['observedAt'])} ago)" if found.get("observedAt") else ""
    return [(field.capitalize(), coloured(found["status"])), ("", f"{found['reason']}: {found['message']}{at}")]


def _version(env: dict[str, Any]) -> str:
    return (env["current"] or {}).get("version") or "-"


def _at(env: dict[str, Any]) -> str | None:
    return (env["current"] or {}).get("at")


def _detail(env: dict[str, Any]) -> None:
    current, hold, request = env["current"], env["hold"], env["requested"]
    running = ""
    if current:
        origin = f"deployment {current['deployment']}" if current["deployment"] else "adopted, not deployed by Ferryman"
        running = f"{_version(env)} for {since(current['at'])} ({origin})"
    output.fields(
        [
            ("Name", f"{env['platform']}/{env['name']}"),
            ("Ready", coloured(env["ready"])),
            *_judged(env, "health"),
            *_judged(env, "sync"),
            ("Status", env["headline"]),
            ("Running", running),
            ("Published", _published(env["publication"])),
            ("Previous", env["previous"] or ""),
            *_under_way(env["active"]),
            *_approval(env["approval"]),
            (
                "Requested",
                f"{request['kind']} of {request['version']} by {output.who(request['who'])}" if request else "",
            ),
            ("Hold", _hold(hold) if hold else ""),
            ("Freeze", env["frozen"]["message"] if env["frozen"] else ""),
            *[("Waiver", _waiver(version, waiver)) for version, waiver in sorted(env["waivers"].items())],
        ]
    )
    _notes(env)
    if env["newer"]:
        output.out().print("\nNewer releases:")
        output.table(
            ["VERSION", "TAGS", "REASON", "UNTIL", "MESSAGE"],
            [[i["version"], ", ".join(i["names"]), i["reason"], local(i["until"]), _of(i)] for i in env["newer"]],
            optional=("TAGS", "UNTIL"),
            drop=("TAGS", "UNTIL", "REASON"),
        )
    if env.get("ignored"):
        output.out().print("\nNewer tags that are no releases:")
        output.table(
            ["TAG", "COMPONENTS", "REASON", "AGE", "MESSAGE"],
            [
                [
                    i["tag"],
                    ", ".join(i["components"]),
                    i["reason"],
                    since(i["at"]),
                    f"{i['message'].rstrip('.')}. {i['nextStep']}",
                ]
                for i in env["ignored"]
            ],
            optional=("COMPONENTS",),
            drop=("COMPONENTS", "AGE", "REASON"),
        )
    if env["conditions"]:
        output.out().print("\nConditions:")
        output.table(
            ["TYPE", "STATUS", "REASON", "AGE", "MESSAGE"],
            [
                [c["type"], coloured(c["status"]), c["reason"], since(c["lastTransitionTime"]), c["message"]]
                for c in env["conditions"]
            ],
            drop=("AGE", "REASON"),
        )
    if env.get("shared"):
        output.out().print("\nBelongs to somebody else, too:")
        for text in env["shared"]:
            output.out().print(output.clean(f"  {text}"))
    if env["notices"]:
        output.out().print("\nOther problems:")
        output.table(
            ["AGE", "TYPE", "DEPLOYMENT", "MESSAGE"],
            [[since(n["at"]), n["type"], n["deployment"] or "-", n["message"]] for n in env["notices"]],
            drop=("DEPLOYMENT", "TYPE"),
        )


Fields = list[tuple[str, output.Cell]]


def _under_way(active: dict[str, Any] | None) -> Fields:
    if active is None:
        return []
    # Imported here because it loads the models of all records, which most looks do not need.
    from ferryman.decisions.deployment_steps import title_of

    tag = f" ({active['tag']})" if active["tag"] else ""
    took = f"{active['phase']} for {span(active['elapsedSeconds'])} (deployment {active['id']})"
    to = f"to {active['revision']}" if active.get("revision") else ""
    command = " ".join(filter(None, (active.get("migration"), active["command"] or "up", to)))
    kind = {"rollback": "rollback to ", "migrate": f"migrate {command} with "}.get(active["kind"], "")
    return [
        ("Deploying", f"{kind}{active['version']}{tag} {took}"),
        ("Because", active["why"]),
        ("Override", _override(active)),
        ("Mismatch", f"accepted: {active['schemaMismatch']}" if active.get("schemaMismatch") else ""),
        ("Step", title_of(active["step"]) if active["step"] else ""),
    ]


def _override(active: dict[str, Any]) -> str:
    if not active.get("override"):
        return ""
    return f"no approval, by {output.who(active['initiatedBy']['who'])}: {active['override']}"


def _approval(approval: dict[str, Any] | None) -> Fields:
    if approval is None:
        return []
    first, *others = approval["sentences"] or [approval["status"]]
    return [("Approval", first), *[("", sentence) for sentence in others]]


def _published(publication: dict[str, Any] | None) -> str:
    if publication is None:
        return ""
    if publication["status"] == "Published":
        return str(publication["url"])
    return f"no, GitHub does not have this release: {publication['message']}"


def _hold(hold: dict[str, Any]) -> str:
    # An operator of an earlier version knows only holds without an end.
    end = f", until {local(hold['until'])}" if hold.get("until") else ""
    return f"by {output.who(hold['who'])} {since(hold['at'])} ago{end}: {hold['reason']}"


def _waiver(version: str, waiver: dict[str, Any]) -> str:
    return f"scans of {version} until {local(waiver['until'])}, by {output.who(waiver['who'])}: {waiver['reason']}"


def _of(item: dict[str, Any]) -> str:
    return f"{item['message']} (+{item['likeIt']} older)" if item["likeIt"] else str(item["message"])
