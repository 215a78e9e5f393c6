"""Five small tables with everything that makes questions hard, for the plain model and for both databases.

Nulls, zero dates, ties, texts that a collation takes for equal, references to rows that are not there, references kept
as text, children of two kinds of parents (``rel_type``), a row that refers to its own table, a key of two columns. The
relationships are declared by foreign keys or by the whitelist; nothing is known of Perfex.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.mariadb import Server
from tests.support.query_model import Edge, World
from tests.support.rows_model import ZERO, Field, Model, Row, folded

BERLIN = ZoneInfo("Europe/Berlin")
LETTERS = "1aAbBeÉ"
"""Letters that both databases put in one order, which is that of `folded`."""

WHITELIST = """version: 1
profile: none
tables:
  firm:
    search: [name]
    relationships:
      parent: {column: parent_id, to: firm.id, reverse: children}
  person:
    search: [name]
    relationships:
      firm: {column: firm_id, to: firm.id, reverse: people}
  job:
    search: [title, state]
    relationships:
      firm: {column: firm_id, to: firm.id, reverse: jobs}
      agent: {column: agent_ref, to: person.id, when: numeric(agent_ref), reverse: jobs}
  step:
    relationships:
      job: {column: job_id, to: job.id, reverse: steps}
  memo:
    search: [text]
    relationships:
      job: {column: rel_id, to: job.id, when: rel_type='job', reverse: memos}
      firm: {column: rel_id, to: firm.id, when: rel_type='firm' and rel_id<>0, reverse: memos}
      step:
        columns: [step_job, step_no]
        to: {table: step, columns: [job_id, no]}
        reverse: memos
"""

TABLES: Mapping[str, str] = {
    "firm": """CREATE TABLE firm (
        id INT NOT NULL PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_unicode_ci NULL, size INT NULL,
        rated DECIMAL(12,3) NULL, founded DATE NULL, is_known TINYINT(1) NOT NULL, parent_id INT NULL)""",
    "person": """CREATE TABLE person (
        id INT NOT NULL PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_unicode_ci NOT NULL, born DATE NULL,
        firm_id INT NULL, CONSTRAINT works FOREIGN KEY (firm_id) REFERENCES firm (id))""",
    "job": """CREATE TABLE job (
        id INT NOT NULL PRIMARY KEY, title VARCHAR(20) COLLATE utf8mb4_general_ci NOT NULL, firm_id INT NULL,
        cost DECIMAL(12,3) NULL, hours INT NULL, state ENUM('fresh','old','worn') NULL, starts DATETIME NULL,
        logged TIMESTAMP NULL DEFAULT NULL, agent_ref VARCHAR(10) NULL)""",
    "step": """CREATE TABLE step (
        job_id INT NOT NULL, no INT NOT NULL, amount DECIMAL(12,3) NULL, done TINYINT(1) NOT NULL, due DATE NULL,
        PRIMARY KEY (job_id, no), CONSTRAINT part FOREIGN KEY (job_id) REFERENCES job (id))""",
    "memo": """CREATE TABLE memo (
        id INT NOT NULL PRIMARY KEY, rel_type VARCHAR(10) NULL, rel_id INT NULL, score INT NULL,
        text VARCHAR(20) COLLATE utf8mb4_unicode_ci NULL, step_job INT NULL, step_no INT NULL)""",
}
STATES = ("fresh", "old", "worn")

FIELDS: Mapping[str, tuple[Field, ...]] = {
    "firm": (
        Field("id", "int"),
        Field("name", "text", folded),
        Field("size", "int"),
        Field("rated", "decimal"),
        Field("founded", "date"),
        Field("is_known", "flag"),
        Field("parent_id", "int"),
    ),
    "person": (
        Field("id", "int"),
        Field("name", "text", folded),
        Field("born", "date"),
        Field("firm_id", "int"),
    ),
    "job": (
        Field("id", "int"),
        Field("title", "text", folded),
        Field("firm_id", "int"),
        Field("cost", "decimal"),
        Field("hours", "int"),
        Field("state", "enum", folded, STATES),
        Field("starts", "datetime"),
        Field("logged", "timestamp"),
        Field("agent_ref", "text", folded),
    ),
    "step": (
        Field("job_id", "int"),
        Field("no", "int"),
        Field("amount", "decimal"),
        Field("done", "flag"),
        Field("due", "date"),
    ),
    "memo": (
        Field("id", "int"),
        Field("rel_type", "text", folded),
        Field("rel_id", "int"),
        Field("score", "int"),
        Field("text", "text", folded),
        Field("step_job", "int"),
        Field("step_no", "int"),
    ),
}
KEYS: Mapping[str, tuple[str, ...]] = {"step": ("job_id", "no")} | dict.fromkeys(
    ("firm", "person", "job", "memo"), ("id",)
)
SEARCHED: Mapping[str, tuple[str, ...]] = {
    "firm": ("name",),
    "person": ("name",),
    "job": ("title", "state"),
    "memo": ("text",),
}


def _number(text: str | None) -> int | None:
    """The number that a text reference holds, None where it is not all digits."""
    return int(text) if text is not None and re.fullmatch("[0-9]{1,18}", text) else None


EDGES: tuple[Edge, ...] = (
    *Edge.pair("firm", "parent", "firm", "children", lambda row, other: row["parent_id"] == other["id"]),
    *Edge.pair("person", "firm", "firm", "people", lambda row, other: row["firm_id"] == other["id"]),
    *Edge.pair("job", "firm", "firm", "jobs", lambda row, other: row["firm_id"] == other["id"]),
    *Edge.pair("job", "agent", "person", "jobs", lambda row, other: _number(row["agent_ref"]) == other["id"]),
    *Edge.pair("step", "job", "job", "steps", lambda row, other: row["job_id"] == other["id"]),
    *Edge.pair(
        "memo", "job", "job", "memos", lambda row, other: row["rel_type"] == "job" and row["rel_id"] == other["id"]
    ),
    *Edge.pair(
        "memo", "firm", "firm", "memos", lambda row, other: row["rel_type"] == "firm" and row["rel_id"] == other["id"]
    ),
    *Edge.pair(
        "memo",
        "step",
        "step",
        "memos",
        lambda row, other: (row["step_job"], row["step_no"]) == (other["job_id"], other["no"]),
    ),
)

DAYS = (date(2025, 12, 29), date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 29), date(2026, 10, 25))
MOMENTS = (
    datetime(2025, 12, 31, 23, 30),
    datetime(2026, 1, 1),
    datetime(2026, 3, 29, 0, 59, 59),
    datetime(2026, 3, 29, 3, 0),
    datetime(2026, 6, 30, 22, 15),
    datetime(2026, 10, 25, 0, 30),
    datetime(2026, 10, 25, 1, 30),
)
AMOUNTS = tuple(Decimal(text) for text in ("-10.500", "0.000", "0.001", "10.500", "10.501", "2500.000"))


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows each table has."""

    firms: int
    people: int
    jobs: int
    steps: int
    memos: int


