"""Draining on the local AWS: a task that is stopped gets nothing new, and ends what it has begun."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.patches.elbv2 import DELAY_ATTRIBUTE, DrainingTarget, RequestsInFlight, forward_to_target_group
from local.clock import until
from local.patches.ecs_stage import Client, Stage

SERVER = """
import os, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
version, gate, held = os.environ["VERSION"].encode(), threading.Event(), []
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/hold":
            held.append(1)
            gate.wait(60)
        if self.path == "/release":
            gate.set()
        self.send_response(200)
        self.send_header("Content-Length", str(len(version) + len(held)))
        self.end_headers()
        if self.path == "/slow":
            self.wfile.flush()
            time.sleep(1)
        if self.path == "/endless":
            self.wfile.flush()
            gate.wait(60)
        self.wfile.write(version + b"+" * len(held))
    def log_message(self, *a): pass
class Server(ThreadingHTTPServer):
    request_queue_size = 128
Server((os.environ["BIND_ADDRESS"], 8000), Handler).serve_forever()
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + SERVER
SILENT = "import time; time.sleep(60)"
SLOW_CLIENTS, QUICK_CLIENTS = 2, 3


@pytest.fixture
def stage(emulator: Emulator, aws: Client, cluster: str, image_files: Callable[[str], Path]) -> Iterator[Stage]:
    stage = Stage(emulator, aws, cluster, image_files)
    yield stage
    stage.clear()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(SLOW_CLIENTS + QUICK_CLIENTS) as threads:
        yield threads


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=60)


def hold(pool: ThreadPoolExecutor, url: str, address: str) -> "Future[httpx.Response]":
    """A request that is with the task, and stays there until `release`."""
    answer = pool.submit(get, f"{url}/hold")
    until(lambda: get(f"http://{address}:8000/").text.endswith("+"), "the request at the task")
    return answer


def release(address: str) -> None:
    with contextlib.suppress(httpx.TransportError):  # it was stopped too early: the answer tells
        get(f"http://{address}:8000/release")


def health(stage: Stage, aws: Client) -> dict[str, str]:
    found = aws("elbv2").describe_target_health(TargetGroupArn=stage.group)["TargetHealthDescriptions"]
    return {target["Target"]["Id"]: target["TargetHealth"]["State"] for target in found}


def replaced(stage: Stage, task: str) -> None:
    stage.update(stage.push(SERVER, VERSION="2"))


def scaled_down(stage: Stage, task: str) -> None:
    stage.ecs.update_service(cluster=stage.cluster, service=stage.name, desiredCount=0)


def stopped(stage: Stage, task: str) -> None:
    answer = stage.ecs.stop_task(cluster=stage.cluster, task=task)["task"]
    assert (answer["lastStatus"], answer["desiredStatus"]) == ("DEACTIVATING", "STOPPED")
    stage.ecs.stop_task(cluster=stage.cluster, task=task, reason="again")  # hurries nothing


def deleted(stage: Stage, task: str) -> None:
    stage.ecs.delete_service(cluster=stage.cluster, service=stage.name, force=True)


@pytest.mark.parametrize(
    ("stop", "code", "then"),
    [
        (replaced, "ServiceSchedulerInitiated", 200),
        (scaled_down, "ServiceSchedulerInitiated", 503),
        (stopped, "UserInitiated", 503),
        (deleted, "UserInitiated", 503),
    ],
)
def test_what_a_task_has_begun_it_ends(
    stage: Stage, aws: Client, pool: ThreadPoolExecutor, stop: Callable[[Stage, str], None], code: str, then: int
) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    (task,) = stage.tasks()
    address = stage.address(task)
    answer = hold(pool, url, address)
    try:
        stop(stage, task)
        until(lambda: health(stage, aws).get(address) == "draining", "draining")
        assert stage.task(task)["lastStatus"] == "DEACTIVATING"
        assert get(url).status_code == then, "it must get nothing new"
        assert not answer.done()
    finally:
        release(address)
    assert (answer.result().status_code, answer.result().text) == (200, "1+")
    ended = stage.finished(task)
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == (code, 143)
    assert address not in health(stage, aws)


def test_the_deregistration_delay_is_the_longest_a_task_drains(
    stage: Stage, aws: Client, pool: ThreadPoolExecutor
) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    aws("elbv2").modify_target_group_attributes(
        TargetGroupArn=stage.group, Attributes=[{"Key": DELAY_ATTRIBUTE, "Value": "1"}]
    )
    (task,) = stage.tasks()
    answer = hold(pool, url, stage.address(task))
    begun = time.monotonic()
    stopped(stage, task)
    stage.finished(task)
    assert time.monotonic() - begun >= 1
    assert answer.result().status_code == 502


