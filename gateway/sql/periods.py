"""Values over groups that the databases spell differently: periods of the calendar, and exact averages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa

from gateway.catalog.kinds import Dialect
from gateway.query.plan import DatePart, DatePartName, Metric
from gateway.sql.dialects import Element, constant

NUMBER_DECIMALS: Final = 10
"""Decimals of the average of numbers that have no scale of their own, such as custom fields."""

_FORMATS: Final[Mapping[DatePartName, str]] = MappingProxyType(
    {"year": "%Y", "month": "%Y-%m", "week": "%x-W%v", "day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H"}
)
_WHOLE: Final = tuple(sa.literal_column(str(number), sa.Integer) for number in range(8))
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2038, 1, 20, tzinfo=UTC)
"""What a TIMESTAMP can hold."""


def period(value: Element, part: DatePart, zone: tzinfo, dialect: Dialect) -> Element:
    """Return the period of the CRM's calendar that a moment falls in, as text."""
    local = _on_the_wall(value, zone, dialect) if part.operand.type.kind.name == "timestamp" else value
    return _sqlite_period(local, part.part) if dialect == "sqlite" else _period(local, part.part)


def _period(local: Element, part: DatePartName) -> Element:
    if part == "quarter":
        year = sa.func.date_format(local, constant("%Y-Q"))
        return sa.func.concat(year, sa.func.quarter(local))
    return sa.func.date_format(local, constant(_FORMATS[part]))


def _sqlite_period(local: Element, part: DatePartName) -> Element:
    """SQLite has neither quarters nor, in its older versions, weeks: a week belongs to its Thursday's year."""
    if part == "quarter":
        month = sa.cast(sa.func.strftime(constant("%m"), local), sa.Integer)
        number = sa.cast((month + _WHOLE[2]) // _WHOLE[3], sa.Text)
        return sa.func.strftime(constant("%Y-Q"), local).op("||")(number)
    if part == "week":
        thursday = sa.func.date(local, constant("-3 days"), constant("weekday 4"))
        day = sa.cast(sa.func.strftime(constant("%j"), thursday), sa.Integer)
        week = (day + _WHOLE[6]) // _WHOLE[7]
        return sa.func.strftime(constant("%Y-W"), thursday).op("||")(sa.func.printf(constant("%02d"), week))
    return sa.func.strftime(constant(_FORMATS[part]), local)


def _on_the_wall(value: Element, zone: tzinfo, dialect: Dialect) -> Element:
    """An instant as the CRM's clock shows it; the server may know no zones, so their changes stand in the text."""
    changes = zone_changes(zone)
    ways = [(value < constant(until), _shifted(value, offset, dialect)) for until, offset in changes[:-1]]
    last = _shifted(value, changes[-1][1], dialect)
    return sa.case(*ways, else_=last) if ways else last


def _shifted(value: Element, offset: timedelta, dialect: Dialect) -> Element:
    seconds = int(offset.total_seconds())
    if seconds == 0:
        return value
    if dialect == "sqlite":
        return sa.func.datetime(value, constant(f"{seconds} seconds"))
    return value + sa.text(f"INTERVAL {seconds} SECOND")


@lru_cache(maxsize=8)
def zone_changes(zone: tzinfo) -> tuple[tuple[str, timedelta], ...]:
    """Return the offsets of a zone from 1970 on, each with the instant in UTC until which it holds.

    The last one holds until the end of what a TIMESTAMP can hold.
    """
    return tuple(_zone_changes(zone))


def _zone_changes(zone: tzinfo) -> Iterator[tuple[str, timedelta]]:
    day = _FIRST
    while day < _LAST:
        following = day + timedelta(days=1)
        if _offset(zone, day) != _offset(zone, following):
            yield f"{_change(zone, day, following):%Y-%m-%d %H:%M:%S}", _offset(zone, day)
        day = following
    yield f"{_LAST:%Y-%m-%d %H:%M:%S}", _offset(zone, _LAST)


def _offset(zone: tzinfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def _change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The first second of a day at which the offset is that of its end."""
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return after


def average(value: Element, metric: Metric, dialect: Dialect) -> Element:
    """Return the mean with the scale of the metric's type, halves away from zero.

    The division carries ten decimals more than are kept: the server cuts what it divides,
    and a quotient that was cut just below a half must not be rounded up.
    """
    if metric.type.kind.name == "number":  # of any scale: there is none to add to
        return sa.func.round(sa.func.avg(value), sa.literal_column(str(NUMBER_DECIMALS)))
    scale = metric.type.scale
    if scale is None or dialect == "sqlite":  # approximate numbers; on SQLite rounded where they are decoded
        return sa.func.avg(value)
    total = sa.func.sum(value) * sa.literal_column("1.0000000000")
    return sa.func.round(total / sa.func.count(value), sa.literal_column(str(scale)))
