"""What completions cost. Whole numbers only: millionths of a US dollar, so that no sum ever loses a fraction."""

from dataclasses import dataclass
from decimal import Decimal

MICRO = 1_000_000


@dataclass(frozen=True)
class Price:
    """Micro-USD for a million tokens, which is how providers' price lists count (0.25 USD is 250_000)."""

    prompt: int
    completion: int

    def of(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Micro-USD, rounded up: nothing that was used costs nothing."""
        return -(-(prompt_tokens * self.prompt + completion_tokens * self.completion) // MICRO)


PRICES = {
    # As a small model's would be, so that an environment without a model has costs to show.
    "offline-echo": Price(prompt=250_000, completion=1_250_000),
}


def usd(micro_usd: int) -> str:
    """As a decimal string with six places: 1_234 → "0.001234"."""
    return f"{Decimal(micro_usd) / MICRO:.6f}"
