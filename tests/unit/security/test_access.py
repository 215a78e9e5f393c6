"""From principals to accesses, and what they look like spelled out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.catalog.model import WriteMode
from gateway.query.access import OPERATIONS, Access, Operation
from gateway.security.access import AccessBook, build_access
from gateway.security.explain import permissions_of, refusal_of
from gateway.security.principal import Principal
from tests.unit.security.catalogs import small_catalog

CATALOG = small_catalog()


def principal(*grants: str, token_id: int = 1, is_admin: bool = False, staff_id: int | None = None) -> Principal:
    return Principal(f"token:{token_id}", "bi", grants, is_admin, staff_id)


def may(access: Access, resource: str) -> list[Operation]:
    return [word for word in OPERATIONS if access.may(word, CATALOG.resources[resource])]


def test_only_what_is_granted_may_be_done() -> None:
    """Nothing follows from a grant but what it says."""
    access = build_access(principal("invoices:read", "customers:read,create"), CATALOG)

    assert may(access, "invoices") == ["read"]
    assert may(access, "clients") == ["read", "create"]
    assert may(access, "staff") == []


def test_everything_excludes_internal_tables_and_administration() -> None:
    """``*:*`` is data only, and an internal table is no data."""
    access = build_access(principal("*:*"), CATALOG)

    assert may(access, "staff") == list(OPERATIONS)
    assert not access.may("read", CATALOG.tables["tbloptions"])
    assert not access.is_admin


def test_an_administrator_without_grants_reads_nothing() -> None:
    """Administration and data are apart in both directions."""
    access = build_access(principal(is_admin=True), CATALOG)

    assert access.is_admin
    assert may(access, "clients") == []


@pytest.mark.parametrize("staff_id", [3, None])
def test_the_acting_staff_is_the_tokens(staff_id: int | None) -> None:
    """Without one, the write takes the setting's or looks for the first active administrator."""
    assert build_access(principal("*:*", staff_id=staff_id), CATALOG).acting_staff == staff_id


def test_the_same_access_is_handed_out_again() -> None:
    """Plans are kept per access object, so an equal one is not good enough."""
    book = AccessBook()
    first = book.access_of(principal("*:read"), CATALOG)

    assert book.access_of(principal("*:read"), CATALOG) is first


def test_a_changed_principal_or_catalog_gets_a_new_access() -> None:
    """Nothing of the old one lives on."""
    book = AccessBook()
    first = book.access_of(principal("*:read"), CATALOG)
    narrower = book.access_of(principal("clients:read"), CATALOG)
    reloaded = book.access_of(principal("clients:read"), small_catalog())

    assert len({id(access) for access in (first, narrower, reloaded)}) == 3
    assert may(narrower, "invoices") == []


def test_the_book_is_bounded() -> None:
    """The oldest entry goes; its token simply gets a new access next time."""
    book = AccessBook(most=2)
    first = [book.access_of(principal("*:*", token_id=number), CATALOG) for number in (1, 2, 3)]

    assert book.access_of(principal("*:*", token_id=3), CATALOG) is first[2]
    assert book.access_of(principal("*:*", token_id=1), CATALOG) is not first[0]


def test_what_the_resource_refuses_is_told_beside_what_is_granted() -> None:
    """A grant does not make a view writable, and the reader is told so."""
    permissions = permissions_of(build_access(principal("*:*"), CATALOG), CATALOG)

    assert [item.resource for item in permissions] == ["clients", "invoices", "staff", "tags", "totals"]
    assert {item.resource: dict(item.refused) for item in permissions} == {
        "clients": {},
        "invoices": {"delete": "deleting is forbidden by the whitelist"},
        "staff": dict.fromkeys(("create", "update", "delete"), "staff are managed in the CRM"),
        "tags": {
            "create": "a hidden column has no default",
            "update": "the resource has no key",
            "delete": "the resource has no key",
        },
        "totals": dict.fromkeys(("create", "update", "delete"), "a view is read-only"),
    }


@pytest.mark.parametrize(
    ("mode", "reason", "refused"),
    [
        (WriteMode.PLAIN, "", None),
        (WriteMode.MANAGED, "", None),
        (WriteMode.MANAGED, "not in this version", "not in this version"),
        (WriteMode.NONE, "", "the resource is read-only"),
    ],
)
def test_a_write_mode_refuses_with_its_reason(mode: WriteMode, reason: str, refused: str | None) -> None:
    """A managed resource is writable as soon as it has no reason not to be."""
    table = replace(CATALOG.resources["clients"], mode=mode, mode_reason=reason)

    assert [refusal_of(word, table) for word in OPERATIONS] == [None, refused, refused, refused]
