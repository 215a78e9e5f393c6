"""What MariaDB itself makes of the statements of the query language: exact averages, periods across a change of the
clocks, zero dates among groups and in an order, and an order that goes on where a position says, whatever the type."""

from __future__ import annotations

import io
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from python_calamine import load_workbook

from tests.support.app import App, served
from tests.support.mariadb import PrivateServer, Server

BERLIN = ZoneInfo("Europe/Berlin")
TABLES = (
    """CREATE TABLE amounts (
        id INT NOT NULL PRIMARY KEY AUTO_INCREMENT, g INT NOT NULL, money DECIMAL(15,2) NULL, fine DECIMAL(20,8) NULL,
        n INT NULL, big BIGINT NULL, huge BIGINT UNSIGNED NULL
    )""",
    "CREATE TABLE moments (id INT NOT NULL PRIMARY KEY AUTO_INCREMENT, at TIMESTAMP NULL, wall DATETIME NULL)",
    """CREATE TABLE days (
        id INT NOT NULL PRIMARY KEY, due DATE NULL, made DATE NOT NULL, seen DATETIME NULL, KEY made (made)
    )""",
    """CREATE TABLE kinds (
        id INT NOT NULL PRIMARY KEY, level ENUM('low', 'High', 'mid') NULL, words SET('b', 'a', 'c') NULL,
        essay LONGTEXT NULL, name VARCHAR(40) COLLATE utf8mb4_unicode_ci NULL, rate DOUBLE NULL, half FLOAT NULL,
        money DECIMAL(15,2) NULL, wide DECIMAL(65,30) NULL, bits BIT(10) NULL, span TIME(3) NULL, at TIMESTAMP(6) NULL,
        wall DATETIME(3) NULL, day DATE NULL, year_ YEAR NULL, huge BIGINT UNSIGNED NULL
    )""",
)
WHITELIST = "version: 1\nprofile: none\ntables: [amounts, moments, days, kinds]\n"
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@dataclass(frozen=True, slots=True)
class Bench:
    """The application on a database whose rows a test writes itself."""

    app: App
    server: Server
    database: str

    def fill(self, table: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Make a table hold these rows and no others; zero dates are taken, moments are UTC."""
        marks = ", ".join(["%s"] * len(columns.split(",")))
        with self.server.connection(self.database) as connection, connection.cursor() as cursor:
            cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
            cursor.execute(f"DELETE FROM {table}")
            if rows:
                cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)

    async def rows(self, path: str) -> Any:
        """Return the rows of an answer; numbers with decimals keep their digits."""
        answer = await self.app.get(path)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)["data"]


@pytest.fixture(scope="module")
def database(mariadb_server: Server) -> Iterator[str]:
    name = f"gateway_query_sql_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    mariadb_server.create_database(name)
    mariadb_server.run(*TABLES, database=name)
    yield name
    mariadb_server.drop_database(name)


@pytest.fixture(scope="module")
async def bench(mariadb_server: Server, database: str) -> AsyncIterator[Bench]:
    async with served(mariadb_server.url(database), whitelist=WHITELIST, timezone="Europe/Berlin") as app:
        yield Bench(app, mariadb_server, database)


# Averages and sums


async def test_metrics_of_bits_are_those_of_their_numbers(bench: Bench) -> None:
    """The server sends some of them as digits, which are no bits."""
    bench.fill("kinds", "id, bits, money", [(1, 0, 1), (2, 1, 1), (3, 5, 1), (4, 1023, 2), (5, None, 2)])
    metrics = "min.bits,max.bits,sum.bits,avg.bits,count_distinct.bits"

    assert await bench.rows(f"kinds?metrics={metrics}") == [
        {
            "min.bits": 0,
            "max.bits": 1023,
            "sum.bits": 1029,
            "avg.bits": Decimal("257.2500"),
            "count_distinct.bits": 4,
        }
    ]
    assert await bench.rows("kinds?group=bits&metrics=count&having[max.bits.gte]=5&sort=-bits") == [
        {"bits": 1023, "count": 1},
        {"bits": 5, "count": 1},
    ]
    stream = pa.ipc.open_stream((await bench.app.get("kinds.arrow?group=money&metrics=max.bits")).content)
    assert stream.read_all()["max.bits"].to_pylist() == [5, 1023]


async def test_what_outgrows_its_column_is_exported(bench: Bench) -> None:
    """Sums beyond 64 bits and beyond the column's digits, and averages of many digits, by typed formats too."""
    wide, money, huge = Decimal("9" * 35 + "." + "9" * 30), Decimal("9" * 13 + ".99"), 2**64 - 1
    bench.fill("kinds", "id, huge, wide, money", [(number, huge, wide, money) for number in range(3)])
    query = "metrics=sum.huge,max.huge,avg.huge,sum.money,max.money,avg.wide,max.wide"
    due = [3 * huge, huge, huge, 3 * money, money, wide, wide]

    stream = (await bench.app.get(f"kinds.arrow?{query}")).content
    file = (await bench.app.get(f"kinds.parquet?{query}")).content
    for table in (pa.ipc.open_stream(stream).read_all(), pq.read_table(io.BytesIO(file))):
        assert [cells.to_pylist() for cells in table.columns] == [[value] for value in due]
        assert [str(kind) for kind in table.schema.types] == [
            "decimal128(38, 0)",
            "uint64",
            "decimal128(38, 4)",
            "decimal128(38, 2)",
            "decimal128(15, 2)",
            "decimal256(76, 34)",
            "decimal256(65, 30)",
        ]
    book = load_workbook(io.BytesIO((await bench.app.get(f"kinds.xlsx?{query}")).content))
    assert book.get_sheet_by_index(0).to_python()[1][0] == str(3 * huge)


def mean(values: Sequence[Decimal | int], scale: int) -> Decimal | None:
    """Return the mean as the gateway promises it: to so many decimals, halves away from zero."""
    if not values:
        return None
    exact = Context(prec=120)
    total = sum((Decimal(value) for value in values), Decimal(0))
    step = Decimal(1).scaleb(-scale)
    return exact.divide(total, Decimal(len(values))).quantize(step, ROUND_HALF_UP, exact)


def decimals(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    most = 10**digits - 1
    return st.integers(-most, most).map(lambda number: Decimal(number).scaleb(-places))


AMOUNTS = st.tuples(
    st.integers(1, 2),
    st.none() | decimals(15, 2) | decimals(3, 2),
    st.none() | decimals(20, 8) | decimals(9, 8),
    st.none() | st.integers(-(2**31), 2**31 - 1) | st.integers(-9, 9),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.integers(0, 2**64 - 1),
)
HALF = [(1, Decimal("0.01"), None, 1, None, None)] + [(1, Decimal(0), None, 0, None, None)] * 31


@settings(max_examples=60, suppress_health_check=QUIET, deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=40))
@example(HALF)
@example([(1, -money if money else money, None, n, None, None) for _, money, _, n, _, _ in HALF])
@example([(1, None, None, None, 2**63 - 1, 2**64 - 1)] * 3)
async def test_averages_and_sums_are_exact(bench: Bench, drawn: list[tuple[Any, ...]]) -> None:
    """Four decimals more than the source, halves away from zero; sums keep every digit, beyond 64 bits too."""
    bench.fill("amounts", "g, money, fine, n, big, huge", drawn)
    metrics = "avg.money,avg.fine,avg.n,sum.money,sum.fine,sum.n,sum.big,sum.huge"
    found = await bench.rows(f"amounts?group=g&metrics={metrics}")

    groups: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in drawn:
        groups[row[0]].append(row)
    assert [row["g"] for row in found] == sorted(groups)
    for row in found:
        _, money, fine, n, big, huge = (
            [cell for cell in cells if cell is not None] for cells in zip(*groups[row["g"]], strict=True)
        )
        averages = [
            None if row[f"avg.{name}"] is None else Decimal(row[f"avg.{name}"]) for name in ("money", "fine", "n")
        ]
        assert averages == [mean(money, 6), mean(fine, 12), mean(n, 4)]
        sums = [None if row[f"sum.{name}"] is None else Decimal(row[f"sum.{name}"]) for name in ("money", "fine")]
        assert sums == [sum(cells) if cells else None for cells in (money, fine)]
        whole = [row["sum.n"], row["sum.big"], row["sum.huge"]]
        assert whole == [sum(cells) if cells else None for cells in (n, big, huge)]


async def test_averages_are_compared_and_sorted_as_they_are_shown(bench: Bench) -> None:
    """Rounded first: what is shown equal is equal."""
    bench.fill("amounts", "g, n", [(1, 1), (1, 0), (1, 0), (2, 2), (2, 0), (2, 0), (3, None)])
    found = await bench.rows("amounts?group=g&metrics=avg.n&sort=-avg.n")
    assert [(row["g"], row["avg.n"]) for row in found] == [
        (2, Decimal("0.6667")),
        (1, Decimal("0.3333")),
        (3, None),
    ]

    for condition, due in (("avg.n]=0.6667", [2]), ("avg.n.lt]=0.5", [1]), ("avg.n.null]=1", [3])):
        assert [row["g"] for row in await bench.rows(f"amounts?group=g&having[{condition}")] == due


# Periods


def named(local: datetime, part: str) -> str:
    year, week, _ = local.isocalendar()
    return {
        "year": f"{local:%Y}",
        "quarter": f"{local:%Y}-Q{(local.month + 2) // 3}",
        "month": f"{local:%Y-%m}",
        "week": f"{year}-W{week:02d}",
        "day": f"{local:%Y-%m-%d}",
        "hour": f"{local:%Y-%m-%dT%H}",
    }[part]


NEAR_CHANGES = st.sampled_from([datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1), datetime(2024, 12, 31)]).flatmap(
    lambda moment: st.integers(-7200, 7200).map(lambda seconds: moment + timedelta(seconds=seconds))
)
INSTANTS = (
    st.none()
    | NEAR_CHANGES
    | st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
)
PARTS = ("year", "quarter", "month", "week", "day", "hour")


