"""A way from a container on Docker's own bridge to what listens on loopback, for scripts/sam-invoke."""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from ipaddress import ip_interface, ip_network
from typing import Any
from urllib.parse import urlsplit

from ferryman_local.engines.tcp_relay import TcpRelay

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
    address = bridge_address(_inspected("bridge"))
    relay = TcpRelay.listening(address, 0, ("127.0.0.1", there.port)) if address else None
    if relay is None:
        yield f"http://host.docker.internal:{there.port}"
        return
    try:
        yield f"http://{address}:{relay.port}"
    finally:
        relay.stop()


def bridge_address(network: Mapping[str, Any]) -> str | None:
    """The IPv4 address that a bridge network has on the machine of its engine; None where it has none.

    `network` is one entry of `docker network inspect`. An engine tells the address as the gateway, but not always:
    Docker 20.10 leaves the gateway of its default bridge out until it finds that bridge made by an earlier start. The
    bridge has the first address that Docker hands out then: the first of IPRange (`--fixed-cidr`) or else of the
    subnet, and never the subnet's own.
    """
    for pool in (network.get("IPAM") or {}).get("Config") or []:
        subnet = ip_network(pool["Subnet"], strict=False)
        if subnet.version != 4:
            continue
        if told := pool.get("Gateway"):
            return str(ip_interface(told).ip)
        first = ip_network(pool.get("IPRange") or subnet, strict=False).network_address
        return str(first + 1 if first == subnet.network_address else first)
    return None


def _inspected(network: str) -> dict[str, Any]:
    """What Docker tells about a network; nothing where there is none of this name."""
    asked = ["docker", "network", "inspect", network]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    found: list[dict[str, Any]] = json.loads(told or "[]")
    return found[0] if found else {}
