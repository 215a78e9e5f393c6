"""What the execution layer does when the database or the network between them fails."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import ConflictError, GatewayError, UnavailableError
from gateway.execution.database import Database
from gateway.execution.failures import refusal_reason
from gateway.observe import DatabaseFound, DatabaseLost, Event, ReadRetried, StatementTimedOut
from tests.support.databases import opened, until
from tests.support.mariadb import PrivateServer, Server
from tests.support.proxy import Proxy

COMMIT = b"\x03COMMIT"
"""A text command of the protocol, as it goes over the wire."""


@pytest.fixture
def name(mariadb_server: Server, mariadb_url: str) -> Iterator[str]:
    """The worker's database with one table."""
    name = mariadb_url.rpartition("/")[2]
    mariadb_server.run("DROP TABLE IF EXISTS kept", "CREATE TABLE kept (id INT PRIMARY KEY)", database=name)
    yield name
    mariadb_server.run("DROP TABLE kept", database=name)


@pytest.fixture
async def proxy(mariadb_server: Server) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy before the shared server, and its port."""
    async with Proxy.opened(mariadb_server.host, mariadb_server.port) as opened_proxy:
        yield opened_proxy


@pytest.fixture
async def events() -> list[Event]:
    """What the database of the test reported."""
    return []


@pytest.fixture
async def database(
    proxy: tuple[Proxy, int], events: list[Event], name: str, mariadb_server: Server
) -> AsyncIterator[Database]:
    """A database behind the proxy."""
    url = replace(mariadb_server, host="127.0.0.1", port=proxy[1]).url(name)
    async with opened(url, events, statement_limit_s=0.5, connect_timeout_s=1.0) as database:
        yield database


async def answers(database: Database) -> bool:
    """Tell whether the database answers now; anything but 503 is an error."""
    try:
        await database.probe()
    except UnavailableError as error:
        if error.code == "database_away":
            return False
        raise
    return True


async def test_a_table_without_a_number_left_says_so(database: Database, mariadb_server: Server, name: str) -> None:
    """By itself and in a transaction: the server answered, so nothing was written and the connection is good."""
    keyed = "CREATE TABLE spent (id INT PRIMARY KEY AUTO_INCREMENT, word TEXT) AUTO_INCREMENT = 2147483647"
    mariadb_server.run("DROP TABLE IF EXISTS spent", keyed, "INSERT INTO spent (word) VALUES ('last')", database=name)
    insert = "INSERT INTO spent (word) VALUES (%s)"
    try:
        with pytest.raises(ConflictError) as alone:
            await database.write(insert, ("x",))
        with pytest.raises(ConflictError) as within:
            async with database.transaction() as session:
                await session.run(insert, ("x",))
        rows = await database.fetch("SELECT word FROM spent", ())
    finally:
        mariadb_server.run("DROP TABLE spent", database=name)

    assert {alone.value.code, within.value.code} == {"refused_by_database"}
    assert "no number left" in alone.value.detail
    assert rows == (("last",),)
    assert database.status().idle == database.status().open == 1


async def test_a_killed_server_that_returns_needs_no_restart(private_server: PrivateServer) -> None:
    """Under load only right answers and 503; afterwards right answers again."""
    events: list[Event] = []
    async with opened(private_server.create_database("gateway_kill"), events, pool_size=8) as database:
        outcomes: list[str] = []
        is_over = False

        async def ask(number: int) -> None:
            while not is_over:
                try:
                    assert await database.fetch("SELECT %s", (number,)) == ((number,),)
                    outcomes.append("right")
                except UnavailableError as error:
                    outcomes.append(error.code)
                await asyncio.sleep(0.001)

        async def is_back() -> bool:
            return outcomes[-1:] == ["right"]

        clients = [asyncio.create_task(ask(number)) for number in range(16)]
        await until(is_back)
        await asyncio.to_thread(private_server.kill)
        await until(lambda: _now("database_away" in outcomes))
        assert not database.status().is_reachable
        await asyncio.to_thread(private_server.start)
        await until(is_back)
        is_over = True
        await asyncio.gather(*clients)

        assert set(outcomes) == {"right", "database_away"}
        assert database.status().is_reachable
        assert database.status().idle == database.status().open <= 8
    kinds = [type(event) for event in events if not isinstance(event, ReadRetried)]
    assert kinds == [DatabaseLost, DatabaseFound]


async def _now(value: bool) -> bool:
    return value


async def test_a_database_that_is_down_at_the_start_is_found_later(private_server: PrivateServer) -> None:
    """Opening does not fail, requests fail at once, and the first sign of life ends it."""
    url = private_server.create_database("gateway_late")
    private_server.stop()
    async with opened(url, pool_wait_s=60) as database:
        async with asyncio.timeout(5):
            for _ in range(50):
                assert not await answers(database)
        await asyncio.to_thread(private_server.start)
        await until(lambda: answers(database))


async def test_too_many_connections_is_busy_not_away(name: str, mariadb_server: Server) -> None:
    """A server that takes no connection more is there all the same."""
    user = "gateway_narrow"
    mariadb_server.run(
        f"CREATE OR REPLACE USER {user} IDENTIFIED BY 'p@ss é' WITH MAX_USER_CONNECTIONS 1",
        f"GRANT ALL ON {name}.* TO {user}",
    )
    url = replace(mariadb_server, user=user, password="p@ss é").url(name)
    try:
        async with opened(url, pool_wait_s=0.2) as database, database.transaction() as session:
            with pytest.raises(UnavailableError) as caught:
                await database.fetch("SELECT 1")
            assert caught.value.code == "database_busy"
            assert (await session.run("SELECT 1")).rows == ((1,),)
            assert database.status().is_reachable
    finally:
        mariadb_server.run(f"DROP USER {user}")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": "gateway_nobody", "password": "x"}, "the database refuses the user or password"),
        ({}, "there is no database of this name"),
    ],
)
async def test_a_refused_login_has_a_reason(mariadb_server: Server, change: dict[str, str], reason: str) -> None:
    """Whoever starts the gateway learns that waiting will not help."""
    async with opened(replace(mariadb_server, **change).url("gateway_no_such")) as database:  # type: ignore[arg-type]  # only text
        with pytest.raises(UnavailableError) as caught:
            await database.probe()

    assert caught.value.code == "database_refuses"
    assert refusal_reason(caught.value) == reason


@pytest.mark.parametrize("way", ["drop_request", "drop_reply_to"])
async def test_a_connection_lost_at_commit_leaves_the_outcome_unknown(
    database: Database, proxy: tuple[Proxy, int], way: str
) -> None:
    """Whether the server got the COMMIT or not cannot be seen from here, and is said so."""
    setattr(proxy[0], way, COMMIT)
    with pytest.raises(UnavailableError) as caught:
        async with database.transaction() as session:
            await session.run("INSERT INTO kept VALUES (1)")

    assert caught.value.code == "outcome_unknown"
    await until(lambda: _has_rows(database, ((1,),) if way == "drop_reply_to" else ()))


async def _has_rows(database: Database, rows: tuple[tuple[int, ...], ...]) -> bool:
    return await database.fetch("SELECT id FROM kept") == rows


async def test_a_connection_lost_before_commit_changed_nothing(
    database: Database, proxy: tuple[Proxy, int], mariadb_server: Server
) -> None:
    """The write is known not to have happened."""

    async def write() -> None:
        async with database.transaction() as session:
            ((thread_id,),) = (await session.run("SELECT CONNECTION_ID()")).rows
            mariadb_server.run(f"KILL {thread_id}")
            await session.run("INSERT INTO kept VALUES (1)")

    with pytest.raises(UnavailableError) as caught:
        await write()

    assert caught.value.code == "database_away"
    assert await database.fetch("SELECT id FROM kept") == ()


async def test_a_cancelled_commit_is_finished(database: Database, proxy: tuple[Proxy, int]) -> None:
    """The client goes away while the server commits: the commit stands and the connection is used again."""

    async def write() -> None:
        async with database.transaction() as session:
            await session.run("INSERT INTO kept VALUES (1)")

    proxy[0].hold_request = COMMIT
    task = asyncio.create_task(write())
    await proxy[0].held.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    proxy[0].released.set()

    async def is_given_back() -> bool:  # seen without a statement, which would open a second connection meanwhile
        return database.status().idle == 1

    await until(is_given_back)
    assert await _has_rows(database, ((1,),))
    assert (database.status().open, database.status().idle) == (1, 1)


async def test_a_silent_network_ends_at_the_limit(
    database: Database, proxy: tuple[Proxy, int], events: list[Event]
) -> None:
    """When the server's own limit cannot be heard, the gateway's belt ends the statement."""
    await database.fetch("SELECT 1")
    proxy[0].is_silent = True
    with pytest.raises(UnavailableError) as caught:
        await database.fetch("SELECT 1")
    assert caught.value.code == "statement_timeout"
    assert database.status().open == 0

    proxy[0].is_silent = False
    await until(lambda: answers(database))
    assert [type(event) for event in events if isinstance(event, StatementTimedOut)] == [StatementTimedOut]


# --- TLS ---


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority and a server certificate of 127.0.0.1."""
    directory = tmp_path_factory.mktemp("certificates")
    tool = shutil.which("openssl")
    assert tool, "the TLS tests need the openssl command"
    new_key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    names = ("-addext", "subjectAltName=IP:127.0.0.1")
    for arguments in (
        ("req", "-x509", *new_key, "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem"),
        ("req", "-x509", *new_key, "-subj", "/CN=Other CA", "-keyout", "other.key", "-out", "other.pem"),
        (
            *("req", "-x509", *new_key, "-subj", "/CN=127.0.0.1", *names, "-addext", "basicConstraints=CA:FALSE"),
            *("-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem"),
        ),
    ):
        subprocess.run([tool, *arguments], cwd=directory, check=True, capture_output=True)
    return directory


