"""Embeds: rows laid into rows in order, one statement per node however many there are, and what was left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.catalog.kinds import PLAIN_FORMAT, ValueFormat
from gateway.catalog.model import Catalog
from gateway.catalog.reflected import ReflectedForeignKey
from gateway.errors import RequestError
from gateway.operations.counts import Counts
from gateway.operations.embeds import MOST_PARENTS
from gateway.operations.reads import Reads
from gateway.operations.results import PageResult, Truncation
from gateway.operations.tags import Tags
from gateway.query.intent import EmbedIntent, PageIntent, ReadIntent
from gateway.query.planner import PlannedRead, plan_read
from gateway.sql.cache import StatementCache
from tests.support.asking import ask, ask_any, context_of, crm
from tests.support.catalogs import make_catalog, reflected
from tests.support.fake_database import Answer, FakeDatabase

CRM = crm()
CLIENTS, INVOICES = CRM.resources["clients"], CRM.resources["invoices"]
CLIENT = "fields=id&include=client&fields[client]=company"


def reading(script: dict[str, Answer], catalog: Catalog = CRM, most: int = 50_000) -> tuple[Reads, FakeDatabase]:
    database = FakeDatabase(script)
    statements = StatementCache(catalog, 100, None)
    counts = Counts(database, statements, lambda event: None, deadline_s=5.0, reuse_s=0.0, most_running=1)
    return Reads(database, statements, counts, Tags(), None, most), database


async def page(
    target: str, script: dict[str, Answer], catalog: Catalog = CRM, most: int = 50_000
) -> tuple[PageResult, FakeDatabase]:
    """Return one page of a list or of groups; the script has what each table answers."""
    reads, database = reading({f"FROM {table} AS": rows for table, rows in script.items()}, catalog, most)
    return await reads.page(ask_any(catalog, target), "none"), database


def ones(result: PageResult, name: str) -> list[Any]:
    return [row[name] for row in result.rows]


# One row of another table


async def test_the_row_of_a_to_one_is_laid_into_each_that_refers_to_it() -> None:
    """It is asked for once; a reference to nothing, or to a row that has gone, is null."""
    invoices = [(1, 10), (2, None), (3, 10), (4, 99)]
    found, database = await page(f"invoices?{CLIENT}", {"tblinvoices": invoices, "tblclients": [("Acme", 10)]})

    assert ones(found, "client") == [{"company": "Acme"}, None, {"company": "Acme"}, None]
    assert found.rows[0]["client"] is found.rows[2]["client"]
    assert len(database.log) == 2
    assert database.bound[1][:2] == (10, 99)


async def test_nothing_to_refer_to_asks_nothing() -> None:
    """No rows, or no references."""
    for invoices in ([], [(1, None), (2, None)]):
        found, database = await page(f"invoices?{CLIENT}", {"tblinvoices": invoices})
        assert [row["client"] for row in found.rows] == [None] * len(invoices)
        assert len(database.log) == 1


async def test_of_several_children_a_picked_to_one_takes_the_first() -> None:
    """As they come, which is by key."""
    found, _ = await page(
        "clients?fields=userid&include=primary_contact&fields[primary_contact]=email",
        {"tblclients": [(1,), (2,)], "tblcontacts": [("a", 1), ("b", 1)]},
    )

    assert found.rows == [
        {"userid": 1, "primary_contact": {"email": "a"}},
        {"userid": 2, "primary_contact": None},
    ]


# Several rows of another table


ITEMS = "fields=id&include=items&fields[items]=description"


async def test_rows_of_a_to_many_keep_their_order() -> None:
    """That of the statement; whoever has none has an empty list."""
    items = [("b", 1), ("a", 1), ("z", 3)]
    found, database = await page(f"invoices?{ITEMS}", {"tblinvoices": [(1,), (2,), (3,)], "tblitemable": items})

    assert ones(found, "items") == [[{"description": "b"}, {"description": "a"}], [], [{"description": "z"}]]
    assert (found.truncated, len(database.log)) == ((), 2)


async def test_what_exceeds_a_limit_is_left_out_and_told_of() -> None:
    """Where in the reply, whose rows, by which embed, and how many are shown."""
    items = [("a", 1), ("b", 1), ("c", 1), ("d", 2)]
    found, _ = await page(
        f"invoices?{ITEMS}&include[items][limit]=2", {"tblinvoices": [(1,), (2,)], "tblitemable": items}
    )

    assert [len(own) for own in ones(found, "items")] == [2, 1]
    assert found.truncated == (Truncation((0, "items"), INVOICES, (1,), ("items",), 2),)


async def test_a_list_that_is_just_full_is_not_cut() -> None:
    """One row more would tell."""
    found, _ = await page(
        f"invoices?{ITEMS}&include[items][limit]=2", {"tblinvoices": [(1,)], "tblitemable": [("a", 1), ("b", 1)]}
    )

    assert (len(found.rows[0]["items"]), found.truncated) == (2, ())


async def test_a_cut_list_is_told_of_wherever_it_stands() -> None:
    """A client of two invoices stands twice, and so do its contracts."""
    found, database = await page(
        "invoices?fields=id&include=client.contracts&fields[client]=company&fields[client.contracts]=subject"
        "&include[client.contracts][limit]=1",
        {
            "tblinvoices": [(1, 10), (2, 20), (3, 10)],
            "tblclients": [("Acme", 10), ("Byte", 20)],
            "tblcontracts": [("x", 10), ("y", 10), ("z", 20)],
        },
    )

    assert [cut.place for cut in found.truncated] == [(0, "client", "contracts"), (2, "client", "contracts")]
    assert {(cut.parent, cut.key, cut.embed) for cut in found.truncated} == {
        (CLIENTS, (10,), ("client", "contracts")),
    }
    assert len(database.log) == 3


async def test_rows_that_are_left_out_have_no_rows_of_their_own_asked_for() -> None:
    """Nobody sees them."""
    found, database = await page(
        "clients?fields=userid&include=invoices.items&fields[invoices]=id&fields[invoices.items]=description"
        "&include[invoices][limit]=1",
        {
            "tblclients": [(1,), (2,)],
            "tblinvoices": [(11, 1), (12, 1), (21, 2)],
            "tblitemable": [("a", 11), ("b", 21)],
        },
    )

    assert ones(found, "invoices") == [
        [{"id": 11, "items": [{"description": "a"}]}],
        [{"id": 21, "items": [{"description": "b"}]}],
    ]
    assert database.bound[2][:2] == (11, 21)


async def test_only_lists_that_were_cut_are_told_of_however_many_rows_go() -> None:
    """Lists of rows that were left out are gone, and none that is made after them is taken for one."""
    number = 40
    clients = [(key,) for key in range(1, number + 1)]
    invoices = [(key * 100 + place, key) for key in range(1, number + 1) for place in range(3)]
    items = [("x", invoice) for invoice, _ in invoices for _ in range(invoice % 100 + 1)]
    notes = [("n", key) for key in range(1, number + 1)]
    found, _ = await page(
        "clients?fields=userid&per_page=50&include=invoices.items,notes&fields[invoices]=id&fields[notes]=description"
        "&fields[invoices.items]=description&include[invoices][limit]=2&include[invoices.items][limit]=1",
        {"tblclients": clients, "tblinvoices": invoices, "tblitemable": items, "tblnotes": notes},
    )

    assert {cut.place[1:] for cut in found.truncated} == {("invoices",), ("invoices", 1, "items")}
    assert len(found.truncated) == 2 * number


# How many statements, how many rows


@pytest.mark.parametrize("number", [1, 2, 3, 25])
async def test_each_node_is_one_statement_however_many_rows(number: int) -> None:
    """A page of 25 invoices with three embeds asks four times, and so does a page of one."""
    found, database = await page(
        "invoices?fields=id&include=client.primary_contact,items&fields[client]=company"
        "&fields[client.primary_contact]=email&fields[items]=rate",
        {
            "tblinvoices": [(key, key) for key in range(number)],
            "tblclients": [("x", key) for key in range(number)],
            "tblcontacts": [("x", key) for key in range(number)],
            "tblitemable": [("1.00", key) for key in range(number)],
        },
    )

    assert len(found.rows) == number
    assert len(database.log) == 4


@pytest.mark.parametrize(("number", "asked"), [(1, 1), (2, 2), (3, 4), (5, 8), (8, 8), (25, 32)])
async def test_statements_are_made_for_powers_of_two(number: int, asked: int) -> None:
    """The last parent is asked for again where there are fewer."""
    invoices = [(key, key) for key in range(1, number + 1)]
    _, database = await page(f"invoices?{CLIENT}", {"tblinvoices": invoices})
    *parents, _most = database.bound[1]

    assert parents == [*range(1, number + 1), *[number] * (asked - number)]


async def test_pages_of_any_size_share_few_statements() -> None:
    """Seven sizes, and a statement for four, and one for the page itself."""
    reads, database = reading({})
    for number in range(1, 9):
        database.script = {"FROM tblinvoices AS": [(key, key) for key in range(number)]}
        await reads.page(ask(CRM, f"invoices?{CLIENT}"), "none")

    assert len({text for text in database.log if "FROM tblclients" in text}) == 4


async def test_more_parents_than_a_statement_takes_are_asked_for_in_turn() -> None:
    """Servers take only so many values."""
    number = MOST_PARENTS + 100
    items = [(str(key), key, 1) for key in range(1, number + 1)]
    taxes = [("x", 1), ("y", number)]
    found, database = await page(
        "invoices?fields=id&include=items.taxes&fields[items]=description&fields[items.taxes]=taxname"
        "&include[items][limit]=1000",
        {"tblinvoices": [(1,)], "tblitemable": [], "tblitem_tax": taxes},
    )
    assert (found.rows, len(database.log)) == ([{"id": 1, "items": []}], 2)

    found, database = await page(
        "invoices?fields=id&per_page=2&include=items.taxes&fields[items]=description&fields[items.taxes]=taxname"
        "&include[items][limit]=1000",
        {
            "tblinvoices": [(1,), (2,)],
            "tblitemable": [(name, key, 1 if key <= 600 else 2) for name, key, _ in items],
            "tblitem_tax": taxes,
        },
    )
    sizes = [len(bound) for bound, text in zip(database.bound, database.log, strict=True) if "tblitem_tax" in text]
    assert sizes == [MOST_PARENTS + 2, 128 + 2]
    assert (found.rows[0]["items"][0]["taxes"], found.rows[1]["items"][-1]["taxes"]) == (
        [{"taxname": "x"}] * 2,
        [{"taxname": "y"}] * 2,
    )


async def test_more_rows_than_an_answer_may_hold_are_refused() -> None:
    """With what to ask for instead; as many as it may hold are not."""
    script: dict[str, Answer] = {"tblinvoices": [(1,), (2,)], "tblitemable": [("x", 1)] * 3 + [("y", 2)] * 3}
    target = f"invoices?{ITEMS}"
    assert (await page(target, script, most=6))[0].truncated == ()
    with pytest.raises(RequestError) as caught:
        await page(target, script, most=5)

    assert (caught.value.code, caught.value.issues[0].parameter) == ("rows_too_many", "include")
    assert "The rows of items exceed" in caught.value.detail


async def test_all_embeds_of_an_answer_are_counted_together() -> None:
    """However they are spread."""
    script: dict[str, Answer] = {
        "tblinvoices": [(1, 1)],
        "tblitemable": [("x", 1)] * 3,
        "tblclients": [("x", 1)],
        "tblnotes": [("n", 1)] * 2,
    }
    target = "invoices?fields=id&include=client,items,notes&fields[client]=company&fields[items]=rate&fields[notes]=id"
    script["tblnotes"] = [(1, 1), (2, 1)]
    await page(target, script, most=6)
    with pytest.raises(RequestError):
        await page(target, script, most=5)


# What ties rows together


def families(kind: str) -> Catalog:
    """Return a catalog of parents and children that refer to them by a column of a type."""
    key = ReflectedForeignKey(("parent",), "parents", ("code",))
    parents = reflected("parents", f"code {kind}!", "name varchar(9)")
    return make_catalog(parents, reflected("children", "id int!", f"parent {kind}", foreign_keys=[key]))


async def test_text_references_are_tied_by_the_database() -> None:
    """It knows their collation: each child comes with the key of the parent that it is one of."""
    found, database = await page(
        "parents?fields=code&include=children&fields[children]=id",
        {"parents": [("a",), ("É",)], "children": [(1, "a"), (2, "É"), (3, "a")]},
        families("varchar(9)"),
    )

    assert found.rows == [
        {"code": "a", "children": [{"id": 1}, {"id": 3}]},
        {"code": "É", "children": [{"id": 2}]},
    ]
    assert database.asked("p.code = t.parent") == 1


async def test_numbers_are_tied_as_they_are() -> None:
    """Nothing of them is folded."""
    found, _ = await page(
        "parents?fields=code&include=children&fields[children]=id",
        {"parents": [(1,), (2,)], "children": [(1, 2), (2, 1)]},
        families("int"),
    )

    assert ones(found, "children") == [[{"id": 2}], [{"id": 1}]]


async def test_every_part_of_a_composite_reference_counts() -> None:
    """With one of them null it refers to nothing."""
    key = ReflectedForeignKey(("a", "b"), "parents", ("a", "b"))
    parents = reflected("parents", "a int!", "b int!", key=("a", "b"))
    catalog = make_catalog(parents, reflected("children", "id int!", "a int", "b int", foreign_keys=[key]))
    (edge,) = catalog.resources["children"].relationships
    found, database = await page(
        f"children?fields=id&include={edge}&fields[{edge}]=a,b",
        {"children": [(1, 1, 2), (2, 1, None), (3, 2, 1)], "parents": [(1, 2)]},
        catalog,
    )

    assert ones(found, edge) == [{"a": 1, "b": 2}, None, None]
    assert database.bound[1][:4] == (1, 2, 2, 1)


# Single rows and groups


async def test_a_single_row_tells_its_cuts_without_a_number() -> None:
    """Its tag is that of the row alone, whatever comes along."""
    reads, database = reading({"FROM tblinvoices AS": [(1,)], "FROM tblitemable AS": [("a", 1), ("b", 1)]})
    planned = ask(CRM, f"invoices/1?{ITEMS}&include[items][limit]=1")
    found = await reads.row(planned.plan, planned.values)

    assert found.row == {"id": 1, "items": [{"description": "a"}]}
    assert found.tag
    assert [cut.place for cut in found.truncated] == [("items",)]
    assert len(database.log) == 2


async def test_the_rows_that_groups_are_keyed_by_are_laid_in() -> None:
    """In the order of the request's words; rows without one form a group with null."""
    found, database = await page(
        "payments?group=invoice.client,paymentmode&metrics=count&fields[invoice.client]=company",
        {"tblinvoicepaymentrecords": [("1", 5, 10, 1), ("2", 3, None, 1)], "tblclients": [("Acme", 10)]},
    )

    assert [list(row.items()) for row in found.rows] == [
        [("invoice.client", {"company": "Acme"}), ("paymentmode", "1"), ("count", 5)],
        [("invoice.client", None), ("paymentmode", "2"), ("count", 3)],
    ]
    assert len(database.log) == 2


