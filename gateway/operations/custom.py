"""Custom fields of written rows: rows of the CRM's table of values, in the transaction of the row they belong to.

There is one row per field and record (SEMANTICS 0.9). One that is there is changed, and
so are the second ones that should not be there; an empty value adds no row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.catalog.kinds import parse_sql_type
from gateway.catalog.model import Catalog, Column, CustomField
from gateway.execution.database import Outcome, Session
from gateway.query.plan import And, Compare, InsertStep, SlotValue, UpdateStep, WriteStep
from gateway.sql.cache import StatementCache
from gateway.sql.custom import DEFINITION, ENTITY, REFERENCE, VALUE

_TEXT: Final = parse_sql_type("mediumtext")
_NUMBER: Final = parse_sql_type("int(11)")

Texts = Iterable[tuple[CustomField, str]]
"""Custom fields, each with the text of its new value, empty for none."""


class CustomValues:
    """Writes the custom fields of one catalog's rows."""

    def __init__(self, catalog: Catalog, statements: StatementCache) -> None:
        self._catalog = catalog
        self._statements = statements
        self._columns = (
            Column(REFERENCE, _NUMBER),
            Column(DEFINITION, _NUMBER),
            Column(ENTITY, _TEXT),
            Column(VALUE, _TEXT),
        )

    async def add(self, session: Session, key: object, texts: Texts) -> None:
        """Write the fields of a row that the database has just numbered. One statement each."""
        for field, text in texts:
            if text:
                await self._run(session, self._insert(field), key, field, text)

    async def change(self, session: Session, key: object, texts: Texts) -> None:
        """Write the fields of a row that may have some already. At most two statements each."""
        for field, text in texts:
            outcome = await self._run(session, self._update(field), key, field, text)
            if not outcome.affected:
                await self.add(session, key, ((field, text),))

    async def _run(self, session: Session, step: WriteStep, key: object, field: CustomField, text: str) -> Outcome:
        statement = self._statements.step(step)
        return await session.run(statement.text, statement.bind((key, field.definition, field.entity, text)))

    def _insert(self, field: CustomField) -> InsertStep:
        values = tuple((column, SlotValue(slot)) for slot, column in enumerate(self._columns))
        return InsertStep(self._catalog.tables[field.values], values)

    def _update(self, field: CustomField) -> UpdateStep:
        *chosen, value = self._columns
        condition = And(tuple(Compare(column, "eq", (slot,)) for slot, column in enumerate(chosen)))
        return UpdateStep(self._catalog.tables[field.values], ((value, SlotValue(len(chosen))),), condition)
