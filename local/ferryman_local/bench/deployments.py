"""Deploys releases of the example and measures them from outside: times of ECS, times of the steps, counters."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ferryman_cli.transport import Api
from ferryman_local.images import oci
from ferryman_local.local_aws import LocalAws, wait_until

ENVIRONMENT = "staging"
SLOW_START = 60
"""Seconds for which the slow release's containers sleep before they listen."""

# Prices of eu-west-1, arm64, 2026: Standard transitions, Lambda requests and GB-seconds.
TRANSITION_USD = 0.025 / 1000
REQUEST_USD = 0.20 / 1_000_000
GB_SECOND_USD = 0.0000133334
MEMORY_GB = 0.5


@dataclass
class Rollout:
    """One ECS deployment, as DescribeServices returned it, in epoch seconds of this machine."""

    service: str
    first_seen: float
    completed: float | None = None


class Watch:
    """Polls the services and the migration's tasks every 50 ms, independently of the operator."""

    def __init__(self, aws: LocalAws, cluster: str, services: Sequence[str], migration: str) -> None:
        self._ecs = aws.emulator.session().client("ecs")
        self._cluster, self._services, self._migration = cluster, list(services), migration
        self.rollouts: dict[str, Rollout] = {}
        self.migrations: dict[str, tuple[float, float]] = {}
        """Task → when it was first and last seen running."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="bench-watch")

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            seen = time.time()
            for service in self._ecs.describe_services(cluster=self._cluster, services=self._services)["services"]:
                for deployment in service["deployments"]:
                    rollout = self.rollouts.setdefault(deployment["id"], Rollout(service["serviceName"], seen))
                    if deployment["rolloutState"] == "COMPLETED" and rollout.completed is None:
                        rollout.completed = seen
            for arn in self._ecs.list_tasks(cluster=self._cluster, family=self._migration)["taskArns"]:
                first, _ = self.migrations.get(arn, (seen, seen))
                self.migrations[arn] = (first, time.time())
            self._stop.wait(0.05)


class Bench:
    """Measures deployments on one running local AWS."""

    def __init__(self, aws: LocalAws, report: Callable[[str], None]) -> None:
        self._aws, self._report = aws, report
        spec = aws.document["spec"]["environments"][ENVIRONMENT]
        self._cluster = spec["cluster"]
        self._services = [service["name"] for wave in spec["waves"] for service in wave["services"]]
        self._migration = str(spec["migration"]["taskDefinition"]).rpartition("/")[2]
        self._api = Api(
            aws.outputs["ApiUrl"],
            credentials=aws.admin.credentials,
            region=aws.emulator.region,
            function=aws.outputs["ApiFunctionArn"],
            connect=aws.emulator.endpoint,
        )
        self._platform = aws.document["metadata"]["name"]
        self._api.put(Api.path("v1", "platforms", self._platform), aws.document)

    def quick(self, releases: int) -> dict[str, Any]:
        """Deploy some releases one after the other; the first one warms up the Lambdas and is not measured."""
        rows = []
        for number in range(releases + 1):
            version = f"be{number:05x}"
            row = self._one(version, self._push, waiter=number > 0)
            label = "warm-up" if number == 0 else f"release {number}"
            self._report(f"{label}: {row['pushToVerified']:.2f} s, {row['overhead']:.2f} s of it ours")
            rows.append(row)
        rows = rows[1:]
        merged: dict[str, Any] = {"releases": len(rows)}
        for key in ("pushToVerified", "ecsAndMigration", "overhead", "transitions", "invocations"):
            merged[key] = _spread([row[key] for row in rows])
        for key in ("nextStepDelay", "waiterDelay"):
            merged[key] = _spread([value for row in rows for value in row[key]])
        merged["costUsd"] = {
            name: statistics.median(row["costUsd"][name] for row in rows) for name in rows[0]["costUsd"]
        }
        return merged

    def slow(self) -> dict[str, Any]:
        """Deploy one release whose rollouts take a minute each, including the polls."""
        self._report(f"a release whose containers take {SLOW_START} s to start: three minutes and a bit")
        ecs = self._aws.emulator.session().client("ecs")
        for service in self._services:  # as anybody does whose containers start slowly
            ecs.update_service(cluster=self._cluster, service=service, healthCheckGracePeriodSeconds=2 * SLOW_START)
        return self._one("b51043f", self._push_slow, seconds=420)

    def _push(self, version: str) -> None:
        self._aws.push(version, ("web", "api", "ai-gateway"))

    def _push_slow(self, version: str) -> None:
        for component, spec in self._aws.document["spec"]["components"].items():
            built = oci.build(self._aws.app(component), version)
            start = f"sleep {SLOW_START}; exec {' '.join(built.cmd)}"
            slowed = replace(built, cmd=("sh", "-c", start))
            oci.push(self._aws.emulator.port, spec["repository"], version, slowed)

    def _one(
        self, version: str, push: Callable[[str], None], *, waiter: bool = False, seconds: float = 120
    ) -> dict[str, Any]:
        before = self._aws.counters()
        with Watch(self._aws, self._cluster, self._services, self._migration) as watch:
            time.sleep(0.2)  # one look at what is there, so that it does not count as new
            known = set(watch.rollouts)
            push(version)
            pushed = time.time()
            waiters = _Waiters(self._aws, self._cluster, watch, known) if waiter else None
            deployment = wait_until(lambda: self._ended(version), seconds, f"{version} to end")
            if waiters:
                waiters.join()
        if deployment["phase"] != "Succeeded":
            raise RuntimeError(f"{version} ended {deployment['phase']}: {deployment['message']}")
        # The outcome is recorded within the finish step; its execution and messages end a moment later.
        time.sleep(1)
        after = self._aws.counters()
        rollouts = sorted(
            (item for key, item in watch.rollouts.items() if key not in known), key=lambda item: item.first_seen
        )
        total = _at(deployment["endedAt"]) - pushed
        waited = sum((item.completed or item.first_seen) - item.first_seen for item in rollouts)
        waited += sum(last - first for first, last in watch.migrations.values())
        return {
            "pushToVerified": total,
            "ecsAndMigration": waited,
            "overhead": total - waited,
            "nextStepDelay": _next_step_delays(deployment, rollouts),
            "waiterDelay": waiters.delays() if waiters else [],
            **_counted(before, after),
        }

    def _ended(self, version: str) -> dict[str, Any] | None:
        history = self._api.get(
            Api.path("v1", "platforms", self._platform, "environments", ENVIRONMENT, "history"), limit=3
        )
        for item in next(value for value in history.values() if isinstance(value, list)):
            if item["version"] == version and item["ended"]:
                return self._api.get(
                    Api.path("v1", "platforms", self._platform, "environments", ENVIRONMENT, "deployments", item["id"])
                )
        return None


class _Waiters:
    """botocore's services_stable waiter on each rollout, started when the rollout is first seen."""

    def __init__(self, aws: LocalAws, cluster: str, watch: Watch, known: set[str]) -> None:
        self._aws, self._cluster, self._watch, self._known = aws, cluster, watch, known
        self._done: dict[str, float] = {}
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._looker = threading.Thread(target=self._look, daemon=True)
        self._looker.start()

    def _look(self) -> None:
        started: set[str] = set()
        while not self._stop.is_set():
            for key, rollout in list(self._watch.rollouts.items()):
                if key not in self._known and key not in started:
                    started.add(key)
                    thread = threading.Thread(target=self._wait, args=(key, rollout.service), daemon=True)
                    thread.start()
                    self._threads.append(thread)
            self._stop.wait(0.02)

    def _wait(self, key: str, service: str) -> None:
        waiter = self._aws.emulator.session().client("ecs").get_waiter("services_stable")
        waiter.wait(cluster=self._cluster, services=[service])
        self._done[key] = time.time()

    def join(self) -> None:
        self._stop.set()
        self._looker.join()
        for thread in self._threads:
            thread.join(60)

    def delays(self) -> list[float]:
        found = []
        for key, done in self._done.items():
            completed = self._watch.rollouts[key].completed
            if completed is not None:
                found.append(done - completed)
        return found


