"""Numbers of sales documents: the next one from its locked counter, and the text in which it is shown (SEMANTICS 3.2).

A document that leaves draft, or is created as more than a draft, takes what the
counter says while the counter's row is held; the counter then grows by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from gateway.errors import ConflictError
from gateway.operations.managed.model import Added, Found, Lookup, UpdateRows

DocumentKind = Literal["invoice", "estimate", "credit_note"]

DRAFT_NUMBER: Final = 1_000_000_000
"""The number of an invoice that has none yet."""

DEFAULT_PADDING: Final = 6
_TABLES: Final[Mapping[DocumentKind, str]] = MappingProxyType(
    {"invoice": "invoices", "estimate": "estimates", "credit_note": "creditnotes"}
)
_TAKEN: Final = "documents of the number"
_COUNTER: Final = "counter"
_PADDING: Final = "number padding"


def counter_lookup(kind: DocumentKind) -> Lookup:
    """Return the lookup that holds the counter of a kind of document until the write is done."""
    return Lookup(_COUNTER, "options", ("name", "value"), {"name": counter_name(kind)}, limit=1, is_locking=True)


def counter_name(kind: DocumentKind) -> str:
    """Return the name of the setting that counts a kind of document.

    >>> counter_name("credit_note")
    'next_credit_note_number'
    """
    return f"next_{kind}_number"


def padding_lookup() -> Lookup:
    """Return the lookup of how many digits numbers are shown with, for `padding`."""
    return Lookup(_PADDING, "options", ("name", "value"), {"name": "number_padding_prefixes"}, limit=1)


def new_number_lookups(kind: DocumentKind, found: Found) -> tuple[Lookup, ...]:
    """Return what a new number needs: the held counter, then the documents that have its number already."""
    if not found.get(_COUNTER):
        return (counter_lookup(kind),)
    return (taken_lookup(kind, next_number(kind, found)),)


def next_number(kind: DocumentKind, found: Found) -> int:
    """Return the number that a document takes.

    Raises:
        ConflictError: ``refused_by_database`` when the CRM has no such setting, or no number in it.
    """
    text = _setting(found, _COUNTER)
    if text is None or not text.isascii() or not text.isdigit():
        raise ConflictError(
            "refused_by_database",
            f"The CRM's setting {counter_name(kind)} holds no number, so no document can be numbered. "
            "Set it in the CRM's settings of finance.",
        )
    return int(text)


def taken_lookup(kind: DocumentKind, number: int) -> Lookup:
    """Return the lookup of the documents that have a number already, for `check_free`."""
    return Lookup(_TAKEN, _TABLES[kind], ("id", "date"), {"number": number})


def check_free(kind: DocumentKind, number: int, day: date, found: Found) -> None:
    """Pass when no other document of the same year has the number.

    Raises:
        ConflictError: ``duplicate``.
    """
    if any(isinstance(row["date"], date) and row["date"].year == day.year for row in found.get(_TAKEN, ())):
        raise ConflictError(
            "duplicate",
            f"The number {number} is taken in {day.year}, though {counter_name(kind)} says it is the next. "
            "Correct the next number in the CRM's settings of finance.",
        )


def counter_step(kind: DocumentKind) -> UpdateRows:
    """Return the write that moves the counter on by one."""
    return UpdateRows("options", {"name": counter_name(kind)}, {"value": Added(1)})


def padding(found: Found) -> int:
    """Return how many digits numbers are shown with."""
    text = _setting(found, _PADDING)
    return int(text) if text is not None and text.isascii() and text.isdigit() else DEFAULT_PADDING


def format_number(prefix: str, number: int, number_format: int, date: date, padding: int) -> str:
    """Return the text in which a document's number is shown; a draft's says so instead.

    >>> from datetime import date
    >>> format_number("INV-", 7, 2, date(2026, 7, 15), 6)
    'INV-2026/000007'
    """
    if number == DRAFT_NUMBER:
        return f"{prefix}DRAFT"
    padded = str(number).zfill(padding)
    match number_format:
        case 2:
            return f"{prefix}{date.year:04}/{padded}"
        case 3:
            return f"{prefix}{padded}-{date.year % 100:02}"
        case 4:
            return f"{prefix}{padded}/{date.month:02}/{date.year:04}"
        case _:
            return f"{prefix}{padded}"


def _setting(found: Found, name: str) -> str | None:
    row = next(iter(found.get(name, ())), None)
    return None if row is None else str(row["value"]).strip()
