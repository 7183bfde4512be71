"""Stand-ins on loopback for services outside of AWS: GitHub and Slack; and simulated people (`people.py`).

They respond like the real services wherever Ferryman depends on it, record every request, and can be made to fail, to
be slow or to return invalid responses. `LocalAws` starts and stops them as threads of its process.
"""

from ferryman_local.standins.github import GitHub
from ferryman_local.standins.server import Call, StandIn, Trouble
from ferryman_local.standins.slack import Slack

__all__ = ["Call", "GitHub", "Slack", "StandIn", "Trouble"]
