"""Plans -> SELECTs: exact text per dialect for every kind of field, condition and relationship."""

from __future__ import annotations

import pytest

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog, Column, Guard, PathField, Relationship
from gateway.catalog.reflected import ReflectedColumn, ReflectedForeignKey
from gateway.query.access import Access, Grant
from gateway.query.intent import ConditionIntent
from gateway.query.plan import AggregatePlan, And, Compare, Not, Or, Reached, ReadPlan
from gateway.sql.read import compile_count, compile_estimate, compile_read, estimated_rows
from tests.support.asking import ALL, READ, ask, crm, granted
from tests.support.catalogs import make_catalog, reflected
from tests.support.kinds import things

DIALECTS: tuple[Dialect, ...] = ("mariadb", "mysql", "sqlite")
BOTH: tuple[Dialect, ...] = ("mariadb", "mysql")


def sql(target: str, catalog: Catalog, access: Access = ALL) -> str:
    """Return the text of a read on one line."""
    return flat(compile_read(catalog, ask(catalog, target, access).plan).text)


def flat(text: str) -> str:
    return " ".join(text.split())


def where(condition: str, dialect: Dialect, catalog: Catalog | None = None, resource: str = "things") -> str:
    """Return what stands between WHERE and ORDER BY for one filter."""
    text = sql(f"{resource}?{condition}&fields=id", catalog or things(dialect))
    return text.partition(" WHERE ")[2].partition(" ORDER BY")[0]


# Columns and paging


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_list_is_one_select(dialect: Dialect) -> None:
    """Named columns, the order with the key, limit and offset as parameters."""
    catalog = things(dialect)
    statement = compile_read(catalog, ask(catalog, "things?fields=id,money&sort=-money").plan)
    mark, tail = ("?", "LIMIT ? OFFSET ?") if dialect == "sqlite" else ("%s", "LIMIT %s, %s")

    assert flat(statement.text) == f"SELECT t.id, t.money FROM things AS t ORDER BY t.money DESC, t.id ASC {tail}"
    assert statement.names == ("id", "money")
    assert statement.parameters == ((0, 1) if dialect == "sqlite" else (1, 0))
    assert mark in statement.text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_names_are_quoted_where_they_must_be(dialect: Dialect) -> None:
    """Reserved words, capitals, spaces, quotes and signs of the driver's own placeholders."""
    odd = ("select", "Order By", "a`b", 'c"d', "50%", "naïve", "q?s")
    catalog = make_catalog(reflected("group", "id int!", *()), dialect=dialect)
    made = make_catalog(
        reflected("order", *(column_named(name) for name in ("id", *odd)), key=("id",)), dialect=dialect
    )
    plan = ReadPlan(made.resources["order"], made.resources["order"].columns)
    text = compile_read(made, plan).text

    quote = '"' if dialect == "sqlite" else "`"
    assert f"t.{quote}select{quote}" in text
    assert f"t.{quote}Order By{quote}" in text
    assert (f"{quote}a``b{quote}" if quote == "`" else '"a`b"') in text
    assert ('"c""d"' if quote == '"' else '`c"d`') in text
    assert f"FROM {quote}order{quote} AS t" in text
    assert f"FROM {quote}group{quote} AS t" in compile_read(catalog, ask(catalog, "group").plan).text


def column_named(name: str) -> ReflectedColumn:
    return ReflectedColumn(name, "int(11)", is_nullable=False)


# Operators


