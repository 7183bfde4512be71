"""The application. Importing it reads no environment."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from scr_ai_gateway import ledger
from scr_ai_gateway.costs import Costs, summed
from scr_ai_gateway.ledger import KEPT_DAYS, Counts, Ledger, LedgerError
from scr_ai_gateway.prices import PRICES, Price, usd
from scr_ai_gateway.providers import Completion, OfflineProvider, Provider
from scr_ai_gateway.settings import Settings

log = logging.getLogger(__name__)


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
    cost_usd: str
    recorded: bool
    """False: the answer is good, but its cost could not be written down."""


def today() -> date:
    return datetime.now(UTC).date()


def create_app(
    settings: Settings,
    provider: Provider | None = None,
    kept: Ledger | None = None,
    day: Callable[[], date] = today,
) -> FastAPI:
    """Offline unless a provider is given. Raises ConfigurationError when Redis's URL can't be one."""
    answerer = provider or OfflineProvider()
    book = kept or ledger.connect(settings.redis_url)
    app = FastAPI(title="SCR AI gateway", version=settings.version, redoc_url=None)

    # Without Redis: a gateway that can't count still answers, and must not be replaced for it.
    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": settings.version}

    @app.post("/v1/complete")
    def complete(request: CompletionRequest) -> CompletionResponse:
        answer = answerer.complete(request.prompt, request.max_tokens)
        counts = counted(answer)
        return CompletionResponse(
            model=answer.model,
            completion=answer.text,
            usage=Usage.model_validate(asdict(answer)),
            cost_usd=usd(counts.micro_usd),
            recorded=record(book, day(), answer.model, counts),
        )

    @app.get("/v1/costs")
    def costs(days: Annotated[int, Query(ge=1, le=KEPT_DAYS)] = 30) -> Costs:
        last = day()
        first = last - timedelta(days=days - 1)
        try:
            return summed(book.rows(first, last), first, book.kept_in)
        except LedgerError as error:
            raise HTTPException(503, f"the costs cannot be read now: {error}") from None

    return app


def counted(answer: Completion) -> Counts:
    """A model without a price costs nothing here; `/v1/costs` says that it has none."""
    price = PRICES.get(answer.model, Price(prompt=0, completion=0))
    return Counts(
        requests=1,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        micro_usd=price.of(answer.prompt_tokens, answer.completion_tokens),
    )


def record(book: Ledger, day: date, model: str, counts: Counts) -> bool:
    """Whether it was written down. The answer is paid for already, so this must not lose it."""
    try:
        book.add(day, model, counts)
    except LedgerError as error:
        log.warning("not recorded: %s of %s, %d micro-USD: %s", model, day, counts.micro_usd, error)
        return False
    return True
