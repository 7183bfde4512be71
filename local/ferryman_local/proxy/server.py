"""The proxy itself: an asyncio server in a thread, one upstream connection for each client connection."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from ferryman_local.proxy import wire
from ferryman_local.proxy.answers import Transform
from ferryman_local.proxy.exchange import Exchange, Upstream
from ferryman_local.proxy.faults import Book, Fault, FaultKind, Match, Request

logger = logging.getLogger(__name__)

_HOST = "127.0.0.1"


class FaultProxy:
    """A proxy on loopback between clients and the emulator; forwards everything unchanged unless a fault applies.

    The Host header stays as the client sent (and signed) it: the proxy's own address.
    """

    def __init__(self, upstream_port: int, port: int = 0) -> None:
        self._upstream_port = upstream_port
        self._port = port
        self._book = Book()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port, once started."""
        return self._port

    @property
    def endpoint(self) -> str:
        """The URL for `endpoint_url` or AWS_ENDPOINT_URL."""
        return f"http://{_HOST}:{self._port}"

    def start(self) -> Self:
        """Listen. The port is free until then, and stays the same on a later start."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self._run(self._listen())
        return self

    def stop(self) -> None:
        """Close everything; connections that wait in a timeout are reset."""
        if self._loop is None or self._thread is None:
            return
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
        self._loop = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fault(
        self,
        kind: FaultKind,
        *,
        service: str = "*",
        action: str = "*",
        times: int | None = 1,
        seconds: float = 0.0,
        lasting: float | None = None,
        match: Match | None = None,
        status: int | None = None,
        code: str = "",
        message: str = "",
        transform: Transform | None = None,
        forward: bool = False,
    ) -> Fault:
        """Add a fault to the next `times` (None: all) requests of this service and action.

        service: the signing name (`ecs`, `states`, `lambda`, …), or `lambda-url`, `registry`, `http`; `*` is any.
        action: as in AWS's API reference (`UpdateService`), for the last three the HTTP method; `*` is any.
        match: a further condition on the request's JSON document or form.
        lasting: the fault ends these seconds after it struck first (not after it was armed: so it strikes for sure).

        lost_response  the emulator does it, the answer is dropped and the connection reset.
        throttle       the service's own throttling error (`code`, `status`, `message` replace it); nothing is done.
        error          an error of `status` (500) and `code` (InternalFailure); nothing is done.
        stale          the answer that the very same request got last before the fault was armed (a request without one
                       passes, and doesn't count); or `transform(document)` of the live answer.
        delay          forwarded after `seconds`. Delays add up, and go before another fault.
        timeout        never answered, for `seconds` (60 when 0), then reset; with `forward` the emulator does it first.
        """
        service = service.lower()
        return self._book.arm(
            Fault(kind, service, action, times, seconds, lasting, match, status, code, message, transform, forward)
        )

    def clear(self) -> None:
        """End all faults."""
        self._book.clear()

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in order of arrival."""
        return self._book.requests

    def forget_requests(self) -> None:
        """Forget all recorded requests."""
        self._book.forget_requests()

    def count(self, service: str, action: str = "*", *, forwarded: bool | None = None) -> int:
        """The number of such requests; `forwarded`: only those that did (or did not) reach the emulator."""
        return sum(
            request.service == service.lower()
            and action in ("*", request.action)
            and (forwarded is None or request.forwarded == forwarded)
            for request in self.requests
        )

    def wait_for(self, predicate: Callable[[Request], bool], timeout: float = 10.0) -> Request:
        """The first past or future request for which the predicate holds; raise TimeoutError if none arrives."""
        return self._book.wait_for(predicate, timeout)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, _HOST, self._port, limit=wire.LIMIT, backlog=512)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        upstream = Upstream(_HOST, self._upstream_port)
        try:
            while await Exchange(self._book, reader, writer, upstream).run():
                pass
        except (OSError, wire.WireError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            logger.debug("a connection ended: %s", error)
        except asyncio.CancelledError:  # stop(); a task that ends as cancelled would be reported by asyncio's server
            writer.transport.abort()
        except Exception:  # a test's own `match` or `transform`: the client sees a reset, the log says why
            logger.exception("a request could not be handled")
            writer.transport.abort()
        finally:
            self._clients.discard(task)
            await upstream.close()
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
