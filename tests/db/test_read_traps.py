"""Traps that other gateways fell into, each with the tests that name it (PEERS 5d, 3 to 8, 10 and 12).

Each is tried where the query language is widest: through relationships, in embeds, in groups, in trees, by cursor.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from gateway.query.access import Access, Grant, Operation
from gateway.query.intent import ConditionIntent
from tests.support.app import App, served
from tests.support.handed import client_with
from tests.support.mariadb import PrivateServer, Server

READ: frozenset[Operation] = frozenset({"read"})
GRANTS = {"all": ("*:*",), "houses only": ("house:read",)}
WHITELIST = """version: 1
profile: none
tables:
  house:
    search: [name]
    relationships:
      parent: {column: parent_id, to: house.id, reverse: annexes}
  bill:
    search: [note]
    relationships:
      house: {column: house_id, to: house.id, reverse: bills}
  "order": {}
  line:
    relationships:
      order: {column: order_key, to: order.key, reverse: lines}
"""
HOUSES = (
    (1, "50% off", None, "t1", "", 5, None),
    (2, "50x off", 1, "t2", "", 5, None),
    (3, "a_b", 1, "t3", "", 5, 7),
    (4, "aXb", 2, "t4", "", 5, 7),
    (5, r"back\slash", 99, "t5", "", 5, 7),
    (6, "empty", None, "t6", "", 5, 7),
)
"""Id, name, parent, token, what nobody is granted, a tie, and a tie with nulls."""
BILLS = (
    (1, 1, "10.00", 0, "100%"),
    (2, 1, "500.00", 0, "1000"),
    (3, 1, "700.00", 1, "a_b"),
    (4, 2, "20.00", 0, "aXb"),
    (5, 2, "900.00", 1, None),
    (6, 3, "30.00", 0, r"c\d"),
    (7, 4, "600.00", 0, "cd"),
    (8, 77, "800.00", 0, "nobody's"),
)
"""Id, house, amount, whether the caller of some tests may not see it, note."""
ORDERS = (
    (
        2**64 - 1,
        "first",
        9007199254740993,
        "12345678901234567890.1234567891",
        1,
        '{"b": [1, 2.50], "a": null}',
        b"\x00\xff%",
    ),
    (9007199254740993, "second", 9007199254740993, "-0.0000000001", 7, "[]", b"%"),
    (9007199254740992, "third", -(2**63), None, 0, None, None),
)
TABLES = (
    "CREATE TABLE house (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, parent_id INT, api_token VARCHAR(20), "
    "purse VARCHAR(20), tie INT NOT NULL, half INT) ENGINE=InnoDB",
    "CREATE TABLE bill (id INT PRIMARY KEY, house_id INT, amount DECIMAL(10,2), is_secret TINYINT(1), "
    "note VARCHAR(40), paid_at DATETIME NOT NULL DEFAULT '2026-03-29 10:00:00', KEY (amount), KEY (paid_at)) "
    "ENGINE=InnoDB",
    "CREATE TABLE `order` (`key` BIGINT UNSIGNED PRIMARY KEY, `select` VARCHAR(20), `group` BIGINT, "
    "`größe_日本` DECIMAL(30,10), flag TINYINT(1), doc JSON, raw VARBINARY(8), `any` VARCHAR(5) DEFAULT 'some', "
    "`day` DATE NOT NULL DEFAULT '0000-00-00', `count` INT DEFAULT 3) ENGINE=InnoDB CHARACTER SET utf8mb4",
    "CREATE TABLE line (id INT PRIMARY KEY, order_key BIGINT UNSIGNED, essay LONGTEXT, rank INT) "
    "ENGINE=InnoDB CHARACTER SET utf8mb4",
)
LONG = 600_000
"""Characters of one text: two of them are more than the megabyte that GROUP_CONCAT gives by default."""


@pytest.fixture(scope="module")
def database(mariadb_server: Server) -> Iterator[str]:
    """The URL of a database with those tables, among others that are not whitelisted and cannot even be read."""
    name = f"gateway_traps_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    with mariadb_server.connection(name) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        for statement in TABLES:
            cursor.execute(statement)
        cursor.executemany("INSERT INTO house VALUES (%s, %s, %s, %s, %s, %s, %s)", HOUSES)
        cursor.executemany(
            "INSERT INTO bill (id, house_id, amount, is_secret, note) VALUES (%s, %s, %s, %s, %s)", BILLS
        )
        cursor.executemany(
            "INSERT INTO `order` (`key`, `select`, `group`, `größe_日本`, flag, doc, raw) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            ORDERS,
        )
        ranks = random.Random(6).sample(range(150), 150)
        lines = [(at + 1, 2**64 - 1, chr(97 + at % 26) * 1000, rank) for at, rank in enumerate(ranks)]
        lines += [(1000 + at, 9007199254740993, letter * LONG, -at) for at, letter in enumerate("xyz")]
        cursor.executemany("INSERT INTO line VALUES (%s, %s, %s, %s)", lines)
        for number in range(120):
            cursor.execute(f"CREATE TABLE module_{number} (id INT PRIMARY KEY, house_id INT)")
        cursor.execute("CREATE TABLE gone (id INT)")
        cursor.execute("CREATE VIEW broken AS SELECT id FROM gone")
        cursor.execute("DROP TABLE gone")
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture(scope="module")
async def app(database: str) -> AsyncIterator[App]:
    """The application on that database."""
    async with served(database, whitelist=WHITELIST, grants=GRANTS) as app:
        yield app


@pytest.fixture
async def narrow(app: App) -> AsyncIterator[httpx2.AsyncClient]:
    """A client who may not see secret bills."""
    own = (ConditionIntent(("is_secret",), "0", "row filter"),)
    access = Access("narrow", {"house": Grant(READ), "bill": Grant(READ, row_filter=own)})
    async with client_with(app, access) as client:
        yield client


async def asked(client: httpx2.AsyncClient, path: str, **parameters: Any) -> Any:
    """Return the body of a list that is answered; decimals keep their digits."""
    answer = await client.get(f"/api/v1/{path}", params=parameters or None)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


async def keys(client: httpx2.AsyncClient, path: str, **parameters: Any) -> list[int]:
    """Return the ids of a list's rows, and hold its total to their number."""
    body = await asked(client, path, **parameters)
    assert body["meta"]["total"] == len(body["data"])
    return [row["id"] for row in body["data"]]


