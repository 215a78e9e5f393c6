"""Which representation a client gets: a suffix of the path, ``format=`` or ``Accept`` -> `Format`.

What comes in: the three as they were sent. What goes out: one of `FORMATS`, by name. How a
format is written is the business of `gateway.formats`, which knows nothing of HTTP.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from gateway.errors import RequestError
from gateway.query.suggest import nearest


@dataclass(frozen=True, slots=True)
class Format:
    """One representation: its word in ``format=`` and in a suffix, and its media type.

    ``others`` are media types under which clients ask for it too, ``parameters`` those of the
    media type whose value is fixed. ``extra`` is the extra of the package that writes it, and
    ``library`` the module that must then be there; both are empty for what is always there.
    """

    name: str
    media_type: str
    others: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)
    extra: str = ""
    library: str = ""

    @property
    def content_type(self) -> str:
        """The value of the ``Content-Type`` header."""
        return "; ".join((self.media_type, *(f"{name}={value}" for name, value in self.parameters.items())))


_UTF8: Final = MappingProxyType({"charset": "utf-8"})
_ALL: Final = (
    Format("json", "application/json"),
    Format("csv", "text/csv", parameters=MappingProxyType({"charset": "utf-8", "header": "present"})),
    Format("ndjson", "application/x-ndjson", frozenset({"application/ndjson", "application/jsonl"})),
    Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    Format("parquet", "application/vnd.apache.parquet", extra="arrow", library="pyarrow"),
    Format("arrow", "application/vnd.apache.arrow.stream", extra="arrow", library="pyarrow"),
)

FORMATS: Final[Mapping[str, Format]] = MappingProxyType({item.name: item for item in _ALL})
"""Every format by name, in the order in which they are preferred where a client takes several alike."""

JSON: Final = FORMATS["json"]
ROW_FORMATS: Final = frozenset({"json"})
"""What a single row, and everything else that is no list, can be had as."""


@lru_cache(maxsize=1)
def list_formats() -> frozenset[str]:
    """Return the names of what a list can be had as, with the libraries that are installed here."""
    return frozenset(item.name for item in _ALL if not item.library or find_spec(item.library) is not None)


def split_suffix(segment: str) -> tuple[str, str | None]:
    """Return the name in a path's last segment and the format that its suffix names, None without one.

    >>> split_suffix("invoices.csv"), split_suffix("invoices"), split_suffix("v1.invoices")
    (('invoices', 'csv'), ('invoices', None), ('v1.invoices', None))
    """
    name, dot, suffix = segment.rpartition(".")
    return (name, suffix) if dot and name and suffix in FORMATS else (segment, None)


def negotiate(accept: str, asked: str | None, suffix: str | None, offered: frozenset[str]) -> Format:
    """Return the format of a reply: the suffix's, else the one of ``format=``, else the best of ``Accept``.

    ``accept`` are the values of all ``Accept`` headers, joined by commas; it counts only where
    the request's address leaves the choice open. ``offered`` are the names of what can be
    produced here: `list_formats` or `ROW_FORMATS`.

    Raises:
        RequestError: ``parameter_conflict`` where suffix and ``format=`` differ, ``parameter_invalid``
            for a format that nobody knows, ``not_acceptable`` where what is asked for cannot be produced.
    Source: RFC 9110, section 12.5.1.
    """
    if asked is None and suffix is None:
        return JSON if accept in _ANYTHING else _accepted(accept.lower(), offered)
    if asked is not None and suffix is not None and asked != suffix:
        detail = f"The path ends in .{suffix} and format is {asked}: name one of them."
        raise RequestError("parameter_conflict", detail, parameter="format")
    name = suffix if suffix is not None else asked
    assert name is not None
    if name not in FORMATS:
        raise _unknown(name)
    if name not in offered:
        raise _not_offered(FORMATS[name], offered)
    return FORMATS[name]


_ANYTHING: Final = frozenset({"", "*/*", "application/json"})
"""What most clients send: not worth a look at its parts."""


def _unknown(name: str) -> RequestError:
    close = nearest(name, FORMATS)
    detail = f"There is no format {name!r}. There are: {', '.join(FORMATS)}."
    return RequestError("parameter_invalid", detail, parameter="format", suggestion=close)


def _not_offered(wanted: Format, offered: frozenset[str]) -> RequestError:
    if wanted.extra and len(offered) > 1:  # a list, and the library is what is missing
        install = f"pip install 'perfex-gateway[{wanted.extra}]'"
        detail = f"{wanted.name} needs the extra {wanted.extra!r} where the gateway runs: {install}."
    else:
        detail = f"{wanted.name} cannot be produced here."
    return RequestError("not_acceptable", f"{detail} {_can(offered)}")


def _can(offered: frozenset[str]) -> str:
    """What can be produced, for whoever asked for something else."""
    known = [f"{item.name} ({item.media_type})" for item in _ALL if item.name in offered]
    return f"What can be had: {', '.join(known)}."


# Accept


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range of an ``Accept`` header, in the order sent."""

    type: str
    subtype: str
    parameters: Mapping[str, str]
    quality: float
    position: int

    def fit(self, item: Format) -> int:
        """How precisely the range names a format: 0 not at all, 3 exactly."""
        kind = item.media_type.partition("/")[0]
        own = f"{self.type}/{self.subtype}"
        if own == item.media_type or own in item.others or (item is JSON and self.subtype.endswith("+json")):
            return 3 if self._keeps_parameters(item) else 0
        if self.subtype != "*" or not self._keeps_parameters(item):
            return 0
        return 2 if self.type == kind else int(self.type == "*")

    def _keeps_parameters(self, item: Format) -> bool:
        """Whether no parameter asks for what the format is not; of others a client may say what it likes."""
        fixed = item.parameters or _UTF8
        return all(fixed.get(name, value) == value for name, value in self.parameters.items())


