"""A TCP proxy between the gateway and the database that misbehaves on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Passes bytes on until told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.drop_request: bytes | None = None
        """A request that holds these bytes ends its connection before the server sees it."""
        self.drop_reply_to: bytes | None = None
        """The server's reply to a request that holds these bytes ends the connection instead."""
        self.is_silent = False
        """Whether requests vanish while connections stay open."""
        self.hold_request: bytes | None = None
        """A request that holds these bytes is kept back until `released`, after `held` is set."""
        self.held = asyncio.Event()
        self.released = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def opened(cls, host: str, port: int) -> AsyncIterator[tuple[Proxy, int]]:
        """Yield a listening proxy and its port."""
        proxy = cls(host, port)
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        try:
            yield proxy, server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in proxy._tasks:
                task.cancel()
            await asyncio.gather(*proxy._tasks, return_exceptions=True)
            for writer in proxy._writers:
                writer.close()
            for writer in proxy._writers:
                with suppress(OSError):
                    await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, server_writer}
        must_drop = asyncio.Event()
        tasks = {
            asyncio.create_task(self._pass_requests(reader, server_writer, must_drop)),
            asyncio.create_task(self._pass_replies(server_reader, writer, must_drop)),
        }
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        writer.close()
        server_writer.close()

    async def _pass_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, must_drop: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            if self.hold_request and self.hold_request in data:
                self.held.set()
                await self.released.wait()
            if self.drop_request and self.drop_request in data:
                return
            if self.drop_reply_to and self.drop_reply_to in data:
                must_drop.set()
            if not self.is_silent:
                writer.write(data)

    async def _pass_replies(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, must_drop: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            if must_drop.is_set():
                return
            writer.write(data)
