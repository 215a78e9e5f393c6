"""The budget of a query: when the database is asked, what is refused, and what a refusal may say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog
from gateway.errors import GatewayError, RequestError, UnavailableError
from gateway.observe import Event, QueryNotExplained, QueryRefused
from gateway.operations.guard import REMEMBERED_S, Guard, make_guard
from gateway.query.access import Access, Grant
from gateway.query.intent import ConditionIntent, EmbedIntent, ReadIntent
from gateway.query.planner import plan_read
from gateway.sql.cache import StatementCache
from gateway.sql.explain import read_blocks
from tests.support.asking import ALL, READ, ask_any, context_of, crm

BUDGET = 1_000
MANY = 200_000

Answer = Sequence[Sequence[object]] | Callable[[tuple[object, ...]], Sequence[Sequence[object]]]


def line(
    alias: str = "t",
    access: str = "ALL",
    rows: int = MANY,
    notes: str = "",
    select: tuple[int, str] = (1, "PRIMARY"),
    kept: float = 100.0,
) -> tuple[object, ...]:
    """Return a line of MariaDB's EXPLAIN EXTENDED."""
    return (*select, alias, access, None, None, None, None, str(rows), kept, notes)


def walk(parameters: tuple[object, ...]) -> Sequence[Sequence[object]]:
    """Answer as MariaDB does for a page along the key: the limit, or the whole table where that is less."""
    limit = max((value for value in parameters if isinstance(value, int)), default=MANY)
    return [line(access="index", rows=min(limit, MANY), notes="Using where")]


SORTED = [line(notes="Using filesort")]


class Guarding:
    """A guard of 1,000 rows over a database whose every plan is ``answer``; ``log`` has what it was asked."""

    def __init__(self, answer: Answer | GatewayError, catalog: Catalog | None = None) -> None:
        self.catalog = catalog or crm()
        self.answer = answer
        self.now = 0.0
        self.log: list[str] = []
        self.bound: list[tuple[object, ...]] = []
        self.events: list[Event] = []
        self.statements = StatementCache(self.catalog, 100, None)
        self.guard = Guard(self.catalog, BUDGET, self.events.append, lambda: self.now)

    async def run(self, text: str, parameters: tuple[object, ...]) -> Sequence[Sequence[object]]:
        self.log.append(text)
        self.bound.append(parameters)
        if isinstance(self.answer, GatewayError):
            raise self.answer
        return self.answer(parameters) if callable(self.answer) else self.answer

    async def check(self, target: str, access: Access = ALL, *, is_told: bool = False) -> None:
        """Check a read; ``is_told`` hands the caller's access to the guard too."""
        planned = ask_any(self.catalog, target, access)
        statement = self.statements.of(planned.plan)
        await self.guard.check(self.run, statement, planned.plan, planned.values, access if is_told else None)

    async def refusal(self, target: str, access: Access = ALL, *, is_told: bool = False) -> str:
        """Return what the client is told beyond that its query is too expensive."""
        with pytest.raises(RequestError) as caught:
            await self.check(target, access, is_told=is_told)
        error = caught.value
        assert (error.code, error.status) == ("query_too_expensive", 400)
        first = "The database would look at more than 1,000 rows for this, the most it may. "
        assert error.detail == first + " ".join(issue.message for issue in error.issues)
        return error.detail.removeprefix(first)


def granted(readable: Mapping[str, frozenset[str]]) -> Access:
    """Return an access to some columns of some resources."""
    return Access("some", {name: Grant(READ, readable=columns) for name, columns in readable.items()})


# When it asks


async def test_the_statement_itself_is_explained_with_its_values() -> None:
    """What another value would cost says nothing of this one."""
    guarding = Guarding([line(access="ref", rows=3)])
    await guarding.check("invoices?filter[clientid]=12&fields=id")
    planned = ask_any(crm(), "invoices?filter[clientid]=12&fields=id")
    statement = guarding.statements.of(planned.plan)

    assert guarding.log == [f"EXPLAIN EXTENDED {statement.text}"]
    assert guarding.bound == [statement.bind(planned.values)]


async def test_a_question_asked_again_is_not_explained_again() -> None:
    """For a minute; another value is another question."""
    guarding = Guarding([line(access="ref", rows=3)])
    for _ in range(3):
        await guarding.check("invoices?filter[clientid]=12")
    await guarding.check("invoices?filter[clientid]=13")
    assert len(guarding.log) == 2

    guarding.now += REMEMBERED_S + 1
    await guarding.check("invoices?filter[clientid]=12")
    assert len(guarding.log) == 3


