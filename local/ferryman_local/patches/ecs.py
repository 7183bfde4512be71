"""Corrections of the emulator's ECS: tasks. Services are in ecs_deployments.py.

Sources: the API reference of ECS (RunTask, Task, Container, ContainerDefinition) and the ECS Developer Guide ("Stopped
tasks error messages", "Ensuring idempotency").
"""

import contextlib
import importlib.util
import json
import sys
import threading
import types
from typing import Any

from ferryman_local.engines.engine import Engine
from ferryman_local.engines.image_store import PullError
from ferryman_local.patches.private_attributes import module, replace

LOG_SECONDS = 10.0
"""How long a task that ended waits for its log; longer than its engine does."""

STOP_SECONDS = 30.0
"""ECS's default for a container's stopTimeout."""

SCHEDULER_REASONS = (
    "Deployment completed",
    "Task definition updated",
    "Service scaling down",
    "Deployment capacity limit",
    "Deployment replaced",
)


def apply(engine: Engine) -> None:
    """Put the container engine and every correction of this file in place."""
    ecs = module("services.ecs")
    replace(ecs, "_docker", lambda _: engine)
    if importlib.util.find_spec("docker") is None:
        provide_docker_errors()
    replace(ecs, "_build_run_kwargs", container_settings)
    replace(ecs, "_run_docker_container", lambda original: pull_errors(original, ecs))
    replace(ecs, "_attach_started_container", container_image_digest)
    log_forwarders = LogForwarders()
    replace(ecs, "_start_awslogs_forwarder", log_forwarders.started)
    replace(ecs, "_mark_task_stopped", lambda original: stop_code_and_exit_code(original, log_forwarders, ecs))
    replace(ecs, "_run_task", lambda original: run_task(original, ecs))
    ecs._ACTION_MAP.update(RunTask=ecs._run_task)


def provide_docker_errors() -> None:
    """Not about AWS: the emulator imports one exception class from docker-py; without docker-py it gets ours."""
    package, errors = types.ModuleType("docker"), types.ModuleType("docker.errors")
    errors.ImageNotFound = PullError  # type: ignore[attr-defined]
    package.errors = errors  # type: ignore[attr-defined]
    sys.modules.setdefault("docker", package)
    sys.modules.setdefault("docker.errors", errors)


