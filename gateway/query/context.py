"""What one planning run shares: catalog, access, clock, and the values gathered so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.catalog.model import Catalog, Table
from gateway.errors import ForbiddenError, NotFoundError
from gateway.query.access import OPERATIONS, Access, Operation
from gateway.query.budget import DEFAULT_BUDGET, Budget
from gateway.query.coerce import Clock
from gateway.query.plan import Slot, Values
from gateway.query.suggest import nearest


@dataclass(slots=True)
class Slots:
    """The values beside a plan, in the order their slots were given out.

    ``is_timeless`` turns false when a value depended on the moment of the request:
    such a plan may be kept, its values may not.
    """

    values: list[object] = field(default_factory=list)
    is_timeless: bool = True
    today: Slot | None = None

    def add(self, value: object) -> Slot:
        """Return the slot of a new value."""
        self.values.append(value)
        return len(self.values) - 1

    def frozen(self) -> Values:
        """Return the values gathered so far."""
        return tuple(self.values)


@dataclass(frozen=True, slots=True)
class Context:
    """One planning run. ``random_hex`` gives that many random bytes as hex."""

    catalog: Catalog
    access: Access
    clock: Clock
    slots: Slots
    random_hex: Callable[[int], str] = lambda size: "0" * (2 * size)
    budget: Budget = DEFAULT_BUDGET

    def today(self) -> Slot:
        """Return the slot of the current day, the same one each time."""
        if self.slots.today is None:
            self.slots.is_timeless = False
            self.slots.today = self.slots.add(self.clock.today)
        return self.slots.today


def known_resource(context: Context, resource: str) -> Table:
    """Return the table of a resource on which the caller may do something.

    Raises:
        NotFoundError: ``resource_unknown``, with a suggestion of resources the caller may use.
        ForbiddenError: ``grant_missing``.
    """
    table = context.catalog.resources.get(resource)
    if table is None:
        usable = [name for name, item in context.catalog.resources.items() if context.access.may("read", item)]
        close = nearest(resource, usable)
        hint = f" Did you mean {close}?" if close else ""
        raise NotFoundError("resource_unknown", f"There is no resource {resource!r}.{hint}")
    if not any(context.access.may(operation, table) for operation in OPERATIONS):
        raise ForbiddenError(
            "grant_missing", f"The token has no grant on {table.resource}: it lacks {table.resource}:read."
        )
    return table


def resource_table(context: Context, resource: str, operation: Operation) -> Table:
    """Return the table of a resource that the caller may use for an operation.

    Raises:
        NotFoundError: ``resource_unknown``.
        ForbiddenError: ``grant_missing``, naming the grant.
    """
    table = context.catalog.resources.get(resource) or known_resource(context, resource)
    require_grant(context.access, table, operation)
    return table


def require_grant(access: Access, table: Table, operation: Operation) -> None:
    """Pass when the caller has a grant on a table.

    Raises:
        ForbiddenError: ``grant_missing``, naming the grant.
    """
    if not access.may(operation, table):
        raise ForbiddenError("grant_missing", f"The token lacks the grant {table.resource}:{operation}.")
