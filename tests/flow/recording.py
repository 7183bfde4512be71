"""What a version stores, for real: plays what happens to platforms, and keeps one item of every kind and variant.

Called by `scripts/keep-release`; the items go to `tests/contract/released/<version>/items.json`.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from ferryman.records import Phase, step_keys
from ferryman_local.standins.people import Person
from flow.documents import COMPONENTS, approver, document
from flow.place import Place
from flow.production import Production, promoted
from flow.stage import Stage

LIST, UNSAFE = "dev.ferryman.migrations", "dev.ferryman.migrations.not-rollback-safe"
Item = dict[str, Any]


KEYS = {
    ("PLATFORM", ""): "AppliedPlatform",
    ("RELEASE#", ""): "Release",
    ("ORDER#", ""): "ReleasePointer",
    ("CHANGED#", ""): "ReleasePointer",
    ("IMAGES#", ""): "ReleasePointer",
    ("ENV#", "STATE"): "EnvironmentState",
    ("ENV#", "DEPLOYMENT#"): "Deployment",
    ("DEPLOYMENT#", "EVENT#"): "TimelineEvent",
    ("DEPLOYMENT#", "OUTBOX#"): "OutboxMessage",
    ("DEPLOYMENT#", "LOG#"): "StepLog",
    ("PARTS#", "PLAN#"): "PlanPart",
    ("PARTS#", "STEP#"): "SplitStep",
    ("MIGRATION#", ""): "MigrationClaim",
    ("WAIT#", ""): "Wait",
    ("APPROVAL#", ""): "Approval",
    ("NAME#", ""): "SemverName",
}
"""What the keys of the table begin with → the record there."""


def kind_of(item: Item) -> str:
    """The record that an item holds, by its keys; StopIteration when it is of a kind that is not in `KEYS` yet."""
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    return next(kind for (first, second), kind in KEYS.items() if pk.startswith(first) and sk.startswith(second))


def variant_of(item: Item) -> tuple[str, ...]:
    """What makes an item worth keeping beside others of its kind: the first one of each variant is kept."""
    kind = kind_of(item)
    filled = tuple(sorted(name for name, value in item.items() if value not in ({"NULL": True}, {"L": []}, {"M": {}})))
    said = {name: str(next(iter(value.values()))) for name, value in item.items()}
    match kind:
        case "Deployment":
            reached = {
                f"{name.partition('/')[0]} {step['M']['status']['S']}" for name, step in item["steps"]["M"].items()
            }
            return (kind, said["phase"], said["kind"], said["command"], *sorted(reached))
        case "TimelineEvent":
            return (kind, said["type"])
        case "OutboxMessage":
            event = said["event"].partition("-20")[0]
            return (kind, event, said["channel"], said["gaveUp"], str("pending" in item))
        case "Approval" | "Release" | "SemverName":
            return (kind, said["status"], *filled)
        case "MigrationClaim":
            return (kind, said["status"], str("@" in said["version"]), *filled)
        case "Wait":
            return (kind, said["step"].partition("/")[0], said["direction"])
        case "EnvironmentState":
            return (kind, *filled)
    return (kind,)


class Recorder:
    """Keeps the first item of every variant, in the order in which they were seen."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._kept: dict[tuple[str, ...], Item] = {}

    def look(self) -> None:
        """Read the whole table."""
        pages = self._stage.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(TableName=self._stage.aws.outputs["TableName"], ConsistentRead=True):
            for item in sorted(page["Items"], key=lambda item: (item["pk"]["S"], item["sk"]["S"])):
                self._kept.setdefault(variant_of(item), item)

    def lines(self) -> str:
        """The items as JSON, one per line, by kind."""
        found = sorted(self._kept.items(), key=lambda pair: pair[0])
        rows = [json.dumps([kind_of(item), item], sort_keys=True, ensure_ascii=False) for _, item in found]
        return "[\n" + ",\n".join(rows) + "\n]\n"


def record(home: Path) -> str:
    """Start a local AWS with the work tree's operator, play everything, and return the items."""
    stage = Stage(home)
    try:
        stage.start()
        recorder = Recorder(stage)
        for play in (production, staging, database, people):
            play(stage, recorder)
            recorder.look()
        return recorder.lines()
    finally:
        stage.stop()


