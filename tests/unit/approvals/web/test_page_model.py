"""What the page tells of the records, in all the cases that are not the usual one."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.approvals.web import render
from ferryman.approvals.web.page_model import Facts, facts, moment
from ferryman.approvals.web.page_records import PageRecords
from ferryman.approvals.web.progress import progress
from ferryman.approvals.web.render import Question
from ferryman.platform import parse
from ferryman.records import Actor, Phase, PlannedImage, Publication, Verified, Waiver, step_keys
from pages import asking
from unit import builders as make

NOW = make.AT + timedelta(minutes=7)
EVIL = '"><script>alert(1)</script>{{ 7 * 7 }}'


@pytest.fixture
def usual(scr_document: dict[str, Any]) -> PageRecords:
    return PageRecords(
        approval=asking.approval(),
        deployment=asking.deployment(),
        state=asking.state(),
        document=parse(asking.document(scr_document)),
        release=asking.release(),
        running=asking.before(),
    )


def but(sight: PageRecords, **changes: Any) -> PageRecords:
    return PageRecords(**{**vars(sight), **changes})


def texts(found: Facts) -> str:
    return " | ".join(fact.text for fact in [*found.checks, *found.warnings])


def test_a_first_deployment_has_nothing_to_go_back_to(usual: PageRecords) -> None:
    empty = asking.state(current=None, last_succeeded=None)
    found = facts(but(usual, state=empty, running=None, deployment=asking.deployment(from_version=None)), NOW)

    assert found.running is None
    assert found.compare is None
    assert found.commit is not None
    assert {item.change for item in found.components} == {"new component"}
    assert found.back == ["No deployment has succeeded here before, so there is no release to roll back to."]


def test_the_same_release_again(usual: PageRecords) -> None:
    current = usual.state.current
    assert current is not None
    same = asking.state(current=current.but(version=asking.VERSION, digests=asking.NEW))
    found = facts(but(usual, state=same, deployment=asking.deployment(kind="redeploy")), NOW)

    assert (found.action, found.same, found.compare) == ("Redeploy production", True, None)
    assert {item.change for item in found.components} == {"same image"}


@pytest.mark.parametrize(
    ("changes", "action", "note"),
    [
        pytest.param({"kind": "rollback", "plan": asking.plan(migration=None)}, "Roll back production", "not changed"),
        pytest.param({"plan": None}, "Deploy to production", "not changed"),
        pytest.param({"plan": asking.plan(migrations=None)}, "Deploy to production", "does not list its migrations"),
        pytest.param({"plan": asking.plan(migrations=["0001_users"])}, "Deploy to production", "no new migration"),
    ],
)
def test_kinds(usual: PageRecords, changes: dict[str, Any], action: str, note: str) -> None:
    found = facts(but(usual, deployment=asking.deployment(**changes)), NOW)

    assert found.action == action
    assert note in found.migrations_note


def test_migrations_of_what_runs_are_not_known(usual: PageRecords) -> None:
    found = facts(but(usual, running=None), NOW)

    assert [item.id for item in found.migrations] == ["0001_users", "0002_invoices", "0003_drop_legacy_totals"]
    assert "is not known" in found.migrations_note


def test_unsafe_ones_are_told_even_where_the_others_are_not(usual: PageRecords) -> None:
    found = facts(but(usual, deployment=asking.deployment(plan=asking.plan(migrations=None))), NOW)

    assert [(item.id, item.unsafe) for item in found.migrations] == [("0003_drop_legacy_totals", True)]
    assert any("A later rollback is not simple" in line for line in found.back)


def several(**stock: Any) -> Any:
    """A plan with two databases."""
    orders = make.migration(name="orders", migrations=["1", "2"], unsafe_migrations=["2"])
    return asking.plan(migration=None, named_migrations=[orders, make.migration(name="stock", **stock)])


def test_each_of_several_databases_is_told(usual: PageRecords) -> None:
    before = asking.before()
    known = make.migration(name="orders", migrations=["1"])
    running = before.but(plan=asking.plan(migration=None, named_migrations=[known]))
    found = facts(but(usual, deployment=asking.deployment(plan=several(migrations=["a"])), running=running), NOW)

    assert [(item.id, item.unsafe) for item in found.migrations] == [("orders: 2", True), ("stock: a", False)]
    assert found.migrations_note == (
        "The migration command of stock runs. It is not known which of these migrations have already run here."
    )
    assert any("cannot run after migration orders: 2" in line for line in found.back)


def test_databases_that_are_downgraded_first(usual: PageRecords) -> None:
    changes = {"kind": "rollback", "command": "down", "revisions": {"orders": "1", "stock": "a"}}
    found = facts(but(usual, deployment=asking.deployment(plan=several(), **changes)), NOW)

    assert found.database is not None
    assert [(task.database, task.revision) for task in found.database.tasks] == [("orders", "1"), ("stock", "a")]
    assert (found.action, found.database.alone) == ("Roll back production", False)
    assert "downgraded first" in found.database.lead
    assert "backup" in found.database.warning


@pytest.mark.parametrize(
    ("command", "revision", "action"),
    [
        ("up", None, "Migrate the database of production"),
        ("down", "base", "Downgrade the database of production to base"),
    ],
)
def test_a_database_command_shows_what_runs_and_no_services(
    usual: PageRecords, command: Any, revision: str | None, action: str
) -> None:
    deployment = asking.deployment(kind="migrate", command=command, revision=revision)
    assert deployment.plan is not None
    found = facts(but(usual, deployment=deployment), NOW)
    page = render.decision(found, Question(version="3f9c2ab", person="Ada"))["body"]

    assert found.action == action
    task = deployment.plan.every_migration[0]
    for part in (" ".join(task.command), task.image, "one-off task", "No service is changed"):
        assert part in page
    assert "Images" not in page
    assert "ferryman rollback" not in page
    assert (("To revision" in page), ("can delete data" in page)) == (revision is not None, command == "down")


def test_a_deployment_has_no_such_section(usual: PageRecords) -> None:
    assert facts(usual, NOW).database is None


@pytest.mark.parametrize(
    ("verified", "text"),
    [
        pytest.param({}, "not verified in staging", id="not-verified"),
        pytest.param(
            {"staging": Verified(deployment="01KOLD", digests=asking.OLD, at=make.AT)},
            "different images",
            id="other-images",
        ),
    ],
)
def test_proofs_that_are_none(usual: PageRecords, verified: Any, text: str) -> None:
    found = facts(but(usual, release=asking.release().but(verified=verified)), NOW)

    assert text in found.checks[0].text
    assert found.checks[0].tone == "warn"


def test_a_waiver_is_told(usual: PageRecords) -> None:
    waiver = Waiver(reason="not reachable", who="kim", at=make.AT, until=NOW + timedelta(days=1))
    old = waiver.but(until=make.AT)

    assert "waived by kim" in texts(facts(but(usual, state=asking.state(waivers={asking.VERSION: waiver})), NOW))
    assert "waived" not in texts(facts(but(usual, state=asking.state(waivers={asking.VERSION: old})), NOW))


def test_versions_that_are_no_commits_have_no_link(usual: PageRecords) -> None:
    found = facts(but(usual, approval=asking.approval(version="../../evil")), NOW)

    assert (found.compare, found.commit) == (None, None)


def test_services_stay_where_the_policy_says_so(usual: PageRecords) -> None:
    found = facts(but(usual, deployment=asking.deployment(plan=asking.plan(on_failure="hold"))), NOW)

    assert "stay as they are" in found.back[0]


def test_jobs_stand_with_the_services_of_their_component(usual: PageRecords) -> None:
    plan = asking.plan(jobs={"job/report": make.planned_job("report")})
    found = facts(but(usual, deployment=asking.deployment(plan=plan)), NOW)
    assert next(item.services for item in found.components if item.name == "api")[-1] == "job report"


@pytest.mark.parametrize(
    ("away", "text"),
    [(timedelta(minutes=5), "in 5m"), (timedelta(0), "0s ago"), (-timedelta(days=3), "3d ago")],
)
def test_moments(away: timedelta, text: str) -> None:
    assert moment(NOW + away, NOW).relative == text


def test_nothing_in_the_records_becomes_markup(usual: PageRecords) -> None:
    approval = asking.approval(version=EVIL, tag=EVIL, requested_by=Actor(who=EVIL))
    name = asking.SERVICES[0]
    deployment = asking.deployment(
        version=EVIL,
        why=EVIL,
        message=EVIL,
        phase=Phase.FAILED,
        plan=asking.plan(migrations=[EVIL], unsafe_migrations=[EVIL], services={EVIL: make.planned(name)}),
        steps={step_keys.APPROVAL: make.step("Failed", message=EVIL)},
        publication=Publication(status="Published", url=f"https://x.example/{EVIL}", at=NOW),
    )
    sight = but(usual, approval=approval, deployment=deployment)
    known = facts(sight, NOW)

    for answer in (
        render.decision(known, Question(version=approval.short, person=EVIL, why_not=EVIL), said=EVIL),
        render.decision(known, None, progress=progress(approval, deployment, NOW)),
        render.notice(404, EVIL, [EVIL, f"`{EVIL}`"], link=(EVIL, EVIL), place=EVIL),
        render.shared(render.SharedView(EVIL, EVIL, EVIL, EVIL, True), said=EVIL),
    ):
        body = answer["body"]
        assert "<script" not in body
        assert "49" not in body.partition("</style>")[2].replace("2026", "")
        assert 'href=""' not in body


def test_services_are_told_with_their_containers_where_several_run_the_image(usual: PageRecords) -> None:
    edge = PlannedImage(component="web", containers=["edge"], image="x")
    services = {
        "one": make.planned("scr-api", containers=["api", "worker"], additional=[edge]).but(name="one"),
        "two": make.planned("scr-web", containers=["web"]).but(name="two"),
        "old": make.planned("scr-web").but(name="old"),
    }
    deployment = asking.deployment(plan=asking.plan(services=services))
    found = {item.name: item.services for item in facts(but(usual, deployment=deployment), NOW).components}
    assert found["api"] == ["one (api and worker)"]
    assert found["web"] == ["one", "two", "old"]
