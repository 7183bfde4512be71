"""functions/smoke_test and functions/notify as Lambda runs them: the committed events, moto behind them."""

import importlib.util
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from ferryman import runtime
from ferryman.clients.http_client import Answer
from ferryman.errors import InvalidInput
from ferryman.messages import deployment as messages
from ferryman.records import Active, AppliedPlatform, Phase, PlannedCheck, step_keys
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.dynamodb import TABLE

ROOT = Path(__file__).parents[3]
CONTEXT = SimpleNamespace(function_name="ferryman", aws_request_id="1")
DEPLOYMENT = "01K5Z3V7Q8M2N4P6R8T0W2Y4A6"


def event(function: str, scenario: str) -> Any:
    return json.loads((ROOT / f"events/{function}/{scenario}.json").read_text())


def load(function: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{function}_app", ROOT / f"functions/{function}/app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def store(dynamodb: Any) -> Store:
    return Store(dynamodb, TABLE)


@pytest.fixture(autouse=True)
def _lambda(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("APPROVALS_URL", "https://approve.example/")
    monkeypatch.setenv("ALLOWED_SLACK_HOSTS", "")
    monkeypatch.setenv("ALLOWED_GITHUB_HOSTS", "")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")
    caches = (runtime.client, runtime.store, runtime.logger, runtime.metrics)
    for cached in caches:
        cached.cache_clear()
    # The logger of Powertools sets the level of a logger that later tests listen to.
    level = logging.getLogger("ferryman").level
    yield
    logging.getLogger("ferryman").setLevel(level)
    for cached in caches:
        cached.cache_clear()


def test_smoke_test(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    check = PlannedCheck(name="api", url="https://x", status=[200], attempts=2, delay_seconds=7, timeout_seconds=1)
    steps = {key: step for key, step in make.passed().items() if key != step_keys.SMOKE_TEST}
    deployment = make.deployment(id=DEPLOYMENT, fence=3, plan=make.plan(checks=[check]), steps=steps)
    active = Active(
        deployment=DEPLOYMENT, version="abc1234", fence=3, execution_name="x", input="{}", claimed_at=make.AT
    )  # fmt: skip
    store.write(Save(deployment), Save(make.state(active=active)))
    app = load("smoke_test")
    monkeypatch.setattr(app, "fetch", lambda *arguments, **named: Answer(503))
    assert app.handler(event("smoke_test", "round"), CONTEXT) == {
        "verdict": "Waiting", "reason": "ChecksPending", "retryAfterSeconds": 7,
    }  # fmt: skip
    monkeypatch.setattr(app, "fetch", lambda *arguments, **named: Answer(200))
    assert app.handler(event("smoke_test", "round"), CONTEXT) == {
        "verdict": "Succeeded", "reason": "ChecksPassed", "retryAfterSeconds": 0,
    }  # fmt: skip
    with pytest.raises(InvalidInput):
        app.handler({"platform": "scr"}, CONTEXT)


@pytest.fixture
def topic() -> str:
    topic: str = boto3.client("sns", region_name="eu-west-1").create_topic(Name="team")["TopicArn"]
    return topic


@pytest.fixture
def written(store: Store, topic: str) -> None:
    channels = {
        "team": {"type": "sns", "topicArn": topic},
        "ops-mail": {"type": "mail", "from": "ferryman@example.com", "to": ["ops@example.com"]},
    }
    applied = AppliedPlatform(
        name="scr", generation=1, document={"spec": {"channels": channels}}, applied_by="anna", applied_at=make.AT
    )  # fmt: skip
    deployment = make.deployment(id=DEPLOYMENT, phase=Phase.SUCCEEDED, ended_at=make.AT)
    store.write(Save(applied), *messages.for_outcome(deployment, ["team", "ops-mail", "gone"], make.AT))


@pytest.mark.parametrize(
    ("scenario", "sent", "gave_up"),
    [
        ("written", 1, 0),
        ("sweep", 1, 1),
        ("incomplete_release", 0, 0),
        ("tried_before", 1, 0),
        ("other_record", 0, 0),
        ("personal_mail", 0, 0),
        ("github_status", 0, 0),
    ],
)
def test_notify(
    written: None,
    scenario: str,
    sent: int,
    gave_up: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # SES has not verified the sender here: a failure that must not stop the others.
    app = load("notify")
    # One destination after the other: moto copies its tables in a transaction, while no other thread may write to them.
    monkeypatch.setattr(app, "threads", lambda most: ThreadPoolExecutor(1))
    answer = app.handler(event("notify", scenario), CONTEXT)
    assert (answer["sent"], answer["gaveUp"], answer["batchItemFailures"]) == (sent, gave_up, [])
    assert ("NotificationGaveUp" in capsys.readouterr().out) is bool(gave_up)