USUAL = Sizes(9, 7, 24, 30, 40)
FEW = Sizes(2, 1, 2, 2, 3)
NONE = Sizes(0, 0, 0, 0, 0)


def made_world(seed: int, sizes: Sizes = USUAL, *, has_zero_dates: bool = True) -> World:
    """Return rows of chance; the same ones for the same seed. SQLite has no zero dates."""
    dice = random.Random(seed)
    zeros = (ZERO,) if has_zero_dates else ()

    def word(least: int = 0) -> str:
        return "".join(dice.choice(LETTERS) for _ in range(dice.choice((least, 1, 1, 2))))

    def key_of(rows: Sequence[Row], beyond: int = 3) -> int | None:
        keys: list[int | None] = [None, *(row["id"] for row in rows), *range(900, 900 + beyond)]
        return dice.choice(keys)

    firms: list[dict[str, Any]] = [
        {
            "id": number,
            "name": dice.choice((None, word(), word())),
            "size": dice.choice((None, -3, 0, 1, 1, 2, 250)),
            "rated": dice.choice((None, *AMOUNTS)),
            "founded": dice.choice((None, *zeros, *DAYS)),
            "is_known": dice.choice((0, 1, 1)),
        }
        for number in range(1, sizes.firms + 1)
    ]
    for firm in firms:
        firm["parent_id"] = key_of(firms)
    people = [
        {
            "id": number,
            "name": word(1),
            "born": dice.choice((None, *zeros, *DAYS)),
            "firm_id": dice.choice((None, *(row["id"] for row in firms))),
        }
        for number in range(1, sizes.people + 1)
    ]
    references = [str(row["id"]) for row in people]
    jobs = [
        {
            "id": number,
            "title": word(),
            "firm_id": key_of(firms),
            "cost": dice.choice((None, *AMOUNTS)),
            "hours": dice.choice((None, 0, 1, 1, 3, 7)),
            "state": dice.choice((None, *STATES)),
            "starts": dice.choice((None, *zeros, *MOMENTS)),
            "logged": dice.choice((None, *MOMENTS)),
            "agent_ref": dice.choice((None, "", "x", "2x", "01", "77", *references, *references)),
        }
        for number in range(1, sizes.jobs + 1)
    ]
    steps = _steps(dice, jobs, sizes.steps, zeros)
    memos = [_memo(dice, number, firms, jobs, steps, word()) for number in range(1, sizes.memos + 1)]
    rows: Mapping[str, Sequence[Row]] = {"firm": firms, "person": people, "job": jobs, "step": steps, "memo": memos}
    models = {
        name: Model(rows[name], {field.name: field for field in FIELDS[name]}, KEYS[name][0], BERLIN) for name in TABLES
    }
    return World(models, {(edge.source, edge.name): edge for edge in EDGES}, KEYS, SEARCHED)


