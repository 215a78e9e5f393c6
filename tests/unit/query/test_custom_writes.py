"""Custom fields in bodies: judged like columns, kept as text, written only where they change something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orjson import Fragment

from gateway.catalog.kinds import KINDS, ColumnType, DecodeContext, decoder_of, parse_sql_type
from gateway.catalog.model import Catalog
from gateway.catalog.reflected import CustomField as Definition
from gateway.errors import ValidationError
from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.bulk import plan_upsert
from gateway.query.coerce import Clock, RefusedValueError, coerce_operand, same_value
from gateway.query.intent import WriteIntent
from gateway.query.writes import PlannedWrite, changed_custom, plan_create, plan_update
from gateway.query.written import coerce_custom, form_value
from tests.support.asking import ALL, context_of, granted
from tests.support.catalogs import exposure_of, names, perfex_built, perfex_reflection

CLOCK = Clock(datetime(2026, 11, 15, 9, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
ANY: frozenset[Operation] = frozenset(OPERATIONS)
DEFINITIONS = (
    Definition(1, "tier", "Tier", "customers"),
    Definition(2, "size", "Size", "customers", "number"),
    Definition(3, "industry", "Industry", "customers", "select", ("Health", "Retail")),
    Definition(4, "secret_token", "Secret", "customers"),
    Definition(5, "supplier", "Supplier", "items"),
    Definition(6, "po", "PO", "invoice"),
)


@cache
def crm() -> Catalog:
    tables = exposure_of("clients", "invoices", "itemable", "items", "item_tax", "projects")
    (clients, *others) = tables.tables
    read_only = replace(clients, read_only=names("custom.locked"))
    locked = Definition(7, "locked", "Locked", "customers")
    reflection = replace(perfex_reflection(), custom_fields=(*DEFINITIONS, locked))
    return perfex_built(replace(tables, tables=(read_only, *others)), reflection).catalog


def create(values: Mapping[str, object], resource: str = "clients", access: Access = ALL, **more: Any) -> PlannedWrite:
    named = {"company": "x", **values} if resource == "clients" else values
    return plan_create(context_of(crm(), access), WriteIntent(resource, values=named, **more))


def change(values: Mapping[str, object], access: Access = ALL) -> PlannedWrite:
    return plan_update(context_of(crm(), access), WriteIntent("clients", ("1",), values))


def texts(planned: PlannedWrite) -> dict[str, object]:
    return {each.field.name: planned.values[each.slot] for each in planned.custom}


def faults(call: Any, *arguments: object, **options: object) -> dict[str, str | None]:
    with pytest.raises(ValidationError) as caught:
        call(*arguments, **options)
    return {(issue.pointer or "").removeprefix("/"): issue.code for issue in caught.value.issues}


def shown(planned: PlannedWrite) -> list[str]:
    """Return the custom fields that a write's answer has."""
    assert planned.plan.result is not None
    return [field.name for field in planned.plan.result.fields if field.name.startswith("custom.")]


def type_of(kind: str, **limits: Any) -> ColumnType:
    return parse_sql_type(kind) if kind in ("date", "datetime") else ColumnType(KINDS[kind], "mediumtext", **limits)


# What is stored


@pytest.mark.parametrize(
    ("kind", "raw", "text"),
    [
        ("string", "Gold", "Gold"),
        ("string", 7, "7"),
        ("string", "a < b & c", "a < b & c"),
        ("string", "<b onclick=x()>a</b>", "<b>a</b>"),
        ("string", "<img src=x", "&lt;img src=x"),
        ("multiline", "a\nb", "a<br />\nb"),
        (
            "html",
            '<a href="https://x.example" onclick="x()">x</a>',
            '<a href="https://x.example" rel="noopener noreferrer">x</a>',
        ),
        ("number", 12, "12"),
        ("number", Decimal("12.50"), "12.5"),
        ("number", " 7", "7"),
        ("number", "1e3", "1000"),
        ("number", "-0.0", "0"),
        ("date", "2026-03-05", "2026-03-05"),
        ("date", "@today", "2026-11-15"),
        ("datetime", "2026-03-05T10:15:00Z", "2026-03-05 11:15:00"),
        ("datetime", "2026-03-05T10:15:30.999", "2026-03-05 10:15:30"),
        ("datetime", "2026-03-05", "2026-03-05 00:00:00"),
        ("words", ["a", "b", "a"], "a, b, a"),
        ("words", "a,b", "a, b"),
        ("string", None, ""),
        ("number", "", ""),
        ("words", [], ""),
    ],
)
def test_a_value_is_stored_as_the_crm_stores_it(kind: str, raw: object, text: str) -> None:
    """Without a value the text is empty."""
    assert coerce_custom(type_of(kind), raw, CLOCK) == text