async def test_a_refusal_is_remembered_too() -> None:
    """It is told and counted each time."""
    guarding = Guarding(SORTED)
    told = {await guarding.refusal("invoices?sort=subtotal") for _ in range(3)}

    assert (len(guarding.log), len(told)) == (1, 1)
    assert guarding.events == [QueryRefused("invoices", MANY)] * 3


async def test_what_may_not_be_explained_passes_and_is_noted() -> None:
    """The tables behind a view may be closed to this user, who may read the view all the same."""
    guarding = Guarding(UnavailableError("database_refuses", "no"))
    await guarding.check("invoices?sort=subtotal")

    assert guarding.events == [QueryNotExplained("invoices")]


async def test_other_failures_are_the_reads_own() -> None:
    """They would have been the statement's."""
    guarding = Guarding(UnavailableError("database_away", "away"))
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await guarding.check("invoices")

    assert len(guarding.log) == 2


# Whether there is one


@pytest.mark.parametrize(
    ("setting", "own", "dialect", "is_on"),
    [
        (0, None, "mariadb", False),
        (5, None, "mariadb", True),
        (5, None, "mysql", True),
        (0, 5, "mariadb", True),
        (5, 0, "mariadb", False),
        (5, None, "sqlite", False),
    ],
)
def test_the_whitelist_decides_before_the_setting(setting: int, own: int | None, dialect: Dialect, is_on: bool) -> None:
    """0 is any number of rows; SQLite expects none."""
    catalog = replace(crm(dialect), max_examined_rows=own)

    assert (make_guard(catalog, setting, lambda event: None) is not None) is is_on


# What is too much


@pytest.mark.parametrize(("rows", "passes"), [(BUDGET, True), (BUDGET + 1, False)])
async def test_the_budget_itself_may_be_spent(rows: int, passes: bool) -> None:
    """One row more may not."""
    guarding = Guarding([line(access="ref", rows=rows)])
    if passes:
        await guarding.check("notes?filter[description.contains]=x")
    else:
        await guarding.refusal("notes?filter[description.contains]=x")


@pytest.mark.parametrize("target", ["invoices", "invoices?sort=total&per_page=500", "invoices?filter[status]=2"])
async def test_a_page_along_an_index_is_cheap_however_large_the_table(target: str) -> None:
    """Reading ends when the page is full: the database knows how many rows meet an indexed condition."""
    await Guarding(walk).check(target)


@pytest.mark.parametrize(
    "query",
    [
        "filter[clientnote]=x",
        "filter[clientnote.contains]=x",
        "filter[status]=2&filter[clientnote.starts]=x",
        "filter[formatted_number.contains]=5",
        "filter[client.city]=Bern",
        "filter[payments.amount.gt]=5",
        'where={"not":{"payments":{"some":{"amount.gt":5}}}}',
        "filter[balance.gt]=5",
        "q=x",
    ],
)
async def test_a_page_whose_condition_no_index_holds_may_have_to_read_everything(query: str) -> None:
    """The database cannot know when it will be full, so it is asked a second time for what all rows cost."""
    guarding = Guarding(walk)
    await guarding.refusal(f"invoices?{query}&page=3")
    first, second = guarding.bound

    assert guarding.log[0] == guarding.log[1]
    assert (first[-2:], second[-2:], first[:-2]) == ((50, 26), (0, 2**62), second[:-2])


async def test_such_a_page_is_cheap_where_an_index_leads_to_few_rows() -> None:
    """All of them are counted, and no second EXPLAIN is needed."""
    guarding = Guarding([line(access="ref", rows=103, notes="Using where")])
    await guarding.check("invoices?filter[clientid]=12&filter[clientnote.contains]=x")

    assert len(guarding.log) == 1


async def test_an_indexed_condition_costs_what_the_page_takes_of_it() -> None:
    """100,000 invoices have the status, a page has 25 of them."""
    await Guarding([line(access="ref", rows=100_000)]).check("invoices?filter[status]=2")


async def test_a_deep_page_reads_every_row_before_it() -> None:
    """A cursor does not."""
    said = await Guarding(walk).refusal("invoices?page=100")

    assert said == "A page this deep reads every row before it; a cursor goes on without."


