"""Corrections of the emulator's ECS: tasks. Services are in patch_rollouts. Applied by patches.apply."""

import importlib.util
import json
import sys
import threading
import types
from typing import Any

from ferryman_local.engines.engine import Engine
from ferryman_local.engines.image_store import PullError
from ferryman_local.patches.private_attributes import module, replace

LAST_WORDS_SECONDS = 10.0
"""How long a task that ended waits for its log; longer than its engine does."""

SCHEDULER_REASONS = (
    "Deployment completed",
    "Task definition updated",
    "Service scaling down",
    "Deployment capacity limit",
    "Deployment replaced",
)


def apply(engine: Engine) -> None:
    """Put the engine and every correction of this file in place."""
    ecs = module("services.ecs")
    replace(ecs, "_docker", lambda _: engine)
    if importlib.util.find_spec("docker") is None:
        stand_in_for_docker_errors()
    replace(ecs, "_build_run_kwargs", file_system_as_fargate_has_it)
    replace(ecs, "_run_docker_container", lambda original: missing_images_fail_the_pull(original, ecs))
    replace(ecs, "_attach_started_container", tasks_tell_their_digest)
    forwarders = Forwarders()
    replace(ecs, "_start_awslogs_forwarder", forwarders.started)
    replace(ecs, "_mark_task_stopped", lambda original: stopped_by_whom(original, forwarders))
    replace(ecs, "_run_task", lambda original: client_token(original, ecs))
    ecs._ACTION_MAP.update(RunTask=ecs._run_task)


def stand_in_for_docker_errors() -> None:
    """The emulator imports one exception class from docker-py; without docker-py it gets ours."""
    package, errors = types.ModuleType("docker"), types.ModuleType("docker.errors")
    errors.ImageNotFound = PullError  # type: ignore[attr-defined]
    package.errors = errors  # type: ignore[attr-defined]
    sys.modules.setdefault("docker", package)
    sys.modules.setdefault("docker.errors", errors)


def file_system_as_fargate_has_it(original: Any) -> Any:
    """A closed root stays closed; a volume without a source is empty scratch space of the task; init is the task's."""

    def build(definition: dict[str, Any], task_definition: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        built = original(definition, task_definition, *args, **kwargs)
        empty = {volume["name"] for volume in task_definition.get("volumes") or [] if not volume.get("host")}
        mounts = definition.get("mountPoints") or []
        built["read_only"] = bool(definition.get("readonlyRootFilesystem"))
        built["init"] = bool((definition.get("linuxParameters") or {}).get("initProcessEnabled"))
        built["tmpfs"] = {m["containerPath"]: "mode=1777" for m in mounts if m.get("sourceVolume") in empty}
        return built

    return build


def missing_images_fail_the_pull(original: Any, ecs: Any) -> Any:
    """An image that cannot be pulled stops the task with CannotPullContainerError, for RunTask too."""

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except PullError as error:
            raise ecs._ImagePullError(str(error)) from error

    return run


def tasks_tell_their_digest(original: Any) -> Any:
    """containers[].imageDigest is the digest of the manifest that runs: an index's child for the platform."""

    def attach(task: dict[str, Any], container: Any, index: int, token: str, network: Any) -> bool:
        if index < len(task.get("containers", [])):
            task["containers"][index]["imageDigest"] = container.image.platform_digest
        return bool(original(task, container, index, token, network))

    return attach


class Forwarders:
    """A container that exited is reported only after its log was delivered, as Fargate's awslogs driver does."""

    def __init__(self) -> None:
        self._ended: dict[str, list[threading.Event]] = {}
        self._lock = threading.Lock()

    def started(self, original: Any) -> Any:
        """Know when each forwarder is done."""

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
            ended.wait(LAST_WORDS_SECONDS)


class _Followed:
    """A container whose log tells its end."""

    def __init__(self, container: Any, ended: threading.Event) -> None:
        self._container, self._ended, self.id = container, ended, container.id

    def logs(self, **how: Any) -> Any:
        try:
            yield from self._container.logs(**how)
        finally:
            self._ended.set()


def stopped_by_whom(original: Any, forwarders: Forwarders) -> Any:
    """A stopped container exits with 143, not 0; the scheduler's stops are ServiceSchedulerInitiated."""

    def mark(task_arn: str, task: dict[str, Any], reason: str, stop_code: str, exit_code: int | None = None) -> bool:
        if stop_code == "UserInitiated":
            exit_code = 143 if task.get("startedAt") else None
            stop_code, reason = cause(task, reason)
        elif stop_code == "EssentialContainerExited":
            forwarders.delivered(task_arn)
        return bool(original(task_arn, task, reason, stop_code, exit_code=exit_code))

    return mark


def service_of(task: dict[str, Any], cluster: str, ecs: Any) -> dict[str, Any] | None:
    """The service that a task belongs to; None for one that was started by itself."""
    kind, _, name = task.get("group", "").partition(":")
    found: dict[str, Any] | None = ecs._services.get(f"{cluster}/{name}") if kind == "service" else None
    return found


def cause(task: dict[str, Any], reason: str) -> tuple[str, str]:
    """The stopCode and the stoppedReason of a task that StopTask or the scheduler stops."""
    if reason not in SCHEDULER_REASONS:
        return "UserInitiated", reason
    deployment = task.get("_deployment_id") or ""
    return "ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {deployment})"


def client_token(original: Any, ecs: Any) -> Any:
    """RunTask with a known clientToken answers the same tasks; with other parameters it is a ConflictException."""
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
