"""Policies against a catalog: what they leave of the grants, and that they only ever take away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.model import Catalog, Column, CustomField
from gateway.observe import Event, PolicyUnmet
from gateway.query.access import OPERATIONS, Access
from gateway.query.intent import ConditionIntent
from gateway.security.access import AccessBook, build_access, resolve_access
from gateway.security.explain import permissions_of
from gateway.security.policy import Named, Policy
from gateway.security.principal import Principal
from tests.support.catalogs import perfex_catalog

CATALOG = perfex_catalog()


def principal(*grants: str, **limits: Any) -> Principal:
    return Principal("token:1", "bi", grants, policy=Policy(**limits))


def named(**texts: tuple[str, ...]) -> Named:
    return tuple(texts.items())


def operations(access: Access, resource: str) -> list[str]:
    return [word for word in OPERATIONS if access.may(word, CATALOG.resources[resource])]


def readable(access: Access, resource: str) -> set[str]:
    table = CATALOG.resources[resource]
    return {column.name for column in table.columns if access.may_read_column(table, column)}


def writable(access: Access, resource: str) -> set[str]:
    table = CATALOG.resources[resource]
    return {column.name for column in table.columns if access.may_write_column(table, column)}


def filter_texts(access: Access, resource: str) -> list[str]:
    grant = access.grant_on(CATALOG.resources[resource])
    assert grant is not None
    return [part.parameter for part in grant.row_filter if isinstance(part, ConditionIntent)]


def test_only_named_columns_are_there() -> None:
    """Key columns are not added by themselves; other resources keep all of theirs."""
    access = build_access(principal("*:*", readable=named(invoices=("number", "total"))), CATALOG)

    assert readable(access, "invoices") == {"number", "total"}
    assert len(readable(access, "clients")) > 10
    assert len(writable(access, "invoices")) > 10


def test_only_named_columns_can_be_written() -> None:
    """Whether they can be read is another question."""
    access = build_access(principal("leads:*", writable=named(leads=("status", "name"))), CATALOG)

    assert writable(access, "leads") == {"status", "name"}
    assert len(readable(access, "leads")) > 10


def test_a_limit_under_an_alias_is_that_of_its_resource() -> None:
    """Also where the grant has the other name."""
    by_alias = build_access(principal("clients:read", readable=named(customers=("company",))), CATALOG)
    granted_by_alias = build_access(principal("customers:read", readable=named(clients=("company",))), CATALOG)

    assert readable(by_alias, "clients") == readable(granted_by_alias, "clients") == {"company"}


def test_two_names_of_one_resource_take_away_together() -> None:
    """A column must stand in both; conditions of both hold."""
    access = build_access(
        principal(
            "*:read",
            readable=named(clients=("userid", "company"), customers=("company", "city")),
            rows=named(clients=("active=1",), customers=("country=234",)),
        ),
        CATALOG,
    )

    assert readable(access, "clients") == {"company"}
    assert filter_texts(access, "clients") == ["active=1", "country=234"]


def test_a_limit_narrows_what_the_wildcard_grants_on_that_resource_alone() -> None:
    """Resources without limits stay as ``*`` grants them, those exposed later too."""
    access = build_access(principal("*:read", rows=named(invoices=("clientid=12",))), CATALOG)

    assert filter_texts(access, "invoices") == ["clientid=12"]
    assert filter_texts(access, "payments") == []
    assert operations(access, "invoices") == operations(access, "payments") == ["read"]


def test_a_limit_grants_nothing() -> None:
    """Not even on the resource that it names."""
    access = build_access(principal("clients:read", readable=named(invoices=("id",))), CATALOG)

    assert operations(access, "invoices") == []


@pytest.mark.parametrize(
    "text",
    [
        "clientid=12",
        "client.country=234",
        "payments.amount.gt=0",
        "status.in=1,2",
        "total.between=1,2",
        "date.gte=@month_start",
        "duedate.null=1",
    ],
)
def test_row_filters_speak_as_clients_filters_do(text: str) -> None:
    """Through relationships, with every operator and the date words."""
    resolved = resolve_access(principal("invoices:read", rows=named(invoices=(text,))), CATALOG)

    assert resolved.unmet == ()
    assert filter_texts(resolved.access, "invoices") == [text]


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("clientidd=12", "has no field", "clientid"),
        ("clientid=abc", "whole number", None),
        ("clientid.above=1", "no operator", None),
        ("total.gtee=1", "no operator", "gte"),
        ("total.like=1", "cannot be used", None),
        ("client=12", "is a relationship", None),
        ("client.contry=1", "has no field", "country"),
        ("hash=abc", "has no field", None),
        ("clientid", "is no row filter", None),
    ],
)
def test_a_condition_that_cannot_be_met_closes_its_resource(text: str, message: str, suggestion: str | None) -> None:
    """Whatever was granted on it; the others stay open, and the reason is told."""
    resolved = resolve_access(principal("*:*", "invoices:read", rows=named(invoices=("status=1", text))), CATALOG)

    assert operations(resolved.access, "invoices") == []
    assert operations(resolved.access, "clients") == list(OPERATIONS)
    (unmet,) = resolved.unmet
    assert (unmet.limit, unmet.resource, unmet.text, unmet.suggestion) == ("rows", "invoices", text, suggestion)
    assert message in unmet.message
    assert "nothing is granted on invoices" in str(unmet)


@pytest.mark.parametrize("limit", ["readable", "writable", "rows"])
def test_a_limit_on_a_resource_that_is_gone_closes_the_token(limit: str) -> None:
    """It may have been another name of any table: nobody can tell what it was to protect."""
    before = principal("clients:read", "*:read", **{limit: named(kunden=("userid=1",))})
    resolved = resolve_access(before, CATALOG)

    assert [operations(resolved.access, table.resource or "") for table in CATALOG.exposed()] == [[]] * len(
        CATALOG.exposed()
    )
    assert "may do nothing until there is one" in str(resolved.unmet[0])


def test_a_renamed_alias_never_widens() -> None:
    """The filter was written for the alias, the grant for the resource; then the whitelist loses the alias."""
    without = {name: table for name, table in CATALOG.resources.items() if name != "customers"}
    later = replace(CATALOG, resources=without)
    caller = principal("clients:read", rows=named(customers=("userid=12",)))

    assert filter_texts(build_access(caller, CATALOG), "clients") == ["userid=12"]
    assert not build_access(caller, later).may("read", later.resources["clients"])


def test_a_column_that_is_not_there_is_not_readable() -> None:
    """Nor does it open the others; one that is hidden is treated alike."""
    resolved = resolve_access(principal("invoices:read", readable=named(invoices=("number", "hash", "nmber"))), CATALOG)

    assert readable(resolved.access, "invoices") == {"number"}
    assert [(unmet.text, unmet.suggestion) for unmet in resolved.unmet] == [("hash", None), ("nmber", "number")]


def test_a_page_cap_is_the_smaller_one() -> None:
    """And never more than anybody has."""
    caps = [build_access(principal("*:read", most_rows=most), CATALOG).most_rows for most in (None, 10, 5_000)]

    assert caps == [1_000, 10, 1_000]


def test_what_cannot_be_held_is_reported_when_the_access_is_built() -> None:
    """Once per catalog, not per request."""
    events: list[Event] = []
    book = AccessBook(observer=events.append)
    caller = principal("*:read", rows=named(invoices=("clientid=x",)))
    for _ in range(3):
        book.access_of(caller, CATALOG)

    (event,) = events
    assert isinstance(event, PolicyUnmet)
    assert event.principal == "bi"
    assert "clientid=x" in event.problems[0]


def test_the_limits_are_told_beside_what_is_granted() -> None:
    """Columns in the table's order; null for all of them."""
    access = build_access(
        principal(
            "invoices:read,update",
            readable=named(invoices=("total", "id", "hash")),
            rows=named(invoices=("clientid=12",)),
        ),
        CATALOG,
    )
    (told,) = permissions_of(access, CATALOG)

    assert (told.readable, told.writable, told.rows) == (("id", "total"), None, ("clientid=12",))


