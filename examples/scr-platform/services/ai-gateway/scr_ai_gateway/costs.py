"""What `/v1/costs` shows: the ledger's rows, summed up."""

from dataclasses import asdict
from datetime import date
from operator import itemgetter
from typing import Any, Literal

from pydantic import BaseModel

from scr_ai_gateway.ledger import Counts, KeptIn, Rows
from scr_ai_gateway.prices import PRICES, usd


class Counted(BaseModel):
    """Money as a decimal string: a float would lose cents."""

    usd: str
    requests: int
    prompt_tokens: int
    completion_tokens: int


class ModelCosts(Counted):
    model: str
    priced: bool
    """False: it has no price here, so its tokens are counted and its cost is not."""


class DayCosts(Counted):
    day: date


class Costs(BaseModel):
    currency: Literal["USD"] = "USD"
    since: date
    kept_in: KeptIn
    """`memory`: of this one process since it started."""
    total: Counted
    by_model: list[ModelCosts]
    by_day: list[DayCosts]


def summed(rows: Rows, since: date, kept_in: KeptIn) -> Costs:
    """By model in the alphabet's order, by day the newest first; days without a request are left out."""
    models: dict[str, Counts] = {}
    days: dict[date, Counts] = {}
    for (day, model), counts in rows.items():
        models[model] = models.get(model, Counts()) + counts
        days[day] = days.get(day, Counts()) + counts
    return Costs(
        since=since,
        kept_in=kept_in,
        total=Counted(**_shown(sum(rows.values(), Counts()))),
        by_model=[
            ModelCosts(model=model, priced=model in PRICES, **_shown(counts))
            for model, counts in sorted(models.items(), key=itemgetter(0))
        ],
        by_day=[
            DayCosts(day=day, **_shown(counts)) for day, counts in sorted(days.items(), key=itemgetter(0), reverse=True)
        ],
    )


def _shown(counts: Counts) -> dict[str, Any]:
    """The models take what they show; `micro_usd` is not among it."""
    return asdict(counts) | {"usd": usd(counts.micro_usd)}
