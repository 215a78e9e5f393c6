"""Addresses of stores on servers, before anything is connected."""

from __future__ import annotations

import socket
import sys

import pytest

from gateway.errors import ConfigurationError
from gateway.state.servers import address_of, parse_url
from gateway.state.store import StateStore


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("mysql://gw:pw@db.example/gateway", "mysql+pymysql"),
        ("mysql+pymysql://gw:pw@db.example/gateway", "mysql+pymysql"),
        ("mariadb://gw:pw@db.example:3307/gateway?unix_socket=/run/x.sock", "mysql+pymysql"),
        ("mariadb+pymysql://gw:pw@db.example/gateway?charset=utf8mb4", "mysql+pymysql"),
        ("postgres://gw:pw@db.example/gateway", "postgresql+psycopg"),
        ("postgresql://gw:pw@db.example/gateway?sslmode=require", "postgresql+psycopg"),
        ("postgresql+psycopg://gw:pw@db.example/gateway", "postgresql+psycopg"),
    ],
)
def test_every_common_spelling_is_understood(given: str, driver: str) -> None:
    """The driver is the gateway's own choice."""
    url = parse_url(given)

    assert (url.drivername, url.password, url.database) == (driver, "pw", "gateway")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("oracle://gw:s3cret@db.example/x", r"oracle://, which the state store does not support"),
        ("mysql+asyncmy://gw:s3cret@db.example/x", r"mysql\+asyncmy://, which"),
        ("mysql://gw:s3cret@db.example", "names no database"),
        ("mysql://gw:s3cret@db.example:port/x", "cannot be read"),
        ("postgresql://gw:s3cret@db.example/x?chrset=utf8", "unknown option chrset; there are host, sslcert"),
        ("mysql://gw:s3cret@db.example/x?local_infile=1", "unknown option local_infile; there are charset"),
    ],
)
def test_a_url_of_another_form_is_refused_without_its_password(given: str, said: str) -> None:
    """The message says what one looks like."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        StateStore.open(given)

    assert "s3cret" not in str(caught.value)


def test_an_address_is_shown_without_user_and_password() -> None:
    """In messages and logs."""
    shown = address_of(parse_url("postgresql://gw:pw@db.example:5433/gateway?sslmode=require"))

    assert shown == "postgresql://db.example:5433/gateway"


@pytest.mark.parametrize("scheme", ["mysql", "postgresql"])
def test_a_server_that_is_not_there_is_told_of(scheme: str) -> None:
    """With the setting, and without the password."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"{scheme}://gw:s3cret@127.0.0.1:{nobody.getsockname()[1]}/gateway"
        with pytest.raises(ConfigurationError, match=r"cannot be used \(.*GATEWAY_STATE_URL must name") as caught:
            StateStore.open(url)

    assert "s3cret" not in str(caught.value)


def test_a_missing_driver_is_told_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's comes with an extra."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'perfex-gateway\[postgres\]'"):
        StateStore.open("postgresql://gw:pw@127.0.0.1:1/gateway")
