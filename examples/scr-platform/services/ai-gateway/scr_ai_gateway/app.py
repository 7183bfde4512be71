"""The application. Importing it reads no environment."""

from dataclasses import asdict
from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from scr_ai_gateway.providers import Completion, OfflineProvider, Provider
from scr_ai_gateway.settings import Settings


class CompletionRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=20_000)]
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = 256


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class CompletionResponse(BaseModel):
    model: str
    completion: str
    usage: Usage

    @classmethod
    def of(cls, answer: Completion) -> "CompletionResponse":
        return cls(model=answer.model, completion=answer.text, usage=Usage.model_validate(asdict(answer)))


def create_app(settings: Settings, provider: Provider | None = None) -> FastAPI:
    """Offline unless a provider is given."""
    answerer = provider or OfflineProvider()
    app = FastAPI(title="SCR AI gateway", version=settings.version, redoc_url=None)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": settings.version}

    @app.post("/v1/complete")
    def complete(request: CompletionRequest) -> CompletionResponse:
        return CompletionResponse.of(answerer.complete(request.prompt, request.max_tokens))

    return app
