"""What the tests of the relay and the proxy share: clients that try once, and waiting with a deadline."""

import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config


def client(session: boto3.Session, service: str, endpoint: str, *, attempts: int = 1, **options: Any) -> Any:
    """A client that tries `attempts` times, so that a test says how often AWS is asked."""
    retries: Any = {"total_max_attempts": attempts, "mode": "standard"}
    make: Any = session.client
    return make(service, endpoint_url=endpoint, config=Config(retries=retries, **options))


def eventually[T](look: Callable[[], T], timeout: float = 20.0) -> T:
    """The first truthy thing that `look` returns."""
    until = time.monotonic() + timeout
    while not (found := look()):
        assert time.monotonic() < until, f"nothing within {timeout} s"
        time.sleep(0.02)
    return found
