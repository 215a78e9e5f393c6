"""Lists in other formats than JSON: question -> parts -> bytes, as they are read.

What goes wrong before the first byte is a problem document like any other. After it nothing can
be said any more: the error is raised on, so that the server closes the connection without the
mark of the end, and nobody takes what was cut for the whole.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from starlette.types import Send

from gateway.errors import RequestError, UnavailableError
from gateway.execution.failures import RETRY
from gateway.formats.csv_text import CsvWriter
from gateway.formats.layout import Batch, Layout, layout_of
from gateway.formats.ndjson import NdjsonWriter
from gateway.formats.writer import FileWriter, StreamWriter
from gateway.operations.exports import ExportLimits, Part, Question
from gateway.operations.reads import row_unknown
from gateway.rest.formats import Format
from gateway.rest.url import BASE_PATH
from gateway.web.calls import Call
from gateway.web.memory import KnownList

T = TypeVar("T")
FileMaker = Callable[[Layout, Path], FileWriter]

SLICE_ROWS: Final = 250
"""Rows that are encoded at a time: about a millisecond, after which others get their turn."""

BATCH_ROWS: Final = 1_000
"""Rows of an Arrow record batch."""

FILE_BYTES: Final = 262_144
"""Bytes of a spooled file that are sent at a time."""


@dataclass(slots=True)
class Streamed:
    """A reply whose body is made while it is sent; its first bytes are there. `send` or `close` ends it."""

    headers: dict[str, str]
    body: AsyncGenerator[bytes] | None
    limits: ExportLimits
    deadline: float
    status: int = 200
    rows: int = field(default=0, init=False)
    _opening: bytes = field(default=b"", init=False)

    async def prepare(self) -> None:
        """Make the first bytes, so that whatever is wrong is known before they are sent.

        Raises:
            GatewayError: whatever the export meets.
        """
        assert self.body is not None
        try:
            async with asyncio.timeout_at(self.deadline):
                self._opening = await anext(self.body, b"")
        except TimeoutError as error:
            await self.close()
            raise _too_slow() from error
        except BaseException:
            await self.close()
            raise

    async def send(self, send: Send, *, is_head: bool, http_version: str = "1.1") -> None:
        """Send headers and body; to HTTP/1.0, which has no mark of an end, only with a length.

        Raises:
            GatewayError: what broke the export. What has been sent must not be ended as if it were whole.
        """
        try:
            async with asyncio.timeout_at(self.deadline):
                if self.body is not None and http_version == "1.0" and "content-length" not in self.headers:
                    await self._spool()
                await self._send(send, is_head=is_head)
        except TimeoutError as error:
            raise _too_slow() from error
        finally:
            await self.close()

    async def counting(self, parts: AsyncGenerator[Part]) -> AsyncGenerator[Part]:
        """Yield parts and keep count of their rows, for records."""
        try:
            async for part in parts:
                self.rows += len(part)
                yield part
        finally:
            await parts.aclose()

    async def close(self) -> None:
        """Give back everything the export holds."""
        if self.body is not None:
            await self.body.aclose()

    async def _send(self, send: Send, *, is_head: bool) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if self.body is not None and not is_head:
            await self._send_part(send, self._opening)
            async for part in self.body:
                await self._send_part(send, part)
        await send({"type": "http.response.body", "body": b""})

    async def _send_part(self, send: Send, part: bytes) -> None:
        """Send some bytes; a client that leaves them unread for too long ends the export."""
        try:
            async with asyncio.timeout(self.limits.stall_s):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        except TimeoutError as error:
            raise _stalled() from error
        await asyncio.sleep(0)

    async def _spool(self) -> None:
        """Write the whole body to disk, to know its length."""
        assert self.body is not None
        directory = TemporaryDirectory(prefix="gateway-export-")
        try:
            path = Path(directory.name) / "export"
            with path.open("wb") as file:
                size = file.write(self._opening)
                async for part in self.body:
                    size += file.write(part)
                    _check_size(size, self.limits)
        except BaseException:
            directory.cleanup()
            raise
        self.headers["content-length"] = str(size)
        self.body, self._opening = _file_parts(path, directory), b""


async def export(call: Call, known: KnownList, form: Format) -> Streamed:
    """Return a list in another format than JSON; its first bytes are made.

    Raises:
        GatewayError: whatever the request meets, before anything was sent.
    """
    if not known.request.is_enveloped:
        detail = f"envelope is about JSON; the reply would be {form.name}."
        raise RequestError("parameter_conflict", detail, parameter="envelope")
    exports = call.service.exports
    headers = {"content-type": form.content_type, "content-disposition": disposition(known.path, form.name)}
    deadline = asyncio.get_running_loop().time() + exports.limits.limit_s
    reply = Streamed(headers, None, exports.limits, deadline)
    if call.method == "HEAD":
        await _check_parent(call, known)
        return reply
    call.take_long()
    layout = layout_of(known.planned.plan, call.service.catalog.zone)
    count = known.request.given.get("count", "none")
    question = Question(known.request.intent, call.context(), known.request.is_paged, is_counted=count == "exact")
    parts = reply.counting(_ahead(exports.parts(call.service.statements, question, call.service.guard)))
    if form.name in _FILE_WRITERS:
        reply.body = _spooled(_Job(form.name, layout, parts, headers, exports.limits))
    else:
        writer = await _stream_writer(form.name, layout, is_spreadsheet=known.request.is_spreadsheet)
        size = BATCH_ROWS if form.name == "arrow" else SLICE_ROWS
        reply.body = _encoded(writer, layout, parts, headers, size)
    await reply.prepare()
    return reply


async def _check_parent(call: Call, known: KnownList) -> None:
    parent = known.planned.parent
    if parent is not None and not await call.service.reads.rows(parent, known.planned.values):
        raise row_unknown(parent)


async def _stream_writer(name: str, layout: Layout, *, is_spreadsheet: bool) -> StreamWriter:
    if name == "csv":
        return CsvWriter(layout, is_spreadsheet=is_spreadsheet)
    if name == "ndjson":
        return NdjsonWriter()
    return (await _in_thread(_arrow))(layout)


# These libraries are loaded when they are first needed, in a thread: that takes a moment, and memory for good.


def _arrow() -> Callable[[Layout], StreamWriter]:
    from gateway.formats.columnar import ArrowWriter  # noqa: PLC0415  # pyarrow is an extra, and 50 MB once loaded

    return ArrowWriter


def _xlsx() -> FileMaker:
    from gateway.formats.xlsx import XlsxWriter  # noqa: PLC0415  # most workers never write a workbook

    return XlsxWriter


def _parquet() -> FileMaker:
    from gateway.formats.columnar import ParquetWriter  # noqa: PLC0415  # pyarrow is an extra, and 50 MB once loaded

    return ParquetWriter


_FILE_WRITERS: Final[Mapping[str, Callable[[], FileMaker]]] = {"xlsx": _xlsx, "parquet": _parquet}
"""Formats that are only whole at their end, so they are spooled to disk before anything is sent."""


# Parts


async def _next(parts: AsyncGenerator[Part]) -> Part | None:
    return await anext(parts, None)


async def _ahead(parts: AsyncGenerator[Part]) -> AsyncGenerator[Part]:
    """Yield parts, each while the next one is being read."""
    reading = asyncio.ensure_future(_next(parts))
    try:
        while (part := await reading) is not None:
            reading = asyncio.ensure_future(_next(parts))
            yield part
    finally:
        reading.cancel()
        await asyncio.wait((reading,))
        if not reading.cancelled():
            reading.exception()  # looked at, so that the loop does not report it as forgotten
        await parts.aclose()


def _batch(layout: Layout, part: Part, first: int, beyond: int) -> Batch:
    if part.nested is not None or not layout.is_flat:
        return Batch(layout, nested=part.rows(first, beyond))
    return Batch(layout, cells=part.columns(first, beyond))


def _tell(headers: dict[str, str], part: Part) -> None:
    """What is known of the whole with its first part stands in the headers."""
    if part.total is not None:
        headers["x-total-count"] = str(part.total)
    if part.warnings:
        headers["x-warnings"] = ", ".join(part.warnings)


async def _encoded(
    writer: StreamWriter, layout: Layout, parts: AsyncGenerator[Part], headers: dict[str, str], size: int
) -> AsyncGenerator[bytes]:
    """Yield the document slice by slice; the head comes with the first rows."""
    pending = b""
    is_first = True
    try:
        async for part in parts:
            if is_first:
                _tell(headers, part)
                pending, is_first = writer.head(), False
            for first in range(0, len(part), size):
                yield pending + writer.rows(_batch(layout, part, first, first + size))
                pending = b""
    finally:
        await parts.aclose()
    yield pending + writer.tail()


# Files


@dataclass(frozen=True, slots=True)
class _Job:
    """A file to be made of parts."""

    name: str
    layout: Layout
    parts: AsyncGenerator[Part]
    headers: dict[str, str]
    limits: ExportLimits


async def _spooled(job: _Job) -> AsyncGenerator[bytes]:
    """Write the whole file, then yield it; its length is in the headers before the first bytes."""
    directory = TemporaryDirectory(prefix="gateway-export-")
    try:
        path = await _written(job, Path(directory.name))
        job.headers["content-length"] = str(path.stat().st_size)
        async for part in _file_parts(path, directory):
            yield part
    finally:
        await job.parts.aclose()
        directory.cleanup()


async def _written(job: _Job, directory: Path) -> Path:
    writer = (await _in_thread(_FILE_WRITERS[job.name]))(job.layout, directory)
    try:
        is_first = True
        async for part in job.parts:
            if is_first:
                _tell(job.headers, part)
                is_first = False
            await _in_thread(partial(_write, writer, job.layout, part))
            _check_size(writer.size(), job.limits)
        path = await _in_thread(writer.finish)
    except BaseException:
        writer.abandon()
        raise
    _check_size(path.stat().st_size, job.limits)
    return path


def _write(writer: FileWriter, layout: Layout, part: Part) -> None:
    if part:
        writer.rows(_batch(layout, part, 0, len(part)))


async def _file_parts(path: Path, directory: TemporaryDirectory[str]) -> AsyncGenerator[bytes]:
    """Yield a file and remove it."""
    try:
        with path.open("rb") as file:
            while part := file.read(FILE_BYTES):
                yield part
    finally:
        directory.cleanup()


async def _in_thread(work: Callable[[], T]) -> T:
    """Return what work does in a thread; when cancelled, wait until it has stopped using what it was given."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait((future,))
        raise


def _check_size(size: int, limits: ExportLimits) -> None:
    if size > limits.spool_bytes:
        detail = f"The file would exceed {limits.spool_bytes} bytes on disk. Ask for CSV, or for less."
        raise RequestError("export_too_large", detail, parameter="format")


# Words


_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")


def disposition(path: str, suffix: str) -> str:
    """Return a ``Content-Disposition`` with a file name made of a list's path.

    >>> disposition("/api/v1/clients/12/invoices", "csv")
    'attachment; filename="clients-12-invoices.csv"'

    Source: RFC 6266, section 4.3.
    """
    name = unquote(path.removeprefix(BASE_PATH)).strip("/").replace("/", "-")
    plain = _PLAIN.sub("_", name)
    found = f'attachment; filename="{plain}.{suffix}"'
    return found if plain == name else f"{found}; filename*=UTF-8''{quote(name, safe='')}.{suffix}"


def _too_slow() -> UnavailableError:
    detail = "The export was not whole within the time it may take. Ask for less, or for it in parts."
    return UnavailableError("export_timeout", detail, headers=RETRY)


def _stalled() -> UnavailableError:
    detail = "The client left what it was sent unread for too long."
    return UnavailableError("export_timeout", detail, headers=RETRY)
