"""Corrections of the emulator's Lambda. Applied by patches.apply before the emulator serves."""

import contextlib
import hashlib
import io
import json
import logging
import os
import queue
import subprocess
import sys
import sysconfig
import threading
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferryman_local.patches import lambda_worker as worker_script
from ferryman_local.patches.control import Control
from ferryman_local.patches.private_attributes import module, replace
from ferryman_local.patches.scheduler import schedule_of
from ferryman_local.processes import spawner

log = logging.getLogger("ferryman.lambda")

RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
"""What AWS's Python runtime bundles; functions without a layer may import these."""


class Unpacked:
    """Code and layers, unpacked once per content instead of once per worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def path(self, data: bytes) -> Path:
        """Where this zip's files are."""
        target = self._folder / hashlib.sha256(data).hexdigest()[:24]
        with self._lock:
            if not target.exists():
                scratch = target.with_suffix(".part")
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    archive.extractall(scratch)
                scratch.replace(target)
        return target


def runtime_folder(folder: Path) -> Path:
    """A folder with what AWS's runtime bundles, linked from the running environment."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME_PACKAGES:
        link, source = folder / name, Path(sysconfig.get_paths()["purelib"]) / name
        if source.exists() and not link.exists():
            link.symlink_to(source)
    return folder


def apply(control: Control, folder: Path, mark: Mapping[str, str]) -> None:
    """Put every correction of this file in place."""
    runtime, service = module("core.lambda_runtime"), module("services.lambda_svc")
    unpacked = Unpacked(folder / "lambda")
    (folder / "lambda").mkdir(parents=True, exist_ok=True)
    bundled = runtime_folder(folder / "lambda-runtime")
    replace(runtime.Worker, "_spawn", lambda original: worker_like_aws(original, control, unpacked, bundled, mark))
    replace(runtime.Worker, "_drain_stderr_bounded", lambda _: log_up_to_the_end_mark)
    replace(service, "_execute_function_warm", lambda original: errors_by_class_name(original, control))
    replace(service, "_ESM_BACKOFF_SECONDS", lambda _: 0.2)
    keep_dead_letter_queues(service)
    control.on_endpoint_change = lambda: forget_workers(runtime)
    threading.Thread(target=end_spare_workers, args=(runtime,), name="ferryman-spare-workers", daemon=True).start()


def end_spare_workers(runtime: Any) -> None:
    """The emulator looks for them every 30 seconds only, and each takes 60 MB."""
    while True:
        time.sleep(1)
        with contextlib.suppress(OSError):
            runtime.reap_idle_workers()


def forget_workers(runtime: Any) -> None:
    """End idle workers so that the next invocation starts one with the new environment."""
    with runtime._lock:
        idle = [w for pool in runtime._workers.values() for w in pool if not w.in_use]
        for pool in runtime._workers.values():
            pool[:] = [w for w in pool if w.in_use]
    runtime.kill_workers(idle)


def environment(config: dict[str, Any], runtime: Any, control: Control, mark: Mapping[str, str]) -> dict[str, str]:
    """A function's environment: what AWS sets and what the function asks for, nothing of the developer's."""
    _account, region = runtime._account_region_from_function_config(config)
    name = config.get("FunctionName", "")
    wanted = config.get("Environment", {}).get("Variables", {})
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": "/tmp",  # noqa: S108 - as on AWS
        "PYTHONDONTWRITEBYTECODE": "1",  # /var/task and /opt are read-only on AWS
        "MALLOC_TRIM_THRESHOLD_": "65536",  # what an import needed for a moment goes back to the system
        "AWS_ENDPOINT_URL": control.lambda_endpoint or f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        runtime.HOST_PREFIX_ENV: "true",
        **{key: str(value) for key, value in wanted.items() if key not in runtime._RESERVED_RUNTIME_ENV_VARS},
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **runtime.execution_credentials(config),
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[$LATEST]{os.urandom(16).hex()}",
        **mark,
    }


def worker_like_aws(original: Any, control: Control, unpacked: Unpacked, bundled: Path, mark: Mapping[str, str]) -> Any:
    """A Python worker survives a handler's exception, sees no package but its own, and dies with the emulator."""
    runtime = module("core.lambda_runtime")
    layer_zip = module("services.lambda_svc")._resolve_layer_zip

    def spawn(self: Any) -> None:
        config = self.config
        if not config.get("Runtime", "").startswith("python"):
            original(self)
            return
        code = unpacked.path(self.code_zip)
        layers = [unpacked.path(data) for ref in config.get("Layers", []) if (data := layer_zip(ref))]
        path = [str(code)]
        for layer in layers:
            path += [str(layer / "python"), *map(str, (layer / "python").glob("lib/python3*/site-packages"))]
        environ = environment(config, runtime, control, mark)
        environ["LAMBDA_TASK_ROOT"] = str(code)
        command = [sys.executable, "-I", "-S", worker_script.__file__]

        def start() -> Any:
            return subprocess.Popen(
                command,
                cwd=code,
                env=environ,
                text=True,
                bufsize=1,
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

        self._proc = spawner().call(start)
        self._stderr_queue = queue.Queue()
        self._stderr_thread = threading.Thread(target=read_log, args=(self._proc, self._stderr_queue), daemon=True)
        self._stderr_thread.start()
        module_name, _, handler = config.get("Handler", "app.handler").rpartition(".")
        init = {
            "path": [*path, str(bundled)],
            "module": module_name.replace("/", "."),
            "handler": handler,
            "function_name": config.get("FunctionName", ""),
            "memory": config.get("MemorySize", 128),
            "arn": config.get("FunctionArn", ""),
        }
        self._proc.stdin.write(json.dumps(init) + "\n")
        self._proc.stdin.flush()
        answer = self._proc.stdout.readline()
        output = log_up_to_the_end_mark(self)
        status = json.loads(answer) if answer.startswith("{") else {"status": "died"}
        if status["status"] != "ready":
            self._proc.kill()
            log.warning("%s could not start:\n%s", config.get("FunctionName"), output)
            raise InitError(status.get("error", "Runtime exited before it was ready"))
        control.count_lambda(config.get("FunctionName", ""), "coldStarts")

    return spawn


class InitError(Exception):
    """The function's module could not be imported."""


def read_log(process: Any, lines: queue.Queue[str]) -> None:
    """Collect what a worker writes; its end is an end mark too."""
    with contextlib.suppress(OSError, ValueError):
        for line in process.stderr:
            lines.put(line.rstrip("\n"))
    lines.put(worker_script.END_OF_LOG)


def log_up_to_the_end_mark(worker: Any, *_waits: float) -> str:
    """The worker marks the end of an invocation's log, so nothing has to be waited for (50 ms per call before)."""
    lines: list[str] = []
    try:
        while (line := worker._stderr_queue.get(timeout=1.0)) != worker_script.END_OF_LOG:
            lines.append(line)
    except queue.Empty:
        log.debug("no end mark from a worker of %s", worker.func_name)
    return "\n".join(lines)


def errors_by_class_name(original: Any, control: Control) -> Any:
    """Lambda reports the exception's class as errorType, which ErrorEquals matches; faults and counters too."""

    def execute(func: dict[str, Any], event: Any, request_id: str) -> Any:
        config = func.get("config") or func
        name, limit = config.get("FunctionName", "unknown"), int(config.get("Timeout", 3))
        control.count_lambda(name, "invocations")
        with control.invocation(name, event, schedule_of(func)):
            if fault := control.take_fault(name, event, "before"):
                control.count_lambda(name, "faults")
                return {"body": fault.body(limit), "error": True, "log": f"fault before the handler: {fault.message}"}
            started = time.monotonic()
            result = original(func, event, request_id)
            control.count_lambda(name, "milliseconds", round((time.monotonic() - started) * 1000))
            if fault := control.take_fault(name, event, "after"):
                control.count_lambda(name, "faults")
                return {"body": fault.body(limit), "error": True, "log": result.get("log", "")}
            failure = failure_in(result, request_id)
            if failure is None:
                return result
            control.count_lambda(name, "errors")
            return {"body": failure, "error": True, "log": result.get("log", "")}

    return execute


def failure_in(result: dict[str, Any], request_id: str) -> dict[str, Any] | None:
    """The failure in a worker's result in AWS's words, or None."""
    body = result.get("body")
    if isinstance(body, dict) and worker_script.ERROR_KEY in body:
        failure: dict[str, Any] = {**body[worker_script.ERROR_KEY], "requestId": request_id}
        return failure
    if not result.get("error") or not isinstance(body, dict):
        return None
    kind, message = body.get("errorType"), str(body.get("errorMessage", ""))
    if kind == "InitError":
        return {"errorType": "Runtime.ImportModuleError", "errorMessage": message}
    if message == "Worker process died":
        return {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {request_id} Error: Runtime exited without providing a reason",
        }
    return None


def keep_dead_letter_queues(service: Any) -> None:
    """CloudFormation gives a function its DeadLetterConfig; the emulator's leaves it out."""
    handlers = module("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create = handlers["create"]

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        answer = create(logical_id, props, stack_name)
        if queue := props.get("DeadLetterConfig"):
            service._functions[answer[0]]["config"]["DeadLetterConfig"] = queue
        return answer

    handlers["create"] = created
