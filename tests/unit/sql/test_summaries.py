"""Summaries -> statements: numbers over the rows of several parents, grouped by what tells whose they are."""

from __future__ import annotations

import pytest

from gateway.catalog.kinds import PLAIN_FORMAT, Dialect, ValueFormat
from gateway.catalog.model import Catalog
from gateway.catalog.reflected import ReflectedForeignKey
from gateway.query.access import Access, Grant
from gateway.query.intent import ConditionIntent, EmbedIntent, ReadIntent
from gateway.query.plan import Summary, Values
from gateway.query.planner import plan_read
from gateway.sql.cache import StatementCache
from gateway.sql.statement import Constant, LinkValue, Statement
from gateway.sql.summaries import compile_summary
from tests.support.asking import ALL, READ, context_of, crm
from tests.support.catalogs import make_catalog, reflected

CRM = crm()
PAID = (ConditionIntent(("status",), "2", "filter"),)


def planned(
    resource: str,
    many: str,
    *metrics: str,
    conditions: tuple[ConditionIntent, ...] = (),
    catalog: Catalog = CRM,
    access: Access = ALL,
    form: ValueFormat = PLAIN_FORMAT,
) -> tuple[Summary, Values]:
    """Return the numbers over a to-many of the rows of a list, with the list's values."""
    embed = EmbedIntent(("numbers",), relationship=many, metrics=metrics, conditions=conditions)
    found = plan_read(context_of(catalog, access), ReadIntent(resource, embeds=(embed,), format=form))
    return found.plan.summaries[0], found.values


def compiled(
    resource: str, many: str, *metrics: str, parents: int = 2, catalog: Catalog = CRM, **options: object
) -> Statement:
    """Return the statement of such numbers."""
    summary, _ = planned(resource, many, *metrics, catalog=catalog, **options)  # type: ignore[arg-type]  # handed on
    return compile_summary(catalog, summary, parents)


def flat(statement: Statement) -> str:
    """Return its text on one line."""
    return " ".join(statement.text.split())


@pytest.mark.parametrize("dialect", ["mariadb", "mysql", "sqlite"])
def test_numbers_are_grouped_by_what_the_rows_hold_of_their_parents(dialect: Dialect) -> None:
    """What is shown first; of the parents' rows nothing is read again."""
    mark = "?" if dialect == "sqlite" else "%s"
    statement = compiled("clients", "contacts", "count", "max.id", catalog=crm(dialect))

    assert flat(statement) == (
        "SELECT count(*) AS count_1, max(t.id) AS max_1, t.userid FROM tblcontacts AS t "
        f"WHERE t.userid IN ({mark}, {mark}) GROUP BY t.userid"
    )
    assert (statement.names, statement.reference, statement.currencies) == (("count", "max.id"), (2,), None)
    assert statement.parameters == (LinkValue(0), LinkValue(1))


def test_conditions_and_guards_choose_the_rows() -> None:
    """All values are parameters, those that the catalog fixes too."""
    statement = compiled("invoices", "items", "count", conditions=(ConditionIntent(("qty", "gt"), "1", "filter"),))

    assert flat(statement) == (
        "SELECT count(*) AS count_1, t.rel_id FROM tblitemable AS t "
        "WHERE t.rel_id IN (%s, %s) AND t.rel_type = %s AND t.qty > %s GROUP BY t.rel_id"
    )
    assert statement.parameters[2:] == (Constant("invoice"), 2)


def test_the_currencies_of_money_are_counted_for_each_parent() -> None:
    """Unless the question names one."""
    mixed = compiled("clients", "invoices", "sum.total")
    chosen = compiled("clients", "invoices", "sum.total", conditions=(ConditionIntent(("currency",), "1", "filter"),))

    assert flat(mixed).startswith("SELECT sum(t.total) AS sum_1, t.clientid, count(DISTINCT t.currency) AS count_1")
    assert (mixed.currencies, chosen.currencies) == (2, None)


def test_rows_that_a_metric_looks_at_are_joined_once() -> None:
    """And narrowed to those that the caller may see."""
    own = Grant(READ, row_filter=(ConditionIntent(("city",), "Ulm", "row filter"),))
    access = Access("own", {"*": Grant(READ), "clients": own})
    statement = compiled("staff", "invoices_by_sale_agent", "max.client.company", "min.client.company", access=access)

    assert flat(statement).count("LEFT OUTER JOIN tblclients") == 1
    assert "AND t_1.city = %s" in flat(statement)


