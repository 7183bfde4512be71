"""`/admin/*`: what the platform's administrators look at. Behind a token, as the API's host name is public."""

import hmac
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, HTTPException, Query
from pydantic import BaseModel

from scr_api.dependencies import Checks, Dependency
from scr_api.gateway import Costs, Gateway

NO_TOKEN = "ADMIN_TOKEN is not set, so /admin is disabled. Set it to a long random value (openssl rand -hex 32)."  # noqa: S105
NO_GATEWAY = "AI_GATEWAY_URL is not set, so no costs are available. Set it to the AI gateway's URL, http://host:port."


class SystemHealth(BaseModel):
    status: Literal["ok", "degraded"]
    version: str
    dependencies: dict[str, Dependency]


def router(*, token: str | None, version: str, gateway: Gateway | None, checks: Checks) -> APIRouter:
    """The routes, for who knows the token."""

    def authorize(authorization: Annotated[str, Header()] = "") -> None:
        if token is None:
            raise HTTPException(403, NO_TOKEN)
        scheme, _, given = authorization.partition(" ")
        # A header's bytes come as Latin-1. In constant time: how long it takes must not tell how much is right.
        right = hmac.compare_digest(given.strip().encode("latin-1", "replace"), token.encode())
        if scheme.lower() != "bearer" or not right:
            detail = "Send the header Authorization: Bearer $ADMIN_TOKEN."
            raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})

    routes = APIRouter(prefix="/admin", tags=["admin"], dependencies=[Depends(authorize)])

    @routes.get("/ai-costs")
    def ai_costs(days: Annotated[int, Query(ge=1, le=400)] = 30) -> Costs:
        if gateway is None:
            raise HTTPException(503, NO_GATEWAY)
        return gateway.costs(days)

    @routes.get("/system-health", response_model_exclude_none=True)
    def system_health() -> SystemHealth:
        found = checks.run()
        broken = any(dependency.status == "unavailable" for dependency in found.values())
        return SystemHealth(status="degraded" if broken else "ok", version=version, dependencies=found)

    return routes
