"""The listening socket: opened early, refused with advice."""

from __future__ import annotations

import socket
import sys

import pytest

from gateway.cli.loading import check_load
from gateway.cli.newcomers import hold_off
from gateway.cli.server import address_of, listen
from gateway.errors import ConfigurationError
from gateway.settings import Settings


def test_port_zero_takes_a_free_port_and_says_which() -> None:
    """The address is one that can be called."""
    with listen("127.0.0.1", 0) as listener:
        address = address_of(listener)
        host, port = address.removeprefix("http://").split(":")
        socket.create_connection((host, int(port)), timeout=5).close()

    assert host == "127.0.0.1"


def test_a_port_in_use_is_told() -> None:
    """With the option to change."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} of 127.0.0.1 is in use: .*--port"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_told() -> None:
    """192.0.2.0/24 is reserved for documentation and belongs to nobody."""
    with pytest.raises(ConfigurationError, match="no address of this machine: set GATEWAY_HOST"):
        listen("192.0.2.1", 0)


def test_the_socket_passes_to_worker_processes() -> None:
    """They inherit it."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.get_inheritable()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the filter is Linux's")
def test_newcomers_are_held_off_and_those_who_came_are_served() -> None:
    """What was taken before the filter is accepted after it; what knocks later is not let in."""
    with listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address, timeout=5) as early:
            assert hold_off(listener)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.3)
            early.sendall(b"hello")
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.recv(5) == b"hello"


def test_what_cannot_be_filtered_is_said() -> None:
    """Then the server closes as it can."""
    with socket.socket() as closed:
        pass

    assert not hold_off(closed)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(address_rate="often"), "GATEWAY_ADDRESS_RATE"),
        (Settings(refused_rate="1/fortnight"), "GATEWAY_REFUSED_RATE"),
        (Settings(rate_limit="0/0"), "GATEWAY_RATE_LIMIT"),
        (Settings(rate_store_url="localhost:6379"), "GATEWAY_RATE_STORE_URL"),
        (Settings(trusted_proxies="proxy.example"), "GATEWAY_TRUSTED_PROXIES"),
    ],
)
def test_a_limit_that_cannot_be_read_ends_the_command(settings: Settings, message: str) -> None:
    """Before a worker starts, which could only say so in its log."""
    with pytest.raises(ConfigurationError, match=message):
        check_load(settings)


def test_limits_that_are_off_are_fine() -> None:
    """As are none."""
    check_load(Settings(address_rate="off", refused_rate="0", rate_limit="off"))
