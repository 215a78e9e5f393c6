"""Every type, written through the gateway and read back: what is shown, and what the database itself says is stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from tests.support.app import App, served
from tests.support.mariadb import Server

WHITELIST = "version: 1\nprofile: none\ntables: [each_type, zero_dates, narrow]\n"

# name, declared as, sent (as JSON text), stored (as the server prints it), shown (as JSON text)
NOON = "2026-01-01T12:00:00"
UUID = "123e4567-e89b-12d3-a456-426655440000"
DOCUMENT = '{"n":12345678901234567890.123456789,"l":[1,null,"é"]}'
LONG = "123456789012345678901234567890"
CASES: tuple[tuple[str, str, str, str | None, str], ...] = (
    ("flag", "TINYINT(1)", "true", "1", "1"),
    ("flag", "TINYINT(1)", "false", "0", "0"),
    ("flag", "TINYINT(1)", "7", "7", "7"),
    ("flag", "TINYINT(1)", '"1"', "1", "1"),
    ("tiny", "TINYINT UNSIGNED", "255", "255", "255"),
    ("small", "SMALLINT", "-32768", "-32768", "-32768"),
    ("medium", "MEDIUMINT UNSIGNED", '"16777215"', "16777215", "16777215"),
    ("number", "INT", "1e3", "1000", "1000"),
    ("padded", "INT(8) ZEROFILL", "42", "00000042", "42"),
    ("big", "BIGINT", "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"),
    ("huge", "BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615", "18446744073709551615"),
    ("huge", "BIGINT UNSIGNED", '"18446744073709551615"', "18446744073709551615", "18446744073709551615"),
    ("money", "DECIMAL(15,2)", "9999999999999.99", "9999999999999.99", "9999999999999.99"),
    ("money", "DECIMAL(15,2)", "-0.1", "-0.10", "-0.10"),
    ("money", "DECIMAL(15,2)", '"12.500"', "12.50", "12.50"),
    ("money", "DECIMAL(15,2)", "1e2", "100.00", "100.00"),
    ("wide", "DECIMAL(65,30)", '"-1.000000000000000000000000000001"', "-1." + "0" * 29 + "1", f'"-1.{"0" * 29}1"'),
    ("wide", "DECIMAL(65,30)", f"{'9' * 35}.{'9' * 30}", f"{'9' * 35}.{'9' * 30}", f'"{"9" * 35}.{"9" * 30}"'),
    ("whole", "DECIMAL(18,0)", "123456789012345678", "123456789012345678", '"123456789012345678"'),
    ("double_", "DOUBLE", "0.1", "0.1", "0.1"),
    ("double_", "DOUBLE", "1.7976931348623157e308", "1.7976931348623157e308", "1.7976931348623157e308"),
    ("double_", "DOUBLE", "-2.5e-8", "-0.000000025", "-2.5e-8"),
    ("double_", "DOUBLE", "12345678.123456789", "12345678.12345679", "12345678.12345679"),
    ("float_", "FLOAT", "1.5", "1.5", "1.5"),
    ("bit1", "BIT(1)", "1", "\x01", "1"),
    ("bit64", "BIT(64)", "9223372036854775809", None, "9223372036854775809"),
    ("year_", "YEAR", "2026", "2026", "2026"),
    ("year_", "YEAR", "0", "0000", "0"),
    ("day", "DATE", '"2024-02-29"', "2024-02-29", '"2024-02-29"'),
    ("day", "DATE", '"9999-12-31"', "9999-12-31", '"9999-12-31"'),
    ("at", "DATETIME", '"2026-07-01T10:00:00Z"', "2026-07-01 12:00:00", '"2026-07-01T12:00:00+02:00"'),
    ("at", "DATETIME", '"2026-07-01 10:00"', "2026-07-01 10:00:00", '"2026-07-01T10:00:00+02:00"'),
    ("at", "DATETIME", '"2026-01-01"', "2026-01-01 00:00:00", '"2026-01-01T00:00:00+01:00"'),
    # the hour that the clocks repeat: the first offset, when none is given
    ("at", "DATETIME", '"2026-10-25T02:30:00"', "2026-10-25 02:30:00", '"2026-10-25T02:30:00+02:00"'),
    ("at", "DATETIME", '"2026-03-29T01:59:59"', "2026-03-29 01:59:59", '"2026-03-29T01:59:59+01:00"'),
    ("at", "DATETIME", '"2026-03-29T03:00:00"', "2026-03-29 03:00:00", '"2026-03-29T03:00:00+02:00"'),
    ("at6", "DATETIME(6)", f'"{NOON}.123456+01:00"', "2026-01-01 12:00:00.123456", f'"{NOON}.123456+01:00"'),
    ("at3", "DATETIME(3)", f'"{NOON}.9996"', "2026-01-01 12:00:00.999", f'"{NOON}.999000+01:00"'),
    ("stamp", "TIMESTAMP NULL", '"2026-07-01T12:00:00"', "2026-07-01 10:00:00", '"2026-07-01T12:00:00+02:00"'),
    # an instant knows which of the two repeated hours it is in
    ("stamp", "TIMESTAMP NULL", '"2026-10-25T02:30:00+01:00"', "2026-10-25 01:30:00", '"2026-10-25T02:30:00+01:00"'),
    ("stamp", "TIMESTAMP NULL", '"2026-10-25T02:30:00"', "2026-10-25 00:30:00", '"2026-10-25T02:30:00+02:00"'),
    ("span", "TIME", '"25:01:02"', "25:01:02", '"25:01:02"'),
    ("span", "TIME", '"-838:59:59"', "-838:59:59", '"-838:59:59"'),
    ("span", "TIME", '"08:30"', "08:30:00", '"08:30:00"'),
    ("span6", "TIME(6)", '"-00:00:01.5"', "-00:00:01.500000", '"-00:00:01.5"'),
    ("code", "CHAR(4)", '"ab"', "ab", '"ab"'),
    ("word", "VARCHAR(5)", '"é😀日本語"', "é😀日本語", '"é😀日本語"'),
    ("word", "VARCHAR(5)", '""', "", '""'),
    ("word", "VARCHAR(5)", '" a  "', " a  ", '" a  "'),
    ("word", "VARCHAR(5)", "12.50", "12.50", '"12.50"'),
    ("text_", "TEXT", '"line\\n\' \\\\ \\u0000 end"', "line\n' \\ \x00 end", '"line\\n\' \\\\ \\u0000 end"'),
    ("kind", "ENUM('new','Old','it''s','a,b')", '"OLD"', "Old", '"Old"'),
    ("kind", "ENUM('new','Old','it''s','a,b')", '"it\'s"', "it's", '"it\'s"'),
    ("kind", "ENUM('new','Old','it''s','a,b')", '"a,b"', "a,b", '"a,b"'),
    ("some", "SET('b','a','c d')", '["c d", "b", "b"]', "b,c d", '["b","c d"]'),
    ("some", "SET('b','a','c d')", '"a,b"', "b,a", '["b","a"]'),
    ("some", "SET('b','a','c d')", "[]", "", "[]"),
    ("doc", "JSON", DOCUMENT.replace(",", ", "), None, DOCUMENT),
    ("doc", "JSON", "[]", "[]", "[]"),
    ("doc", "JSON", '"text"', '"text"', '"text"'),
    ("doc", "JSON", LONG, LONG, LONG),
    ("bytes_", "VARBINARY(4)", '"AP/+gA=="', None, '"AP/+gA=="'),
    ("fixed", "BINARY(4)", '"AQI="', None, '"AQIAAA=="'),
    ("blob_", "BLOB", '""', "", '""'),
    ("uuid_", "UUID", f'"{UUID.upper()}"', UUID, f'"{UUID}"'),
    ("ip", "INET6", '"::FFFF"', "::ffff", '"::ffff"'),
)  # fmt: skip

REFUSED: tuple[tuple[str, str, str], ...] = (
    ("flag", "2.5", "type"),
    ("flag", '"yes"', "type"),
    ("flag", "128", "out_of_range"),
    ("tiny", "-1", "out_of_range"),
    ("tiny", "256", "out_of_range"),
    ("number", "2147483648", "out_of_range"),
    ("number", '"12abc"', "type"),
    ("number", '""', "type"),
    ("number", "true", "type"),
    ("number", "1.5", "type"),
    ("number", "[1]", "type"),
    ("huge", "18446744073709551616", "out_of_range"),
    ("huge", "-1", "out_of_range"),
    ("money", "0.001", "scale"),
    ("money", "10000000000000", "out_of_range"),
    ("money", '"1,5"', "type"),
    ("money", '"NaN"', "type"),
    ("double_", "1e999", "out_of_range"),
    ("bit1", "2", "out_of_range"),
    ("year_", "1900", "out_of_range"),
    ("year_", "2156", "out_of_range"),
    ("day", '"2026-02-30"', "type"),
    ("day", '"0000-00-00"', "type"),
    ("day", '"31.12.2026"', "type"),
    ("at", '"2026-03-29T02:30:00"', "nonexistent_time"),
    ("stamp", '"2026-03-29T02:00:00"', "nonexistent_time"),
    ("at", '"tomorrow"', "type"),
    ("stamp", '"2107-01-01T00:00:00Z"', "type"),
    ("span", '"839:00:00"', "type"),
    ("span", '"1:60:00"', "type"),
    ("word", '"123456"', "too_long"),
    ("word", '"\\ud800"', "type"),
    ("word", '{"a": 1}', "type"),
    ("kind", '"other"', "member"),
    ("kind", '""', "member"),
    ("some", '["b", "x"]', "member"),
    ("bytes_", '"AQIDBAU="', "too_long"),
    ("bytes_", '"not base64!"', "type"),
    ("uuid_", '"nonsense"', "type"),
    ("ip", '"999.1.1.1"', "type"),
)  # fmt: skip

COLUMNS = {name: declared for name, declared, *_ in CASES}
ZERO_DATES = """CREATE TABLE zero_dates (id INT AUTO_INCREMENT PRIMARY KEY, day DATE NOT NULL DEFAULT '0000-00-00',
    at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', ts TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00',
    free DATE NULL)"""
NARROW = "CREATE TABLE narrow (id INT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL, CHECK (n < 100))"


@pytest.fixture(scope="module")
async def app(mariadb_server: Server, mariadb_url: str) -> AsyncIterator[App]:
    """The application on a table with a column of every type, in a CRM in Berlin."""
    name = mariadb_url.rpartition("/")[2]
    columns = ", ".join(f"`{column}` {declared}" for column, declared in COLUMNS.items())
    drop = "DROP TABLE IF EXISTS each_type, zero_dates, narrow"
    each = f"CREATE TABLE each_type (id INT AUTO_INCREMENT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4"
    mariadb_server.run("SET sql_mode = ''", drop, each, ZERO_DATES, NARROW, database=name)
    async with served(mariadb_url, whitelist=WHITELIST, timezone="Europe/Berlin") as app:
        yield app
    mariadb_server.run(drop, database=name)


def sql(server: Server, app: App, text: str) -> Any:
    """Return the one value of a statement, with moments in UTC as the gateway's connections have them."""
    name = app.parts.settings.database_url.rpartition("/")[2]
    return server.run("SET time_zone = '+00:00'", text, database=name)[0][0]


