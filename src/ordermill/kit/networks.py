"""What counts as one place on the network: whoever has one IPv6 address has all of its /64, and may take another each time."""

import ipaddress
from functools import lru_cache
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_IPV6_PREFIX: Final = 64


def address_of(text: str) -> Address | None:
    """Read an IP address, an IPv4 one also where it is written as IPv6; None for anything else."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


@lru_cache(maxsize=4096)
def counted_as(text: str) -> str:
    """Return what attempts and requests of an address are counted under; "" where it is none."""
    found = address_of(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((found, _IPV6_PREFIX), strict=False))
    return "" if found is None else str(found)
