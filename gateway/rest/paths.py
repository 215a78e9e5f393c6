"""Paths of `/api/v1` -> what they address. Split raw, decoded afterwards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from gateway.catalog.model import Catalog
from gateway.errors import NotFoundError
from gateway.query.intent import Origin
from gateway.query.keys import decode_segment, split_key
from gateway.rest.formats import split_suffix
from gateway.rest.url import BASE_PATH


@dataclass(frozen=True, slots=True)
class IndexPath:
    """``/api/v1``."""


@dataclass(frozen=True, slots=True)
class CallerPath:
    """``/api/v1/auth/test``: who the token is."""


@dataclass(frozen=True, slots=True)
class GraphQLPath:
    """``/api/v1/graphql``, which is no resource: documents of the other front end are sent there."""


@dataclass(frozen=True, slots=True)
class ListPath:
    """``/api/v1/invoices``; ``suffix`` names a format (``invoices.csv``)."""

    resource: str
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class RowPath:
    """``/api/v1/invoices/42``."""

    resource: str
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelatedPath:
    """``/api/v1/clients/12/invoices``; ``suffix`` names a format."""

    origin: Origin
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class QueryPath:
    """``/api/v1/invoices/query``, to which a query is posted. To other methods it is a row."""

    resource: str


QUERY_KEY: Final = ("query",)
"""What makes the path of a row that of a query."""

ResourcePath = IndexPath | CallerPath | GraphQLPath | ListPath | RowPath | RelatedPath | QueryPath


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
        case [b"graphql"]:
            return GraphQLPath()
        case [resource]:
            return ListPath(decode_segment(resource))
        case [resource, key]:
            return RowPath(decode_segment(resource), split_key(key))
        case [resource, key, relationship]:
            return RelatedPath(Origin(decode_segment(resource), split_key(key), decode_segment(relationship)))
    raise NotFoundError("route_unknown", "Nothing is served at this path.")


def path_for(path: ResourcePath, method: str, catalog: Catalog) -> ResourcePath:
    """Return what a path is to a method, on the names of a catalog.

    A posted ``invoices/query`` is a query. A suffix names a format unless a resource or relationship is called so.
    """
    match path:
        case RowPath(resource=resource, key=key) if key == QUERY_KEY and method == "POST":
            return QueryPath(resource)
        case ListPath(resource=resource) if resource not in catalog.resources:
            return ListPath(*split_suffix(resource))
        case RelatedPath(origin=origin) if origin.relationship not in _relationships(catalog, origin.resource):
            name, suffix = split_suffix(origin.relationship)
            return RelatedPath(replace(origin, relationship=name), suffix)
    return path


def _relationships(catalog: Catalog, resource: str) -> Collection[str]:
    table = catalog.resources.get(resource)
    return () if table is None else table.relationships