def _next_step_delays(deployment: dict[str, Any], rollouts: Sequence[Rollout]) -> list[float]:
    """Time from COMPLETED in ECS, as seen from outside, to the start of the next step."""
    starts = sorted(_at(step["startedAt"]) for step in deployment["steps"] if step["startedAt"])
    delays = []
    for rollout in rollouts:
        if rollout.completed is not None:
            following = [start for start in starts if start > rollout.completed - 0.05]
            if following:
                delays.append(max(0.0, following[0] - rollout.completed))
    return delays


def _counted(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    known = before["executions"]
    transitions = sum(row["transitions"] for arn, row in after["executions"].items() if arn not in known)
    invocations, milliseconds = 0, 0
    for name, row in after["lambda"].items():
        if "ServeApi" in name:
            continue  # that is this benchmark asking
        old = before["lambda"].get(name, {"invocations": 0, "milliseconds": 0})
        invocations += row["invocations"] - old["invocations"]
        milliseconds += row["milliseconds"] - old["milliseconds"]
    cost = {
        "transitions": transitions * TRANSITION_USD,
        "requests": invocations * REQUEST_USD,
        "compute": milliseconds / 1000 * MEMORY_GB * GB_SECOND_USD,
    }
    return {"transitions": transitions, "invocations": invocations, "costUsd": {**cost, "total": sum(cost.values())}}


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values), "n": len(values)}
