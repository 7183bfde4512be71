"""A way from a container on Docker's own bridge to what listens on loopback, for scripts/sam-invoke."""

import contextlib
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

from ferryman_local.tcp_relay import TcpRelay

HERE = ("127.0.0.1", "localhost")


@contextlib.contextmanager
def reachable(endpoint: str) -> Iterator[str]:
    """An address of the endpoint for containers on Docker's bridge, where loopback is their own.

    On Linux the bridge's address belongs to this machine: what comes in there goes on to the endpoint. Docker Desktop
    has a name for the machine instead, and no such address.
    """
    there = urlsplit(endpoint)
    if there.hostname not in HERE or there.port is None:
        yield endpoint
        return
    asked = ["docker", "network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}} {{end}}"]
    gateways = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    relay = TcpRelay.listening(gateways[0], 0, ("127.0.0.1", there.port)) if gateways else None
    if relay is None:
        yield f"http://host.docker.internal:{there.port}"
        return
    try:
        yield f"http://{gateways[0]}:{relay.port}"
    finally:
        relay.stop()
