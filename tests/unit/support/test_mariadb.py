"""The parts of the database helper that need no server."""

from __future__ import annotations

import pytest

from tests.support.mariadb import NoServerError, Server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("mysql://root@127.0.0.1", Server("127.0.0.1", 3306)),
        ("mysql://app:p%40ss@db.example:3307/crm", Server("db.example", 3307, "app", "p@ss")),
        ("mysql+pymysql://root@localhost/", Server("localhost", 3306)),
    ],
)
def test_a_server_is_read_from_its_url(url: str, server: Server) -> None:
    """Port and account have defaults, escapes are undone and the database name is left out."""
    assert Server.from_url(url) == server


def test_a_url_without_a_host_is_refused() -> None:
    """The message names the variable and the form."""
    with pytest.raises(NoServerError, match=r"GATEWAY_TEST_DATABASE_URL must look like mysql://"):
        Server.from_url("crm.sqlite3")


def test_the_password_is_escaped_in_a_database_url() -> None:
    """The URL can be read back whatever the password contains."""
    server = Server("127.0.0.1", 3307, "app", "p@s/s:")

    assert server.url("gateway_test_main") == "mysql://app:p%40s%2Fs%3A@127.0.0.1:3307/gateway_test_main"
    assert Server.from_url(server.url()) == server


@pytest.mark.parametrize("name", ["perfex", "mysql", "gateway_", "gateway_x`; DROP DATABASE perfex; --"])
def test_only_databases_of_our_own_are_ever_dropped(name: str) -> None:
    """The name is checked before anything is sent."""
    server = Server("127.0.0.1", 1)

    with pytest.raises(ValueError, match="a test database is called gateway_"):
        server.create_database(name)