def production(stage: Stage, recorder: Recorder) -> None:
    """A release goes to production and back; others are refused, left to expire, overtaken and aborted."""
    approvers = [approver("kept", "Ada", slack="U0ADA"), approver("kept", "Grace", slack="U0GRACE")]
    prod = promoted(
        stage, ("api", "web"), migration=True, github=True, slack=True, hook=True,
        notify=["team", "ops-mail", "chat", "hook"], staging={"notify": ["team"]},
        approval={"required": 2, "approvers": approvers, "reminder": "1h"}, scan={"block": ["CRITICAL"]},
    )  # fmt: skip
    recorder.look()
    first = prod.verified(labels={LIST: "0001"})
    prod.name_it(first)
    deployment = prod.asked(first)
    prod.rewrite(deployment, lambda it: it.but(remind_at=it.remind_at - timedelta(days=1)))
    stage.sweep()
    links = {name: _link(prod, stage, deployment.id, name, count=2) for name in ("ada", "grace")}
    _ask_for_link(stage, deployment.id, "ada@kept.example")
    _link(prod, stage, deployment.id, "ada", count=3)
    recorder.look()
    with Person() as person:
        refused = person.ask("POST", links["ada"], data={"decision": "approve", "version": "0000000"})
        assert refused.status == 422, refused.text
        assert person.decide(links["ada"], "approve", first[:7]).status == 200
        recorder.look()
        assert person.decide(links["grace"], "approve", first[:7]).status == 200
    done = prod.ended(first)
    assert done.phase is Phase.SUCCEEDED, prod.tell()
    prod.until(lambda: prod.deployments(first)[0].publication, "the publication")
    recorder.look()
    _decide(prod, stage, second := _asked(prod, labels={LIST: "0001,0002", UNSAFE: "0002"}), "approve")
    assert prod.ended(second).phase is Phase.SUCCEEDED, prod.tell()
    recorder.look()
    prod.ask("rollback", reason="wrong sums", confirm="production", downgrade=True, revision="0001")
    prod.until(lambda: prod.running == first and prod.is_idle(), f"{first} to run again")
    recorder.look()
    prod.ask("resume")
    for command, more in {"current": {}, "down": {"revision": "0001"}, "up": {}}.items():
        count = len(prod.deployments())
        prod.ask("migrate", command=command, reason="to try", confirm="production", **more)
        prod.until(lambda n=count: len(prod.deployments()) > n and prod.is_idle(), f"`{command}` to end")
        prod.until(lambda: prod.deployments()[0].phase.terminal, f"`{command}` to be recorded")
    recorder.look()

    rejected = _asked(prod)
    _decide(prod, stage, rejected, "reject", people=("ada",))
    assert prod.ended(rejected).phase is Phase.REJECTED, prod.tell()
    expired = _asked(prod)
    ago = timedelta(hours=25)
    waiting = prod.deployments(expired)[0]
    prod.rewrite(waiting, lambda it: it.but(requested_at=it.requested_at - ago, expires_at=it.expires_at - ago))
    stage.sweep()
    assert prod.ended(expired).phase is Phase.EXPIRED, prod.tell()
    overtaken, last = _asked(prod), _asked(prod)
    assert prod.ended(overtaken).phase is Phase.SUPERSEDED, prod.tell()
    prod.ask("abort", reason="the wrong branch")
    assert prod.ended(last).phase is Phase.ABORTED, prod.tell()
    prod.ask("resume")
    recorder.look()

    prod.ask("freeze", reason="the auditors are here")
    blocked = prod.verified()
    stage.scan(prod.digests[blocked]["api"], counts={"CRITICAL": 2})
    prod.name_it(blocked)
    prod.until(lambda: (release := prod.release(blocked)) and release.names, "the name")
    prod.ask("thaw")
    stage.sweep()
    recorder.look()
    prod.ask("waive", release=blocked, reason="not reachable from outside", duration="1d")
    prod.asked(blocked)
    stage.clear_scans()
    recorder.look()
    prod.ask("abort", reason="enough")
    prod.ended(blocked)
    prod.ask("resume")
    # Names that wait, and that are refused.
    prod.tag(first, "v9.0.0", ("api",))
    prod.until(lambda: prod.store.semver_name(prod.name, "v9.0.0"), "the name that waits")
    prod.tag(first, "v9.1.0", ("api",))
    prod.tag(second, "v9.1.0", ("web",))
    stage.sweep()
    prod.until(lambda: (n := prod.store.semver_name(prod.name, "v9.1.0")) and n.status == "Refused", "the refusal")
    # GitHub takes nothing, and Slack neither.
    stage.aws.github.trouble("down")
    stage.aws.slack.trouble("down")
    unheard = _asked(prod)
    recorder.look()
    _decide(prod, stage, unheard, "approve")
    prod.ended(unheard)
    prod.until(lambda: (d := prod.deployments(unheard)[0]).publication and d, "the publication to be given up")
    prod.until(lambda: [m for m in prod.messages() if m.channel == "github" and m.last_error], "a failed status")
    recorder.look()
    stage.aws.github.calm()
    stage.aws.slack.calm()
    prod.remove()


