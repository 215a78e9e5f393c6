"""Spans and moments as administrators write them: ``90d``, ``1h``, ``2027-01-01``, ``2027-01-01T12:00:00Z``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"([0-9]{1,9})(s|min|h|d|w)")
MOST_SPAN_S: Final = 100 * 366 * 86_400


def span_s(text: str) -> int | None:
    """Return the seconds of a span, None when it is none.

    >>> span_s("90d")
    7776000
    """
    match = _SPAN.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2]] if match else None


def moment_of(text: str, now: datetime) -> datetime | None:
    """Return the moment that a span from now, a day (when it begins in UTC) or an RFC 3339 moment means, to the second.

    None when it is neither, or is a span of more than a hundred years.

    >>> moment_of("2027-01-01", datetime.now(UTC)).isoformat()
    '2027-01-01T00:00:00+00:00'
    """
    seconds = span_s(text)
    if seconds is not None:
        return now + timedelta(seconds=seconds) if seconds <= MOST_SPAN_S else None
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return _moment_with_zone(text)


def _moment_with_zone(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None or "T" not in text.upper():
        return None
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return None
