"""Spans and days as people write them on a command line: ``90d``, ``1h``, ``2027-01-01``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

_UNITS: Final = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"([0-9]{1,9})(s|min|h|d|w)")
_MOST_S: Final = 100 * 366 * 86_400


class Span(click.ParamType[int]):
    """A number with a unit, as whole seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds of a span, at most a hundred years."""
        seconds = value if isinstance(value, int) else span_s(value)
        if seconds is None or seconds > _MOST_S:
            self.fail(f"{value!r} is not a span of at most 100 years: write 45s, 30min, 12h, 90d or 2w.", param, ctx)
        return seconds


class Moment(click.ParamType[datetime]):
    """A span from now, or a day: the moment it begins in UTC."""

    name = "span or day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return a moment to come, to the second."""
        if isinstance(value, datetime):
            return value
        now = datetime.now(UTC).replace(microsecond=0)
        moment = _moment_of(value, now)
        if moment is None:
            self.fail(f"{value!r} is neither a span (90d, 12h) nor a day (2027-01-01).", param, ctx)
        if moment <= now:
            self.fail(f"{value!r} has passed: a token must end in the future.", param, ctx)
        return moment


def span_s(text: str) -> int | None:
    """Return the seconds of a span, None when it is none.

    >>> span_s("90d")
    7776000
    """
    match = _SPAN.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2]] if match else None


def _moment_of(text: str, now: datetime) -> datetime | None:
    seconds = span_s(text)
    if seconds is not None:
        return now + timedelta(seconds=seconds) if seconds <= _MOST_S else None
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