# Trap 3: % and _ are letters


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"filter[name.contains]": "%"}, [1]),
        ({"filter[name.contains]": "_"}, [3]),
        ({"filter[name.contains]": "\\"}, [5]),
        ({"filter[name.starts]": "50%"}, [1]),
        ({"filter[name.ends]": "_b"}, [3]),
        ({"filter[name.ncontains]": "%"}, [2, 3, 4, 5, 6]),
        ({"filter[not][name.starts]": "a_"}, [1, 2, 4, 5, 6]),
        ({"filter[any][name.contains]": "%", "filter[any][name.ends]": "_b"}, [1, 3]),
        ({"filter[bills.note.contains]": "%"}, [1]),
        ({"filter[bills.note.starts]": "a_"}, [1]),
        ({"filter[bills][note.ends]": "\\d"}, [3]),
        ({"filter[parent.name.contains]": "%"}, [2, 3]),
        ({"where": '{"bills": {"some": {"note.contains": "_"}}}'}, [1]),
        ({"where": '{"bills": {"every": {"note.contains": "%"}}}'}, [5, 6]),
        ({"q": "%"}, [1]),
        ({"q": "a_b"}, [3]),
    ],
)
async def test_trap_3_wildcards_are_letters_wherever_text_is_looked_for(
    app: App, parameters: dict[str, str], found: list[int]
) -> None:
    """On the row, on its parent, on its children, negated, in groups, in trees and in a search."""
    assert await keys(app.client, "house", **parameters) == found


async def test_trap_3_wildcards_are_letters_in_embeds_and_on_groups(app: App) -> None:
    """What an embed leaves out, and what a group is kept for."""
    embed = {"include": "bills", "include[bills][filter][note.contains]": "_", "filter[id]": "1"}
    grouped = {"group": "note", "metrics": "count,max.note", "having[max.note.contains]": "%"}

    rows = (await asked(app.client, "house", **embed))["data"]
    groups = (await asked(app.client, "bill", **grouped))["data"]

    assert [bill["id"] for bill in rows[0]["bills"]] == [3]
    assert [group["note"] for group in groups] == ["100%"]


