"""Steps that change rows -> plans: the very plans that REST has for the same writes, and the read of the selection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.errors import GatewayError
from gateway.graphql.planning import plan_change
from gateway.graphql.steps import FORMAT, ChangeStep
from gateway.graphql.vocabulary import Vocabulary
from gateway.operations.mutations import (
    ChangedRow,
    ChangedRows,
    DeletedRow,
    DeletedRows,
    Mutation,
    NewRow,
    NewRows,
    Write,
)
from gateway.operations.tags import Precondition
from gateway.query.access import Access, Grant
from gateway.query.intent import EmbedIntent, ReadIntent
from gateway.query.planner import PlannedRead
from tests.support.asking import ALL, Part, changes, context_of, crm_of_fields, granted
from tests.support.catalogs import make_catalog, reflected
from tests.unit.graphql.test_changes import step

TEXTS = "decimals=string&bigints=string"
ITEMS = [{"description": "Work", "qty": "3", "rate": "9.99", "taxes": [{"taxname": "VAT", "taxrate": "5.00"}]}]
INVOICE: dict[str, Any] = {"clientid": 1, "date": "2026-07-01", "items": ITEMS, "custom.cost_center": "x"}


def by_the_schema(values: Mapping[str, Any]) -> dict[str, Any]:
    """A body of REST by the names of the schema."""
    return {name.replace("custom.", "custom_"): value for name, value in values.items()}


def planned(found: ChangeStep, access: Access = ALL) -> Mutation:
    return plan_change(context_of(crm_of_fields(), access), found)


def parts(write: Write) -> tuple[Part, ...]:
    """The plans of a write as `asking.changes` gives those of REST."""
    match write:
        case NewRow(row=row):
            looked = (("look", PlannedRead(row.found, row.values)),) if row.found else ()
            made: tuple[Part, ...] = (("without one", row.create) if row.found else ("", row.create),)
            return (*looked, *made, *((("with one", row.update),) if row.update else ()))
        case NewRows(rows=rows):
            return tuple((f"row {number}", row.create) for number, row in enumerate(rows))
        case ChangedRow(planned=plan) | DeletedRow(planned=plan):
            return (("", plan),)
        case ChangedRows(planned=bulk) | DeletedRows(planned=bulk):
            return (("choose", PlannedRead(bulk.chosen, bulk.values)), ("then each", bulk.each))


@pytest.mark.parametrize(
    ("found", "method", "target", "body"),
    [
        (
            step("createInvoice", input=by_the_schema(INVOICE)),
            "POST",
            "invoices",
            INVOICE,
        ),
        (step("createTags", input=[{"name": "a"}, {"name": "b"}]), "POST", "tags", [{"name": "a"}, {"name": "b"}]),
        (
            step("createTag", input={"id": 1, "name": "a"}, onConflict="UPDATE"),
            "POST",
            "tags?on_conflict=update",
            {"id": 1, "name": "a"},
        ),
        (
            step("createTag", input={"id": 1, "name": "a"}, onConflict="IGNORE"),
            "POST",
            "tags?on_conflict=ignore",
            {"id": 1, "name": "a"},
        ),
        (step("updateInvoice", id=3, input={"adminnote": "x"}), "PATCH", "invoices/3", {"adminnote": "x"}),
        (step("deleteClient", userid=3), "DELETE", "clients/3", None),
        (
            step("updateTags", filter={"name_starts": "a"}, input={"name": "b"}, maxAffected=7),
            "PATCH",
            "tags?filter[name.starts]=a&max_affected=7",
            {"name": "b"},
        ),
        (
            step("deleteTags", filter={"id_in": [1, 2]}, maxAffected=7),
            "DELETE",
            "tags?filter[id.in]=1,2&max_affected=7",
            None,
        ),
    ],
    ids=lambda value: value.selected.key if isinstance(value, ChangeStep) else "",
)
def test_a_mutation_is_planned_as_rests_write(found: ChangeStep, method: str, target: str, body: object) -> None:
    """Plans, values, defaults and what is compared: all of it; how its reply writes numbers too."""
    texts = "" if method == "DELETE" else f"{'&' if '?' in target else '?'}{TEXTS}"
    asked = changes(crm_of_fields(), method, f"{target}{texts}", b"" if body is None else orjson.dumps(body))

    assert parts(planned(found).write) == asked


def test_a_precondition_takes_a_tag_in_any_form() -> None:
    """With quotation marks, without, in a list, or any tag; then the lock is tagged."""
    for given, due in (
        ('"a"', {'"a"'}),
        ("a", {'"a"'}),
        ('"a", "b"', {'"a"', '"b"'}),
        ("*", {"*"}),
        ('W/"a"', set()),
        ("W/a", set()),
        ("", set()),
        ("a b", set()),
    ):
        update = step("updateTag", id=1, input={"name": "x"}, ifMatch=given)
        for found in (update, step("deleteTag", id=1, ifMatch=given)):
            write = planned(found).write
            assert isinstance(write, ChangedRow | DeletedRow)
            assert write.precondition == Precondition(frozenset(due))
            assert write.planned.plan.reads[0].is_tagged


def reading(resource: str, *fields: str, **more: Any) -> ReadIntent:
    return ReadIntent(resource, fields=fields, format=FORMAT, **more)


def selecting(found: ChangeStep, read: ReadIntent | None, access: Access = ALL) -> Mutation:
    return planned(replace(found, read=read), access)


def test_what_a_write_reads_back_is_not_read_again() -> None:
    """Columns, and custom fields that it gives; the tag in any case."""
    create = step("createClient", input={"company": "x", "custom_industry": "steel"})
    for names in (("company", "userid"), ("custom.industry",), ()):
        mutation = selecting(create, reading("clients", *names, is_tagged=True))
        assert mutation.selection is not None
        assert (mutation.selection.planned, mutation.selection.fields) == (None, names)
        assert mutation.selection.is_tagged


@pytest.mark.parametrize(
    "read",
    [
        reading("clients", "email"),
        reading("clients", "custom.score"),
        reading("clients", "active_label", takes_labels=True),
        reading("clients", "userid", embeds=(EmbedIntent(("invoices",), fields=("id",)),)),
        reading("clients", "userid", embeds=(EmbedIntent(("n",), relationship="invoices", metrics=("count",)),)),
    ],
    ids=["derived field", "custom field", "label", "rows", "numbers"],
)
def test_what_it_does_not_is_read_by_a_plan_of_its_own(read: ReadIntent) -> None:
    """One statement per plan node."""
    if "active_label" in (read.fields or ()):
        read = reading("invoices", "status_label", takes_labels=True)
    name, values = ("createClient", {"company": "x"}) if read.resource == "clients" else ("createInvoice", INVOICE)

    mutation = selecting(step(name, input=by_the_schema(values)), read)

    assert mutation.selection is not None
    assert mutation.selection.planned is not None
    assert [field.name for field in mutation.selection.planned.plan.fields] == list(read.fields or ())


def test_who_may_not_read_is_shown_the_key() -> None:
    """As REST shows it; nothing is planned that such a caller may not have."""
    access = granted(tags=Grant(frozenset({"create"})))

    mutation = selecting(step("createTag", input={"name": "x"}), reading("tags", "id"), access)

    assert mutation.selection is not None
    assert (mutation.selection.fields, mutation.selection.planned) == (("id",), None)


def test_nothing_selected_is_nothing_read() -> None:
    """Not even planned."""
    assert selecting(step("createTag", input={"name": "x"}), None).selection is None


@pytest.mark.parametrize(
    ("found", "access", "code"),
    [
        (step("createTag", input={"name": "x"}), granted(tags=Grant(frozenset({"read"}))), "grant_missing"),
        (step("createTag", input={"id": "x", "name": None}), ALL, "fields_invalid"),
        (step("updateTag", id="x", input={"name": "y"}), ALL, "key_invalid"),
        (step("createTag", input={"name": "x"}, onConflict="UPDATE"), ALL, "conflict_key_missing"),
        (step("deleteTags", filter={"id": "x"}, maxAffected=1), ALL, "operand_invalid"),
    ],
)
def test_what_rest_refuses_is_refused(found: ChangeStep, access: Access, code: str) -> None:
    """With the same code."""
    with pytest.raises(GatewayError) as caught:
        planned(found, access)

    assert caught.value.code == code


def test_rows_without_a_key_are_shown_by_what_the_write_has() -> None:
    """Which is nothing: no read of them could be planned."""
    catalog = make_catalog(reflected("logs", "text varchar(20)", key=()))
    found = step("createLog", vocabulary=Vocabulary(context_of(catalog)), input={"text": "x"})

    mutation = plan_change(context_of(catalog), replace(found, read=reading("logs", "text")))

    assert mutation.selection is not None
    assert (mutation.selection.fields, mutation.selection.planned) == (("text",), None)
