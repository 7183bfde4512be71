"""Cheap repeated reads of the AWS JSON API, for a watcher that polls several times a second.

A boto3 call costs 1.5 ms and more of CPU to build, sign and parse, and most responses are equal to the previous one. So
a request is signed once and reused for a minute, and its response is parsed only if its bytes differ.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

_TARGETS = {"ecr": "AmazonEC2ContainerRegistry_V20150921", "ecs": "AmazonEC2ContainerServiceV20141113"}
_SIGNED_FOR = 60.0  # seconds; AWS accepts a signature for five minutes


class ReadError(Exception):
    """A read failed."""


class Reads:
    """Signed reads of ECR and ECS. Not thread-safe: one watcher owns it."""

    def __init__(self, session: boto3.Session, endpoint: str, region: str) -> None:
        self._session = session
        self._endpoint = endpoint.rstrip("/")
        self._region = region
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False, timeout=10.0)
        self._signed: dict[tuple[str, str, bytes], dict[str, str]] = {}
        self._signed_at = 0.0
        self._last: dict[tuple[str, str, bytes], list[bytes]] = {}

    def changed(self, service: str, action: str, **arguments: Any) -> list[dict[str, Any]] | None:
        """All pages of a response, or None if they have not changed since the last call."""
        key = (service, action, _body(arguments))
        pages = self._pages(service, action, arguments)
        if self._last.get(key) == pages:
            return None
        self._last[key] = pages
        return [json.loads(page) for page in pages]

    def all(self, service: str, action: str, **arguments: Any) -> list[dict[str, Any]]:
        """All pages of a response, whether they changed or not."""
        return [json.loads(page) for page in self._pages(service, action, arguments)]

    def close(self) -> None:
        self._pool.clear()

    def _pages(self, service: str, action: str, arguments: Mapping[str, Any]) -> list[bytes]:
        pages = [self._post(service, action, _body(arguments))]
        while b'"nextToken"' in pages[-1] and (token := json.loads(pages[-1]).get("nextToken")):
            pages.append(self._post(service, action, _body({**arguments, "nextToken": token})))
        return pages

    def _post(self, service: str, action: str, body: bytes) -> bytes:
        response = self._pool.request(
            "POST", f"{self._endpoint}/", body=body, headers=self._headers(service, action, body)
        )
        if response.status != 200:
            raise ReadError(f"{service} {action}: {response.status} {response.data[:300].decode(errors='replace')}")
        return response.data

    def _headers(self, service: str, action: str, body: bytes) -> dict[str, str]:
        now = time.monotonic()
        if now - self._signed_at > _SIGNED_FOR:
            self._signed.clear()
            self._signed_at = now
        key = (service, action, body)
        if key not in self._signed:
            request = AWSRequest(
                "POST",
                f"{self._endpoint}/",
                data=body,
                headers={
                    "X-Amz-Target": f"{_TARGETS[service]}.{action}",
                    "Content-Type": "application/x-amz-json-1.1",
                },
            )
            credentials = self._session.get_credentials()
            if credentials is None:
                raise ReadError("the relay has no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            SigV4Auth(credentials.get_frozen_credentials(), service, self._region).add_auth(request)
            self._signed[key] = dict(request.headers.items())
        return self._signed[key]


def _body(arguments: Mapping[str, Any]) -> bytes:
    return json.dumps(arguments, sort_keys=True).encode()
