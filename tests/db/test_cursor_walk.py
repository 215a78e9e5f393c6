"""A walk by cursors, while others write: whoever stays, and stays where it sorts, is met exactly once.

Rows are inserted, deleted and changed ahead of the walk and behind it, their related rows too. And a cursor belongs to
its query alone: another query, another path, another hand or another gateway's key, and it is refused; another
worker, or the same one started anew, goes on with it.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx2
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from gateway.query.orders import LONGEST_SORTED
from tests.support.app import App, RunningServer, served
from tests.support.mariadb import Server
from tests.support.query_model import Edge, World
from tests.support.rows_model import ZERO, Field, Model, Row, folded
from tests.support.sales import Crm

TABLES = (
    """CREATE TABLE owner (
        id INT NOT NULL PRIMARY KEY, name VARCHAR(10) COLLATE utf8mb4_unicode_ci NULL, born DATE NULL, n INT NOT NULL
    ) ENGINE=InnoDB CHARACTER SET utf8mb4""",
    """CREATE TABLE box (
        shelf VARCHAR(3) COLLATE utf8mb4_unicode_ci NOT NULL, no INT NOT NULL, n INT NULL,
        word VARCHAR(10) COLLATE utf8mb4_unicode_ci NULL, day DATE NULL, amount DECIMAL(12,3) NULL,
        state ENUM('worn','fresh','old') NULL, at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', essay TEXT NULL,
        owner_id INT NULL, PRIMARY KEY (shelf, no)
    ) ENGINE=InnoDB CHARACTER SET utf8mb4""",
)
WHITELIST = """version: 1
profile: none
tables:
  owner: {}
  box:
    relationships:
      owner: {column: owner_id, to: owner.id, reverse: boxes}
"""
STATES = ("worn", "fresh", "old")
OWNER = (Field("id", "int"), Field("name", "text", folded), Field("born", "date"), Field("n", "int"))
BOX = (
    Field("shelf", "text", folded),
    Field("no", "int"),
    Field("n", "int"),
    Field("word", "text", folded),
    Field("day", "date"),
    Field("amount", "decimal"),
    Field("state", "enum", folded, STATES),
    Field("at", "datetime"),
    Field("essay", "text", lambda text: folded(text[:LONGEST_SORTED])),
    Field("owner_id", "int"),
)
LONG: Final = "b" * (LONGEST_SORTED + 10)
"""Longer than what a sort of text looks at, so that only the key tells such rows apart."""

VALUES: Mapping[str, Sequence[Any]] = {
    "n": (None, -1, 0, 1, 1, 2**31 - 1),
    "word": (None, "", "a", "A", "É", "e", "b"),
    "day": (None, ZERO, date(2026, 1, 1), date(2026, 3, 1)),
    "amount": (None, Decimal("-1.500"), Decimal("0.000"), Decimal("0.001"), Decimal("999999999.999")),
    "state": (None, *STATES),
    "at": (ZERO, datetime(2026, 1, 1), datetime(2026, 3, 29, 3, 0), datetime(2026, 10, 25, 2, 30)),
    "essay": (None, "a", LONG, LONG.upper(), LONG + "c"),
    "owner_id": (None, 1, 2, 2, 3, 99),
}
OWNED: Mapping[str, Sequence[Any]] = {
    "name": (None, "a", "A", "b"),
    "born": (None, ZERO, date(2026, 1, 1)),
    "n": (0, 1),
}
KEYS: Mapping[str, tuple[str, ...]] = {"owner": ("id",), "box": ("shelf", "no")}
EDGES = Edge.pair("box", "owner", "owner", "boxes", lambda row, other: row["owner_id"] == other["id"])
SHELVES = ("a", "B", "c")

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that others do between two pages; the numbers choose rows and values."""

    kind: str
    number: int
    value: int = 0
    column: str = "n"


