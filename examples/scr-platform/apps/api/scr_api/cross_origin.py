"""Which pages elsewhere may ask the API from a browser."""

from collections.abc import Collection

from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class CrossOrigin:
    """Lets scripts of these origins ask /api/*, without credentials. /admin/* stays closed to them."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app, allow_origins=list(origins), allow_methods=["GET", "POST"], allow_headers=["Content-Type"]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what a browser asks first, and add to each answer whom it is for."""
        within = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (self._open if within else self._app)(scope, receive, send)