@settings(max_examples=40, suppress_health_check=QUIET, deadline=None)
@given(st.lists(INSTANTS, min_size=1, max_size=12), st.sampled_from(PARTS))
async def test_an_instant_falls_into_the_period_that_the_crms_clock_shows(
    bench: Bench, instants: list[datetime | None], part: str
) -> None:
    """A TIMESTAMP across every change of the clocks, whatever zones the server knows; DATETIMEs are wall time."""
    locals_ = [
        None if at is None else at.replace(tzinfo=UTC).astimezone(BERLIN).replace(tzinfo=None) for at in instants
    ]
    bench.fill("moments", "at, wall", list(zip(instants, locals_, strict=True)))
    counts: dict[str | None, int] = defaultdict(int)
    for local in locals_:
        counts[None if local is None else named(local, part)] += 1
    due = sorted(counts.items(), key=lambda item: item[0] or "")

    for column in ("at", "wall"):
        found = await bench.rows(f"moments?group={column}.{part}&per_page=1000")
        assert [(row[f"{column}.{part}"], row["count"]) for row in found] == due


async def test_periods_are_sorted_and_kept_like_any_group(bench: Bench) -> None:
    """Beside another period of the same moment, in either direction, page by page."""
    walls = [datetime(2026, 1, 1, hour) for hour in range(5)] + [datetime(2025, 12, 29, 3), None]
    bench.fill("moments", "wall", [(wall,) for wall in walls])
    target = "moments?group=wall.week,wall.hour&sort=-wall.week&metrics=count&per_page=2"
    pages = [await bench.rows(f"{target}&page={page}") for page in (1, 2, 3, 4)]

    assert [(row["wall.week"], row["wall.hour"]) for page in pages for row in page] == [
        ("2026-W01", "2025-12-29T03"),
        *(("2026-W01", f"2026-01-01T0{hour}") for hour in range(5)),
        (None, None),
    ]


