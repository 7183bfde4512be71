"""Corrections of the emulator's Lambda: functions and their execution environment. Their URLs are in lambda_urls.py.

Sources: the Lambda Developer Guide ("Using Lambda environment variables", "Lambda runtimes", "Lambda function handler
errors in Python", "Understanding the Lambda execution environment lifecycle") and the template reference of
AWS::Lambda::Function.
"""

import contextlib
import contextvars
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
"""The packages that Lambda's Python runtime includes: a function can import them without a layer."""


class UnpackedArchives:
    """The archives of functions and layers, unpacked once for all workers; the emulator does it for each worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def path(self, data: bytes) -> Path:
        """The folder with an archive's files."""
        target = self._folder / hashlib.sha256(data).hexdigest()[:24]
        with self._lock:
            if not target.exists():
                scratch = target.with_suffix(".part")
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    archive.extractall(scratch)
                scratch.replace(target)
        return target


def link_runtime_packages(folder: Path) -> Path:
    """A folder that links the packages of Lambda's Python runtime, from the running environment."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME_PACKAGES:
        link, source = folder / name, Path(sysconfig.get_paths()["purelib"]) / name
        if source.exists() and not link.exists():
            link.symlink_to(source)
    return folder


def apply(control: Control, folder: Path, mark: Mapping[str, str]) -> None:
    """Put every correction of this file in place."""
    runtime, service = module("core.lambda_runtime"), module("services.lambda_svc")
    unpacked = UnpackedArchives(folder / "lambda")
    (folder / "lambda").mkdir(parents=True, exist_ok=True)
    runtime_packages = link_runtime_packages(folder / "lambda-runtime")
    replace(
        runtime.Worker, "_spawn", lambda original: spawn_worker(original, control, unpacked, runtime_packages, mark)
    )
    replace(runtime.Worker, "_drain_stderr_bounded", lambda _: read_log_of_invocation)
    replace(service, "_execute_function_warm", lambda original: execute_function(original, control))
    replace(service, "_ESM_BACKOFF_SECONDS", lambda _: 0.2)
    for name in ("_update_code", "_update_config"):
        replace(service, name, update_function)
    replace(service, "invalidate_worker", lambda original: invalidate_worker(original, runtime))
    replace(service, "release_worker", lambda original: release_worker(original, runtime))
    create_function_with_dead_letter_queue(service)
    control.on_endpoint_change = lambda: forget_workers(runtime)
    threading.Thread(target=end_spare_workers, args=(runtime,), name="ferryman-spare-workers", daemon=True).start()


def end_spare_workers(runtime: Any) -> None:
    """Not about AWS: end idle workers every second. The emulator does so every 30 seconds, and each takes 60 MB."""
    while True:
        time.sleep(1)
        with contextlib.suppress(OSError):
            runtime.reap_idle_workers()


def forget_workers(runtime: Any) -> None:
    """Not about AWS: end idle workers, so that the next invocation starts one with the new endpoint."""
    with runtime._lock:
        idle = [w for pool in runtime._workers.values() for w in pool if not w.in_use]
        for pool in runtime._workers.values():
            pool[:] = [w for w in pool if w.in_use]
    runtime.kill_workers(idle)


_UPDATES = contextvars.ContextVar("updates", default=False)


def update_function(original: Any) -> Any:
    """Not a correction: invalidate_worker learns that the code or the configuration of a function is being updated."""

    def update(name: str, data: dict[str, Any]) -> Any:
        token = _UPDATES.set(True)
        try:
            return original(name, data)
        finally:
            _UPDATES.reset(token)

    return update


def invalidate_worker(original: Any, runtime: Any) -> Any:
    """An update of a function lets running invocations finish with the old version; the emulator kills them."""

    def invalidate(
        name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
    ) -> None:
        if not _UPDATES.get():
            original(name, qualifier=qualifier, account=account, region=region)
            return
        idle = []
        with runtime._lock:
            for key in [key for key in runtime._workers if key.split(":")[-2:] == [name, "$LATEST"]]:
                for worker in runtime._workers.pop(key):
                    worker.outdated = True
                    if not worker.in_use:
                        idle.append(worker)
        runtime.kill_workers(idle)

    return invalidate


def release_worker(original: Any, runtime: Any) -> Any:
    """A worker whose function was updated while it ran ends after that invocation."""

    def release(worker: Any) -> None:
        original(worker)
        if getattr(worker, "outdated", False):
            runtime.kill_workers([worker])

    return release


def environment_of(config: dict[str, Any], runtime: Any, control: Control, mark: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a function: Lambda's reserved ones and the function's own.

    None of the developer's. AWS_ENDPOINT_URL leads to the emulator, or to the fault proxy of a test.
    """
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
        "FERRYMAN_SERVICES_ON_LOOPBACK": "1",  # load balancers listen there, and smoke tests ask them
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


def spawn_worker(
    original: Any, control: Control, unpacked: UnpackedArchives, runtime_packages: Path, mark: Mapping[str, str]
) -> Any:
    """A Python execution environment survives a handler's exception and sees only the function's own packages.

    Its search path is the function's code, then its layers, then the packages of the runtime. The worker ends with the
    emulator. Raises InitError where the function's module cannot be imported.
    """
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
        environ = environment_of(config, runtime, control, mark)
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
            "path": [*path, str(runtime_packages)],
            "module": module_name.replace("/", "."),
            "handler": handler,
            "function_name": config.get("FunctionName", ""),
            "memory": config.get("MemorySize", 128),
            "arn": config.get("FunctionArn", ""),
        }
        self._proc.stdin.write(json.dumps(init) + "\n")
        self._proc.stdin.flush()
        answer = self._proc.stdout.readline()
        output = read_log_of_invocation(self)
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
    """Collect what a worker logs; where the log ends, put an end mark."""
    with contextlib.suppress(OSError, ValueError):
        for line in process.stderr:
            lines.put(line.rstrip("\n"))
    lines.put(worker_script.END_OF_LOG)


def read_log_of_invocation(worker: Any, *_waits: float) -> str:
    """Read an invocation's log up to the worker's end mark; the emulator waits 50 ms per invocation instead."""
    lines: list[str] = []
    try:
        while (line := worker._stderr_queue.get(timeout=1.0)) != worker_script.END_OF_LOG:
            lines.append(line)
    except queue.Empty:
        log.debug("no end mark from a worker of %s", worker.func_name)
    return "\n".join(lines)


def execute_function(original: Any, control: Control) -> Any:
    """An invocation's errorType is the name of the exception's class, which ErrorEquals of Step Functions matches.

    The emulator says Runtime.HandlerError. Here invocations are also counted, and faults that a test asked for strike.
    """

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
    """The error object that Lambda answers for a worker's result, or None.

    A module that cannot be imported is Runtime.ImportModuleError, a process that ended is Runtime.ExitError.
    """
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


def create_function_with_dead_letter_queue(service: Any) -> None:
    """CloudFormation sets a function's DeadLetterConfig; the emulator's ignores the property."""
    handlers = module("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create = handlers["create"]

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        answer = create(logical_id, props, stack_name)
        if queue := props.get("DeadLetterConfig"):
            service._functions[answer[0]]["config"]["DeadLetterConfig"] = queue
        return answer

    handlers["create"] = created
