"""`/api/projects`: list and create."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scr_api.models import Project, slug_of

Stage = Literal["draft", "review", "funded"]
NOBODY = "nobody@scr-platform.example"


class NewProject(BaseModel):
    model_config = ConfigDict(extra="forbid")

    # The pattern asks for a letter or digit: the slug is made of them.
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=r"[^\W_]")]
    stage: Stage = "draft"
    owner_email: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^@\s]+@[^@\s]+$")] = NOBODY


class ProjectOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    slug: str
    stage: str
    owner_email: str
    created_at: datetime


def router(engine: Engine) -> APIRouter:
    """The routes, on this database."""
    routes = APIRouter(prefix="/api/projects", tags=["projects"])

    @routes.get("", response_model=list[ProjectOut])
    def list_projects(limit: int = 100) -> Sequence[Project]:
        with Session(engine) as session:
            newest_first = select(Project).order_by(Project.id.desc()).limit(max(1, min(limit, 500)))
            return session.scalars(newest_first).all()

    @routes.post("", response_model=ProjectOut, status_code=201)
    def create_project(new: NewProject) -> Project:
        project = Project(name=new.name, slug=slug_of(new.name), stage=new.stage, owner_email=new.owner_email)
        with Session(engine, expire_on_commit=False) as session:
            session.add(project)
            try:
                session.commit()
            except IntegrityError:
                raise HTTPException(409, f"a project named {new.name!r} already exists") from None
        return project

    return routes
