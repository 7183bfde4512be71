"""A fault-injecting proxy on loopback between clients and the emulator, for tests.

The emulator never loses a response, throttles, or reads stale; AWS does. `FaultProxy` passes every request byte for
byte, keeps a record of all, and lets chosen ones go wrong.
"""

from ferryman_local.proxy.faults import Fault, FaultKind, Request
from ferryman_local.proxy.server import FaultProxy

__all__ = ["Fault", "FaultKind", "FaultProxy", "Request"]
