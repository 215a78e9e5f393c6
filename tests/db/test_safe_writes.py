"""Writes that do not step on each other: tags, arrays, filters, rows that may be there, and what is only tried out."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.support.app import App, RunningServer, served
from tests.support.mariadb import Server

WHITELIST = """
version: 1
profile: none
tables:
  rooms:
  seats:
  notes:
"""
TABLES = (
    "CREATE TABLE rooms (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE, "
    "size INT NOT NULL DEFAULT 1, secret VARCHAR(40), "
    "ratio FLOAT, price DECIMAL(15,2), wide BIGINT UNSIGNED, raw BLOB, seen DATETIME)",
    "CREATE TABLE seats (room INT, place INT, note VARCHAR(20), PRIMARY KEY (room, place), "
    "FOREIGN KEY (room) REFERENCES rooms (id))",
    "CREATE TABLE notes (text VARCHAR(20))",
)
GRANTS = {
    "all": ("*:*",),
    "reader": ("rooms:read",),
}

Sql = Callable[..., tuple[tuple[Any, ...], ...]]


@pytest.fixture(scope="module")
def hotel(mariadb_server: Server) -> Iterator[str]:
    """A database of this module."""
    name = f"gateway_safe_writes_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    mariadb_server.run(*TABLES, database=name)
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture
def sql(mariadb_server: Server, hotel: str) -> Sql:
    """Run statements beside the gateway; every test begins with two rooms and one seat."""
    name = hotel.rpartition("/")[2]

    def run(*statements: str) -> tuple[tuple[Any, ...], ...]:
        return mariadb_server.run(*statements, database=name)

    run(
        "DELETE FROM seats",
        "DELETE FROM rooms",
        "INSERT INTO rooms (id, name, size, ratio, price, wide, raw, seen) VALUES "
        "(1, 'red', 3, 0.1, 10.50, 18446744073709551615, x'00ff', '2026-01-02 03:04:05'), "
        "(2, 'blue', 5, NULL, NULL, NULL, NULL, NULL)",
        "INSERT INTO seats VALUES (1, 1, 'window')",
    )
    return run


@pytest.fixture(scope="module")
async def app(hotel: str) -> AsyncIterator[App]:
    """The application on that database."""
    async with served(hotel, whitelist=WHITELIST, grants=GRANTS, max_body_bytes=2_000) as app:
        yield app


async def ask(app: App, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await app.client.request(method, f"/api/v1/{path}", headers=given, json=body)


async def tag_of(app: App, path: str) -> str:
    return str((await app.get(path)).headers["etag"])


# Tags


async def test_a_tag_depends_on_the_row_alone(app: App, sql: Sql) -> None:
    """Not on fields, on how numbers come, on the token, on the way in or on the worker's restart."""
    due = await tag_of(app, "rooms/1")
    for query in ("?fields=id", "?fields=size,name", "?fields=*", "?decimals=string&bigints=string", "?envelope=false"):
        assert await tag_of(app, f"rooms/1{query}") == due
    other = await app.clients["reader"].get("/api/v1/rooms/1")
    changed = await ask(app, "PATCH", "rooms/1", {"size": 3})

    assert {other.headers["etag"], changed.headers["etag"], await tag_of(app, "seats/1,1/rooms")} == {due}
    assert await tag_of(app, "rooms/2") != due


async def test_a_tag_changes_with_any_column(app: App, sql: Sql) -> None:
    """Also with one that this answer does not show, and back with it."""
    before = await tag_of(app, "rooms/1?fields=id")
    tags = {before}
    for column, value in (("size", "4"), ("secret", "''"), ("raw", "x'00fe'"), ("wide", "1"), ("seen", "NULL")):
        sql(f"UPDATE rooms SET {column} = {value} WHERE id = 1")
        tags.add(await tag_of(app, "rooms/1?fields=id"))

    assert len(tags) == 6


