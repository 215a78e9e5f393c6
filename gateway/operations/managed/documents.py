"""What sales documents have in common: settings, nested lines, discounts and amounts (SEMANTICS 3.3, 3.4).

A document is named by its kind: the ``rel_type`` of its lines and the middle of its settings' names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

from gateway.errors import Issue, MethodError, ValidationError
from gateway.operations.managed.faults import computed, fault, raise_any, refused
from gateway.operations.managed.model import Child, Draft, Found, Lookup, NewKey, Row
from gateway.operations.managed.money import Discount, DiscountType, Line, totals

Kind = Literal["invoice", "estimate", "credit_note", "proposal"]

TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {"invoice": "invoices", "estimate": "estimates", "credit_note": "creditnotes", "proposal": "proposals"}
)
"""The table of each kind of document."""

MONEY: Final = ("discount_type", "discount_percent", "discount_total", "adjustment", "currency")
"""The inputs of a document's amounts, beside its lines."""

DISCOUNT_TYPES: Final[Mapping[str, DiscountType]] = MappingProxyType(
    {"": "", "before_tax": "before_tax", "after_tax": "after_tax"}
)

_SETTINGS: Final = "settings"
_ITEMS: Final = "lines"
_TAXES: Final = "taxes of lines"
_CURRENCY: Final = "currency"
_BILLING: Final = "related_items"


# Settings


def settings_lookup(*names: str) -> Lookup:
    """Return the lookup of some of the CRM's settings, for `settings`."""
    return Lookup(_SETTINGS, "options", ("name", "value"), {"name": names})


def settings(found: Found) -> dict[str, str]:
    """Return the settings by name; one that the CRM lacks is not among them."""
    return {str(row["name"]): str(row["value"] or "") for row in found.get(_SETTINGS, ())}


def number_in(text: str | None) -> int:
    """Return the whole number that a setting holds, 0 when it holds none."""
    stripped = (text or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() else 0


def due_date(day: object, days: str | None) -> date | None:
    """Return the date some days after a document's, None when the setting says that there is none."""
    count = number_in(days)
    if not count or not isinstance(day, date):
        return None
    try:
        return day + timedelta(days=count)
    except OverflowError:
        return None


# Changes


def is_changed(draft: Draft, *names: str) -> bool:
    """Whether the write gives one of the columns another value than the stored one."""
    return any(name in draft.values and draft.values[name] != draft.stored.get(name) for name in names)


def require_stored(draft: Draft, *names: str) -> None:
    """Pass when the stored row has the columns that a rule goes by.

    Raises:
        MethodError: ``write_not_supported`` when the whitelist hides one of them.
    """
    if any(name not in draft.stored for name in names):
        raise _depends_on_hidden()


def _depends_on_hidden() -> MethodError:
    return MethodError("write_not_supported", "This write is not possible: it depends on columns that are hidden.")


def currency_lookups(draft: Draft) -> tuple[Lookup, ...]:
    """Return the lookup of the currency that a write newly names, if it does."""
    if "currency" not in draft.sent or not is_changed(draft, "currency"):
        return ()
    return (Lookup(_CURRENCY, "currencies", ("id",), {"id": draft.values["currency"]}, limit=1),)


def _check_currency(draft: Draft, found: Found) -> None:
    """The CRM shows no amount of a document whose currency is unknown."""
    if currency_lookups(draft) and not found.get(_CURRENCY):
        raise refused("currency", "reference", f"no currency has the key {draft.values['currency']}")


# Lines


def check_nested(draft: Draft) -> None:
    """Pass when no nested line bills a task or an expense: that changes those too.

    Raises:
        ValidationError: ``fields_invalid``.
    """
    items = enumerate(draft.children.get("items", ()))
    rows = [(f"/items/{number}", item.children) for number, item in items]
    raise_any([_billing(path) for path, children in (("", draft.children), *rows) if children.get(_BILLING)])


def _billing(path: str) -> Issue:
    return fault(_BILLING, "read_only", "tasks and expenses are billed in the CRM", path)


def nested_lines(draft: Draft) -> tuple[Line, ...]:
    """Return the nested lines of a create as amounts are worked out from them."""
    return tuple(nested_line(item.values, item.children) for item in draft.children.get("items", ()))


def nested_line(values: Row, children: Mapping[str, tuple[Child, ...]]) -> Line:
    """Return one line with the taxes that are nested in it."""
    return line_of(values, tuple(decimal(tax.values.get("taxrate")) for tax in children.get("taxes", ())))


def line_of(row: Row, rates: tuple[Decimal, ...]) -> Line:
    """Return a line's row with the rates of its taxes; columns that came with later versions have their defaults."""
    is_left_out = bool(row.get("is_optional") or 0) and row.get("is_selected") == 0
    return Line(decimal(row.get("qty")), decimal(row.get("rate")), rates, not is_left_out)


def line_columns(draft: Draft, kind: str) -> dict[str, Row]:
    """Return what nested lines and taxes hold beside what was sent, by their labels."""
    columns: dict[str, Row] = {}
    for number, item in enumerate(draft.children.get("items", ())):
        order = item.values.get("item_order")
        columns[f"items.{number}"] = {"item_order": number + 1 if order is None else order}
        for place in range(len(item.children.get("taxes", ()))):
            columns[f"items.{number}.taxes.{place}"] = {"rel_id": NewKey(), "rel_type": kind}
    return columns


def line_lookups(kind: str, document: object) -> tuple[Lookup, Lookup]:
    """Return the lookups of a document's lines and their taxes, to be read while the document itself is held.

    They are not held one by one: who changes a line holds it before the document, and two of them would wait in a ring.
    """
    where = {"rel_id": document, "rel_type": kind}
    optional = ("qty", "rate", "is_optional", "is_selected", "item_order")
    return (
        Lookup(_ITEMS, "itemable", ("id",), where, optional=optional),
        Lookup(_TAXES, "item_tax", ("id",), where, optional=("itemid", "taxrate")),
    )


def stored_items(found: Found) -> dict[object, Row]:
    """Return the stored lines of a document by key."""
    return {row["id"]: row for row in found.get(_ITEMS, ())}


def stored_taxes(found: Found) -> dict[object, Row]:
    """Return the stored taxes of a document's lines by key."""
    return {row["id"]: row for row in found.get(_TAXES, ())}


def lines_of(items: Mapping[object, Row], taxes: Mapping[object, Row]) -> tuple[Line, ...]:
    """Return lines as amounts are worked out from them.

    Raises:
        MethodError: ``write_not_supported`` when the whitelist hides what they depend on.
    """
    _require(items, "qty", "rate")
    _require(taxes, "itemid", "taxrate")
    rates: dict[object, tuple[Decimal, ...]] = {}
    for tax in taxes.values():
        rates[tax["itemid"]] = (*rates.get(tax["itemid"], ()), decimal(tax["taxrate"]))
    return tuple(line_of(row, rates.get(key, ())) for key, row in items.items())


def _require(rows: Mapping[object, Row], *names: str) -> None:
    if any(name not in row for row in rows.values() for name in names):
        raise _depends_on_hidden()


# Amounts


def decimal(value: object) -> Decimal:
    """Return a column's value as a number; NULL counts as 0."""
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))


