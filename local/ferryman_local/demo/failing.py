"""The scenes in which a release fails. Each one ends with the previous release running."""

from ferryman_local.demo.checks import Checks
from ferryman_local.demo.judge import good, tags
from ferryman_local.demo.outcome import Outcome, of
from ferryman_local.demo.screen import View
from ferryman_local.demo.stage import Stage

MIGRATION, CRASH, STALE = "5d0e8b1", "8c47f02", "b19e6d4"

LOG = "  | "
"""Prefix of a quoted log line in a message, written by `messages.deployment`."""

_KEPT = ("staging-latest", "staging-current")


def _running(stage: Stage) -> tuple[str, dict[str, str]]:
    """Version and digests of the running release, which must run again at the end of the scene."""
    current = stage.state()["current"]
    return current["version"], current["digests"]


def _says(checks: Checks, mail: View, what: str, text: str) -> None:
    checks.expect("mail", f"with {what}", text in mail["BodyText"], f"no {text!r} in: {mail['BodyText']}")


def _quotes(checks: Checks, mail: View, what: str, text: str) -> None:
    lines = [line for line in mail["BodyText"].splitlines() if line.startswith(LOG)]
    checks.expect("mail", f"with {what}", any(text in line for line in lines), f"no {text!r} in: {lines}")


def _still(stage: Stage, checks: Checks, version: str, digests: dict[str, str]) -> None:
    checks.equal("API", f"{version} is running", stage.state()["current"]["version"], version)
    good(stage, checks, version, digests)
    tags(stage, checks, _KEPT, version, digests)


def migration(stage: Stage, checks: Checks) -> list[Outcome]:
    """The migration exits non-zero: nothing was changed."""
    version, digests = _running(stage)
    before = stage.seen.services()
    stage.push(MIGRATION, ("api", "ai-gateway", "web"), fault="broken-migration")
    view = stage.follow(MIGRATION)
    step = next(step for step in view["steps"] if step["kind"] == "migration")
    checks.equal("API", "the deployment is Failed", view["phase"], "Failed")
    checks.equal("API", "because of the migration's exit code", (step["status"], step["exitCode"]), ("Failed", 1))
    begun = [s["key"] for s in view["steps"] if s["kind"] in ("rollout", "rollback") and s["status"] != "Pending"]
    checks.equal("API", "no rollout started", begun, [])
    checks.equal("ECS", "no service was changed", stage.seen.services(), before)
    mail = stage.mail(MIGRATION)
    checks.expect("mail", "the message reports a failure", mail["Subject"].startswith("[Failed]"), mail["Subject"])
    _says(checks, mail, "the exit code", "Exit code: 1")
    _quotes(checks, mail, "the migration's log", "project_owners")
    _says(checks, mail, "what was done", "no service was changed")
    _still(stage, checks, version, digests)
    return [of(view)]


def crash(stage: Stage, checks: Checks) -> list[Outcome]:
    """`web` crashes at startup: rolled back, while ECS reports a stable service."""
    version, digests = _running(stage)
    web = next(name for name, component in stage.services.items() if component == "web")
    ci = stage.seen.wait_like_ci(web, stage.screen.line)
    stage.push(CRASH, ("ai-gateway", "web", "api"), fault="web-crash")
    view = stage.follow(CRASH)
    checks.equal("API", "the deployment is RolledBack", view["phase"], "RolledBack")
    back = {step["service"] for step in view["steps"] if step["kind"] == "rollback" and step["status"] == "Succeeded"}
    checks.equal("API", "every changed service went back", back, set(stage.services))
    ci.join(30)
    now = stage.seen.services()[web]
    checks.equal("ECS", "botocore's services_stable waiter reports success", ci.result, "success")
    checks.expect("ECS", "one deployment, running == desired", now.stable, now)
    checks.expect("ECS", f"but {CRASH} is not running", now.digests == {digests["web"]}, now.digests)
    mail = stage.mail(CRASH)
    checks.expect("mail", "the message says so", mail["Subject"].startswith("[RolledBack]"), mail["Subject"])
    _says(checks, mail, "the exit code", "exited with code 3")
    _quotes(checks, mail, "the container's last log line", "required setting 'title' is missing")
    _says(checks, mail, "what was done", f"rolled back to {version}")
    _still(stage, checks, version, digests)
    return [of(view)]


def stale(stage: Stage, checks: Checks) -> list[Outcome]:
    """All tasks are healthy, but the wrong version responds: rolled back by the smoke test."""
    version, digests = _running(stage)
    stage.push(STALE, ("api", "web", "ai-gateway"), fault="stale-version")
    view = stage.follow(STALE)
    checks.equal("API", "the deployment is RolledBack", view["phase"], "RolledBack")
    rolled = {s["service"] for s in view["steps"] if s["kind"] == "rollout" and s["status"] == "Succeeded"}
    checks.equal("API", "although every rollout succeeded", rolled, set(stage.services))
    test = next(step for step in view["steps"] if step["kind"] == "smokeTest")
    failed = [check["name"] for check in test["checks"] if not check["passed"]]
    checks.equal("API", "because of the smoke test api-health", (test["status"], failed), ("Failed", ["api-health"]))
    mail = stage.mail(STALE)
    checks.expect("mail", "the message says so", mail["Subject"].startswith("[RolledBack]"), mail["Subject"])
    _says(
        checks, mail, "the expected and the actual value", f'expected JSON field version to be "{STALE}", got "0000000"'
    )
    _says(checks, mail, "what was done", f"rolled back to {version}")
    _still(stage, checks, version, digests)
    return [of(view)]