async def test_what_a_grouped_row_includes_is_cut_like_any_list() -> None:
    """Under the path of the group."""
    found, _ = await page(
        "payments?group=invoice.client&metrics=count&fields[invoice.client]=company"
        "&include=invoice.client.contracts&fields[invoice.client.contracts]=subject"
        "&include[invoice.client.contracts][limit]=1",
        {
            "tblinvoicepaymentrecords": [(5, 10)],
            "tblclients": [("Acme", 10)],
            "tblcontracts": [("x", 10), ("y", 10)],
        },
    )

    assert [(cut.place, cut.embed) for cut in found.truncated] == [
        ((0, "invoice.client", "contracts"), ("invoice", "client", "contracts"))
    ]


async def test_the_row_beyond_the_page_has_nothing_asked_for() -> None:
    """It only tells that another page follows."""
    found, database = await page(f"invoices?{ITEMS}&per_page=1", {"tblinvoices": [(1,), (2,)]})

    assert found.has_more
    assert database.bound[1][0] == 1
    assert 2 not in database.bound[1]


# Numbers over the rows of a to-many


def numbered(*metrics: str, many: str = "invoices", name: str = "numbers") -> EmbedIntent:
    return EmbedIntent((name,), relationship=many, metrics=metrics)


def clients(*embeds: EmbedIntent, form: ValueFormat = PLAIN_FORMAT, key: str | None = None) -> PlannedRead:
    """Return the plan of clients, of which only the name is shown, with what comes along."""
    intent = ReadIntent("clients", (key,) if key else None, fields=("company",), embeds=embeds, format=form)
    return plan_read(context_of(CRM), intent)


