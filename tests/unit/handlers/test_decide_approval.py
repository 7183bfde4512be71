"""functions/decide_approval as Lambda runs it: its own settings and clients, the committed events, moto behind it."""

import importlib.util
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from ferryman import ids, runtime
from ferryman.store.table import Store
from pages import asking
from unit.fakes.dynamodb import TABLE

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "events" / "decide_approval"
CONTEXT = SimpleNamespace(invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:decide-approval")
NOW = datetime.fromtimestamp(1767323465, UTC)

EXPECTED = {
    "open_personal": 200,
    "open_shared": 200,
    "scanner_head": 200,
    "scanner_submits_empty": 422,
    "approve": 303,
    "reject": 303,
    "unknown_link": 404,
    "ask_for_link": 303,
    "slack_approve": 200,
    "slack_unsigned": 401,
}


@pytest.fixture
def store(dynamodb: Any) -> Store:
    return Store(dynamodb, TABLE)


@pytest.fixture
def app(store: Store, monkeypatch: pytest.MonkeyPatch, scr_document: dict[str, Any]) -> Iterator[ModuleType]:
    queue = boto3.client("sqs", region_name="eu-west-1").create_queue(QueueName="nudges")["QueueUrl"]
    for name, value in {"TABLE_NAME": TABLE, "NUDGES_URL": queue}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ids, "now", lambda: NOW)
    secret = boto3.client("secretsmanager", region_name="eu-west-1").create_secret(
        Name="ferryman/scr/slack-signing-secret", SecretString=json.dumps({"signingSecret": asking.SIGNING})
    )
    made = asking.document(scr_document)
    made["spec"]["channels"]["chat"]["signingSecretArn"] = secret["ARN"]
    asking.write(store, made)
    caches = (runtime.client, runtime.store, runtime.logger)
    for cached in caches:
        cached.cache_clear()
    spec = importlib.util.spec_from_file_location("decide_approval_app", ROOT / "functions/decide_approval/app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Nobody is written to from a test.
    monkeypatch.setattr(module, "respond_to_action", lambda url, body: None)
    yield module
    for cached in caches:
        cached.cache_clear()


def call(app: ModuleType, scenario: str) -> dict[str, Any]:
    answer = app.handler(json.loads((EVENTS / f"{scenario}.json").read_text()), CONTEXT)
    # A Lambda's answer is JSON.
    return dict(json.loads(json.dumps(answer)))


@pytest.mark.parametrize(("scenario", "status"), EXPECTED.items())
def test_events(app: ModuleType, scenario: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(app, scenario)["statusCode"] == status

    said = capsys.readouterr()
    for secret in (asking.ADA_NONCE, asking.hashed(asking.ADA_NONCE), asking.SIGNING, "AAAAtoken"):
        assert secret not in said.out + said.err


def test_a_decision_is_kept_and_reconcile_is_woken(app: ModuleType, store: Store) -> None:
    call(app, "approve")

    approval = store.approval(asking.ID)
    assert approval is not None
    assert (approval.status, approval.approved_by) == ("Approved", ["Ada Lovelace"])
    assert approval.decisions[0].identity == "ada@scr-platform.example"
    assert approval.decisions[0].source.startswith("203.0.113.7 Mozilla/5.0 (iPhone")
    sqs = runtime.client("sqs")
    message = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="nudges")["QueueUrl"])["Messages"][0]
    assert json.loads(message["Body"]) == {"platform": "scr", "environment": "production"}


def test_a_button_in_slack_is_a_decision(app: ModuleType, store: Store) -> None:
    call(app, "slack_approve")

    approval = store.approval(asking.ID)
    assert approval is not None
    assert (approval.status, approval.decisions[0].identity) == ("Approved", f"{asking.TEAM}/U0ADA")


def test_every_event_is_tested() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == set(EXPECTED)
