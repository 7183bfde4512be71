"""The scenes in production: approval, rejection, rollback, and a client during a rollout."""

import time

from ferryman_cli.exits import Exit
from ferryman_local.demo.checks import Checks
from ferryman_local.demo.judge import SOON, good, tags
from ferryman_local.demo.outcome import Outcome, of
from ferryman_local.demo.stage import PRODUCTION, Stage
from ferryman_local.demo.visitor import Visitor
from ferryman_local.standins.people import Scanner

FIRST, SECOND, THIRD = "v1.0.0", "v1.1.0", "v1.2.0"
WRONG, LATER = "a94f1e6", "f6c20d8"
WRONG_NAME, LATER_NAME = "v1.3.0", "v1.4.0"
ONE_WAY, ONE_WAY_NAME, ONE_WAY_MIGRATION = "0b7d3e9", "v1.5.0", "0005"
_QUIET_SECONDS = 2.0
"""How long the client continues after a release is deployed."""
_ASKED = 50
"""Minimum number of requests that the client makes during a rollout, also on a busy machine."""
_MOVING = ("production-latest", "production-current")


def _digests(stage: Stage, version: str) -> dict[str, str]:
    """Component → digest of a release."""
    return dict(stage.releases()[version]["components"])


def _runs(stage: Stage, checks: Checks, version: str) -> None:
    """Check that production runs a release, according to the API, ECS, HTTP and tags."""
    digests = _digests(stage, version)
    checks.eventually("API", f"production runs {version}", lambda: stage.state()["current"]["version"], version, SOON)
    good(stage, checks, version, digests)
    tags(stage, checks, _MOVING, version, digests)


def approved(stage: Stage, checks: Checks, version: str) -> list[Outcome]:
    """A semver tag, an email, a mail scanner, and an approval."""
    prod, github = stage.on(PRODUCTION), stage.aws.github
    before = prod.seen.services()
    prod.tag(version, FIRST)
    asked = prod.asked(version)
    link = prod.link(asked["id"], "Ada")
    with Scanner() as scanner:
        statuses = scanner.visit(link)
    answers = ", ".join(f"{statuses.count(status)} x {status}" for status in sorted(set(statuses)))
    prod.screen.line("a mail scanner", "visits", f"HEAD, GET, and {len(statuses)} submissions of forms: {answers}")
    checks.expect(
        "page", "the scanner finds forms and causes no error", len(statuses) > 30 and max(statuses) < 500, answers
    )
    still = prod.deployment(version)
    assert still is not None
    checks.equal("API", "the scanner has decided nothing", still["phase"], "AwaitingApproval")
    checks.equal("ECS", "production is unchanged so far", prod.seen.services(), before)
    page = prod.decide(link, "approve", version, "Ada")
    checks.equal("page", "Ada's approval is accepted", page.status, 200)
    view = prod.follow(version)
    checks.equal("API", "the deployment is Succeeded", view["phase"], "Succeeded")
    checks.equal("API", "approved by a named person", view["approvedBy"], ["Ada Lovelace"])
    checks.equal("ECS", "the digests that staging verified", prod.seen.runs(), _digests(stage, version))
    _runs(prod, checks, version)
    mail = prod.mail(version)
    checks.expect("mail", "a message reports the outcome", mail["Subject"].startswith("[Succeeded]"), mail["Subject"])
    checks.eventually("GitHub", f"release {FIRST} exists", lambda: FIRST in github.releases, True, SOON)
    if FIRST in github.releases:
        release = github.releases[FIRST]
        prod.screen.line("GitHub", "release", f"{release['name']}: {release['html_url']}")
        prod.screen.quote([line for line in release["body"].splitlines() if line.strip()][:12])
        checks.expect("GitHub", "its notes name the approver", "Ada Lovelace" in release["body"], release["body"])
    return [of(view)]


def rejected(stage: Stage, checks: Checks, version: str) -> list[Outcome]:
    """A rejection with a reason."""
    prod = stage.on(PRODUCTION)
    running, before = prod.state()["current"]["version"], prod.seen.services()
    prod.tag(version, SECOND)
    link = prod.link(prod.asked(version)["id"], "Grace")
    page = prod.decide(link, "reject", version, "Grace", "the invoices' totals are off by a cent")
    checks.equal("page", "Grace's rejection is accepted", page.status, 200)
    view = prod.follow(version)
    checks.equal("API", "the deployment is Rejected", view["phase"], "Rejected")
    checks.expect(
        "API",
        "with the person and the reason",
        "Grace Hopper" in view["message"] and "a cent" in view["message"],
        view["message"],
    )
    checks.equal("ECS", "production is unchanged", prod.seen.services(), before)
    checks.equal("API", f"production runs {running}", prod.state()["current"]["version"], running)
    mail = prod.mail(version)
    checks.expect("mail", "the message contains the reason", "a cent" in mail["BodyText"], mail["BodyText"])
    checks.expect("GitHub", f"release {SECOND} does not exist", SECOND not in stage.aws.github.releases)
    return [of(view)]