async def test_what_a_client_has_is_not_sent_again(app: App, sql: Sql) -> None:
    """304 without a body, as long as the row is the same; weak tags, which proxies make, do for that."""
    tag = await tag_of(app, "rooms/1")
    same = await ask(app, "GET", "rooms/1?fields=id", if_none_match=f'"x", W/{tag}')
    sql("UPDATE rooms SET size = 9 WHERE id = 1")
    other = await ask(app, "GET", "rooms/1?fields=id", if_none_match=tag)

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in same.headers
    assert (other.status_code, other.json()["data"]) == (200, {"id": 1})


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_a_write_can_ask_for_the_row_it_knows(method: str, app: App, sql: Sql) -> None:
    """Stale, weak and malformed tags are refused and change nothing; the right one and the star are not."""
    body = None if method == "DELETE" else {"size": 7}
    tag = await tag_of(app, "rooms/2")
    for given in ('"stale"', f"W/{tag}", "no tag", tag.strip('"'), ""):
        refused = await ask(app, method, "rooms/2", body, if_match=given)
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert sql("SELECT size FROM rooms WHERE id = 2") == ((5,),)

    accepted = await ask(app, method, "rooms/2", body, if_match=f'"stale", {tag}')
    assert accepted.status_code in (200, 204)
    missing = await ask(app, method, "rooms/99", body, if_match="*")
    assert missing.status_code == 404


