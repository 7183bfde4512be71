"""The scenes, in order. Each one acts, shows what happens, checks the result, and returns the outcomes."""

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
    """One scene: its title, what happens and why it matters, and the function that runs it."""

    title: str
    why: str
    play: Callable[[Stage, Checks], list[Outcome]]


def apply(stage: Stage, checks: Checks) -> list[Outcome]:
    """The platform document is applied; the running services are adopted."""
    before = stage.seen.services()
    done = stage.cli("apply", "-f", shown(stage.aws.platform_file))
    checks.equal("CLI", "ferryman apply exits 0", done.returncode, 0)
    done = stage.cli("status")
    checks.equal("CLI", "ferryman status exits 0", done.returncode, 0)
    checks.equal("API", "nothing is deployed", stage.history(), [])
    checks.equal("ECS", "the services are unchanged", stage.seen.services(), before)
    return [Outcome("-", "Applied", stage.screen.seconds)]


def verified(stage: Stage, checks: Checks) -> list[Outcome]:
    """Three images in any order; the release is deployed when the last one has arrived."""
    digests = stage.push(GOOD, ("web", "api"))
    wait_until(
        lambda: len(stage.releases().get(GOOD, {}).get("components", {})) == 2, 30, "two images to be recorded", 0.3
    )
    release = stage.releases()[GOOD]
    stage.screen.line("release " + GOOD, release["status"], f"2 of 3 images, waiting for {release['missing'][0]}")
    checks.equal("API", "with 2 of 3 images nothing starts", (release["status"], stage.history()), ("Assembling", []))
    digests |= stage.push(GOOD, ("ai-gateway",))
    view = stage.follow(GOOD)
    checks.equal("API", "the deployment is Succeeded", view["phase"], "Succeeded")
    good(stage, checks, GOOD, digests)
    mail = stage.mail(GOOD)
    checks.expect("mail", "the message says that it is running", f"runs {GOOD}" in mail["BodyText"], mail["BodyText"])
    tags(stage, checks, ("staging-latest", "staging-current"), GOOD, digests)
    return [of(view)]


def superseded(stage: Stage, checks: Checks) -> list[Outcome]:
    """Three releases in quick succession: the first and the last are deployed."""
    first = stage.push(FIRST, ("api", "ai-gateway", "web"))
    stage.await_running(FIRST)
    stage.screen.line("scr/staging", "Running", f"{FIRST} is being deployed; two more releases are pushed")
    stage.push(BETWEEN, ("web", "api", "ai-gateway"), pause=0)
    last = stage.push(LAST, ("ai-gateway", "web", "api"), pause=0)
    ran = stage.follow(FIRST)
    checks.equal("API", f"the deployment of {FIRST} continues to its end", ran["phase"], "Succeeded")
    went = stage.follow(LAST)
    checks.equal(
        "API", f"{LAST}, the newest, is deployed next", (went["phase"], went["fromVersion"]), ("Succeeded", FIRST)
    )
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
    checks.equal("API", f"{BETWEEN} started no step", [s["key"] for s in skipped["steps"] if s["startedAt"]], [])
    checks.expect(
        "API", f"{LAST} started after {FIRST} had ended", ran["endedAt"] <= went["startedAt"],
        f"{ran['endedAt']}, {went['startedAt']}",
    )  # fmt: skip
    good(stage, checks, LAST, last)
    for version in (FIRST, LAST):
        mail = stage.mail(version)
        checks.expect(
            "mail", f"a message reports {version}", mail["Subject"].startswith("[Succeeded]"), mail["Subject"]
        )
    checks.equal("mail", f"no message about {BETWEEN}", stage.seen.mails(BETWEEN), [])
    tags(stage, checks, ("staging-latest", "staging-current"), LAST, last)
    tags(stage, checks, ("staging-previous",), FIRST, first)
    return [of(ran), of(skipped), of(went)]


SCENES = (
    Scene(
        "The platform is applied",
        "One document declares components, environments and rules. The operator checks it against ECS, ECR and SSM and "
        "adopts the running services. From now on, developers only push images.",
        apply,
    ),
    Scene(
        "Push an image and walk away",
        f"Three images of release {GOOD} are pushed, in any order. When the last one has arrived, the operator "
        "migrates the database, rolls out api, gateway and web in waves, and checks that the new version responds.",
        verified,
    ),
    Scene(
        "A migration fails",
        f"The migration of {failing.MIGRATION} fails. It runs before any service changes, so users notice nothing. The "
        "deployment ends, and the message contains the log of the migration.",
        failing.migration,
    ),
    Scene(
        "A service crashes at startup",
        f"web of {failing.CRASH} crashes. The operator rolls back to the last verified release, in reverse order, and "
        "reports the exit code and the log. A CI job that waits for `services-stable` would have reported success.",
        failing.crash,
    ),
    Scene(
        "The wrong version responds",
        f"All tasks of {failing.STALE} are healthy, but its api reports another version: the image was built from the "
        "wrong commit. Only a smoke test that checks the version notices. The services are rolled back.",
        failing.stale,
    ),
    Scene(
        "Three releases in quick succession",
        "A newer push never cancels a running deployment: it continues to its end. Then the newest release is "
        "deployed, and the one in between is superseded, so that no queue of outdated deployments builds up.",
        superseded,
    ),
    Scene(
        "Production requires approval",
        f"CI tags the images of {GOOD}, which staging verified, as {production.FIRST}. Each approver gets a personal "
        "link. A mail scanner opens it and submits every form, without effect. Then Ada types the version and "
        "approves it. Production runs the same images as staging, and GitHub gets a release with notes.",
        lambda stage, checks: production.approved(stage, checks, GOOD),
    ),
    Scene(
        "An approver rejects a release",
        f"{FIRST} is tagged {production.SECOND}. Grace rejects it, with a reason that everyone can read. Production "
        "does not change, and automation does not ask again.",
        lambda stage, checks: production.rejected(stage, checks, FIRST),
    ),
    Scene(
        "A release works in staging but not in production",
        f"{LAST} is deployed to production, then {production.WRONG}. Staging accepted it, but its page still has the "
        "title of a template, and a smoke test in production finds it. Services and tags are rolled back.",
        lambda stage, checks: production.unverified(stage, checks, LAST),
    ),
    Scene(
        "A person rolls back",
        f"`ferryman rollback` brings back {GOOD}, with a reason. This sets a hold: a newer release is still deployed "
        "to staging, verified and tagged, but does not undo the rollback in production.",
        lambda stage, checks: production.taken_back(stage, checks, GOOD),
    ),
    Scene(
        "A client notices no interruption",
        f"The hold is lifted, so approval is requested for {production.LATER}, which was waiting. During the rollout a "
        "client requests production's page every 100 ms. Each task is healthy before it gets requests, and finishes "
        "its open requests before it stops.",
        production.unnoticed,
    ),
    Scene(
        "A rollback is refused",
        f"{production.ONE_WAY} has a migration that its author marked as not safe for older releases. It is deployed "
        "to production like any other release. But `ferryman rollback` refuses to run the previous release on this "
        "database, and names the migration that prevents it.",
        production.one_way,
    ),
)
