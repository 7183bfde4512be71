"""Which addresses a smoke test may connect to. Pure.

Called by `clients.http_client` with what a name resolved to. Refused is what belongs to the machine or its cloud
rather than to a service: instance and task metadata would hand out credentials to whoever can write a document.
Python's `is_global` and `is_private` don't decide that: `64:ff9b::a9fe:a9fe` is global to them, and an internal load
balancer is private (docs/reference/aws-facts.md#addresses-that-smoke-tests-may-not-ask).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

# Networks of the cloud's own services: metadata, DNS, time, credentials of EKS pods.
_CLOUD_V6 = IPv6Network("fd00:ec2::/32")
_THIS_NETWORK = IPv4Network("0.0.0.0/8")

# IPv6 forms that carry an IPv4 address, and by how many bits it stands from the right.
_EMBEDDED: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # translated (SIIT)
    (IPv6Network("::/96"), 0),  # compatible, deprecated
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("64:ff9b:1::/48"), 0),  # NAT64 of one's own network
    (IPv6Network("2002::/16"), 80),  # 6to4
)


def refusal(text: str, *, allow_loopback: bool) -> str | None:
    """Return why an address may not be asked, or None. `text` is an IPv4 or IPv6 address as resolved."""
    try:
        address = ip_address(text)
    except ValueError:
        return f"{text!r} is not an IP address"
    for one in (address, *_carried(address)):
        reason = _reason(one, allow_loopback)
        if reason is not None:
            return f"{address} is {reason}" if one == address else f"{address} stands for {one}, which is {reason}"
    return None


def _carried(address: Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address stands for."""
    # :: and ::1 lie in the range of the compatible form, but are themselves.
    if isinstance(address, IPv4Address) or address.is_loopback or address.is_unspecified:
        return []
    bare = IPv6Address(int(address))  # without a scope
    found = [IPv4Address((int(bare) >> shift) & 0xFFFFFFFF) for network, shift in _EMBEDDED if bare in network]
    teredo = bare.teredo
    return [*found, *(teredo or ())]


def _reason(address: Address, allow_loopback: bool) -> str | None:
    if isinstance(address, IPv4Address):
        if address in _THIS_NETWORK:
            return "an unspecified address"
        if address == IPv4Address("255.255.255.255"):
            return "a broadcast address"
    else:
        address = IPv6Address(int(address))
        if address in _CLOUD_V6:
            return "an address of the cloud's metadata services"
    if address.is_link_local:
        return "a link-local address, which serves instance and task metadata"
    if address.is_unspecified:
        return "an unspecified address"
    if address.is_loopback:
        return None if allow_loopback else "a loopback address, which is the function itself and no service"
    if address.is_multicast:
        return "a multicast address"
    if isinstance(address, IPv4Address) and address.is_reserved:
        return "a reserved address"
    return None
