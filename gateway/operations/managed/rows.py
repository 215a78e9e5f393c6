"""Rules' lookups and rows -> plans, statements and rows: the I/O side of managed writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gateway.catalog.kinds import ColumnType
from gateway.catalog.model import Catalog, Column, InternalColumn, Table
from gateway.errors import ForbiddenError
from gateway.execution.database import Outcome, Session
from gateway.operations.managed.model import (
    Added,
    DeleteRows,
    FromKey,
    InsertRow,
    Lookup,
    NewKey,
    Row,
    RowWrite,
    UpdateRows,
)
from gateway.query.context import Context
from gateway.query.own import MOST_ASKED, is_narrowed, plan_own
from gateway.query.plan import (
    And,
    Compare,
    Condition,
    DeleteStep,
    Increment,
    InsertStep,
    Order,
    ReadPlan,
    SlotValue,
    UpdateStep,
    WriteStep,
    WrittenColumn,
    WrittenValue,
)
from gateway.sql.cache import StatementCache


def plain_value(column_type: ColumnType, value: Any) -> object:
    """Return a driver's value as rules take it: exact numbers as `Decimal`, moments as `date` and `datetime`."""
    if value is None:
        return None
    kind = column_type.kind.name
    if kind == "decimal":
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-(column_type.scale or 0)))
    if isinstance(value, str) and kind in ("datetime", "timestamp"):
        return None if value.startswith("0000") else datetime.fromisoformat(value)
    if isinstance(value, str) and kind == "date":
        return None if value.startswith("0000") else date.fromisoformat(value[:10])
    kept: object = value
    return kept


def plain_row(columns: Sequence[Column], row: Sequence[Any]) -> dict[str, object]:
    """Return a driver's row by column name, as rules take it."""
    return {column.name: plain_value(column.type, cell) for column, cell in zip(columns, row, strict=True)}


class ManagedRows:
    """Reads what rules look up and writes the rows they add, in the session of one transaction."""

    def __init__(self, catalog: Catalog, statements: StatementCache) -> None:
        self._catalog = catalog
        self._statements = statements
        self._columns: dict[str, Mapping[str, Column]] = {}

    def table(self, name: str) -> Table | None:
        """Return a table by its name without the prefix, None when this database lacks it."""
        return self._catalog.tables.get(self._catalog.prefix + name)

    async def find(
        self, session: Session, lookups: Iterable[Lookup], caller: Context | None = None
    ) -> dict[str, tuple[Row, ...]]:
        """Return the rows of each lookup, and of own ones those that are the ``caller``'s.

        One statement per lookup, and one more for an own one of a table under the caller's row filter.

        Raises:
            ForbiddenError: ``grant_missing`` for a kept row outside.
        """
        return {lookup.name: await self._find(session, lookup, caller) for lookup in lookups}

    async def _find(self, session: Session, lookup: Lookup, caller: Context | None) -> tuple[Row, ...]:
        table = self.table(lookup.table)
        columns = self._readable(table) if table is not None else {}
        if table is None or any(name not in columns for name in _named(lookup)):
            return ()
        values: list[object] = []
        condition = _condition(columns, lookup.where, values)
        if lookup.limit is not None:
            values.append(lookup.limit)
        optional = (name for name in lookup.optional if name in columns)
        chosen = tuple(columns[name] for name in (*lookup.columns, *optional))
        is_own = lookup.is_own and is_narrowed(caller, table)
        if is_own:
            chosen = tuple(dict.fromkeys((*chosen, *table.key)))
        plan = ReadPlan(
            table,
            chosen,
            condition,
            tuple(Order(columns[name.removeprefix("-")], name.startswith("-")) for name in lookup.order),
            limit=len(values) - 1 if lookup.limit is not None else None,
            is_locking=lookup.is_locking,
        )
        statement = self._statements.read(plan)
        rows = (await session.run(statement.text, statement.bind(tuple(values)))).rows
        found = tuple(plain_row(chosen, row) for row in rows)
        return await self._own(session, table, lookup, found, caller) if is_own and caller is not None else found

    async def _own(
        self, session: Session, table: Table, lookup: Lookup, rows: tuple[Row, ...], caller: Context
    ) -> tuple[Row, ...]:
        """Those of some rows that are the caller's."""
        key = table.key[0].name if table.key else ""
        own = await self.own_keys(session, table, [row.get(key) for row in rows], caller)
        if any(row.get(key) in lookup.kept for row in rows if row.get(key) not in own):
            raise _outside(table)
        return tuple(row for row in rows if row.get(key) in own)

    async def own_keys(
        self, session: Session, table: Table, keys: Sequence[object], caller: Context
    ) -> AbstractSet[object]:
        """Return which of some keys are those of rows that the caller's row filter lets through.

        None are where a table has no key of one column: what cannot be told is refused.
        """
        own: set[object] = set()
        for start in range(0, len(keys) if len(table.key) == 1 else 0, MOST_ASKED):
            plan, values = plan_own(caller, table, keys[start : start + MOST_ASKED])
            statement = self._statements.read(plan)
            rows = (await session.run(statement.text, statement.bind(values))).rows
            own.update(plain_value(table.key[0].type, row[0]) for row in rows)
        return own

    def _readable(self, table: Table) -> Mapping[str, Column]:
        """What rules read: the columns that clients may see, and the hidden ones that rules go by."""
        found = self._columns.get(table.name)
        if found is None:
            hidden = {name: Column(name, column.type) for name, column in table.internal.items()}
            found = self._columns[table.name] = {**hidden, **table.column_by_name}
        return found

    async def write(
        self, session: Session, writes: Iterable[RowWrite], keys: dict[str, object], caller: Context | None = None
    ) -> None:
        """Write rows in order; ``keys`` has the keys of rows inserted so far and gains those of labelled ones.

        Raises:
            ForbiddenError: ``grant_missing`` where a row that is there would change that is not the ``caller``'s.
        """
        for each in writes:
            table = self.table(each.table)
            if table is None:
                continue
            if not isinstance(each, InsertRow) and caller is not None and is_narrowed(caller, table):
                await self._check_own(session, table, _known(each.where, keys), caller)
            outcome = await self._run(session, table, each, keys)
            if isinstance(each, InsertRow) and each.label is not None:
                keys[each.label] = _key_of(table, each.values) or outcome.last_id

    async def _check_own(self, session: Session, table: Table, where: Row, caller: Context) -> None:
        values: list[object] = []
        condition = _condition(self._readable(table), where, values)
        statement = self._statements.read(ReadPlan(table, table.key, condition, is_locking=True))
        rows = (await session.run(statement.text, statement.bind(tuple(values)))).rows
        reached = [plain_value(table.key[0].type, row[0]) for row in rows] if table.key else []
        if len(await self.own_keys(session, table, reached, caller)) < len(rows):
            raise _outside(table)

    async def _run(self, session: Session, table: Table, write: RowWrite, keys: Mapping[str, object]) -> Outcome:
        values: list[object] = []
        step = _step(table, self._readable(table), write, keys, values)
        statement = self._statements.step(step)
        return await session.run(statement.text, statement.bind(tuple(values)))


