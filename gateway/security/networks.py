"""Where a token may be used: networks of client addresses, and origins of pages that call with it.

What comes in: texts as an administrator wrote them. What goes out: `Allowlists`, which checks a request in a
microsecond, because networks are parsed once and the verdict on an address is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from gateway.errors import ConfigurationError, ForbiddenError
from gateway.security.policy import Policy

Network = IPv4Network | IPv6Network

MOST_REMEMBERED: Final = 4_096

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_MAPPED_BITS: Final = 96
_ZONE: Final = re.compile(r"%[^/]*")
_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def parse_network(text: str) -> Network:
    """Return the network of a text; one address is a network of its own, an IPv4-mapped one the IPv4 one.

    >>> str(parse_network("10.0.0.0/8")), str(parse_network("::ffff:10.1.2.3")), str(parse_network("2001:db8::/32"))
    ('10.0.0.0/8', '10.1.2.3/32', '2001:db8::/32')

    Raises:
        ConfigurationError: it is none; bits behind the prefix are refused with the network that was meant.
    """
    try:
        if "%" in text:  # the zone of an address is a matter of one machine, and requests are told without it
            raise ValueError
        return _unmapped(ip_network(text.strip()))
    except ValueError:
        hint = _meant(text)
        raise ConfigurationError(
            f'"{text}" is no network: write an address or CIDR, as in 203.0.113.7 or 10.0.0.0/8{hint}.'
        ) from None


def _meant(text: str) -> str:
    try:
        return f"; did you mean {ip_network(_ZONE.sub('', text.strip()), strict=False)}?"[:-1]
    except ValueError:
        return ""


def _unmapped(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        address = IPv4Address(int(network.network_address) & 0xFFFFFFFF)
        return IPv4Network((address, network.prefixlen - _MAPPED_BITS))
    return network


def parse_origin(text: str) -> str:
    """Return an origin as browsers send it: lower case, without a default port.

    >>> parse_origin("HTTPS://App.Example.com:443")
    'https://app.example.com'

    Raises:
        ConfigurationError: it is none; a path, a wildcard and ``null`` are none.
    Source: RFC 6454, section 6.2.
    """
    found = _ORIGIN.fullmatch(text.strip().lower())
    if found is None or int(found[3] or 0) > 65_535:
        raise ConfigurationError(
            f'"{text}" is no origin: write scheme and host, and a port where it is not the usual one, '
            "as in https://app.example.com or http://localhost:3000."
        )
    port = "" if found[3] in (None, _DEFAULT_PORTS.get(found[1])) else f":{found[3]}"
    return f"{found[1]}://{found[2]}{port}"


class Networks:
    """Some networks, and which addresses were found to lie in them; bounded."""

    __slots__ = ("_by_version", "_verdicts")

    def __init__(self, texts: Iterable[str]) -> None:
        networks = [parse_network(text) for text in texts]
        self._by_version = {version: [net for net in networks if net.version == version] for version in (4, 6)}
        self._verdicts: dict[str, bool] = {}

    def hold(self, address: str) -> bool:
        """Whether an address lies in one of the networks; what is no address, as of a Unix socket, does not."""
        verdict = self._verdicts.get(address)
        if verdict is None:
            if len(self._verdicts) >= MOST_REMEMBERED:
                self._verdicts.clear()
            verdict = self._verdicts[address] = self._holds(address)
        return verdict

    def _holds(self, text: str) -> bool:
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._by_version[address.version])


class Allowlists:
    """Holds requests to the addresses and origins of their tokens; one per worker, bounded."""

    __slots__ = ("_networks",)

    def __init__(self) -> None:
        self._networks: dict[tuple[str, ...], Networks] = {}

    def check(self, policy: Policy, address: str, origin: str) -> None:
        """Pass a request from where its token may be used. ``origin`` is that of a browser, empty where none was sent.

        Raises:
            ForbiddenError: ``address_forbidden``, ``origin_forbidden``.
        """
        if policy.addresses and not self._of(policy.addresses).hold(address):
            raise ForbiddenError("address_forbidden", "The token may not be used from this address.")
        if policy.origins and origin not in policy.origins:
            raise ForbiddenError(
                "origin_forbidden",
                "Pages of this origin may not use the token."
                if origin
                else "The token is for pages of certain origins: the request names none.",
            )

    def refuse(self, policy: Policy, address: str, origin: str) -> bool:
        """Whether `check` would refuse a request."""
        return bool(
            (policy.addresses and not self._of(policy.addresses).hold(address))
            or (policy.origins and origin not in policy.origins)
        )

    def _of(self, texts: tuple[str, ...]) -> Networks:
        found = self._networks.get(texts)
        if found is None:
            if len(self._networks) >= MOST_REMEMBERED:
                self._networks.clear()
            found = self._networks[texts] = Networks(texts)
        return found
