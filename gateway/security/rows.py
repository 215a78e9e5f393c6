"""Row filters as an administrator writes them: ``clientid=12``, ``invoice.clientid=12``, ``status.in=1,2``.

What comes in: one condition as text, the same words that a client puts into ``filter[…]=…``. What goes
out: the intent that the planner resolves. Names are checked against no catalog here: `security.access` does that.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import ConfigurationError
from gateway.query.intent import ConditionIntent

MOST_CONDITIONS: Final = 50
"""Conditions that one token may have in all: each stands in every statement that reaches its table."""

_FORM: Final = "write FIELD=VALUE or FIELD.OPERATOR=VALUE, as in clientid=12, invoice.clientid=12 or total.gte=1000"


def parse_row_filter(text: str) -> ConditionIntent:
    """Return the condition of a row filter; what stands behind the first ``=`` is the value, without blanks around it.

    >>> parse_row_filter("invoice.clientid = 12").path, parse_row_filter("name=a=b").operand
    (('invoice', 'clientid'), 'a=b')

    Raises:
        ConfigurationError: it is not of the form.
    """
    name, equals, operand = text.partition("=")
    path = tuple(segment.strip() for segment in name.split("."))
    if not equals or not all(path) or not name.isprintable():
        raise ConfigurationError(f'"{text}" is no row filter: {_FORM}.')
    return ConditionIntent(path, operand.strip(), text)
