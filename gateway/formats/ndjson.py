"""NDJSON: each row of a JSON list on a line of its own."""

from __future__ import annotations

import orjson

from gateway.formats.layout import Batch


class NdjsonWriter:
    """Writes NDJSON; a `StreamWriter`."""

    def head(self) -> bytes:
        """Return nothing: there is no header."""
        return b""

    def rows(self, batch: Batch) -> bytes:
        """Return one line per row, ended by a line feed."""
        return b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch.rows()])

    def tail(self) -> bytes:
        """Return nothing."""
        return b""