async def test_of_two_writers_with_one_tag_the_second_is_told(app: App, sql: Sql) -> None:
    """The tag is looked at under the row's lock: one 200, one 412, whoever comes first."""
    for size in range(10, 20):
        tag = await tag_of(app, "rooms/1")
        answers = await asyncio.gather(
            *(ask(app, "PATCH", "rooms/1", {"size": size * 10 + who}, if_match=tag) for who in (1, 2))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_two_workers_make_the_same_tags(hotel: str, sql: Sql) -> None:
    """Their key is in the store they share."""
    with RunningServer.started(hotel, whitelist=WHITELIST, workers=2) as server:
        tags = set()
        for _ in range(12):
            async with server.client() as client:
                tags.add((await client.get("/api/v1/rooms/1")).headers["etag"])
    assert len(tags) == 1


# Arrays


async def test_an_array_is_written_whole(app: App, sql: Sql) -> None:
    """In order, each row as the database has it, and no path for all of them."""
    made = await ask(app, "POST", "rooms", [{"name": f"r{number}", "size": number} for number in range(20)])

    assert (made.status_code, "location" in made.headers, set(made.json())) == (201, False, {"data"})
    assert [(row["name"], row["size"]) for row in made.json()["data"]] == [(f"r{n}", n) for n in range(20)]


async def test_trap_9_a_failed_row_takes_all_others_back_and_says_which_it_was(app: App, sql: Sql) -> None:
    """Whether planning, the database or another row of the same array refuses it (PEERS 5d, trap 9)."""
    rows: list[dict[str, object]] = [{"name": "one"}, {"name": "two"}, {"name": "three"}, {"name": "four"}]
    for fault, status, pointer in (
        ({"name": "x" * 41}, 422, "/3/name"),
        ({"name": "red"}, 409, "/3"),
        ({"name": "one"}, 409, "/3"),
        ({"name": "five", "size": 3_000_000_000}, 422, "/3/size"),
    ):
        refused = await ask(app, "POST", "rooms", [*rows[:3], fault])
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (status, pointer)
    assert sql("SELECT count(*) FROM rooms") == ((2,),)


async def test_a_thousand_rows_fit_and_one_more_does_not(app: App, sql: Sql) -> None:
    """The body of many rows may be larger than that of one."""
    rows = [{"name": f"room {number}"} for number in range(1_001)]
    refused = await ask(app, "POST", "rooms", rows)
    assert (refused.status_code, refused.json()["code"]) == (422, "fields_invalid")

    made = await ask(app, "POST", "rooms", rows[:1_000], prefer="return=minimal")
    assert (made.status_code, made.content) == (201, b"")
    assert sql("SELECT count(*) FROM rooms") == ((1_002,),)


@pytest.mark.parametrize(("method", "path"), [("POST", "rooms"), ("PATCH", "rooms/1"), ("PATCH", "rooms?filter[id]=1")])
async def test_only_an_array_may_be_large(method: str, path: str, app: App, sql: Sql) -> None:
    """An object has the limit of one row."""
    refused = await ask(app, method, path, {"name": "x" * 3_000})
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")


# Rows that a filter chooses


async def test_a_change_by_filter_changes_what_matches(app: App, sql: Sql) -> None:
    """And tells how many; none is fine."""
    changed = await ask(app, "PATCH", "rooms?filter[size.gte]=3&max_affected=2", {"size": 8})
    nobody = await ask(app, "PATCH", "rooms?filter[size]=77&max_affected=2", {"size": 8})

    assert changed.json() == {"data": {"affected": 2}}
    assert nobody.json() == {"data": {"affected": 0}}
    assert sql("SELECT size FROM rooms") == ((8,), (8,))


async def test_more_rows_than_expected_are_left_alone(app: App, sql: Sql) -> None:
    """All of them."""
    for method, body in (("PATCH", {"size": 8}), ("DELETE", None)):
        refused = await ask(app, method, "rooms?filter[size.gte]=3&max_affected=1", body)
        assert (refused.status_code, refused.json()["code"]) == (422, "too_many_affected")
    assert sql("SELECT size FROM rooms ORDER BY id") == ((3,), (5,))


async def test_a_delete_by_filter_obeys_what_one_delete_obeys(app: App, sql: Sql) -> None:
    """A row in use takes all others back."""
    refused = await ask(app, "DELETE", "rooms?filter[id.in]=1,2&max_affected=5")
    assert (refused.status_code, refused.json()["code"]) == (409, "dependants")
    assert sql("SELECT count(*) FROM rooms") == ((2,),)

    gone = await ask(app, "DELETE", "seats?filter[note]=window&max_affected=5")
    assert (gone.status_code, gone.json()) == (200, {"data": {"affected": 1}})


# Rows that may be there


async def test_trap_1_a_change_that_changes_nothing_is_a_success(app: App, sql: Sql) -> None:
    """The database reports no changed row, which is no missing one (PEERS 5d, trap 1)."""
    same = {"id": 1, "name": "red", "size": 3}
    for method, path in (("PATCH", "rooms/1"), ("PUT", "rooms/1"), ("POST", "rooms?on_conflict=update")):
        answer = await ask(app, method, path, same)
        assert (answer.status_code, answer.json()["data"]["size"]) == (200, 3)


async def test_a_row_is_found_by_whatever_unique_key_is_whole(app: App, sql: Sql) -> None:
    """The primary key or a unique index."""
    by_name = await ask(app, "POST", "rooms?on_conflict=update", {"name": "red", "size": 6})
    by_both = await ask(app, "POST", "seats?on_conflict=update", {"room": 1, "place": 1, "note": "aisle"})
    left = await ask(app, "POST", "rooms?on_conflict=ignore", {"name": "red", "size": 1})
    new = await ask(app, "POST", "rooms?on_conflict=ignore", {"name": "green"})

    assert (by_name.status_code, by_name.json()["data"]["id"], by_name.json()["data"]["size"]) == (200, 1, 6)
    assert (by_both.status_code, by_both.json()["data"]["note"]) == (200, "aisle")
    assert (left.status_code, left.json()["data"]["size"]) == (200, 6)
    assert (new.status_code, "location" in new.headers) == (201, True)


@pytest.mark.parametrize(
    ("resource", "body"),
    [("rooms", {"size": 1, "name": None}), ("seats", {"room": 1}), ("notes", {"text": "x"})],
)
async def test_without_a_whole_unique_key_nobody_can_say_which_row_is_meant(
    resource: str, body: dict[str, object], app: App, sql: Sql
) -> None:
    """A part of one does not do, and a null is never equal."""
    refused = await ask(app, "POST", f"{resource}?on_conflict=update", body)
    assert (refused.status_code, refused.json()["code"] in ("conflict_key_missing", "fields_invalid")) == (422, True)


async def test_two_keys_of_two_rows_are_a_conflict(app: App, sql: Sql) -> None:
    """The first decides which row is meant; the other stands in its way."""
    refused = await ask(app, "POST", "rooms?on_conflict=update", {"id": 1, "name": "blue"})
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate")


@pytest.mark.parametrize("mode", ["update", "ignore"])
async def test_trap_2_many_writers_of_one_missing_key_make_one_row(mode: str, app: App, sql: Sql) -> None:
    """One makes it, the others find it: never a 5xx (PEERS 5d, trap 2)."""
    for round_ in range(5):
        answers = await asyncio.gather(
            *(
                ask(app, "POST", f"rooms?on_conflict={mode}", {"name": f"new {mode} {round_}", "size": who})
                for who in range(8)
            )
        )
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
    assert sql(f"SELECT count(*) FROM rooms WHERE name LIKE 'new {mode} %'") == ((5,),)


async def test_an_array_may_hold_rows_that_are_there(app: App, sql: Sql) -> None:
    """And the same row twice: the later one decides."""
    rows = [{"name": "red", "size": 1}, {"name": "new", "size": 2}, {"name": "new", "size": 3}]
    made = await ask(app, "POST", "rooms?on_conflict=update", rows)

    assert (made.status_code, [row["size"] for row in made.json()["data"]]) == (201, [1, 2, 3])
    assert sql("SELECT name, size FROM rooms WHERE id <> 2 ORDER BY id") == (("red", 1), ("new", 3))


# What is only tried out


async def test_what_is_only_tried_out_leaves_nothing(app: App, sql: Sql) -> None:
    """Every way to write answers as if, with 200, and everything is as it was."""
    before = sql("SELECT * FROM rooms"), sql("SELECT * FROM seats")
    tries: tuple[tuple[str, str, object], ...] = (
        ("POST", "rooms?dry_run=true", {"name": "new"}),
        ("POST", "rooms?dry_run=true", [{"name": "new"}, {"name": "newer"}]),
        ("POST", "rooms?dry_run=true&on_conflict=update", {"name": "red", "size": 9}),
        ("PATCH", "rooms/1?dry_run=true", {"size": 9}),
        ("PATCH", "rooms?filter[id.gt]=0&max_affected=9&dry_run=true", {"size": 9}),
        ("DELETE", "rooms/2?dry_run=true", None),
        ("DELETE", "rooms?filter[id.gt]=0&max_affected=9&dry_run=true", None),
    )
    for method, path, body in tries:
        answer = await ask(app, method, path, body)
        assert (answer.status_code, answer.json()["meta"]) == (200, {"dry_run": True}), (path, answer.text)
        assert "location" not in answer.headers

    assert (sql("SELECT * FROM rooms"), sql("SELECT * FROM seats")) == before


async def test_a_try_fails_as_the_write_would(app: App, sql: Sql) -> None:
    """Faults and preconditions are those of the write."""
    for method, path, body, status in (
        ("POST", "rooms?dry_run=true", {"name": "red"}, 409),
        ("PATCH", "rooms/1?dry_run=true", {"size": "x"}, 422),
        ("DELETE", "rooms/99?dry_run=true", None, 404),
    ):
        assert (await ask(app, method, path, body)).status_code == status
    stale = await ask(app, "PATCH", "rooms/1?dry_run=true", {"size": 1}, if_match='"stale"')
    assert stale.status_code == 412


async def test_a_tried_delete_tells_what_stands_in_its_way(app: App, sql: Sql) -> None:
    """Where the delete itself is refused."""
    answer = await ask(app, "DELETE", "rooms/1?dry_run=true")
    assert answer.json()["data"] == {"affected": 0, "owned": {}, "dependants": {"seats": "1"}}


# Forms


async def test_trap_11_a_body_is_json_or_a_form_or_refused(app: App, sql: Sql) -> None:
    """Never a success that wrote nothing (PEERS 5d, trap 11)."""
    for media_type, body, status in (
        ("application/json", b'{"name": "a"}', 201),
        ("application/x-www-form-urlencoded", b"name=b", 201),
        ("text/plain", b'{"name": "c"}', 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("", b'{"name": "d"}', 415),
    ):
        answer = await app.client.post("/api/v1/rooms", content=body, headers={"Content-Type": media_type})
        assert answer.status_code == status
    assert sql("SELECT count(*) FROM rooms") == ((4,),)


# Managed tables


async def test_rules_run_for_every_row_of_a_write(crm: App) -> None:
    """A lead that is lost has no status, however many are written at once; nothing of it is kept."""
    changed = await ask(crm, "PATCH", "leads?filter[lost]=0&filter[id.lte]=9&max_affected=9&dry_run=true", {"lost": 1})
    made = await ask(crm, "POST", "leads?dry_run=true", [{"name": "a", "email": " a@x.org "}, {"name": "b", "lost": 1}])

    assert changed.json()["data"]
    assert {(row["lost"], row["status"]) for row in changed.json()["data"]} == {(1, 0)}
    assert [row["email"] for row in made.json()["data"]] == ["a@x.org", None]
