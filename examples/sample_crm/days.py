"""Dates as the CRM stores them, counted in days from ``today``.

The sample CRM lives in Asia/Dubai, which has been UTC+4 without daylight saving since 1920: a fixed offset is exact.
"""

from datetime import UTC, date, datetime, timedelta, timezone

CRM_ZONE_NAME = "Asia/Dubai"
CRM_ZONE = timezone(timedelta(hours=4))
_PAST, _FUTURE = 4000, 1500
_EPOCH = date(1970, 1, 1).toordinal()
_ZONE_SECONDS = 4 * 3600


def crm_today() -> date:
    """Return the current date on the CRM's own wall clock."""
    return datetime.now(UTC).astimezone(CRM_ZONE).date()


class Days:
    """The calendar around ``today``; an offset of -1 is yesterday, +1 tomorrow."""

    __slots__ = ("_texts", "first", "month_start", "today")

    def __init__(self, today: date) -> None:
        self.today = today
        base = today.toordinal()
        self._texts = [date.fromordinal(base + offset).isoformat() for offset in range(-_PAST, _FUTURE)]
        self.month_start = 1 - today.day
        self.first = min(-730, self.offset(date(2025, 1, 1)))
        """Where the books begin: two years back at least, and never later than the start of 2025."""

    def offset(self, day: date) -> int:
        """Return how many days after today ``day`` is."""
        return day.toordinal() - self.today.toordinal()

    def text(self, offset: int) -> str:
        """Return the day as ``YYYY-MM-DD``."""
        return self._texts[offset + _PAST]

    def stamp(self, offset: int, second: int) -> str:
        """Return a moment as ``YYYY-MM-DD HH:MM:SS``.

        On today itself the clock runs eight times slower, so that an ordinary office hour is not in the future.
        """
        clock = second >> 3 if offset == 0 else second
        return f"{self._texts[offset + _PAST]} {clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}"

    def unix(self, offset: int, second: int) -> int:
        """Return a moment as seconds since 1970 in UTC, with ``stamp``'s reading of today."""
        clock = second >> 3 if offset == 0 else second
        return (self.today.toordinal() + offset - _EPOCH) * 86400 + clock - _ZONE_SECONDS
