"""Who sent a request, and whether over TLS: the peer of the connection, or what a trusted proxy says of its own.

What comes in: the networks of trusted proxies and an ASGI scope. What goes out: a `Peer`. A
forwarded header of anybody else changes nothing, whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeVar

from starlette.types import Scope

from gateway.errors import ConfigurationError

LOCAL: Final = "unix"
"""The word for peers on a Unix socket, which have no address."""

MOST_HOPS: Final = 32
MOST_KNOWN: Final = 4_096
MOST_KEPT_BYTES: Final = 128
"""What proxies forward of one request is remembered up to this length: any client can make it long."""

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
_Told = tuple[str, str, bytes, bytes]
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a request came from: its client's address, empty where none is known, and whether over TLS."""

    address: str
    is_secure: bool


class Proxies:
    """Tells peers; what was told once is remembered, of a bounded number of them."""

    def __init__(self, trusted: str) -> None:
        words = trusted_words(trusted)
        self._networks = tuple(_network(word) for word in words if word != LOCAL)
        self._is_local_trusted = LOCAL in words
        self._known: dict[tuple[str, str], Peer | None] = {}
        """Peers of connections; None for those that are trusted."""
        self._forwarded: dict[_Told, Peer] = {}

    def peer_of(self, scope: Scope) -> Peer:
        """Return who sent a request.

        ``X-Forwarded-For`` is read from its end, which the nearest proxy wrote: the first address that is no
        trusted proxy's is the client's. Behind a word that is no address nothing is believed.
        """
        client = scope.get("client")
        host, scheme = (client[0] if client else ""), scope["scheme"]
        try:
            peer = self._known[host, scheme]
        except KeyError:
            peer = self._unproxied(host, scheme)
            _remember(self._known, (host, scheme), peer)
        return peer if peer is not None else self._proxied(host, scheme, scope["headers"])

    def counted(self, host: str) -> str:
        """Return whom a connection of a host is counted for: its address, an IPv6 one's /64; empty for a proxy's."""
        address = _address(host)
        if address is None or self._is_trusted(host):
            return ""
        return str(address) if isinstance(address, IPv4Address) else f"{address.packed[:8].hex()}/64"

    def _unproxied(self, host: str, scheme: str) -> Peer | None:
        if self._is_trusted(host):
            return None
        address = _address(host)
        return Peer(str(address) if address is not None else host, scheme == "https")

    def _is_trusted(self, host: str) -> bool:
        address = _address(host)
        if address is None:
            return host == "" and self._is_local_trusted
        return any(address in network for network in self._networks)

    def _proxied(self, host: str, scheme: str, headers: Iterable[tuple[bytes, bytes]]) -> Peer:
        hops = schemes = b""
        for name, value in headers:
            if name == b"x-forwarded-for":  # repeated ones are one list (RFC 9110, section 5.3)
                hops = hops + b"," + value if hops else value
            elif name == b"x-forwarded-proto":
                schemes = schemes + b"," + value if schemes else value
        if len(hops) + len(schemes) > MOST_KEPT_BYTES:
            return self._believed(host, scheme, _words(hops), _words(schemes))
        told = (host, scheme, hops, schemes)
        peer = self._forwarded.get(told)
        if peer is None:
            peer = self._believed(host, scheme, _words(hops), _words(schemes))
            _remember(self._forwarded, told, peer)
        return peer

    def _believed(self, host: str, scheme: str, hops: Sequence[str], schemes: Sequence[str]) -> Peer:
        believed, back = str(_address(host) or host), 0
        for hop in reversed(hops[-MOST_HOPS:]):
            address = _address(hop)
            if address is None:
                break
            believed, back = str(address), back + 1
            if not self._is_trusted(believed):
                break
        # The scheme that came with the hop which is believed; with another number of them, the nearest proxy's.
        at = back if back and len(schemes) == len(hops) else 1
        word = schemes[-at].lower() if schemes else scheme
        return Peer(believed, (word if word in ("http", "https") else scheme) == "https")


def _remember(known: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(known) >= MOST_KNOWN:
        known.clear()
    known[key] = value


def _words(value: bytes) -> list[str]:
    return [word.strip() for word in value.decode("latin-1").split(",")] if value else []


def trusted_words(text: str) -> tuple[str, ...]:
    """Return the networks of a setting, in order.

    >>> trusted_words("10.0.0.0/8, ::1, unix")
    ('10.0.0.0/8', '::1', 'unix')

    Raises:
        ConfigurationError: a word is no network.
    """
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in words:
        if word != LOCAL:
            _network(word)
    return words


def _network(word: str) -> _Network:
    try:
        return ip_network(word)
    except ValueError as error:
        raise ConfigurationError(
            f'GATEWAY_TRUSTED_PROXIES: "{word}" is no network such as 10.0.0.0/8 or 2001:db8::/32 ({error}).'
        ) from error


def _address(word: str) -> _Address | None:
    """An address as proxies write it, with a port or without; None where it is none.

    An IPv4 address inside an IPv6 one is the IPv4 address, a zone is of this machine alone and left out.
    """
    word = word.strip().strip('"')
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        address = ip_address(word.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
