"""The application: routes on one database. Importing it opens nothing and reads no environment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from scr_api import admin, cache, database, projects, summaries
from scr_api.cache import Cache
from scr_api.cross_origin import CrossOrigin
from scr_api.dependencies import LIMIT_SECONDS, Check, Checks, first_line
from scr_api.gateway import Gateway, GatewayError
from scr_api.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """Raises ConfigurationError when the database's or Redis's URL can't be one."""
    engine = database.connect(settings.database_url)
    kept = cache.connect(settings.redis_url)
    gateway = Gateway(settings.ai_gateway_url) if settings.ai_gateway_url else None
    checks = Checks(dependencies(engine, kept, gateway))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()
        if kept:
            kept.close()

    app = FastAPI(
        title="SCR API",
        version=settings.version,
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    if settings.allowed_origins:
        app.add_middleware(CrossOrigin, origins=settings.allowed_origins)
    app.include_router(projects.router(engine))
    app.include_router(summaries.router(engine, gateway, kept))
    app.include_router(
        admin.router(token=settings.admin_token, version=settings.version, gateway=gateway, checks=checks)
    )

    # Twice: load balancer targets are checked at /health, and /api/* is what it routes here from outside.
    @app.get("/health")
    @app.get("/api/health", include_in_schema=False)
    def health() -> JSONResponse:
        status, body = check_health(engine, settings.version)
        return JSONResponse(body, status_code=status)

    @app.exception_handler(OperationalError)
    def database_unavailable(_request: Request, error: OperationalError) -> JSONResponse:
        return JSONResponse({"detail": f"database: {reason_of(error)}"}, status_code=503)

    @app.exception_handler(GatewayError)
    def gateway_unavailable(_request: Request, error: GatewayError) -> JSONResponse:
        return JSONResponse({"detail": f"AI gateway: {error}"}, status_code=503)

    return app


def dependencies(engine: Engine, kept: Cache | None, gateway: Gateway | None) -> dict[str, Check | None]:
    """How each is looked at; None for what this environment has not."""

    def ask_database() -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    return {
        "database": ask_database,
        "redis": kept.ping if kept else None,
        "ai_gateway": partial(gateway.check, LIMIT_SECONDS) if gateway else None,
    }


def check_health(engine: Engine, version: str) -> tuple[int, dict[str, str | None]]:
    """The HTTP status and the body. A database that was never migrated is healthy, with revision null."""
    try:
        with engine.connect() as connection:
            revision = database.current_revision(connection)
    except SQLAlchemyError as error:
        return 503, {"status": "unavailable", "version": version, "reason": f"database: {reason_of(error)}"}
    return 200, {"status": "ok", "version": version, "revision": revision}


def reason_of(error: SQLAlchemyError) -> str:
    """One line, without the statement and its parameters."""
    return first_line(getattr(error, "orig", None) or error)
