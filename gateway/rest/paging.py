"""Paging parameters -> the page wanted: three spellings of pages, and cursors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from gateway.errors import RequestError
from gateway.query.intent import PageIntent
from gateway.query.planner import DEFAULT_PER_PAGE
from gateway.rest.given import Given, text_value, whole

PageStyle = Literal["page", "offset", "page[number]", "cursor"]

PAGING: Final = frozenset({"page", "per_page", "limit", "offset", "page[number]", "page[size]", "cursor"})
_SIZES: Final = ("per_page", "limit", "page[size]")
_STARTS: Final = ("page", "page[number]", "offset")
MOVING: Final = {
    "page": frozenset({"page"}),
    "offset": frozenset({"offset"}),
    "page[number]": frozenset({"page[number]", "page"}),
    "cursor": frozenset({"cursor"}),
}
"""The parameters of each style that its links change."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page, in which style; ``cursor`` is as sent, empty to begin, and ``page`` lacks its position yet."""

    style: PageStyle
    page: PageIntent
    cursor: str | None = None


def parse_paging(given: Given) -> Paging:
    """Return what the paging parameters say.

    Raises:
        RequestError: ``page_invalid``, ``parameter_conflict``.
    """
    limit = _synonyms(given, _SIZES, least=1)
    number = _synonyms(given, ("page", "page[number]"), least=1)
    offset = _synonyms(given, ("offset",), least=0)
    size, begin = _named(given, _SIZES), _named(given, _STARTS)
    if "cursor" in given:
        return _cursor(given, PageIntent(limit, size=size, start="cursor"))
    if number is not None and offset is not None:
        raise RequestError("parameter_conflict", "page and offset exclude each other.", parameter="offset")
    if offset is not None or ("limit" in given and number is None):
        return Paging("offset", PageIntent(limit, offset or 0, size=size, start=begin))
    style: PageStyle = "page[number]" if "page[number]" in given or "page[size]" in given else "page"
    start = ((number or 1) - 1) * (limit if limit is not None else DEFAULT_PER_PAGE)
    return Paging(style, PageIntent(limit, start, size=size, start=begin))


def _named(given: Given, names: tuple[str, ...]) -> str:
    """The spelling that the client chose; the first one where it left the default."""
    return next((name for name in names if name in given), names[0])


def _cursor(given: Given, page: PageIntent) -> Paging:
    other = next((name for name in _STARTS if name in given), None)
    if other is not None:
        raise RequestError("parameter_conflict", f"cursor and {other} exclude each other.", parameter=other)
    return Paging("cursor", page, text_value(given["cursor"], "cursor"))


def _synonyms(given: Given, names: tuple[str, ...], least: int) -> int | None:
    values = {name: whole(given[name], name, least) for name in names if name in given}
    if len(set(values.values())) > 1:
        detail = f"{' and '.join(values)} mean the same and differ."
        raise RequestError("parameter_conflict", detail, parameter=next(iter(values)))
    return next(iter(values.values()), None)
