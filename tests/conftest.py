"""What every test can ask for: the database server, a database of its own worker, and how tests are run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.mariadb import PrivateServer, Server, given_server
from tests.support.sharing import Counter, Lender

hypothesis.settings.register_profile("dev", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")

LENDER = pytest.StashKey[Lender]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag of the golden cases."""
    parser.addoption(
        "--golden-rewrite", action="store_true", help="write what golden cases answer now; review reads the diff"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Open the counter where the fixtures of all workers ask for the server; the workers are given its place."""
    if not hasattr(config, "workerinput"):
        config.stash[LENDER] = Lender()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the shared server, if one was started."""
    lender = config.stash.get(LENDER, None)
    if lender is not None:
        lender.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell an xdist worker where the counter is."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist's controller object is untyped
    counter = config.stash[LENDER].counter
    node.workerinput["mariadb_counter"] = (counter.path, counter.key)  # type: ignore[attr-defined]  # as above


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run every async test and fixture on asyncio, the only loop the gateway is served by."""
    return "asyncio"


@pytest.fixture(scope="session")
def mariadb_server(pytestconfig: pytest.Config) -> Server:
    """The one database server of this test run: the one given in the environment, or a private one."""
    given = given_server()
    if given is not None:
        return given
    worker: dict[str, tuple[str, str]] | None = getattr(pytestconfig, "workerinput", None)
    counter = Counter(*worker["mariadb_counter"]) if worker else pytestconfig.stash[LENDER].counter
    return counter.borrow()


@pytest.fixture(scope="session")
def mariadb_url(mariadb_server: Server) -> Iterator[str]:
    """The URL of a database, empty at first, that belongs to this worker alone."""
    name = f"gateway_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    yield mariadb_server.create_database(name)
    mariadb_server.drop_database(name)


@pytest.fixture
def private_server() -> Iterator[PrivateServer]:
    """A running server of this test's own, to be killed, stopped and restarted at will."""
    with PrivateServer.started() as server:
        yield server