def as_json(rows: object) -> Any:
    return orjson.loads(orjson.dumps(rows))


async def test_each_row_has_the_numbers_over_its_own_rows() -> None:
    """One statement for all of them; over no rows there is nothing to add up, and nothing is counted."""
    reads, database = reading(
        {
            "FROM tblclients AS": [("A", 1), ("B", 2), ("C", 3)],
            "FROM tblinvoices AS": [(2, "7.50", 3, 1), (1, None, 1, 1)],
        }
    )
    found = await reads.page(clients(numbered("count", "sum.total")), "none")

    assert as_json(ones(found, "numbers")) == [
        {"count": 1, "sum.total": None},
        {"count": 0, "sum.total": None},
        {"count": 2, "sum.total": 7.5},
    ]
    assert [list(row) for row in found.rows] == [["company", "numbers"]] * 3
    assert len(database.log) == 2
    assert database.bound[1] == (1, 2, 3, 3)


async def test_numbers_over_no_rows_are_decoded_as_others() -> None:
    """What is distinct of nothing is none."""
    reads, _ = reading({"FROM tblclients AS": [("A", 1)]})
    form = ValueFormat(are_decimals_text=True, are_bigints_text=True)
    found = await reads.page(clients(numbered("count", "count_distinct.total", "max.date"), form=form), "none")

    assert ones(found, "numbers") == [{"count": 0, "count_distinct.total": 0, "max.date": None}]