# Trap 4: children are seen with the caller's own eyes, and are never mixed up with their parents


@pytest.mark.parametrize(
    "query",
    [
        "filter[bills.amount.gt]=0",
        "filter[bills][amount.gt]=0",
        "filter[not][bills.amount.gt]=0",
        "filter[any][bills.amount.gt]=0&filter[any][id]=1",
        'where={"bills":{"none":{"id":1}}}',
        'where={"not":{"annexes":{"some":{"bills":{"every":{"id":1}}}}}}',
        "include=bills",
        "include=parent.bills",
        "include[bills][limit]=1",
        "filter[parent.bills.id]=1",
    ],
)
async def test_trap_4_children_need_their_own_grant(app: App, query: str) -> None:
    """Without it, filtering by them tells as much as reading them: 403, naming the grant, whatever the way."""
    answer = await app.clients["houses only"].get(f"/api/v1/house?{query}")

    assert answer.status_code == 403, answer.text
    assert answer.json()["code"] == "grant_missing"
    assert "bill:read" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"filter[bills.amount.gt]": "450"}, [1, 4]),
        ({"filter[bills.amount.gt]": "550"}, [4]),
        ({"filter[bills.is_secret]": "1"}, []),
        ({"filter[bills.id]": "5"}, []),
        ({"filter[not][bills.amount.gt]": "550"}, [1, 2, 3, 5, 6]),
        ({"where": '{"bills": {"none": {"amount.gt": 550}}}'}, [1, 2, 3, 5, 6]),
        ({"where": '{"bills": {"every": {"amount.lt": 550}}}'}, [1, 2, 3, 5, 6]),
        ({"filter[annexes.bills.amount.gt]": "550"}, [2]),
    ],
)
async def test_trap_4_children_outside_the_row_filter_do_not_count(
    narrow: httpx2.AsyncClient, parameters: dict[str, str], found: list[int]
) -> None:
    """They match nothing, and they spoil no ``none`` and no ``every``."""
    assert await keys(narrow, "house", **parameters) == found


async def test_trap_4_embeds_groups_and_lists_leave_out_what_the_row_filter_does(narrow: httpx2.AsyncClient) -> None:
    """The same rows by every way."""
    embedded = (await asked(narrow, "house", include="bills"))["data"]
    groups = (await asked(narrow, "bill", group="house", metrics="count,max.amount"))["data"]

    seen = {bill["id"] for house in embedded for bill in house["bills"]}
    assert seen == {1, 2, 4, 6, 7}
    assert await keys(narrow, "bill") == [1, 2, 4, 6, 7, 8]
    assert await keys(narrow, "house/2/bills") == [4]
    assert {(group["house"] or {}).get("id"): group["count"] for group in groups} == {None: 1, 1: 2, 2: 1, 3: 1, 4: 1}
    assert max(group["max.amount"] for group in groups) == Decimal("800.00")


async def test_trap_4_a_filter_by_children_does_not_trim_the_children_that_come_along(app: App) -> None:
    """The embed has all of them, unless the embed itself is filtered; and that filters no parents."""
    filtered = (await asked(app.client, "house", include="bills", **{"filter[bills.amount.gt]": "450"}))["data"]
    trimmed = (await asked(app.client, "house", include="bills", **{"include[bills][filter][amount.gt]": "450"}))[
        "data"
    ]

    assert {house["id"]: [bill["id"] for bill in house["bills"]] for house in filtered} == {
        1: [1, 2, 3],
        2: [4, 5],
        4: [7],
    }
    assert {house["id"]: [bill["id"] for bill in house["bills"]] for house in trimmed} == {
        1: [2, 3],
        2: [5],
        3: [],
        4: [7],
        5: [],
        6: [],
    }