async def test_one_row_is_read_by_its_key() -> None:
    """Without any limit in its statement."""
    await Guarding([line(access="const", rows=1)]).check("invoices/42")


async def test_rows_of_a_parent_are_as_many_as_it_has() -> None:
    """The index of the reference leads to them."""
    explained = [line("t_1", "const", 1), line("t", "ref", 900, "Using where")]
    await Guarding(explained).check("clients/12/invoices?filter[clientnote.contains]=x")


# What is said of it


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sort=-subtotal", "invoices has no index on subtotal."),
        ("filter[clientnote]=x", "invoices has no index on clientnote."),
        ("filter[clientnote]=x&filter[status]=2", "invoices has no index on clientnote."),
        ("filter[number.gt]=5&filter[duedate.lt]=2026-01-01", "invoices has no index on number or duedate."),
        (
            "filter[any][number]=5&filter[any][subtotal]=6&filter[any][prefix]=A",
            "invoices has no index on number, subtotal or prefix.",
        ),
        ('where={"not":{"number":5}}', "No missing index would help this query"),
        ("filter[clientnote.contains]=x", "No missing index would help this query"),
        ("sort=-total", "An index serves a sort in one direction only, as in sort=-total,-id."),
        ("sort=total,-id", "An index serves a sort in one direction only, as in sort=total,id."),
        ("sort=client.company", "No index serves a sort by client.company; sort by an indexed field of invoices"),
        ("sort=balance", "No index serves a sort by balance; sort by an indexed field of invoices, or narrow it."),
        ("sort=total", "No missing index would help this query"),
    ],
)
async def test_the_missing_index_is_named(query: str, said: str) -> None:
    """That of the condition first: a sort along an index would look at all rows for it. A text within needs another."""
    assert (await Guarding(SORTED).refusal(f"invoices?{query}")).startswith(said)


async def test_a_key_that_the_client_may_not_read_is_not_offered_for_sorting() -> None:
    """It stands at the end of every order, and nobody asked for it."""
    some = granted({"invoices": frozenset({"total", "clientnote"})})
    for is_told in (True, False):
        said = await Guarding(SORTED).refusal("invoices?sort=-total", some, is_told=is_told)
        assert said == "No missing index would help this query; narrow it by total, where invoices has an index."


async def test_indexes_that_are_there_are_offered() -> None:
    """Those of columns that the client sees."""
    said = await Guarding(SORTED).refusal("invoices?q=x&fields=id,total,status,subtotal")

    assert said == (
        "No missing index would help this query; narrow it by id, total or status, where invoices has an index."
    )
    assert (await Guarding(SORTED).refusal("invoices?q=x&fields=prefix")).endswith("help this query.")


async def test_a_scanned_table_of_another_resource_is_named_as_itself() -> None:
    """By the resource that its rows are, as it could be asked for alone."""
    explained = [line("t", "eq_ref", 1), line("t_1", "ALL", MANY, select=(2, "MATERIALIZED"))]
    said = await Guarding(explained).refusal("invoices?filter[payments.amount.gt]=5")
    assert said == "invoicepaymentrecords has no index on amount."

    explained = [line("t_1", "ALL", MANY), line("t", "ref", 2)]
    assert await Guarding(explained).refusal("invoices?filter[client.city]=Bern") == "clients has no index on city."


async def test_the_most_costly_table_is_named_first_and_a_cheap_one_not() -> None:
    """An index on what is a twentieth of the cost would not help."""
    query = "invoices?filter[client.city]=Bern&filter[number]=5"
    both = [line("t_1", "ALL", 50_000, notes="Using filesort"), line("t", "ALL", 5, "Using where")]
    assert await Guarding(both).refusal(query) == "invoices has no index on number. clients has no index on city."

    one = [line("t_1", "ALL", 5_000, notes="Using filesort"), line("t", "ALL", 20, "Using where")]
    assert await Guarding(one).refusal(query) == "invoices has no index on number."


