"""Links of replies: to the other pages of a list, and to the rows that an embed left out.

All are paths with a query string; the ``Link`` header has them as absolute addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from gateway.operations.results import Count, PageResult, Truncation
from gateway.rest.given import Given, brackets_of, stem_of, text_value, words
from gateway.rest.parse import ReadRequest
from gateway.rest.url import related_path

MOST_CUTS_IN_HEADER: Final = 20
"""How many cut embeds the ``Link`` header names: what reads headers has limits of its own."""

_FORM: Final = frozenset({"labels", "decimals", "bigints", "envelope"})
"""Parameters of the form of values, which hold for embedded rows as for the rows of a list."""

_NAME_SAFE: Final = "[]!$'()*,:@/-._~"
_VALUE_SAFE: Final = "!$'()*,:@/?-._~"


# Pages


def pages_of(count: Count, per_page: int) -> int | None:
    """Return how many pages there are, None when nobody knows."""
    return None if count.total is None else -(-count.total // per_page)


def page_links(result: PageResult, request: ReadRequest, path: str, cursor: str | None = None) -> dict[str, str | None]:
    """Return the links of a list: paths that keep every other parameter.

    ``cursor`` is that of the next page. With cursors there is no way back, and the last page is not known; a
    query that came in a body links to itself alone.
    """
    if request.is_body:
        return {"self": path}
    if request.style == "cursor":
        start = f"{path}?{request.kept}cursor="
        return {
            "self": start + quote(request.cursor or "", safe=""),
            "first": start,
            "prev": None,
            "next": start + cursor if result.has_more and cursor is not None else None,
            "last": None,
        }
    step = _Stepper(path, request, result.per_page)
    pages = pages_of(result.count, result.per_page)
    return {
        "self": step.to(result.offset),
        "first": step.to(0),
        "prev": step.to(_previous(result, pages)) if result.offset > 0 else None,
        "next": step.to(result.offset + result.per_page) if result.has_more else None,
        "last": None if pages is None else step.to(max(0, pages - 1) * result.per_page),
    }


def _previous(result: PageResult, pages: int | None) -> int:
    """The page before; from beyond the end, the last one that has rows."""
    before = max(0, result.offset - result.per_page)
    if result.rows or pages is None:
        return before
    return min(before, max(0, pages - 1) * result.per_page)


@dataclass(frozen=True, slots=True)
class _Stepper:
    path: str
    request: ReadRequest
    per_page: int

    def to(self, offset: int) -> str:
        style = self.request.style
        number = offset if style == "offset" else offset // self.per_page + 1
        return f"{self.path}?{self.request.kept}{style}={number}"


def link_header(links: Mapping[str, str | None], origin: str) -> str:
    """Return the value of a ``Link`` header (RFC 8288) with absolute addresses."""
    return ", ".join(f'<{origin}{path}>; rel="{rel}"' for rel, path in links.items() if path is not None)


# Embeds that were cut


@dataclass(frozen=True, slots=True)
class Cut:
    """An embed that was cut: its JSON pointer from the rows on, and where its next rows are, None if nowhere."""

    pointer: str
    limit: int
    next: str | None


def cuts_of(truncated: Sequence[Truncation], given: Given) -> tuple[Cut, ...]:
    """Return where the rows are that the embeds of a reply left out: in the parents' own lists, from the limit on."""
    queries = {item.embed: embed_query(given, item.embed) for item in truncated}
    return tuple(
        Cut("".join(map(_token, item.place)), item.limit, _next(item, queries[item.embed])) for item in truncated
    )


def _next(item: Truncation, query: str) -> str | None:
    if not item.key or item.parent.resource is None:
        return None
    path = related_path(item.parent.resource, item.key, item.embed[-1])
    return f"{path}?{query}limit={item.limit}&offset={item.limit}"


def _token(segment: str | int) -> str:
    """A segment of a JSON pointer (RFC 6901)."""
    return "/" + str(segment).replace("~", "~0").replace("/", "~1")


def cuts_header(cuts: Iterable[Cut], origin: str) -> str:
    """Return what the ``Link`` header says of the first cut embeds: the anchor is a pointer into the bare reply."""
    known = [cut for cut in cuts if cut.next is not None][:MOST_CUTS_IN_HEADER]
    anchors = ((cut.next, quote(cut.pointer, safe="/")) for cut in known)
    return ", ".join(f'<{origin}{path}>; rel="subsection"; anchor="#{anchor}"' for path, anchor in anchors)


def embed_query(given: Given, path: tuple[str, ...]) -> str:
    """Return the parameters of an embed as those of the list that it is a part of, each ending in ``&``.

    >>> embed_query({"include": "client.notes.staff", "include[client.notes][sort]": "-id"}, ("client", "notes"))
    'include=staff&sort=-id&'
    """
    pairs = (pair for name, value in given.items() for pair in _translated(name, value, path))
    return "".join(f"{quote(name, safe=_NAME_SAFE)}={quote(value, safe=_VALUE_SAFE)}&" for name, value in pairs)


def _translated(name: str, value: object, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if name in _FORM:
        yield name, text_value(value, name)
    elif name == "include":
        inner = [".".join(rest) for word in words(value, name, "include_syntax") if (rest := _rest(word, path))]
        if inner:
            yield name, ",".join(inner)
    elif (stem := stem_of(name)) in ("include", "fields"):
        word, *brackets = brackets_of(name) or ("",)
        rest = _rest(word, path)
        if rest:
            yield f"{stem}[{'.'.join(rest)}]{_bracketed(brackets)}", _text(value, name)
        elif rest is not None and brackets != ["limit"]:
            own, *groups = brackets or ("fields",)
            yield own + _bracketed(groups), _text(value, name)


def _rest(word: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """What follows a path in a longer one; None where it does not begin so."""
    segments = tuple(word.split("."))
    return segments[len(path) :] if segments[: len(path)] == path else None


def _bracketed(brackets: Iterable[str]) -> str:
    return "".join(f"[{bracket}]" for bracket in brackets)


def _text(value: object, name: str) -> str:
    r"""A value as a URL has it: an array as a comma list, with ``\`` before a comma that is part of an item."""
    if not isinstance(value, list):
        return text_value(value, name)
    return ",".join(text_value(item, name).replace("\\", "\\\\").replace(",", "\\,") for item in value)
