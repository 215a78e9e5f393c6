"""Documents with a number: what a new one takes from settings, and which may be deleted (SEMANTICS 3.1, 3.2, 3.8).

Invoices, estimates and credit notes are alike in this; a proposal has no number.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from gateway.errors import ConflictError
from gateway.operations.managed import documents, numbers
from gateway.operations.managed.addresses import customer_lookup, needs_customer, new_addresses
from gateway.operations.managed.model import Added, Draft, Found, Lookup, RowWrite, UpdateRows
from gateway.operations.managed.numbers import DocumentKind

TEXTS: Final = ("terms", "clientnote")
_LAST: Final = "last document"


# Creates


def new_lookups(draft: Draft, kind: DocumentKind) -> tuple[Lookup, ...]:
    """Return what a new document is filled from: settings and customer."""
    names = (
        f"{kind}_prefix",
        f"{kind}_number_format",
        f"{kind}_due_after",
        *(f"predefined_{text}_{kind}" for text in TEXTS),
    )
    customer = customer_lookup(draft)
    return (documents.settings_lookup(*names), numbers.padding_lookup(), customer, *documents.currency_lookups(draft))


def new_document(
    draft: Draft, found: Found, kind: DocumentKind, *, due: str | None = None, is_draft: bool = False
) -> dict[str, object]:
    """Return the columns that a new document gets besides status and log; ``due`` is the column of its last day.

    Raises:
        ConflictError: ``duplicate``, ``refused_by_database`` for a counter that cannot be used.
        ValidationError: ``fields_invalid``.
    """
    documents.check_nested(draft)
    settings = documents.settings(found)
    columns: dict[str, object] = {
        **_new_number(draft, found, kind, is_draft=is_draft),
        **new_addresses(draft, found),
        **documents.new_amounts(draft, found, documents.nested_lines(draft)),
    }
    columns.update({text: settings.get(f"predefined_{text}_{kind}", "") for text in TEXTS if text not in draft.sent})
    if draft.values.get("adjustment") is None:
        columns["adjustment"] = documents.decimal(None)
    if due is not None and due not in draft.sent:
        columns[due] = documents.due_date(draft.values.get("date"), settings.get(f"{kind}_due_after"))
    return columns


def _new_number(draft: Draft, found: Found, kind: DocumentKind, *, is_draft: bool) -> dict[str, object]:
    settings = documents.settings(found)
    prefix = settings.get(f"{kind}_prefix", "")
    number_format = documents.number_in(settings.get(f"{kind}_number_format")) or 1
    number = numbers.DRAFT_NUMBER if is_draft else taken_number(found, kind, day_of(draft))
    return {
        "prefix": prefix,
        "number_format": number_format,
        "number": number,
        "formatted_number": numbers.format_number(prefix, number, number_format, day_of(draft), numbers.padding(found)),
    }


def taken_number(found: Found, kind: DocumentKind, day: date) -> int:
    """Return the number that a document of a day takes from the held counter.

    Raises:
        ConflictError: ``duplicate``, ``refused_by_database``.
    """
    number = numbers.next_number(kind, found)
    numbers.check_free(kind, number, day, found)
    return number


def day_of(draft: Draft) -> date:
    """Return the document's date as the write leaves it."""
    day = draft.after().get("date")
    return day if isinstance(day, date) else draft.today


# Changes


def change_lookups(draft: Draft, kind: DocumentKind, *, takes_number: bool = False) -> Iterator[Lookup]:
    """Yield what a change of a document needs to know, as far as it is concerned."""
    if needs_customer(draft):
        yield customer_lookup(draft)
    if takes_number or documents.is_changed(draft, "date"):
        yield numbers.padding_lookup()
    if documents.is_changed(draft, *documents.MONEY):
        yield from documents.line_lookups(kind, draft.stored["id"])
    yield from documents.currency_lookups(draft)