def staging(stage: Stage, recorder: Recorder) -> None:
    """Rollouts, stopped in the middle: forward and back; and releases that are broken, incomplete or not our own."""
    scr = _place(stage, ("api", "web"), migration=True, notify=["team", "ops-mail"])
    gate, gate_of_migration = scr.gate(), scr.gate()
    gate.touch()
    good = scr.version()
    api, back = step_keys.rollout(f"{scr.name}-api", "forward"), step_keys.rollout(f"{scr.name}-web", "back")
    # The question of a push whose execution did not start: a claim, and nothing more.
    lost = stage.proxy.fault("error", service="stepfunctions", action="StartExecution", times=None)
    scr.push(good, GATE=str(gate), MIGRATION_GATE=str(gate_of_migration))
    scr.claimed(good)
    recorder.look()
    lost.remove()
    scr.until(lambda: stage.sweep() or scr.deployments(good)[0].execution_arn, "the claim to be driven again")
    scr.watched(good, step_keys.MIGRATION)
    recorder.look()
    gate.unlink()
    gate_of_migration.touch()
    scr.watched(good, api)
    recorder.look()
    gate.touch()
    assert scr.ended(good).phase is Phase.SUCCEEDED, scr.tell()
    bad = scr.push(CRASH="1")
    assert scr.ended(bad).phase is Phase.ROLLED_BACK, scr.tell()
    recorder.look()
    # The way back waits at the gate of what ran before.
    gate.unlink()
    wrong = scr.push(TELLS="0000000")
    scr.watched(wrong, back)
    recorder.look()
    gate.touch()
    assert scr.ended(wrong).phase is Phase.ROLLED_BACK, scr.tell()
    stage.aws.lambda_fault("AdmitDeployment", error="ValueError")
    errored = scr.push()
    assert scr.ended(errored).phase is Phase.ERRORED, scr.tell()
    recorder.look()
    # Another image under a tag that is taken, and one component only.
    scr.push_one("api", good, good, CRASH="7")
    scr.until(lambda: (r := scr.release(good)) and r.refused, "the other image to be refused")
    half = scr.push(components=("api",))
    scr.until(lambda: scr.release(half), "half a release")
    recorder.look()
    scr.document["spec"]["assemblyTimeout"] = "1s"
    scr.apply()
    scr.until(lambda: stage.sweep() or ((r := scr.release(half)) and r.reported_incomplete), "it to be told incomplete")
    recorder.look()
    scr.remove()


def database(stage: Stage, recorder: Recorder) -> None:
    """A migration that fails, and is tried again by a person."""
    scr = _place(stage, ("api",), migration=True, notify=["team"])
    fixed = scr.gate()
    version = scr.push(MIGRATION_NEEDS=str(fixed))
    assert scr.ended(version).phase is Phase.FAILED, scr.tell()
    recorder.look()
    fixed.touch()
    scr.ask("retry", reason="the table was mended")
    assert scr.ended(version, attempt=2).phase is Phase.SUCCEEDED, scr.tell()
    scr.remove()


def people(stage: Stage, recorder: Recorder) -> None:
    """Hold, resume, redeploy, abort, and requests that are refused or overtaken."""
    scr = _place(stage, COMPONENTS, notify=["team"])
    scr.ask("hold", reason="the database is being moved")
    older, newer = scr.push(), scr.push()
    for version in (older, newer):
        scr.until(lambda v=version: (r := scr.release(v)) and r.ready_at, f"release {version}")
    recorder.look()
    scr.ask("resume")
    assert scr.ended(newer).phase is Phase.SUCCEEDED, scr.tell()
    scr.ask("redeploy", reason="once more")
    scr.ended(newer, attempt=2)
    recorder.look()
    gate = scr.gate()
    stopped = scr.push(GATE=str(gate))
    scr.step(stopped, step_keys.rollout(f"{scr.name}-api", "forward"))
    scr.ask("redeploy", reason="after this one")
    recorder.look()
    scr.ask("abort", reason="wrong numbers")
    recorder.look()
    gate.touch()
    assert scr.ended(stopped).phase is Phase.ABORTED, scr.tell()
    scr.remove()


def _place(stage: Stage, components: tuple[str, ...], **settings: Any) -> Place:
    return Place(stage, document(next(stage.names), components, **settings)).create()


def _asked(prod: Production, **env: Any) -> str:
    version = prod.verified(**env)
    prod.name_it(version)
    return prod.asked(version).version


def _link(prod: Production, stage: Stage, deployment: str, person: str, *, count: int = 1) -> str:
    def look() -> list[str] | None:
        found = stage.inbox.links(f"{person}@kept.example", deployment)
        return found if len(found) >= count else None

    return prod.until(look, f"link {count} for {person}")[-1]


def _decide(
    prod: Production, stage: Stage, version: str, decision: str, people: tuple[str, ...] = ("ada", "grace")
) -> None:
    for name in people:
        with Person() as person:
            link = _link(prod, stage, prod.deployments(version)[0].id, name)
            assert person.decide(link, decision, version[:7], "the invoices are wrong").status == 200


def _ask_for_link(stage: Stage, deployment: str, email: str) -> None:
    with Person() as person:
        page = person.open(f"{stage.approvals_url}/a/{deployment}")
        form = next(form for form in page.forms if "email" in form.fields)
        assert person.submit(page, form, {**form.fields, "email": email}).status == 200
