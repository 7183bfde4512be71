"""The scenes, in the order in which they are told. Each acts, shows, checks, and tells what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

from ferryman_local.demo import failing, production
from ferryman_local.demo.checks import Checks
from ferryman_local.demo.judge import good, tags
from ferryman_local.demo.outcome import Outcome, of
from ferryman_local.demo.screen import shown
from ferryman_local.demo.stage import Stage
from ferryman_local.local_aws import wait_until

GOOD = "3f9c2ab"
FIRST, BETWEEN, LAST = "c1d4e70", "d27a9b3", "e83f05c"


@dataclass(frozen=True)
class Scene:
    """One scene: its title, what happens and why it matters, and the function that plays it."""

    title: str
    why: str
    play: Callable[[Stage, Checks], list[Outcome]]


def apply(stage: Stage, checks: Checks) -> list[Outcome]:
    """The platform is declared; what runs is adopted."""
    before = stage.seen.services()
    done = stage.cli("apply", "-f", shown(stage.aws.platform_file))
    checks.equal("CLI", "ferryman apply exits 0", done.returncode, 0)
    done = stage.cli("status")
    checks.equal("CLI", "ferryman status exits 0", done.returncode, 0)
    checks.equal("API", "nothing is deployed that nobody asked for", stage.history(), [])
    checks.equal("ECS", "the services are untouched", stage.seen.services(), before)
    return [Outcome("-", "Applied", stage.screen.seconds)]


def verified(stage: Stage, checks: Checks) -> list[Outcome]:
    """Three images in mixed order; the release goes out when the last one is there."""
    digests = stage.push(GOOD, ("web", "api"))
    wait_until(
        lambda: len(stage.releases().get(GOOD, {}).get("components", {})) == 2, 30, "two images to be recorded", 0.3
    )
    release = stage.releases()[GOOD]
    stage.screen.line("release " + GOOD, release["status"], f"2 of 3 images, waiting for {release['missing'][0]}")
    checks.equal("API", "with 2 of 3 images nothing begins", (release["status"], stage.history()), ("Assembling", []))
    digests |= stage.push(GOOD, ("ai-gateway",))
    view = stage.follow(GOOD)
    checks.equal("API", "the deployment is Succeeded", view["phase"], "Succeeded")
    good(stage, checks, GOOD, digests)
    mail = stage.mail(GOOD)
    checks.expect("mail", "the message says that it runs", f"runs {GOOD}" in mail["BodyText"], mail["BodyText"])
    tags(stage, checks, ("staging-latest", "staging-current"), GOOD, digests)
    return [of(view)]


def superseded(stage: Stage, checks: Checks) -> list[Outcome]:
    """Three releases quickly: the first, then the last."""
    first = stage.push(FIRST, ("api", "ai-gateway", "web"))
    stage.await_running(FIRST)
    stage.screen.line("scr/staging", "Running", f"{FIRST} is under way; two more are pushed meanwhile")
    stage.push(BETWEEN, ("web", "api", "ai-gateway"), pause=0)
    last = stage.push(LAST, ("ai-gateway", "web", "api"), pause=0)
    ran = stage.follow(FIRST)
    checks.equal("API", f"{FIRST}, under way, runs to its end", ran["phase"], "Succeeded")
    went = stage.follow(LAST)
    checks.equal("API", f"{LAST}, the newest, goes next", (went["phase"], went["fromVersion"]), ("Succeeded", FIRST))
    skipped = stage.deployment(BETWEEN)
    if skipped is None:
        checks.expect("API", f"{BETWEEN} is recorded", ok=False, found="no deployment")
        return [of(ran), of(went)]
    stage.screen.line("scr/staging", skipped["phase"], f"{BETWEEN}: {skipped['message']}")
    checks.equal("API", f"{BETWEEN} is Superseded", skipped["phase"], "Superseded")
    checks.expect(
        "API", f"by {LAST}", LAST in str(skipped["supersededBy"]) or went["id"] in str(skipped["supersededBy"]),
        skipped["supersededBy"],
    )  # fmt: skip
    checks.equal("API", f"{BETWEEN} began no step", [s["key"] for s in skipped["steps"] if s["startedAt"]], [])
    checks.expect(
        "API", f"{LAST} began after {FIRST} had ended", ran["endedAt"] <= went["startedAt"],
        f"{ran['endedAt']}, {went['startedAt']}",
    )  # fmt: skip
    good(stage, checks, LAST, last)
    for version in (FIRST, LAST):
        mail = stage.mail(version)
        checks.expect("mail", f"{version} is announced", mail["Subject"].startswith("[Succeeded]"), mail["Subject"])
    checks.equal("mail", f"nobody is bothered with {BETWEEN}", stage.seen.mails(BETWEEN), [])
    tags(stage, checks, ("staging-latest", "staging-current"), LAST, last)
    tags(stage, checks, ("staging-previous",), FIRST, first)
    return [of(ran), of(skipped), of(went)]


SCENES = (
    Scene(
        "The platform is applied",
        "One document declares components, environments and rules. The operator checks it against ECS, ECR and SSM, "
        "adopts what runs, and from here on needs no more commands: pushing images is all that developers do.",
        apply,
    ),
    Scene(
        "Push an image and walk away",
        f"Three images of release {GOOD} are pushed, in mixed order. When the last one arrives the operator migrates "
        "the database, rolls out api, gateway and web in waves, and asks the new version whether it answers.",
        verified,
    ),
    Scene(
        "A migration fails",
        f"The migration of {failing.MIGRATION} exits non-zero. It runs before any service is touched, so nobody "
        "notices: the release is given up, and the message has the migration's own log.",
        failing.migration,
    ),
    Scene(
        "A service crashes at start",
        f"web of {failing.CRASH} crashes. The operator goes back to the last verified release, in reverse order, and "
        "tells exit code and log. A CI job that waits for `services-stable` would have reported success.",
        failing.crash,
    ),
    Scene(
        "A release starts, and is wrong",
        f"All tasks of {failing.STALE} are healthy, but its api answers as another version: an image built from the "
        "wrong commit. Only a smoke test that asks for the version notices; the release goes back.",
        failing.stale,
    ),
    Scene(
        "Three releases, quickly",
        "A release under way is never cancelled by a newer push: it runs to its end. Then the newest goes next, and "
        "the one between is superseded, so that a busy morning doesn't queue up deployments nobody wants.",
        superseded,
    ),
    Scene(
        "Production asks first",
        f"CI tags the images of {GOOD}, which staging verified, as {production.FIRST}. Each approver gets a link of "
        "their own. A mail scanner opens it and fills in every form; nothing comes of it. Then Ada types the version "
        "and approves: the same bytes run in production, and GitHub gets a release with notes.",
        lambda stage, checks: production.approved(stage, checks, GOOD),
    ),
    Scene(
        "Somebody says no",
        f"{FIRST} is tagged {production.SECOND}. Grace rejects it, with a reason that everybody can read; production "
        "never sees it, and no automation asks again.",
        lambda stage, checks: production.rejected(stage, checks, FIRST),
    ),
    Scene(
        "Staging was happy, production is not",
        f"{LAST} goes to production. Then {production.WRONG}: fine for staging, but the page has a template's title, "
        "which a smoke test of production's own notices. Services and tags go back.",
        lambda stage, checks: production.unverified(stage, checks, LAST),
    ),
    Scene(
        "A person takes it back",
        f"`ferryman rollback` brings {GOOD} back, with a reason. That sets a hold: a newer release goes on to staging, "
        "is verified and tagged there, and still doesn't undo what a person decided.",
        lambda stage, checks: production.taken_back(stage, checks, GOOD),
    ),
    Scene(
        "A client that never notices",
        f"The hold is lifted, so {production.LATER}, which waited, asks for its approval. While it goes out, a client "
        "asks for production's page every 100 ms: each task is healthy before it gets requests, and finishes those it "
        "has before it ends.",
        production.unnoticed,
    ),
    Scene(
        "No way back",
        f"{production.ONE_WAY} brings a migration that its author marked: older code can't live with it. It goes to "
        "production like every other. But `ferryman rollback` refuses to put the release before on this database, and "
        "says which migration stands in the way.",
        production.one_way,
    ),
)