async def test_a_reference_without_an_index_is_told_by_its_relationship() -> None:
    """The column is named to those who may read it: the client never wrote its name."""
    explained = [
        line("t", "ref", 100, "Using filesort"),
        line("t_1", "ALL", MANY, select=(2, "DEPENDENT SUBQUERY")),
    ]
    target = "invoices?filter[credits.amount.gt]=5"
    guarding = Guarding(explained)

    assert await guarding.refusal(target) == "credits has no index on amount."
    assert await guarding.refusal("invoices?filter[credits.id.gt]=5&sort=prefix") == (
        "No index leads from invoices to their credits."
    )
    assert await guarding.refusal("invoices?filter[credits.id.gt]=5&sort=prefix", is_told=True) == (
        "credits has no index on invoice_id."
    )


async def test_a_sum_is_told_by_the_name_of_its_field() -> None:
    """Its rows may be of a table that the caller may not read."""
    shown = [line("t", "ref", 900), line("t_1", "ALL", MANY, select=(2, "DERIVED"))]
    guarding = Guarding(shown)
    blocks = read_blocks(guarding.statements.of(ask_any(crm(), "invoices?fields=id,balance").plan).text)
    credits_alias = next(a for block in blocks.values() for a, name in block.tables.items() if name == "tblcredits")
    guarding.answer = [line("t", "ref", 900), line(credits_alias, "ALL", MANY, select=(2, "DERIVED"))]
    few = Access("few", {"invoices": Grant(READ)})

    said = "balance needs a sum over rows that no index leads to."
    assert await guarding.refusal("invoices?fields=id,balance") == said
    assert await guarding.refusal("invoices?fields=id,balance", few, is_told=True) == said
    assert await guarding.refusal("invoices?fields=id,balance", is_told=True) == "credits has no index on invoice_id."


async def test_what_a_grant_demands_is_not_told() -> None:
    """Its row filter reads columns that the caller may not."""
    hidden = ConditionIntent(("clientnote",), "x", "filter")
    access = Access("some", {"invoices": Grant(READ, readable=frozenset({"id", "total"}), row_filter=(hidden,))})
    said = await Guarding(walk).refusal("invoices", access, is_told=True)

    assert said == "No missing index would help this query; narrow it by id or total, where invoices has an index."


async def test_indexed_columns_are_offered_to_who_may_read_them() -> None:
    """With its access known, also those that the client did not choose."""
    access = granted({"invoices": frozenset({"id", "status", "subtotal"})})
    said = await Guarding(SORTED).refusal("invoices?filter[subtotal.ne]=5&fields=id", access, is_told=True)

    assert said.endswith("narrow it by id or status, where invoices has an index.")


async def test_numbers_of_rows_are_not_told_to_clients() -> None:
    """They would tell how large a table is of which the caller may see a part; the log has them."""
    guarding = Guarding(SORTED)

    assert "200" not in await guarding.refusal("invoices?sort=subtotal")
    assert guarding.events == [QueryRefused("invoices", MANY)]


# Groups, parents and the odd condition


async def test_groups_read_every_row_whatever_their_page() -> None:
    """Only then is any of them known."""
    grouped = [line(access="index", rows=BUDGET + 1, notes="Using index")]
    said = await Guarding(grouped).refusal("invoices?group=status&metrics=count&per_page=1")

    assert said == "No missing index would help this query; narrow it by status, where invoices has an index."


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("group=status&metrics=sum.balance", "balance needs a sum over rows that no index leads to."),
        ("group=date.month&metrics=count&filter[number]=5", "invoices has no index on number."),
        ("group=client&metrics=max.client.datecreated", "No missing index would help this query."),
        ("metrics=count&filter[is_overdue]=1", "is_overdue needs a sum over rows that no index leads to."),
    ],
)
async def test_groups_lack_the_indexes_that_their_fields_lack(query: str, said: str) -> None:
    """Those of conditions, metrics and what is grouped by."""
    guarding = Guarding([])
    blocks = read_blocks(guarding.statements.of(ask_any(crm(), f"invoices?{query}").plan).text)
    aliases = {name: alias for block in blocks.values() for alias, name in block.tables.items()}
    guarding.answer = [line(alias, rows=MANY, select=(1, "PRIMARY")) for alias in aliases.values()]

    assert (await guarding.refusal(f"invoices?{query}")).endswith(said)


async def test_rows_of_a_parent_without_an_index_are_told_by_the_relationship() -> None:
    """The path of the request names it."""
    explained = [line("t_1", "const", 1), line("t", "ALL", MANY, "Using where")]
    said = await Guarding(explained).refusal("creditnotes/1/creditnote_refunds")

    assert said == "No index leads from creditnotes to their creditnote_refunds."


