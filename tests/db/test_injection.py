"""Hostile text, written to every text column of every resource: it is stored as text that does nothing, or refused.

A plain column keeps what was sent, character for character. What the CRM prints as it is (``html``, ``multiline``) is
stored without anything a browser would run, and what PHP unserializes is only ever a list of strings.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, TypeAlias

import httpx2
import pymysql
import pytest
import yaml
from pymysql.cursors import Cursor

from gateway.catalog.model import Column, Table
from gateway.query.writes import refusal_of_writes
from sample_crm import build
from tests.support.app import NOON, PERFEX_WHITELIST, App, served
from tests.support.mariadb import Server

OBJECT = 'O:8:"stdClass":0:{}'
CORPUS: Mapping[str, str] = {
    "php object": OBJECT,
    "php list of an object": f"a:1:{{i:0;{OBJECT}}}",
    "php list broken out of": f'x";i:1;{OBJECT}',
    "script": "<script>alert(1)</script>",
    "handler": "<img src=x onerror=alert(1)>",
    "open handler": "<img src=x onerror=alert(1) ",
    "open quoted handler": "<img src='x' onerror=\"alert(1)",
    "handler that a break closes": "<img src=x onerror=alert(1) \nrest",
    "handler before an open value": "<img src=x onerror=alert(1) alt=",
    "script behind a break": "<br />\n<svg/onload=alert(1)>",
    "link": '<a href="javascript:alert(1)">x</a>',
    "split link": '<a href="java\tscript:alert(1)">x</a>',
    "address": "javascript:alert(1)",
    "path": "../../etc/passwd",
    "formula": '=HYPERLINK("http://x")',
    "sum": "@SUM(1)",
    "null byte": "a\0b",
    "four bytes": "💾 \U0001d4b3",
    "half a character": "a\ud800",
    "sql": "' OR 1=1 -- ",
    "second statement": "'; DROP TABLE tblclients; #",
    "backslashes and quotes": "\\' \\\" \\\\ \\",
    "template": "{{7*7}} ${7*7} %s {0}",
}
TEXT_KINDS = frozenset({"string", "html", "multiline", "php_list"})
PRINTED_KINDS = frozenset({"html", "multiline"})

# Columns that PHP opens as a file, prints as a link, or unserializes: of no table may a client write them.
FIXED = frozenset(
    {
        "additional_data",
        "external",
        "external_link",
        "file_name",
        "media_path_slug",
        "original_file_name",
        "profile_image",
        "signature",
        "thumbnail_link",
    }
)
UNSERIALIZED = frozenset(
    {("invoices", "allowed_payment_modes"), ("projects", "notify_contacts"), ("project_settings", "value")}
)
TRIMMED = frozenset({("contacts", "email"), ("leads", "email")})
RULED: Mapping[str, tuple[str, ...]] = {
    # text that a rule computes, or takes from a short list of words only
    "creditnote_refunds": ("payment_mode",),
    "creditnotes": ("discount_type", "formatted_number", "prefix"),
    "estimates": ("discount_type", "formatted_number", "prefix"),
    "invoicepaymentrecords": ("paymentmode",),
    "invoices": ("discount_type", "formatted_number", "prefix"),
    "item_tax": ("rel_type",),
    "itemable": ("rel_type",),
    "project_settings": ("value",),
    "proposals": ("discount_type", "rel_type"),
    "tasks": ("recurring_type",),
}
ANNOUNCEMENT = {"name": "x", "showtousers": 0, "showtostaff": 0, "showname": 0, "userid": "A"}
RESOURCES: tuple[str, ...] = tuple(yaml.safe_load(PERFEX_WHITELIST.read_text(encoding="utf-8"))["tables"])
PHP_STRING = re.compile(rb's:(\d+):"')

Rows: TypeAlias = "pymysql.Connection[Cursor]"
Sent: TypeAlias = str | list[str]


@pytest.fixture(scope="module")
def url(mariadb_server: Server) -> Iterator[str]:
    """The URL of a small CRM of this module's own, which it may spoil."""
    name = f"gateway_injection_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture(scope="module")
