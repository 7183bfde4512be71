"""An app in process, with its lifespan, through httpx."""

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.applications import Starlette


class AppClient:
    """Synchronous, so that the tests read like a person's calls."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._lifespan = app.router.lifespan_context(app)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.run(self._started())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._runner.run(self._stopped())
        self._runner.close()

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._runner.run(self._send("GET", path, None, headers))

    def post(self, path: str, json: Any) -> httpx.Response:
        return self._runner.run(self._send("POST", path, json))

    async def _started(self) -> None:
        await self._lifespan.__aenter__()

    async def _stopped(self) -> None:
        await self._lifespan.__aexit__(None, None, None)

    async def _send(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app.test") as client:
            return await client.request(method, path, json=body, headers=headers)
