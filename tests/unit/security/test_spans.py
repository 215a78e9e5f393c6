"""Spans and moments as administrators write them."""

from __future__ import annotations

import pytest

from gateway.security.spans import span_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("30min", 1_800), ("12h", 43_200), ("90d", 7_776_000), ("2w", 1_209_600), ("0s", 0)],
)
def test_a_span_is_a_number_with_a_unit(text: str, seconds: int) -> None:
    """Seconds, minutes, hours, days or weeks."""
    assert span_s(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "d", "1.5h", "-1d", "1 h", "1y", "1m", "٣d", "1h30min"])
def test_anything_else_is_no_span(text: str) -> None:
    """``1m`` is refused because it could be a minute or a month."""
    assert span_s(text) is None
