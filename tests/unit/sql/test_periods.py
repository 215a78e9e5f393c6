"""Periods of the CRM's calendar and averages: what each database is asked for."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import Dialect, parse_sql_type
from gateway.catalog.model import Column
from gateway.query.plan import DatePart, DatePartName
from gateway.sql.dialects import constant, render
from gateway.sql.groups import compile_groups
from gateway.sql.periods import period, zone_changes
from gateway.sql.statement import Constant
from tests.support.asking import ask_groups
from tests.support.kinds import things

TEXT = parse_sql_type("varchar(13)")
BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 30)).map(lambda moment: moment.replace(microsecond=0))


def part_of(kind: str, name: DatePartName) -> DatePart:
    return DatePart(Column("at", parse_sql_type(kind)), name, TEXT)


def on_sqlite(value: object, part: DatePart, zone: ZoneInfo) -> object:
    """Return what SQLite itself makes of a moment."""
    text, parameters = render(period(constant(value), part, zone, "sqlite"), "sqlite")
    bound = [parameter.value for parameter in parameters if isinstance(parameter, Constant)]
    with sqlite3.connect(":memory:") as connection:
        return connection.execute(f"SELECT {text}", bound).fetchone()[0]


def named(moment: datetime | date, name: DatePartName) -> str:
    """Return the period of a moment, by Python's own calendar."""
    year, week, _ = moment.isocalendar()
    return {
        "year": f"{moment:%Y}",
        "quarter": f"{moment:%Y}-Q{(moment.month + 2) // 3}",
        "month": f"{moment:%Y-%m}",
        "week": f"{year}-W{week:02d}",
        "day": f"{moment:%Y-%m-%d}",
        "hour": f"{moment:%Y-%m-%dT%H}",
    }[name]


@pytest.mark.parametrize(
    ("name", "due", "parameters"),
    [
        ("year", "date_format(t.wall, %s)", ["%Y"]),
        ("quarter", "concat(date_format(t.wall, %s), quarter(t.wall))", ["%Y-Q"]),
        ("month", "date_format(t.wall, %s)", ["%Y-%m"]),
        ("week", "date_format(t.wall, %s)", ["%x-W%v"]),
        ("day", "date_format(t.wall, %s)", ["%Y-%m-%d"]),
        ("hour", "date_format(t.wall, %s)", ["%Y-%m-%dT%H"]),
    ],
)
@pytest.mark.parametrize("dialect", ["mariadb", "mysql"])
def test_servers_are_asked_for_a_text_that_sorts(
    name: DatePartName, due: str, parameters: list[str], dialect: Dialect
) -> None:
    """ISO weeks belong to the year of their Thursday."""
    catalog = things(dialect)
    statement = compile_groups(catalog, ask_groups(catalog, f"things?group=wall.{name}&metrics=count").plan)
    zero = "CASE WHEN (t.wall < %s) THEN NULL ELSE t.wall END"

    assert " ".join(statement.text.split()).startswith(f"SELECT {due.replace('t.wall', zero)} AS ")
    assert [p.value for p in statement.parameters if isinstance(p, Constant) and p.value != "0001-01-01"][
        :1
    ] == parameters


@given(MOMENTS, st.sampled_from(["year", "quarter", "month", "week", "day", "hour"]))
def test_sqlite_names_periods_as_the_servers_do(moment: datetime, name: DatePartName) -> None:
    """Its own functions know neither quarters nor weeks."""
    assert on_sqlite(f"{moment:%Y-%m-%d %H:%M:%S}", part_of("datetime", name), BERLIN) == named(moment, name)


@given(st.dates(date(1970, 1, 2), date(2199, 12, 31)), st.sampled_from(["year", "quarter", "month", "week", "day"]))
def test_days_are_named_too(day: date, name: DatePartName) -> None:
    """Years of 53 weeks among them."""
    assert on_sqlite(day.isoformat(), part_of("date", name), BERLIN) == named(day, name)


@given(MOMENTS, st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "UTC"]))
def test_an_instant_falls_into_the_period_of_the_crms_clock(moment: datetime, zone_name: str) -> None:
    """A TIMESTAMP is UTC; the zone's changes stand in the statement."""
    zone = ZoneInfo(zone_name)
    local = moment.replace(tzinfo=UTC).astimezone(zone)

    assert on_sqlite(f"{moment:%Y-%m-%d %H:%M:%S}", part_of("timestamp", "hour"), zone) == named(local, "hour")


def test_no_period_is_null() -> None:
    """As no moment is."""
    for name in ("year", "quarter", "month", "week", "day", "hour"):
        assert on_sqlite(None, part_of("timestamp", name), BERLIN) is None


# Zones


def test_a_zone_without_summer_time_has_one_offset() -> None:
    """And adds nothing to a statement but that."""
    assert zone_changes(ZoneInfo("UTC")) == (("2038-01-20 00:00:00", timedelta(0)),)
    assert len(zone_changes(ZoneInfo("Asia/Dubai"))) == 1


def test_an_offset_holds_until_the_second_it_changes() -> None:
    """Of the instants as UTC has them."""
    changes = dict(zone_changes(BERLIN))

    assert changes["2026-03-29 01:00:00"] == timedelta(hours=1)
    assert changes["2026-10-25 01:00:00"] == timedelta(hours=2)
    assert list(changes) == sorted(changes)
    assert list(changes)[-1] == "2038-01-20 00:00:00"


@given(st.datetimes(datetime(1970, 1, 1), datetime(2038, 1, 19)), st.sampled_from(["Europe/Berlin", "Asia/Tehran"]))
def test_the_changes_of_a_zone_tell_every_offset(moment: datetime, zone_name: str) -> None:
    """Any instant has the offset of the first change that is still to come."""
    zone = ZoneInfo(zone_name)
    due = moment.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    found = next(offset for until, offset in zone_changes(zone) if f"{moment:%Y-%m-%d %H:%M:%S}" < until)

    assert found == due