@pytest.mark.parametrize(
    ("condition", "due"),
    [
        ("filter[money]=1", "t.money = %s"),
        ("filter[money.ne]=1", "t.money != %s"),
        ("filter[money.gt]=1", "t.money > %s"),
        ("filter[money.gte]=1", "t.money >= %s"),
        ("filter[money.lt]=1", "t.money < %s"),
        ("filter[money.lte]=1", "t.money <= %s"),
        ("filter[money.in]=1,2", "t.money IN (%s, %s)"),
        ("filter[money.nin]=1,2", "(t.money NOT IN (%s, %s))"),
        ("filter[money.between]=1,2", "t.money >= %s AND t.money <= %s"),
        ("filter[money.null]=1", "t.money IS NULL"),
        ("filter[money.null]=0", "t.money IS NOT NULL"),
        ("filter[name.like]=a", "t.name LIKE %s ESCAPE '|'"),
        ("filter[name.ncontains]=a", "t.name NOT LIKE %s ESCAPE '|'"),
        ("filter[bytes]=AA==", "t.bytes = %s"),
        (
            "filter[name.exact]=a",
            "t.name = %s AND CAST(CAST(t.name AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(%s AS BINARY)",
        ),
    ],
)
@pytest.mark.parametrize("dialect", BOTH)
def test_each_operator_is_written_plainly(condition: str, due: str, dialect: Dialect) -> None:
    """So that an index on the column serves."""
    assert where(condition, dialect) == due


@pytest.mark.parametrize(
    ("condition", "due"),
    [
        ("filter[name]=a", "(t.name COLLATE gateway_ci) = ?"),
        ("filter[level.in]=a", "(t.level COLLATE gateway_ci) IN (?)"),
        ("filter[name.contains]=a", "(t.name COLLATE gateway_ci) LIKE ? ESCAPE '|'"),
        ("filter[name.exact]=a", '(t.name COLLATE "BINARY") = ?'),
        ("filter[money]=1", "t.money = ?"),
        ("filter[wall.ne]=2026-01-01T00:00", "t.wall != ?"),
        ("filter[wall.null]=1", "t.wall IS NULL"),
    ],
)
def test_sqlite_compares_text_as_the_crm_does(condition: str, due: str) -> None:
    """By the collation that its executor registers; it has no zero dates."""
    assert where(condition, "sqlite") == due


@pytest.mark.parametrize(
    ("condition", "due"),
    [
        ("filter[day.lt]=2026-01-01", "t.day < %s AND t.day >= %s"),
        ("filter[day.lte]=2026-01-01", "t.day <= %s AND t.day >= %s"),
        ("filter[day.ne]=2026-01-01", "t.day != %s AND t.day >= %s"),
        ("filter[day.nin]=2026-01-01", "(t.day NOT IN (%s)) AND t.day >= %s"),
        ("filter[day.gt]=2026-01-01", "t.day > %s"),
        ("filter[day]=2026-01-01", "t.day = %s"),
        ("filter[day.null]=1", "t.day IS NULL OR t.day < %s"),
        ("filter[day.null]=0", "t.day IS NOT NULL AND t.day >= %s"),
        ("filter[stamp.lt]=2026-01-01T00:00Z", "t.stamp < %s AND t.stamp != 0"),
        ("filter[stamp.null]=1", "t.stamp IS NULL OR t.stamp = 0"),
        ("filter[span.lt]=10:00", "t.span < %s"),
    ],
)
@pytest.mark.parametrize("dialect", BOTH)
def test_a_zero_date_is_null_to_every_comparison(condition: str, due: str, dialect: Dialect) -> None:
    """It would be before every day otherwise."""
    assert where(condition, dialect) == due


def test_conditions_nest() -> None:
    """Empty conjunctions hold always, empty alternatives never; a negation leaves nulls out by itself."""
    catalog = things()
    table = catalog.resources["things"]
    compare = Compare(table.columns[0], "eq", (0,))
    plan = ReadPlan(table, table.key, Or((Not(Or((compare, And(())))), And(()), Or(()), And((compare, compare)))))

    assert flat(compile_read(catalog, plan).text).partition(" WHERE ")[2] == (
        "NOT (t.id = %s OR true = 1) OR true = 1 OR false = 1 OR t.id = %s AND t.id = %s"
    )
    nothing = ReadPlan(table, table.key, Or(()))
    assert flat(compile_read(catalog, nothing).text).endswith("WHERE false = 1")
    negated = ReadPlan(table, table.key, Not(And((compare, Compare(table.columns[1], "lt", (1,))))))
    assert flat(compile_read(catalog, negated).text).endswith("WHERE NOT (t.id = %s AND t.small < %s)")


