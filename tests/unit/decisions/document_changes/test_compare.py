"""What a new document changes for an environment that asks for approval, in words, and what weakens a gate."""

import copy
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from ferryman.decisions.document_changes import references
from ferryman.decisions.document_changes.compare import Change, compare, protected
from ferryman.platform import Environment, Platform, parse
from ferryman.platform.field_classes import class_of
from unit.decisions.gated import FAMILIES, stored

Edit = Callable[[dict[str, Any]], None]


def changes(edit: Edit, before: dict[str, Any] | None = None) -> list[Change]:
    old = before or stored()
    new = copy.deepcopy(old)
    edit(new)
    return compare(parse(old), parse(new))


def production(edit: Edit) -> Edit:
    return lambda data: edit(data["spec"]["environments"]["production"])


def approval(edit: Edit) -> Edit:
    return production(lambda env: edit(env["approval"]))


def sets(**values: Any) -> Edit:
    return lambda data: data.update(values)


def drops(name: str) -> Edit:
    return lambda data: data.pop(name)  # type: ignore[return-value]


def told(found: list[Change]) -> list[tuple[str, str]]:
    return [(change.effect, change.text) for change in found if change.effect != "neutral"]


@pytest.mark.parametrize(
    ("edit", "effect", "text"),
    [
        (production(drops("approval")), "looser", "production no longer asks for approval"),
        (approval(sets(required=1)), "looser", "production asks 1 person instead of 2"),
        (approval(lambda a: a["approvers"].append({"name": "Mallory", "slack": "U000MALL"})), "looser",
         "Mallory can approve for production"),
        (approval(lambda a: a["approvers"][1].pop("arn")), "looser",
         "Grace, who can approve for production, gets another arn: arn:aws:iam::123456789012:user/grace → none"),
        (approval(lambda a: a["approvers"][0].update(email="eve@scr.example")), "looser",
         "Ada, who can approve for production, gets another email: ssm:/ferryman/scr/ada → eve@scr.example"),
        (approval(sets(expires="7d")), "looser", "a request for production stays open for 7d instead of 1d"),
        (approval(sets(expires="5h")), "tighter", "a request for production stays open for 5h instead of 1d"),
        (approval(sets(allowUnverified=True)), "looser", "production: anyone with the shared link can approve"),
        (approval(sets(requesterMayApprove=True)), "looser",
         "production: people can approve what they requested themselves"),
        (approval(sets(unknownRequester="refuse")), "tighter",
         "production refuses requests of people whom Ferryman does not know"),
        (approval(sets(forRollback=False)), "looser", "production: a rollback needs no approval"),
        (approval(sets(**{"from": "eve@scr.example"})), "looser",
         "production: approval.from changes from ferryman@scr.example to eve@scr.example"),
        (production(sets(soak="10m")), "looser", "production: soak 1h → 10m"),
        (production(sets(soak="2h")), "tighter", "production: soak 1h → 2h"),
        (production(drops("soak")), "looser", "production: soak 1h → none"),
        (production(sets(scan={"block": ["CRITICAL"]})), "looser",
         "scan findings of severity HIGH no longer block a release in production"),
        (production(drops("scan")), "looser", "image scans no longer block a release in production"),
        (production(sets(scan={"block": ["CRITICAL", "HIGH", "LOW"]})), "tighter",
         "scan findings of severity LOW block a release in production"),
        (production(lambda env: env["triggers"].append("promotion")), "looser",
         "a promotion can start a deployment to production"),
        (production(sets(triggers=["manual"])), "tighter",
         "a semver tag can no longer start a deployment to production"),
        (production(sets(cluster="other")), "looser",
         "production: cluster changes from ssm:/ferryman/scr/production/cluster to other"),
        (production(drops("freeze")), "looser", "production has no freeze windows any more"),
        (production(lambda env: env["freeze"].update(timeZone="UTC")), "looser",
         "production: freeze.timeZone changes from Europe/Berlin to UTC"),
        (production(lambda env: env["freeze"]["windows"].pop(0)), "looser",
         "production is no longer frozen during weekend (Fri 16:00 - Mon 08:00)"),
        (production(lambda env: env["freeze"]["windows"].pop(1)), "looser",
         "deployments to production can start at any time, not only during office (Mon 09:00 - Fri 16:00)"),
        (production(lambda env: env["freeze"]["windows"].append({"name": "n", "weekly": "Tue 22:00 - Wed 06:00"})),
         "tighter", "production is frozen during n (Tue 22:00 - Wed 06:00)"),
        (production(lambda env: env["freeze"]["windows"].append(
            {"name": "n", "kind": "allow", "weekly": "Tue 22:00 - Wed 06:00"})),
         "looser", "deployments to production can also start during n (Tue 22:00 - Wed 06:00)"),
        (production(drops("smokeTests")), "looser", "production no longer runs the smoke test health"),
        (production(lambda env: env["smokeTests"].append({"name": "web", "url": "https://web.example"})), "tighter",
         "production also runs the smoke test web"),
        (production(lambda env: env["smokeTests"][0].update(path="/other")), "looser",
         "the smoke test health of production checks something else (path)"),
        (production(sets(onBaseChange="deploy")), "looser",
         "production: a new base task definition starts a deployment"),
        (production(sets(notify=["chat"])), "looser", "messages about production no longer go to team"),
        (production(lambda env: env["notify"].append("ops")), "tighter", "messages about production also go to ops"),
        (production(lambda env: env["migration"].update(current=["alembic", "downgrade", "base"])), "looser",
         "`migrate current`, which asks nobody, runs another command in production: alembic, downgrade, base"),
        (production(lambda env: env["migration"].pop("current")), "tighter",
         "`migrate current` no longer runs a command in production"),
        (production(lambda env: env["waves"][0]["services"].pop(1)), "looser",
         "production gives up the service web, so that another environment could change it without approval"),
        (production(lambda env: env["waves"][0].pop("jobs")), "looser",
         "production gives up the job report, so that another environment could change it without approval"),
        (production(lambda env: env["waves"][0]["services"][0].pop("baseTaskDefinition")), "looser",
         ("the service api of production no longer uses the task definition api-production, so that another "
          "environment could run other images with its roles and secrets")),
        (lambda data: data["spec"].update(tagPattern="(?P<version>.+)-x"), "looser",
         "other tags name a release: tagPattern changes from (?P<version>[0-9a-f]{7,40}) to (?P<version>.+)-x"),
        (lambda data: data["spec"]["github"].update(repository="eve/scr"), "looser",
         "production: github.repository changes from scr/scr to eve/scr"),
        (lambda data: data["spec"]["channels"]["chat"].update(
            signingSecretArn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:eve"), "looser",
         "production: decisions in Slack count when they are signed with the secret of the channel chat"),
        (lambda data: data["spec"]["channels"]["team"].update(topicArn="arn:aws:sns:eu-west-1:123456789012:eve"),
         "looser", "messages about production to team go somewhere else"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_change_of_a_gate_is_judged_and_told(edit: Edit, effect: str, text: str) -> None:
    assert (effect, text) in told(changes(edit))
    assert {change.environment for change in changes(edit) if change.effect == "looser"} == (
        {"production"} if effect == "looser" else set()
    )


@pytest.mark.parametrize(
    "edit",
    [
        production(lambda env: env["waves"][0]["services"][0].update(timeout="20m", failFast=9)),
        production(
            lambda env: env["waves"][0]["services"][0].update(baseTaskDefinition=f"{FAMILIES}/api-production:8")
        ),
        production(lambda env: env["migration"].update(taskDefinition=f"{FAMILIES}/migrate-production:4")),
        production(lambda env: env["migration"].update(command=["alembic", "upgrade", "head"])),
        production(lambda env: env["waves"][0]["services"].append({"name": "more", "component": "web"})),
        production(lambda env: env["waves"][0]["services"].reverse()),
        production(lambda env: env["approval"]["approvers"].reverse()),
        production(lambda env: env["freeze"]["windows"][0].update(name="closed")),
        production(lambda env: env["smokeTests"][0].update(attempts=50)),
        production(lambda env: env.update(onFailure="hold", tagWait="2h", movingTags=["production-latest"])),
        approval(sets(reminder=None)),
        lambda data: data["spec"].update(assemblyTimeout="5m"),
        lambda data: data["spec"]["components"].update(more={"repository": "scr-more"}),
        lambda data: data["spec"]["channels"].update(more={"type": "sns", "topicArn": "arn:aws:sns:::x"}),
        lambda data: data["spec"]["environments"]["staging"].update(triggers=["push"]),
        lambda data: data["spec"]["environments"].update(
            demo={"cluster": "demo", "waves": [{"name": "one", "services": [{"name": "d", "component": "api"}]}]}
        ),
    ],
    ids=[
        "patience",
        "a-new-revision",
        "a-new-revision-of-the-migration",
        "its-command",
        "a-service-more",
        "another-order",
        "approvers-in-another-order",
        "a-windows-name",
        "attempts",
        "free-fields",
        "reminder",
        "assembly-timeout",
        "a-component-more",
        "a-channel-that-nobody-uses",
        "staging",
        "an-environment-more",
    ],
)
def test_what_weakens_no_gate_waits_for_nobody(edit: Edit) -> None:
    assert told(changes(edit)) == []


def test_the_same_document_changes_nothing() -> None:
    assert changes(lambda _: None) == []


def test_removing_an_environment_is_told() -> None:
    def remove(data: dict[str, Any]) -> None:
        del data["spec"]["environments"]["production"]

    assert told(changes(remove)) == [("looser", "the environment production is removed, and its gates with it")]


def test_renaming_an_environment_says_who_takes_over() -> None:
    def rename(data: dict[str, Any]) -> None:
        environments = data["spec"]["environments"]
        environments["live"] = environments.pop("production")
        del environments["live"]["approval"]

    text = "production is removed, and live, which asks nobody for approval, takes over its services"
    assert told(changes(rename)) == [("looser", text)]


def test_only_environments_that_ask_for_approval_are_protected() -> None:
    before = stored()
    del before["spec"]["environments"]["production"]["approval"]
    assert protected(parse(before)) == []
    assert told(changes(production(drops("soak")), before)) == []


def test_a_reference_with_another_value_waits_for_approval() -> None:
    document = parse(stored())
    moved = {"production": ["ssm:/ferryman/scr/ada"]}
    text = "the value of ssm:/ferryman/scr/ada, which production depends on, has changed since it was applied"
    assert told(compare(document, document, moved)) == [("looser", text)]


def test_the_references_of_gates_are_found_but_not_those_of_task_definitions() -> None:
    data = stored()
    data["spec"]["environments"]["production"]["waves"][0]["services"][0]["baseTaskDefinition"] = "ssm:/ferryman/td"
    assert references.of_gates(parse(data), "production") == [
        "ssm:/ferryman/scr/ada", "ssm:/ferryman/scr/production/cluster",
    ]  # fmt: skip


def test_the_hash_of_values_tells_them_apart() -> None:
    one = references.digest({"ssm:/a": "1", "ssm:/b": "2"})
    assert one == references.digest({"ssm:/b": "2", "ssm:/a": "1"})
    assert one != references.digest({"ssm:/a": "2", "ssm:/b": "1"})


_OTHER_KEYS = {"Approver.name", "NamedMigration.name", "SmokeTest.name", "Job.name", "Service.name", "ChatChannel.type"}
"""Fields that say which entry of a list it is."""
_EMPTY = {"Environment.migrations", "Wave.jobs"}
_OF_RULES = {"Job.target", "Job.group", "Job.event_bus", "Job.rule"}
"""Of a job that has a schedule: such a document is refused."""


def gates(value: Any, rebuild: Callable[[Any], Any]) -> Iterator[tuple[str, Any]]:
    """Every gate of an environment with another value: its name, and the environment."""
    for field in type(value).model_fields:
        here = f"{type(value).__name__}.{field}"
        if class_of(type(value), field) != "gate":
            continue
        now = getattr(value, field)

        def with_(other: Any, value: BaseModel = value, field: str = field) -> Any:
            return rebuild(value.model_copy(update={field: other}))

        if isinstance(now, BaseModel):
            yield from gates(now, with_)
        elif isinstance(now, list) and now and isinstance(now[0], BaseModel):
            for i, item in enumerate(now):

                def placed(other: Any, now: list[Any] = now, i: int = i, with_: Any = with_) -> Any:
                    return with_([*now[:i], other, *now[i + 1 :]])

                yield from gates(item, placed)
        elif here not in _OTHER_KEYS | _OF_RULES | _EMPTY:
            yield here, with_(other_than(now))


def other_than(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case timedelta():
            return value * 2
        case str():
            return {"deny": "allow", "report": "deploy"}.get(value, f"{value}x")
        case dict():
            return {"other": "x"}
        case list():
            return [*value, "push"] if "push" not in value else value[:-1]
        case _:
            return "x"


def test_no_gate_of_an_environment_changes_unseen() -> None:
    document = parse(stored())
    environment = document.spec.environments["production"]

    def placed(other: Environment) -> Platform:
        environments = {**document.spec.environments, "production": other}
        return document.model_copy(update={"spec": document.spec.model_copy(update={"environments": environments})})

    seen = list(gates(environment, placed))
    unseen = {name for name, after in seen if not told(compare(document, after))}
    assert len({name for name, _ in seen}) > 25
    assert unseen == set()