# Zero dates

DAYS = (
    (1, None, "2026-01-02", None),
    (2, "0000-00-00", "0000-00-00", "0000-00-00 00:00:00"),
    (3, "2026-01-01", "2026-01-01", "2026-01-01 10:00:00"),
    (4, "0000-00-00", "2026-01-01", None),
    (5, None, "0000-00-00", "2026-01-01 10:00:00"),
)


@pytest.mark.parametrize(
    ("query", "due"),
    [
        ("group=due", [{"due": None, "count": 4}, {"due": "2026-01-01", "count": 1}]),
        (
            "group=made",
            [
                {"made": None, "count": 2},
                {"made": "2026-01-01", "count": 2},
                {"made": "2026-01-02", "count": 1},
            ],
        ),
        ("group=due.year&sort=-due.year", [{"due.year": "2026", "count": 1}, {"due.year": None, "count": 4}]),
        ("group=seen.hour", [{"seen.hour": None, "count": 3}, {"seen.hour": "2026-01-01T10", "count": 2}]),
        (
            "metrics=min.made,max.made,count_distinct.made,count_distinct.due",
            [{"min.made": "2026-01-01", "max.made": "2026-01-02", "count_distinct.made": 2, "count_distinct.due": 1}],
        ),
        ("group=due&having[min.due.null]=1", [{"due": None, "count": 4}]),
    ],
)
async def test_a_zero_date_is_among_the_nulls_of_groups_and_metrics(
    bench: Bench, query: str, due: list[dict[str, object]]
) -> None:
    """One group, whatever the column stores; neither the least nor a value of its own."""
    bench.fill("days", "id, due, made, seen", DAYS)

    assert await bench.rows(f"days?{query}") == due