async def test_trap_4_parents_of_several_matching_children_are_not_doubled(app: App) -> None:
    """Not on a page, not in the total, not over pages, not by cursor, not in what groups count and add."""
    query = {"filter[bills.amount.gt]": "1", "filter[annexes.id.gt]": "0"}
    assert await keys(app.client, "house", **query) == [1, 2]

    pages = [await asked(app.client, "house", **query, per_page=1, page=number) for number in (1, 2, 3)]
    first = await asked(app.client, "house", **query, per_page=1, cursor="")
    second = await asked(app.client, "house", **query, per_page=1, cursor=first["meta"]["next_cursor"])
    whole = (await asked(app.client, "house", **query, metrics="count,sum.tie,avg.id"))["data"]

    assert [[row["id"] for row in page["data"]] for page in pages] == [[1], [2], []]
    assert {page["meta"]["total"] for page in pages} == {2}
    assert [first["data"][0]["id"], second["data"][0]["id"], second["meta"]["next_cursor"]] == [1, 2, None]
    assert whole == [{"count": 2, "sum.tie": 10, "avg.id": Decimal("1.5000")}]


# Trap 5: nothing is an oracle on hidden columns


DOORS = (
    "bill?filter[house.NAME]=t1",
    "bill?filter[house.NAME.starts]=t",
    "bill?filter[house][NAME]=t1",
    "bill?filter[any][house.NAME]=t1&filter[any][id]=1",
    "bill?filter[not][house.NAME]=t1",
    "house?filter[annexes.NAME]=t1",
    "house?filter[annexes][NAME.gt]=t",
    "house?filter[bills.house.NAME]=t1",
    'house?where={"NAME":"t1"}',
    'house?where={"or":[{"id":1},{"not":{"NAME.null":true}}]}',
    'house?where={"annexes":{"every":{"NAME":"t1"}}}',
    'house?where={"NAME":{"some":{"id":1}}}',
    "bill?sort=house.NAME",
    "bill?sort=-id,house.NAME",
    "bill?sort=house.NAME&cursor=",
    "bill?include=house&fields[house]=NAME",
    "bill?include=house&fields[house]=*,NAME",
    "house?include=annexes&include[annexes][sort]=NAME",
    "house?include=annexes&include[annexes][filter][NAME]=t1",
    "house?include=annexes&include[annexes][filter][any][NAME.null]=1",
    "house?include=NAME",
    "house?include=annexes.NAME",
    "house?group=NAME",
    "house?group=NAME.year",
    "bill?group=house.NAME",
    "bill?group=house&fields[house]=NAME",
    "house?metrics=max.NAME",
    "house?metrics=count_distinct.NAME&group=id",
    "bill?metrics=min.house.NAME",
    "house?metrics=sum.NAME",
    "house?group=id&metrics=count&having[max.NAME.gt]=t",
    "house?group=id&metrics=count&sort=-max.NAME",
    "house?labels=true&fields=NAME_label",
    "house?fields=NAME&count=none",
    "house/1?include=annexes&fields[annexes]=NAME",
    "house/1/annexes?sort=NAME",
    "house/1/NAME",
    "bill.csv?fields=house.NAME",
    "house.ndjson?sort=NAME",
)
HIDDEN = ("api_token", "purse")
"""Hidden by its name, and not readable for the caller."""
UNLIKE = frozenset({"x-request-id", "content-length", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"})
"""Headers that tell two requests apart, whatever they ask."""


def blurred(answer: httpx2.Response, name: str) -> tuple[int, str, list[tuple[str, str]]]:
    """Return what an answer says, without the name that was asked for and what is made of chance."""
    text = answer.text.replace(answer.headers["x-request-id"], "ID").replace(name, "NAME")
    headers = {key: value.replace(name, "NAME") for key, value in answer.headers.items()}
    return (
        answer.status_code,
        text,
        sorted((key, headers[key]) for key in headers.keys() - UNLIKE),
    )


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", HIDDEN)
async def test_trap_5_a_hidden_column_answers_as_one_that_was_made_up(app: App, door: str, name: str) -> None:
    """Through relationships, in trees, sorts, embeds, groups, metrics and exports: same status, headers and body."""
    columns = frozenset({"id", "name", "parent_id", "tie", "half"})
    access = Access("narrow", {"house": Grant(READ, readable=columns), "bill": Grant(READ)})
    made_up = "".join("qxzjkv"[(at * 5 + 2) % 6] for at in range(len(name)))
    app.statements()

    async with client_with(app, access) as client:
        answers = [await client.get(f"/api/v1/{door.replace('NAME', word)}") for word in (name, made_up)]

    assert answers[0].status_code in (400, 404), answers[0].text
    assert blurred(answers[0], name) == blurred(answers[1], made_up)
    assert app.statements() == []


async def test_trap_5_bodies_of_queries_are_no_oracle_either(app: App) -> None:
    """The same questions as JSON."""
    for sent in ({"where": {"NAME": 1}}, {"sort": ["NAME"]}, {"group": ["NAME"]}, {"filter[NAME.in]": ["a", "b"]}):
        answers = [
            await app.client.post("/api/v1/house/query", content=json.dumps(sent).replace("NAME", name), headers=JSON)
            for name in ("api_token", "xqzvk_jqx")
        ]
        assert answers[0].status_code == 400, answers[0].text
        assert blurred(answers[0], "api_token") == blurred(answers[1], "xqzvk_jqx")


JSON = {"Content-Type": "application/json"}


async def test_trap_5_a_suggestion_is_never_a_hidden_name(app: App) -> None:
    """However near the name that was sent comes to it."""
    for path in (
        "house?sort=api_toke",
        "bill?filter[house.api_tokem]=1",
        "house?group=api_tokn",
        "house?metrics=max.api_tokeh",
    ):
        answer = await app.get(path)

        assert answer.status_code == 400
        assert "api_token" not in answer.text


# Trap 6: children come whole and in order, however long they are


async def test_trap_6_embeds_longer_than_group_concat_gives_are_whole(app: App) -> None:
    """A megabyte and a half of text in three children of one parent, each as it is stored."""
    body = await asked(app.client, "order/9007199254740993", **{"include": "lines", "include[lines][sort]": "rank"})

    assert [(row["id"], row["rank"]) for row in body["data"]["lines"]] == [(1002, -2), (1001, -1), (1000, 0)]
    assert [row["essay"] for row in body["data"]["lines"]] == ["z" * LONG, "y" * LONG, "x" * LONG]


@pytest.mark.parametrize(("sort", "is_descending"), [("rank", False), ("-rank", True)])
async def test_trap_6_embeds_are_ordered_as_asked(app: App, sort: str, is_descending: bool) -> None:
    """A hundred and fifty children that lie in another order; and the first ones are those that a limit keeps."""
    query = {"include": "lines", "fields[lines]": "rank", "include[lines][sort]": sort, "fields": "key"}

    whole = await asked(app.client, f"order/{2**64 - 1}", **query, **{"include[lines][limit]": 1000})
    some = await asked(app.client, f"order/{2**64 - 1}", **query, **{"include[lines][limit]": 3})

    ranks = sorted(range(150), reverse=is_descending)
    assert [row["rank"] for row in whole["data"]["lines"]] == ranks
    assert [row["rank"] for row in some["data"]["lines"]] == ranks[:3]


# Trap 7: nulls and ties in the order of cursors


@pytest.mark.parametrize("sort", ["tie", "-tie", "half", "-half", "half,-tie", "parent.half", "-parent.name,half"])
@pytest.mark.parametrize("per_page", [1, 2, 4])
async def test_trap_7_cursors_pass_nulls_and_ties(app: App, sort: str, per_page: int) -> None:
    """Where all rows tie, or are null, or have no parent to be sorted by, the key goes on."""
    whole = await keys(app.client, "house", sort=sort)
    met: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        body = await asked(app.client, "house", sort=sort, per_page=per_page, cursor=cursor)
        met += [row["id"] for row in body["data"]]
        cursor = body["meta"]["next_cursor"]

    assert met == whole
    assert sorted(met) == [1, 2, 3, 4, 5, 6]


# Trap 8: values that other gateways lose


SHOWN: Mapping[str, Any] = {
    "key": 2**64 - 1,
    "select": "first",
    "group": 9007199254740993,
    "größe_日本": "12345678901234567890.1234567891",
    "flag": 1,
    "doc": {"b": [1, Decimal("2.50")], "a": None},
    "raw": "AP8l",
    "any": "some",
    "day": None,
    "count": 3,
}


async def test_trap_8_values_are_the_same_by_every_way(app: App) -> None:
    """On the row, as the parent that comes along, as the row that groups are keyed by, and through a relationship."""
    key = 2**64 - 1
    row = (await asked(app.client, f"order/{key}"))["data"]
    parent = (await asked(app.client, "line", include="order", **{"filter[order_key]": key, "per_page": 1}))["data"][0]
    groups = (await asked(app.client, "line", group="order", metrics="count", sort="count"))["data"]
    through = (await asked(app.client, "line/1/order"))["data"]

    assert row == SHOWN
    assert parent["order"] == SHOWN
    assert groups[-1]["order"] == SHOWN
    assert through == SHOWN
    assert '"group":9007199254740993' in (await app.get(f"order/{key}")).text
    assert '"flag":7' in (await app.get("order/9007199254740993")).text


@pytest.mark.parametrize(
    ("query", "keys_found"),
    [
        ("filter[key]=18446744073709551615", [2**64 - 1]),
        ("filter[key.in]=9007199254740993,9007199254740994", [9007199254740993]),
        ("filter[key.gt]=9007199254740992&sort=key", [9007199254740993, 2**64 - 1]),
        ('where={"key":9007199254740993}', [9007199254740993]),
        ('where={"key.in":[9007199254740993,18446744073709551615]}&sort=key', [9007199254740993, 2**64 - 1]),
        ("filter[größe_日本]=12345678901234567890.1234567891", [2**64 - 1]),
        ('where={"größe_日本":12345678901234567890.1234567891}', [2**64 - 1]),
        ("filter[größe_日本.lt]=0", [9007199254740993]),
        ("filter[select]=second", [9007199254740993]),
        ("filter[group]=9007199254740993&sort=-key", [2**64 - 1, 9007199254740993]),
        ("filter[flag]=true", [2**64 - 1]),
        ("filter[flag]=7", [9007199254740993]),
        ("filter[day.null]=1&sort=key", [9007199254740992, 9007199254740993, 2**64 - 1]),
        ("filter[day.lt]=2030-01-01", []),
        ("filter[not][day.gt]=2030-01-01", []),
        ("filter[raw]=AP8l", [2**64 - 1]),
        ("filter[any]=some&sort=key", [9007199254740992, 9007199254740993, 2**64 - 1]),
        (
            "filter[any.starts]=so&filter[any][select]=third&filter[any][flag]=7&sort=key",
            [9007199254740992, 9007199254740993],
        ),
        ("filter[lines.rank]=-1", [9007199254740993]),
    ],
)
async def test_trap_8_values_are_compared_exactly(app: App, query: str, keys_found: list[int]) -> None:
    """Whole numbers beyond a double, long decimals, zero dates, bytes, words that mean something to SQL or to us."""
    assert [row["key"] for row in (await asked(app.client, f"order?{query}&fields=key"))["data"]] == keys_found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("filter[amount]=10.00", [1]),
        ("filter[amount]=10.001", []),
        ("filter[amount]=9.999", []),
        ("filter[amount.in]=10.001", []),
        ("filter[amount.in]=10.001,20,29.999", [4]),
        ("filter[not][amount]=10.001", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("filter[amount.ne]=10.001", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("filter[amount.gte]=799.999", [5, 8]),
        ("filter[amount.gt]=800.001", [5]),
        ("filter[house.bills.amount]=10.001", []),
        ("filter[paid_at]=2026-03-29T10:00:00", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("filter[paid_at]=2026-03-29T10:00:00.4", []),
        ("filter[paid_at.in]=2026-03-29T09:59:59.6", []),
        ('where={"not":{"amount.ne":10.001}}', []),
        ('where={"not":{"amount.nin":[10.001]}}', []),
        ('where={"not":{"amount":10.001}}', [1, 2, 3, 4, 5, 6, 7, 8]),
        ('where={"not":{"paid_at.ne":"2026-03-29T10:00:00.4"}}', []),
    ],
)
async def test_trap_8_an_index_rounds_nothing(app: App, query: str, found: list[int]) -> None:
    """A value finer than the column is equal to none of its values, though MariaDB looks up a rounded one."""
    assert await keys(app.client, f"bill?{query}&fields=id") == found
    assert (await asked(app.client, f"bill?{query}&metrics=count"))["data"] == [{"count": len(found)}]


@pytest.mark.parametrize("sort", ["key", "-key", "größe_日本", "-größe_日本", "group", "-group,flag", "-day,select"])
async def test_trap_8_values_are_walked_exactly(app: App, sort: str) -> None:
    """A cursor holds such values without loss."""
    whole = [row["key"] for row in (await asked(app.client, "order", sort=sort))["data"]]
    met: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        body = await asked(app.client, "order", sort=sort, per_page=1, cursor=cursor)
        met += [row["key"] for row in body["data"]]
        cursor = body["meta"]["next_cursor"]

    assert met == whole
    assert len(met) == 3


async def test_trap_8_metrics_lose_nothing(app: App) -> None:
    """Sums beyond 64 bits and decimals of thirty digits, and by what they are grouped."""
    metrics = "sum.key,max.key,min.group,sum.größe_日本,avg.flag,count_distinct.group,max.count,min.day"

    answer = await app.get(f"order?metrics={metrics}")
    assert answer.status_code == 200, answer.text
    whole = answer.text
    groups = (await asked(app.client, "order", group="group", metrics="count", sort="group"))["data"]
    texts = (await asked(app.client, "order", metrics="sum.key,sum.flag", bigints="string"))["data"]

    found = json.loads(whole, parse_float=Decimal)["data"][0]
    assert found["sum.key"] == 2**64 - 1 + 9007199254740993 + 9007199254740992
    assert (found["max.key"], found["min.group"]) == (2**64 - 1, -(2**63))
    assert found["sum.größe_日本"] == "12345678901234567890.1234567890"
    assert found["avg.flag"] == Decimal("2.6667")
    assert (found["count_distinct.group"], found["max.count"], found["min.day"]) == (2, 3, None)
    assert [group["group"] for group in groups] == [-(2**63), 9007199254740993]
    assert texts[0]["sum.key"] == str(2**64 - 1 + 9007199254740993 + 9007199254740992)


# Trap 10: what is not whitelisted is not even looked at


async def test_trap_10_only_whitelisted_tables_are_reflected(app: App) -> None:
    """A hundred and twenty other tables and a view that cannot be read: neither known, nor named, nor in the way."""
    catalog = app.parts.keeper.service().catalog

    assert set(catalog.tables) == {"house", "bill", "order", "line"}
    for path in ("module_1", "broken", "house/1/module_1", "house/1/module_1_by_house_id"):
        assert (await app.get(path)).status_code == 404
    for query in ("include=module_1", "filter[module_1.id]=1", "sort=module_1.id", "group=module_1"):
        answer = await app.get(f"house?{query}")
        assert answer.status_code == 400, answer.text
        assert "module_2" not in answer.text


ABOUT_COLUMNS = re.compile(
    r"information_schema\.(columns|statistics|key_column_usage|check_constraints|referential_constraints)",
    re.IGNORECASE,
)


async def test_trap_10_nothing_is_asked_of_a_table_that_is_not_whitelisted(private_server: PrivateServer) -> None:
    """A hundred other tables: their names are listed, for suggestions; columns, keys and checks are those of one."""
    url = private_server.create_database("gateway_wide")
    server = private_server.address
    tables = ["house", *(f"module_{number}" for number in range(100))]
    server.run(*(f"CREATE TABLE {table} (id INT PRIMARY KEY)" for table in tables), database="gateway_wide")
    server.run("SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1")

    async with served(url, whitelist="version: 1\nprofile: none\ntables: [house]\n") as app:
        assert (await app.get("house")).status_code == 200

    server.run("SET GLOBAL general_log = 0")
    texts = [str(row[0]) for row in server.run("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log")]
    about_columns = [text for text in texts if ABOUT_COLUMNS.search(text)]
    assert about_columns
    assert all("table_name IN ('house')" in text for text in about_columns)
    assert not any("module_" in text for text in texts)


# Trap 12: whatever is cut says so


async def followed(client: httpx2.AsyncClient, link: str | None) -> list[Any]:
    """Return the rows of a link and of all that follow it."""
    found: list[Any] = []
    while link is not None:
        answer = await client.get(link)
        assert answer.status_code == 200, answer.text
        body = json.loads(answer.text, parse_float=Decimal)
        found += body if isinstance(body, list) else body["data"]
        following = re.search(r'<([^>]*)>; rel="next"', answer.headers["link"])
        link = following[1] if following else None
    return found


@pytest.mark.parametrize(
    "query",
    [
        "line?fields=id",
        "line?fields=id&per_page=7&count=none",
        "line?fields=id&limit=40",
        "line?fields=id&cursor=",
        f"order/{2**64 - 1}/lines?fields=id",
        "line?group=id&metrics=count",
        "line?group=rank,id&metrics=count&per_page=50&count=none",
    ],
)
async def test_trap_12_a_page_that_is_not_all_has_a_next(app: App, query: str) -> None:
    """Lists, lists of a parent, groups, with a count or without: links lead through all of them."""
    answer = await app.get(query)
    body = answer.json()
    rows = [*body["data"], *await followed(app.client, body["links"]["next"])]

    assert 'rel="next"' in answer.headers["link"]
    assert len(body["data"]) < 150
    assert sorted(row["id"] for row in rows)[:150] == list(range(1, 151))


async def test_trap_12_a_cut_embed_says_where_and_leads_on(app: App) -> None:
    """At every depth, on lists, on one row and on groups; the default limit is no exception."""
    for path, place, shown in (
        (f"order/{2**64 - 1}?include=lines", "/data/lines", 100),
        ("order?include=lines&sort=-key", "/data/0/lines", 100),
        ("order?include[lines][limit]=2&sort=-key", "/data/0/lines", 2),
        ("line?filter[id]=1&include=order.lines&include[order.lines][limit]=5", "/data/0/order/lines", 5),
        ("line/1?include=order.lines&include[order.lines][limit]=5", "/data/order/lines", 5),
        ("line?group=order&sort=-count&include[order.lines][limit]=5", "/data/0/order/lines", 5),
        ("house/1?include[annexes.annexes][limit]=1&include[annexes][limit]=1", "/data/annexes", 1),
    ):
        body = await asked(app.client, path)
        found: Any = body
        for step in place.split("/")[1:]:
            found = found[int(step)] if isinstance(found, list) else found[step]
        meta = body["meta"]["truncated"] if "meta" in body else body["truncated"]
        cut = next(item for item in meta if item["pointer"] == place)
        assert (cut["limit"], len(found)) == (shown, shown), path
        rest = await followed(app.client, cut["next"])
        assert len({row["id"] for row in (*found, *rest)}) == len(found) + len(rest) == (2 if "house" in path else 150)


async def test_trap_12_a_cut_embed_says_so_without_an_envelope_too(app: App) -> None:
    """Where the body has no place for it, headers have: how many, and where each goes on."""
    answer = await app.get("order?include[lines][limit]=2&sort=-key&envelope=false&fields=key")

    assert answer.headers["x-truncated"] == "2"
    links = re.findall(r'<([^>]*)>; rel="subsection"; anchor="([^"]*)"', answer.headers["link"])
    assert [anchor for _, anchor in links] == ["#/0/lines", "#/1/lines"]
    rest = await followed(app.client, links[0][0])
    assert len(rest) == 148


async def test_trap_12_what_is_whole_says_nothing(app: App) -> None:
    """No next, no list of cuts, no header, exactly at the limit too."""
    answer = await app.get("house?include[bills][limit]=3&per_page=6")

    assert "truncated" not in answer.json()["meta"]
    assert answer.json()["links"]["next"] is None
    assert 'rel="next"' not in answer.headers["link"]
    assert "x-truncated" not in answer.headers


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("line?per_page=1001", "per_page"),
        ("line?limit=5000", "limit"),
        ("order?include[lines][limit]=1001", "include[lines][limit]"),
        ("line?group=id&per_page=1001", "per_page"),
    ],
)
async def test_trap_12_a_cap_is_refused_and_never_applied_silently(app: App, query: str, parameter: str) -> None:
    """Who asks for more than is given is told so."""
    answer = await app.get(query)

    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["parameter"] == parameter
    assert "1000" in answer.json()["detail"].replace(",", "")