def container_settings(original: Any) -> Any:
    """readonlyRootFilesystem and initProcessEnabled count, and a volume without a host path is an empty folder.

    The emulator ignores the first two and mounts no such volume. The folder lives as long as the task.
    """

    def build(definition: dict[str, Any], task_definition: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        built = original(definition, task_definition, *args, **kwargs)
        empty = {volume["name"] for volume in task_definition.get("volumes") or [] if not volume.get("host")}
        mounts = definition.get("mountPoints") or []
        built["read_only"] = bool(definition.get("readonlyRootFilesystem"))
        built["init"] = bool((definition.get("linuxParameters") or {}).get("initProcessEnabled"))
        built["tmpfs"] = {m["containerPath"]: "mode=1777" for m in mounts if m.get("sourceVolume") in empty}
        return built

    return build


def pull_errors(original: Any, ecs: Any) -> Any:
    """A task whose image cannot be pulled stops with CannotPullContainerError; RunTask's tasks do so, too."""

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except PullError as error:
            raise ecs._ImagePullError(str(error)) from error

    return run


def container_image_digest(original: Any) -> Any:
    """containers[].imageDigest is the digest of the manifest that runs; of an index, the manifest for the platform."""

    def attach(task: dict[str, Any], container: Any, index: int, token: str, network: Any) -> bool:
        if index < len(task.get("containers", [])):
            task["containers"][index]["imageDigest"] = container.image.platform_digest
        return bool(original(task, container, index, token, network))

    return attach


class LogForwarders:
    """Fargate's awslogs driver delivers a container's log before the task is reported as STOPPED.

    So what a task wrote last can be read as soon as its exit code is known.
    """

    def __init__(self) -> None:
        self._ended: dict[str, list[threading.Event]] = {}
        self._lock = threading.Lock()

    def started(self, original: Any) -> Any:
        """Start the emulator's forwarder, and remember when it has delivered the whole log."""

        def start(container: Any, definition: dict[str, Any], task_id: str) -> None:
            if (definition.get("logConfiguration") or {}).get("logDriver") != "awslogs":
                return
            ended = threading.Event()
            with self._lock:
                self._ended.setdefault(task_id, []).append(ended)
            original(_Followed(container, ended), definition, task_id)

        return start

    def delivered(self, task_arn: str) -> None:
        """Wait, for a moment at most, until a task's logs are complete."""
        with self._lock:
            waiting = self._ended.pop(task_arn.rsplit("/", 1)[-1], [])
        for ended in waiting:
            ended.wait(LOG_SECONDS)


class _Followed:
    """A container that sets an event at the end of its log."""

    def __init__(self, container: Any, ended: threading.Event) -> None:
        self._container, self._ended, self.id = container, ended, container.id

    def logs(self, **how: Any) -> Any:
        try:
            yield from self._container.logs(**how)
        finally:
            self._ended.set()


def stop_code_and_exit_code(original: Any, log_forwarders: LogForwarders, ecs: Any) -> Any:
    """A container that SIGTERM ended has exit code 143, and what the scheduler stops is ServiceSchedulerInitiated.

    The emulator says 0 and UserInitiated. A container that never started has no exit code. When an essential container
    exits ECS stops the others, each of which may end with a code of its own; the emulator gives them the code of the
    one that exited, so that nobody could tell which one it was.
    """

    def mark(task_arn: str, task: dict[str, Any], reason: str, stop_code: str, exit_code: int | None = None) -> bool:
        if stop_code == "UserInitiated":
            exit_code = 143 if task.get("startedAt") else None
            stop_code, reason = stop_reason(task, reason)
        elif stop_code == "EssentialContainerExited":
            # Until then the task runs, and the one that exited is the only one with an exit code.
            stop_containers(task, ecs)
            log_forwarders.delivered(task_arn)
        return bool(original(task_arn, task, reason, stop_code, exit_code=exit_code))

    return mark


def stop_containers(task: dict[str, Any], ecs: Any) -> None:
    """ECS sends SIGTERM to each container, and SIGKILL after its stopTimeout; the exit code is the container's own."""
    definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
    defined = definition.get("containerDefinitions", [])
    for index, container_id in enumerate(list(task.get("_docker_ids") or [])):
        patience = defined[index].get("stopTimeout") if index < len(defined) else None
        with contextlib.suppress(Exception):  # it may be gone already, and every engine has errors of its own
            container = ecs._get_docker().containers.get(container_id)
            container.stop(timeout=int(patience or STOP_SECONDS))
            code = container.wait(timeout=5)["StatusCode"]
            with ecs.resource_lock("ecs-task", task["taskArn"]):
                task["containers"][index]["exitCode"] = code


def service_of(task: dict[str, Any], cluster: str, ecs: Any) -> dict[str, Any] | None:
    """The service that a task belongs to; None for one that was started by itself."""
    kind, _, name = task.get("group", "").partition(":")
    found: dict[str, Any] | None = ecs._services.get(f"{cluster}/{name}") if kind == "service" else None
    return found


def stop_reason(task: dict[str, Any], reason: str) -> tuple[str, str]:
    """The stopCode and the stoppedReason of a task that StopTask or the scheduler stops."""
    if reason not in SCHEDULER_REASONS:
        return "UserInitiated", reason
    deployment = task.get("_deployment_id") or ""
    return "ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {deployment})"


def run_task(original: Any, ecs: Any) -> Any:
    """RunTask with a clientToken that was used before answers the tasks of then and starts none.

    With other parameters it raises ConflictException. The emulator ignores the token. On AWS a token is known for 24
    hours at most, here as long as the emulator runs.
    """
    known: dict[tuple[str, str, str], tuple[str, list[str]]] = {}
    lock = threading.Lock()

    def run(data: dict[str, Any]) -> Any:
        token = data.get("clientToken")
        if not token:
            return original(data)
        key = (ecs.get_account_id(), ecs.get_region(), token)
        wanted = json.dumps({k: v for k, v in data.items() if k != "clientToken"}, sort_keys=True)
        with lock:
            if key in known:
                before, arns = known[key]
                if before != wanted:
                    return ecs.error_response_json(
                        "ConflictException", f"The client token {token} was used before with other parameters.", 400
                    )
                tasks = [ecs._sanitize(ecs._tasks[arn]) for arn in arns if arn in ecs._tasks]
                return ecs.json_response({"tasks": tasks, "failures": []})
            answer = original({k: v for k, v in data.items() if k != "clientToken"})
            if answer[0] == 200:
                known[key] = (wanted, [task["taskArn"] for task in json.loads(answer[2])["tasks"]])
            return answer

    return run