@lru_cache(maxsize=256)
def _accepted(accept: str, offered: frozenset[str]) -> Format:
    best = preferred(accept, tuple(item for item in _ALL if item.name in offered))
    if best is None:
        raise RequestError("not_acceptable", f"Nothing that Accept names can be produced here. {_can(offered)}")
    return best


def preferred(accept: str, offered: Sequence[Format]) -> Format | None:
    """Return the offered format that a header, in small letters, prefers; the first one where it says nothing.

    They are told apart by their quality, then by how precisely and how early they are named.

    Raises:
        RequestError: ``header_invalid``.
    """
    ranges = _ranges(accept)
    if not ranges:
        return offered[0]
    best: tuple[tuple[float, int, int], Format] | None = None
    for item in offered:
        match = max(((given.fit(item), -given.position, given) for given in ranges), key=lambda found: found[:2])
        fit, place, given = match
        if not fit or not given.quality:
            continue
        rank = (given.quality, fit, place)
        if best is None or rank > best[0]:
            best = rank, item
    return best[1] if best is not None else None


_QUALITY: Final = re.compile(r"\d*\.?\d*")


def _ranges(accept: str) -> tuple[_Range, ...]:
    parts = [part for part in accept.split(",") if part.strip()]
    return tuple(_range(part, position) for position, part in enumerate(parts))


def _range(text: str, position: int) -> _Range:
    """Read one media range; a lone ``*`` means anything, as Java's clients have it."""
    kind, *rest = (part.strip() for part in text.split(";"))
    parameters: dict[str, str] = {}
    for part in rest:
        name, _, value = part.partition("=")
        parameters[name.strip()] = value.strip().strip('"')
    quality = _quality(parameters.pop("q", "1"))
    main, _, sub = kind.partition("/")
    return _Range(main, sub or ("*" if main == "*" else ""), parameters, quality, position)


def _quality(text: str) -> float:
    """Return a weight from 0 to 1.

    Raises:
        RequestError: ``header_invalid``.
    """
    number = float(text) if _QUALITY.fullmatch(text) and text.strip(".") else math.nan
    if not 0 <= number <= 1:
        raise RequestError("header_invalid", f"Accept has a weight q={text!r}; a weight is a number from 0 to 1.")
    return number