def _steps(dice: random.Random, jobs: Sequence[Row], number: int, zeros: tuple[Any, ...]) -> list[dict[str, Any]]:
    keys = {(dice.choice(jobs)["id"], dice.randint(1, 9)) for _ in range(number)} if jobs else set()
    return [
        {
            "job_id": job,
            "no": no,
            "amount": dice.choice((None, *AMOUNTS)),
            "done": dice.choice((0, 1)),
            "due": dice.choice((None, *zeros, *DAYS)),
        }
        for job, no in sorted(keys)
    ]


def _memo(
    dice: random.Random, number: int, firms: Sequence[Row], jobs: Sequence[Row], steps: Sequence[Row], text: str
) -> dict[str, Any]:
    kind = dice.choice((None, "job", "job", "firm", "firm", "cat"))
    keys = [row["id"] for row in (firms if kind == "firm" else jobs)]
    step = dice.choice((None, *((row["job_id"], row["no"]) for row in steps), (1, 99)))
    return {
        "id": number,
        "rel_type": kind,
        "rel_id": dice.choice((None, 0, 901, *keys)),
        "score": dice.choice((None, -1, 0, 1, 2, 2)),
        "text": dice.choice((None, text, text)),
        "step_job": step[0] if step else None,
        "step_no": step[1] if step else dice.choice((None, 1)),
    }


_ZEROS = {"date": "0000-00-00", "datetime": "0000-00-00 00:00:00"}


def stored(world: World, table: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table as they are written."""
    return [
        tuple(_ZEROS[field.kind] if row[field.name] is ZERO else row[field.name] for field in FIELDS[table])
        for row in world.tables[table].rows
    ]


INDEXED: Mapping[str, tuple[str, ...]] = {
    "firm": ("name", "size", "rated", "founded", "parent_id"),
    "person": ("name", "born"),
    "job": ("firm_id, starts", "title", "cost", "hours", "state", "starts", "logged", "agent_ref"),
    "step": ("amount", "done", "due"),
    "memo": ("rel_type, rel_id", "score", "text", "step_job, step_no"),
}
"""Indexes change what a database does, and must not change what it answers: MariaDB 10.11 rounds what it looks up."""


def fill_mariadb(server: Server, database: str, world: World, *, has_indexes: bool = False) -> None:
    """Make the tables of a world in an empty database."""
    with server.connection(database) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
        for table, text in TABLES.items():
            cursor.execute(f"{text} ENGINE=InnoDB CHARACTER SET utf8mb4")
            if rows := stored(world, table):
                marks = ", ".join(["%s"] * len(FIELDS[table]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            for columns in INDEXED[table] if has_indexes else ():
                cursor.execute(f"CREATE INDEX by_{columns.replace(', ', '_')} ON {table} ({columns})")


def fill_sqlite(path: Path, world: World) -> None:
    """Make the tables of a world in a new file."""
    with closing(sqlite3.connect(path)) as connection:
        for table, text in TABLES.items():
            connection.execute(re.sub(r"COLLATE \w+|ENUM\([^)]*\)", lambda found: _SQLITE[found[0][0]], text))
            marks = ", ".join(["?"] * len(FIELDS[table]))
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})", [tuple(map(_plain, row)) for row in stored(world, table)]
            )
        connection.commit()


_SQLITE = {"C": "", "E": "VARCHAR(10)"}


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return float(value)
        case datetime():
            return value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case _:
            return value
