"""Database URLs."""

from __future__ import annotations

import pytest

from gateway.errors import ConfigurationError
from gateway.execution.address import Address, parse_address


@pytest.mark.parametrize("scheme", ["mysql", "mysql+pymysql", "mysql+asyncmy", "mariadb", "mariadb+pymysql"])
def test_every_spelling_of_the_scheme_means_the_same(scheme: str) -> None:
    """Parts are percent-decoded, and the port has its default."""
    address = parse_address(f"{scheme}://m%40e:p%2Fw%3A%C3%A9@db.example/crm%20x?charset=utf8mb4")

    assert address == Address("db.example", 3306, "m@e", "p/w:é", "crm x")
    assert "p/w" not in repr(address)


def test_a_socket_and_an_ipv6_host_are_understood() -> None:
    """Both ways to write where the server is."""
    assert parse_address("mysql://me@localhost/crm?unix_socket=%2Frun%2Fx.sock").unix_socket == "/run/x.sock"
    assert parse_address("mysql://me@[::1]:3307/crm").host == "::1"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://h/db", "postgres:// is not one of"),
        ("mysql://u:secret@h", "the path must be the database's name"),
        ("mysql://u:secret@h/db?ssl=1", "unknown option ssl"),
        ("mysql://u:secret@h/db?charset=latin1", "unknown option charset"),
        ("mysql://u:secret@h:port/db", "cannot be read"),
    ],
)
def test_a_bad_url_says_what_is_wrong_but_not_the_password(url: str, words: str) -> None:
    """The administrator sees the mistake, the log no secret."""
    with pytest.raises(ConfigurationError) as caught:
        parse_address(url)

    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
