"""HTTP/1.1 on the wire: what never becomes a request is ended here, and a server that stops says so first.

What comes in: bytes of one connection. What goes out: requests to the application, as uvicorn makes
them, and answers. Added to uvicorn's protocol: headers must arrive in time and be of bounded size,
connections are bounded in number, malformed requests get the same problem documents as all others,
and idle connections are not cut under a request that is on its way.

A refusal takes the application's way too, as a request with an error of its own in the scope
(`REFUSAL`, which the shield raises): so it carries the headers and leaves the records of every answer.
"""

from __future__ import annotations

import asyncio
import fcntl
import secrets
import struct
import termios
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, NamedTuple, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from gateway.errors import GatewayError, RequestError, ThrottledError
from gateway.settings import Settings
from gateway.web.answering import Answering
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.proxies import Proxies
from gateway.web.replies import problem_body
from gateway.web.stages.headers import SECURITY_HEADERS
from gateway.web.stages.shield import REFUSAL, headers_too_large
from gateway.web.tally import Tally
from gateway.web.turns import overloaded

IDLE_GRACE_S: Final = 0.5
"""Seconds that a connection stays open after the server was asked to stop, for a request that is on its way."""

LINGER_S: Final = 2.0
"""Seconds in which a client may take its refusal while it is still sending what nobody reads."""

UNREAD_S: Final = 30.0
"""Seconds without a byte taken after which an answer is given up, when its connection is due to close."""

STAGE: Final = "connection"
"""Where metrics say that a refusal came from which is made here, before the stages."""

MOST_PIPELINED: Final = 16
LOOK_EVERY_S: Final = 1.0


