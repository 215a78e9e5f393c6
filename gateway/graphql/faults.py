"""What is wrong with a document, in words that say where: one fault, or all that a check found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gateway.errors import RequestError

Place = tuple[int, int]
"""A line and a column of the document, both counted from 1."""


class DocumentError(RequestError):
    """One fault of a document: where it stands, under which path of the reply, and what else a client can read."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        locations: Iterable[Place] = (),
        path: Iterable[str | int] = (),
        extensions: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.locations = tuple(locations)
        self.path = tuple(path)
        self.extensions: Mapping[str, str | int] = MappingProxyType(dict(extensions or {}))


class InvalidDocumentError(RequestError):
    """Several faults of a document at once; code and detail are those of the first."""

    def __init__(self, faults: Iterable[DocumentError]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults[0].code, self.faults[0].detail)
