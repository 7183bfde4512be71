"""Fixtures for messages about an approval, delivered through every channel."""

from functools import partial
from typing import Any

import httpx
import pytest
from aws_lambda_powertools import Logger

from ferryman.clients.github.client import Network
from ferryman.contracts import NotifyInput, NotifyOutput
from ferryman.notify import notify
from ferryman.notify.context import Context
from ferryman.notify.dispatch import deliver
from ferryman.store.table import Store
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import FakeDynamoDb
from unit.fakes.github import FakeGitHub
from unit.fakes.secrets import arn
from unit.fakes.services import FakeServices
from unit.fakes.slack import FakeSlack
from unit.notify_world import BASE, SWEEP, World


@pytest.fixture
def dynamodb() -> FakeDynamoDb:
    return FakeDynamoDb()


@pytest.fixture
def store(dynamodb: FakeDynamoDb) -> Store:
    return Store(dynamodb, "ferryman")


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def slack() -> FakeSlack:
    return FakeSlack()


@pytest.fixture
def github() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def document(scr_document: dict[str, Any]) -> dict[str, Any]:
    bot = {"type": "slack", "botTokenSecretArn": arn("bot"), "channel": "C024BE91L"}
    scr_document["spec"]["channels"] |= {
        "team": {"type": "sns", "topicArn": "arn:aws:sns:eu-west-1:123456789012:team"},
        "ops": {"type": "mail", "from": "ferryman@example.com", "to": ["ops@example.com"]},
        "hook": {"type": "slack", "webhookSecretArn": arn("hook")},
        "bot": bot,
        "buttons": {**bot, "signingSecretArn": arn("signing"), "team": "T024BE7LD"},
    }
    scr_document["spec"]["github"] = {"repository": "scr-platform/scr", "tokenSecretArn": arn("token")}
    scr_document["spec"]["environments"]["production"]["approval"]["from"] = "ferryman@example.com"
    return scr_document


@pytest.fixture
def world(store: Store, clock: FakeClock, document: dict[str, Any]) -> World:
    return World(store, clock, document)


@pytest.fixture
def run(world: World, services: FakeServices, slack: FakeSlack, github: FakeGitHub, new_id: FakeIds) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        return slack(request) if request.url.host.endswith("slack.com") else github(request)

    def once(event: NotifyInput = SWEEP, approvals_url: str = f"{BASE}/") -> NotifyOutput:
        network = Network(httpx.MockTransport(answer), github.network.sleep, github.network.monotonic)
        context = Context(services, world.store, world.clock, approvals_url, network)
        return notify.run(
            event,
            store=world.store,
            deliver=partial(deliver, context=context),
            clock=world.clock,
            new_id=new_id,
            log=Logger(service="test", level="DEBUG"),
            count=world.counted.append,
            sleep=world.clock.sleep,
        )

    return once
