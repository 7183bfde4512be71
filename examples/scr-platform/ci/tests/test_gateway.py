"""The AI gateway's costs, in a real Redis and without one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from redis import Redis
from scr_ai_gateway import ledger
from scr_ai_gateway.app import create_app
from scr_ai_gateway.ledger import KEPT_DAYS, Counts, Ledger, MemoryLedger, RedisLedger
from scr_ai_gateway.prices import Price, usd
from scr_ai_gateway.providers import Completion
from scr_ai_gateway.settings import ConfigurationError, Settings

from .conftest import NOBODY

TODAY = date(2026, 11, 23)
ONE = Counts(requests=1, prompt_tokens=3, completion_tokens=5, micro_usd=7)
NOTHING = {"usd": "0.000000", "requests": 0, "prompt_tokens": 0, "completion_tokens": 0}


class Unpriced:
    """A provider whose model is in no price list."""

    def complete(self, prompt: str, max_tokens: int) -> Completion:
        return Completion(text=prompt, model="new-model", prompt_tokens=max_tokens, completion_tokens=1)


@pytest.fixture(params=["memory", "redis"])
def kept(request: pytest.FixtureRequest, redis: Redis, prefix: str) -> Ledger:
    return MemoryLedger() if request.param == "memory" else RedisLedger(redis, prefix)


def test_each_completion_is_counted(kept: Ledger) -> None:
    client = TestClient(create_app(Settings(), kept=kept, day=lambda: TODAY))

    answers = [client.post("/v1/complete", json={"prompt": "hello you there"}).json() for _ in range(2)]

    # 3 tokens at 0.25 and 5 at 1.25 USD a million, rounded up to a millionth.
    assert [(answer["cost_usd"], answer["recorded"]) for answer in answers] == [("0.000007", True)] * 2
    counted = {"usd": "0.000014", "requests": 2, "prompt_tokens": 6, "completion_tokens": 10}
    assert client.get("/v1/costs?days=7").json() == {
        "currency": "USD",
        "since": "2026-11-17",
        "kept_in": kept.kept_in,
        "total": counted,
        "by_model": [{"model": "offline-echo", "priced": True} | counted],
        "by_day": [{"day": "2026-11-23"} | counted],
    }


def test_costs_by_model_and_by_day(kept: Ledger) -> None:
    for age, model in ((0, "b:1"), (1, "a"), (1, "b:1"), (30, "old")):
        kept.add(TODAY - timedelta(days=age), model, ONE)

    costs = TestClient(create_app(Settings(), kept=kept, day=lambda: TODAY)).get("/v1/costs").json()

    assert costs["total"]["usd"] == "0.000021"
    assert [(row["model"], row["requests"]) for row in costs["by_model"]] == [("a", 1), ("b:1", 2)]
    assert [(row["day"], row["requests"]) for row in costs["by_day"]] == [("2026-11-23", 1), ("2026-11-22", 2)]


def test_nothing_was_asked_yet(kept: Ledger) -> None:
    costs = TestClient(create_app(Settings(), kept=kept)).get("/v1/costs").json()

    assert (costs["total"], costs["by_model"], costs["by_day"]) == (NOTHING, [], [])


@pytest.mark.parametrize("days", ["0", "401", "all"])
def test_days_that_are_none(days: str) -> None:
    assert TestClient(create_app(Settings())).get(f"/v1/costs?days={days}").status_code == 422


def test_two_tasks_count_into_one_book(redis: Redis, prefix: str) -> None:
    tasks = [RedisLedger(redis, prefix), RedisLedger(redis, prefix)]

    with ThreadPoolExecutor(8) as pool:
        for number in range(200):
            pool.submit(tasks[number % 2].add, TODAY, "m", ONE)

    # Read by a third, as after a deployment.
    assert RedisLedger(redis, prefix).rows(TODAY, TODAY) == {(TODAY, "m"): Counts(200, 600, 1000, 1400)}


def test_what_is_kept_goes_away_after_its_time(redis: Redis, prefix: str) -> None:
    RedisLedger(redis, prefix).add(TODAY, "m", ONE)

    (key,) = redis.keys(f"{prefix}*")
    left = redis.ttl(key)
    assert isinstance(left, int)
    assert 0 < left - timedelta(days=KEPT_DAYS).total_seconds() <= timedelta(days=1).total_seconds()


def test_without_redis_completions_go_on() -> None:
    client = TestClient(create_app(Settings(), kept=ledger.connect(f"redis://{NOBODY}/0")))

    answer, costs = client.post("/v1/complete", json={"prompt": "hello"}), client.get("/v1/costs")

    assert (answer.status_code, answer.json()["recorded"]) == (200, False)
    assert answer.json()["completion"].endswith("hello")
    assert costs.status_code == 503
    assert costs.json()["detail"].startswith("the costs cannot be read now: redis: ")
    assert client.get("/health").status_code == 200


def test_redis_comes_back(redis: Redis, redis_url: str, prefix: str) -> None:
    """A connection that was closed while nobody used it, as by a failover: the next completion is recorded."""
    with RedisLedger.client(redis_url) as own:
        book = RedisLedger(own, prefix)
        book.add(TODAY, "m", ONE)
        redis.client_kill_filter(_id=str(own.client_id()))

        book.add(TODAY, "m", ONE)

        assert book.rows(TODAY, TODAY)[TODAY, "m"].requests == 2


def test_a_model_without_a_price_is_told() -> None:
    client = TestClient(create_app(Settings(), provider=Unpriced(), kept=MemoryLedger()))

    client.post("/v1/complete", json={"prompt": "hello"})

    (row,) = client.get("/v1/costs").json()["by_model"]
    assert row == NOTHING | {"model": "new-model", "priced": False, "requests": 1, "prompt_tokens": 256} | {
        "completion_tokens": 1
    }


@pytest.mark.parametrize(
    ("prompt", "completion", "cost"),
    [(0, 0, 0), (1, 0, 1), (4, 0, 1), (5, 0, 2), (1_000_000, 1_000_000, 1_500_000), (0, 3, 4)],
)
def test_prices(prompt: int, completion: int, cost: int) -> None:
    assert Price(prompt=250_000, completion=1_250_000).of(prompt, completion) == cost


@pytest.mark.parametrize(
    ("micro", "text"), [(0, "0.000000"), (7, "0.000007"), (1_500_000, "1.500000"), (10**15 + 1, "1000000000.000001")]
)
def test_money_as_text(micro: int, text: str) -> None:
    assert usd(micro) == text


def test_a_redis_url_that_is_none_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL is not a URL") as error:
        create_app(Settings.from_env({"REDIS_URL": "s3cret"}))
    assert "s3cret" not in str(error.value)
