"""Formats the progress of a deployment: as lines for a log, or as a picture for a terminal. Pure."""

from typing import Any

from rich.text import Text

from ferryman.durations import span
from ferryman_cli.output import clean, flat, status

View = dict[str, Any]
_MARKS = {"Succeeded": "✓", "Skipped": "-", "Failed": "✗", "Errored": "✗", "Aborted": "✗", "Pending": "·"}
_ASCII = {"✓": "+", "✗": "x", "·": "."}
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BAD = ("Failed", "Errored", "Aborted")


_BY_HAND = {"up": "migrate the database", "down": "downgrade the database", "current": "read the database revision"}


def title(step: View, view: View) -> str:
    """Return what a step is, in the words of the page and the messages."""
    # Imported here because it loads the models of all records, which most commands do not need.
    from ferryman.decisions.deployment_steps import title_of

    migration = step.get("migration")
    if step["kind"] == "migration" and view["command"]:
        revision = view.get("revisions", {}).get(migration) or view["revision"]
        of, to = f" {migration}" if migration else "", f" to {revision}" if revision else ""
        return f"{_BY_HAND.get(view['command'], view['command'])}{of}{to}"
    return title_of(step["key"])


def detail(step: View) -> str:
    """Return the details of a step: counts, exit code, failed checks, message."""
    parts = []
    if step["desired"] is not None:
        parts.append(f"{step['running'] or 0}/{step['desired']} running")
    if step["failed"]:
        parts.append(f"{step['failed']} failed")
    if step["exitCode"] is not None:
        parts.append(f"exit {step['exitCode']}")
    if step["status"] == "Running":
        parts += [f"{c['name']} attempt {c['attempt']}: {flat(c['detail'])}" for c in step["checks"] if not c["passed"]]
    if step["reason"] and step["status"] not in ("Succeeded", "Running"):
        parts.append(step["reason"])
    return ", ".join(parts)


def lines(view: View) -> list[str]:
    """Return the current state as lines `subject  status  detail`; a line that was not there before is a change."""
    found = [f"{view['platform']}/{view['environment']} {name(view)}  {view['phase']}"]
    found += [f"approval  {line}" for line in waits(view)]
    if view["abort"]:
        found.append(f"abort  requested by {view['abort']['who']}: {flat(view['abort']['reason'])}")
    begun = [step for step in view["steps"] if step["status"] != "Pending"]
    return found + [f"{title(step, view)}  {step['status']}  {detail(step)}".rstrip() for step in begun]


def name(view: View) -> str:
    """Return the version, its semver tag, and the kind if it is a rollback or a database command."""
    by = f" ({view['tag']})" if view["tag"] else ""
    command = " ".join(filter(None, (view.get("migration"), view["command"] or "up")))
    kind = {"rollback": "rollback to ", "migrate": f"migrate {command} with "}.get(view["kind"], "")
    return f"{kind}{view['version']}{by}"


def waits(view: View) -> list[str]:
    """Return the state of a pending approval and who can approve it, without anything that changes with time."""
    approval = view["approval"]
    if approval is None or approval["status"] != "Pending":
        return []
    until = f"expires {approval['expiresAt'][:16].replace('T', ' ')} UTC"
    given = f" ({', '.join(approval['approvedBy'])})" if approval["approvedBy"] else ""
    counted = f"{len(approval['approvedBy'])} of {approval['required']} approvals{given}, {until}"
    return [counted, *(clean(sentence) for sentence in approval["sentences"][1:])]


def conclusion(view: View) -> Text:
    """Return how it ended: phase, message, and after a failure the last log lines of the failed step."""
    text = Text.assemble(
        status(view["phase"]), f" after {span(view['elapsedSeconds'])}: ", clean(view["message"] or "-")
    )
    if view["supersededBy"]:
        text.append(f" Superseded by {view['supersededBy']}.")
    if view["approvedBy"]:
        text.append(f" Approved by {', '.join(view['approvedBy'])}.")
    for step in view["steps"]:
        if step["logs"] and (step["status"] in _BAD or view["kind"] == "migrate"):
            text.append(f"\n\n{title(step, view)}, last lines of the log:\n", style="bold")
            text.append("\n".join(f"  {clean(line)}" for line in step["logs"]))
    return text


def picture(view: View, frame: int, later: float, *, ascii_only: bool = False) -> Text:
    """Return the whole deployment as a block of text; `later` is the time in seconds since the view was read."""
    seconds = view["elapsedSeconds"] + (0 if view["ended"] else later)
    place = (f"{view['platform']}/{view['environment']}", "bold")
    drawn = [Text.assemble(place, f"  {name(view)}  ", status(view["phase"]), f"  {span(seconds)}")]
    width = max((len(title(step, view)) for step in view["steps"]), default=0)
    drawn += [_drawn(step, view, width, frame, later, ascii_only=ascii_only) for step in view["steps"]]
    drawn += [Text(f"  {line}", style="yellow") for line in waits(view)]
    if view["abort"] and not view["ended"]:
        abort = f"  abort requested by {view['abort']['who']}: {flat(view['abort']['reason'])}"
        drawn.append(Text(abort, style="yellow"))
    return Text("\n").join(drawn)


def _drawn(step: View, view: View, width: int, frame: int, later: float, *, ascii_only: bool) -> Text:
    running, bad, took = step["status"] == "Running", step["status"] in _BAD, step["elapsedSeconds"]
    style = status(step["status"]).style
    mark = _spinner(frame, ascii_only) if running else _mark(step["status"], ascii_only)
    time = "" if took is None else span(took + (later if running else 0))
    line = Text.assemble(
        (f"  {mark} ", style),
        (title(step, view).ljust(width), "" if running or bad else "dim"),
        f"  {time:>6}  ",
        (detail(step), style if bad else ""),
    )
    line.rstrip()
    return line


def _mark(word: str, ascii_only: bool) -> str:
    mark = _MARKS.get(word, "·")
    return _ASCII.get(mark, mark) if ascii_only else mark


def _spinner(frame: int, ascii_only: bool) -> str:
    frames = "|/-\\" if ascii_only else _FRAMES
    return frames[frame % len(frames)]
