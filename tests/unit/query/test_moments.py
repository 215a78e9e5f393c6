"""Dates and times of clients: ISO forms, date words and their shifts, and what daylight saving does to a wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import format_time
from gateway.query.moments import (
    NonexistentTimeError,
    day_bounds,
    localized,
    parse_moment,
    parse_time_span,
    start_of_day,
)

BERLIN = ZoneInfo("Europe/Berlin")
BEIRUT = ZoneInfo("Asia/Beirut")
"""Its clocks skip the hour after midnight in March and repeat the one before it in October."""

NOW = datetime(2026, 11, 18, 9, 30, 15, tzinfo=UTC)
"""A Wednesday, 10:30:15 in Berlin."""


def moment(text: str, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> date | datetime:
    return parse_moment(text, zone, now)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("@today", date(2026, 11, 18)),
        ("@week_start", date(2026, 11, 16)),
        ("@month_start", date(2026, 11, 1)),
        ("@quarter_start", date(2026, 10, 1)),
        ("@year_start", date(2026, 1, 1)),
        ("@today-30d", date(2026, 10, 19)),
        ("@today+1w", date(2026, 11, 25)),
        ("@today 1w", date(2026, 11, 25)),
        ("@today+1m", date(2026, 12, 18)),
        ("@today-1y", date(2025, 11, 18)),
        ("@month_start-1m", date(2026, 10, 1)),
        ("@month_start+1m-1d", date(2026, 11, 30)),
        ("@year_start+1y-1d", date(2026, 12, 31)),
    ],
)
def test_a_date_word_is_a_day(text: str, due: date) -> None:
    """Words and day shifts stay days; shifts apply from left to right."""
    found = moment(text)

    assert (type(found), found) == (date, due)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("@now", datetime(2026, 11, 18, 10, 30, 15)),
        ("@now-15min", datetime(2026, 11, 18, 10, 15, 15)),
        ("@now 2h", datetime(2026, 11, 18, 12, 30, 15)),
        ("@now-1d", datetime(2026, 11, 17, 10, 30, 15)),
        ("@now+1m", datetime(2026, 12, 18, 10, 30, 15)),
        ("@today+8h", datetime(2026, 11, 18, 8)),
        ("@today-1d+30min", datetime(2026, 11, 17, 0, 30)),
        ("@today+30min-1d", datetime(2026, 11, 17, 0, 30)),
    ],
)
def test_now_and_shifts_by_hours_are_instants(text: str, due: datetime) -> None:
    """An hour or minute makes a moment of a day."""
    assert moment(text) == due.replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("today", "text", "due"),
    [
        (date(2026, 1, 31), "@today+1m", date(2026, 2, 28)),
        (date(2028, 1, 31), "@today+1m", date(2028, 2, 29)),
        (date(2028, 2, 29), "@today+1y", date(2029, 2, 28)),
        (date(2028, 2, 29), "@today-4y", date(2024, 2, 29)),
        (date(2026, 3, 31), "@today-1m", date(2026, 2, 28)),
        (date(2026, 12, 31), "@today+2m", date(2027, 2, 28)),
        (date(2026, 3, 31), "@quarter_start", date(2026, 1, 1)),
        (date(2026, 4, 1), "@quarter_start", date(2026, 4, 1)),
        (date(2026, 11, 16), "@week_start", date(2026, 11, 16)),
        (date(2026, 11, 22), "@week_start", date(2026, 11, 16)),
        (date(2027, 1, 1), "@week_start", date(2026, 12, 28)),
    ],
)
def test_months_end_where_they_end(today: date, text: str, due: date) -> None:
    """A day that the other month lacks becomes its last; a week begins on Monday, across years too."""
    assert moment(text, datetime(today.year, today.month, today.day, 12, tzinfo=UTC)) == due


def test_the_day_is_that_of_the_crms_wall() -> None:
    """An evening in London is the next day in Berlin."""
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)

    assert moment("@today", late) == date(2026, 7, 1)
    assert moment("@month_start", late) == date(2026, 7, 1)


def test_hours_pass_as_the_world_counts_them() -> None:
    """In the night the clocks go back, 24 hours after midnight are 23:00 of the same day."""
    assert moment("@today+24h", datetime(2026, 10, 25, 9, tzinfo=UTC)) == datetime(2026, 10, 25, 23, tzinfo=BERLIN)


def test_days_are_counted_before_the_first_instant_is_looked_for() -> None:
    """A day that begins at one o'clock does not move the days after it."""
    sunday = datetime(2026, 3, 29, 9, tzinfo=UTC)

    assert moment("@today+0h", sunday, BEIRUT) == datetime(2026, 3, 29, 1, tzinfo=BEIRUT)
    assert moment("@today+1d+0h", sunday, BEIRUT) == datetime(2026, 3, 30, 0, tzinfo=BEIRUT)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("2026-03-31", date(2026, 3, 31)),
        ("2028-02-29", date(2028, 2, 29)),
        ("2026-07-01T10:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01 10:00:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01t10:00:00z", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00.5Z", datetime(2026, 7, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-07-01T10:00:00.123456789Z", datetime(2026, 7, 1, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-07-01T10:00+04:00", datetime(2026, 7, 1, 6, tzinfo=UTC)),
        ("2026-07-01T10:00 04:00", datetime(2026, 7, 1, 6, tzinfo=UTC)),
        ("2026-07-01T10:00:00 0400", datetime(2026, 7, 1, 6, tzinfo=UTC)),
        ("2026-07-01T10:00:00-03:30", datetime(2026, 7, 1, 13, 30, tzinfo=UTC)),
    ],
)
def test_iso_forms_are_read(text: str, due: date) -> None:
    """With and without seconds and offset; a plus that a URL made a space is a plus."""
    assert moment(text) == due


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "@tomorrow",
        "@today-",
        "@today-1",
        "@today-1q",
        "@today1d",
        "@today-1234567d",
        "@TODAY",
        "2026-02-30",
        "2026-2-3",
        "20260203",
        "2026-03-31T",
        "2026-03-31T25:00",
        "2026-03-31T10:60",
        "2026-03-31T10:00+99:00",
        "0000-00-00",
        "\u0662026-03-31",
        "@today-\u0663d",
        "2026-03-31\n",
        "2026-W12-1",
    ],
)
def test_anything_else_is_no_date(text: str) -> None:
    """Only ASCII digits and the forms above."""
    with pytest.raises(ValueError, match=r"^"):
        moment(text)


