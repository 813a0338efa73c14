"""Whose request it is, as far as the network tells: the peer's address, or what proxies that are trusted say of it."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from starlette.types import Scope

from ordermill.kit.networks import Address, address_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What any proxy adds; a request with one of these has come through one, trusted or not.
FORWARDED: Final = frozenset(
    {b"x-forwarded-for", b"forwarded", b"x-real-ip", b"x-forwarded-host", b"x-forwarded-proto", b"via"}
)


def client_address(scope: Scope, *, trusted: Sequence[Network]) -> str:
    """
    Return the client's address; "" where there is none (a Unix socket).

    Of `X-Forwarded-For` only what trusted proxies have added counts: read from the right, the first address that is no
    trusted proxy's. What stands to the left of that may have been written by anybody.
    """
    if not scope.get("client"):
        return ""
    if not trusted:
        return _spelt(scope["client"][0])
    peer = _address(scope["client"][0])
    if peer is None or not _among(peer, trusted):
        return "" if peer is None else str(peer)
    named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    for text in reversed(",".join(named).split(",")):
        found = _address(text.strip())
        if found is None:
            break
        peer = found
        if not _among(found, trusted):
            break
    return str(peer)


def is_on_this_machine(scope: Scope) -> bool:
    """Whether the request comes from this machine itself, with no proxy between that could have let somebody else in."""
    if any(name in FORWARDED for name, _ in scope["headers"]):
        return False
    return bool(scope.get("client")) and _is_loopback(scope["client"][0])


_address = lru_cache(maxsize=4096)(address_of)


@lru_cache(maxsize=4096)
def _spelt(text: str) -> str:
    found = _address(text)
    return "" if found is None else str(found)


@lru_cache(maxsize=4096)
def _is_loopback(text: str) -> bool:
    found = _address(text)
    return found is not None and found.is_loopback


def _among(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
