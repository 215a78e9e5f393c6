"""Statements by plan: compiled once per shape, kept as long as the catalog lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import perf_counter
from typing import Generic, TypeVar

from gateway.catalog.model import Catalog
from gateway.query.plan import AggregatePlan, Embed, ReadPlan, Summary, WriteStep
from gateway.sql.embeds import compile_embed
from gateway.sql.groups import compile_group_count, compile_groups
from gateway.sql.read import compile_count, compile_estimate, compile_read
from gateway.sql.statement import Statement
from gateway.sql.summaries import compile_summary
from gateway.sql.write import compile_step
from gateway.timing import spend

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """A mapping that keeps its most recently used entries, at most ``size``."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: dict[Key, Value] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """Return the value of a key and mark it as used, None when there is none."""
        value = self._entries.pop(key, None)
        if value is not None:
            self._entries[key] = value
        return value

    def put(self, key: Key, value: Value) -> Value:
        """Keep a value, dropping the least recently used one when full."""
        self._entries[key] = value
        if len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]
        return value

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now when there is none."""
        value = self.get(key)
        return value if value is not None else self.put(key, make())


class StatementCache:
    """The statements of one catalog.

    ``compiled`` counts what was built since the catalog came; a cached plan adds nothing.
    """

    def __init__(self, catalog: Catalog, size: int, count_deadline_s: float | None) -> None:
        self.catalog = catalog
        self.compiled = 0
        self._deadline_s = count_deadline_s
        self._kept: Recent[Hashable, Statement] = Recent(size)

    def read(self, plan: ReadPlan) -> Statement:
        """Return the statement of a read plan."""
        return self._get_or_make(plan, lambda: self._made(compile_read(self.catalog, plan)))

    def of(self, plan: ReadPlan | AggregatePlan) -> Statement:
        """Return the statement of the rows or of the groups of a plan."""
        return self.read(plan) if isinstance(plan, ReadPlan) else self.groups(plan)

    def groups(self, plan: AggregatePlan) -> Statement:
        """Return the statement of the groups of a plan."""
        return self._get_or_make(("groups", plan), lambda: self._made(compile_groups(self.catalog, plan)))

    def embed(self, embed: Embed, parents: int) -> Statement:
        """Return the statement of what some parents embed."""
        made = compile_embed
        return self._get_or_make(("embed", embed, parents), lambda: self._made(made(self.catalog, embed, parents)))

    def summary(self, summary: Summary, parents: int) -> Statement:
        """Return the statement of the numbers over some parents' rows."""
        made = compile_summary
        return self._get_or_make(
            ("summary", summary, parents), lambda: self._made(made(self.catalog, summary, parents))
        )

    def count(self, plan: AggregatePlan) -> Statement:
        """Return the statement of an exact count, of rows or of groups, with its deadline."""
        made = compile_group_count if plan.is_counted else compile_count
        return self._get_or_make(("count", plan), lambda: self._made(made(self.catalog, plan, self._deadline_s)))

    def estimate(self, plan: AggregatePlan) -> Statement | None:
        """Return the statement of an estimate, None where the database gives none, as of a number of groups."""
        if self.catalog.dialect == "sqlite" or plan.is_counted:
            return None
        made = compile_estimate
        return self._get_or_make(("estimate", plan), lambda: self._made(_present(made(self.catalog, plan))))

    def step(self, step: WriteStep, key_slots: tuple[tuple[int, int], ...] = ()) -> Statement:
        """Return the statement of one step of a write."""
        return self._get_or_make(
            ("step", step, key_slots), lambda: self._made(compile_step(self.catalog, step, dict(key_slots)))
        )

    def _get_or_make(self, key: Hashable, make: Callable[[], Statement]) -> Statement:
        found = self._kept.get(key)
        if found is not None:
            return found
        began = perf_counter()
        made = self._kept.put(key, make())
        spend("compile", perf_counter() - began)
        return made

    def _made(self, statement: Statement) -> Statement:
        self.compiled += 1
        return statement


def _present(statement: Statement | None) -> Statement:
    assert statement is not None
    return statement