@pytest.fixture(scope="module")
def tls_server(certificates: Path) -> Iterator[PrivateServer]:
    """A server that offers TLS."""
    options = (f"--ssl-cert={certificates / 'server.pem'}", f"--ssl-key={certificates / 'server.key'}")
    with PrivateServer.started(options=options) as server:
        server.create_database("gateway_tls")
        yield server


async def cipher(database: Database) -> str:
    """Return the cipher of a connection, empty without TLS."""
    text = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'"
    return str((await database.fetch(text))[0][0])


@pytest.mark.parametrize(("tls", "is_encrypted"), [("off", False), ("prefer", True), ("require", True)])
async def test_tls_is_used_where_it_is_offered(tls_server: PrivateServer, tls: str, is_encrypted: bool) -> None:
    """``prefer`` and ``require`` encrypt, ``off`` does not."""
    async with opened(tls_server.url("gateway_tls"), database_tls=tls) as database:
        assert bool(await cipher(database)) == is_encrypted


async def test_a_certificate_is_verified_when_a_ca_is_given(tls_server: PrivateServer, certificates: Path) -> None:
    """The right CA and host name pass."""
    async with opened(tls_server.url("gateway_tls"), database_tls_ca=str(certificates / "ca.pem")) as database:
        assert await cipher(database)