@pytest.mark.parametrize("text", ["@today-9999y", "@today+999999w", "@today-999999m", "@now+999999y", "@today+9999y"])
def test_a_shift_beyond_the_calendar_is_refused(text: str) -> None:
    """Years 1 to 9999 exist."""
    with pytest.raises(OverflowError):
        moment(text)


@pytest.mark.parametrize(
    ("zone", "wall"),
    [
        (BERLIN, datetime(2026, 3, 29, 2, 30)),
        (BEIRUT, datetime(2026, 3, 29, 0, 0)),
        (BEIRUT, datetime(2026, 3, 29, 0, 59)),
    ],
)
def test_a_time_that_the_clocks_skip_does_not_exist(zone: ZoneInfo, wall: datetime) -> None:
    """It is refused, not moved."""
    with pytest.raises(NonexistentTimeError):
        localized(wall, zone)
    with pytest.raises(NonexistentTimeError):
        parse_moment(wall.isoformat(), zone, NOW)


def test_an_ambiguous_hour_takes_the_first_offset() -> None:
    """02:30 of the night the clocks go back is still summer time."""
    assert localized(datetime(2026, 10, 25, 2, 30), BERLIN).utcoffset() == timedelta(hours=2)
    assert localized(datetime(2026, 10, 24, 23, 30), BEIRUT).utcoffset() == timedelta(hours=3)


def test_an_offset_is_taken_at_its_word() -> None:
    """Also in the hour that exists twice."""
    second = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=1)))

    assert localized(second, BERLIN).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "first", "hours"),
    [
        (BERLIN, date(2026, 3, 29), "2026-03-29T00:00:00+01:00", 23),
        (BERLIN, date(2026, 10, 25), "2026-10-25T00:00:00+02:00", 25),
        (BEIRUT, date(2026, 3, 29), "2026-03-29T01:00:00+03:00", 23),
        (BEIRUT, date(2026, 10, 24), "2026-10-24T00:00:00+03:00", 25),
    ],
)
def test_a_day_lasts_as_long_as_it_does(zone: ZoneInfo, day: date, first: str, hours: int) -> None:
    """It begins at its first instant, and ends where the next one begins."""
    start, end = day_bounds(day, zone)

    assert start_of_day(day, zone).isoformat() == start.isoformat() == first
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)


def test_the_last_day_has_no_next() -> None:
    """The calendar ends there, so its bounds cannot be told."""
    with pytest.raises(OverflowError):
        day_bounds(date.max, BERLIN)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("10:30", timedelta(hours=10, minutes=30)),
        ("25:01:02", timedelta(hours=25, minutes=1, seconds=2)),
        ("-838:59:59", -timedelta(hours=838, minutes=59, seconds=59)),
        ("+0:00:01", timedelta(seconds=1)),
        ("00:00:00.25", timedelta(milliseconds=250)),
    ],
)
def test_a_time_may_exceed_a_day_and_be_negative(text: str, due: timedelta) -> None:
    """As MySQL's TIME may."""
    assert parse_time_span(text) == due


@pytest.mark.parametrize("text", ["", "10", "10:60", "10:00:60", "839:00:00", "838:59:59.5", "1e1:00", "\uff110:00"])
def test_other_times_are_refused(text: str) -> None:
    """Nothing is cut to fit."""
    with pytest.raises(ValueError, match=r"^"):
        parse_time_span(text)


@given(st.timedeltas(-timedelta(hours=838, minutes=59, seconds=59), timedelta(hours=838, minutes=59, seconds=59)))
def test_what_is_printed_is_read_back(span: timedelta) -> None:
    """The reply's form of a TIME is accepted as input."""
    assert parse_time_span(format_time(span)) == span


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)))
def test_every_instant_of_a_reply_is_read_back(instant: datetime) -> None:
    """RFC 3339 with offset out, the same instant in."""
    shown = instant.astimezone(BERLIN)
    if shown.utcoffset() is not None and not (shown.utcoffset() or timedelta()).seconds % 60:
        assert moment(shown.isoformat()) == instant
