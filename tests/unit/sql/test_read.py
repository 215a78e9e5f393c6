"""Plans -> SELECTs: exact text per dialect for every kind of field, condition and relationship."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog, Column, Guard, PathField, Relationship
from gateway.catalog.reflected import ReflectedColumn, ReflectedForeignKey
from gateway.query.access import Access, Grant
from gateway.query.intent import ConditionIntent
from gateway.query.plan import AggregatePlan, And, Compare, Not, Or, Reached, ReadPlan
from gateway.sql.embeds import compile_embed
from gateway.sql.read import compile_count, compile_estimate, compile_read, estimated_rows
from gateway.sql.statement import Constant, LinkValue, Statement
from tests.support.asking import ALL, READ, ask, ask_any, crm, granted
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
        ((1, "SIMPLE", "t", "range|filter", "a,b", "a|b", "5|42", None, "400 (4%)", 4.0, ""), "mariadb", 16),
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


# Positions


@pytest.mark.parametrize(
    ("query", "selected", "order", "key"),
    [
        ("fields=id", "t.id", (0,), (0,)),
        ("fields=total&sort=-total", "t.total, t.id", (0, 1), (1,)),
        ("fields=total&sort=date", "t.total, t.date, t.id", (1, 2), (2,)),
        ("fields=id&sort=client.company", "t.id, t_1.company", (1, 0), (0,)),
    ],
)
def test_a_list_reads_the_position_of_its_rows(
    query: str, selected: str, order: tuple[int, ...], key: tuple[int, ...]
) -> None:
    """What it is sorted by and the key, each once, behind what is shown."""
    statement = compile_read(crm(), ask(crm(), f"invoices?{query}").plan)

    assert flat(statement.text).startswith(f"SELECT {selected} FROM")
    assert (statement.order, statement.key) == (order, key)


def test_a_related_column_is_not_taken_for_the_rows_own_of_that_name() -> None:
    """Both are read, each at its place."""
    statement = compile_read(crm(), ask(crm(), "invoices?fields=id,addedfrom&sort=client.addedfrom").plan)

    assert flat(statement.text).startswith("SELECT t.id, t.addedfrom, t_1.addedfrom AS addedfrom_1 FROM")
    assert statement.order == (2, 0)


def test_a_derived_field_that_is_shown_is_not_worked_out_twice() -> None:
    """Though rows are sorted by it."""
    shown, hidden = (
        compile_read(crm(), ask(crm(), f"invoices?fields={fields}&sort=balance").plan)
        for fields in ("balance,id", "id,total")
    )

    assert (shown.order, hidden.order) == ((0, 1), (2, 0))
    assert flat(shown.text).partition(" FROM ")[0].count("coalesce") == 2


def test_a_zero_date_is_part_of_a_position_as_the_null_it_is() -> None:
    """Where zero dates are sorted with the nulls; a column is read as it is, and told by its text."""
    catalog = things()
    own = compile_read(catalog, ask(catalog, "things?fields=id&sort=day").plan)

    assert flat(own.text).startswith("SELECT t.id, t.day FROM things")


# Embeds


def embedded(target: str, parents: int, *, access: Access = ALL) -> Statement:
    """Return the statement of the first embed of a list of the CRM, for some parents."""
    return compile_embed(crm(), ask_any(crm(), target, access).plan.embeds[0], parents)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_row_of_a_to_one_is_asked_for_by_its_key(dialect: Dialect) -> None:
    """For all parents at once; its key says whose it is, and more rows than may come never do."""
    catalog = crm(dialect)
    plan = ask(catalog, "invoices?include=client&fields[client]=company").plan
    statement = compile_embed(catalog, plan.embeds[0], 2)
    mark, page = ("?", "? OFFSET ?") if dialect == "sqlite" else ("%s", "%s")

    assert flat(statement.text) == (
        f"SELECT t.company, t.userid FROM tblclients AS t WHERE t.userid IN ({mark}, {mark}) LIMIT {page}"
    )
    assert (statement.names, statement.reference) == (("company",), (1,))
    assert statement.parameters[:3] == (LinkValue(0), LinkValue(1), LinkValue(2))


def test_a_parent_holds_what_its_embeds_need() -> None:
    """Its reference, null where a guard is not met; what is selected already is not selected again."""
    statement = compile_read(crm(), ask(crm(), "invoices?fields=id&include=client,items,recurring_parent").plan)

    assert flat(statement.text).startswith(
        "SELECT t.id, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1, t.is_recurring_from FROM"
    )
    assert statement.links == ((1,), (0,), (2,))


ITEMS = "invoices?include[items][sort]=-rate&fields[items]=rate&include[items][filter][qty.gt]=1"


def test_rows_of_one_parent_are_a_list_like_any_other() -> None:
    """In the order that was asked for, ended by how many may come."""
    statement = embedded(ITEMS, 1)

    assert flat(statement.text) == (
        "SELECT t.rate, t.rel_id FROM tblitemable AS t WHERE t.rel_id IN (%s) AND t.rel_type = %s AND t.qty > %s "
        "ORDER BY t.rate DESC, t.id ASC LIMIT %s"
    )
    assert statement.parameters == (LinkValue(0), Constant("invoice"), 2, LinkValue(1))


def test_rows_of_several_parents_are_numbered() -> None:
    """So that each has its first ones, one more than is shown. To number whole rows, long texts, would take a disk."""
    statement = embedded(ITEMS, 2)

    assert flat(statement.text) == (
        "SELECT c.rate, w.r0 FROM tblitemable AS c INNER JOIN (SELECT t.id AS k0, t.rel_id AS r0, "
        "row_number() OVER (PARTITION BY t.rel_id ORDER BY t.rate DESC, t.id ASC) AS n FROM tblitemable AS t "
        "WHERE t.rel_id IN (%s, %s) AND t.rel_type = %s AND t.qty > %s) AS w ON c.id = w.k0 "
        "WHERE w.n <= %s ORDER BY w.n LIMIT %s"
    )
    assert statement.parameters == (LinkValue(0), LinkValue(1), Constant("invoice"), 2, 3, LinkValue(2))


def offset_of(target: str, parents: int, *, has_limit: bool = True) -> Statement:
    """Return the statement of an embed whose rows begin after the first 7."""
    planned = ask_any(crm(), target)
    (embed,) = planned.plan.embeds
    plan = replace(embed.plan, offset=len(planned.values), limit=embed.plan.limit if has_limit else None)
    return compile_embed(crm(), replace(embed, plan=plan), parents)


def test_rows_of_one_parent_begin_after_an_offset() -> None:
    """As those of any page."""
    statement = offset_of("invoices?include=items&fields[items]=rate", 1)

    assert flat(statement.text).endswith("ORDER BY t.id ASC LIMIT %s, %s")
    assert statement.parameters[-2:] == (3, LinkValue(1))


def test_rows_of_several_parents_begin_after_an_offset() -> None:
    """Of each: as many rows as a limit says come after it, all where there is none."""
    limited = offset_of("invoices?include=items&fields[items]=rate", 2)
    whole = offset_of("invoices?include=items&fields[items]=rate", 2, has_limit=False)

    assert flat(limited.text).endswith("WHERE w.n > %s AND w.n <= %s + %s ORDER BY w.n LIMIT %s")
    assert limited.parameters[-4:] == (3, 2, 3, LinkValue(2))
    assert flat(whole.text).endswith("WHERE w.n > %s ORDER BY w.n LIMIT %s")


def test_all_rows_of_several_parents_come_parent_by_parent() -> None:
    """In the order of the key alone a server may read the whole table for it."""
    (embed,) = ask_any(crm(), "invoices?include=items&fields[items]=rate").plan.embeds
    statement = compile_embed(crm(), replace(embed, plan=replace(embed.plan, limit=None)), 2)

    assert flat(statement.text).endswith("AND t.rel_type = %s ORDER BY t.rel_id, t.id ASC LIMIT %s")


def test_rows_without_a_key_are_numbered_whole() -> None:
    """There is nothing to find them again by."""
    key = ReflectedForeignKey(("parent",), "parents", ("id",))
    children = reflected("children", "parent int", "word text", key=(), foreign_keys=[key])
    catalog = make_catalog(reflected("parents", "id int!"), children)
    plan = ask(catalog, "parents?include=children&fields[children]=word").plan

    assert flat(compile_embed(catalog, plan.embeds[0], 2).text).startswith(
        "SELECT w.c0, w.c1 FROM (SELECT t.word AS c0, t.parent AS c1, row_number() OVER (PARTITION BY t.parent"
    )


def test_a_picked_row_is_the_first_of_each_parent() -> None:
    """By its key, whatever else is demanded of it: who may not see it is shown no other one."""
    target = "clients?include=primary_contact&fields[primary_contact]=email&include[primary_contact][filter][email]=x"

    assert flat(embedded(target, 2).text) == (
        "SELECT t.email, t.userid FROM tblcontacts AS t WHERE t.userid IN (%s, %s) AND t.is_primary = %s "
        "AND t.id = (SELECT o.id FROM tblcontacts AS o WHERE t.userid = o.userid AND o.is_primary = %s "
        "ORDER BY o.id LIMIT 1) AND t.email = %s LIMIT %s"
    )


def test_the_row_of_a_group_is_asked_for_by_its_own_key() -> None:
    """The group holds that, and not a reference to it: a guard of the edge says nothing of it."""
    statement = embedded("payments?group=invoice.client&fields[invoice.client]=company", 2)

    assert flat(statement.text) == "SELECT t.company, t.userid FROM tblclients AS t WHERE t.userid IN (%s, %s) LIMIT %s"


def test_a_composite_reference_is_asked_for_as_a_whole() -> None:
    """Pairs of one parent stay together."""
    key = ReflectedForeignKey(("a", "b"), "parents", ("a", "b"))
    parents = reflected("parents", "a int!", "b int!", key=("a", "b"))
    catalog = make_catalog(parents, reflected("children", "id int!", "a int", "b int", foreign_keys=[key]))
    plan = ask(catalog, "parents?include=children&fields[children]=id").plan
    statement = compile_embed(catalog, plan.embeds[0], 2)

    assert "(t.a, t.b) IN ((%s, %s), (%s, %s))" in flat(statement.text)
    assert statement.parameters[:4] == tuple(LinkValue(place) for place in range(4))
    assert statement.reference == (1, 2)


@pytest.mark.parametrize(
    ("target", "due"),
    [
        ("payments?include=payment_mode", "t.id IN (%s, %s)"),
        ("payment_modes?include=payments", "END IN (%s, %s)"),
    ],
)
def test_a_reference_in_a_text_is_a_number_on_both_sides(target: str, due: str) -> None:
    """The parent's is made one, or the child's."""
    text = flat(embedded(target, 2).text)

    assert due in text
    assert ("CAST(" in text) is ("END" in due)


def test_a_row_filter_narrows_what_comes_along() -> None:
    """As it narrows a list of its own."""
    own = Grant(READ, row_filter=(ConditionIntent(("country",), "5", "row filter"),))
    access = Access("own", {"*": Grant(READ), "clients": own})

    assert "WHERE t.userid IN (%s) AND t.country = %s" in flat(
        embedded("invoices?include=client&fields[client]=company", 1, access=access).text
    )


def test_what_comes_along_holds_what_its_own_embeds_need() -> None:
    """And its key, by which a cut list is found again."""
    statement = embedded("clients?include=invoices.items&fields[invoices]=total", 1)

    assert flat(statement.text).startswith("SELECT t.total, t.id, t.clientid FROM tblinvoices")
    assert (statement.key, statement.links, statement.reference) == ((1,), ((1,),), (2,))