RESOURCES = st.sampled_from(["invoices", "clients", "customers", "payments", "leads", "nothing"])
COLUMNS = st.sampled_from(["id", "userid", "number", "total", "company", "hash", "custom.region", "amount", "nope"])
CONDITIONS = st.sampled_from(["clientid=12", "userid=1", "status=1", "invoice.clientid=12", "nope=1", "id=x"])
GRANTS = st.sampled_from(["*:read", "*:*", "invoices:read", "customers:*", "clients:read", "leads:create,read"])


def limits(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Named]:
    lists = st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple)
    return st.dictionaries(RESOURCES, lists, max_size=2).map(lambda found: tuple(found.items()))


@given(st.lists(GRANTS, min_size=1, max_size=3), limits(COLUMNS), limits(COLUMNS), limits(CONDITIONS))
@settings(max_examples=150, deadline=None)
def test_a_policy_only_takes_away(grants: list[str], read: Named, write: Named, rows: Named) -> None:
    """Of operations, columns and rows, on every resource: nothing is there that is not there without it."""
    wide = build_access(principal(*grants), CATALOG)
    narrow = build_access(principal(*grants, readable=read, writable=write, rows=rows), CATALOG)
    asked = dict(rows)
    for table in CATALOG.exposed():
        assert all(wide.may(word, table) for word in OPERATIONS if narrow.may(word, table))
        for column in columns_of(CATALOG, table.resource or ""):
            assert wide.may_read_column(table, column) or not narrow.may_read_column(table, column)
            assert wide.may_write_column(table, column) or not narrow.may_write_column(table, column)
        conditions = {text for name in (table.resource, *table.aliases) for text in asked.get(name or "", ())}
        if any(narrow.may(word, table) for word in OPERATIONS):
            assert set(filter_texts(narrow, table.resource or "")) == conditions


def columns_of(catalog: Catalog, resource: str) -> list[Column | CustomField]:
    fields = catalog.resources[resource].fields.values()
    return [field for field in fields if isinstance(field, Column | CustomField)]
