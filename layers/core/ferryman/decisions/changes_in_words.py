"""The words of a plan about what changes, ready to be shown: alike services together, and never too many. Pure.

The page, mails, Slack and the command show these; the hash of the plan (`decisions.plan_hash`) covers everything.
"""

from ferryman.records import Plan, Record, step_keys

NOTHING = "nothing changes"
_NAMED = 8


class Change(Record):
    """What changes in one part of a deployment, or alike in several."""

    title: str
    """Names of services, or another part of the plan."""
    lines: list[str]


def changes(plan: Plan | None, most: int) -> list[Change]:
    """Return what changes, at most so many lines; empty for a plan that has no words.

    Parts in which the same changes are one entry. Those in which nothing changes are the last one.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, lines in (plan.changes if plan is not None else {}).items():
        groups.setdefault(tuple(lines), []).append(_title(name))
    unchanged = groups.pop((), [])
    found: list[Change] = []
    left = most
    hidden = sum(len(lines) for lines in groups)
    for alike, names in groups.items():
        shown = list(alike[:left])
        if not shown:
            break
        hidden -= len(shown)
        left -= len(shown)
        found.append(Change(title=_listed(names), lines=shown))
    if hidden:
        found.append(Change(title="Not shown", lines=[f"and {hidden} more; the command `approval` lists them"]))
    if unchanged:
        found.append(Change(title=_listed(unchanged), lines=[NOTHING]))
    return found


def text(plan: Plan | None, most: int) -> str:
    """Return what changes as the lines of a mail; empty for a plan that has no words."""
    entries = changes(plan, most)
    if not entries:
        return ""
    lines = [line for entry in entries for line in (f"{entry.title}:", *(f"  - {line}" for line in entry.lines))]
    return "\n".join(["What changes against what runs now:", *lines])


def again(plan: Plan | None, most: int) -> str:
    """Return why people are asked again and what differs, as the lines of a mail; empty for a first request."""
    found = plan.since_approved if plan is not None else []
    if not found:
        return ""
    why, *lines = found
    shown = [f"  - {line}" for line in lines[:most]]
    more = [f"  - and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([f"You are asked again: {why}", "What differs from what was approved:", *shown, *more])


def _title(name: str) -> str:
    job = step_keys.job_name(name)
    return f"job {job}" if job is not None else name


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