async def app(url: str) -> AsyncIterator[App]:
    """The application on that CRM with the packaged whitelist."""
    async with served(url, staff_id=1) as app:
        yield app


@pytest.fixture(scope="module")
def rows(mariadb_server: Server, url: str) -> Iterator[Rows]:
    """A connection beside the gateway that fills in what a new row leaves out."""
    with mariadb_server.connection(url.rpartition("/")[2]) as connection:
        connection.query("SET sql_mode = ''")
        yield connection


def selected(rows: Rows, text: str, *values: object) -> tuple[Any, ...] | None:
    """Return the first row of a statement."""
    with rows.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchone()


def is_fixed(table: Table, column: Column) -> bool:
    """Whether PHP does with a column what no text of a client may be part of."""
    return column.name in FIXED or (table.resource, column.name) in UNSERIALIZED


def text_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a table that hold text: those a client may write, and those it must not."""
    keys = {column.name for column in table.key}
    return tuple(
        column
        for column in table.columns
        if column.name not in keys and (column.type.kind.name in TEXT_KINDS or is_fixed(table, column))
    )


def key_of(rows: Rows, table: Table) -> tuple[Any, ...]:
    """The key of a row; in an empty table one is put."""
    names = ", ".join(f"`{column.name}`" for column in table.key)
    question = f"SELECT {names} FROM `{table.name}` ORDER BY {names} LIMIT 1"
    key = selected(rows, question)
    if key is None:
        selected(rows, f"INSERT INTO `{table.name}` () VALUES ()")
        key = selected(rows, question)
    assert key is not None
    return key


def prepare(rows: Rows, table: Table) -> None:
    """Make a table's rows such that a rule of the CRM has no reason to refuse or empty a text beside it."""
    names = {column.name for column in table.columns}
    if "include_shipping" in names:
        selected(rows, f"UPDATE `{table.name}` SET include_shipping = 1")
    if table.resource == "ticket_replies":  # by somebody who has a name and an address of his own
        selected(
            rows, f"UPDATE `{table.name}` SET admin = NULL, contactid = 0, userid = 0, name = 'A', email = 'a@b.c'"
        )


def stored(rows: Rows, table: Table, key: Sequence[object], columns: Sequence[Column]) -> dict[str, Any]:
    """What the database itself says is in the columns of a row."""
    names = ", ".join(f"`{column.name}`" for column in columns)
    condition = " AND ".join(f"`{column.name}` = %s" for column in table.key)
    row = selected(rows, f"SELECT {names} FROM `{table.name}` WHERE {condition}", *key)
    assert row is not None
    return {column.name: value for column, value in zip(columns, row, strict=True)}


def path_of(resource: str, key: Sequence[object]) -> str:
    """The path of a row."""
    return f"/api/v1/{resource}/{','.join(str(part) for part in key)}"


async def changed(app: App, path: str, body: Mapping[str, object], method: str = "PATCH") -> httpx2.Response:
    """Send a body in which a null byte and half a character are escapes, so that they reach the gateway."""
    content = json.dumps(body)
    return await app.client.request(method, path, content=content, headers={"Content-Type": "application/json"})


async def written(app: App, path: str, body: Mapping[str, object]) -> dict[str, str]:
    """Change a row, leaving out whatever is refused; return the codes of what was, by field."""
    refused: dict[str, str] = {}
    while left := {name: value for name, value in body.items() if name not in refused}:
        answer = await changed(app, path, left)
        if answer.status_code == 200:
            return refused
        assert answer.status_code == 422, (path, left, answer.text)
        faults = {error["pointer"].lstrip("/"): error["code"] for error in answer.json()["errors"]}
        assert faults, answer.text
        assert faults.keys() <= left.keys(), answer.text
        refused.update(faults)
    return refused