async def test_rows_that_refer_to_nothing_have_numbers_over_nothing() -> None:
    """And nothing is asked of the database where none refers to anything."""
    catalog = families("int")
    (many,) = catalog.resources["parents"].relationships
    intent = ReadIntent("parents", fields=("name",), embeds=(numbered("count", many=many),))
    planned = plan_read(context_of(catalog), intent)
    reads, database = reading({"FROM parents AS": [("A", None)]}, catalog)

    assert ones(await reads.page(planned, "none"), "numbers") == [{"count": 0}]
    assert len(database.log) == 1


async def test_no_rows_ask_for_no_numbers() -> None:
    """There is nobody whose they would be."""
    reads, database = reading({})

    assert (await reads.page(clients(numbered("count")), "none")).rows == []
    assert len(database.log) == 1


async def test_numbers_of_many_parents_are_asked_for_in_turn() -> None:
    """As their rows are: so many at a time, for the next power of two."""
    number = MOST_PARENTS + 3
    intent = ReadIntent(
        "invoices",
        fields=("id",),
        page=PageIntent(2),
        embeds=(
            EmbedIntent(("items",), fields=("rate",), limit=1_000),
            EmbedIntent(("items", "n"), relationship="taxes", metrics=()),
        ),
    )
    planned = plan_read(context_of(CRM), intent)
    items = [("1.00", key, 1 if key <= 600 else 2) for key in range(1, number + 1)]
    reads, database = reading(
        {
            "FROM tblinvoices AS": [(1,), (2,)],
            "FROM tblitemable AS": items,
            "FROM tblitem_tax AS": [(5, 1), (6, number)],
        }
    )
    found = await reads.page(planned, "none")

    sizes = [len(bound) for bound, text in zip(database.bound, database.log, strict=True) if "tblitem_tax" in text]
    assert sizes == [MOST_PARENTS, 4]
    assert (found.rows[0]["items"][0]["n"], found.rows[1]["items"][-1]["n"]) == ({"count": 5}, {"count": 6})


