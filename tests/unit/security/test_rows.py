"""Row filters as text."""

from __future__ import annotations

import pytest

from gateway.errors import ConfigurationError
from gateway.query.intent import ConditionIntent
from gateway.security.rows import parse_row_filter


@pytest.mark.parametrize(
    ("text", "path", "operand"),
    [
        ("clientid=12", ("clientid",), "12"),
        ("invoice.clientid=12", ("invoice", "clientid"), "12"),
        ("total.gte=1000", ("total", "gte"), "1000"),
        ("status.in=1,2", ("status", "in"), "1,2"),
        ("deleted.null=1", ("deleted", "null"), "1"),
        ("custom.region=north", ("custom", "region"), "north"),
        ("note=a=b", ("note",), "a=b"),
        (" clientid = 12 ", ("clientid",), "12"),
        ("note=", ("note",), ""),
    ],
)
def test_a_row_filter_is_what_stands_in_a_clients_filter(text: str, path: tuple[str, ...], operand: str) -> None:
    """The same path, operator and operand; an error about it shows the text."""
    assert parse_row_filter(text) == ConditionIntent(path, operand, text)


@pytest.mark.parametrize("text", ["", "clientid", "=12", ".clientid=12", "a..b=1", "a.=1", " =1", "a\nb=1"])
def test_what_names_no_field_is_refused(text: str) -> None:
    """With the form that is due."""
    with pytest.raises(ConfigurationError, match="clientid=12"):
        parse_row_filter(text)