def test_chosen_words_stand_in_the_order_of_the_options() -> None:
    """Each once, as the options spell them."""
    column_type = type_of("words", members=("Hosting", "Design", "Hardware"))

    assert coerce_custom(column_type, ["hardware", "Hosting", "Hosting"], CLOCK) == "Hosting, Hardware"
    assert coerce_custom(type_of("enum", members=("Health",)), "health", CLOCK) == "Health"


@pytest.mark.parametrize(
    ("column_type", "raw", "code"),
    [
        (type_of("number"), "ten", "type"),
        (type_of("number"), True, "type"),
        (type_of("number"), "0." + "1" * 31, "scale"),
        (type_of("number"), "1" * 36, "out_of_range"),
        (type_of("date"), "2026-02-30", "type"),
        (type_of("date"), "0999-12-31", "out_of_range"),
        (type_of("datetime"), "0999-12-31T10:00:00", "out_of_range"),
        (type_of("datetime"), "2026-03-29T02:30:00", "nonexistent_time"),
        (type_of("enum", members=("a", "b")), "c", "member"),
        (type_of("words", members=("a", "b")), ["a", "c"], "member"),
        (type_of("words"), 5, "type"),
        (type_of("string", length=3), "abcd", "too_long"),
        (type_of("words", length=3), ["ab", "cd"], "too_long"),
        (type_of("string"), {"a": 1}, "type"),
    ],
)
def test_a_value_that_the_field_cannot_hold_is_refused(column_type: ColumnType, raw: object, code: str) -> None:
    """By the codes of columns."""
    with pytest.raises(RefusedValueError) as caught:
        coerce_custom(column_type, raw, CLOCK)

    assert caught.value.code == code


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20))
def test_a_number_is_read_back_as_it_was_sent(number: Decimal) -> None:
    """Every digit of it."""
    text = coerce_custom(type_of("number"), str(number), CLOCK)
    decode = decoder_of(type_of("number"), DecodeContext("mariadb", UTC))

    assert Decimal(text) == number
    assert decode is not None
    assert same_value(type_of("number"), decode(text), number, CLOCK)


def test_a_form_separates_words_by_commas() -> None:
    """It has no lists."""
    assert form_value(type_of("words"), "a,b") == ["a", "b"]
    assert form_value(type_of("words"), "") == []


def test_words_are_compared_as_they_are_stored() -> None:
    """However they were separated."""
    assert coerce_operand(type_of("words"), "a,b , c", CLOCK) == "a, b, c"


# Bodies


def test_a_create_has_its_custom_fields_beside_the_columns() -> None:
    """They are no columns of the insert, and the answer shows those that were sent."""
    planned = create({"custom.tier": "Gold", "custom.size": "2.50"})

    assert texts(planned) == {"custom.tier": "Gold", "custom.size": "2.5"}
    assert planned.sent == {"company"}
    assert shown(planned) == ["custom.tier", "custom.size"]
    assert shown(create({})) == []


def test_nested_rows_have_custom_fields_too() -> None:
    """At their own place in the body, faults included."""
    lines: list[dict[str, object]] = [
        {"description": "a", "qty": 1, "rate": 1, "custom.supplier": "Acme"},
        {"description": "b", "qty": 1, "rate": 1, "custom.nothing": "x"},
    ]
    planned = create({"clientid": 1, "items": lines[:1], "custom.po": "7"}, "invoices")
    (line,) = planned.children["items"]

    assert [(each.field.name, planned.values[each.slot]) for each in line.custom] == [("custom.supplier", "Acme")]
    assert texts(planned) == {"custom.po": "7"}
    assert faults(create, {"clientid": 1, "items": lines}, "invoices") == {"items/1/custom.nothing": "unknown"}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("custom.teir", "x", "unknown"),
        ("custom.secret_token", "x", "unknown"),
        ("custom.po", "x", "unknown"),
        ("custom.locked", "x", "read_only"),
        ("custom.industry", "Fishing", "member"),
        ("custom.size", "big", "type"),
    ],
)
def test_every_fault_is_named(name: str, value: object, code: str) -> None:
    """Beside those of columns; of names that are near one that is there, that one is offered."""
    assert faults(create, {name: value, "nothing": 1}) == {name: code, "nothing": "unknown"}