async def test_numbers_in_a_row_that_stands_twice_are_asked_for_once() -> None:
    """A client of two invoices is one parent."""
    intent = ReadIntent(
        "invoices",
        fields=("id",),
        embeds=(
            EmbedIntent(("client",), fields=("company",)),
            EmbedIntent(("client", "n"), relationship="contacts", metrics=()),
        ),
    )
    reads, database = reading(
        {
            "FROM tblinvoices AS": [(1, 10), (2, 20), (3, 10)],
            "FROM tblclients AS": [("A", 10), ("B", 20)],
            "FROM tblcontacts AS": [(4, 10)],
        }
    )
    found = await reads.page(plan_read(context_of(CRM), intent), "none")

    assert [row["client"]["n"]["count"] for row in found.rows] == [4, 0, 4]
    assert database.bound[2] == (10, 20)


@pytest.mark.parametrize(("currencies", "warnings"), [((1, 1), ()), ((0, 1), ()), ((1, 2), ("mixed_currency",))])
async def test_sums_over_several_currencies_of_one_parent_are_warned_of(
    currencies: tuple[int, int], warnings: tuple[str, ...]
) -> None:
    """Of a list and of one row; several parents with one currency each are no mixture."""
    script: dict[str, Answer] = {
        "FROM tblclients AS": [("A", 1), ("B", 2)],
        "FROM tblinvoices AS": [("7.50", 1, currencies[0]), ("8.50", 2, currencies[1])],
    }
    reads, _ = reading(script)
    several = clients(numbered("sum.total"), numbered("sum.subtotal", name="others"))
    one = clients(numbered("sum.total"), key="1")

    assert (await reads.page(several, "none")).warnings == warnings
    assert (await reads.row(replace(one.plan, is_tagged=False), one.values)).warnings == warnings


async def test_numbers_are_no_rows_of_the_answer() -> None:
    """Whatever an answer may hold, they are one to each of its rows."""
    reads, _ = reading({"FROM tblclients AS": [("A", 1), ("B", 2)], "FROM tblinvoices AS": [(2, 1)]}, most=0)

    assert len((await reads.page(clients(numbered("count")), "none")).rows) == 2
