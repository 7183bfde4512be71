"""An approval covers what will run: what somebody changes between the request and the start never runs unapproved."""

import copy
from typing import Any

from ferryman.records import Deployment, Phase, step_keys
from ferryman_local.standins.people import Person
from flow.production import Make, Production
from flow.stage import Stage

SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:stolen"
KEPT = ("networkMode", "cpu", "memory", "executionRoleArn", "taskRoleArn", "requiresCompatibilities", "volumes")


def base_parameter(prod: Production, family: str) -> str:
    return f"/ferryman/{prod.name}/{prod.where}/task-definitions/{family}"


def another_base(prod: Production, stage: Stage, family: str, **container: Any) -> tuple[str, str]:
    """Register a base with other fields of its container and name it in SSM; the revision before, and the new one."""
    ssm, name = stage.client("ssm"), base_parameter(prod, family)
    before = str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    found = prod.ecs.describe_task_definition(taskDefinition=before)["taskDefinition"]
    containers = copy.deepcopy(found["containerDefinitions"])
    for key, value in container.items():
        containers[0][key] = [*containers[0].get(key, []), *value] if key in ("environment", "secrets") else value
    kept = {key: found[key] for key in KEPT if key in found}
    made = prod.ecs.register_task_definition(family=found["family"], containerDefinitions=containers, **kept)
    after = str(made["taskDefinition"]["taskDefinitionArn"])
    ssm.put_parameter(Name=name, Value=after, Type="String", Overwrite=True)
    return before, after


def container_of(prod: Production, component: str = "api") -> dict[str, Any]:
    """The first container of what the service runs."""
    arn = prod.service(component)["taskDefinition"]
    found: dict[str, Any] = prod.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return dict(found["containerDefinitions"][0])


def page_of(prod: Production, deployment: Deployment) -> str:
    with Person() as visitor:
        return " ".join(visitor.open(prod.link(deployment)).text.split())


def test_what_is_approved_runs_whatever_changes_before_it_starts(production: Make, stage: Stage) -> None:
    prod = production(migration=True, notify=["team"])
    deployment = prod.asked()
    version, service = deployment.version, prod.service_of("api")
    asked_about = prod.approval(deployment)
    assert asked_about is not None
    assert asked_about.plan_hash.startswith("sha256:")

    # The base task definition and its parameter: another command, another variable, another secret.
    evil = {"command": ["sh", "-c", "evil"], "environment": [{"name": "EVIL", "value": "1"}]}
    _, later = another_base(prod, stage, service, secrets=[{"name": "STOLEN", "valueFrom": SECRET}], **evil)
    another_base(prod, stage, f"{prod.name}-migrate-production", command=["sh", "-c", "evil"])
    # Other values of references, and another document.
    ssm = stage.client("ssm")
    url = f"/ferryman/{prod.name}/production/api-url"
    address = ssm.get_parameter(Name=url)["Parameter"]["Value"]
    ssm.put_parameter(Name=url, Value="http://127.0.0.1:1", Type="String", Overwrite=True)
    migration = {**prod.spec["environments"]["production"]["migration"], "command": ["sh", "-c", "evil"]}
    prod.change(migration=migration, override="an admin changes it under the request")
    # The tag that named the images, on another image.
    other = prod.push_one("api", prod.version(), prod.version(), CRASH="1")
    stage.client("ecr")
    prod.tag(version, "moved")

    prod.approve(deployment)
    done = prod.ended(version)
    assert done.phase is Phase.SUCCEEDED, prod.tell()
    runs = container_of(prod)
    assert "EVIL" not in str(runs)
    assert "evil" not in str(runs)
    assert "STOLEN" not in str(runs)
    assert other not in prod.running_digests()
    prod.runs(version)
    (task,) = prod.migrations()
    assert task["overrides"]["containerOverrides"][0]["command"] == ["python", "migrate.py"]
    assert done.require_plan().checks[0].url.startswith(address)
    assert done.step(step_keys.SMOKE_TEST).reason == "ChecksPassed"  # type: ignore[union-attr]
    # What is newer counts for the next one, and is told.
    assert "counts for the next deployment" in done.message
    assert "the platform document" in done.message
    assert later.rsplit("/", 1)[-1] in done.message


