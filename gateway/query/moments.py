"""Dates and times as clients write them: ISO forms, date words, the CRM's wall clock.

What comes in: text such as ``2026-03-31``, ``2026-03-31T10:00:00+04:00`` or
``@month_start-1m``, the CRM's zone and the moment of the request. What goes out: a
`date` (a whole day) or an aware `datetime` (an instant). Pure: the clock is handed in.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

Moment = date | datetime

_WORD: Final = re.compile(
    r"@(now|today|week_start|month_start|quarter_start|year_start)((?:[+\- ]\d{1,6}(?:min|[ymwdh]))*)", re.ASCII
)
_SHIFT: Final = re.compile(r"([+\- ])(\d{1,6})(min|[ymwdh])", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|z|[+\- ]\d{2}:?\d{2})?", re.ASCII
)
_TIME: Final = re.compile(r"([+-]?)(\d{1,3}):([0-5]\d)(?::([0-5]\d)(\.\d{1,6})?)?", re.ASCII)
_LONGEST_TIME: Final = timedelta(hours=838, minutes=59, seconds=59)

DATE_WORDS: Final = ("@today", "@now", "@week_start", "@month_start", "@quarter_start", "@year_start")


class NonexistentTimeError(ValueError):
    """A local time that the zone's clocks skip."""


def parse_moment(text: str, zone: tzinfo, now: datetime) -> Moment:
    """Return the day or the instant that ``text`` means.

    A date word is a day, unless it is ``@now`` or shifted by hours or minutes.
    A space where a sign is due is a ``+`` that a URL lost.

    Raises:
        ValueError: the text is no date; `NonexistentTimeError` for a skipped local time.
        OverflowError: the date is beyond the years 1 to 9999.
    Source: SPEC section 4, "Date words"; RFC 3339 for the ISO forms.
    """
    match = _WORD.fullmatch(text)
    if match is not None:
        return _word_moment(match[1], match[2], zone, now)
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    instant = _INSTANT.fullmatch(text)
    if instant is None:
        raise ValueError(text)
    day, time, offset = instant.groups("")
    return localized(datetime.fromisoformat(f"{day}T{time}{offset.replace(' ', '+').upper()}"), zone)


def _word_moment(word: str, shifts: str, zone: tzinfo, now: datetime) -> Moment:
    local = now.astimezone(zone)
    steps = [(int(sign.replace(" ", "+") + number), unit) for sign, number, unit in _SHIFT.findall(shifts)]
    moment: Moment = local if word == "now" else _word_day(word, local.date())
    for amount, unit in steps:
        if unit in ("h", "min") and not isinstance(moment, datetime):
            moment = start_of_day(moment, zone)
        moment = _shifted(moment, amount, unit)
    return moment


def _word_day(word: str, today: date) -> date:
    if word == "week_start":
        return today - timedelta(days=today.weekday())
    if word == "month_start":
        return today.replace(day=1)
    if word == "quarter_start":
        return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    if word == "year_start":
        return today.replace(month=1, day=1)
    return today


def _shifted(start: Moment, amount: int, unit: str) -> Moment:
    if unit in ("y", "m"):
        return _months_later(start, amount * (12 if unit == "y" else 1))
    if unit in ("h", "min") and isinstance(start, datetime):
        return _elapsed(start, timedelta(hours=amount) if unit == "h" else timedelta(minutes=amount))
    return start + timedelta(days=amount * (7 if unit == "w" else 1))


def _elapsed(start: datetime, span: timedelta) -> datetime:
    """Hours pass on the clock of the world, not of the wall: across a change of summer time too."""
    return (start.astimezone(UTC) + span).astimezone(start.tzinfo)


def _months_later(start: Moment, months: int) -> Moment:
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("the date is out of range")
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def localized(moment: datetime, zone: tzinfo) -> datetime:
    """Return an aware moment in ``zone``; one without an offset is CRM time.

    An ambiguous hour takes the first offset.

    Raises:
        NonexistentTimeError: the zone's clocks skip this local time.
    Source: SPEC section 3, "Types and values".
    """
    if moment.tzinfo is not None:
        return moment.astimezone(zone)
    local = moment.replace(tzinfo=zone, fold=0)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise NonexistentTimeError(moment.isoformat())
    return local


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a day in a zone, also where its clocks skip midnight.

    Raises:
        OverflowError: a day at the very beginning or end of the calendar.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return midnight.astimezone(UTC).astimezone(zone)


def day_bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first instant of a day and that of the day after.

    Raises:
        OverflowError: a day at the very beginning or end of the calendar.
    """
    return start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)


def parse_time_span(text: str) -> timedelta:
    """Return a TIME value, which may exceed a day and be negative.

    >>> parse_time_span("-01:02:03") == -timedelta(hours=1, minutes=2, seconds=3)
    True

    Raises:
        ValueError: not ``[-]HHH:MM[:SS[.ffffff]]`` within 838:59:59.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    sign, hours, minutes, seconds, fraction = match.groups()
    micros = int((fraction or ".0")[1:].ljust(6, "0"))
    span = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0), microseconds=micros)
    if span > _LONGEST_TIME:
        raise ValueError(text)
    return -span if sign == "-" else span