@pytest.mark.parametrize(
    ("sort", "due"),
    [
        ("due", [1, 2, 4, 5, 3]),
        ("-due", [3, 1, 2, 4, 5]),
        ("made", [2, 5, 3, 4, 1]),
        ("-made", [1, 3, 4, 2, 5]),
        ("-due,-id", [3, 5, 4, 2, 1]),
        ("seen,-made", [1, 4, 2, 3, 5]),
    ],
)
async def test_a_zero_date_is_sorted_with_the_nulls(bench: Bench, sort: str, due: list[int]) -> None:
    """The key decides among them, and a walk by cursors meets each once."""
    bench.fill("days", "id, due, made, seen", DAYS)

    assert [row["id"] for row in await bench.rows(f"days?fields=id&sort={sort}")] == due
    assert await walked(bench, "days", sort, per_page=1) == due


# Orders and positions, type by type


async def walked(bench: Bench, resource: str, sort: str, per_page: int) -> list[int]:
    """Return the keys of a list, met page by page by its cursors."""
    keys: list[int] = []
    cursor = ""
    for _ in range(500):
        answer = await bench.app.get(f"{resource}?fields=id&sort={sort}&per_page={per_page}&cursor={cursor}")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        keys.extend(row["id"] for row in body["data"])
        cursor = body["meta"]["next_cursor"]
        if cursor is None:
            return keys
    raise AssertionError("the walk has no end")