def test_no_fields_are_ones() -> None:
    """What is only counted needs no columns."""
    catalog = things()
    table = catalog.resources["things"]

    assert flat(compile_read(catalog, ReadPlan(table, (), limit=0)).text) == "SELECT 1 FROM things AS t LIMIT %s"


def test_a_locking_read_says_so() -> None:
    """Where the database locks rows; SQLite locks the file."""
    for dialect, ending in (("mariadb", " FOR UPDATE"), ("mysql", " FOR UPDATE"), ("sqlite", "things AS t")):
        catalog = things(dialect)  # type: ignore[arg-type]  # the three above
        table = catalog.resources["things"]
        assert flat(compile_read(catalog, ReadPlan(table, table.key, is_locking=True)).text).endswith(ending)


# Tags


@pytest.mark.parametrize(
    ("fields", "selected"),
    [
        ("?fields=name", "t.name, t.id, t.money"),
        ("?fields=money,id", "t.money, t.id, t.name"),
        ("", "t.id, t.name, t.money"),
    ],
)
def test_one_row_is_read_whole_for_its_tag(fields: str, selected: str) -> None:
    """What is shown comes first; the tag is made of the same cells in the same order whatever is shown."""
    catalog = make_catalog(reflected("items", "id int!", "name varchar(20)", "money decimal(15,2)"))
    statement = compile_read(catalog, ask(catalog, f"items/1{fields}").plan)
    cells = {"t.id": 1, "t.name": "x", "t.money": "2.50"}
    row = tuple(cells[name] for name in selected.split(", "))

    assert flat(statement.text).startswith(f"SELECT {selected} FROM items")
    assert statement.tagged is not None
    assert statement.tagged(row) == (1, "x", "2.50")
    assert (
        tuple(statement.decode([row])[0])
        == tuple(name.removeprefix("t.") for name in selected.split(", "))[: len(statement.names)]
    )


def test_a_row_of_one_column_has_a_tag_of_its_cell() -> None:
    """Whether a derived field is read beside it or not."""
    catalog = make_catalog(reflected("items", "id int!"))
    table = catalog.resources["items"]
    plain, twice = (ReadPlan(table, fields, is_tagged=True) for fields in (table.columns, ()))

    assert [compile_read(catalog, plan).tagged((1,)) for plan in (plain, twice)] == [(1,), (1,)]  # type: ignore[misc]  # both are tagged


def test_a_list_is_not_tagged() -> None:
    """It reads what it shows."""
    assert compile_read(crm(), ask(crm(), "tags?fields=id").plan).tagged is None


# Derived fields


@pytest.mark.parametrize("dialect", BOTH)
def test_a_path_is_a_scalar_subquery(dialect: Dialect) -> None:
    """A picked to-one takes the first child by key; a join could double rows."""
    catalog = crm(dialect)

    assert sql("clients?fields=email", catalog) == (
        "SELECT (SELECT t_1.email FROM tblcontacts AS t_1 WHERE t.userid = t_1.userid AND t_1.is_primary = %s "
        "ORDER BY t_1.id LIMIT 1) AS email, t.userid FROM tblclients AS t ORDER BY t.userid ASC LIMIT %s, %s"
    )


def test_a_path_through_a_held_reference_needs_no_order() -> None:
    """There is one row at its end at most."""
    catalog = crm()
    invoices, clients = catalog.resources["invoices"], catalog.resources["clients"]
    company = clients.fields["company"]
    assert isinstance(company, Column)
    path = PathField("client_name", company.type, invoices.relationships["client"], (company,))

    assert flat(compile_read(catalog, ReadPlan(invoices, (path,))).text) == (
        "SELECT (SELECT t_1.company FROM tblclients AS t_1 WHERE t.clientid = t_1.userid AND t.clientid != 0 LIMIT 1) "
        "AS client_name FROM tblinvoices AS t"
    )


