"""One platform: what the operator says of it, and how its target groups are. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from ferryman.durations import span
from ferryman.suggestions import suggest
from ferryman_cli.doctor.checks import Answer, Blind, Check, Seen, blind, ok, problem, warning

UNRECONCILED, RECORDS, TARGETS, OPERATOR_CLOCK = "oldest unreconciled", "records", "target groups", "operator's clock"
_LATE, _TOO_LATE = 900, 3600
"""Seconds for which a release waits without a reason; the second is the threshold of OldestUnreconciledAlarm."""
_FULL, _TOO_FULL = 0.8, 0.95
"""Share of DynamoDB's largest item; from the second on, the operator begins no deployment with such a plan."""
_OFF_SECONDS = 60


def environment(platform: str, name: str, verified: Answer) -> list[Check]:
    """Judge the answer of `verify`: clusters, services, task definitions, roles, references."""
    where = f"{platform}/{name}"
    step = f"Correct it in AWS or in the platform document, then run {suggest('verify', name, p=platform)}"
    checks = [problem(where, f"{item['path']}: {item['message']}", step) for item in verified["problems"]]
    # A note about no single part of the document says what could not be looked at.
    untold = [item["message"] for item in verified["notes"] if item["path"] == "spec.environments"]
    checks += [blind(where, Blind(why=message)) for message in untold]
    return checks or [ok(where, "cluster, services, task definitions, roles and references are as the document says")]


def unreconciled(platforms: Iterable[Answer], now: str) -> Check:
    """Judge for how long releases wait that nothing keeps back."""
    waits = [
        ((datetime.fromisoformat(now) - datetime.fromisoformat(env["waitingSince"])).total_seconds(), it["name"], env)
        for it in platforms
        for env in it["environments"]
        if env["waitingSince"]
    ]
    if not waits:
        return ok(UNRECONCILED, "no release waits for the operator")
    seconds, platform, env = max(waits, key=lambda one: one[0])
    told = f"a release has been waiting for {span(seconds)} in {platform}/{env['name']}"
    step = f"{suggest('explain', env['name'], p=platform)} says why"
    if seconds >= _TOO_LATE:
        return problem(UNRECONCILED, told, f"{step}; see OldestUnreconciledAlarm in docs/runbook.md")
    return warning(UNRECONCILED, told, step) if seconds >= _LATE else ok(UNRECONCILED, told)


def records(platforms: Iterable[Answer]) -> Check:
    """Judge the largest record that the operator found."""
    found = [(it["largest"]["bytes"] / it["largest"]["limit"], it) for it in platforms]
    if not found:
        return ok(RECORDS, "there are none yet")
    share, it = max(found, key=lambda one: one[0])
    told = f"the largest is {it['largest']['record']} of {it['name']}, {share:.0%} of what DynamoDB accepts"
    step = "Split the platform, or give it fewer services, notifications or smoke tests"
    if share >= _TOO_FULL:
        return problem(RECORDS, told, step)
    return warning(RECORDS, told, step) if share >= _FULL else ok(RECORDS, told)


def operators_clock(now: str, here: datetime, ahead: float | None) -> Check | None:
    """Compare the operator's clock with AWS's, as this machine sees both; None: nothing is wrong."""
    theirs = (here - datetime.fromisoformat(now)).total_seconds() - (ahead or 0)
    if abs(theirs) <= _OFF_SECONDS:
        return None
    step = "You cannot set this clock; if it stays wrong, report it to AWS Support"
    return problem(OPERATOR_CLOCK, f"the operator's clock is {abs(theirs):.0f} seconds off AWS's", step)


def targets(groups: Mapping[str, Seen]) -> Check | None:
    """Judge the answers of DescribeTargetHealth, by `service (target group)`; None: no service has one."""
    if not groups:
        return None
    if refused := next((one for one in groups.values() if isinstance(one, Blind)), None):
        return blind(TARGETS, refused)
    sick = [name for name, seen in groups.items() if not _healthy(seen)]
    if sick:
        step = "See the service's events and the target group's health checks (path, port, security groups)"
        return problem(TARGETS, f"no healthy target: {', '.join(sick)}", step)
    return ok(TARGETS, f"each of {len(groups)} has a healthy target")


def _healthy(seen: Seen) -> bool:
    found = seen.get("TargetHealthDescriptions", []) if isinstance(seen, dict) else []
    return any(target["TargetHealth"]["State"] == "healthy" for target in found)