LONG = "x" * 1_100
KINDS: dict[str, list[object]] = {
    "level": ["mid", "low", "High", None, "low", ""],
    "essay": [LONG + "b", LONG + "a", None, "b", "É", "e", LONG[:200], "y" * 199 + "b", "y" * 199 + "a"],
    "name": ["b", "É", "e", "A", "a ", None, "", "ß", "ss", "日本"],
    "rate": [0.1, 0.1 + 2**-55, 1e300, -1e-300, None, 1 / 3, -0.0, 0.0],
    "half": [0.1, 0.1, 1 / 3, 16_777_217.0, 3e38, None, -1e-30],
    "money": [Decimal("-0.10"), Decimal("9999999999999.99"), Decimal(0), None, Decimal("-0.1")],
    "wide": [Decimal("1.000000000000000000000000000001"), Decimal(1), Decimal(-(10**34)), None],
    "bits": [0, 1, 512, 1023, None, 255],
    "span": ["-838:59:59", "00:00:00.001", "30:00:00", None, "30:00:00"],
    "at": ["2026-03-29 00:59:59.999999", "2026-03-29 01:00:00", "0000-00-00 00:00:00", None, "2037-12-31 00:00:00"],
    "wall": ["2026-10-25 02:30:00", "2026-10-25 02:30:00.5", "0000-00-00 00:00:00", None, "9999-12-31 23:59:59"],
    "day": ["2026-01-01", "0000-00-00", None, "9999-12-31", "1000-01-01"],
    "year_": [2026, 1901, 0, None, 2155],
    "huge": [2**64 - 1, 2**63, 2**53 + 1, 2**53, 0, None],
}


@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("column", KINDS)
async def test_a_walk_goes_by_the_servers_own_order(bench: Bench, column: str, direction: str) -> None:
    """Whatever the type: an ENUM by its list, text by its collation, bits and times exactly; ties by the key."""
    cells = [*KINDS[column], *KINDS[column]]
    bench.fill("kinds", f"id, {column}", list(enumerate(cells, start=1)))
    sort = f"{direction}{column}"
    listed = [row["id"] for row in await bench.rows(f"kinds?fields=id&sort={sort}&per_page=1000")]

    assert sorted(listed) == list(range(1, len(cells) + 1))
    for per_page in (1, 3):
        assert await walked(bench, "kinds", sort, per_page) == listed


async def test_a_set_is_sorted_and_not_walked(bench: Bench) -> None:
    """It is sorted by its bits and compared as text: the request says so before it begins."""
    bench.fill("kinds", "id, words", [(1, "a"), (2, "b"), (3, "b,a"), (4, None)])

    assert [row["id"] for row in await bench.rows("kinds?fields=id&sort=words")] == [4, 2, 1, 3]
    refused = await bench.app.get("kinds?sort=words&cursor=")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "cursor")


async def test_a_long_text_is_sorted_by_what_the_server_looks_at(bench: Bench) -> None:
    """Two that differ only further on are ties, which the key decides; they are read whole all the same."""
    bench.fill("kinds", "id, essay", [(1, LONG + "b"), (2, LONG + "a"), (3, "y")])

    found = await bench.rows("kinds?fields=id,essay&sort=essay")
    assert [row["id"] for row in found] == [1, 2, 3]
    assert found[0]["essay"] == LONG + "b"


# Grouping with parameters


async def test_a_server_that_groups_strictly_takes_periods(private_server: PrivateServer) -> None:
    """Their constants are parameters, which it cannot tell to be the same: the session's mode is ours."""
    url = private_server.create_database("gateway_strict")
    server = private_server.address
    server.run("SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',ONLY_FULL_GROUP_BY')")
    server.run(*TABLES, database="gateway_strict")
    async with served(url, whitelist=WHITELIST, timezone="Europe/Berlin") as app:
        strict = Bench(app, server, "gateway_strict")
        strict.fill("moments", "wall", [(datetime(2026, 1, 1),), (datetime(2026, 2, 1),)])
        target = "moments?group=wall.month&metrics=count,max.wall&having[count.gt]=0&sort=-wall.month"
        assert [row["wall.month"] for row in await strict.rows(target)] == ["2026-02", "2026-01"]
