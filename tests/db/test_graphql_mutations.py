"""Mutations on real databases: the writes of REST, what they show, and several of them in order or together."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.security.policy import Policy
from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.dumps import Dump, dump
from tests.support.mariadb import Server
from tests.support.sales import LINES

GRANTS: Mapping[str, tuple[str, ...]] = {
    "all": ("*:*",),
    "own": ("*:*",),
    "narrow": ("clients:*",),
    "writer": ("clients:create", "clients:update", "clients:delete"),
    "reader": ("*:read",),
    "documents": ("invoices:*",),
}
POLICIES = {
    "own": Policy(rows=(("clients", ("userid.in=1,2",)), ("invoices", ("clientid.in=1,2",)))),
    "narrow": Policy(
        readable=(("clients", ("userid", "company", "city")),), writable=(("clients", ("company", "city")),)
    ),
}
MINTED = frozenset(
    {
        *("id", "number", "formatted_number", "hash", "rel_id", "itemid", "invoiceid", "userid", "leadid", "taskid"),
        *("project_id", "ticketid", "ticketkey", "value", "additional_data"),
    }
)
"""Columns that differ between two writes of the same values: keys, numbers and random texts."""


@dataclass(frozen=True, slots=True)
class Crm:
    """The application on a sample CRM, and all that is in it."""

    app: App
    url: str
    server: Server | None

    def dump(self) -> Dump:
        return dump(self.url, self.server)

    async def answer(self, document: str, token: str = "all", **variables: Any) -> dict[str, Any]:
        """The whole reply of a document."""
        headers = {"Accept": "application/json"}
        body = {"query": document, "variables": variables}
        reply = await self.app.clients[token].post("/api/v1/graphql", json=body, headers=headers)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def data(self, document: str, token: str = "all", **variables: Any) -> dict[str, Any]:
        """The data of a document that meets no error."""
        reply = await self.answer(document, token, **variables)
        assert "errors" not in reply, reply
        data: dict[str, Any] = reply["data"]
        return data

    async def codes(self, document: str, token: str = "all", **variables: Any) -> list[str]:
        """The codes of a document's errors."""
        reply = await self.answer(document, token, **variables)
        return [error["extensions"]["code"] for error in reply.get("errors", ())]

    async def rest(self, method: str, path: str, body: Any = None, token: str = "all", **headers: str) -> Any:
        """A request of REST; the document of its answer, None where it has none."""
        reply = await self.app.clients[token].request(method, f"/api/v1/{path}", json=body, headers=headers)
        return reply.json() if reply.content else None

    async def client(self, company: str = "Steel") -> str:
        """The key of a new customer."""
        made = await self.data("mutation ($c: String) { createClient(input: {company: $c}) { userid } }", c=company)
        return str(made["createClient"]["userid"])


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
async def crm(
    request: pytest.FixtureRequest, mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crm]:
    """The application on a small CRM of this module's own."""
    name = f"gateway_mutations_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    path: Path = tmp_path_factory.mktemp("mutations") / "crm.db"
    is_served = request.param == "mariadb"
    url = mariadb_server.create_database(name) if is_served else f"sqlite:///{path}"
    build(url, scale="tiny", today=NOON.date())
    async with served(url, grants=GRANTS, policies=POLICIES, admin=False, staff_id=1) as app:
        yield Crm(app, url, mariadb_server if is_served else None)
    if is_served:
        mariadb_server.drop_database(name)


def added(before: Dump, after: Dump) -> dict[str, Counter[Any]]:
    """The rows that are there now and were not, without what is minted for each."""
    found: dict[str, Counter[Any]] = {}
    for table, rows in after.tables.items():
        new = rows - before.tables[table]
        plain = Counter({tuple(cell for cell in row if cell[0] not in MINTED): n for row, n in new.items()})
        if plain:
            found[table] = plain
    return found


# One mutation


async def test_an_invoice_with_its_lines_is_rests(crm: Crm) -> None:
    """The same rows in every table, and the same values in the answer: totals, taxes and defaults are computed."""
    body = {"clientid": 1, "items": LINES, "terms": "now"}
    before = crm.dump()
    by_rest = await crm.rest("POST", "invoices?decimals=string&bigints=string", body)
    between = crm.dump()
    columns = [name for name in by_rest["data"] if name.isidentifier()]
    document = f"mutation ($input: InvoiceCreate!) {{ createInvoice(input: $input) {{ {' '.join(columns)} }} }}"

    by_graphql = (await crm.data(document, input=body))["createInvoice"]

    assert added(before, between) == added(between, crm.dump())
    assert {"invoices", "itemable", "item_tax", "sales_activity"} <= added(before, between).keys()
    assert {name: by_graphql[name] for name in columns if name not in MINTED} == {
        name: by_rest["data"][name] for name in columns if name not in MINTED
    }
    assert by_graphql["total"] == "51.47"


