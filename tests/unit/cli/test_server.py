"""The listening socket: opened early, refused with advice."""

from __future__ import annotations

import socket

import pytest

from gateway.cli.server import address_of, listen
from gateway.errors import ConfigurationError


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