def test_page_mail_and_command_say_what_changes(production: Make, stage: Stage) -> None:
    prod = production(notify=["team"])
    prod.running_release()
    another_base(
        prod,
        stage,
        prod.service_of("api"),
        environment=[{"name": "LOG_LEVEL", "value": "hush-hush"}],
        secrets=[{"name": "STRIPE_KEY", "valueFrom": SECRET}],
        memory=768,
    )
    deployment = prod.asked()
    told = {
        "page": page_of(prod, deployment),
        "mail": stage.inbox.mails(f"ada@{prod.name}.example", deployment.version)[-1]["BodyText"],
        "channel": prod.told("approval", owner=deployment.id).text,
        "command": str(prod.api.get(prod.path("approval"))),
    }
    for where, text in told.items():
        assert "environment variables: added LOG_LEVEL" in text, where
        assert "secrets: added STRIPE_KEY" in text, where
        assert "768 MiB" in text, where
        assert "image: " in text, where
        assert "hush-hush" not in text, where
        assert SECRET not in text, where
    assert "Not covered by your approval" in told["page"]
    assert "Values of secrets and parameters, which ECS reads when a task starts: STRIPE_KEY" in told["page"]
    prod.reject(deployment, "not today")
    prod.ended(deployment.version)


def test_a_void_asks_anew_once_and_shows_the_difference(production: Make, stage: Stage) -> None:
    prod = production(notify=["team"])
    deployment = prod.asked()
    before, after = another_base(prod, stage, prod.service_of("api"), environment=[{"name": "LATER", "value": "1"}])
    prod.ecs.deregister_task_definition(taskDefinition=before)
    prod.approve(deployment)
    void = prod.ended(deployment.version)
    assert (void.phase, void.reason) == (Phase.ERRORED, "ApprovalVoid"), prod.tell()
    assert f"task definition {before.rsplit('/', 1)[-1]} was deregistered" in void.message
    prod.runs("bootstrap")

    again = prod.asked(deployment.version, attempt=2)
    assert again.renews == deployment.id
    assert (prod.approval(again) or deployment).version == deployment.version
    page = page_of(prod, again)
    assert "You are asked again" in page
    assert f"base {before.rsplit('/', 1)[-1]} becomes {after.rsplit('/', 1)[-1]}" in page
    assert "environment variables: added LATER" in page
    with Person() as late:
        assert not any(form.buttons for form in late.open(prod.link(deployment)).forms), "the old link decides nothing"

    # The same once more: it is not asked a third time by itself.
    third, _ = another_base(prod, stage, prod.service_of("api"))
    prod.ecs.deregister_task_definition(taskDefinition=third)
    prod.approve(again)
    ended = prod.ended(deployment.version, attempt=2)
    assert (ended.phase, ended.reason) == (Phase.ABORTED, "ApprovalVoid"), prod.tell()
    assert "ferryman retry production" in ended.message
    stage.sweep()
    assert len(prod.deployments(deployment.version)) == 2
    prod.runs("bootstrap")
    prod.ask("retry", reason="the base is settled now")
    last = prod.asked(deployment.version, attempt=3)
    prod.approve(last)
    assert prod.ended(deployment.version, attempt=3).phase is Phase.SUCCEEDED, prod.tell()
    assert "LATER" in str(container_of(prod)["environment"])


def test_a_gate_that_got_stricter_voids_an_approval(production: Make) -> None:
    prod = production()
    deployment = prod.asked()
    policy = prod.spec["environments"]["production"]["approval"]
    prod.change(approval={**policy, "required": 2})
    prod.approve(deployment)
    void = prod.ended(deployment.version)
    assert (void.phase, void.reason) == (Phase.ERRORED, "ApprovalVoid"), prod.tell()
    assert "now requires 2 approvals" in void.message
    again = prod.asked(deployment.version, attempt=2)
    prod.approve(again, "Ada")
    prod.runs("bootstrap")
    prod.approve(again, "Grace")
    assert prod.ended(deployment.version, attempt=2).phase is Phase.SUCCEEDED, prod.tell()


def test_an_image_that_was_deleted_voids_an_approval(production: Make) -> None:
    prod = production()
    deployment = prod.asked()
    digest = deployment.digests["api"]
    repository = prod.spec["components"]["api"]["repository"]
    prod.ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    prod.approve(deployment)
    void = prod.ended(deployment.version)
    assert (void.phase, void.reason) == (Phase.ERRORED, "ApprovalVoid"), prod.tell()
    assert f"image {digest[7:19]} of api is no longer in {repository}" in void.message
    prod.runs("bootstrap")
