"""Values that only the CRM's own rows can tell: who acts, which currency, which lead status.

Each is read in the transaction of the write that needs it, from tables that may be
internal: no client text is resolved there (SPEC section 4, "Writes").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from gateway.catalog.model import Catalog, Column, FillerKind, Table
from gateway.errors import Issue, UnavailableError, ValidationError
from gateway.execution.database import Session
from gateway.query.judged import pointer
from gateway.query.own import is_narrowed, plan_own
from gateway.query.plan import And, Compare, CompareOperator, InsertStep, Order, PendingFill, ReadPlan, SlotValue
from gateway.query.writes import PlannedWrite, with_value
from gateway.sql.cache import StatementCache

ADMIN_REUSE_S: Final = 2.0
_CLIENT_COLUMNS: Final = ("clientid", "client")
_Test = tuple[str, CompareOperator, object]


class Fills:
    """The pending values of one catalog's writes. ``staff_id`` is the setting, 0 for none."""

    def __init__(
        self, catalog: Catalog, statements: StatementCache, staff_id: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self._catalog = catalog
        self._statements = statements
        self._staff_id = staff_id
        self._clock = clock
        self._admin: tuple[object, float] = (None, 0.0)

    def ready(self, planned: PlannedWrite, acting_staff: int | None) -> PlannedWrite | None:
        """Return a write whose pending values are all known without asking, None when one is not."""
        for slot, pending in planned.pending:
            known = self._known(pending, acting_staff)
            if known is None:
                return None
            planned = with_value(planned, slot, known)
        return planned

    def _known(self, pending: PendingFill, acting_staff: int | None) -> object:
        if pending.filler.kind != "acting_staff":
            return None
        return self._staff(acting_staff)

    async def value(
        self, session: Session, planned: PlannedWrite, pending: PendingFill, acting_staff: int | None
    ) -> object:
        """Return the value of one pending column. At most two statements.

        Raises:
            UnavailableError: ``no_acting_staff``.
            ValidationError: ``fields_invalid`` when the CRM has no row to choose from.
        """
        kind: FillerKind = pending.filler.kind
        if kind == "acting_staff":
            return self._known(pending, acting_staff) or await self._first_admin(session)
        if kind == "client_currency":
            found = await self._currency(session, planned)
        elif kind == "lead_status":
            found = await self._lead_status(session)
        else:
            found = await self._lead_source(session)
        if found is None:
            message = f"{pending.column} must be given: the CRM has no default for it"
            issue = Issue(message, pointer=pointer(pending.column), code="required")
            raise ValidationError("fields_invalid", f"Fields are at fault: {pending.column}.", issues=[issue])
        return found

    async def acting(self, session: Session, acting_staff: int | None) -> int:
        """Return the staff id that a write names. At most one statement.

        Raises:
            UnavailableError: ``no_acting_staff``.
        """
        known = self._staff(acting_staff)
        return int(str(known if known is not None else await self._first_admin(session)))

    def _staff(self, acting_staff: int | None) -> object:
        staff, asked_at = self._admin
        is_recent = self._clock() - asked_at < ADMIN_REUSE_S
        return acting_staff or self._staff_id or (staff if is_recent else None)

    async def _first_admin(self, session: Session) -> object:
        """The first active administrator, remembered for `ADMIN_REUSE_S`: most creates need one."""
        staff = await self._first(session, "staff", "staffid", [("active", "eq", 1), ("admin", "eq", 1)])
        if staff is None:
            raise UnavailableError(
                "no_acting_staff",
                "The write must name a staff member, and no active administrator exists: set GATEWAY_STAFF_ID, "
                "or create the token with --staff.",
                headers={"Retry-After": "60"},
            )
        self._admin = (staff, self._clock())
        return staff

    async def _currency(self, session: Session, planned: PlannedWrite) -> object:
        """The customer's own currency, else the base currency (SEMANTICS 2); a customer outside tells nothing."""
        client = _given(planned, _CLIENT_COLUMNS)
        if client and await self._is_callers(session, planned, client):
            tests: list[_Test] = [("userid", "eq", client), ("default_currency", "ne", 0)]
            own = await self._first(session, "clients", "default_currency", tests)
            if own is not None:
                return own
        return await self._first(session, "currencies", "id", [("isdefault", "eq", 1)])

    async def _is_callers(self, session: Session, planned: PlannedWrite, client: object) -> bool:
        """Whether the caller's row filter lets a customer through; asked only where there is one."""
        table, caller = self._catalog.tables.get(self._catalog.prefix + "clients"), planned.caller
        if table is None or caller is None or not is_narrowed(caller, table):
            return True
        plan, values = plan_own(caller, table, [client])
        statement = self._statements.read(plan)
        return bool((await session.run(statement.text, statement.bind(values))).rows)

    async def _lead_status(self, session: Session) -> object:
        chosen = await self._option(session, "leads_default_status")
        if chosen is not None:
            return chosen
        order = ("statusorder", "id")
        ordinary = await self._first(session, "leads_status", "id", [("isdefault", "eq", 0)], order)
        return ordinary if ordinary is not None else await self._first(session, "leads_status", "id", [], order)

    async def _lead_source(self, session: Session) -> object:
        chosen = await self._option(session, "leads_default_source")
        return chosen if chosen is not None else await self._first(session, "leads_sources", "id", [])

    async def _option(self, session: Session, name: str) -> int | None:
        value = await self._first(session, "options", "value", [("name", "eq", name)], ("id",))
        text = str(value) if value is not None else ""
        return int(text) if text.isdecimal() and text != "0" else None

    async def _first(
        self, session: Session, table_name: str, field: str, tests: Sequence[_Test], order: Sequence[str] = ()
    ) -> object:
        """The field of the first row that passes the tests, None when there is none or no such table."""
        table = self._catalog.tables.get(self._catalog.prefix + table_name)
        columns = table.column_by_name if table is not None else {}
        names = (field, *(name for name, _, _ in tests), *order)
        if table is None or any(name not in columns for name in names):
            return None
        return await self._read(session, table, columns[field], [(columns[n], op, v) for n, op, v in tests], order)

    async def _read(
        self,
        session: Session,
        table: Table,
        field: Column,
        tests: Sequence[tuple[Column, CompareOperator, object]],
        order: Sequence[str],
    ) -> object:
        condition = And(tuple(Compare(column, operator, (slot,)) for slot, (column, operator, _) in enumerate(tests)))
        columns = table.column_by_name
        sorting = tuple(Order(columns[name]) for name in order) or (Order(field),)
        plan = ReadPlan(table, (field,), condition, sorting, limit=len(tests))
        statement = self._statements.read(plan)
        values = (*(value for _, _, value in tests), 1)
        rows = (await session.run(statement.text, statement.bind(values))).rows
        return rows[0][0] if rows else None


def _given(planned: PlannedWrite, names: Sequence[str]) -> object:
    """The value that an insert writes into the first of some columns it has."""
    step = planned.plan.steps[0]
    assert isinstance(step, InsertStep)
    for column, value in step.values:
        if column.name in names and isinstance(value, SlotValue):
            return planned.values[value.slot]
    return None