def moved_lookups(draft: Draft, kind: DocumentKind) -> tuple[Lookup, ...]:
    """Return the lookup of the documents that have the same number, for one that moves to another year."""
    if not _moves_year(draft):
        return ()
    return (numbers.taken_lookup(kind, int(str(draft.stored["number"]))),)


def moved_number(draft: Draft, found: Found, kind: DocumentKind) -> dict[str, object]:
    """Return the shown number of a document whose date changes: year and month may be part of it.

    Raises:
        ConflictError: ``duplicate`` when another document of the new year has the number.
    """
    if not documents.is_changed(draft, "date"):
        return {}
    documents.require_stored(draft, "number", "prefix", "number_format")
    number = int(str(draft.stored["number"]))
    if _moves_year(draft):
        numbers.check_free(kind, number, day_of(draft), found)
    return {"formatted_number": shown(draft, found, number)}


def shown(draft: Draft, found: Found, number: int) -> str:
    """Return the text in which a stored document shows a number."""
    documents.require_stored(draft, "prefix", "number_format")
    prefix, number_format = str(draft.stored["prefix"] or ""), int(str(draft.stored["number_format"]))
    return numbers.format_number(prefix, number, number_format, day_of(draft), numbers.padding(found))


def _moves_year(draft: Draft) -> bool:
    before = draft.stored.get("date")
    is_numbered = draft.stored.get("number") not in (None, numbers.DRAFT_NUMBER)
    return is_numbered and isinstance(before, date) and before.year != day_of(draft).year


def changed_amounts(draft: Draft, found: Found) -> dict[str, object]:
    """Return the amounts of a document whose discount, adjustment or currency changes.

    Raises:
        ValidationError: ``fields_invalid``.
    """
    documents.check_no_guess(draft)
    if not documents.is_changed(draft, *documents.MONEY):
        return {}
    documents.require_stored(draft, "discount_type", "discount_percent", "discount_total", "adjustment")
    lines = documents.lines_of(documents.stored_items(found), documents.stored_taxes(found))
    return documents.new_amounts(draft, found, lines)


# Deletes


def delete_lookups(draft: Draft, kind: DocumentKind) -> tuple[Lookup, ...]:
    """Return what decides whether a document may go, and whether its number is given back."""
    names = (f"delete_only_on_last_{kind}", f"{kind}_number_decrement_on_delete")
    last = Lookup(_LAST, draft.table, ("id",), order=("-id",), limit=1)
    return (documents.settings_lookup(*names), last)


def number_lookups(found: Found, kind: DocumentKind) -> tuple[Lookup, ...]:
    """Return the lookup of the counter where a delete gives the number back."""
    gives_back = documents.settings(found).get(f"{kind}_number_decrement_on_delete") == "1"
    return (numbers.counter_lookup(kind),) if gives_back else ()


def check_last(draft: Draft, found: Found, kind: DocumentKind) -> None:
    """Pass when the document may be deleted: by the CRM's setting, perhaps only the newest may.

    Raises:
        ConflictError: ``not_last``.
    """
    setting = f"delete_only_on_last_{kind}"
    if documents.settings(found).get(setting) != "1":
        return
    if any(row["id"] != draft.stored["id"] for row in found.get(_LAST, ())):
        noun = kind.replace("_", " ")
        raise ConflictError(
            "not_last",
            f"Only the last {noun} can be deleted: the CRM's setting {setting} is on. Cancel or void this one instead, "
            "or turn the setting off.",
        )


def given_back(draft: Draft, found: Found, kind: DocumentKind) -> tuple[RowWrite, ...]:
    """Return the step back of the counter, when the deleted document has the number that was given last.

    With any other the next number would be one that is in use.
    """
    if not number_lookups(found, kind):
        return ()
    number = draft.stored.get("number")
    if number != numbers.next_number(kind, found) - 1:
        return ()
    return (UpdateRows("options", {"name": numbers.counter_name(kind)}, {"value": Added(-1)}),)
