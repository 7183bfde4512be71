"""Lets a container on Docker's default bridge reach a server on loopback, for scripts/sam-invoke."""

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
    """Return an address at which containers on Docker's bridge reach the endpoint.

    On Linux the bridge's address belongs to this machine, and a relay on it forwards connections to the endpoint.
    Docker Desktop has a host name for the machine instead.
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
    """Return the IPv4 address of a bridge network on the machine of its engine; None if it has none.

    `network` is one entry of `docker network inspect`. An engine usually reports the address as the gateway.
    Docker 20.10 omits the gateway of its default bridge on the first start after the installation. The bridge then has
    the first address that Docker assigns: the first of IPRange (`--fixed-cidr`) or otherwise of the subnet, never the
    network address itself.
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
    """Return Docker's description of a network; empty if there is no network of this name."""
    asked = ["docker", "network", "inspect", network]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    found: list[dict[str, Any]] = json.loads(told or "[]")
    return found[0] if found else {}
