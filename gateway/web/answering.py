"""The head of an answer on the wire: what uvicorn writes, for less.

What comes in: the first message of an application. What goes out: the same bytes as uvicorn's. It looks at each
header twice with a pattern and at its name three times more, which for the twenty headers of an answer costs more
than finding a row's access. Here names are looked at once in the life of a process, and the values all at once;
whatever is not as nearly every answer is goes uvicorn's way.
"""

from __future__ import annotations

import re
from typing import Final

from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

MOST_NAMES: Final = 256

_NAME: Final = re.compile(rb"[a-z0-9\-]{1,64}")
_FRAMING: Final = frozenset({b"connection", b"content-length", b"transfer-encoding"})
_CONTROL: Final = bytes(code for code in (*range(32), 127) if code != 9)
_names: Final[set[bytes]] = set()
"""Names of headers that are well-formed, and say nothing of where the answer ends."""


class Answering(RequestResponseCycle):
    """One request and its answer."""

    async def send(self, message: ASGISendEvent) -> None:
        """Write a message of the application."""
        if message["type"] == "http.response.start" and not self.response_started:
            head = self._head(message)
            if head is not None:
                self.response_started = True
                self.waiting_for_100_continue = False
                self.transport.write(head)
                return
        await super().send(message)

    def _head(self, message: HTTPResponseStartEvent) -> bytes | None:
        """The head of an answer whose length is known and after which the connection stays; None for all others."""
        if self.flow.write_paused or self.disconnected or self.access_log or not self.keep_alive:
            return None
        headers = [*self.default_headers, *message["headers"]]
        length = None
        for name, value in headers:
            if name in _names:
                continue
            if name == b"content-length" and length is None and value.isdigit():
                length = int(value)
            elif not _is_plain(name):
                return None
        lines = b"\r\n".join(map(b": ".join, headers))
        if length is None or len(lines.translate(None, _CONTROL)) != len(lines) - 2 * (len(headers) - 1):
            return None  # what is wrong with it, uvicorn says
        self.chunked_encoding, self.expected_content_length = False, length
        return b"%b%b\r\n\r\n" % (STATUS_LINE[message["status"]], lines)


def _is_plain(name: bytes) -> bool:
    if name in _FRAMING or not _NAME.fullmatch(name):
        return False
    if len(_names) < MOST_NAMES:
        _names.add(name)
    return True
