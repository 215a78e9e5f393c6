"""Data and errors -> replies: which media type, which status, which bytes.

Source: GraphQL over HTTP (draft), "Response" and "Status Codes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from gzip import compress
from types import MappingProxyType
from typing import Any, Final

import orjson

from gateway.errors import GatewayError, RequestError
from gateway.graphql.faults import InvalidDocumentError
from gateway.graphql.render import error_entry, place_of_fault
from gateway.graphql.selection import Cost, Selected
from gateway.rest.formats import Format, preferred
from gateway.web.calls import Answer

_UTF8: Final = MappingProxyType({"charset": "utf-8"})
GRAPHQL: Final = Format("graphql-response", "application/graphql-response+json", parameters=_UTF8)
JSON: Final = Format("json", "application/json", parameters=_UTF8)
LARGE: Final = 65_536
"""Bytes from which an answer about the schema is sent as gzip to whoever reads that."""

_OFFERED: Final = (GRAPHQL, JSON)
"""What a reply can be had as. The first is meant where a client says nothing, or that it takes anything."""


@lru_cache(maxsize=256)
def accepted(accept: str) -> Format:
    """Return the media type of the reply that the values of ``Accept`` ask for.

    Raises:
        RequestError: ``not_acceptable``, ``header_invalid``.
    """
    media = preferred(accept.lower(), _OFFERED)
    if media is None:
        names = " and ".join(item.media_type for item in _OFFERED)
        raise RequestError("not_acceptable", f"Nothing that Accept names can be produced here. There are {names}.")
    return media


@dataclass(slots=True)
class Draft:
    """A reply in the making: its fields in order, what failed, and what its extensions tell."""

    data: dict[str, Any] | None = field(default_factory=dict)
    errors: list[Mapping[str, Any]] = field(default_factory=list)
    truncated: list[Mapping[str, Any]] = field(default_factory=list)
    warnings: list[Mapping[str, Any]] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    """The code of the first error, for records."""

    def put(self, key: str, value: Any) -> None:
        """Lay in the value of a field."""
        assert self.data is not None
        self.data[key] = value

    def tell(self, truncated: Iterable[Mapping[str, Any]], warnings: Iterable[Mapping[str, Any]]) -> None:
        """Lay in what a reader of a field must know."""
        self.truncated += truncated
        self.warnings += warnings

    def fail(self, selected: Selected, error: GatewayError) -> None:
        """Lay in the failure of a field, which is null."""
        if self.data is not None:
            self.data[selected.key] = None
        self.refuse(error_entry(error, (selected.key,), place_of_fault(selected, error)), error)

    def refuse(self, entry: Mapping[str, Any], error: GatewayError) -> None:
        """Lay in an error."""
        self.errors.append(entry)
        self.code = self.code or error.code

    def show_cost(self, cost: Cost) -> None:
        """Tell what the operation cost."""
        self.extensions["cost"] = asdict(cost)

    def body(self) -> bytes:
        """Return the reply's bytes."""
        body: dict[str, Any] = {"data": self.data}
        if self.errors:
            body["errors"] = self.errors
        if self.truncated:
            self.extensions["truncated"] = self.truncated
        if self.warnings:
            self.extensions["warnings"] = self.warnings
        if self.extensions:
            body["extensions"] = self.extensions
        return orjson.dumps(body)


def takes_gzip(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a client says that it reads gzip (RFC 9110, section 12.5.3).

    >>> takes_gzip([(b"accept-encoding", b"br, gzip;q=0.5")]), takes_gzip([(b"accept-encoding", b"gzip;q=0")])
    (True, False)
    """
    for name, value in headers:
        if name == b"accept-encoding":
            for word in value.lower().split(b","):
                coding, _, weight = word.replace(b" ", b"").partition(b";")
                if coding == b"gzip":
                    return not weight or weight.removeprefix(b"q=").strip(b"0.") != b""
    return False


def gzipped(answer: Answer) -> Answer:
    """Return a large answer as gzip, a fifteenth of what a whole schema takes; work for a thread."""
    headers = {**(answer.headers or {}), "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return replace(answer, body=compress(answer.body, 1, mtime=0), headers=headers)


def refusal(error: GatewayError, media: Format, *, is_document: bool) -> Answer:
    """Return the answer of a request that did not run.

    ``is_document`` says that the request itself was well-formed: what is wrong is in its document or variables.
    As ``application/json`` such a reply has status 200, for clients that read no other.
    """
    is_hidden = is_document and media is JSON and error.status < 500 and error.status != 405
    faults = error.faults if isinstance(error, InvalidDocumentError) else (error,)
    body = orjson.dumps({"errors": [error_entry(fault) for fault in faults]})
    return Answer(200 if is_hidden else error.status, body, error.headers)