class Page(HTMLParser):
    """What a browser would make of a stored text: its tags and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))


def assert_harmless(text: str) -> None:
    """Nothing in a printed text runs, whatever the page prints behind it."""
    for behind in ("", "</p>", "'></p>", '"></p>'):
        for tag, attributes in Page(text + behind).tags:
            assert tag not in ("script", "svg", "iframe", "object", "embed"), text
            for name, value in attributes:
                assert not name.startswith("on"), text
                assert not re.sub(r"[\0-\x20]", "", value or "").lower().startswith(("javascript:", "data:")), text


def assert_strings(text: str, due: Sequence[str]) -> None:
    """A text is PHP's serialised form of a list of strings, counted in bytes, and of nothing else."""
    data = text.encode()
    opening = f"a:{len(due)}:{{".encode()
    assert data.startswith(opening), text
    position = len(opening)
    for index, item in enumerate(due):
        start = f"i:{index};".encode()
        assert data.startswith(start, position), text
        match = PHP_STRING.match(data, position + len(start))
        assert match is not None, text
        end = match.end() + int(match[1])
        assert data[match.end() : end] == item.encode()
        assert data[end : end + 2] == b'";', text
        position = end + 2
    assert data[position:] == b"}", text


def assert_kept(column: Column, sent: Sent, text: Any, *, is_trimmed: bool) -> None:
    """What a column holds after a text was taken is what its kind allows."""
    match column.type.kind.name:
        case "php_list":
            assert isinstance(sent, list), (column.name, text)
            assert_strings(text, sent)
        case kind if kind in PRINTED_KINDS:
            assert_harmless(text)
        case _:
            assert isinstance(sent, str)
            assert text == (sent.strip() if is_trimmed else sent), column.name


def assert_refusal_due(column: Column, sent: Sent, code: str) -> None:
    """A text that is not taken is too long, half a character, or no list where a list is due."""
    if code == "too_long":
        assert isinstance(sent, str)
        assert column.type.length is not None
        length = len(sent.encode()) if column.type.is_byte_counted else len(sent)
        assert length > column.type.length, (column.name, sent)
        return
    is_half = "\ud800" in "".join(sent)
    is_no_list = column.type.kind.name == "php_list" and isinstance(sent, str)
    assert code == "type", (column.name, sent)
    assert is_half or is_no_list, (column.name, sent)


def forms(sent: str, columns: Sequence[Column]) -> Iterator[tuple[Sent, tuple[Column, ...]]]:
    """What to send: the text to every column, and a list of it to those that hold a list."""
    yield sent, tuple(columns)
    lists = tuple(column for column in columns if column.type.kind.name == "php_list")
    if lists:
        yield [sent], lists


def tables_of(app: App) -> dict[str, Table]:
    """The tables of the catalog by their own name, without aliases."""
    catalog = app.parts.keeper.service().catalog
    return {table.resource: table for table in catalog.resources.values() if table.resource is not None}


def is_target(table: Table) -> bool:
    """Whether rows of a table can be changed and hold text."""
    return refusal_of_writes(table) is None and bool(table.key) and bool(text_columns(table))


def never_taken(table: Table) -> frozenset[str]:
    """The columns of a table that refuse all of the corpus."""
    return FIXED.union(RULED.get(table.resource or "", ()))


@pytest.mark.parametrize("resource", RESOURCES)
async def test_hostile_text_is_stored_as_text_or_refused(app: App, rows: Rows, resource: str) -> None:
    """Every entry in every text column: 200 and kept as its kind has it, or 422 and nothing has changed."""
    table = tables_of(app)[resource]
    if not is_target(table):
        return  # one of no text, or the next test's
    columns = text_columns(table)
    key = key_of(rows, table)
    prepare(rows, table)
    taken: set[str] = set()
    for entry in CORPUS.values():
        for sent, chosen in forms(entry, columns):
            before = stored(rows, table, key, chosen)

            refused = await written(app, path_of(resource, key), {column.name: sent for column in chosen})

            after = stored(rows, table, key, chosen)
            for column in chosen:
                name = column.name
                if name not in refused:
                    assert_kept(column, sent, after[name], is_trimmed=(resource, name) in TRIMMED)
                    taken.add(name)
                    continue
                assert after[name] == before[name], (name, sent)
                if name in FIXED:
                    assert refused[name] == "read_only", name
                elif name not in RULED.get(resource, ()):
                    assert_refusal_due(column, sent, refused[name])

    assert taken == {column.name for column in columns} - never_taken(table)