def test_the_nearest_field_is_offered() -> None:
    """Hidden ones never."""
    with pytest.raises(ValidationError) as caught:
        create({"custom.teir": "x", "custom.secret_toke": "x"})

    assert caught.value.issues[0].suggestion == "custom.tier"
    assert "secret_token" not in str([issue.suggestion for issue in caught.value.issues])


def test_a_form_has_custom_fields() -> None:
    """Its empty texts are no values."""
    planned = create({"custom.size": "", "custom.tier": "x"}, is_form=True)

    assert texts(planned) == {"custom.size": "", "custom.tier": "x"}


def test_a_grant_names_the_custom_fields_it_lets_write() -> None:
    """Others may be sent back, where they can be read; those that can be neither do not exist."""
    may = Grant(ANY, writable=frozenset({"company", "custom.tier"}))
    blind = Grant(ANY, readable=frozenset({"userid"}), writable=frozenset({"company", "custom.tier"}))

    assert texts(create({"custom.tier": "x"}, access=granted(clients=may))) == {"custom.tier": "x"}
    assert faults(create, {"custom.size": 1}, access=granted(clients=may)) == {"custom.size": "read_only"}
    assert faults(create, {"custom.size": 1}, access=granted(clients=blind)) == {"custom.size": "unknown"}
    assert shown(create({"custom.tier": "x"}, access=granted(clients=blind))) == []
    (back,) = change({"custom.size": 1}, granted(clients=may)).sent_back
    assert (back.column.name, back.fault.code) == ("custom.size", "read_only")


# Changes


def test_a_change_reads_what_it_compares() -> None:
    """The stored value of each field that was sent, under the row's lock."""
    planned = change({"custom.tier": "x", "custom.locked": "y"})
    (locked,) = planned.plan.reads

    assert {field.name for field in locked.fields} == {"userid", "custom.tier", "custom.locked"}
    assert shown(planned) == ["custom.tier", "custom.locked"]
    assert planned.plan.steps == ()


def test_what_was_sent_back_as_shown_is_not_written() -> None:
    """So text that is no value survives; what differs is written, also to nothing."""
    planned = change({"custom.tier": "Gold", "custom.size": None, "custom.industry": "Health"})
    stored = {"custom.tier": "Gold", "custom.size": None, "custom.industry": "Retail"}
    other = {"custom.tier": None, "custom.size": Fragment("2.5"), "custom.industry": "Health"}

    assert [(field.name, text) for field, text in changed_custom(planned, stored, CLOCK)] == [
        ("custom.industry", "Health")
    ]
    assert [(field.name, text) for field, text in changed_custom(planned, other, CLOCK)] == [
        ("custom.tier", "Gold"),
        ("custom.size", ""),
    ]


def test_what_may_not_be_read_is_written_without_a_look() -> None:
    """An answer that depended on it would tell it."""
    blind = granted(clients=Grant(ANY, readable=frozenset({"userid"})))
    planned = change({"custom.tier": "Gold"}, blind)

    assert [field.name for field in planned.plan.reads[0].fields] == ["userid"]
    assert [text for _, text in changed_custom(planned, {}, CLOCK)] == ["Gold"]
    assert faults(change, {"custom.industry": "Fishing"}, blind) == {"custom.industry": "member"}


def test_a_value_that_may_have_been_read_is_judged_by_what_is_stored() -> None:
    """A word may have been an option once."""
    (back,) = change({"custom.industry": "Fishing"}).sent_back

    assert (back.column.name, back.fault.code) == ("custom.industry", "member")


def test_a_row_that_is_there_is_read_with_the_fields_that_were_sent() -> None:
    """As the write of a new one would show it."""
    intent = WriteIntent("clients", values={"userid": 5, "company": "x", "custom.tier": "Gold"})
    planned = plan_upsert(context_of(crm()), intent, "ignore")

    assert planned.found is not None
    assert "custom.tier" in [field.name for field in planned.found.fields]


def test_a_name_is_a_pointer_with_its_escapes() -> None:
    """Its dot needs none."""
    assert faults(create, {"custom.a/b": 1}) == {"custom.a~1b": "unknown"}