def new_amounts(draft: Draft, found: Found, lines: tuple[Line, ...]) -> dict[str, object]:
    """Return the columns of a document's amounts as the write leaves them.

    Raises:
        ValidationError: ``fields_invalid`` for a discount or currency that is none, or amounts that do not fit.
    """
    _check_currency(draft, found)
    discount = discount_of(draft)
    columns = amounts(lines, discount, decimal(draft.after().get("adjustment")))
    if "discount_total" in draft.sent:
        follows = decimal(draft.values["discount_total"]) == columns["discount_total"]
        if not follows and not draft.is_sent_back("discount_total"):
            raise _follows_from_percent()
    return {**columns, "discount_percent": discount.percent}


def check_no_guess(draft: Draft) -> None:
    """Pass when a change does not try what a percentage comes to without the right to read it.

    Raises:
        ValidationError: ``fields_invalid``, whether the value is right or wrong.
    """
    is_guess = "discount_total" in draft.sent and not draft.is_readable("discount_total")
    if is_guess and decimal(draft.after().get("discount_percent")):
        raise _follows_from_percent()


def _follows_from_percent() -> ValidationError:
    return computed("discount_total", "it follows from discount_percent; send 0 there for a fixed discount")


def amounts(lines: tuple[Line, ...], discount: Discount, adjustment: Decimal) -> dict[str, object]:
    """Return the computed columns of a document's amounts.

    Raises:
        ValidationError: ``fields_invalid`` when they do not fit their columns.
    """
    found = totals(lines, discount, adjustment)
    if not found.fits():
        raise refused("total", "out_of_range", "the amounts are larger than the CRM can hold")
    return found.columns()


def discount_of(draft: Draft) -> Discount:
    """Return the discount that the write leaves on the document.

    Raises:
        ValidationError: ``fields_invalid``.
    """
    after = draft.after()
    kind = DISCOUNT_TYPES.get(str(after.get("discount_type") or ""))
    if kind is None:
        raise refused("discount_type", "member", "before_tax, after_tax or an empty text is due")
    if not kind:
        _check_untyped(draft)
        return Discount()
    percent = decimal(after.get("discount_percent"))
    if not 0 <= percent <= 100:
        raise refused("discount_percent", "out_of_range", "a percentage from 0 to 100 is due")
    return Discount(kind, percent) if percent else Discount(kind, fixed=_fixed(draft))


def stored_discount(row: Row) -> Discount:
    """Return the discount that a stored document has."""
    kind = DISCOUNT_TYPES.get(str(row.get("discount_type") or ""), "")
    percent = decimal(row.get("discount_percent"))
    return Discount(kind, percent) if percent else Discount(kind, fixed=decimal(row.get("discount_total")))


def _check_untyped(draft: Draft) -> None:
    """A discount that was asked for must not get lost for want of a type."""
    names = ("discount_percent", "discount_total")
    asked = [n for n in names if n in draft.sent and decimal(draft.values[n]) and is_changed(draft, n)]
    if asked:
        raise refused("discount_type", "required", f"before_tax or after_tax must be given with {asked[0]}")


def _fixed(draft: Draft) -> Decimal:
    """The amount of a fixed discount; what a percentage had come to is none."""
    if "discount_total" in draft.sent:
        fixed = decimal(draft.values["discount_total"])
    else:
        was_percent = decimal(draft.stored.get("discount_percent"))
        fixed = Decimal(0) if was_percent else decimal(draft.stored.get("discount_total"))
    if fixed < 0:
        raise refused("discount_total", "out_of_range", "an amount of at least 0 is due")
    return fixed
