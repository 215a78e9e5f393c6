"""Whose request it is, when proxies stand before the gateway and when somebody pretends so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigurationError
from gateway.web.proxies import Peer, Proxies

TRUSTED = "10.0.0.0/8, 2001:db8::/32"


def scope(client: str | None, headers: Mapping[str, str] | None = None, scheme: str = "http") -> dict[str, Any]:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return {"type": "http", "client": (client, 4711) if client is not None else None, "scheme": scheme, "headers": raw}


def peer(client: str | None, trusted: str = TRUSTED, scheme: str = "http", **headers: str) -> Peer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Proxies(trusted).peer_of(scope(client, named, scheme))


SCHEMES = ["http", "https", "https, http", "", "x"]


@given(st.text('0123456789abcdef.:, "[]%unix', max_size=60), st.sampled_from(SCHEMES))
def test_what_a_stranger_forwards_changes_nothing(forwarded: str, scheme: str) -> None:
    """Anybody can write the header."""
    given_headers = {"x_forwarded_for": forwarded, "x_forwarded_proto": scheme}

    assert peer("203.0.113.9", **given_headers) == Peer("203.0.113.9", is_secure=False)
    assert peer("10.0.0.1", "", **given_headers) == Peer("10.0.0.1", is_secure=False)


@pytest.mark.parametrize(
    ("forwarded", "due"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what stands before it the client wrote
        ("10.9.9.9, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.3,10.0.0.2", "10.0.0.3"),  # a client inside the trusted network
        ("203.0.113.9:5678", "203.0.113.9"),
        ('"[2001:db9::1]:80"', "2001:db9::1"),
        ("2001:DB9:0:0::1", "2001:db9::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, unknown", "10.0.0.1"),  # behind what is no address nothing is believed
        ("203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("203.0.113.9, ", "10.0.0.1"),
        ("", "10.0.0.1"),
        ("'; DROP TABLE x", "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_tells_its_client(forwarded: str, due: str) -> None:
    """From the right: each proxy adds whom it was called by."""
    assert peer("10.0.0.1", x_forwarded_for=forwarded).address == due
    assert peer("::ffff:10.0.0.1", x_forwarded_for=forwarded).address == due


def test_no_client_makes_the_list_long() -> None:
    """Only so many proxies stand in a row."""
    forwarded = "203.0.113.9, " + ", ".join(["10.0.0.2"] * 2_000)

    assert peer("10.0.0.1", x_forwarded_for=forwarded).address == "10.0.0.2"


@pytest.mark.parametrize(
    ("schemes", "hops", "is_secure"),
    [
        ("https", "203.0.113.9", True),
        ("HTTPS", "203.0.113.9", True),
        ("http", "203.0.113.9", False),
        ("https, http", "203.0.113.9, 10.0.0.2", True),  # the client came over TLS, the proxies spoke without
        ("https, http", "198.51.100.1, 203.0.113.9", False),  # the first of both the client wrote
        ("https, http", "203.0.113.9", False),
        ("gopher", "203.0.113.9", False),
        ("", "203.0.113.9", False),
    ],
)
def test_the_scheme_is_that_of_the_believed_client(schemes: str, hops: str, is_secure: bool) -> None:
    """With as many schemes as addresses they belong together; else the nearest proxy's counts."""
    assert peer("10.0.0.1", x_forwarded_for=hops, x_forwarded_proto=schemes).is_secure == is_secure


def test_tls_of_the_connection_itself_counts() -> None:
    """Unless a trusted proxy says otherwise."""
    assert peer("203.0.113.9", scheme="https", x_forwarded_proto="http").is_secure
    assert peer("10.0.0.1", scheme="https").is_secure
    assert not peer("10.0.0.1", scheme="https", x_forwarded_proto="http").is_secure


def test_a_unix_socket_is_trusted_by_its_word() -> None:
    """Its peer has no address."""
    assert peer(None, "unix", x_forwarded_for="203.0.113.9").address == "203.0.113.9"
    assert peer(None, TRUSTED, x_forwarded_for="203.0.113.9").address == ""


def test_repeated_headers_are_one_list() -> None:
    """RFC 9110, section 5.3; and what is remembered of one request is not said of another."""
    proxies = Proxies(TRUSTED)
    repeated = scope("10.0.0.1")
    repeated["headers"] = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-for", b"10.0.0.2")]

    for _ in range(2):
        assert proxies.peer_of(repeated).address == "203.0.113.9"
        assert proxies.peer_of(scope("10.0.0.1")).address == "10.0.0.1"
        assert proxies.peer_of(scope("198.51.100.7", {"x-forwarded-for": "10.0.0.2"})).address == "198.51.100.7"


def test_what_is_remembered_is_bounded() -> None:
    """Many clients behind a proxy cost no memory."""
    proxies = Proxies(TRUSTED)
    for number in range(10_000):
        address = f"198.51.{number // 250}.{number % 250}"
        assert proxies.peer_of(scope("10.0.0.1", {"x-forwarded-for": address})).address == address
        assert proxies.peer_of(scope(address)).address == address

    assert len(proxies._forwarded) <= 4_096
    assert len(proxies._known) <= 4_096


@pytest.mark.parametrize("word", ["10.0.0.0/33", "10.0.0.1/8", "proxy.example", "*"])
def test_a_word_that_is_no_network_ends_the_start(word: str) -> None:
    """A mistyped network would either trust nobody or everybody."""
    with pytest.raises(ConfigurationError, match="GATEWAY_TRUSTED_PROXIES"):
        Proxies(f"127.0.0.1, {word}")


def test_nothing_long_is_remembered() -> None:
    """Any client can make what a proxy forwards long; it is read each time then, and means the same."""
    proxies = Proxies(TRUSTED)
    for number in range(10):
        long = {"x-forwarded-for": f"{'a' * 30_000}, 203.0.113.{number}", "x-forwarded-proto": "https"}
        assert proxies.peer_of(scope("10.0.0.1", long)) == Peer(f"203.0.113.{number}", is_secure=True)

    assert not proxies._forwarded
