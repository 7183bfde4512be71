"""`POST /api/projects/{id}/summary`: a project in a few words, from the AI gateway, kept in Redis."""

from hashlib import sha256

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from scr_api.cache import Cache
from scr_api.gateway import Completion, Gateway
from scr_api.models import Project

KEPT_SECONDS = 24 * 3600
MAX_TOKENS = 60
NO_GATEWAY = "AI_GATEWAY_URL is not set, so no summary can be requested."


class Summary(BaseModel):
    project: int
    summary: str
    model: str
    cached: bool


def router(engine: Engine, gateway: Gateway | None, cache: Cache | None) -> APIRouter:
    """The route; each answer that isn't cached costs money."""
    routes = APIRouter(prefix="/api/projects", tags=["projects"])

    @routes.post("/{project_id}/summary")
    def summarise(project_id: int) -> Summary:
        with Session(engine) as session:
            project = session.get(Project, project_id)
            if project is None:
                raise HTTPException(404, f"project {project_id} does not exist")
            prompt = f"Summarise in one sentence: {project.name} is a project in the stage {project.stage}."
        # Of the prompt: a project that changed gets a new summary.
        key = f"scr:summary:{project_id}:{sha256(prompt.encode()).hexdigest()[:16]}"
        if kept := read(cache, key):
            return Summary(project=project_id, summary=kept.completion, model=kept.model, cached=True)
        if gateway is None:
            raise HTTPException(503, NO_GATEWAY)
        answer = gateway.complete(prompt, MAX_TOKENS)
        if cache:
            cache.put(key, answer.model_dump_json(), KEPT_SECONDS)
        return Summary(project=project_id, summary=answer.completion, model=answer.model, cached=False)

    return routes


def read(cache: Cache | None, key: str) -> Completion | None:
    """What is kept, if it is what this version of the code wrote."""
    text = cache.get(key) if cache else None
    if text is None:
        return None
    try:
        return Completion.model_validate_json(text)
    except ValueError:
        return None
