"""A few customers and invoices of a Perfex CRM with custom fields of chance, for the plain model and for the database.

The values are what people leave in such fields: nothing, empty text, text that is no number and no date, and more
than one value of one field, of which the oldest counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sample_crm import build_schema
from tests.support.mariadb import Server
from tests.support.query_model import Edge, World
from tests.support.query_world import LETTERS, STATES
from tests.support.rows_model import Field, Model, folded

WHITELIST = "version: 1\nprofile: perfex\ntables: [clients, invoices]\n"


def _text(value: str) -> str | None:
    return value or None


def _number(value: str) -> Decimal | int | None:
    read: dict[str, Decimal | int] = {"5": 5, "-3": -3, "2.50": Decimal("2.5"), "250": 250, "0.001": Decimal("0.001")}
    return read.get(value)


def _day(value: str) -> date | None:
    return date.fromisoformat(value) if value in ("2025-12-31", "2026-03-29") else None


@dataclass(frozen=True, slots=True)
class Definition:
    """A custom field: its row in the CRM, what is written into it, and what that means."""

    key: int
    owner: str
    slug: str
    type: str
    kind: str
    written: tuple[str, ...]
    read: Callable[[str], Any]

    @property
    def field(self) -> Field:
        """The field as the model knows it."""
        return Field(f"custom.{self.slug}", self.kind, folded if self.kind in ("text", "enum") else lambda value: value)


TEXTS = ("", "a", "A", "b", "É", "e1", "1")
NUMBERS = ("", "5", "-3", "2.50", "250", "0.001", "many", "12x")
DAYS = ("", "2025-12-31", "2026-03-29", "2026-02-30", "soon")
DEFINITIONS = (
    Definition(1, "customers", "customers_tier", "input", "text", TEXTS, _text),
    Definition(2, "customers", "customers_size", "number", "decimal", NUMBERS, _number),
    Definition(3, "customers", "customers_since", "date_picker", "date", DAYS, _day),
    Definition(4, "customers", "customers_state", "select", "enum", ("", *STATES), _text),
    Definition(5, "invoice", "invoice_po", "input", "text", TEXTS, _text),
    Definition(6, "invoice", "invoice_rank", "number", "decimal", NUMBERS, _number),
)
FIELDS: Mapping[str, tuple[Field, ...]] = {
    "clients": (Field("userid", "int"), Field("company", "text", folded), Field("active", "int")),
    "invoices": (
        Field("id", "int"),
        Field("clientid", "int"),
        Field("status", "int"),
        Field("total", "decimal"),
        Field("date", "date"),
    ),
}
OWNERS = {"clients": "customers", "invoices": "invoice"}
KEYS: Mapping[str, tuple[str, ...]] = {"clients": ("userid",), "invoices": ("id",)}
CLIENTS, INVOICES = 10, 25


@dataclass(frozen=True, slots=True)
class Value:
    """One row of the table of values."""

    owner: str
    row: int
    definition: int
    text: str


def made(seed: int = 8) -> tuple[World, list[Value]]:
    """Return customers and invoices with their custom fields, and the values as they are written."""
    dice = random.Random(seed)
    values: list[Value] = []
    clients: list[dict[str, Any]] = [
        {
            "userid": number,
            "company": "".join(dice.choices(LETTERS, k=dice.choice((1, 2)))),
            "active": dice.choice((0, 1, 1)),
        }
        for number in range(1, CLIENTS + 1)
    ]
    invoices: list[dict[str, Any]] = [
        {
            "id": number,
            "clientid": dice.choice((0, 99, *range(1, CLIENTS + 1))),
            "status": dice.choice((1, 2, 2, 3)),
            "total": dice.choice((Decimal("0.00"), Decimal("10.50"), Decimal("2500.00"))),
            "date": dice.choice((date(2025, 12, 31), date(2026, 3, 29))),
        }
        for number in range(1, INVOICES + 1)
    ]
    for table, rows in (("clients", clients), ("invoices", invoices)):
        for item in (found for found in DEFINITIONS if found.owner == OWNERS[table]):
            for row in rows:
                written = [dice.choice(item.written) for _ in range(dice.choice((0, 1, 1, 1, 2)))]
                key = int(row[KEYS[table][0]])
                values += [Value(item.owner, key, item.key, text) for text in written]
                row[item.field.name] = item.read(written[0]) if written else None
    return _world({"clients": clients, "invoices": invoices}), values


def _world(rows: Mapping[str, list[dict[str, Any]]]) -> World:
    models = {}
    for table, fields in FIELDS.items():
        custom = [item.field for item in DEFINITIONS if item.owner == OWNERS[table]]
        known = {field.name: field for field in (*fields, *custom)}
        models[table] = Model(rows[table], known, KEYS[table][0], ZoneInfo("Asia/Dubai"))
    edges = Edge.pair(
        "invoices", "client", "clients", "invoices", lambda row, other: row["clientid"] == other["userid"]
    )
    return World(models, {(edge.source, edge.name): edge for edge in edges}, KEYS)


def fill(server: Server, url: str, world: World, values: list[Value]) -> None:
    """Make a CRM of those rows in an empty database."""
    build_schema(url, lookups=True)
    with server.connection(url.rpartition("/")[2]) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        for item in DEFINITIONS:
            options = ",".join(STATES) if item.type == "select" else ""
            cursor.execute(
                "INSERT INTO tblcustomfields (id, fieldto, name, slug, type, options, active) "
                "VALUES (%s, %s, %s, %s, %s, %s, 1)",
                (item.key, item.owner, item.slug, item.slug, item.type, options),
            )
        for table, fields in FIELDS.items():
            names = [field.name for field in fields]
            cursor.executemany(
                f"INSERT INTO tbl{table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})",
                [tuple(row[name] for name in names) for row in world.tables[table].rows],
            )
        cursor.executemany(
            "INSERT INTO tblcustomfieldsvalues (relid, fieldid, fieldto, value) VALUES (%s, %s, %s, %s)",
            [(value.row, value.definition, value.owner, value.text) for value in values],
        )