def exact(text: str) -> Any:
    """Return a JSON document whose numbers are the texts they were written as."""
    return json.loads(text, parse_float=lambda number: ("number", number), parse_int=lambda number: ("number", number))


async def write(app: App, method: str, path: str, body: str) -> httpx2.Response:
    """Send a body as it is written."""
    return await app.client.request(
        method, f"/api/v1/{path}", content=body, headers={"Content-Type": "application/json"}
    )


@pytest.mark.parametrize(
    ("column", "sent", "stored", "shown"),
    [(name, *rest) for name, _, *rest in CASES],
    ids=[f"{declared} {sent[:30]}" for _, declared, sent, *_ in CASES],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_value_comes_back_as_the_type_table_promises(
    app: App, mariadb_server: Server, column: str, sent: str, stored: str | None, shown: str, method: str
) -> None:
    """The write's own reply, a read after it and a filter by it agree with what the database says."""
    path = "each_type"
    if method == "PATCH":
        path = f"each_type/{(await app.client.post('/api/v1/each_type', json={})).json()['data']['id']}"

    written = await write(app, method, path, f'{{"{column}": {sent}}}')

    assert written.status_code in (200, 201), written.text
    number = written.json()["data"]["id"]
    read = await app.get(f"each_type/{number}")
    kind = COLUMNS[column]
    same = _as_number if kind in ("DOUBLE", "FLOAT") else _as_is
    assert same(exact(read.text)["data"][column]) == same(exact(shown))
    assert exact(written.text)["data"] == exact(read.text)["data"]
    if stored is not None:
        printed = sql(mariadb_server, app, f"SELECT CAST(`{column}` AS CHAR) FROM each_type WHERE id = {number}")
        assert _printed(printed, kind) == _printed(stored, kind)
    others = {name: value for name, value in read.json()["data"].items() if name not in (column, "id")}
    assert set(others.values()) == {None}
    await app.client.delete(f"/api/v1/each_type/{number}")


def _as_is(value: Any) -> Any:
    return value


def _as_number(value: Any) -> float:
    return float(value[1])


def _printed(text: Any, declared: str) -> Any:
    """A stored value as text; doubles by value, as the server chooses between forms of the same number."""
    return float(text) if declared in ("DOUBLE", "FLOAT") else str(text)


@pytest.mark.parametrize(("column", "sent", "code"), REFUSED, ids=[f"{name} {sent[:30]}" for name, sent, _ in REFUSED])
async def test_a_value_the_column_cannot_hold_is_refused_by_name(app: App, column: str, sent: str, code: str) -> None:
    """422 with the field and why; nothing is rounded, cut or turned into something else."""
    answer = await write(app, "POST", "each_type", f'{{"{column}": {sent}}}')

    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{column}", code)


async def test_null_is_null_in_every_column(app: App) -> None:
    """Given as null or left out, the row shows null everywhere."""
    answer = await app.client.post("/api/v1/each_type", json=dict.fromkeys(COLUMNS))

    row = answer.json()["data"]
    assert answer.status_code == 201
    assert {name: value for name, value in row.items() if name != "id"} == dict.fromkeys(COLUMNS)


async def test_numbers_become_text_where_asked(app: App) -> None:
    """``decimals=string`` and ``bigints=string`` go by column, never by value."""
    body = {"money": "1.5", "huge": 1, "number": 2, "big": 3, "bit64": 4, "wide": 1, "double_": 1.5}
    made = await app.client.post("/api/v1/each_type?decimals=string&bigints=string", json=body)
    number = made.json()["data"]["id"]
    expected = {
        "money": "1.50",
        "huge": "1",
        "number": 2,
        "big": "3",
        "bit64": "4",
        "wide": "1." + "0" * 30,
        "double_": 1.5,
    }
    for answer in (
        made,
        await app.get(f"each_type/{number}?decimals=string&bigints=string"),
    ):
        data = answer.json()["data"]
        assert {name: data[name] for name in expected} == expected
    listed = await app.json(f"each_type?filter[id]={number}&decimals=string&bigints=string&fields=money,huge,big")
    assert listed["data"] == [{"money": "1.50", "huge": "1", "big": "3"}]
    plain = await app.json(f"each_type/{number}?fields=money,huge,big")
    assert json.loads(json.dumps(plain["data"])) == {"money": 1.5, "huge": 1, "big": 3}


async def test_zero_dates_are_null_and_null_is_written_as_one_where_it_must(app: App, mariadb_server: Server) -> None:
    """A NOT NULL date with a zero default shows null, takes null, and finds its rows by ``null``."""
    made = await app.client.post("/api/v1/zero_dates", json={})
    number = made.json()["data"]["id"]
    assert made.json()["data"] == {"id": number, "day": None, "at": None, "ts": None, "free": None}

    moment = "2026-07-01T12:00:00+02:00"
    set_ = await app.client.patch(
        f"/api/v1/zero_dates/{number}", json={"day": "2026-07-01", "at": moment, "ts": moment}
    )
    assert set_.json()["data"] == {"id": number, "day": "2026-07-01", "at": moment, "ts": moment, "free": None}
    cleared = await app.client.put(
        f"/api/v1/zero_dates/{number}", json={"day": None, "at": None, "ts": None, "free": None}
    )

    assert cleared.json()["data"] == made.json()["data"], cleared.text
    stored = sql(mariadb_server, app, f"SELECT CONCAT_WS('|', day, at, ts) FROM zero_dates WHERE id = {number}")
    assert stored == "0000-00-00|0000-00-00 00:00:00|0000-00-00 00:00:00"
    for field in ("day", "at", "ts"):
        assert (await app.json(f"zero_dates?filter[{field}.null]=1"))["meta"]["total"] == 1
        for condition in (f"{field}.null]=0", f"{field}.lt]=2030-01-01", f"{field}.ne]=2026-01-01"):
            assert (await app.json(f"zero_dates?filter[{condition}"))["data"] == []
    await app.client.delete(f"/api/v1/zero_dates/{number}")


async def test_what_only_the_database_can_judge_is_a_422_too(app: App) -> None:
    """A CHECK constraint refuses; a missing and a null value of a required column are told before."""
    for body, code in (({"n": 100}, None), ({}, "required"), ({"n": None}, "null")):
        answer = await app.client.post("/api/v1/narrow", json=body)

        assert (answer.status_code, answer.json()["code"]) == (422, "fields_invalid")
        assert [error["code"] for error in answer.json().get("errors", [])] == ([code] if code else [])


async def test_a_number_keeps_its_digits_on_the_way_in(app: App, mariadb_server: Server) -> None:
    """No number passes through a float: 0.1 + 0.2 in money is what was written."""
    answer = await write(app, "POST", "each_type", '{"wide": 0.30000000000000000000000000004, "money": 0.29}')
    number = answer.json()["data"]["id"]

    assert Decimal(sql(mariadb_server, app, f"SELECT wide FROM each_type WHERE id = {number}")) == Decimal(
        "0.30000000000000000000000000004"
    )
    assert exact(answer.text)["data"]["money"] == ("number", "0.29")


async def test_rows_sorted_by_a_list_of_words_have_no_cursors(app: App) -> None:
    """In GraphQL a connection that is asked for them is refused, for it could not be walked; rows alone it shows."""
    for some in ([], ["b"]):
        assert (await app.client.post("/api/v1/each_type", json={"some": some})).status_code == 201

    async def asked(selected: str) -> Any:
        document = f"{{ each_type_connection(first: 1, sort: [{{some: ASC}}]) {{ {selected} }} }}"
        return (await app.client.post("/api/v1/graphql", json={"query": document})).json()

    for selected in ("edges { cursor }", "pageInfo { hasNextPage endCursor }", "nodes { id } pageInfo { startCursor }"):
        (error,) = (await asked(selected))["errors"]
        assert (error["extensions"]["code"], error["extensions"]["errors"][0]["parameter"]) == ("page_invalid", "sort")
    shown = (await asked("nodes { some } pageInfo { hasNextPage }"))["data"]["each_type_connection"]
    assert (len(shown["nodes"]), shown["pageInfo"]) == (1, {"hasNextPage": True})