async def test_a_table_that_is_only_read_takes_nothing(app: App, rows: Rows) -> None:
    """405 for a change of any of its text columns, whatever is sent."""
    tried = 0
    for resource, table in tables_of(app).items():
        if refusal_of_writes(table) is None or not table.key:
            continue
        path = path_of(resource, key_of(rows, table))
        for column in text_columns(table):
            for entry in CORPUS.values():
                answer = await changed(app, path, {column.name: entry})
                assert answer.status_code == 405, (path, answer.text)
            tried += 1

    assert tried >= 75


async def test_all_tables_and_columns_have_been_tried(app: App) -> None:
    """The corpus meets all resources of the whitelist; few have no text, or are only read."""
    tables = tables_of(app)
    assert set(tables) == set(RESOURCES)
    tried = [table for table in tables.values() if is_target(table)]
    columns = [(table, column) for table in tried for column in text_columns(table)]
    writable = [column for table, column in columns if column.name not in never_taken(table)]
    kinds = Counter(column.type.kind.name for column in writable)

    assert len(tried) >= 50
    assert len(columns) >= 210
    assert len(writable) >= 190
    assert kinds["html"] >= 11
    assert kinds["multiline"] >= 25
    assert kinds["php_list"] == 2


async def test_no_file_name_link_or_serialised_column_is_writable(app: App) -> None:
    """Their names are read-only in every table; what PHP unserializes is a list, or one of two digits."""
    named = [(table, column) for table in tables_of(app).values() for column in table.columns]
    fixed = [column for _, column in named if column.name in FIXED]
    assert len(fixed) >= 15
    assert all(column.is_read_only for column in fixed)
    read = {(table.resource, column.name): column.type for table, column in named}
    assert read["project_settings", "value"].members == ("0", "1")
    assert {read[name].kind.name for name in UNSERIALIZED - {("project_settings", "value")}} == {"php_list"}


@pytest.mark.parametrize(
    ("resource", "rest", "column"),
    [
        ("notes", {"rel_type": "customer", "rel_id": 1}, "description"),
        ("announcements", ANNOUNCEMENT, "message"),
        ("expenses_categories", {}, "name"),
        ("taggables", {"rel_id": 1, "tag_id": 1}, "rel_type"),
        ("invoices", {"clientid": 1}, "allowed_payment_modes"),
    ],
)
async def test_a_new_row_is_no_other_way_in(
    app: App, rows: Rows, resource: str, rest: Mapping[str, object], column: str
) -> None:
    """201 and kept as its kind has it, or 422; the same for a key of text, and for an item of a list."""
    table = tables_of(app)[resource]
    target = table.column_by_name[column]
    count = 0
    for entry in CORPUS.values():
        for sent, _ in forms(entry, (target,)):
            answer = await changed(app, f"/api/v1/{resource}", {**rest, column: sent}, method="POST")

            if answer.status_code != 201:
                assert answer.status_code == 422, answer.text
                (error,) = answer.json()["errors"]
                assert error["pointer"] == f"/{column}"
                assert_refusal_due(target, sent, error["code"])
                continue
            row = answer.json()["data"]
            after = stored(rows, table, [row[part.name] for part in table.key], (target,))
            assert_kept(target, sent, after[column], is_trimmed=False)
            count += 1
    assert count >= 8


async def test_a_form_is_no_other_way_in(app: App, rows: Rows) -> None:
    """A form's text is a list at its commas: what PHP would unserialize stays the text of items."""
    table = tables_of(app)["invoices"]
    key = key_of(rows, table)
    target = table.column_by_name["allowed_payment_modes"]
    for entry in (text for text in CORPUS.values() if "\ud800" not in text):
        answer = await app.client.patch(path_of("invoices", key), data={target.name: entry})

        assert answer.status_code == 200, answer.text
        assert_kept(target, entry.split(","), stored(rows, table, key, (target,))[target.name], is_trimmed=False)
