"""What administrators and summaries need of Redis and of the AI gateway, which are real here, or really not there."""

import socket
import threading
import uuid
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from fastapi.testclient import TestClient
from scr_ai_gateway.app import create_app as create_gateway
from scr_ai_gateway.settings import Settings as GatewaySettings
from scr_api.dependencies import Checks, Dependency
from scr_api.settings import ConfigurationError, Settings

from .conftest import NOBODY, TOKEN, MakeClient, served

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ADMIN = ["/admin/ai-costs", "/admin/system-health"]


@pytest.fixture
def silent() -> Iterator[str]:
    """Takes connections and says nothing: the worst way to be down."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def wind_farm(alembic: Config, client: TestClient) -> int:
    command.upgrade(alembic, "head")
    # A name of its own: what Redis keeps may be of an earlier run.
    number: int = client.post("/api/projects", json={"name": f"Wind farm {uuid.uuid4()}"}).json()["id"]
    return number


@pytest.mark.parametrize("path", ADMIN)
def test_without_a_token_set_nobody_gets_in(path: str, client: TestClient) -> None:
    answer = client.get(path, headers=BEARER)

    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("ADMIN_TOKEN is not set")


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("given", ["", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x"])
def test_another_token_does_not_get_in(path: str, given: str, make_client: MakeClient) -> None:
    answer = make_client(admin_token=TOKEN).get(path, headers={"Authorization": given} if given else {})

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_token_of_any_letters(make_client: MakeClient) -> None:
    token = "zażółć"  # noqa: S105
    client = make_client(admin_token=token)

    def status(given: str) -> int:
        header = (b"authorization", f"Bearer {given}".encode())
        answered: int = client.send(client.build_request("GET", "/admin/system-health", headers=[header])).status_code
        return answered

    assert (status(token), status("zazolc"), status("zażółc")) == (200, 401, 401)


def test_health_of_everything(make_client: MakeClient, redis_url: str, gateway_url: str) -> None:
    client = make_client(admin_token=TOKEN, redis_url=redis_url, ai_gateway_url=gateway_url)

    told = client.get("/admin/system-health", headers=BEARER).json()

    assert (told["status"], told["version"]) == ("ok", "3f9c2ab")
    assert list(told["dependencies"]) == ["database", "redis", "ai_gateway"]
    for name, found in told["dependencies"].items():
        assert (found["status"], set(found)) == ("ok", {"status", "latency_ms"}), name
        assert found["latency_ms"] > 0


def test_what_is_not_there_is_not_broken(make_client: MakeClient) -> None:
    told = make_client(admin_token=TOKEN).get("/admin/system-health", headers=BEARER).json()

    assert told["status"] == "ok"
    assert told["dependencies"]["redis"] == told["dependencies"]["ai_gateway"] == {"status": "not configured"}


def test_what_is_down_is_told(make_client: MakeClient) -> None:
    client = make_client(
        admin_token=TOKEN,
        database_url=f"postgresql://scr@{NOBODY}/scr",
        redis_url=f"redis://{NOBODY}/0",
        ai_gateway_url=f"http://{NOBODY}",
    )

    answer = client.get("/admin/system-health", headers=BEARER)

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    for name, found in answer.json()["dependencies"].items():
        assert (found["status"], set(found)) == ("unavailable", {"status", "reason"}), name


def test_what_hangs_does_not_hang_the_answer(make_client: MakeClient, silent: str) -> None:
    client = make_client(
        admin_token=TOKEN,
        database_url=f"postgresql://scr@{silent}/scr",
        redis_url=f"redis://{silent}/0",
        ai_gateway_url=f"http://{silent}",
    )
    told = client.get("/admin/system-health", headers=BEARER).json()["dependencies"]
    assert [found["status"] for found in told.values()] == ["unavailable"] * 3


def test_checks_run_side_by_side() -> None:
    meeting = threading.Barrier(3)  # one after the other, none would get past it

    def meet() -> None:
        meeting.wait(10)

    checks = Checks(dict.fromkeys("abc", meet), limit_seconds=10)

    assert [found.status for found in checks.run().values()] == ["ok"] * 3


def test_a_check_that_hangs_is_started_once() -> None:
    started, begun, go_on = [], threading.Event(), threading.Event()

    def hang() -> None:
        started.append(1)
        begun.set()
        go_on.wait(10)

    checks = Checks({"it": hang}, limit_seconds=0.05)
    late = Dependency(status="unavailable", reason="no answer within 0.05 s")

    try:
        assert [checks.run()["it"] for _ in range(3)] == [late] * 3
        assert begun.wait(10)
        assert started == [1]
    finally:
        go_on.set()


def test_costs_are_the_gateways(make_client: MakeClient, gateway_url: str, wind_farm: int) -> None:
    client = make_client(admin_token=TOKEN, ai_gateway_url=gateway_url)
    client.post(f"/api/projects/{wind_farm}/summary")

    costs = client.get("/admin/ai-costs?days=1", headers=BEARER).json()

    assert (costs["currency"], costs["kept_in"], costs["total"]["requests"]) == ("USD", "redis", 1)
    assert [(row["model"], row["usd"]) for row in costs["by_model"]] == [("offline-echo", costs["total"]["usd"])]
    assert len(costs["by_day"]) == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [(None, "AI_GATEWAY_URL is not set"), (f"http://{NOBODY}", "AI gateway: unreachable (Connection")],
)
def test_no_costs_without_a_gateway(url: str | None, reason: str, make_client: MakeClient) -> None:
    answer = make_client(admin_token=TOKEN, ai_gateway_url=url).get("/admin/ai-costs", headers=BEARER)

    assert answer.status_code == 503
    assert answer.json()["detail"].startswith(reason)


def test_why_the_gateway_has_no_costs(make_client: MakeClient) -> None:
    with served(create_gateway(GatewaySettings(redis_url=f"redis://{NOBODY}/0"))) as url:
        answer = make_client(admin_token=TOKEN, ai_gateway_url=url).get("/admin/ai-costs", headers=BEARER)

    assert answer.status_code == 503
    assert answer.json()["detail"].startswith(
        "AI gateway: returned 503 Service Unavailable: the costs cannot be read now: redis: "
    )


@pytest.mark.parametrize("body", ["surprise", {"usd": 1.5}])
def test_a_gateway_that_is_none(body: object, make_client: MakeClient) -> None:
    other = FastAPI()
    other.get("/v1/costs")(lambda: body)

    with served(other) as url:
        answer = make_client(admin_token=TOKEN, ai_gateway_url=url).get("/admin/ai-costs", headers=BEARER)

    assert answer.status_code == 503
    assert "returned an unexpected response" in answer.json()["detail"]


def test_a_summary_is_paid_for_once(make_client: MakeClient, redis_url: str, gateway_url: str, wind_farm: int) -> None:
    client = make_client(admin_token=TOKEN, redis_url=redis_url, ai_gateway_url=gateway_url)

    first, second = (client.post(f"/api/projects/{wind_farm}/summary").json() for _ in range(2))

    assert (first["project"], first["model"]) == (wind_farm, "offline-echo")
    assert "Wind farm" in first["summary"]
    assert second == first | {"cached": True}
    assert client.get("/admin/ai-costs", headers=BEARER).json()["total"]["requests"] == 1


@pytest.mark.parametrize("redis_down", [None, f"redis://{NOBODY}/0"])
def test_summaries_without_redis(
    redis_down: str | None, make_client: MakeClient, gateway_url: str, wind_farm: int
) -> None:
    client = make_client(redis_url=redis_down, ai_gateway_url=gateway_url)

    answers = [client.post(f"/api/projects/{wind_farm}/summary") for _ in range(2)]

    assert [(answer.status_code, answer.json()["cached"]) for answer in answers] == [(200, False)] * 2


@pytest.mark.parametrize(("url", "reason"), [(None, "AI_GATEWAY_URL"), (f"http://{NOBODY}", "AI gateway: unreachable")])
def test_no_summary_without_a_gateway(url: str | None, reason: str, make_client: MakeClient, wind_farm: int) -> None:
    client = make_client(ai_gateway_url=url, redis_url=f"redis://{NOBODY}/0")

    answer = client.post(f"/api/projects/{wind_farm}/summary")

    assert answer.status_code == 503
    assert reason in answer.json()["detail"]
    assert client.post("/api/projects/999/summary").status_code == 404
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("url", ["gateway:8100", "ftp://gateway", "http://", "http://gateway:port"])
def test_a_gateway_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="AI_GATEWAY_URL"):
        Settings.from_env({"AI_GATEWAY_URL": url})


def test_what_is_set_to_nothing_is_not_set() -> None:
    settings = Settings.from_env({"REDIS_URL": "", "AI_GATEWAY_URL": "", "ADMIN_TOKEN": " \n"})

    assert (settings.redis_url, settings.ai_gateway_url, settings.admin_token) == (None, None, None)
