"""Statements of plans as text a reviewer can read, for one dialect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.query.planner import PlannedRead
from gateway.query.writes import PlannedWrite
from gateway.sql.cache import StatementCache
from gateway.sql.statement import Constant, Statement

DEADLINE_S = 0.25


def read_statements(cache: StatementCache, planned: PlannedRead) -> str:
    """Return the statements that a read can lead to: rows, count, estimate, parent."""
    found = [("rows", cache.read(planned.plan))]
    if planned.count is not None:
        found.append(("count", cache.count(planned.count)))
    if planned.parent is not None:
        found.append(("parent", cache.read(planned.parent)))
    return _text(found)


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
    parameters = ", ".join(repr(p.value) if isinstance(p, Constant) else f"${p}" for p in statement.parameters)
    yield f"-- {name}{f': {parameters}' if parameters else ''}"
    yield from (line.rstrip() for line in statement.text.splitlines())
    yield ""
