"""Aggregate plans -> statements: what is grouped, what is worked out, and how many groups there are."""

from __future__ import annotations

import orjson
import pytest

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog
from gateway.query.access import Access, Grant
from gateway.query.intent import ConditionIntent
from gateway.sql.groups import compile_group_count, compile_groups
from gateway.sql.statement import Statement
from tests.support.asking import ALL, READ, ask_groups, crm, crm_of_fields
from tests.support.kinds import things

CRM = crm()
DIALECTS: tuple[Dialect, ...] = ("mariadb", "mysql", "sqlite")


def compiled(target: str, catalog: Catalog = CRM, access: Access = ALL) -> Statement:
    """Return the statement of groups."""
    return compile_groups(catalog, ask_groups(catalog, target, access).plan)


def sql(target: str, catalog: Catalog = CRM, access: Access = ALL) -> str:
    """Return its text on one line, without the page."""
    return " ".join(compiled(target, catalog, access).text.split()).partition(" LIMIT ")[0]


# Groups


@pytest.mark.parametrize("dialect", DIALECTS)
def test_groups_are_one_select(dialect: Dialect) -> None:
    """What is grouped by, then the metrics; in the order of the groups."""
    assert sql("leads?group=status,assigned&metrics=count,sum.lead_value", crm(dialect)) == (
        "SELECT t.status, t.assigned, count(*) AS count_1, sum(t.lead_value) AS sum_1 FROM tblleads AS t "
        "GROUP BY t.status, t.assigned ORDER BY t.status ASC, t.assigned ASC"
    )


def test_metrics_alone_group_nothing() -> None:
    """They are one row, over no rows too."""
    assert sql("leads?metrics=count,max.lead_value") == (
        "SELECT count(*) AS count_1, max(t.lead_value) AS max_1 FROM tblleads AS t"
    )


def test_rows_are_chosen_before_and_groups_after() -> None:
    """WHERE and HAVING, with all values as parameters."""
    statement = compiled(
        "leads?group=status&metrics=count&filter[lost]=0&having[sum.lead_value.gte]=9&sort=-count&page=2"
    )
    text = " ".join(statement.text.split())

    assert text == (
        "SELECT t.status, count(*) AS count_1 FROM tblleads AS t WHERE t.lost = %s GROUP BY t.status "
        "HAVING sum(t.lead_value) >= %s ORDER BY count(*) DESC, t.status ASC LIMIT %s, %s"
    )
    assert statement.parameters == (0, 1, 3, 2)


def test_a_related_field_is_joined_and_rows_without_one_are_a_group() -> None:
    """None is dropped."""
    assert sql("leads?group=lead_source.name") == (
        "SELECT t_1.name, count(*) AS count_1 FROM tblleads AS t LEFT OUTER JOIN tblleads_sources AS t_1 "
        "ON t.source = t_1.id GROUP BY t_1.name ORDER BY t_1.name ASC"
    )


def test_a_related_row_is_grouped_by_its_key() -> None:
    """Which stands behind what is shown, as a link to the row that comes along."""
    statement = compiled("leads?group=assigned_staff,status&metrics=count")

    assert " ".join(statement.text.split()).partition(" LIMIT")[0] == (
        "SELECT t.status, count(*) AS count_1, t_1.staffid FROM tblleads AS t LEFT OUTER JOIN tblstaff AS t_1 "
        "ON t.assigned = t_1.staffid AND t.assigned != 0 GROUP BY t_1.staffid, t.status "
        "ORDER BY t_1.staffid ASC, t.status ASC"
    )
    assert (statement.names, statement.links) == (("status", "count"), ((2,),))


def test_a_label_stands_beside_its_group() -> None:
    """And before the next one, as it does in the reply of rows."""
    assert compiled("leads?group=status,dateadded.month&metrics=count&labels=true").names == (
        "status",
        "status_label",
        "dateadded.month",
        "count",
    )
    assert compiled("leads?group=status,assigned_staff,source&metrics=count&labels=true").names == (
        "status",
        "status_label",
        "source",
        "source_label",
        "count",
    )


def test_a_row_outside_of_a_grant_is_a_group_without_one() -> None:
    """What may not be seen is as good as none."""
    own = Grant(READ, row_filter=(ConditionIntent(("active",), "1", "row filter"),))
    text = sql("leads?group=assigned_staff", access=Access("own", {"*": Grant(READ), "staff": own}))

    assert "ON t.assigned = t_1.staffid AND t.assigned != 0 AND t_1.active = %s GROUP BY t_1.staffid" in text


def test_text_is_grouped_as_it_compares() -> None:
    """By its collation, which SQLite is told."""
    assert sql("clients?group=city").endswith("GROUP BY t.city ORDER BY t.city ASC")
    assert sql("clients?group=city", crm("sqlite")).endswith(
        "GROUP BY t.city COLLATE gateway_ci ORDER BY t.city COLLATE gateway_ci ASC"
    )


@pytest.mark.parametrize("dialect", ["mariadb", "mysql"])
def test_a_zero_date_is_grouped_with_the_nulls(dialect: Dialect) -> None:
    """It is null to clients."""
    text = sql("things?group=day", things(dialect))

    assert text.startswith("SELECT CASE WHEN (t.day < %s) THEN NULL ELSE t.day END")
    assert text.count("CASE WHEN (t.day < %s) THEN NULL ELSE t.day END") == 3


def test_custom_fields_and_sums_group_like_columns() -> None:
    """A sum is joined once, a custom field looked up."""
    assert sql("invoices?group=paid").count("LEFT OUTER JOIN (SELECT") == 2
    text = " ".join(compiled("clients?group=custom.score", crm_of_fields()).text.split())
    assert "GROUP BY (SELECT CAST(" in text