async def test_a_reference_that_is_text_has_to_be_read_as_a_number_first() -> None:
    """An index on it would not be used, so none is asked for."""
    explained = [line("t_1", "const", 1), line("t", "ALL", MANY, "Using where")]
    said = await Guarding(explained).refusal("payment_modes/1/payments?fields=id")

    assert said.startswith("No missing index would help this query")


async def test_the_contrary_of_a_comparison_by_bytes_is_served_by_no_index() -> None:
    """Nor measured: the page may have to read everything."""
    query = 'invoices?where={"not":{"formatted_number.exact":"x"}}&fields=prefix'
    guarding = Guarding(walk)

    assert await guarding.refusal(query) == "No missing index would help this query."
    assert len(guarding.log) == 2


async def test_what_a_grant_demands_of_indexed_columns_is_measured() -> None:
    """A page of the caller's own rows is as cheap as one of all."""
    own = ConditionIntent(("sale_agent",), "3", "filter")
    access = Access("some", {"invoices": Grant(READ, row_filter=(own,))})
    guarding = Guarding(walk)
    await guarding.check("invoices", access)

    assert len(guarding.log) == 1


async def test_where_the_second_look_is_refused_the_first_one_counts() -> None:
    """It is what is known."""
    guarding = Guarding(walk)

    def once(parameters: tuple[object, ...]) -> Sequence[Sequence[object]]:
        if len(guarding.log) > 1:
            raise UnavailableError("database_refuses", "no")
        return walk(parameters)

    guarding.answer = once
    await guarding.check("invoices?filter[clientnote]=x")
    assert guarding.events == [QueryNotExplained("invoices")]


# What comes along


async def check_embed(guarding: Guarding, target: str, *links: int) -> None:
    """Check the statement of the one embed of a question, for some parents."""
    planned = ask_any(crm(), target)
    (embed,) = planned.plan.embeds
    statement = guarding.statements.embed(embed, len(links))
    await guarding.guard.check_embed(guarding.run, statement, embed, planned.values, (*links, 1_000))


async def test_what_is_included_is_judged_by_its_own_statement() -> None:
    """Found by an index it is cheap; for other parents it is not asked again."""
    guarding = Guarding([line(access="range", rows=60)])
    await check_embed(guarding, "invoices?include=payments", 1, 2)
    await check_embed(guarding, "invoices?include=payments", 3, 4)

    (text,) = guarding.log
    assert text.startswith("EXPLAIN EXTENDED SELECT")
    assert guarding.bound[0][:2] == (1, 2)


async def test_an_include_that_no_index_serves_is_refused_by_its_name() -> None:
    """It would read all rows for every page."""
    guarding = Guarding([line(rows=MANY, notes="Using where")])
    for _ in range(2):
        with pytest.raises(RequestError) as caught:
            await check_embed(guarding, "invoices?include=credits", 1, 2)

        error = caught.value
        assert (error.code, error.issues[0].parameter) == ("query_too_expensive", "include")
        assert error.detail.endswith("No index serves what credits goes by: the rows of credits are all read for it.")
    assert len(guarding.log) == 1
    assert guarding.events == [QueryRefused("credits", MANY)] * 2


async def test_an_include_that_cannot_be_explained_passes() -> None:
    """As a list does."""
    guarding = Guarding(UnavailableError("database_refuses", "no"))
    await check_embed(guarding, "invoices?include=credits", 1)

    assert guarding.events == [QueryNotExplained("credits")]


async def test_numbers_that_no_index_serves_are_refused_by_their_name() -> None:
    """They read the rows that they are over."""
    embed = EmbedIntent(("credited",), relationship="credits", metrics=("sum.amount",))
    planned = plan_read(context_of(crm()), ReadIntent("invoices", embeds=(embed,)))
    (summary,) = planned.plan.summaries
    guarding = Guarding([line(rows=MANY, notes="Using where")])
    statement = guarding.statements.summary(summary, 2)
    with pytest.raises(RequestError) as caught:
        await guarding.guard.check_embed(guarding.run, statement, summary, planned.values, (1, 2))

    assert caught.value.code == "query_too_expensive"
    assert caught.value.detail.endswith(
        "No index serves what credited goes by: the rows of credits are all read for it."
    )
    assert guarding.bound[0] == (1, 2)
