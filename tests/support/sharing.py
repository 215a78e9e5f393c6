"""One private database server for all the processes of a test run.

The main process holds a `Lender`. The first borrower makes it start the server, so a run that needs no database
starts none; every borrower gets the same address; closing the lender ends the server.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from tests.support.mariadb import NoServerError, PrivateServer, Server


@dataclass(frozen=True, slots=True)
class Counter:
    """Where to ask for the server; plain strings, so that it can be sent to a worker process."""

    path: str
    key: str

    def borrow(self) -> Server:
        """Return the address of the shared server, waiting for its start if need be.

        Raises:
            NoServerError: it could not be started; the message is the lender's.
        """
        with Client(self.path, authkey=self.key.encode()) as connection:
            answer = connection.recv()
        if isinstance(answer, str):
            raise NoServerError(answer)
        host, port, user, password, socket = answer
        return Server(host, port, user, password, socket)


class Lender:
    """Answers `Counter.borrow` from a thread of the main process until closed."""

    def __init__(self) -> None:
        """Open the counter; no server is started yet."""
        self._directory = tempfile.TemporaryDirectory(prefix="gateway-lender-")
        self.counter = Counter(str(Path(self._directory.name) / "counter"), secrets.token_hex())
        self._listener = Listener(self.counter.path, backlog=64, authkey=self.counter.key.encode())
        self._server: PrivateServer | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="mariadb-lender", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering, end the server and delete its data."""
        self._closing = True
        with suppress(OSError, EOFError), Client(self.counter.path, authkey=self.counter.key.encode()):
            pass  # wakes the thread from accept()
        self._thread.join()
        self._listener.close()
        if self._server is not None:
            self._server.close()
        self._directory.cleanup()

    def _serve(self) -> None:
        while True:
            with self._listener.accept() as connection:
                if self._closing:
                    return
                self._answer(connection)

    def _answer(self, connection: Connection) -> None:
        try:
            address = self._address()
        except NoServerError as failure:
            connection.send(str(failure))
        else:
            connection.send((address.host, address.port, address.user, address.password, address.socket))

    def _address(self) -> Server:
        if self._server is None:
            server = PrivateServer()
            try:
                server.start()
            except NoServerError:
                server.close()
                raise
            self._server = server
        return self._server.address
