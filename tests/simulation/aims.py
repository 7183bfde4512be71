"""Aimed faults: one call of each deployment fails, and perhaps another one soon after it."""

from simulation.choices import Choices

CALLS = 110
"""About so many calls a deployment makes; the first fault falls on any of them alike."""
NEAR = 10
"""How many calls after a fault another one is likelier."""
AGAIN = 0.06
"""How likely each of them fails."""


class Aims:
    """Says which calls of deployments fail beyond those that fail anyway."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._left: dict[str, int] = {}
        """Deployment → how many of its calls come before the one that fails; below zero: after it."""
        self._near: dict[str, int] = {}

    def chance(self, deployment: str) -> float:
        """Return how likely the next call of a deployment fails."""
        if deployment not in self._left:
            self._left[deployment] = self._choices.below(CALLS)
        self._left[deployment] -= 1
        near = self._near[deployment] = self._near.get(deployment, 0) - 1
        return 1.0 if self._left[deployment] == -1 else AGAIN if near >= 0 else 0.0

    def failed(self, deployment: str) -> None:
        """Take note that a call of a deployment failed."""
        self._near[deployment] = NEAR
