"""Sort intents -> the order of a plan: fields, fields at the end of to-ones, long texts, and the key last."""

from __future__ import annotations

import pytest

from gateway.catalog.model import Column
from gateway.errors import RequestError
from gateway.query.access import Grant
from gateway.query.orders import LONGEST_SORTED
from gateway.query.plan import Prefix, Related
from tests.support.asking import READ, ask, crm, crm_of_fields, granted, refused
from tests.support.catalogs import make_catalog, reflected
from tests.support.kinds import things

CRM = crm()


def order(target: str) -> list[tuple[str, bool]]:
    """Return the names of a list's sort keys, and whether they descend."""
    return [(key.field.name, key.is_descending) for key in ask(CRM, target).plan.order]


def test_a_sort_may_lead_through_to_ones() -> None:
    """However many; the row's own key still comes last."""
    assert order("payments?sort=-invoice.client.company,amount") == [
        ("invoice.client.company", True),
        ("amount", False),
        ("id", False),
    ]
    assert isinstance(ask(CRM, "payments?sort=invoice.date").plan.order[0].field, Related)


def test_a_sort_has_only_so_many_keys() -> None:
    """Of the list or of what it includes; one more is refused under the name of the sort."""
    names = [name for name, field in CRM.resources["invoices"].fields.items() if isinstance(field, Column)][:21]
    assert len(order(f"invoices?sort={','.join(names[:20])}")) == 20

    for sort in ("sort", "include[invoices][sort]"):
        resource = "invoices" if sort == "sort" else "clients"
        error = refused(CRM, f"{resource}?{sort}={','.join(names)}")
        assert isinstance(error, RequestError)
        assert (error.code, error.detail) == ("query_too_large", "A query has at most 20 sort keys; this one has 21.")
        assert error.issues[0].parameter == sort


def test_the_key_of_another_row_is_not_the_own_key() -> None:
    """Several invoices have one client: they would tie."""
    assert order("invoices?sort=client.userid") == [("client.userid", False), ("id", False)]
    assert order("invoices?sort=-id") == [("id", True)]


def test_derived_and_custom_fields_sort_like_columns() -> None:
    """Through relationships too."""
    catalog = crm_of_fields()
    for name in ("balance", "client.email", "client.custom.score", "custom.cost_center"):
        assert [key.field.name for key in ask(catalog, f"invoices?sort={name}").plan.order] == [name, "id"]


@pytest.mark.parametrize(
    ("column", "is_cut"),
    [("name", False), ("body", True), ("level", False), ("words", False), ("money", False), ("wall", False)],
)
def test_a_long_text_is_sorted_by_its_first_characters(column: str, is_cut: bool) -> None:
    """Servers look no further, while a cursor's comparison would; a short one keeps the use of its index."""
    field = ask(things(), f"things?sort={column}").plan.order[0].field

    assert isinstance(field, Prefix) is is_cut
    assert field.name == column
    if isinstance(field, Prefix):
        assert (field.length, field.type.kind.name) == (LONGEST_SORTED, "string")


def test_a_text_is_long_beyond_what_every_server_looks_at() -> None:
    """255 characters are the most that are sorted whole."""
    catalog = make_catalog(reflected("notes", "id int!", "short varchar(255)", "long varchar(256)", "tiny tinytext"))
    cut = {
        name: isinstance(ask(catalog, f"notes?sort={name}").plan.order[0].field, Prefix)
        for name in ("short", "long", "tiny")
    }

    assert cut == {"short": False, "long": True, "tiny": True}


@pytest.mark.parametrize(
    ("sort", "code", "said"),
    [
        ("payments.amount", "path_to_many", "payments leads to many rows; a single value is due here."),
        ("client", "field_unknown", "client is a relationship: name one of its fields, such as client.userid."),
        ("client.company,-client.company", "sort_syntax", "client.company stands twice in the sort."),
        ("client.compny", "field_unknown", "clients has no field 'compny'. Did you mean company?"),
        ("sum.total", "field_unknown", "invoices has no field 'sum.total'. Did you mean subtotal?"),
    ],
)
def test_what_cannot_order_rows_is_refused(sort: str, code: str, said: str) -> None:
    """The parameter is named."""
    error = refused(CRM, f"invoices?sort={sort}")

    assert isinstance(error, RequestError)
    assert (error.code, error.detail, error.issues[0].parameter) == (code, said, "sort")


def test_sorting_through_a_table_needs_its_grant() -> None:
    """An order tells of its rows."""
    assert refused(CRM, "invoices?sort=client.company", granted(invoices=Grant(READ))).code == "grant_missing"