def test_a_sum_over_further_rows_is_looked_up_for_the_rows_at_hand() -> None:
    """Where an index leads to them; a condition on it has it worked out once and joined."""
    shown = flat(compiled("clients", "invoices", "sum.paid"))
    owed = (ConditionIntent(("paid", "gt"), "0", "filter"),)
    joined = flat(compiled("clients", "invoices", "sum.paid", conditions=owed))

    assert "(SELECT sum(t_1.amount) AS sum_2 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid)" in shown
    assert joined.count("FROM tblinvoicepaymentrecords") == 1
    assert "LEFT OUTER JOIN (SELECT t_1.invoiceid" in joined


def test_a_reference_kept_as_text_is_grouped_by_its_number() -> None:
    """Only where it holds one."""
    text = flat(compiled("payment_modes", "payments", "count", parents=1))

    number = "CASE WHEN (t.paymentmode REGEXP %s) THEN CAST(t.paymentmode AS SIGNED INTEGER) END"
    assert text == (
        f"SELECT count(*) AS count_1, {number} AS anon_1 FROM tblinvoicepaymentrecords AS t "
        f"WHERE {number} IN (%s) AND (t.paymentmode REGEXP %s) GROUP BY {number}"
    )


def test_parents_are_joined_where_text_ties_them() -> None:
    """The database says what equals what; the groups are those of the parents' keys."""
    key = ReflectedForeignKey(("parent",), "parents", ("code",))
    parents = reflected("parents", "code varchar(9)!", "name varchar(9)")
    catalog = make_catalog(parents, reflected("children", "id int!", "parent varchar(9)", foreign_keys=[key]))

    assert flat(compiled("parents", "children", "count", catalog=catalog)) == (
        "SELECT count(*) AS count_1, p.code FROM children AS t INNER JOIN parents AS p ON p.code = t.parent "
        "WHERE p.code IN (%s, %s) GROUP BY p.code"
    )


def test_every_part_of_a_composite_reference_is_grouped_by() -> None:
    """And compared in one."""
    key = ReflectedForeignKey(("a", "b"), "parents", ("a", "b"))
    parents = reflected("parents", "a int!", "b int!", key=("a", "b"))
    catalog = make_catalog(parents, reflected("children", "id int!", "a int", "b int", foreign_keys=[key]))
    (many,) = catalog.resources["parents"].relationships
    statement = compiled("parents", many, "count", catalog=catalog)

    assert flat(statement) == (
        "SELECT count(*) AS count_1, t.a, t.b FROM children AS t WHERE (t.a, t.b) IN ((%s, %s), (%s, %s)) "
        "GROUP BY t.a, t.b"
    )
    assert statement.reference == (1, 2)


@pytest.mark.parametrize(
    ("form", "shown"), [(PLAIN_FORMAT, 12), (ValueFormat(are_bigints_text=True), "12")], ids=["numbers", "text"]
)
def test_numbers_are_decoded_like_the_metrics_of_groups(form: ValueFormat, shown: object) -> None:
    """A sum of whole numbers comes as a decimal and is a whole number, as wide as its field."""
    key = ReflectedForeignKey(("parent",), "parents", ("id",))
    children = reflected("children", "id int!", "parent int", "size bigint", foreign_keys=[key])
    catalog = make_catalog(reflected("parents", "id int!"), children)
    (many,) = catalog.resources["parents"].relationships
    statement = compiled("parents", many, "count", "sum.size", catalog=catalog, form=form)

    assert statement.decode([(3, "12", 1)]) == [{"count": 3, "sum.size": shown}]


def test_statements_are_kept_by_plan_and_number_of_parents() -> None:
    """Other values are the same statement."""
    cache = StatementCache(CRM, 10, None)
    paid, values = planned("clients", "invoices", "count", conditions=PAID)
    other, others = planned("clients", "invoices", "count", conditions=(ConditionIntent(("status",), "5", "filter"),))

    assert cache.summary(paid, 4) is cache.summary(other, 4)
    assert cache.summary(paid, 8) is not cache.summary(paid, 4)
    assert cache.compiled == 2
    assert values != others


@pytest.mark.parametrize("dialect", ["mariadb", "mysql", "sqlite"])
def test_every_to_many_of_the_crm_has_numbers(dialect: Dialect) -> None:
    """Guarded, of several kinds, by text or by numbers: each compiles."""
    catalog = crm(dialect)
    for table in catalog.exposed():
        for edge in table.relationships.values():
            target = catalog.table_of(edge)
            if edge.is_to_many and (table.key or catalog.ties_numbers(edge)):
                words = [f"count_distinct.{column.name}" for column in target.columns[:3]]
                assert compiled(table.resource or "", edge.name, "count", *words, catalog=catalog).names[0] == "count"
