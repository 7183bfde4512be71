"""Stand-ins on loopback for what is outside of AWS: GitHub and Slack; and programs for people (`people.py`).

GitHub and Slack answer as the real ones do where Ferryman depends on it, record every request, and can be told to be
down, slow or to answer nonsense. Started and stopped by `LocalAws`, in its process: a thread each, no children.
"""

from ferryman_local.standins.github import GitHub
from ferryman_local.standins.server import Call, StandIn, Trouble
from ferryman_local.standins.slack import Slack

__all__ = ["Call", "GitHub", "Slack", "StandIn", "Trouble"]