EVENTS = st.builds(
    Event,
    st.sampled_from(["insert", "insert", "delete", "delete", "change", "change", "owner", "orphan"]),
    st.integers(0, 59),
    st.integers(0, 6),
    st.sampled_from(sorted(VALUES)),
)
SORTED = (*(item.name for item in BOX), "owner.name", "owner.born", "owner.n", "owner.id")


@st.composite
def sorts(draw: st.DrawFn) -> tuple[str, ...]:
    """Up to three sort keys in either direction."""
    words = draw(st.lists(st.sampled_from(SORTED), max_size=3, unique=True))
    return tuple(draw(st.sampled_from(["", "-"])) + word for word in words)


def chosen(values: Sequence[Any], number: int) -> Any:
    return values[number % len(values)]


def made_box(number: int) -> dict[str, Any]:
    """Return the box of a number: the same one each time, with many ties among its neighbours."""
    values = {name: chosen(items, number * 7 + at * 3 + number // 5) for at, (name, items) in enumerate(VALUES.items())}
    return {"shelf": SHELVES[number % 3], "no": number} | values


@dataclass
class Shop:
    """Boxes and their owners in a database, changed past the gateway, and what is known of each box since the start."""

    run: Callable[[str, tuple[Any, ...]], Any]
    sort: tuple[str, ...]
    boxes: dict[Key, dict[str, Any]] = field(default_factory=dict)
    owners: dict[int, dict[str, Any]] = field(default_factory=dict)
    moved: set[Key] = field(default_factory=set)
    gone: set[Key] = field(default_factory=set)
    came: set[Key] = field(default_factory=set)

    def open(self) -> None:
        """Fill the tables with the rows that are there before the walk: those with an even number."""
        self.run("DELETE FROM box", ())
        self.run("DELETE FROM owner", ())
        for number in (1, 2, 3):
            values = {name: chosen(items, number) for name, items in OWNED.items()}
            self.owners[number] = {"id": number} | values
            self._insert("owner", self.owners[number])
        for number in range(0, 60, 2):
            self._put(number)

    @property
    def words(self) -> set[str]:
        return {word.lstrip("-") for word in self.sort}

    @property
    def is_sorted_by_owner(self) -> bool:
        return any(word.startswith("owner.") for word in self.words)

    def world(self) -> World:
        """Return the rows as they are now."""
        zone = ZoneInfo("Europe/Berlin")
        owners = Model(list(self.owners.values()), {item.name: item for item in OWNER}, "id", zone)
        boxes = Model(list(self.boxes.values()), {item.name: item for item in BOX}, "shelf", zone)
        return World({"owner": owners, "box": boxes}, {(edge.source, edge.name): edge for edge in EDGES}, KEYS)

    def happen(self, event: Event) -> None:
        """Let something happen, and note what it means for the walk."""
        key = (SHELVES[event.number % 3], event.number)
        match event.kind:
            case "insert" if key not in self.boxes:
                self._put(event.number)
                self.came.add(key)
            case "delete" if key in self.boxes:
                self.run("DELETE FROM box WHERE shelf = %s AND no = %s", key)
                del self.boxes[key]
                self.gone.add(key)
            case "change" if key in self.boxes:
                self._change(key, event.column, chosen(VALUES[event.column], event.value))
            case "owner" if event.number % 3 + 1 in self.owners:
                name = chosen(tuple(OWNED), event.number)
                self._change_owner(event.number % 3 + 1, name, chosen(OWNED[name], event.value))
            case "orphan" if event.number % 9 == 0 and event.value % 3 + 1 in self.owners:
                self.run("DELETE FROM owner WHERE id = %s", (event.value % 3 + 1,))
                del self.owners[event.value % 3 + 1]
                self._move(event.value % 3 + 1)
            case _:
                return

    def _put(self, number: int) -> None:
        box = made_box(number)
        self.boxes[box["shelf"], number] = box
        self._insert("box", box)

    def _insert(self, table: str, row: Row) -> None:
        marks = ", ".join(["%s"] * len(row))
        values = tuple(stored(name, value) for name, value in row.items())
        self.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", values)

    def _change(self, key: Key, name: str, value: Any) -> None:
        self.run(f"UPDATE box SET {name} = %s WHERE shelf = %s AND no = %s", (stored(name, value), *key))
        is_other = self.boxes[key][name] != value
        if is_other and (name in self.words or (name == "owner_id" and self.is_sorted_by_owner)):
            self.moved.add(key)
        self.boxes[key][name] = value

    def _change_owner(self, number: int, name: str, value: Any) -> None:
        self.run(f"UPDATE owner SET {name} = %s WHERE id = %s", (stored(name, value), number))
        if self.owners[number][name] != value:
            self.owners[number][name] = value
            self._move(number)

    def _move(self, owner: int) -> None:
        if self.is_sorted_by_owner:
            self.moved |= {key for key, box in self.boxes.items() if box["owner_id"] == owner}


def stored(name: str, value: Any) -> Any:
    return {"at": "0000-00-00 00:00:00"}.get(name, "0000-00-00") if value is ZERO else value


@pytest.fixture(scope="module")
def database(mariadb_server: Server) -> Iterator[str]:
    """The name of a database with the empty tables."""
    name = f"gateway_walk_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    mariadb_server.create_database(name)
    mariadb_server.run("SET sql_mode = ''", *TABLES, database=name)
    yield name
    mariadb_server.drop_database(name)


@pytest.fixture(scope="module")
def beside(mariadb_server: Server, database: str) -> Iterator[Callable[[str, tuple[Any, ...]], Any]]:
    """Statements on a connection of their own, beside the gateway."""
    with mariadb_server.connection(database) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")

        def run(text: str, values: tuple[Any, ...]) -> Any:
            cursor.execute(text, values)
            return cursor.fetchall()

        yield run


@pytest.fixture(scope="module")
async def app(mariadb_server: Server, database: str) -> AsyncIterator[App]:
    """The application on those tables."""
    async with served(mariadb_server.url(database), whitelist=WHITELIST, timezone="Europe/Berlin") as app:
        yield app


class Hidden:
    """Holds the application, so that a failing example does not print all of it."""

    def __init__(self, app: App) -> None:
        self.app = app


@pytest.fixture
def hidden(app: App) -> Hidden:
    """The application on those tables."""
    return Hidden(app)


async def page(client: httpx2.AsyncClient, path: str, sent: Mapping[str, str]) -> Any:
    """Return a page that is answered."""
    answer = await client.get(f"/api/v1/{path}", params=dict(sent))
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    sort=sorts(),
    per_page=st.sampled_from([1, 2, 3, 5, 8]),
    events=st.lists(st.lists(EVENTS, max_size=4), max_size=12),
)
async def test_whoever_stays_is_met_exactly_once(
    hidden: Hidden,
    beside: Callable[[str, tuple[Any, ...]], Any],
    sort: tuple[str, ...],
    per_page: int,
    events: list[list[Event]],
) -> None:
    """Whatever others write between two pages, and by whatever the rows are sorted."""
    shop = Shop(beside, sort)
    shop.open()
    start = set(shop.boxes)
    met: list[Key] = []
    sent = {"per_page": str(per_page), "count": "none", "cursor": "", "fields": "shelf,no"}
    if sort:
        sent["sort"] = ",".join(sort)
    for turn in range(100):
        reply = await page(hidden.app.client, "box", sent)
        met += [(row["shelf"], row["no"]) for row in reply["data"]]
        note(f"{met}")
        if reply["meta"]["next_cursor"] is None:
            break
        sent["cursor"] = reply["meta"]["next_cursor"]
        for event in events[turn] if turn < len(events) else ():
            shop.happen(event)
            note(str(event))
    else:
        raise AssertionError("the walk does not end")

    steady = start - shop.gone - shop.moved
    still = set(met) - shop.moved
    order = [shop.world().key("box", row) for row in shop.world().ordered("box", shop.boxes.values(), sort)]
    assert [key for key in met if key in steady] == [key for key in order if key in steady]
    assert all(met.count(key) == 1 for key in still - (shop.gone & shop.came))
    assert set(met) <= start | shop.came


async def test_rows_that_come_ahead_are_met_and_rows_that_come_behind_are_not(
    app: App, beside: Callable[[str, tuple[Any, ...]], Any]
) -> None:
    """The walk goes on from where it stands, not from how many rows it has seen."""
    shop = Shop(beside, ("n",))
    shop.open()
    first = await page(app.client, "box", {"sort": "n", "per_page": "15", "cursor": ""})
    beside("INSERT INTO box (shelf, no, n) VALUES ('a', 900, NULL), ('a', 901, 2147483647)", ())
    beside("DELETE FROM box WHERE n IS NULL AND no <> 900", ())

    rest = await page(app.client, "box", {"sort": "n", "per_page": "100", "cursor": str(first["meta"]["next_cursor"])})

    seen = [(row["shelf"], row["no"]) for row in (*first["data"], *rest["data"])]
    assert len(seen) == len(set(seen)) == 31
    assert ("a", 901) in seen
    assert ("a", 900) not in seen


# What a cursor belongs to


@pytest.fixture
def filled(beside: Callable[[str, tuple[Any, ...]], Any]) -> Shop:
    """The boxes as they are before any walk."""
    shop = Shop(beside, ())
    shop.open()
    return shop


async def cursor_of(client: httpx2.AsyncClient, path: str) -> str:
    """Return the cursor of the page after the first."""
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["meta"]["next_cursor"])


