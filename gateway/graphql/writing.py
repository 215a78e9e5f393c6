"""How many rows the mutations of an operation may write, before any of them runs.

REST writes at most 1,000 rows with a request; aliases and variables, which may stand in many places of a document,
do not make it more. Rows nested in others are not among these: as in REST they come on top. They are as many as
the values of a body there, but a variable brings the same ones to many rows, so that complexity counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.graphql.meaning import Change
from gateway.graphql.selection import Selected
from gateway.query.bulk import MOST_ROWS


def written(fields: Iterable[Selected]) -> int:
    """Return how many rows the fields of an operation may write together, by their inputs and ``maxAffected``.

    Of one mutation no more than `MOST_ROWS` are counted: what is over that is its own error.
    """
    return sum(_written(each.meaning, each.arguments) for each in fields if isinstance(each.meaning, Change))


def _written(change: Change, arguments: Mapping[str, Any]) -> int:
    if not change.is_plural:
        return 1
    number = len(arguments["input"] or ()) if change.operation == "create" else int(arguments.get("maxAffected") or 0)
    return min(max(number, 0), MOST_ROWS)


def nested(rows: Iterable[Mapping[str, Any]]) -> int:
    """Return how many rows are nested in those of an input; a list that stands in many of them is looked at once."""
    known: dict[int, int] = {}
    return sum(_nested(row, known) for row in rows)


def _nested(row: Mapping[str, Any], known: dict[int, int]) -> int:
    number = 0
    for value in row.values():
        if isinstance(value, list):
            if id(value) not in known:
                known[id(value)] = sum(1 + _nested(item, known) for item in value if isinstance(item, Mapping))
            number += known[id(value)]
    return number
