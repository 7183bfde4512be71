"""The address of Docker's bridge, as several versions of Docker tell it, and a way to it that a container can use."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.engines.bridge import bridge_address, reachable

SUBNET = "172.17.0.0/16"


def told(*pools: dict[str, Any]) -> dict[str, Any]:
    """An entry of `docker network inspect bridge`."""
    return {
        "Name": "bridge",
        "Scope": "local",
        "Driver": "bridge",
        "IPAM": {"Driver": "default", "Options": None, "Config": list(pools)},
        "Options": {"com.docker.network.bridge.name": "docker0"},
    }


@pytest.mark.parametrize(
    ("pools", "address"),
    [
        pytest.param([{"Subnet": SUBNET}], "172.17.0.1", id="20.10-first-start"),
        pytest.param([{"Subnet": SUBNET, "Gateway": "172.17.0.1"}], "172.17.0.1", id="20.10-later-start"),
        pytest.param([{"Subnet": SUBNET, "IPRange": "172.17.5.0/24"}], "172.17.5.0", id="20.10-first-start-fixed-cidr"),
        pytest.param(
            [{"Subnet": SUBNET, "IPRange": "172.17.5.16/28"}], "172.17.5.16", id="20.10-first-start-small-fixed-cidr"
        ),
        pytest.param([{"Subnet": SUBNET, "IPRange": "172.17.0.0/24"}], "172.17.0.1", id="fixed-cidr-at-the-beginning"),
        pytest.param([{"Subnet": "192.168.77.0/24", "Gateway": "192.168.77.5"}], "192.168.77.5", id="20.10-bip"),
        pytest.param(
            [
                {
                    "Subnet": "192.168.77.0/24",
                    "Gateway": "192.168.77.5",
                    "AuxiliaryAddresses": {"DefaultGatewayIPv4": "192.168.77.9"},
                }
            ],
            "192.168.77.5",
            id="20.10-another-default-gateway",
        ),
        pytest.param([{"Subnet": SUBNET}, {"Subnet": "fd00:1::/64"}], "172.17.0.1", id="20.10-first-start-ipv6"),
        pytest.param(
            [{"Subnet": "fd00:1::/64", "Gateway": "fd00:1::1"}, {"Subnet": SUBNET, "Gateway": "172.17.0.1"}],
            "172.17.0.1",
            id="ipv6-before-ipv4",
        ),
        pytest.param([{"Subnet": "fd00:1::/64", "Gateway": "fd00:1::1"}], None, id="28-ipv6-only"),
        pytest.param(
            [{"Subnet": "172.17.12.225/28", "Gateway": "172.17.12.225"}], "172.17.12.225", id="17.03-bip-in-the-subnet"
        ),
        pytest.param([{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1/16"}], "172.18.0.1", id="1.10-own-network"),
        pytest.param([{"Subnet": SUBNET, "IPRange": "", "Gateway": "172.17.0.1"}], "172.17.0.1", id="29"),
        pytest.param([{"Subnet": SUBNET, "IPRange": "", "Gateway": ""}], "172.17.0.1", id="empty-is-not-told"),
        pytest.param([], None, id="no-pool"),
    ],
)
def test_the_address_as_versions_of_docker_tell_it(pools: list[dict[str, Any]], address: str | None) -> None:
    """Those of 20.10 are recorded, each with what `ip addr show docker0` said."""
    assert bridge_address(told(*pools)) == address


@pytest.mark.parametrize("network", [{}, {"IPAM": None}, {"IPAM": {"Driver": "null", "Config": None}}])
def test_a_network_without_addresses(network: dict[str, Any]) -> None:
    assert bridge_address(network) is None


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` that answers `network inspect bridge` with this file; without it as for an unknown network."""
    program, answer = tmp_path / "bin" / "docker", tmp_path / "answer"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ "$*" = "network inspect bridge" ] || exit 2\n'
        f"cat {answer} 2>/dev/null || {{ echo []; echo 'No such network: bridge' >&2; exit 1; }}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return answer


def test_an_engine_that_tells_no_gateway_is_reached_at_the_first_address(docker: Path, emulator: Emulator) -> None:
    """The subnet is loopback's, so that its first address is this machine's, as a bridge's is."""
    docker.write_text(json.dumps([told({"Subnet": "127.0.0.0/8"})]))
    with reachable(emulator.endpoint) as address:
        assert address.startswith("http://127.0.0.1:")
        assert address != emulator.endpoint
        answer = httpx.get(f"{address}/_ferryman/owner", trust_env=False)
    assert emulator.owner in answer.text


@pytest.mark.parametrize("network", [told({"Subnet": "192.0.2.0/24", "Gateway": "192.0.2.1"}), None])
def test_an_address_that_is_not_this_machines_is_left_to_docker(docker: Path, network: dict[str, Any] | None) -> None:
    """Docker Desktop, whose bridge is in a virtual machine; and an engine that has no such bridge."""
    if network:
        docker.write_text(json.dumps([network]))
    with reachable("http://127.0.0.1:4566") as address:
        assert address == "http://host.docker.internal:4566"


def test_an_endpoint_elsewhere_is_taken_as_it_is(docker: Path) -> None:
    docker.write_text("not asked for")
    with reachable("http://aws.example:4566") as address:
        assert address == "http://aws.example:4566"
