"""Corrections of the emulator's ECS: what is done to a service's tasks is decided by `service_deployments.machine`.

This is its driver: it keeps the machine's state beside the emulator's record of a service, shows the machine the tasks,
and starts and stops tasks as it says. The record's `deployments` are written from the machine's state.
"""

import threading
import time
from collections.abc import Callable, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from ferryman_local.patches.ecs import service_of
from ferryman_local.patches.ecs_protection import is_protected
from ferryman_local.service_deployments import machine
from ferryman_local.service_deployments.configuration import read
from ferryman_local.service_deployments.model import (
    BACK,
    Act,
    Condition,
    Service,
    ServiceDeployment,
    Start,
    Status,
    Stop,
    Task,
)

LOOK_SECONDS = 0.5
"""How often a service with a deployment in flight is looked at, beside each change of a task."""
STOPS = "Deployment completed"
"""The emulator's reason; `ecs.stop_reason` makes AWS's of it."""
FAILED_LISTED = timedelta(seconds=10)
"""How long a failed deployment that gave way stays listed; on AWS until the way back is complete, often longer."""
_STATE = "_scheduled"

Raw = dict[str, Any]


class Scheduler:
    """Drives the machine of each service of one emulator."""

    def __init__(self, ecs: Any, responses: Any) -> None:
        self._ecs, self._responses = ecs, responses
        self._lock = threading.RLock()
        """Held while something is decided and tasks are started, never while one is stopped."""
        self._looking: set[str] = set()

    # ── what the emulator calls ──

    def update_service(self, original: Callable[[Raw], Any]) -> Callable[[Raw], Any]:
        """UpdateService: one at a time for all services."""

        def update(data: Raw) -> Any:
            with self._lock:
                return original(data)

        return update

    def describe_services(self, original: Callable[[Raw], Any]) -> Callable[[Raw], Any]:
        """DescribeServices lists a failed deployment for a while only; the emulator lists it for ever."""

        def describe(data: Raw) -> Any:
            cluster = self._ecs._resolve_cluster_name(data.get("cluster", "default"))
            found = [self._ecs._resolve_service_ref(name) for name in data.get("services") or []]
            with self._lock:
                for service in (self._ecs._services.get(f"{cluster}/{name[0]}") for name in found if name):
                    if service is not None and self.known(service) is not None and service["status"] == "ACTIVE":
                        self._show(service)
                return original(data)

        return describe

    def reconcile(self, cluster: str, key: str) -> None:
        """Do what there is to do for a service now."""
        stops = self._decided(cluster, key)
        for arn in stops:
            self._ecs._stop_task({"task": arn, "cluster": cluster, "reason": STOPS})
        service = self._ecs._services.get(key)
        if service is not None:
            self._ecs._refresh_service_state(cluster, f"service:{service['serviceName']}")
            self._ecs._recount_cluster(cluster)
            self._keep_looking(cluster, key, service)

    def complete(self, cluster: str, key: str, expected_deployment_id: str | None = None) -> None:  # noqa: ARG002
        """Do what there is to do; the machine knows when a deployment is complete."""
        self.reconcile(cluster, key)

    def task_healthy(self, key: str, task: Raw) -> None:
        """Take in a task that passed its health checks."""
        self._take_in(key, task, lambda state, revision: machine.task_became_healthy(state, revision), stable=True)

    def task_failed(self, task: Raw, digest_resolution_failed: bool = False) -> None:
        """Take in a task that ended by itself, or whose image nobody could resolve."""
        cluster = self._ecs._cluster_name_from_arn(task.get("clusterArn", ""))
        if not cluster or service_of(task, cluster, self._ecs) is None:
            return
        key, at = f"{cluster}/{task['group'].partition(':')[2]}", now()

        def changed(state: Service, revision: str) -> Service:
            if digest_resolution_failed:
                return machine.given_up(state, revision, "image digest resolution failed", at)
            return machine.task_failed(state, revision, at)

        self._take_in(key, task, changed)
        self.reconcile(cluster, key)

    def task_stopped(self, original: Callable[..., bool]) -> Callable[..., bool]:
        """When a task of a service has stopped there may be room for another one, or the deployment is complete."""

        def mark(task_arn: str, task: Raw, *args: Any, **kwargs: Any) -> bool:
            stopped = bool(original(task_arn, task, *args, **kwargs))
            cluster = self._ecs._cluster_name_from_arn(task.get("clusterArn", ""))
            if stopped and cluster and service_of(task, cluster, self._ecs) is not None:
                self.reconcile(cluster, f"{cluster}/{task['group'].partition(':')[2]}")
            return stopped

        return mark

    # ── deciding ──

    def _decided(self, cluster: str, key: str) -> list[str]:
        """Let the machine go on until it waits; start what it starts, and return the tasks that it stops."""
        stops: list[str] = []
        with self._lock:
            service = self._ecs._services.get(key)
            if service is None or service.get("status") != "ACTIVE":
                return []
            while True:
                before = self._state(service)
                after, acts = machine.advanced(before, self.tasks(service), now(), self._ecs.new_uuid)
                service[_STATE] = after
                worked = [self._carried_out(act, cluster, service, stops) for act in acts]
                if after == before and not any(worked):
                    break
            self._show(service)
        return stops

    def _carried_out(self, act: Act, cluster: str, service: Raw, stops: list[str]) -> bool:
        """Carry out an act; return whether that changed anything. Traffic and hooks are not served here yet."""
        if isinstance(act, Stop):
            for arn in act.tasks:
                self._ecs._tasks[arn]["_scheduler_stops"] = True
            stops += act.tasks
            return True
        return isinstance(act, Start) and self._started(act, cluster, service)

    def _started(self, act: Start, cluster: str, service: Raw) -> bool:
        deployment = service["_revisions"].get(act.revision)
        name = deployment["taskDefinition"] if deployment else ""
        definition = self._ecs._task_defs.get(self._ecs._resolve_td_key(name))
        if deployment is None or definition is None:
            return False
        count = act.count
        if self._ecs._deployment_needs_first_task(deployment, definition, service):
            # The first task resolves the tags of the images for all of them.
            count = 0 if any(task.revision == act.revision for task in self.tasks(service)) else 1
        if count == 0:
            return False
        self._ecs._run_task(
            {
                "cluster": cluster,
                "taskDefinition": deployment["taskDefinition"],
                "count": count,
                "group": f"service:{service['serviceName']}",
                "startedBy": service["serviceName"],
                "launchType": service.get("launchType"),
                "capacityProviderStrategy": service.get("capacityProviderStrategy"),
                "platformVersion": service.get("platformVersion", ""),
                "networkConfiguration": service.get("networkConfiguration", {}),
                "enableExecuteCommand": service.get("enableExecuteCommand", False),
                "_deploymentId": act.revision,
            }
        )
        return True

    def _take_in(
        self, key: str, task: Raw, changed: Callable[[Service, str], Service], *, stable: bool = False
    ) -> None:
        with self._lock:
            service = self._ecs._services.get(key)
            if service is None or service.get("status") != "ACTIVE":
                return
            task["_startup_stable"] = task.get("_startup_stable") or stable
            service[_STATE] = changed(self._state(service), self._revision(service, task))

    # ── what the machine sees ──

    def _state(self, service: Raw) -> Service:
        """Return the machine's state, with what UpdateService has changed in the emulator's record since."""
        newest = service["deployments"][0]
        known: Service | None = service.get(_STATE)
        if known is None:
            known = Service(service["serviceName"], service["desiredCount"], None)
        if known.desired != service["desiredCount"]:
            known = known.but(desired=service["desiredCount"])
        if newest["status"] == "PRIMARY" and newest["id"] not in {item.id for item in known.deployments}:
            service.setdefault("_revisions", {})[newest["id"]] = newest
            configuration = read(service.get("deploymentConfiguration") or {})
            known = machine.updated(known, newest["id"], configuration, id=newest["id"], now=now())
        return known

    def known(self, service: Raw) -> Service | None:
        """Return the machine's state of a service; None before the first look."""
        state: Service | None = service.get(_STATE)
        return state

    def change(self, service: Raw, change: Callable[[Service], Service]) -> None:
        """Take in what a person asks for. Raise Refused."""
        with self._lock:
            service[_STATE] = change(self._state(service))

    def definition_of(self, service: Raw, revision: str) -> str | None:
        """Return the task definition of a revision."""
        found = service.get("_revisions", {}).get(revision)
        return str(found["taskDefinition"]) if found else None

    def tasks(self, service: Raw) -> list[Task]:
        """Return the tasks of a service that have not stopped, as the machine sees them."""
        group = f"service:{service['serviceName']}"
        return [
            Task(arn, self._revision(service, task), _condition(task), is_protected(task))
            for arn, task in list(self._ecs._tasks.items())
            if (task.get("group"), task.get("clusterArn")) == (group, service["clusterArn"])
            and task.get("lastStatus") != "STOPPED"
        ]

    def _revision(self, service: Raw, task: Raw) -> str:
        found = self._ecs._deployment_for_task(service, task)
        return str(found["id"] if found else task.get("_deployment_id") or "")

    # ── what DescribeServices shows ──

    def _show(self, service: Raw) -> None:
        state: Service = service[_STATE]
        newest, live = state.deployments[0], {task.revision for task in self.tasks(service)}
        primary = _primary(newest)
        for raw in service["_revisions"].values():
            changes = _shown(raw["id"], newest, primary, state.desired)
            if any(raw.get(name) != value for name, value in changes.items()):
                raw.update(changes, updatedAt=self._ecs._iso())
        service["deployments"] = [service["_revisions"][id] for id in listed(state, live, now())]
        service["taskDefinition"] = service["_revisions"][primary]["taskDefinition"]
        if newest.tripped and not service.get("_told", {}).get(newest.id):
            service["_told"] = {newest.id: True}
            self._tell(service, "deployment failed: deployment circuit breaker was triggered.")
            if newest.status in BACK:
                self._tell(service, "rolled back to the last completed deployment.")

    def _tell(self, service: Raw, said: str) -> None:
        message = f"(service {service['serviceName']}) {said}"
        event = {"id": self._ecs.new_uuid(), "createdAt": self._ecs._iso(), "message": message}
        service["events"].insert(0, event)

    def _keep_looking(self, cluster: str, key: str, service: Raw) -> None:
        """Look again while a deployment is in flight: time passes, and some tasks end without a word."""
        with self._lock:
            state: Service | None = service.get(_STATE)
            if state is None or state.current is None or key in self._looking:
                return
            self._looking.add(key)
        scope = (self._responses.get_account_id(), self._responses.get_region())

        def look() -> None:
            time.sleep(LOOK_SECONDS)
            self._looking.discard(key)
            with self._ecs.request_scope(*scope):
                self.reconcile(cluster, key)

        self._ecs.spawn_background(look, thread_name=f"ferryman-service-{service['serviceName'][:12]}")


