"""Which addresses a smoke test may ask."""

import pytest

from ferryman.clients.address_filter import refusal

REFUSED = [
    "169.254.169.254",  # instance metadata
    "169.254.170.2",  # task metadata and credentials
    "fd00:ec2::254",
    "fd00:ec2::23",  # credentials of EKS pods
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "::ffff:0:a9fe:a9fe",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::1",  # teredo
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "64:ff9b::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "localhost",
]
LOOPBACK = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
ALLOWED = [
    "10.0.3.4",
    "172.16.0.9",
    "192.168.1.1",
    "100.64.0.1",
    "93.184.216.34",
    "2606:4700::1111",
    "fd12::1",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", REFUSED)
@pytest.mark.parametrize("allow_loopback", [True, False])
def test_refuses(address: str, allow_loopback: bool) -> None:
    assert refusal(address, allow_loopback=allow_loopback)


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_only_on_the_local_aws(address: str) -> None:
    assert refusal(address, allow_loopback=True) is None
    assert "loopback address, which is the function itself" in str(refusal(address, allow_loopback=False))


@pytest.mark.parametrize("address", ALLOWED)
def test_services_may_be_private(address: str) -> None:
    assert refusal(address, allow_loopback=False) is None


def test_says_what_an_address_stands_for() -> None:
    assert "64:ff9b::a9fe:a9fe stands for 169.254.169.254" in str(refusal("64:ff9b::a9fe:a9fe", allow_loopback=False))
