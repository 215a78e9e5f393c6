"""Paths of `/api/v1` -> what they address. Split raw, decoded afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import NotFoundError
from gateway.query.intent import Origin
from gateway.rest.url import BASE_PATH, decode_segment, split_key


@dataclass(frozen=True, slots=True)
class IndexPath:
    """``/api/v1``."""


@dataclass(frozen=True, slots=True)
class CallerPath:
    """``/api/v1/auth/test``: who the token is."""


@dataclass(frozen=True, slots=True)
class ListPath:
    """``/api/v1/invoices``."""

    resource: str


@dataclass(frozen=True, slots=True)
class RowPath:
    """``/api/v1/invoices/42``."""

    resource: str
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelatedPath:
    """``/api/v1/clients/12/invoices``."""

    origin: Origin


ResourcePath = IndexPath | CallerPath | ListPath | RowPath | RelatedPath


def parse_path(raw: bytes) -> ResourcePath:
    """Return what a path under `/api/v1` addresses.

    Raises:
        NotFoundError: ``route_unknown``.
        RequestError: ``path_invalid``.
    """
    segments = raw[len(BASE_PATH) :].split(b"/")[1:]
    if len(segments) > 1 and segments[-1] == b"":
        raise NotFoundError("route_unknown", "Nothing is served at this path; leave out the slash at its end.")
    match segments:
        case [] | [b""]:
            return IndexPath()
        case [b"auth", b"test"]:
            return CallerPath()
        case [resource]:
            return ListPath(decode_segment(resource))
        case [resource, key]:
            return RowPath(decode_segment(resource), split_key(key))
        case [resource, key, relationship]:
            return RelatedPath(Origin(decode_segment(resource), split_key(key), decode_segment(relationship)))
    raise NotFoundError("route_unknown", "Nothing is served at this path.")
