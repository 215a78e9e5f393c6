"""What the writers of an export have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from gateway.formats.layout import Batch


class StreamWriter(Protocol):
    """Writes rows as they come; head, every batch and tail, joined, are the document."""

    def head(self) -> bytes:
        """Return what comes before the first row."""
        ...

    def rows(self, batch: Batch) -> bytes:
        """Return some rows."""
        ...

    def tail(self) -> bytes:
        """Return what comes after the last row."""
        ...


class FileWriter(Protocol):
    """Writes a file that is only whole at its end; slow, so it is meant to be called in a thread."""

    def rows(self, batch: Batch) -> None:
        """Write some rows.

        Raises:
            RequestError: ``export_too_large`` for what the format cannot hold.
        """
        ...

    def size(self) -> int:
        """Return the bytes that are on disk so far."""
        ...

    def finish(self) -> Path:
        """Write the end and return the file."""
        ...

    def abandon(self) -> None:
        """Close what was begun and is not wanted any more."""
        ...
