"""Where a token may be used from: networks and origins."""

from __future__ import annotations

import pytest

from gateway.errors import ConfigurationError, ForbiddenError
from gateway.security.networks import MOST_REMEMBERED, Allowlists, Networks, parse_network, parse_origin
from gateway.security.policy import NO_POLICY, Policy


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        (" 203.0.113.7 ", "203.0.113.7/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_a_network_is_an_address_or_cidr(text: str, network: str) -> None:
    """An IPv4-mapped one is the IPv4 one."""
    assert str(parse_network(text)) == network


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.0/33", "example.com", "10.0.0.*", "fe80::1%eth0/64", "10.1/8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """With the form that is due."""
    with pytest.raises(ConfigurationError, match=r"10\.0\.0\.0/8"):
        parse_network(text)


@pytest.mark.parametrize("text", ["fe80::1%eth0", "fe80::%1/64", "10.0.0.1%eth0"])
def test_the_zone_of_an_address_is_refused(text: str) -> None:
    """The addresses of requests have none, so that such a network would hold nobody."""
    with pytest.raises(ConfigurationError, match="is no network"):
        parse_network(text)


def test_bits_behind_the_prefix_are_refused_with_what_was_meant() -> None:
    """Nobody can tell whether the address or the prefix is the mistake."""
    with pytest.raises(ConfigurationError, match=r"did you mean 192\.168\.4\.0/24"):
        parse_network("192.168.4.17/24")


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("2001:db8::7%eth0", True),
        ("", False),
        ("unix:", False),
        ("10.1.2.3, 10.1.2.4", False),
        ("0x0a010203", False),
    ],
)
def test_an_address_is_found_in_networks_of_its_version(address: str, *, is_in: bool) -> None:
    """A mapped IPv4 address is the IPv4 one; what is no address lies in none. A second look agrees."""
    networks = Networks(("10.0.0.0/8", "2001:db8::/32"))

    assert [networks.hold(address), networks.hold(address)] == [is_in, is_in]


def test_what_is_remembered_of_addresses_is_bounded() -> None:
    """An attacker has as many addresses as it likes; the verdicts stay right."""
    networks = Networks(("10.0.0.0/8",))
    for number in range(MOST_REMEMBERED + 10):
        assert not networks.hold(f"11.0.{number // 256}.{number % 256}")

    assert networks.hold("10.0.0.1")
    assert len(networks._verdicts) <= MOST_REMEMBERED


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.COM:443", "https://app.example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(text: str, origin: str) -> None:
    """RFC 6454, section 6.2."""
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    ["", "*", "null", "app.example.com", "https://", "https://a/", "https://*.a", "https://a:99999", "https://a?b"],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    """A path, a wildcard and ``null`` among them."""
    with pytest.raises(ConfigurationError, match=r"https://app\.example\.com"):
        parse_origin(text)


def code_of(policy: Policy, address: str = "", origin: str = "") -> str | None:
    try:
        Allowlists().check(policy, address, origin)
    except ForbiddenError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("policy", "address", "origin", "code"),
    [
        (NO_POLICY, "", "", None),
        (NO_POLICY, "9.9.9.9", "https://evil.example", None),
        (Policy(addresses=("10.0.0.0/8",)), "10.0.0.1", "", None),
        (Policy(addresses=("10.0.0.0/8",)), "9.9.9.9", "", "address_forbidden"),
        (Policy(addresses=("10.0.0.0/8",)), "", "", "address_forbidden"),
        (Policy(origins=("https://a.example",)), "9.9.9.9", "https://a.example", None),
        (Policy(origins=("https://a.example",)), "", "https://b.example", "origin_forbidden"),
        (Policy(origins=("https://a.example",)), "", "", "origin_forbidden"),
        (Policy(origins=("https://a.example",)), "", "null", "origin_forbidden"),
        (Policy(addresses=("::1",), origins=("https://a.example",)), "::1", "https://b.example", "origin_forbidden"),
    ],
)
def test_a_token_is_held_to_its_addresses_and_origins(
    policy: Policy, address: str, origin: str, code: str | None
) -> None:
    """Each list by itself; a token for pages of some origins is of no use to a request that names none."""
    assert code_of(policy, address, origin) == code
