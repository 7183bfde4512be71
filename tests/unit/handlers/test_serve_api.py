"""functions/serve_api as Lambda runs it: its own settings and clients, the committed events, moto behind it."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from ferryman import runtime
from ferryman.records import Phase, Settled
from ferryman.store.table import Store
from ferryman_local.signed_event import needs_a_signature, signed
from unit import builders as make
from unit.api_world import World, idle
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE
from unit.fakes.sts import FakeSts

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "events" / "serve_api"
CONTEXT = SimpleNamespace(invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:ferryman-serve-api")
ADMIN = "arn:aws:iam::123456789012:role/Deployer"
STS = FakeSts(
    {
        "AKIAJO": "arn:aws:sts::123456789012:assumed-role/Deployer/jo",
        "AKIAVERA": "arn:aws:iam::123456789012:user/vera",
    }
)


@pytest.fixture
def store(dynamodb: Any) -> Store:
    return Store(dynamodb, TABLE)


@pytest.fixture
def app(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    queue = boto3.client("sqs", region_name="eu-west-1").create_queue(QueueName="nudges")["QueueUrl"]
    settings = {"TABLE_NAME": TABLE, "NUDGES_URL": queue, "RELAY_FUNCTION": "relay", "ADMIN_ARNS": ADMIN}
    settings |= {"UPDATE_SERVICE_ROLE": "", "RUN_MIGRATION_ROLE": "", "NOTIFY_FUNCTION": "notify"}
    settings |= {"ALLOWED_SLACK_HOSTS": "", "ALLOWED_GITHUB_HOSTS": ""}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    caches = (runtime.client, runtime.store, runtime.logger)
    for cached in caches:
        cached.cache_clear()
    spec = importlib.util.spec_from_file_location("serve_api_app", ROOT / "functions" / "serve_api" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.sts, "caller", lambda host, headers, body, connect: STS.ask(host, headers, body))
    yield module
    for cached in caches:
        cached.cache_clear()


def call(app: ModuleType, scenario: str, key: str = "AKIAJO") -> tuple[int, dict[str, Any]]:
    event = json.loads((EVENTS / f"{scenario}.json").read_text())
    if needs_a_signature(event):
        event = signed(event, CONTEXT.invoked_function_arn, STS.credentials(key))
    answer = app.handler(event, CONTEXT)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]) -> World:
    world = World(store, clock, new_id)
    world.applied(scr_document)
    return world


@pytest.mark.parametrize(
    ("scenario", "status"),
    [
        ("list_platforms", 200),
        ("status", 200),
        ("watch", 404),
        ("abort", 409),
        ("retry", 404),
        ("deploy", 404),
        ("rollback", 409),
        ("rollback_with_downgrade", 404),
        ("migrate_current", 409),
        ("freeze", 200),
        ("thaw", 200),
        ("diff", 404),
        ("no_identity", 403),
    ],
)
def test_events(app: ModuleType, world: World, scenario: str, status: int) -> None:
    assert call(app, scenario)[0] == status


def test_apply_without_anything_in_aws_names_what_is_missing(app: ModuleType, store: Store) -> None:
    for scenario in ("apply", "apply_dry_run"):
        status, body = call(app, scenario)

        paths = {problem["path"] for problem in body["error"]["problems"]}
        assert (status, body["error"]["code"]) == (422, "VerificationFailed")
        assert {"spec.components.api.repository", "spec.environments.staging.cluster"} <= paths
    assert store.find_platform("scr") is None


def test_who_is_no_admin_has_the_roles_that_ssm_grants(app: ModuleType, world: World) -> None:
    grant = {"role": "viewer", "environments": ["staging"], "principals": ["arn:aws:iam::123456789012:user/vera"]}
    ssm = runtime.client("ssm")
    ssm.put_parameter(Name="/ferryman/operator/access/scr", Value=json.dumps({"grants": [grant]}), Type="String")

    assert call(app, "status", key="AKIAVERA")[0] == 200
    status, body = call(app, "freeze", key="AKIAVERA")
    assert (status, "needs the role deployer" in body["error"]["message"]) == (403, True)
    # The refusals of a sandbox are remembered: the same one is recorded once.
    call(app, "freeze", key="AKIAVERA")
    assert [line for line in world.timeline("scr#production") if line[0] == "RequestRefused"] == [
        ("RequestRefused", "arn:aws:iam::123456789012:user/vera")
    ]


def test_without_a_value_only_admins_get_in(app: ModuleType, world: World) -> None:
    status, body = call(app, "status", key="AKIAVERA")
    assert (status, "/ferryman/operator/access/scr does not exist" in body["error"]["message"]) == (403, True)
    assert call(app, "status")[0] == 200


def test_a_nudge_reaches_the_queue(app: ModuleType, world: World) -> None:
    failed = Settled(phase=Phase.FAILED, reason="SmokeTestFailed", at=make.AT)
    world.put(make.release("3f9c2ab"), idle(current=None, settled={"3f9c2ab": failed}))

    status, body = call(app, "retry")

    assert (status, body["version"]) == (200, "3f9c2ab")
    assert world.state.requested is not None
    assert world.state.requested.who == "arn:aws:sts::123456789012:assumed-role/Deployer/jo"
    sqs = runtime.client("sqs")
    message = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="nudges")["QueueUrl"])["Messages"][0]
    assert json.loads(message["Body"]) == {"platform": "scr", "environment": "staging"}


def test_every_event_is_tested() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == {
        "abort", "apply", "apply_dry_run", "deploy", "diff", "freeze", "list_platforms", "migrate_current",
        "no_identity", "retry", "rollback", "rollback_with_downgrade", "status", "thaw", "watch",
    }  # fmt: skip
