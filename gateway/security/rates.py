"""Rates as an administrator writes them: ``600/min`` is at most 600 requests in any 60 seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.errors import ConfigurationError

_SPANS: Final = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3_600, "hour": 3_600, "d": 86_400}
_RATE: Final = re.compile(r"(\d{1,12})\s*/\s*(\d{0,5})\s*([a-z]+)")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` requests in any ``window_s`` seconds."""

    limit: int
    window_s: int

    def __str__(self) -> str:
        unit, seconds = next(
            ((name, span) for name, span in (("d", 86_400), ("h", 3_600), ("min", 60)) if self.window_s % span == 0),
            ("s", 1),
        )
        count = self.window_s // seconds
        return f"{self.limit}/{count if count > 1 else ''}{unit}"


def parse_rate(text: str) -> Rate | None:
    """Return a rate, None for ``off``.

    >>> parse_rate("600/min")
    Rate(limit=600, window_s=60)
    >>> str(parse_rate("50/10s")), parse_rate("off")
    ('50/10s', None)

    Raises:
        ConfigurationError: it is no rate, or none of at least 1.
    """
    if text.strip().lower() in ("off", "0", ""):
        return None
    found = _RATE.fullmatch(text.strip().lower())
    if found is None or found[3] not in _SPANS or int(found[1]) < 1 or int(found[2] or 1) < 1:
        raise ConfigurationError(f'"{text}" is no rate: write 600/min, 20/s, 50/10s or 10000/h, or off for none.')
    return Rate(int(found[1]), int(found[2] or 1) * _SPANS[found[3]])
