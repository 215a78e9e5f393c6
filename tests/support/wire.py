"""Bytes on a socket, for clients that no library would let misbehave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

PATIENCE_S = 20.0
_LENGTH = re.compile(rb"^content-length: *(\d+)\r$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it came; ``is_last`` whether the server said that it closes the connection after it."""

    status: int
    head: bytes
    body: bytes

    @property
    def is_last(self) -> bool:
        return b"connection: close" in self.head.lower()


@dataclass(frozen=True, slots=True)
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send some bytes; a server that has closed takes none, which the answer shows."""
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def reply(self) -> Reply | None:
        """Return the next answer with a length, None when the server closed the connection instead."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = await self.reader.readuntil(b"\r\n\r\n")
                if b" 100 Continue" in head[:30]:
                    head = await self.reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await self.reader.readexactly(int(length[1])) if length is not None else b""
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Reply(int(head.split(b" ", 2)[1]), head, body)

    async def is_closed(self) -> bool:
        """Whether the server closes the connection within the time that it may take, sending nothing more."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return not await self.reader.read()
        except ConnectionError:
            return True


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Wire]:
    """Yield a connection to a server by the start of its URLs."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def request(path: str = "/healthz", *lines: str, method: str = "GET", token: str = "", body: bytes = b"") -> bytes:
    """Return a request as bytes."""
    head = [f"{method} {path} HTTP/1.1", "Host: gateway.test", *lines]
    if token:
        head.append(f"Authorization: Bearer {token}")
    return "\r\n".join((*head, "", "")).encode("latin-1") + body
