"""Statements of plans as text a reviewer can read, for one dialect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.query.aggregates import PlannedGroups
from gateway.query.plan import AggregatePlan, Embed, Node
from gateway.query.planner import PlannedRead
from gateway.query.writes import PlannedWrite
from gateway.sql.cache import StatementCache
from gateway.sql.statement import Constant, LinkValue, Statement

DEADLINE_S = 0.25
PARENTS = (1, 4)
"""For how many parents the statements of embeds are shown."""


def read_statements(cache: StatementCache, planned: PlannedRead | PlannedGroups) -> str:
    """Return the statements that a read can lead to: rows or groups, count, parent, embeds."""
    is_grouped = isinstance(planned.plan, AggregatePlan)
    found = [("groups" if is_grouped else "rows", cache.of(planned.plan))]
    if planned.count is not None:
        found.append(("count", cache.count(planned.count)))
    if planned.parent is not None:
        found.append(("parent", cache.read(planned.parent)))
    found.extend(node_statements(cache, planned.plan.nodes))
    return _text(found)


def node_statements(
    cache: StatementCache, nodes: Sequence[Node], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, Statement]]:
    """Yield the statements of what comes along, and inside that in turn, each for one parent and for several."""
    for node in nodes:
        name = (*path, node.name)
        for parents in PARENTS:
            of = f"{parents} parent{'s' if parents > 1 else ''}"
            made = cache.embed(node, parents) if isinstance(node, Embed) else cache.summary(node, parents)
            yield f"{'.'.join(name)} of {of}", made
        yield from node_statements(cache, node.plan.nodes, name)


def write_statements(cache: StatementCache, planned: PlannedWrite) -> str:
    """Return the statements of a write in the order they run."""
    found = [("lock", cache.read(plan)) for plan in planned.plan.reads]
    found.extend((f"dependants: {item.resource or 'other'}", cache.read(item.plan)) for item in planned.dependants)
    found.extend((f"step {number}", cache.step(step)) for number, step in enumerate(planned.plan.steps))
    if planned.plan.result is not None:
        found.append(("read back", cache.read(planned.plan.result)))
    return _text(found)


def changes_statements(cache: StatementCache, parts: Sequence[tuple[str, PlannedRead | PlannedWrite]]) -> str:
    """Return the statements of a request that writes, each part under what it is for."""
    return "\n".join(
        (f"-- # {title}\n" if title else "")
        + (read_statements(cache, part) if isinstance(part, PlannedRead) else write_statements(cache, part))
        for title, part in parts
    )


def _text(found: list[tuple[str, Statement]]) -> str:
    return "\n".join(line for name, statement in found for line in _lines(name, statement))


def _lines(name: str, statement: Statement) -> Iterator[str]:
    parameters = ", ".join(map(_parameter, statement.parameters))
    yield f"-- {name}{f': {parameters}' if parameters else ''}"
    yield from (line.rstrip() for line in statement.text.splitlines())
    yield ""


def _parameter(source: int | Constant | LinkValue) -> str:
    """A slot, a value that the catalog fixes, or what the parents' rows hold."""
    match source:
        case Constant(value=value):
            return repr(value)
        case LinkValue(place=place):
            return f"^{place}"
        case slot:
            return f"${slot}"
