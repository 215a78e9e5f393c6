"""How many objects a reply may come to, by the limits of its lists.

Every object counts one: a row, an edge, a group, ``sum { … }``. A list counts its limit times what one of its
objects counts. Rows nested in those that a mutation creates count one each. What an access or a relationship
narrows later is not looked at: the same document costs the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.graphql.meaning import Change, Connection, Groups, Nested, Own, Rows
from gateway.graphql.selection import Selected
from gateway.graphql.writing import nested
from gateway.query.embeds import DEFAULT_LIMIT as DEFAULT_NESTED
from gateway.query.planner import DEFAULT_PER_PAGE

_LISTS: Final = frozenset({"nodes", "edges", "rows"})


def complexity(fields: tuple[Selected, ...]) -> int:
    """Return how many objects the fields of an operation may come to."""
    return sum(_objects(each, 1) for each in fields)


def _objects(selected: Selected, page: int) -> int:
    """The objects under one field; ``page`` is the limit of the connection, groups or mutation that it belongs to."""
    arguments = selected.arguments
    match selected.meaning:
        case Rows():
            return _size(arguments, "limit", DEFAULT_PER_PAGE) * (1 + _inside(selected, 1))
        case Nested(relationship=edge) if edge.is_to_many:
            return _size(arguments, "limit", DEFAULT_NESTED) * (1 + _inside(selected, 1))
        case Connection():
            return 1 + _inside(selected, _size(arguments, "first", DEFAULT_PER_PAGE))
        case Groups():
            return 1 + _inside(selected, _size(arguments, "limit", DEFAULT_PER_PAGE))
        case Change(operation="create", is_plural=is_plural):
            rows = arguments["input"] or () if is_plural else (arguments["input"] or {},)
            return len(rows) * (1 + _inside(selected, 1)) + nested(rows)
        case Change(is_plural=True):
            most = _size(arguments, "maxAffected", 0)
            return max(most, 1 + _inside(selected, most))
        case Own(name=name) if name in _LISTS:
            return page * (1 + _inside(selected, 1))
        case _:
            return 1 + _inside(selected, page) if selected.parts else 0


def _inside(selected: Selected, page: int) -> int:
    return sum(_objects(each, page) for each in selected.parts if not each.scalar)  # most are leaves


def _size(arguments: Mapping[str, Any], name: str, default: int) -> int:
    """The limit that was named; one out of range is the planner's to refuse."""
    value = arguments.get(name)
    return max(int(value), 0) if value is not None else default