def unverified(stage: Stage, checks: Checks, good_version: str) -> list[Outcome]:
    """A good release, then one that fails only in production."""
    prod = stage.on(PRODUCTION)
    prod.tag(good_version, THIRD)
    prod.decide(prod.link(prod.asked(good_version)["id"], "Ada"), "approve", good_version, "Ada")
    fine = prod.follow(good_version)
    checks.equal("API", f"{good_version} is Succeeded", fine["phase"], "Succeeded")
    stage.push(WRONG, ("api", "ai-gateway", "web"), fault="wrong-title", pause=0)
    verified = stage.follow(WRONG)
    checks.equal("API", f"staging has verified {WRONG}", verified["phase"], "Succeeded")
    prod.tag(WRONG, WRONG_NAME)
    prod.decide(prod.link(prod.asked(WRONG)["id"], "Ada"), "approve", WRONG, "Ada")
    view = prod.follow(WRONG)
    checks.equal("API", "in production it is RolledBack", view["phase"], "RolledBack")
    test = next(step for step in view["steps"] if step["kind"] == "smokeTest")
    failed = [check["name"] for check in test["checks"] if not check["passed"]]
    checks.equal("API", "because of the smoke test web-title", (test["status"], failed), ("Failed", ["web-title"]))
    mail = prod.mail(WRONG)
    checks.expect("mail", "the message says so", mail["Subject"].startswith("[RolledBack]"), mail["Subject"])
    _runs(prod, checks, good_version)
    checks.expect("GitHub", f"release {WRONG_NAME} does not exist", WRONG_NAME not in stage.aws.github.releases)
    return [of(fine), of(verified), of(view)]


def taken_back(stage: Stage, checks: Checks, to: str) -> list[Outcome]:
    """A person rolls back, and automation does not undo it."""
    prod = stage.on(PRODUCTION)
    done = prod.cli("rollback", PRODUCTION, "--reason", "customers can't log in", "--confirm", PRODUCTION)
    checks.equal("CLI", "ferryman rollback exits 0", done.returncode, 0)
    view = prod.follow(to)
    checks.equal(
        "API", "the deployment is a rollback that Succeeded", (view["kind"], view["phase"]), ("rollback", "Succeeded")
    )
    _runs(prod, checks, to)
    hold = prod.state()["hold"]
    checks.expect(
        "API", "production is on hold, with the reason", hold is not None and "log in" in hold["reason"], hold
    )
    stage.push(LATER, ("web", "api", "ai-gateway"), pause=0)
    verified = stage.follow(LATER)
    checks.equal("API", f"staging continues: {LATER} is verified there", verified["phase"], "Succeeded")
    prod.tag(LATER, LATER_NAME)
    checks.eventually(
        "API", f"{LATER} is named {LATER_NAME}", lambda: LATER_NAME in stage.releases()[LATER]["names"], True, SOON
    )
    explained = prod.cli("explain", PRODUCTION)
    checks.expect("CLI", "ferryman explain shows the hold", "log in" in explained.stdout, explained.stdout)
    checks.equal("API", f"{LATER} is not deployed to production", prod.deployment(LATER), None)
    _runs(prod, checks, to)
    audit = prod.cli("audit", "--limit", "12")
    checks.equal("CLI", "ferryman audit exits 0", audit.returncode, 0)
    return [of(view), of(verified)]


def unnoticed(stage: Stage, checks: Checks) -> list[Outcome]:
    """The hold is lifted, the waiting release is deployed, and a client gets a response to every request."""
    prod = stage.on(PRODUCTION)
    before = prod.state()["current"]["version"]
    done = prod.cli("resume", PRODUCTION)
    checks.equal("CLI", "ferryman resume exits 0", done.returncode, 0)
    link = prod.link(prod.asked(LATER)["id"], "Ada")
    with Visitor(prod.urls["web"]) as visitor:
        prod.decide(link, "approve", LATER, "Ada")
        view = prod.follow(LATER)
        time.sleep(_QUIET_SECONDS)
    visit = visitor.visit
    prod.screen.line("a client", "asked", visit.told())
    checks.equal("API", "the deployment is Succeeded", view["phase"], "Succeeded")
    checks.expect("HTTP", "no request of the client failed", not visit.failures,
                  [failure.problem for failure in visit.failures[:3]])  # fmt: skip
    checks.expect("HTTP", f"it made {_ASKED} requests or more", len(visit.answers) >= _ASKED, len(visit.answers))
    checks.equal("HTTP", "it saw the previous release, then this one", visit.versions, [before, LATER])
    _runs(prod, checks, LATER)
    return [of(view)]


def one_way(stage: Stage, checks: Checks) -> list[Outcome]:
    """A migration that is not safe for older releases: the rollback is refused, with the reason."""
    prod = stage.on(PRODUCTION)
    stage.push(ONE_WAY, ("api", "ai-gateway", "web"), fault="one-way-migration", pause=0)
    verified = stage.follow(ONE_WAY)
    checks.equal("API", f"staging has verified {ONE_WAY}", verified["phase"], "Succeeded")
    prod.tag(ONE_WAY, ONE_WAY_NAME)
    prod.decide(prod.link(prod.asked(ONE_WAY)["id"], "Ada"), "approve", ONE_WAY, "Ada")
    view = prod.follow(ONE_WAY)
    checks.equal("API", "in production it is Succeeded", view["phase"], "Succeeded")
    done = prod.cli("rollback", PRODUCTION, "--reason", "users complain", "--confirm", PRODUCTION)
    said = " ".join((done.stdout + done.stderr).split())
    checks.expect(
        "CLI", "ferryman rollback refuses", done.returncode == Exit.REFUSED, f"exit {done.returncode}: {said}"
    )
    checks.expect(
        "CLI", "and names the migration", ONE_WAY_MIGRATION in said and "rollback-safe" in said, said or "nothing"
    )
    _runs(prod, checks, ONE_WAY)
    return [of(verified), of(view)]