# Metrics


@pytest.mark.parametrize(
    ("word", "dialect", "due"),
    [
        ("count", "mariadb", "count(*)"),
        ("count_distinct.name", "mariadb", "count(DISTINCT t.name)"),
        ("count_distinct.name", "sqlite", "count(DISTINCT (t.name COLLATE gateway_ci))"),
        ("count_distinct.day", "mariadb", "count(DISTINCT CASE WHEN (t.day < %s) THEN NULL ELSE t.day END)"),
        ("sum.big", "mariadb", "sum(t.big)"),
        ("avg.money", "mariadb", "round((sum(t.money) * 1.0000000000) / count(t.money), 6)"),
        ("avg.small", "mysql", "round((sum(t.small) * 1.0000000000) / count(t.small), 4)"),
        ("avg.money", "sqlite", "avg(t.money)"),
        ("avg.rate", "mariadb", "avg(t.rate)"),
        ("min.day", "mariadb", "min(CASE WHEN (t.day < %s) THEN NULL ELSE t.day END)"),
        ("max.stamp", "mysql", "max(CASE WHEN (t.stamp = 0) THEN NULL ELSE t.stamp END)"),
        ("min.name", "sqlite", "min(t.name COLLATE gateway_ci)"),
        ("max.bits", "mariadb", "max(t.bits + 0)"),
        ("min.bits", "mysql", "min(t.bits + 0)"),
    ],
)
def test_each_metric_is_written_plainly(word: str, dialect: Dialect, due: str) -> None:
    """Exact where the source is; zero dates in none."""
    assert sql(f"things?metrics={word}", things(dialect)).partition(" AS ")[0] == f"SELECT {due}"


def test_a_sum_over_a_derived_field_joins_its_sums_once() -> None:
    """However many metrics use it."""
    text = sql("invoices?metrics=sum.balance,avg.balance,max.paid&having[sum.balance.gt]=0")

    assert text.count("GROUP BY") == 2
    assert text.count("LEFT OUTER JOIN") == 2


def test_currencies_are_counted_in_each_group() -> None:
    """Behind everything else, and only where money is added up."""
    statement = compiled("payments?group=invoice.client&metrics=sum.amount")

    assert statement.currencies == 2
    assert "count(DISTINCT t_1.currency)" in statement.text
    assert compiled("payments?metrics=count").currencies is None


def test_sums_of_whole_numbers_are_whole_numbers() -> None:
    """The servers make DECIMALs of them; all digits are kept where 64 bits do not hold them, and as text if asked."""
    target = "things?metrics=sum.small,sum.big,count,sum.flag"
    cells = ("7", "18446744073709551616", 2, "1")
    (row,) = compiled(target, things()).decode([cells])
    (text,) = compiled(f"{target}&bigints=string", things()).decode([cells])

    assert orjson.dumps(row) == b'{"sum.small":7,"sum.big":18446744073709551616,"count":2,"sum.flag":1}'
    assert text == {"sum.small": 7, "sum.big": "18446744073709551616", "count": 2, "sum.flag": 1}


def test_labels_stand_beside_their_groups() -> None:
    """Words as parameters, or from the table that has them."""
    statement = compiled("leads?group=status&labels=true")
    words = compiled("invoices?group=status&labels=true")

    assert (statement.names, words.names) == (("status", "status_label", "count"),) * 2
    assert "(SELECT t_1.name FROM tblleads_status AS t_1 WHERE t.status = t_1.id" in " ".join(statement.text.split())
    assert "Paid" not in words.text


# Counts


@pytest.mark.parametrize(
    ("dialect", "head"),
    [
        ("mariadb", "SET STATEMENT max_statement_time=0.250 FOR SELECT count(*)"),
        ("mysql", "SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*)"),
        ("sqlite", "SELECT count(*)"),
    ],
)
def test_groups_are_counted_by_the_server(dialect: Dialect, head: str) -> None:
    """With their HAVING, without their metrics, stopped at the deadline."""
    planned = ask_groups(crm(dialect), "leads?group=status,lead_source.name&metrics=sum.lead_value&having[count.gt]=1")
    assert planned.count is not None
    mark = "?" if dialect == "sqlite" else "%s"
    collated = "t_1.name COLLATE gateway_ci" if dialect == "sqlite" else "t_1.name"

    assert " ".join(compile_group_count(crm(dialect), planned.count, 0.25).text.split()) == (
        f"{head} AS count_1 FROM (SELECT t.status AS g0, {collated} AS g1 FROM tblleads AS t LEFT OUTER JOIN "
        f"tblleads_sources AS t_1 ON t.source = t_1.id GROUP BY t.status, {collated} HAVING count(*) > {mark}) AS g"
    )


def test_one_row_that_having_may_drop_is_counted() -> None:
    """It has no group to show, and its own number instead."""
    planned = ask_groups(CRM, "leads?metrics=sum.lead_value&having[count.gt]=1")
    assert planned.count is not None

    assert compile_group_count(CRM, planned.count, None).text.endswith(
        "FROM (SELECT count(*) AS g0 FROM tblleads AS t HAVING count(*) > %s) AS g"
    )


def test_equal_groups_of_two_relationships_keep_their_names_apart() -> None:
    """Columns of a subquery must differ."""
    planned = ask_groups(CRM, "invoices?group=agent,added_by,agent.email,added_by.email")
    assert planned.count is not None

    text = compile_group_count(CRM, planned.count, None).text
    assert all(f"AS g{place}" in text for place in range(4))