def listed(state: Service, live: Set[str], at: datetime) -> list[str]:
    """Return the revisions whose deployments a service lists: PRIMARY first, then those with tasks (`live`).

    One that failed without leaving a task is listed for a while, for people to see; `services-stable` waits for that.
    """
    newest = state.deployments[0]
    lately = newest.finished_at is None or at - newest.finished_at < FAILED_LISTED
    shown = set(live) | ({newest.target} if lately else set())
    others = (item.target for item in state.deployments if item.target in shown)
    return list(dict.fromkeys([_primary(newest), *others]))


def _primary(newest: ServiceDeployment) -> str:
    """Return the revision of the PRIMARY deployment; one that failed and did not go back stays it."""
    back = newest.status in BACK or newest.status is Status.ROLLBACK_SUCCESSFUL
    return newest.source if back and newest.source is not None else newest.target


def _shown(id: str, newest: ServiceDeployment, primary: str, desired: int) -> Raw:
    """Return the fields of one of the record's deployments that the machine decides."""
    shown: Raw = {"status": "PRIMARY" if id == primary else "ACTIVE"}
    going_back = newest.status in BACK
    if id == newest.target:
        failed = newest.tripped or primary != newest.target
        state = "FAILED" if failed else "COMPLETED" if newest.status is Status.SUCCESSFUL else "IN_PROGRESS"
        said = {
            "FAILED": newest.reason,
            "COMPLETED": "ECS deployment completed.",
            "IN_PROGRESS": "ECS deployment in progress.",
        }
        shown |= {"rolloutState": state, "rolloutStateReason": said[state], "failedTasks": newest.failed_tasks}
        shown["desiredCount"] = 0 if failed else desired
    elif id == primary:
        shown |= {
            "rolloutState": "IN_PROGRESS" if going_back else "COMPLETED",
            "rolloutStateReason": "ECS deployment rollback in progress." if going_back else "ECS deployment completed.",
            "desiredCount": desired,
        }
    return shown


def _condition(task: Raw) -> Condition:
    if task.get("desiredStatus") == "STOPPED" or task.get("_scheduler_stops"):
        return Condition.STOPPING
    healthy = task.get("lastStatus") == "RUNNING" and task.get("_startup_stable")
    return Condition.HEALTHY if healthy else Condition.STARTING


def now() -> datetime:
    """The time, of the machine's."""
    return datetime.now(UTC)
