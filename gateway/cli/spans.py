"""Spans and moments as options of a command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from gateway.security.spans import MOST_SPAN_S, moment_of, span_s


class Span(click.ParamType[int]):
    """A number with a unit, as whole seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds of a span, at most a hundred years."""
        seconds = value if isinstance(value, int) else span_s(value)
        if seconds is None or seconds > MOST_SPAN_S:
            self.fail(f"{value!r} is not a span of at most 100 years: write 45s, 30min, 12h, 90d or 2w.", param, ctx)
        return seconds


class Moment(click.ParamType[datetime]):
    """A span from now, a day, which begins in UTC, or a moment with its zone."""

    name = "span or day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return a moment to come, to the second."""
        if isinstance(value, datetime):
            return value
        now = datetime.now(UTC).replace(microsecond=0)
        moment = moment_of(value, now)
        if moment is None:
            self.fail(f"{value!r} is neither a span (90d, 12h) nor a day (2027-01-01).", param, ctx)
        if moment <= now:
            self.fail(f"{value!r} has passed: a token must end in the future.", param, ctx)
        return moment
