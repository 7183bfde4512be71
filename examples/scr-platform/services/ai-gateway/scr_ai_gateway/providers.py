"""Who completes a prompt."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

OPENINGS = ("In short", "Put simply", "As asked", "To sum up")


@dataclass(frozen=True)
class Completion:
    """A provider's answer, with what it used."""

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int


class Provider(Protocol):
    def complete(self, prompt: str, max_tokens: int) -> Completion:
        """An answer of at most max_tokens tokens."""
        ...


class OfflineProvider:
    """Answers without a model and without a network: the same prompt always gets the same answer."""

    def complete(self, prompt: str, max_tokens: int) -> Completion:
        words = prompt.split()
        opening = OPENINGS[sha256(prompt.encode()).digest()[0] % len(OPENINGS)]
        answer = f"{opening}: {' '.join(words)}".split()[:max_tokens]
        return Completion(
            text=" ".join(answer),
            model="offline-echo",
            prompt_tokens=len(words),
            completion_tokens=len(answer),
        )
