"""A fault-injecting proxy on loopback between clients and the emulator, for tests.

AWS sometimes loses responses, throttles, and returns stale data; the emulator never does. `FaultProxy` forwards every
request unchanged, records it, and lets selected ones fail.
"""

from ferryman_local.proxy.faults import Fault, FaultKind, Request
from ferryman_local.proxy.server import FaultProxy

__all__ = ["Fault", "FaultKind", "FaultProxy", "Request"]
