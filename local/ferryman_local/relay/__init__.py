"""The event relay of the local AWS.

The emulator emits no ECR and no ECS events. The relay watches both through the public API, forms the events that AWS
would send, asks EventBridge which rules want them, and delivers them to the rules' targets. For tests it can lose,
double, delay and reorder them. `python -m ferryman_local.relay` runs it as a process.
"""

from ferryman_local.relay.dispatch import Delivery
from ferryman_local.relay.disturb import Disturbance
from ferryman_local.relay.events import Change, Event
from ferryman_local.relay.service import Relay

__all__ = ["Change", "Delivery", "Disturbance", "Event", "Relay"]
