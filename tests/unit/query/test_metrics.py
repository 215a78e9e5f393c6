"""Words of metrics -> metrics: what each function takes, and what type comes out."""

from __future__ import annotations

import pytest

from gateway.catalog.kinds import parse_sql_type
from gateway.errors import RequestError
from gateway.query.metrics import FUNCTIONS, chosen_metrics, metric_families, metric_type
from tests.support.asking import context_of, crm

CRM = crm()
INVOICES = CRM.resources["invoices"]


def test_metrics_are_known_by_their_words() -> None:
    """In the order in which they stand."""
    found = chosen_metrics(context_of(CRM), INVOICES, ("sum.total", "count", "max.client.datecreated"))

    assert [(word, metric.name, metric.function) for word, metric in found.items()] == [
        ("sum.total", "sum.total", "sum"),
        ("count", "count", "count"),
        ("max.client.datecreated", "max.client.datecreated", "max"),
    ]


def test_no_words_count_the_rows() -> None:
    """As a question for groups without metrics does."""
    assert list(chosen_metrics(context_of(CRM), INVOICES, ())) == ["count"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("total",), "metric_invalid"),
        (("sum",), "metric_invalid"),
        (("count.total",), "metric_invalid"),
        (("sum.number_format_label",), "field_unknown"),
        (("sum.clientnote",), "metric_invalid"),
        (("sum.items.rate",), "path_to_many"),
        (("count", "count"), "metric_invalid"),
        (tuple(f"sum.total{number}" for number in range(21)), "query_too_large"),
    ],
)
def test_what_is_no_metric_is_refused_where_it_stands(words: tuple[str, ...], code: str) -> None:
    """Under the parameter that the front end names."""
    with pytest.raises(RequestError) as caught:
        chosen_metrics(context_of(CRM), INVOICES, words, "client.numbers")

    assert (caught.value.code, caught.value.issues[0].parameter) == (code, "client.numbers")


def test_only_a_count_takes_no_field() -> None:
    """Every other function has families of fields that it takes."""
    assert [name for name, function in FUNCTIONS.items() if not metric_families(function)] == ["count"]


@pytest.mark.parametrize(
    ("function", "source", "kind", "digits"),
    [
        ("count_distinct", "varchar(9)", "integer", (None, None)),
        ("sum", "int", "integer", (None, None)),
        ("sum", "decimal(15,2)", "decimal", (15, 2)),
        ("avg", "int", "decimal", (15, 4)),
        ("avg", "decimal(15,2)", "decimal", (15, 6)),
        ("avg", "double", "float", (None, None)),
        ("min", "date", "date", (None, None)),
        ("max", "bit(3)", "integer", (None, None)),
    ],
)
def test_the_type_of_a_metric_follows_its_field(
    function: str, source: str, kind: str, digits: tuple[int | None, int | None]
) -> None:
    """Whole numbers stay whole but for their average, decimals keep their scale, and what is compared its type."""
    found = metric_type(FUNCTIONS[function], parse_sql_type(source))

    assert found.kind.name == kind
    assert kind != "decimal" or (found.precision, found.scale) == digits