QUERY = "box?filter[n.gte]=0&filter[no.lt]=50&sort=-word,day&per_page=2&cursor="


@pytest.mark.parametrize(
    "path",
    [
        "box?filter[n.gte]=1&filter[no.lt]=50&sort=-word,day&cursor=",
        "box?filter[n.gte]=0&sort=-word,day&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&filter[word]=a&sort=-word,day&cursor=",
        "box?filter[any][n.gte]=0&filter[any][no.lt]=50&sort=-word,day&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&sort=word,day&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&sort=day,-word&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&sort=-word,n&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&cursor=",
        'box?filter[n.gte]=0&filter[no.lt]=50&sort=-word,day&where={"no":2}&cursor=',
        "owner?sort=name&cursor=",
        "owner/1/boxes?filter[n.gte]=0&filter[no.lt]=50&sort=-word,day&cursor=",
    ],
)
async def test_a_cursor_is_refused_for_another_query(app: App, filled: Shop, path: str) -> None:
    """Other filters, another order, another resource, a parent's rows: 400, and it says to begin again."""
    cursor = await cursor_of(app.client, QUERY)

    answer = await app.get(path + cursor)

    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "cursor_invalid"
    assert answer.json()["errors"][0]["parameter"] == "cursor"


async def test_a_cursor_of_one_parent_is_refused_for_another(app: App, filled: Shop) -> None:
    """Each parent's rows are a list of their own."""
    cursor = await cursor_of(app.client, "owner/1/boxes?per_page=1&cursor=")

    assert (await app.get(f"owner/1/boxes?per_page=1&cursor={cursor}")).status_code == 200
    assert (await app.get(f"owner/2/boxes?per_page=1&cursor={cursor}")).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "box?filter[no.lt]=50&filter[n.gte]=0&sort=-word,day&per_page=2&cursor=",
        "box?sort=-word,day&cursor={}&filter[n.gte]=0&filter[no.lt]=50",
        "box?filter[n.gte]=0&filter[no.lt]=50&sort=-word,day&per_page=9&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&sort=-word,day&limit=9&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&sort=-word,day&fields=shelf,no&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&sort=-word,day&include=owner&cursor=",
        "box?filter[n.gte]=0&filter[no.lt]=50&sort=-word,day&count=none&decimals=string&envelope=true&cursor=",
    ],
)
async def test_what_does_not_choose_rows_may_change_between_pages(app: App, filled: Shop, path: str) -> None:
    """The order of parameters, the size of pages, fields, embeds, the form of values."""
    cursor = await cursor_of(app.client, QUERY)
    rows = (await app.json(QUERY.replace("per_page=2&cursor=", "per_page=100")))["data"]

    body = await app.json(path.replace("{}", cursor) if "{}" in path else path + cursor)

    assert (body["data"][0]["shelf"], body["data"][0]["no"]) == (rows[2]["shelf"], rows[2]["no"])


