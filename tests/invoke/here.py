"""The same handler in this process, with the environment of the container."""

import importlib.util
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ferryman import runtime
from ferryman_local.signed_event import container_arn

FUNCTIONS = Path(__file__).parents[2] / "functions"
CACHES = (runtime.client, runtime.store, runtime.logger, runtime.metrics)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """This process's environment, as a function finds its own."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)
    for cached in CACHES:
        cached.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        for cached in CACHES:
            cached.cache_clear()


def call(function: str, logical: str, event: Any, variables: Mapping[str, str], region: str) -> Any:
    """Run the handler; what it raises comes back as Lambda tells it."""
    context = SimpleNamespace(
        function_name=logical,
        aws_request_id=str(uuid.uuid4()),
        invoked_function_arn=container_arn(logical),
        memory_limit_in_mb="512",
        get_remaining_time_in_millis=lambda: 30_000,
    )
    # Its services are in this process; in the container they are on the bridge.
    variables = {"FERRYMAN_SERVICES_ON_LOOPBACK": "1", **variables}
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
    lambda_api = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}  # as Lambda sets it: loopback is the function's own
    with environment({**credentials, **lambda_api, "AWS_DEFAULT_REGION": region, "AWS_REGION": region, **variables}):
        spec = importlib.util.spec_from_file_location(f"invoked_{function}", FUNCTIONS / function / "app.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        try:
            return json.loads(json.dumps(module.handler(event, context)))
        except Exception as error:  # what a function raises is its answer
            return {"errorType": type(error).__name__, "errorMessage": str(error)}
