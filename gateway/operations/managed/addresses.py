"""Addresses of sales documents: each keeps its own copy of the customer's (SEMANTICS 3.1)."""

from __future__ import annotations

from typing import Final

from gateway.operations.managed.documents import is_changed
from gateway.operations.managed.faults import computed, refused
from gateway.operations.managed.model import Draft, Found, Lookup, Row

PARTS: Final = ("street", "city", "state", "zip", "country")
BILLING: Final = tuple(f"billing_{part}" for part in PARTS)
SHIPPING: Final = tuple(f"shipping_{part}" for part in PARTS)

_CUSTOMER: Final = "customer"


def customer_lookup(draft: Draft) -> Lookup:
    """Return the lookup of the customer whose addresses a document copies."""
    where, optional = {"userid": draft.after().get("clientid")}, (*BILLING, *SHIPPING)
    kept = (draft.stored.get("clientid"),)
    return Lookup(_CUSTOMER, "clients", ("userid",), where, limit=1, optional=optional, is_own=True, kept=kept)


def needs_customer(draft: Draft) -> bool:
    """Whether the write copies something from the customer."""
    return draft.operation == "create" or is_changed(draft, "clientid", "include_shipping")


def new_addresses(draft: Draft, found: Found) -> dict[str, object]:
    """Return the address columns of a new document: those that were sent, else the customer's.

    Raises:
        ValidationError: ``fields_invalid``: no such customer, or a shipping address on a document without one.
    """
    customer = _customer(draft, found)
    columns = _copied(draft, customer, BILLING)
    if draft.values.get("include_shipping"):
        return {**columns, **_copied(draft, customer, SHIPPING)}
    return {**columns, **_without_shipping(draft)}


def changed_addresses(draft: Draft, found: Found) -> dict[str, object]:
    """Return the address columns that change with the customer, or with whether a shipping address is shown.

    Raises:
        ValidationError: ``fields_invalid``: no such customer, or a shipping address on a document without one.
    """
    has_new_customer = is_changed(draft, "clientid")
    is_switched = is_changed(draft, "include_shipping")
    customer = _customer(draft, found) if has_new_customer else next(iter(found.get(_CUSTOMER, ())), {})
    columns = _copied(draft, customer, BILLING) if has_new_customer else {}
    if draft.after().get("include_shipping"):
        return {**columns, **_copied(draft, customer, SHIPPING)} if has_new_customer or is_switched else columns
    is_touched = is_switched or is_changed(draft, *SHIPPING)
    return {**columns, **_without_shipping(draft)} if is_touched else columns


def _customer(draft: Draft, found: Found) -> Row:
    rows = found.get(_CUSTOMER, ())
    if not rows:
        raise refused("clientid", "reference", f"no customer has the key {draft.values.get('clientid')}")
    return rows[0]


def _copied(draft: Draft, customer: Row, names: tuple[str, ...]) -> dict[str, object]:
    return {name: customer.get(name) for name in names if name not in draft.sent}


def _without_shipping(draft: Draft) -> dict[str, object]:
    for name in SHIPPING:
        if draft.values.get(name) and is_changed(draft, name):
            raise computed(name, "there is no shipping address unless include_shipping is 1")
    return dict.fromkeys(SHIPPING)