def test_a_guard_can_ask_for_a_value() -> None:
    """As a whitelist's own relationship may."""
    catalog = crm()
    clients, leads = catalog.resources["clients"], catalog.resources["leads"]
    guarded = Relationship("lead", clients.name, leads.name, False, (("leadid", "id"),), (Guard("leadid", "not_null"),))
    condition = Reached(clients, guarded, Compare(clients.key[0], "eq", (0,)))

    assert "t_1.leadid = t.id AND t_1.leadid IS NOT NULL" in flat(
        compile_read(catalog, ReadPlan(leads, leads.key, condition)).text
    )


def test_several_columns_of_a_path_are_one_text() -> None:
    """Joined by a space, missing ones left out."""
    assert "trim(concat_ws(%s, t_1.firstname, t_1.lastname))" in sql("clients/1?fields=contact_name", crm())
    assert "trim((coalesce(t_1.firstname, ?) || ?) || coalesce(t_1.lastname, ?))" in sql(
        "clients/1?fields=contact_name", crm("sqlite")
    )


def test_a_sum_in_a_condition_is_one_grouped_subquery() -> None:
    """Joined once, however often the sum is used; where no child is, it is zero."""
    text = sql("invoices?fields=paid,balance&filter[paid.gt]=0&sort=-balance", crm())

    assert text.count("GROUP BY") == 2
    assert text.count("LEFT OUTER JOIN") == 2
    assert "coalesce(t_2.total, 0)" in text


def test_a_sum_that_is_only_shown_is_looked_up_where_an_index_serves() -> None:
    """Credits have no index on their invoice, payments have."""
    text = sql("invoices/1?fields=paid", crm())

    assert text.count("GROUP BY t_2.invoice_id") == 1
    assert "(SELECT sum(t_1.amount) AS sum_1 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid)" in text


def test_a_flag_is_never_null() -> None:
    """An expression that compares with nothing is 0; on SQLite money keeps its scale."""
    assert sql("invoices/1?fields=is_overdue", crm()).startswith("SELECT coalesce(t.status IN (1, 3, 4)")
    assert sql("invoices/1?fields=balance", crm("sqlite")).startswith("SELECT round(t.total - ")


# Relationships


def exists(target: str, catalog: Catalog, access: Access = ALL) -> str:
    """Return what follows the first EXISTS of a read."""
    return sql(target, catalog, access).partition("EXISTS ")[2]


def test_a_to_many_asks_for_its_parent() -> None:
    """By the parent's key, with the guards of a polymorphic reference."""
    found = exists("clients/1/notes", crm())

    assert found.startswith(
        "(SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = %s AND t_1.userid = t.rel_id AND t.rel_type = %s)"
    )


def test_a_to_one_asks_for_the_row_that_holds_the_reference() -> None:
    """Whose guards stand on that row."""
    found = exists("clients/1/country_ref", crm())

    assert found == (
        "(SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = %s AND t_1.country = t.country_id AND t_1.country != 0)"
    )


@pytest.mark.parametrize(
    ("dialect", "guard", "number"),
    [
        ("mariadb", "REGEXP %s", "CAST({} AS SIGNED INTEGER)"),
        ("mysql", "REGEXP %s", "CAST({} AS SIGNED INTEGER)"),
        ("sqlite", "GLOB ?", "CAST({} AS INTEGER)"),
    ],
)
def test_a_text_that_holds_a_number_is_cast_behind_a_guard(dialect: Dialect, guard: str, number: str) -> None:
    """A payment's mode is a number or a word; a word never becomes 0."""
    catalog = crm(dialect)
    relationship, edge = next(
        (table.resource, edge)
        for table in catalog.exposed()
        for edge in table.relationships.values()
        if edge.is_text_reference and edge.is_held_here and len(table.key) == 1
    )
    held = exists(f"{relationship}/1/{edge.name}", catalog)
    inverse = exists(f"{catalog.table_of(edge).resource}/1/{edge.inverse}", catalog)
    local, remote = edge.pairs[0]

    assert "CASE WHEN" in held
    assert guard in held
    assert f"{number.format(f't_1.{local}')} END = t.{remote}" in held
    assert f"t_1.{remote} = CASE WHEN" in inverse


