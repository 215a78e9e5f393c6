"""Which columns a plan has, whatever rows there are."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from gateway.formats.layout import Batch, Layout, digits_of, json_texts, layout_of
from gateway.query.intent import EmbedIntent, ReadIntent
from gateway.query.planner import plan_read
from tests.support.asking import ask_any, context_of, crm

ZONE = ZoneInfo("Europe/Berlin")
FLOAT_SAFE = orjson.Fragment("1.50")


def layout(target: str) -> Layout:
    """The layout of a question to Perfex's catalog."""
    return layout_of(ask_any(crm(), target).plan, ZONE)


def names(target: str) -> list[str]:
    return [column.name for column in layout(target).columns]


def test_fields_are_columns_in_their_order() -> None:
    """Without anything nested the cells are the columns."""
    found = layout("invoices?fields=total,id,balance")

    assert [column.name for column in found.columns] == ["total", "id", "balance"]
    assert found.is_flat
    assert (found.title, found.zone) == ("invoices", ZONE)


def test_a_to_one_is_flattened_and_a_to_many_is_one_column() -> None:
    """To-ones within to-ones too; rows within a to-one are a column under its name."""
    found = layout(
        "invoices?fields=id&include=client,client.primary_contact,payments,client.contracts"
        "&fields[client]=company&fields[client.primary_contact]=email&fields[payments]=amount"
    )

    assert [column.name for column in found.columns] == [
        "id",
        "client.company",
        "client.primary_contact.email",
        "client.contracts",
        "payments",
    ]
    assert [column.kind for column in found.columns] == ["integer", "string", "string", "rows", "rows"]
    assert not found.is_flat


def test_numbers_over_other_rows_are_columns_of_the_row() -> None:
    """Each under the name of the numbers, within a to-one under its name too."""
    embeds = (
        EmbedIntent(("client",), fields=("company",)),
        EmbedIntent(("client", "owed"), relationship="invoices", metrics=("count", "sum.total")),
    )
    plan = plan_read(context_of(crm()), ReadIntent("invoices", fields=("id",), embeds=embeds)).plan
    found = layout_of(plan, ZONE)

    names = [column.name for column in found.columns]
    assert names == ["id", "client.company", "client.owed.count", "client.owed.sum.total"]
    rows: list[dict[str, Any]] = [
        {"id": 1, "client": {"company": "A", "owed": {"count": 2, "sum.total": "7"}}},
        {"id": 2, "client": None},
    ]
    assert found.columns_of(rows)[2:] == [[2, None], ["7", None]]


def test_labels_stand_beside_their_fields() -> None:
    """They are text like any other."""
    assert names("invoices?fields=id,status&labels=true") == ["id", "status", "status_label"]


def test_groups_are_columns_and_then_metrics() -> None:
    """A relationship that rows are grouped by is flattened as one that is included."""
    found = layout(
        "invoices?group=client,date.month,currency&metrics=count,sum.total,avg.total,max.total&fields[client]=company"
    )

    assert [column.name for column in found.columns] == [
        "client.company",
        "date.month",
        "currency",
        "count",
        "sum.total",
        "avg.total",
        "max.total",
    ]


def test_what_is_worked_out_of_many_values_may_have_more_digits_than_they() -> None:
    """Sums and averages, also where they are derived fields; the greatest value has no more than the others."""
    summed = {"sum.total", "avg.total", "paid", "balance", "invoice.balance"}
    for query in (
        "invoices?group=balance&metrics=count,sum.total,avg.total,max.total",
        "invoices?fields=id,total,paid,balance",
        "payments?group=invoice.balance,invoice.total&metrics=count",
    ):
        columns = layout(query).columns
        assert {column.name for column in columns if column.is_sum} == summed & {column.name for column in columns}


def test_labels_of_groups_stand_beside_them() -> None:
    """As in the reply's JSON."""
    assert names("invoices?group=status&metrics=count&labels=true") == ["status", "status_label", "count"]


@pytest.mark.parametrize(("query", "is_text"), [("", False), ("&decimals=string", True)])
def test_numbers_are_text_where_the_request_wants_them_so(query: str, is_text: bool) -> None:
    """Formats with types tell the difference."""
    found = layout(f"invoices?fields=id,total{query}")

    assert [column.is_text for column in found.columns] == [False, is_text]


def test_cells_are_found_inside_rows() -> None:
    """Where a to-one leads nowhere, all that would be in it is null."""
    found = layout(
        "invoices?fields=id&include=client,client.primary_contact,client.contracts"
        "&fields[client]=company&fields[client.primary_contact]=email"
    )
    rows: list[dict[str, Any]] = [
        {"id": 1, "client": {"company": "A", "primary_contact": {"email": "a@b"}, "contracts": [{"id": 5}]}},
        {"id": 2, "client": {"company": "B", "primary_contact": None, "contracts": []}},
        {"id": 3, "client": None},
    ]

    assert found.columns_of(rows) == [
        [1, 2, 3],
        ["A", "B", None],
        ["a@b", None, None],
        [[{"id": 5}], [], None],
    ]


def test_a_batch_has_both_forms() -> None:
    """Whichever it was made of."""
    found = layout("invoices?fields=id,total")
    rows: list[dict[str, Any]] = [{"id": 1, "total": "1.50"}, {"id": 2, "total": None}]
    cells: list[list[Any]] = [[1, 2], ["1.50", None]]

    for batch in (Batch(found, nested=rows), Batch(found, cells=cells)):
        assert (len(batch), batch.columns(), batch.rows()) == (2, cells, rows)
    assert (len(Batch(found, nested=[])), Batch(found, nested=[]).columns()) == (0, [[], []])


def test_nested_cells_become_json_text() -> None:
    """With the digits that they have."""
    assert json_texts([[{"a": FLOAT_SAFE}], None, []]) == ['[{"a":1.50}]', None, "[]"]


def test_numbers_become_their_digits() -> None:
    """Fragments of JSON, whole numbers and text alike."""
    assert digits_of([FLOAT_SAFE, None, 7, "12.30", "-0.05"]) == ["1.50", None, "7", "12.30", "-0.05"]
    assert digits_of([]) == []