def _outside(table: Table) -> ForbiddenError:
    return ForbiddenError(
        "grant_missing", f"The write goes with a row of {table.resource} outside the rows the token may write."
    )


def _named(lookup: Lookup) -> Iterator[str]:
    yield from (*lookup.columns, *lookup.where)
    yield from (name.removeprefix("-") for name in lookup.order)


def _step(
    table: Table,
    readable: Mapping[str, Column],
    write: RowWrite,
    keys: Mapping[str, object],
    values: list[object],
) -> WriteStep:
    columns: dict[str, Column | InternalColumn] = {**table.column_by_name, **table.internal}
    match write:
        case InsertRow():
            return InsertStep(table, _written(columns, write.values, keys, values))
        case UpdateRows():
            written = _written(columns, write.values, keys, values)
            return UpdateStep(table, written, _condition(readable, _known(write.where, keys), values))
        case DeleteRows():
            return DeleteStep(table, _condition(readable, _known(write.where, keys), values))


def _key_of(table: Table, values: Row) -> object:
    """The key that an insert was given, None when the database makes it."""
    return values.get(table.key[0].name) if len(table.key) == 1 else None


def _known(row: Row, keys: Mapping[str, object]) -> Row:
    return {name: _with_key(value, keys) for name, value in row.items()}


def _with_key(value: object, keys: Mapping[str, object]) -> object:
    match value:
        case NewKey(label=label):
            return keys[label]
        case FromKey(make=make, label=label):
            return make(keys[label])
        case _:
            return value


def _written(
    columns: Mapping[str, Column | InternalColumn], row: Row, keys: Mapping[str, object], values: list[object]
) -> tuple[tuple[WrittenColumn, WrittenValue], ...]:
    """The columns of a row that this database has; others came with later versions."""
    return tuple((columns[name], _slot(value, values)) for name, value in _known(row, keys).items() if name in columns)


def _slot(value: object, values: list[object]) -> WrittenValue:
    if isinstance(value, Added):
        return Increment(value.amount)
    values.append(value)
    return SlotValue(len(values) - 1)


def _condition(columns: Mapping[str, Column], where: Row, values: list[object]) -> Condition:
    return And(tuple(_compare(columns[name], value, values) for name, value in where.items()))


def _compare(column: Column, value: object, values: list[object]) -> Compare:
    if value is None:
        return Compare(column, "null")
    if isinstance(value, tuple):
        first = len(values)
        values.extend(value)
        return Compare(column, "in", tuple(range(first, len(values))))
    values.append(value)
    return Compare(column, "eq", (len(values) - 1,))