@pytest.mark.parametrize(
    ("mutation", "resource", "body"),
    [
        (
            "Estimate",
            "estimates",
            {"clientid": 1, "items": LINES, "discount_type": "after_tax", "discount_percent": "10"},
        ),
        ("Creditnote", "creditnotes", {"clientid": 1, "items": LINES}),
        ("Proposal", "proposals", {"subject": "p", "rel_type": "customer", "rel_id": 1, "currency": 1, "items": LINES}),
        (
            "Invoicepaymentrecord",
            "payments",
            {"invoiceid": 1, "amount": "0.50", "paymentmode": "1", "date": "2026-07-15"},
        ),
        ("Lead", "leads", {"name": "New", "company": "Steel & Co"}),
        ("Ticket", "tickets", {"subject": "Help", "message": "It is <b>broken</b>", "userid": 1, "contactid": 1}),
        ("Project", "projects", {"name": "p", "clientid": 1, "start_date": "2026-07-15"}),
        ("Task", "tasks", {"name": "t", "rel_type": "project", "rel_id": 1, "startdate": "2026-07-15"}),
        ("Expense", "expenses", {"category": 1, "amount": "9.99", "currency": 1, "date": "2026-07-15"}),
        ("Client", "clients", {"company": "Steel", "country": 1}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_rule_makes_of_a_new_row_is_the_same(
    crm: Crm, mutation: str, resource: str, body: dict[str, Any]
) -> None:
    """Whichever front end writes: every row in every table, or the same refusal."""
    before = crm.dump()
    by_rest = await crm.rest("POST", resource, body)
    between = crm.dump()
    document = f"mutation ($input: {mutation}Create!) {{ create{mutation}(input: $input) {{ __typename }} }}"

    codes = await crm.codes(document, input=body)

    assert codes == ([by_rest["code"]] if "code" in by_rest else []), by_rest
    assert added(before, between) == added(between, crm.dump())
    assert codes or added(before, between)


async def test_a_new_row_is_shown_with_all_that_a_read_has(crm: Crm) -> None:
    """Derived fields, labels, related rows, nested ones and numbers over them; the tag is that of a read."""
    selection = """
        id total balance status_label _etag client { company } items(sort: {item_order: ASC}) { description qty }
        items_aggregate { count sum { qty } }
    """
    document = f"mutation ($input: InvoiceCreate!) {{ createInvoice(input: $input) {{ {selection} }} }}"

    made = (await crm.data(document, input={"clientid": 1, "items": LINES}))["createInvoice"]

    read = await crm.data(f"query ($id: Int!) {{ invoices_by_key(id: $id) {{ {selection} }} }}", id=made["id"])
    assert read["invoices_by_key"] == made
    assert [item["description"] for item in made["items"]] == ["Work", "Travel"]
    assert (made["total"], made["balance"], made["items_aggregate"]["count"]) == ("51.47", "51.47", 2)


async def test_a_create_takes_as_many_statements_as_rests(crm: Crm) -> None:
    """One insert and one read where a rule has no part in it; one more for each node of the plan that shows more."""
    texts = crm.app.database.texts

    async def count(document: str) -> int:
        await crm.data(document)
        del texts[:]
        await crm.data(document)
        return len(texts)

    await crm.rest("POST", "tags", {"name": "first"})
    del texts[:]
    await crm.rest("POST", "tags", {"name": "by rest"})
    assert len(texts) == 2
    await crm.rest("DELETE", "tags?filter[name]=by rest&max_affected=5")

    numbers = iter(range(100))

    async def tag(selection: str) -> int:
        document = f"mutation ($n: String!) {{ createTag(input: {{name: $n}}) {{ {selection} }} }}"
        await crm.data(document, n=f"tag {next(numbers)}")
        del texts[:]
        await crm.data(document, n=f"tag {next(numbers)}")
        return len(texts)

    assert await tag("id name _etag") == 2
    assert await tag("__typename") == 2
    await crm.rest("PATCH", "clients/1", {"city": "Ulm"})
    del texts[:]
    await crm.rest("PATCH", "clients/1", {"city": "Ulm"})
    assert len(texts) == 3
    assert await count('mutation { updateClient(userid: 1, input: {city: "Ulm"}) { userid city } }') == 3
    assert await count('mutation { updateClient(userid: 1, input: {city: "Ulm"}) { email invoices { id } } }') == 5


async def test_a_change_asks_for_the_row_as_it_was_read(crm: Crm) -> None:
    """With its tag, with quotation marks or without; a stale one changes nothing."""
    key = await crm.client()
    row = "query ($k: Int!) { clients_by_key(userid: $k) { _etag } }"
    change = """mutation ($k: Int!, $city: String, $tag: String) {
        updateClient(userid: $k, input: {city: $city}, ifMatch: $tag) { city _etag } }"""
    tag = (await crm.data(row, k=int(key)))["clients_by_key"]["_etag"]

    changed = (await crm.data(change, k=int(key), city="Ulm", tag=tag))["updateClient"]
    before = crm.dump()
    stale = await crm.codes(change, k=int(key), city="Bonn", tag=tag)
    other = await crm.codes(change, k=int(key), city="Bonn", tag="no tag")
    assert (stale, other) == (["precondition_failed"], ["precondition_failed"])
    assert crm.dump().tables == before.tables
    for given in (changed["_etag"].strip('"'), "*", f'"x", {changed["_etag"]}'):
        same = (await crm.data(change, k=int(key), city="Ulm", tag=given))["updateClient"]
        assert same == {"city": "Ulm", "_etag": changed["_etag"]}

    gone = "mutation ($k: Int!, $tag: String) { deleteClient(userid: $k, ifMatch: $tag) { affected } }"
    assert await crm.codes(gone, k=int(key), tag=tag) == ["precondition_failed"]
    assert await crm.data(gone, k=int(key), tag=changed["_etag"]) == {"deleteClient": {"affected": 1}}


async def test_of_two_writers_with_one_tag_the_second_is_told(crm: Crm) -> None:
    """The tag is looked at under the row's lock."""
    key = int(await crm.client())
    row = "query ($k: Int!) { clients_by_key(userid: $k) { _etag } }"
    change = """mutation ($k: Int!, $city: String, $tag: String) {
        updateClient(userid: $k, input: {city: $city}, ifMatch: $tag) { city } }"""
    for turn in range(5):
        tag = (await crm.data(row, k=key))["clients_by_key"]["_etag"]
        codes = await asyncio.gather(*(crm.codes(change, k=key, city=f"{turn} {who}", tag=tag) for who in "ab"))
        assert sorted(codes) == [[], ["precondition_failed"]]


async def test_a_row_in_use_stays(crm: Crm) -> None:
    """What stands in the way is told, tried out or not."""
    before = crm.dump()
    counts = "affected owned { resource count } dependants { resource count }"

    reply = await crm.answer(f"mutation {{ deleteClient(userid: 1) {{ {counts} }} }}")
    tried = await crm.data(f"mutation {{ deleteClient(userid: 1, dryRun: true) {{ {counts} }} }}")

    assert reply["data"] == {"deleteClient": None}
    (error,) = reply["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("dependants", ["deleteClient"])
    assert tried["deleteClient"]["affected"] == 0
    by_rest = (await crm.rest("DELETE", "clients/1?dry_run=true"))["data"]
    for name in ("owned", "dependants"):
        assert {each["resource"]: each["count"] for each in tried["deleteClient"][name]} == by_rest[name]
    assert crm.dump().tables == before.tables


@pytest.mark.parametrize(
    "field",
    [
        'createInvoice(input: {clientid: 1, items: [{description: "x", qty: 1, rate: 2}]}, dryRun: true) '
        "{ id total items { qty } }",
        'createTags(input: [{name: "x"}, {name: "y"}], dryRun: true) { id name }',
        'createTag(input: {id: 1, name: "x"}, onConflict: UPDATE, dryRun: true) { id name }',
        'updateClient(userid: 1, input: {city: "Nowhere"}, dryRun: true) { city email invoices { id } }',
        'updateClients(filter: {userid_gt: 0}, input: {city: "Nowhere"}, maxAffected: 900, dryRun: true) '
        "{ affected rows { city } }",
        "deleteInvoice(id: 1, dryRun: true) { affected }",
        "deleteTags(filter: {id_gt: 0}, maxAffected: 900, dryRun: true) { affected }",
    ],
)
@pytest.mark.parametrize("directive", ["", "@atomic"])
async def test_a_dry_run_leaves_no_trace(crm: Crm, field: str, directive: str) -> None:
    """It shows what would be there."""
    before = crm.dump()

    data = await crm.data(f"mutation {directive} {{ {field} }}")

    (shown,) = data.values()
    assert shown
    assert crm.dump().tables == before.tables


async def test_every_fault_is_named_where_it_stands_in_the_input(crm: Crm) -> None:
    """As in REST's answer; nothing is written."""
    before = crm.dump()
    items = [{"description": "x", "qty": "much", "taxes": [{"taxrate": "0.001"}]}]
    body = {"clientid": None, "date": "2026-02-30", "items": items}

    reply = await crm.answer("mutation ($i: InvoiceCreate!) { createInvoice(input: $i) { id } }", i=body)
    by_rest = await crm.rest("POST", "invoices", body)

    (error,) = reply["errors"]
    assert error["extensions"]["code"] == "fields_invalid"
    told = {(each["pointer"], each["code"]) for each in error["extensions"]["errors"]}
    assert told == {(each["pointer"], each["code"]) for each in by_rest["errors"]}
    assert ("/items/0/qty", "type") in told
    assert crm.dump().tables == before.tables


# Several rows


async def test_rows_of_an_array_are_all_there_or_none(crm: Crm) -> None:
    """In their order, with whatever is selected; a fault names its row."""
    create = (
        "mutation ($i: [ClientCreate!]!) { createClients(input: $i) { company email invoices_aggregate { count } } }"
    )
    names = [f"firm {number}" for number in range(5)]

    made = (await crm.data(create, i=[{"company": name} for name in names]))["createClients"]
    before = crm.dump()
    reply = await crm.answer(create, i=[{"company": "x"}, {"zip": "x" * 99}, {"city": "x" * 999, "zip": "y" * 99}])

    assert [row["company"] for row in made] == names
    assert {row["invoices_aggregate"]["count"] for row in made} == {0}
    pointers = [each["pointer"] for each in reply["errors"][0]["extensions"]["errors"]]
    assert pointers == ["/1/zip", "/2/city", "/2/zip"]
    assert crm.dump().tables == before.tables


async def test_rows_that_a_filter_chooses_are_changed_and_removed(crm: Crm) -> None:
    """As many as expected, or none at all."""
    keys = [int(await crm.client("to change")) for _ in range(3)]
    change = """mutation ($most: Int!) { updateClients(filter: {company: "to change"}, maxAffected: $most,
        input: {city: "Ulm"}) { affected rows { userid city contact_name } } }"""
    remove = """mutation ($most: Int!) { deleteClients(filter: {company: "to change"}, maxAffected: $most)
        { affected owned { count } } }"""
    before = crm.dump()
    assert await crm.codes(change, most=2) == ["too_many_affected"]
    assert await crm.codes(remove, most=2) == ["too_many_affected"]
    assert crm.dump().tables == before.tables

    changed = (await crm.data(change, most=3))["updateClients"]
    assert changed["affected"] == 3
    assert [(row["userid"], row["city"]) for row in changed["rows"]] == [(key, "Ulm") for key in keys]
    assert (await crm.data(remove, most=3))["deleteClients"] == {"affected": 3, "owned": None}
    assert (await crm.data(remove, most=3))["deleteClients"] == {"affected": 0, "owned": None}


async def test_a_row_that_is_there_is_changed_or_left_alone(crm: Crm) -> None:
    """By its whole unique key; one without is refused."""
    put = """mutation ($id: Int, $name: String, $how: OnConflict) {
        createTag(input: {id: $id, name: $name}, onConflict: $how) { id name _etag } }"""

    made = (await crm.data(put, id=11_000, name="made", how="UPDATE"))["createTag"]
    left = (await crm.data(put, id=11_000, name="left", how="IGNORE"))["createTag"]
    changed = (await crm.data(put, id=11_000, name="changed", how="UPDATE"))["createTag"]

    assert (made["name"], left, changed["name"]) == ("made", made, "changed")
    assert await crm.codes(put, id=11_000, name="again", how=None) == ["duplicate"]
    keyless = 'mutation { createTag(input: {name: "unique to nobody"}, onConflict: UPDATE) { id } }'
    by_rest = await crm.rest("POST", "tags?on_conflict=update", {"name": "unique to nobody"})
    assert await crm.codes(keyless) == ([by_rest["code"]] if "code" in by_rest else [])


# Several mutations


async def test_mutations_run_in_order_each_for_itself(crm: Crm) -> None:
    """The second sees what the first did; one that fails leaves its error and null, and no other undone."""
    reply = await crm.answer("""mutation {
        a: createTag(input: {id: 12000, name: "first"}) { name }
        b: updateTag(id: 12000, input: {name: "second"}) { name }
        c: createTag(input: {id: 12000, name: "third"}) { name }
        d: updateTag(id: 999999, input: {name: "fourth"}) { name }
        e: deleteTag(id: 12000) { affected }
        f: deleteTag(id: 12000) { affected }
    }""")

    assert list(reply["data"]) == ["a", "b", "c", "d", "e", "f"]
    assert reply["data"] == {"a": {"name": "first"}, "b": {"name": "second"}, "c": None, "d": None,
                             "e": {"affected": 1}, "f": None}  # fmt: skip
    assert [(error["path"], error["extensions"]["code"]) for error in reply["errors"]] == [
        (["c"], "duplicate"),
        (["d"], "row_unknown"),
        (["f"], "row_unknown"),
    ]


async def test_mutations_can_be_all_or_nothing(crm: Crm) -> None:
    """In one transaction: each sees what those before it did."""
    data = await crm.data("""mutation @atomic {
        a: createTag(input: {id: 13000, name: "one"}) { name }
        b: updateTag(id: 13000, input: {name: "two"}) { name }
        c: createInvoice(input: {clientid: 1, items: [{description: "x", qty: 2, rate: 3}]}) { total items { qty } }
        d: deleteTag(id: 13000) { affected }
    }""")

    assert (data["a"], data["b"], data["d"]) == ({"name": "one"}, {"name": "two"}, {"affected": 1})
    assert data["c"] == {"total": "6.00", "items": [{"qty": "2.00"}]}


async def test_the_first_failure_takes_all_of_them_back(crm: Crm) -> None:
    """Whatever came before it, and what came after was never run; the reply says which it was."""
    before = crm.dump()
    for last, code in (
        ('updateTag(id: 999999, input: {name: "x"}) { id }', "row_unknown"),
        ('createTag(input: {id: 14000, name: "again"}) { id }', "duplicate"),
        ("createTag(input: {name: null}) { id }", "fields_invalid"),
        ("deleteClient(userid: 1) { affected }", "dependants"),
        ("deleteTags(filter: {}, maxAffected: 1) { affected }", "parameter_missing"),
    ):
        reply = await crm.answer(f"""mutation @atomic {{
            a: createTag(input: {{id: 14000, name: "one"}}) {{ name }}
            b: createInvoice(input: {{clientid: 1, items: [{{description: "x", qty: 2, rate: 3}}]}}) {{ id }}
            c: {last}
            d: createTag(input: {{name: "never"}}) {{ name }}
        }}""")
        assert reply["data"] is None
        (error,) = reply["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["c"], code)
        assert reply["extensions"]["rolledBack"] is True
        assert crm.dump().tables == before.tables


async def test_a_transaction_is_tried_out_as_a_whole(crm: Crm) -> None:
    """Half of it cannot be."""
    before = crm.dump()
    mixed = """mutation @atomic { a: createTag(input: {name: "x"}) { id }
        b: createTag(input: {name: "y"}, dryRun: true) { id } }"""

    assert await crm.codes(mixed) == ["parameter_conflict"]
    tried = await crm.data("""mutation @atomic {
        a: createTag(input: {id: 15000, name: "x"}, dryRun: true) { id }
        b: updateTag(id: 15000, input: {name: "y"}, dryRun: true) { name }
    }""")
    assert tried == {"a": {"id": 15000}, "b": {"name": "y"}}
    assert crm.dump().tables == before.tables


async def test_transactions_that_meet_each_others_locks_are_run_again(crm: Crm) -> None:
    """As a whole: in opposite orders they would wait for each other for ever, and both come to their end."""
    one, other = int(await crm.client("one")), int(await crm.client("other"))
    change = """mutation ($a: Int!, $b: Int!, $city: String) @atomic {
        a: updateClient(userid: $a, input: {city: $city}) { city invoices { id } }
        b: updateClient(userid: $b, input: {city: $city}) { city invoices { id } }
    }"""
    for turn in range(6):
        found = await asyncio.gather(
            crm.data(change, a=one, b=other, city=f"left {turn}"),
            crm.data(change, a=other, b=one, city=f"right {turn}"),
        )
        assert [data["a"]["city"] == data["b"]["city"] for data in found] == [True, True]
        rows = await crm.data("query ($k: [Int!]) { clients(filter: {userid_in: $k}) { city } }", k=[one, other])
        assert len({row["city"] for row in rows["clients"]}) == 1


async def test_only_mutations_share_a_transaction(crm: Crm) -> None:
    """The directive has no place on a query, or on a field."""
    for document in ("query @atomic { tags { id } }", 'mutation { createTag(input: {name: "x"}) @atomic { id } }'):
        assert await crm.codes(document) == ["graphql_invalid"]


# What a token may do


async def test_a_row_filter_holds_before_and_after(crm: Crm) -> None:
    """As in REST, with the same codes; nothing is written."""
    before = crm.dump()
    for document, method, path, body in (
        ("mutation { updateClient(userid: 3, input: {city: \"x\"}) { userid } }", "PATCH", "clients/3", {"city": "x"}),
        ("mutation { deleteClient(userid: 3) { affected } }", "DELETE", "clients/3", None),
        ("mutation { createClient(input: {company: \"x\"}) { userid } }", "POST", "clients", {"company": "x"}),
        ("mutation { updateInvoice(id: 1, input: {clientid: 3}) { id } }", "PATCH", "invoices/1", {"clientid": 3}),
        ("mutation { createInvoice(input: {clientid: 3}) { id client { company } } }", "POST", "invoices",
         {"clientid": 3}),
    ):  # fmt: skip
        by_rest = await crm.rest(method, path, body, token="own")
        assert await crm.codes(document, token="own") == [by_rest["code"]], document
    chosen = 'mutation { updateClients(filter: {userid_gt: 0}, maxAffected: 9, input: {city: "x"}, dryRun: true) '
    assert (await crm.data(chosen + "{ affected rows { userid } } }", token="own"))["updateClients"] == {
        "affected": 2,
        "rows": [{"userid": 1}, {"userid": 2}],
    }
    assert crm.dump().tables == before.tables


async def test_what_comes_along_is_the_callers_own(crm: Crm) -> None:
    """The rows and the numbers beside a written row are those that the caller may read."""
    document = """mutation { updateClient(userid: 1, input: {city: "Ulm"}, dryRun: true) {
        company invoices { id clientid } invoices_aggregate { count } } }"""

    own = (await crm.data(document, token="own"))["updateClient"]

    assert {row["clientid"] for row in own["invoices"]} <= {1}
    assert own["invoices_aggregate"]["count"] == len(own["invoices"])


async def test_columns_that_a_token_may_not_have_are_not_there(crm: Crm) -> None:
    """Neither in inputs nor in what is shown: the document is no document of its schema."""
    for document in (
        'mutation { updateClient(userid: 1, input: {zip: "x"}) { userid } }',
        'mutation { updateClient(userid: 1, input: {city: "x"}) { zip } }',
        "mutation { createInvoice(input: {clientid: 1}) { id } }",
    ):
        assert await crm.codes(document, token="narrow") == ["graphql_invalid"]
    changed = 'mutation { updateClient(userid: 2, input: {city: "Ulm"}) { city } }'
    assert await crm.data(changed, token="narrow") == {"updateClient": {"city": "Ulm"}}
    assert await crm.codes(changed, token="reader") == ["graphql_invalid"]


async def test_who_may_not_read_is_told_the_key_alone(crm: Crm) -> None:
    """And the tag, which tells nothing; as REST's answer is."""
    made = await crm.data('mutation { createClient(input: {company: "x"}) { userid _etag } }', token="writer")

    key = made["createClient"]["userid"]
    change = 'mutation ($k: Int!, $t: String) { updateClient(userid: $k, input: {city: "y"}, ifMatch: $t) { userid } }'
    done = await crm.data(change, token="writer", k=key, t=made["createClient"]["_etag"])
    assert done == {"updateClient": {"userid": key}}
    assert await crm.codes('mutation { createClient(input: {company: "x"}) { company } }', token="writer") == [
        "graphql_invalid"
    ]


async def test_rows_nested_in_another_need_the_grant_on_that_one_alone(crm: Crm) -> None:
    """They can be written along by whoever may create the document, and not be read."""
    lines = [{"description": "Work", "qty": "2", "rate": "3", "taxes": [{"taxname": "VAT", "taxrate": "5"}]}]
    create = "mutation ($i: InvoiceCreate!) { createInvoice(input: $i) { total %s } }"

    made = await crm.data(create.replace("%s", ""), token="documents", i={"clientid": 1, "items": lines})

    assert made == {"createInvoice": {"total": "6.30"}}
    shown = create.replace("%s", "items { qty }")
    assert await crm.codes(shown, token="documents", i={"clientid": 1}) == ["graphql_invalid"]


@pytest.mark.parametrize("path", ["userid.gt", "email", "contacts.email", "custom.x", "made_up"])
async def test_who_may_not_read_chooses_no_rows_by_a_filter(crm: Crm, path: str) -> None:
    """The number of rows would tell what is in them, what is worked out of them, and which rows they are tied to."""
    query = f"filter[{path}]=1&max_affected=1000&dry_run=true"
    told = [
        await crm.rest("DELETE", f"clients?{query}", token="writer"),
        await crm.rest("PATCH", f"clients?{query}", {"city": "x"}, token="writer"),
    ]

    assert {each["code"] for each in told} == {"field_unknown"}
    fields = (await crm.data('{ __type(name: "Mutation") { fields { name } } }', "writer"))["__type"]["fields"]
    assert {each["name"] for each in fields} == {"createClient", "createClients", "updateClient", "deleteClient"}


async def test_a_document_writes_as_many_rows_as_a_request_of_rest(crm: Crm) -> None:
    """A variable in many places does not make it more; one too many, and nothing is written at all."""
    before = crm.dump()
    document = "mutation ($rows: [TagCreate!]!) {" + " ".join(
        f"a{n}: createTags(input: $rows) {{ id }}" for n in range(3)
    )
    reply = await crm.answer(document + "}", rows=[{"name": f"many {n}"} for n in range(334)])

    assert reply["errors"][0]["extensions"] == {
        "code": "query_too_large",
        "status": 400,
        "measure": "written",
        "cost": 1_002,
        "limit": 1_000,
    }
    assert crm.dump().tables == before.tables


async def test_no_key_that_is_tried_out_uses_up_the_numbers_of_a_table(crm: Crm) -> None:
    """The server counts on from the largest one, though it was taken back."""
    tried = 'mutation ($id: Int!) { createTag(dryRun: true, input: {id: $id, name: "last"}) { id } }'
    assert await crm.codes(tried, id=2**31 - 1) == ["fields_invalid"]
    assert await crm.codes(tried, id=2**30) == ["fields_invalid"]

    made = await crm.data('mutation { createTag(input: {name: "after all"}) { id } }')
    assert 0 < made["createTag"]["id"] < 2**20


async def test_what_reading_meets_takes_the_write_back(crm: Crm) -> None:
    """An answer that would be too large is refused, and so is what it would have told of."""
    before = crm.dump()
    deep = "invoices(limit: 1000) { client { invoices(limit: 1000) { client { invoices(limit: 1000) { id } } } } }"

    reply = await crm.answer(f'mutation {{ updateClient(userid: 1, input: {{city: "Nowhere"}}) {{ {deep} }} }}')

    assert reply["errors"][0]["extensions"]["code"] in ("query_too_large", "rows_too_many")
    assert crm.dump().tables == before.tables


async def test_what_would_cost_too_much_is_refused_with_its_write(crm: Crm) -> None:
    """The cost of what comes along is asked inside the transaction."""
    if crm.server is None:
        pytest.skip("SQLite does not say what a query would cost")
    before = crm.dump()
    change = 'mutation { updateClient(userid: 1, input: {city: "Nowhere"}) { city invoices { id } } }'
    async with served(crm.url, max_examined_rows=1, admin=False, staff_id=1) as app:
        guarded = Crm(app, crm.url, crm.server)
        assert await guarded.codes(change) == ["query_too_expensive"]
        assert crm.dump().tables == before.tables
        plain = 'mutation { updateClient(userid: 1, input: {city: "Ulm"}) { city } }'
        assert await guarded.codes(plain) == []


# Keys of other kinds

HOTEL = """
version: 1
profile: none
tables:
  rooms:
  seats:
  days:
  notes:
"""
TABLES = (
    "CREATE TABLE rooms (id INTEGER NOT NULL PRIMARY KEY {auto}, name VARCHAR(40) NOT NULL UNIQUE)",
    "CREATE TABLE seats (room INTEGER NOT NULL, place INTEGER NOT NULL, note VARCHAR(20), PRIMARY KEY (room, place), "
    "FOREIGN KEY (room) REFERENCES rooms (id))",
    "CREATE TABLE days (day DATE NOT NULL PRIMARY KEY, amount DECIMAL(10,2), big BIGINT)",
    "CREATE TABLE notes (text VARCHAR(20))",
)


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
async def hotel(
    request: pytest.FixtureRequest, mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crm]:
    """The application on tables of other people, with keys of two columns, of days and none."""
    name = f"gateway_mutations_hotel_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    path: Path = tmp_path_factory.mktemp("hotel") / "hotel.db"
    is_served = request.param == "mariadb"
    if is_served:
        url = mariadb_server.create_database(name)
        mariadb_server.run(*(text.format(auto="AUTO_INCREMENT") for text in TABLES), database=name)
    else:
        url = f"sqlite:///{path}"
        with closing(sqlite3.connect(path)) as file:
            for text in TABLES:
                file.execute(text.format(auto="AUTOINCREMENT"))
    async with served(url, whitelist=HOTEL) as app:
        yield Crm(app, url, mariadb_server if is_served else None)
    if is_served:
        mariadb_server.drop_database(name)


async def test_rows_of_every_kind_of_key_are_shown_in_their_order(hotel: Crm) -> None:
    """Numbered by the database or not, of two columns, and days, which one driver hands out as text."""
    rooms = await hotel.data("""mutation { createRooms(input: [{name: "red"}, {name: "blue"}, {name: "green"}]) {
        id name seats { place } } }""")
    assert [room["name"] for room in rooms["createRooms"]] == ["red", "blue", "green"]
    ids = [room["id"] for room in rooms["createRooms"]]

    seats = await hotel.data(
        """mutation ($i: [SeatCreate!]!) { createSeats(input: $i) { room place note rooms { name } } }""",
        i=[{"room": ids[number], "place": place} for place, number in ((2, 1), (1, 2), (1, 1))],
    )
    assert [(seat["room"], seat["place"], seat["rooms"]["name"]) for seat in seats["createSeats"]] == [
        (ids[1], 2, "blue"),
        (ids[2], 1, "green"),
        (ids[1], 1, "blue"),
    ]
    days = ["2026-03-02", "2026-03-01", "2026-03-29"]
    made = await hotel.data(
        "mutation ($i: [DayCreate!]!) { createDays(input: $i) { day amount big } }",
        i=[{"day": day, "amount": "1.50", "big": "9007199254740993"} for day in days],
    )
    assert made["createDays"] == [{"day": day, "amount": "1.50", "big": "9007199254740993"} for day in days]
    changed = await hotel.data("""mutation { updateSeats(filter: {place: 1}, maxAffected: 9, input: {note: "x"}) {
        affected rows { place rooms { name } } } }""")
    assert [row["rooms"]["name"] for row in changed["updateSeats"]["rows"]] == ["blue", "green"]
    gone = await hotel.data(
        """mutation ($r: Int!) { deleteSeat(room: $r, place: 2) { affected }
        a: deleteDay(day: "2026-03-01") { affected } }""",
        r=ids[1],
    )
    assert gone == {"deleteSeat": {"affected": 1}, "a": {"affected": 1}}


async def test_a_row_without_a_key_cannot_be_shown_again(hotel: Crm) -> None:
    """It is stored; null, and the reply says why."""
    reply = await hotel.answer("""mutation {
        createNote(input: {text: "a"}) { text }
        n: createNotes(input: [{text: "b"}, {text: "c"}]) { text }
    }""")

    assert reply["data"] == {"createNote": None, "n": None}
    warnings = [{"path": [key], "code": "not_read_back"} for key in ("createNote", "n")]
    assert reply["extensions"]["warnings"] == warnings
    stored = await hotel.data("{ notes(sort: {text: ASC}) { text } }")
    assert stored["notes"] == [{"text": "a"}, {"text": "b"}, {"text": "c"}]