def test_a_deployment_is_completed_once_the_old_tasks_are_gone(stage: Stage, aws: Client) -> None:
    stage.create(stage.push(SERVER, VERSION="1"))
    aws("elbv2").modify_target_group_attributes(
        TargetGroupArn=stage.group, Attributes=[{"Key": DELAY_ATTRIBUTE, "Value": "3"}]
    )
    (old,) = stage.tasks()
    stage.update(stage.push(SERVER, VERSION="2"))
    drains = until(lambda: stage.task_in("DEACTIVATING", old), "draining")
    (new,) = stage.tasks()
    assert "draining" not in health(stage, aws)[stage.address(new)], "it serves already"
    primary = stage.service()["deployments"][0]
    assert (primary["rolloutState"], primary["runningCount"]) == ("IN_PROGRESS", 1)
    assert len(stage.service()["deployments"]) == 2, "the old one is listed while it has tasks"
    completed = stage.settled()
    ended = stage.task(old)
    assert (ended["stoppedAt"] - drains["stoppingAt"]).total_seconds() >= 3
    (only,) = completed["deployments"]
    assert only["updatedAt"] >= ended["stoppedAt"]


def test_a_client_that_went_away_is_not_waited_for(stage: Stage) -> None:
    url = stage.create(stage.push(SERVER, VERSION="1"))
    (task,) = stage.tasks()
    with httpx.stream("GET", f"{url}/endless", trust_env=False) as answer:
        assert answer.status_code == 200
    stopped(stage, task)
    stage.finished(task)


def test_a_container_that_ignores_sigterm_is_killed_after_its_stop_timeout(stage: Stage) -> None:
    stage.create(stage.push(DEAF, VERSION="1"), stopTimeout=1)
    (task,) = stage.tasks()
    stopped(stage, task)
    assert stage.finished(task)["containers"][0]["exitCode"] == 137


def test_a_healthy_task_makes_no_room_for_one_that_is_not_healthy_yet(stage: Stage) -> None:
    """Below maximumPercent 200 the emulator's scheduler counts running tasks where AWS counts healthy ones."""
    stage.create(stage.push(SERVER, VERSION="1"), count=2, maximum=150)
    healthy = stage.tasks()
    silent = stage.definition(stage.push(SILENT))
    stage.ecs.update_service(cluster=stage.cluster, service=stage.name, taskDefinition=silent)
    until(lambda: stage.service()["runningCount"] == 3, "the new task")
    stage.ecs.update_service(cluster=stage.cluster, service=stage.name, taskDefinition=silent)
    assert [stage.task(arn)["lastStatus"] for arn in healthy] == ["RUNNING", "RUNNING"]


class Visitors:
    """Clients that keep asking, a few at a time, until they are told to end."""

    def __init__(self, url: str) -> None:
        self.url, self.seen, self.failures = url, dict[str, int](), list[str]()
        self._end, self._lock = threading.Event(), threading.Lock()

    def ask(self, path: str, pause: float) -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            while not self._end.is_set():
                try:
                    answer = client.get(self.url + path)
                    said = "" if answer.status_code == 200 else f"{answer.status_code} {answer.text}"
                except httpx.HTTPError as error:
                    said = repr(error)
                with self._lock:
                    if said:
                        self.failures.append(f"{path}: {said}")
                    else:
                        self.seen[answer.text + path] = self.seen.get(answer.text + path, 0) + 1
                self._end.wait(pause)

    def leave(self) -> None:
        self._end.set()


def test_no_request_fails_in_rolling_updates(stage: Stage, pool: ThreadPoolExecutor) -> None:
    """One every 50 ms from each of three clients, and two that wait a second for each answer, in four updates."""
    url = stage.create(stage.push(SERVER, VERSION="0"), count=2)
    visitors = Visitors(url)
    clients = [pool.submit(visitors.ask, "/", 0.05) for _ in range(QUICK_CLIENTS)]
    clients += [pool.submit(visitors.ask, "/slow", 0) for _ in range(SLOW_CLIENTS)]
    try:
        for version in "1234":
            until(lambda last=int(version) - 1: visitors.seen.get(f"{last}/slow"), "a slow answer")
            stage.update(stage.push(SERVER, VERSION=version))
            stage.settled()
        until(lambda: visitors.seen.get("4/slow"), "a slow answer of the last version")
    finally:
        visitors.leave()
    for client in clients:
        client.result()
    assert visitors.failures == []
    assert {seen.partition("/")[0] for seen in visitors.seen} == set("01234")


def test_a_request_counts_from_the_choice_of_its_target() -> None:
    in_flight, drained = RequestsInFlight(), list[bool]()
    draining = [DrainingTarget("group", "127.0.0.2", 8000, seconds=0)]

    async def proxy(*_request: Any) -> Any:
        drained.append(in_flight.drained(draining))
        return 502, {}, b""

    alb = SimpleNamespace(
        _tgs={"group": {"TargetType": "ip"}}, _targets={"group": [{"Id": "127.0.0.2"}]}, _proxy_http_target=proxy
    )
    asyncio.run(forward_to_target_group(None, alb, in_flight)("group", "GET", "/", {}, b"", {}))
    assert [*drained, in_flight.drained(draining)] == [False, True]
