"""The two public functions as Lambda runs them: their own settings and clients, the committed events, moto behind."""

import importlib.util
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from ferryman import ids, runtime
from ferryman.clients.pass_on import PassOn
from ferryman.errors import Unavailable
from ferryman.store.table import Store
from pages import asking
from unit.fakes.dynamodb import TABLE

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "events"
CONTEXT = SimpleNamespace(invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:decide-approval")
NOW = datetime.fromtimestamp(1767323465, UTC)

EXPECTED = {
    "decide_approval/open_personal": 200,
    "decide_approval/open_shared": 200,
    "decide_approval/scanner_head": 200,
    "decide_approval/scanner_submits_empty": 422,
    "decide_approval/approve": 303,
    "decide_approval/reject": 303,
    "decide_approval/unknown_link": 404,
    "decide_approval/ask_for_link": 303,
    "decide_approval/slack_old_address": 401,
    "slack_actions/approve": 200,
    "slack_actions/unsigned": 401,
}


@pytest.fixture
def store(dynamodb: Any) -> Store:
    return Store(dynamodb, TABLE)


@pytest.fixture
def apps(
    store: Store, monkeypatch: pytest.MonkeyPatch, scr_document: dict[str, Any]
) -> Iterator[dict[str, ModuleType]]:
    queue = boto3.client("sqs", region_name="eu-west-1").create_queue(QueueName="nudges")["QueueUrl"]
    settings = {"TABLE_NAME": TABLE, "NUDGES_URL": queue, "ORIGIN_SECRET_ARN": "", "APPROVALS_URL": ""}
    for name, value in (settings | {"SLACK_FUNCTION": "slack-actions"}).items():
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
    found = {name: loaded(name) for name in ("decide_approval", "slack_actions")}
    # Nobody is written to from a test.
    monkeypatch.setattr(found["slack_actions"], "respond_to_action", lambda url, body: None)
    yield found
    for cached in caches:
        cached.cache_clear()


def loaded(function: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{function}_app", ROOT / "functions" / function / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(apps: dict[str, ModuleType], scenario: str) -> dict[str, Any]:
    app = apps[scenario.partition("/")[0]]
    answer = app.handler(json.loads((EVENTS / f"{scenario}.json").read_text()), CONTEXT)
    # A Lambda's answer is JSON.
    return dict(json.loads(json.dumps(answer)))


@pytest.mark.parametrize(("scenario", "status"), EXPECTED.items())
def test_events(apps: dict[str, ModuleType], scenario: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(apps, scenario)["statusCode"] == status

    said = capsys.readouterr()
    for secret in (asking.ADA_NONCE, asking.hashed(asking.ADA_NONCE), asking.SIGNING, "AAAAtoken"):
        assert secret not in said.out + said.err


def test_a_decision_is_kept_and_reconcile_is_woken(apps: dict[str, ModuleType], store: Store) -> None:
    call(apps, "decide_approval/approve")

    approval = store.approval(asking.ID)
    assert approval is not None
    assert (approval.status, approval.approved_by) == ("Approved", ["Ada Lovelace"])
    assert approval.decisions[0].identity == "ada@scr-platform.example"
    assert approval.decisions[0].source.startswith("203.0.113.7 Mozilla/5.0 (iPhone")
    sqs = runtime.client("sqs")
    message = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="nudges")["QueueUrl"])["Messages"][0]
    assert json.loads(message["Body"]) == {"platform": "scr", "environment": "production"}


def test_a_button_in_slack_is_a_decision(apps: dict[str, ModuleType], store: Store) -> None:
    call(apps, "slack_actions/approve")

    approval = store.approval(asking.ID)
    assert approval is not None
    assert (approval.status, approval.decisions[0].identity) == ("Approved", f"{asking.TEAM}/U0ADA")


def test_every_event_is_tested() -> None:
    functions = ("decide_approval", "slack_actions")
    assert {f"{name}/{path.stem}" for name in functions for path in (EVENTS / name).glob("*.json")} == set(EXPECTED)


@dataclass
class Functions:
    """Lambda with one function."""

    answer: dict[str, Any]
    invoked: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        self.invoked.append(arguments)
        return self.answer


def test_what_is_passed_on_is_the_event_and_its_answer_the_functions_own() -> None:
    functions = Functions({"Payload": io.BytesIO(b'{"statusCode": 200, "body": "x"}')})
    assert PassOn(lambda: functions, "slack-actions")({"rawPath": "/slack"}) == {"statusCode": 200, "body": "x"}  # type: ignore[arg-type, return-value]
    assert functions.invoked == [
        {
            "FunctionName": "slack-actions",
            "InvocationType": "RequestResponse",
            "Payload": b'{"rawPath": "/slack"}',
        }
    ]


@pytest.mark.parametrize(
    "answer", [{"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}, {"Payload": io.BytesIO(b"null")}]
)
def test_a_function_that_fails_is_an_outage(answer: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        PassOn(lambda: Functions(answer), "slack-actions")({})  # type: ignore[arg-type, return-value]