def test_guards_have_a_closed_grammar() -> None:
    """Every guard of the profile becomes SQL."""
    catalog = crm()
    operators = set()
    for table in catalog.exposed():
        for edge in table.relationships.values():
            guards = (*edge.guards, *(edge.pick.guards if edge.pick else ()))
            operators |= {guard.operator for guard in guards}
            if table.key:
                key = ",".join("1" for _ in table.key)
                assert sql(f"{table.resource}/{key}/{edge.name}", catalog)

    assert operators >= {"eq", "nonzero", "in", "numeric"}


def test_a_row_filter_of_the_parent_stands_inside() -> None:
    """A parent outside the filter has no children to show."""
    own = Grant(READ, row_filter=(ConditionIntent(("country",), "5", "row filter"),))
    access = granted(clients=own, invoices=Grant(READ))

    assert exists("clients/1/invoices", crm(), access).startswith(
        "(SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = %s AND t_1.country = %s AND t_1.userid = t.clientid "
    )


def test_a_composite_reference_compares_each_pair() -> None:
    """Also of a database that is not a CRM."""
    key = ReflectedForeignKey(("a", "b"), "parents", ("a", "b"))
    parents = reflected("parents", "a int!", "b int!", key=("a", "b"))
    catalog = make_catalog(parents, reflected("children", "id int!", "a int", "b int", foreign_keys=[key]))

    assert "t_1.a = t.a AND t_1.b = t.b" in exists("parents/1,2/children", catalog)


# Counts and estimates


@pytest.mark.parametrize(
    ("dialect", "due"),
    [
        ("mariadb", "SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblleads AS t"),
        ("mysql", "SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblleads AS t"),
        ("sqlite", "SELECT count(*) AS count_1 FROM tblleads AS t"),
    ],
)
def test_a_count_is_stopped_by_the_server(dialect: Dialect, due: str) -> None:
    """Where the server can; without a deadline it is a plain count."""
    catalog = crm(dialect)
    plan = ask(catalog, "leads").count
    assert plan is not None

    assert flat(compile_count(catalog, plan, 0.25).text) == due
    assert flat(compile_count(catalog, plan, None).text) == "SELECT count(*) AS count_1 FROM tblleads AS t"


def test_an_estimate_asks_the_optimizer() -> None:
    """SQLite's has none."""
    texts = []
    for dialect in DIALECTS:
        catalog = crm(dialect)
        statement = compile_estimate(catalog, AggregatePlan(catalog.resources["leads"]))
        texts.append(flat(statement.text) if statement else None)

    assert texts == [
        "EXPLAIN EXTENDED SELECT 1 FROM tblleads AS t",
        "EXPLAIN SELECT 1 FROM tblleads AS t",
        None,
    ]


@pytest.mark.parametrize(
    ("row", "dialect", "due"),
    [
        ((1, "SIMPLE", "t", "ref", "k", "k", "4", "const", 400, "25.00", ""), "mariadb", 100),
        ((1, "SIMPLE", "t", "ref", "k", "k", "4", "const", "3", None, ""), "mariadb", 3),
        ((1, "SIMPLE", "t", None, "ref", "k", "k", "4", "const", 1000, 33.33, ""), "mysql", 333),
        ((1, "SIMPLE", None, None, None, None, None, None, None, None, "Impossible WHERE"), "mariadb", None),
        ((1, "short"), "mysql", None),
        (None, "mariadb", None),
    ],
)
def test_an_estimate_is_rows_times_what_is_kept(
    row: tuple[object, ...] | None, dialect: Dialect, due: int | None
) -> None:
    """None where the optimizer says nothing."""
    assert estimated_rows(things(dialect), [row] if row is not None else []) == due
