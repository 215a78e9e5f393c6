"""A document and variables -> what one operation selects, and what it costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import ForbiddenError, GatewayError
from gateway.graphql.collecting import operation_of
from gateway.graphql.limits import Limits
from gateway.graphql.meaning import Change, Nested, Rows
from gateway.graphql.selection import Cost, Operation, Selected
from tests.support.small_graphql import small_documents, small_schema


def collected(text: str, variables: dict[str, Any] | None = None, name: str | None = None) -> Operation:
    return operation_of(small_documents().read(text), small_schema(), name, variables or {}, Limits())[0]


def shape(fields: tuple[Selected, ...]) -> dict[str, Any]:
    """Return keys and what is inside them, the name where it is another one."""
    return {
        each.key if each.key == each.name else f"{each.key}: {each.name}": shape(each.parts) or None for each in fields
    }


def test_a_selection_says_what_each_field_is() -> None:
    """Its meaning, its type, its arguments with their digits, and its place."""
    (rows,) = collected("{\n  all: invoices(filter: {total_gte: 1.50}) { id client { company } __typename }\n}").fields
    number, client, typename = rows.parts

    assert (rows.key, rows.name, rows.type_name, rows.scalar) == ("all", "invoices", "Invoice", "")
    assert isinstance(rows.meaning, Rows)
    assert rows.arguments == {"filter": {"total_gte": Decimal("1.50")}}
    assert str(rows.arguments["filter"]["total_gte"]) == "1.50"
    assert (rows.line, rows.column) == (2, 3)
    assert (number.key, number.type_name, number.scalar, number.parts) == ("id", "", "Int", ())
    assert (client.type_name, client.parts[0].scalar) == ("Client", "String")
    assert isinstance(client.meaning, Nested)
    assert (typename.name, typename.meaning, typename.scalar) == ("__typename", None, "String")


def test_fields_of_one_key_are_merged_in_the_order_in_which_they_first_stand() -> None:
    """Fragments laid out, at every level."""
    text = """
    { invoices { id client { company } ...F } ...Q }
    fragment F on Invoice { client { id ... on Client { invoices { total } } } total }
    fragment Q on Query { invoices { payments { id } } more: invoices { id } }
    """

    assert shape(collected(text).fields) == {
        "invoices": {
            "id": None,
            "client": {"company": None, "id": None, "invoices": {"total": None}},
            "total": None,
            "payments": {"id": None},
        },
        "more: invoices": {"id": None},
    }


@pytest.mark.parametrize(
    ("text", "variables", "keys"),
    [
        ("{ invoices { id @skip(if: true) total } }", {}, ["total"]),
        ("{ invoices { id @include(if: false) total } }", {}, ["total"]),
        ("{ invoices { id @skip(if: false) total @include(if: true) } }", {}, ["id", "total"]),
        ("{ invoices { id @skip(if: true) @include(if: true) total } }", {}, ["total"]),
        ("query ($a: Boolean!) { invoices { id @include(if: $a) total } }", {"a": False}, ["total"]),
        (
            "query ($a: Boolean = false) { invoices { id ...F @include(if: $a) } } fragment F on Invoice { total }",
            {},
            ["id"],
        ),
        ("query ($a: Boolean!) { invoices { id ... @skip(if: $a) { total } } }", {"a": True}, ["id"]),
        ("query ($a: Boolean!) { invoices { id @skip(if: $a) id } }", {"a": True}, ["id"]),
    ],
)
def test_what_is_skipped_is_not_there(text: str, variables: dict[str, Any], keys: list[str]) -> None:
    """`@skip` weighs more than `@include`."""
    assert [each.key for each in collected(text, variables).fields[0].parts] == keys


def test_nothing_may_be_left() -> None:
    """An operation whose every field is skipped is answered with an empty object."""
    assert collected("{ invoices @skip(if: true) { id } }").fields == ()


def test_arguments_that_were_left_out_are_not_there() -> None:
    """And defaults of the schema are."""
    text = "mutation ($d: Decimal, $t: Decimal) { createInvoice(input: {total: $d, tags: [], data: $t}) { id } }"
    text = text.replace(", data: $t", "").replace(", $t: Decimal", "")

    (create,) = collected(text).fields

    assert isinstance(create.meaning, Change)
    assert create.arguments == {"input": {"tags": []}, "dryRun": False}


def test_operations_are_named_and_of_a_kind() -> None:
    """`@atomic` is noted."""
    text = """
    query Q { invoices { id } }
    mutation M @atomic { createInvoice(input: {}) { id } }
    mutation N { createInvoice(input: {}) { id } }
    """

    found = [collected(text, name=name) for name in ("Q", "M", "N")]

    assert [(each.name, each.kind, each.is_atomic) for each in found] == [
        ("Q", "query", False),
        ("M", "mutation", True),
        ("N", "mutation", False),
    ]


def test_introspection_is_told_apart() -> None:
    """`__typename` is none."""
    found = collected(
        "{ __typename __schema { queryType { name } } invoices { id } t: __type(name: A) { name } }".replace(
            "A)", '"A")'
        )
    )

    assert (found.introspected, [each.key for each in found.fields]) == (True, ["__typename", "invoices"])
    assert not collected("{ __typename }").introspected


def test_introspection_may_be_off() -> None:
    """Whoever skips it does not ask for it."""
    documents, limits = small_documents(Limits(is_introspection_open=False)), Limits(is_introspection_open=False)
    text = """
    query ($a: Boolean!) { __typename ...F @include(if: $a) }
    fragment F on Query { __schema { queryType { name } } }
    """

    with pytest.raises(ForbiddenError) as caught:
        operation_of(documents.read(text), small_schema(), None, {"a": True}, limits)
    assert (caught.value.code, caught.value.status) == ("introspection_off", 403)
    assert not operation_of(documents.read(text), small_schema(), None, {"a": False}, limits)[0].introspected
    assert operation_of(documents.read(text, is_admin=True), small_schema(), None, {"a": True}, limits)[0].introspected


def test_what_an_operation_costs_is_told_in_every_measure() -> None:
    """Tokens are the document's, the others the operation's."""
    text = "query A { a: invoices(limit: 2) { client { id } } } query B { invoices { id } }"

    cost = operation_of(small_documents().read(text), small_schema(), "A", {}, Limits())[1]

    assert cost == Cost(tokens=26, depth=3, aliases=1, complexity=4)


@pytest.mark.parametrize(
    ("text", "variables", "name", "code"),
    [
        ("query A { invoices { id } }", {}, "B", "operation_unknown"),
        ("query ($a: Int!) { invoices_by_key(id: $a) { id } }", {}, None, "variables_invalid"),
        ("{ invoices { id } }", {"a": 1}, None, "variables_invalid"),
        ("query ($a: Boolean = true) { invoices @skip(if: $a) { id } }", {"a": None}, None, "variables_invalid"),
        ("{ invoices(limit: 1000) { payments(limit: 1000) { id } } }", {}, None, "query_too_large"),
    ],
)
def test_what_cannot_be_collected_is_refused(text: str, variables: dict[str, Any], name: str | None, code: str) -> None:
    """Each with its code."""
    with pytest.raises(GatewayError) as caught:
        collected(text, variables, name)

    assert caught.value.code == code


def test_variables_of_the_other_operations_may_come_along() -> None:
    """As explorers send them."""
    text = "query A ($a: Int) { invoices(limit: $a) { id } } query B ($b: Int) { invoices(limit: $b) { id } }"

    assert collected(text, {"a": 1, "b": 2}, "B").fields[0].arguments == {"limit": 2}