@pytest.mark.parametrize(("authority", "host"), [("other.pem", "127.0.0.1"), ("ca.pem", "localhost")])
async def test_a_wrong_certificate_or_name_is_refused(
    tls_server: PrivateServer, certificates: Path, authority: str, host: str
) -> None:
    """No statement is sent to a server that is not the one vouched for."""
    url = tls_server.url("gateway_tls").replace("127.0.0.1", host)
    async with opened(url, database_tls_ca=str(certificates / authority)) as database:
        with pytest.raises(UnavailableError) as caught:
            await database.probe()

    assert refusal_reason(caught.value) == "the database's certificate is not the one the CA file vouches for"
    assert isinstance(caught.value.__cause__, Exception)
    assert isinstance(caught.value.__cause__.__cause__, ssl.SSLCertVerificationError)


async def test_without_tls_on_offer_prefer_goes_on_and_require_refuses(
    private_server: PrivateServer, certificates: Path
) -> None:
    """A CA requires TLS too: otherwise whoever sits between could simply not offer it."""
    url = private_server.create_database("gateway_plain")
    ca = str(certificates / "ca.pem")
    async with opened(url) as database:
        assert not await cipher(database)
    for tls, authority in (("require", ""), ("prefer", ca)):
        async with opened(url, database_tls=tls, database_tls_ca=authority) as database:
            with pytest.raises(GatewayError) as caught:
                await database.probe()
        assert refusal_reason(caught.value) == "the database offers no TLS, and the settings require it"