async def test_a_query_in_a_body_is_walked_too(app: App, filled: Shop) -> None:
    """``cursor`` stands in the body like everything else, and links tell no next page."""
    sent = {"where": {"n.gte": 0}, "sort": ["-word", "day"], "per_page": 3, "cursor": "", "fields": ["shelf", "no"]}
    met = []
    while True:
        answer = await app.client.post("/api/v1/box/query", json=sent)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        met += body["data"]
        assert list(body["links"]) == ["self"]
        if body["meta"]["next_cursor"] is None:
            break
        sent["cursor"] = body["meta"]["next_cursor"]

    whole = await app.json("box?filter[n.gte]=0&sort=-word,day&fields=shelf,no&per_page=100")
    assert met == whole["data"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 200), bits=st.integers(1, 255), cut=st.integers(0, 3), junk=st.text(max_size=8))
async def test_a_cursor_that_somebody_changed_is_refused(
    hidden: Hidden, place: int, bits: int, cut: int, junk: str
) -> None:
    """One bit of it, a part of it, more of it, or something else altogether: 400, and no statement."""
    app = hidden.app
    cursor = await cursor_of(app.client, "box?sort=word&per_page=2&cursor=")
    sealed = bytearray(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    sealed[place % len(sealed)] ^= bits
    changed = urlsafe_b64encode(bytes(sealed)).rstrip(b"=").decode()
    app.statements()

    for text in (changed, cursor[: -1 - cut], cursor + "A" * (cut + 1), f"x{junk}", cursor + "=", f" {cursor}"):
        answer = await app.client.get("/api/v1/box", params={"sort": "word", "per_page": "2", "cursor": text})
        assert answer.status_code == 400, text
        assert answer.json()["code"] == "cursor_invalid"
    assert app.statements() == []


async def test_nothing_can_be_read_from_a_cursor(app: App, beside: Callable[[str, tuple[Any, ...]], Any]) -> None:
    """The values it holds may be those of a column that is not shown: they are not legible in it."""
    Shop(beside, ()).open()
    beside("UPDATE box SET word = 'Confident'", ())

    cursor = await cursor_of(app.client, "box?sort=word&fields=no&per_page=2&cursor=")

    assert b"Confident" not in urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert "Confident" not in cursor


async def test_another_gateways_cursor_is_refused(
    app: App, filled: Shop, mariadb_server: Server, database: str
) -> None:
    """Each state store has a key of its own."""
    async with served(mariadb_server.url(database), whitelist=WHITELIST, timezone="Europe/Berlin") as other:
        cursor = await cursor_of(other.client, "box?per_page=2&cursor=")
        assert (await other.get(f"box?per_page=2&cursor={cursor}")).status_code == 200

    answer = await app.get(f"box?per_page=2&cursor={cursor}")

    assert answer.status_code == 400
    assert answer.json()["code"] == "cursor_invalid"


async def test_a_cursor_survives_restarts_and_other_workers(
    filled: Shop, mariadb_server: Server, database: str, tmp_path: Path
) -> None:
    """Every page of one walk may come from another process, and the gateway may stop and start in between."""
    met: list[Key] = []
    cursor, token = "", ""
    for pages in (4, 4, 100):
        server = RunningServer.launched(
            mariadb_server.url(database),
            tmp_path,
            whitelist=WHITELIST,
            workers=2,
            timezone="Europe/Berlin",
            token=token,
        )
        token = server.token
        try:
            server.wait_for_address()
            for _ in range(pages):
                async with server.client() as client:  # a new connection, so that any worker may take it
                    answer = await client.get(
                        "/api/v1/box", params={"sort": "-day,word", "per_page": "2", "cursor": cursor}
                    )
                assert answer.status_code == 200, answer.text
                met += [(row["shelf"], row["no"]) for row in answer.json()["data"]]
                cursor = answer.json()["meta"]["next_cursor"]
                if cursor is None:
                    break
        finally:
            server.stop()

    world = filled.world()
    assert met == [world.key("box", row) for row in world.ordered("box", filled.boxes.values(), ("-day", "word"))]


# On the CRM: fields that are no columns


CRM_SORTS = (
    ("invoices", "-balance"),
    ("invoices", "paid,-date"),
    ("invoices", "is_overdue,-total"),
    ("invoices", "custom.invoice_po_number"),
    ("invoices", "-custom.invoice_approved_on,status"),
    ("invoices", "client.company,-id"),
    ("invoices", "client.datecreated"),
    ("invoices", "-client.custom.customers_employees"),
    ("invoices", "agent.lastname,-client.email"),
    ("clients", "email"),
    ("clients", "-custom.customers_industry,custom.customers_employees"),
    ("clients", "contact_name,-company"),
    ("itemable", "custom.items_supplier,-rate"),
    ("project_members", "-project.name"),
    ("taggables", "rel_type,-rel_id"),
)
"""Derived fields, custom fields, related fields of both, and keys of several columns."""


@pytest.mark.parametrize(("resource", "sort"), CRM_SORTS)
async def test_fields_that_are_no_columns_are_walked_too(sales: tuple[App, Crm], resource: str, sort: str) -> None:
    """The pages of a walk are the list, row by row, on both databases."""
    app, _ = sales
    whole = await page(app.client, resource, {"sort": sort, "per_page": "1000"})
    met: list[Any] = []
    sent: dict[str, Any] = {"sort": sort, "per_page": "7", "cursor": "", "count": "none"}
    while sent["cursor"] is not None:
        reply = await page(app.client, resource, sent)
        met += reply["data"]
        sent["cursor"] = reply["meta"]["next_cursor"]

    assert met == whole["data"]
    assert len(met) > 7


@pytest.mark.parametrize("sort", ["-balance", "custom.invoice_po_number", "-client.custom.customers_employees"])
async def test_a_walk_by_such_a_field_meets_whoever_stays_once(sales: tuple[App, Crm], sort: str) -> None:
    """Payments come and go and values of custom fields change, of some invoices; the others are met once, in order."""
    app, crm = sales
    listed = [row["id"] for row in (await page(app.client, "invoices", {"sort": sort, "per_page": "1000"}))["data"]]
    touched, added, kept = (5, 23, 38), [], crm.run("SELECT * FROM tblcustomfieldsvalues")
    met: list[int] = []
    sent: dict[str, Any] = {"sort": sort, "per_page": "9", "cursor": "", "count": "none", "fields": "id"}
    try:
        while sent["cursor"] is not None:
            reply = await page(app.client, "invoices", sent)
            met += [row["id"] for row in reply["data"]]
            sent["cursor"] = reply["meta"]["next_cursor"]
            invoice = touched[len(met) % 3]
            crm.run(
                "INSERT INTO tblinvoicepaymentrecords (invoiceid, amount, date, daterecorded, note) "
                "VALUES (%s, %s, '2026-07-15', '2026-07-15 10:00:00', '')",
                invoice,
                len(met),
            )
            added.append(invoice)
            crm.run(
                "UPDATE tblcustomfieldsvalues SET value = %s WHERE fieldto = 'invoice' AND relid = %s",
                str(len(met)),
                invoice,
            )
    finally:
        crm.run(
            "DELETE FROM tblinvoicepaymentrecords WHERE date = '2026-07-15' AND daterecorded = '2026-07-15 10:00:00'"
        )
        for row in kept:
            crm.run("UPDATE tblcustomfieldsvalues SET value = %s WHERE id = %s", row["value"], row["id"])

    assert [key for key in met if key not in touched] == [key for key in listed if key not in touched]
    assert set(added) <= set(touched)