class Limits(NamedTuple):
    """What connections of one worker may do."""

    header_wait_s: float
    header_bytes: int
    url_bytes: int
    connections: int
    address_connections: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits that the settings give."""
        return cls(
            settings.header_wait_s,
            settings.max_header_bytes,
            settings.max_url_bytes,
            settings.max_connections,
            settings.max_connections_per_address,
        )


@dataclass(slots=True)
class Door:
    """What the connections of one worker have in common. It goes to the worker's process before it is used."""

    limits: Limits
    proxies: Proxies = field(default_factory=lambda: Proxies(""))
    is_closing: bool = False
    """Whether the server was asked to stop: each answer is then the last one of its connection."""
    _held: dict[str, int] = field(default_factory=dict)
    """How many connections each address has open; those of trusted proxies are many clients' and not counted."""
    _timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, settings: Settings) -> Door:
        """Return what the settings ask for."""
        return cls(Limits.of(settings), Proxies(settings.trusted_proxies))

    def admit(self, transport: asyncio.Transport, held: int) -> str:
        """Count a connection beside so many others, and return the address to `leave` with, empty for none.

        Raises:
            UnavailableError: ``overloaded``, for too many in all.
            ThrottledError: ``address_throttled``, for too many of its address.
        """
        if held >= self.limits.connections:
            raise overloaded()
        peer = get_remote_addr(transport)
        address = self.proxies.counted(peer[0]) if peer else ""
        if address:
            number = self._held.get(address, 0)
            if number >= self.limits.address_connections:
                detail = "As many connections are open from this address as may be. Use those, or close some."
                raise ThrottledError("address_throttled", detail, headers={"Retry-After": "1"})
            self._held[address] = number + 1
        return address

    def leave(self, address: str) -> None:
        """Count a connection no more."""
        number = self._held.pop(address, 1) - 1
        if number:
            self._held[address] = number

    def watch(self, connections: Iterable[Any], loop: asyncio.AbstractEventLoop) -> None:
        """Look at all connections from time to time while there are any."""
        if self._timer is None:
            pause = min(LOOK_EVERY_S, self.limits.header_wait_s / 4)
            self._timer = loop.call_later(pause, self._look, connections, loop)

    def _look(self, connections: Iterable[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        present = tuple(connections)
        for connection in present:
            connection.look(now)
        if present:
            self.watch(connections, loop)


class GatewayProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        door: Door,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._door = door
        self._limits = door.limits
        self._since = 0.0
        """Since when the headers of a request are due, on the loop's clock; 0 while none are."""
        self._arrived = -1
        """How many bytes of headers have arrived without their end; -1 outside of headers."""
        self._is_overdue = False
        """Whether the connection was to close for idleness when its client had not taken all of the last answer."""
        self._unread = 0
        self._unread_since = 0.0
        """What the client had left to take when it last took something, and when that was; 0 while nobody looks."""
        self._counted = ""
        """The address that the connection is counted for."""
        self._is_deaf = False

    # --- the connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take a connection, or close it when there are too many."""
        try:
            self._counted = self._door.admit(transport, len(self.connections))
        except GatewayError as error:
            self.transport = transport
            self._is_deaf = True
            transport.write(self._last_words(error))
            transport.close()
            return
        super().connection_made(transport)
        self._since = self.loop.time()
        self._door.watch(self.connections, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection, and end what runs for it."""
        super().connection_lost(exc)
        self._is_deaf = True
        if self._counted:
            self._door.leave(self._counted)
            self._counted = ""

    def data_received(self, data: bytes) -> None:
        """Take what arrived; a client that was refused is not listened to any more."""
        if self._is_deaf:
            return
        if not self._since and not self._is_busy():
            self._since = self.loop.time()
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # it was answered as the request it also is; see `on_headers_complete`
        except httptools.HttpParserError:
            self._refuse(_malformed())
            return
        if self._arrived >= 0:
            self._count(len(data))

    def _count(self, size: int) -> None:
        self._arrived += size
        if len(self.url) > self._limits.url_bytes:
            self._refuse(RequestError("uri_too_long", f"The URL exceeds {self._limits.url_bytes} bytes."))
        elif self._arrived > self._limits.header_bytes:
            self._refuse(headers_too_large(f"The headers exceed {self._limits.header_bytes} bytes."))

    def look(self, now: float) -> None:
        """End what takes too long: headers that do not come, answers that nobody takes."""
        if self.transport.is_closing():
            if self._is_left_unread(now):
                self.transport.abort()
        elif self._is_overdue:
            self._look_at_overdue(now)
        elif self._since and now - self._since > self._limits.header_wait_s and not self._is_busy():
            self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for too long; one whose client still takes the last answer is not idle."""
        if not self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._is_overdue, self._unread_since = True, 0.0
        else:
            super().timeout_keep_alive_handler()

    def _look_at_overdue(self, now: float) -> None:
        """Give up what nobody takes; when all is taken the connection is idle from now on."""
        if self._is_busy():  # the next request is there already
            self._is_overdue = False
        elif not self.transport.get_write_buffer_size():
            self._is_overdue = False
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        elif self._is_left_unread(now):
            self.transport.abort()

    def _is_left_unread(self, now: float) -> bool:
        """Whether the client has taken nothing for too long, however much or little it takes at a time."""
        unread = self.transport.get_write_buffer_size() + _in_flight(self.transport)
        if not self._unread_since or unread < self._unread:
            self._unread_since = now
        self._unread = unread
        return now - self._unread_since > UNREAD_S

    def shutdown(self) -> None:
        """Stop after the answers that are due; an idle connection first waits for a request that is on its way."""
        if self._is_busy():
            self._last_cycle().keep_alive = False
        else:
            self.loop.call_later(IDLE_GRACE_S, self._close_idle)

    def _close_idle(self) -> None:
        if not self._is_busy() and not self.transport.is_closing():
            self.transport.close()

    def _is_busy(self) -> bool:
        return bool(self.cycle) and not self._last_cycle().response_complete

    def _last_cycle(self) -> RequestResponseCycle:
        return self.pipeline[0][0] if self.pipeline else self.cycle

    # --- one request ---

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._arrived = 0
        if not self._since:
            self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Hand a request to the application."""
        self._since, self._arrived = 0.0, -1
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("more requests on one connection than are answered")
        self._address(self.scope)
        # What follows are trailers, which are not headers (RFC 9110, section 6.5.1), and nobody reads them here.
        self.headers = _DROPPED
        parser, is_busy = self.parser, self._is_busy()
        # What follows a refused upgrade would not be understood.
        is_last = self._door.is_closing or parser.should_upgrade() or self.scope["http_version"] == "1.0"
        is_kept = not is_last and parser.should_keep_alive()
        self.cycle = self._cycle(is_expecting=self.expect_100_continue, is_kept=is_kept)
        if is_busy:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))
        else:
            self._start_asgi_task(self.cycle, self.app)

    def _address(self, scope: Any) -> None:
        """Note in the scope what the request line says, as uvicorn does."""
        url = httptools.parse_url(self.url)
        raw_path: bytes = url.path
        path = raw_path.decode("ascii")
        version = self.parser.get_http_version()
        if version != "1.1":
            scope["http_version"] = version
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = raw_path
        scope["query_string"] = url.query or b""

    def stop_listening(self) -> bool:
        """Close the sending half, and the rest when the client has had time to read; whether there is a need to."""
        if self._is_deaf or self.cycle.more_body:
            self._is_deaf = True
            self.pipeline.clear()
            self.flow.resume_reading()  # what is unread at the end would make the system take the answer back
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.loop.call_later(LINGER_S, self._hang_up)
            return True
        return False

    def _hang_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, error: GatewayError) -> None:
        """Answer what is no request, after those before it; nothing more is read from the connection."""
        self._is_deaf = True
        self._since, self._arrived = 0.0, -1
        if self._is_busy():
            self._break_off()
            return
        self.cycle = self._refused_cycle(error)
        self._start_asgi_task(self.cycle, self.app)

    def _break_off(self) -> None:
        """Let the requests that arrived whole have their answers; one whose body cannot go on ends here."""
        last = self._last_cycle()
        last.keep_alive = False
        if last.more_body and not self.pipeline:
            if not last.response_started:
                self.transport.write(self._last_words(_malformed(), self._id_of(last)))
            last.disconnected = True
            last.message_event.set()
            self.stop_listening()

    def _last_words(self, error: GatewayError, request_id: str = "") -> bytes:
        """An answer that no application makes, the last of its connection; it is counted all the same."""
        tally: Tally | None = self.app_state.get("tally")
        if tally is not None:
            tally.refuse(STAGE, error.code)
        return _answer(error, request_id or secrets.token_hex(8))

    @staticmethod
    def _id_of(cycle: RequestResponseCycle) -> str:
        exchange: Exchange | None = cast("dict[str, Any]", cycle.scope).get(EXCHANGE)
        return exchange.request_id if exchange is not None else ""

    def _refused_cycle(self, error: GatewayError) -> RequestResponseCycle:
        HttpToolsProtocol.on_message_begin(self)
        scope: Any = self.scope
        scope.update(method="GET", path="/", raw_path=b"/", query_string=b"", headers=[])
        scope[REFUSAL] = error
        return self._cycle(is_expecting=False, is_kept=False)

    def _cycle(self, *, is_expecting: bool, is_kept: bool) -> RequestResponseCycle:
        return Answering(
            scope=self.scope,
            transport=_Lingering(self),  # type: ignore[arg-type]  # as much of a transport as the cycle uses
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=is_expecting,
            keep_alive=is_kept,
            on_response=self.on_response_complete,
        )

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: what clients offer is no event of the gateway's."""


class _Lingering:
    """A connection's transport that does not close under a client which is still sending.

    Closing while data is unread resets the connection, and the client may lose the answer it was to
    read (RFC 9112, section 9.6).
    """

    __slots__ = ("_protocol", "_transport", "is_closing", "write")

    def __init__(self, protocol: GatewayProtocol) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        self.write = self._transport.write
        self.is_closing = self._transport.is_closing

    def close(self) -> None:
        """Close now, or soon."""
        if self._transport.is_closing() or not self._protocol.stop_listening():
            self._transport.close()


class _Dropped(list[tuple[bytes, bytes]]):
    """A list that stays empty."""

    def append(self, item: tuple[bytes, bytes]) -> None:
        """Drop an item."""


_DROPPED: Final = _Dropped()


def _malformed() -> RequestError:
    return RequestError("request_syntax", "What was sent is no well-formed HTTP request.")


def _in_flight(transport: asyncio.Transport) -> int:
    """How many bytes the system holds that the client has not acknowledged, 0 where it does not tell.

    The system takes much at a time from the transport's buffer: of a slow client's progress it knows first.
    """
    connection = transport.get_extra_info("socket")
    if connection is None:
        return 0
    try:
        held: int = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
    except (OSError, ValueError):
        return 0
    return held


def _answer(error: GatewayError, request_id: str) -> bytes:
    body = problem_body(error, "/", request_id)
    lines = [
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        "content-type: application/problem+json",
        f"content-length: {len(body)}",
        "connection: close",
        f"x-request-id: {request_id}",
        *(f"{name.decode()}: {value.decode()}" for name, value in SECURITY_HEADERS),
        *(f"{name.lower()}: {value}" for name, value in error.headers.items()),
    ]
    return "\r\n".join((*lines, "", "")).encode() + body
