"""A read intent -> a read plan: a visible list of small passes, pure from end to end.

Each pass takes the context and the plan so far and returns the next plan. Names
are resolved here and nowhere else, so every front end reports an unknown field alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from gateway.catalog.model import Column, ExpressionField, Field, Relationship, Table
from gateway.errors import MethodError, NotFoundError, RequestError
from gateway.query.access import Access, Grant
from gateway.query.coerce import Clock, RefusedValueError, coerce_operand
from gateway.query.conditions import plan_conditions, plan_search
from gateway.query.context import Context, require_grant, resource_table
from gateway.query.intent import ReadIntent
from gateway.query.plan import AggregatePlan, And, Compare, Condition, Not, Or, Order, Reached, ReadPlan, Slot, Values
from gateway.query.resolve import readable_columns, resolve_field
from gateway.query.suggest import nearest

DEFAULT_PER_PAGE: Final = 25
FURTHEST_OFFSET: Final = 2**62


@dataclass(frozen=True, slots=True)
class PlannedRead:
    """A read plan with its values, and what else the reply needs to know.

    ``count`` shares the plan's values and counts what the plan pages through; None
    for one row. ``parent`` is the plan that tells a missing parent from a parent
    without children. ``is_timeless`` says that the values hold for later requests too.
    """

    plan: ReadPlan
    values: Values
    count: AggregatePlan | None = None
    parent: ReadPlan | None = None
    is_timeless: bool = True
    per_page: int = DEFAULT_PER_PAGE
    offset: int = 0


Pass = Callable[[Context, ReadIntent, ReadPlan], ReadPlan]


def plan_read(context: Context, intent: ReadIntent) -> PlannedRead:
    """Return the plan of a list, of one row (``intent.key``) or of a parent's rows (``intent.origin``).

    A list reads one row more than the page holds, which tells whether another follows.

    Raises:
        NotFoundError: ``resource_unknown``, ``relationship_unknown``.
        ForbiddenError: ``grant_missing``.
        RequestError: whatever in the intent cannot be resolved.
    """
    table = _root(context, intent)
    plan = ReadPlan(table, fields=(), format=intent.format, is_tagged=not _is_list(context, intent))
    for step in PASSES:
        plan = step(context, intent, plan)
    parent = _parent_plan(context, intent)
    counted = AggregatePlan(table, plan.condition, plan.today) if _is_list(context, intent) else None
    return PlannedRead(
        plan,
        context.slots.frozen(),
        counted,
        parent,
        context.slots.is_timeless,
        intent.page.limit if intent.page.limit is not None else DEFAULT_PER_PAGE,
        intent.page.offset,
    )


def _is_list(context: Context, intent: ReadIntent) -> bool:
    if intent.origin is not None:
        return _origin_edge(context, intent)[1].is_to_many
    return intent.key is None


def _root(context: Context, intent: ReadIntent) -> Table:
    if intent.origin is None:
        return resource_table(context, intent.resource, "read")
    _, relationship = _origin_edge(context, intent)
    table = context.catalog.table_of(relationship)
    require_grant(context.access, table, "read")
    return table


def _origin_edge(context: Context, intent: ReadIntent) -> tuple[Table, Relationship]:
    assert intent.origin is not None
    origin = resource_table(context, intent.origin.resource, "read")
    return origin, known_relationship(context, origin, intent.origin.relationship)


def known_relationship(context: Context, origin: Table, name: str) -> Relationship:
    """Return the relationship of a table that a path names.

    Raises:
        NotFoundError: ``relationship_unknown``, with the nearest one the caller may read.
    """
    relationship = origin.relationships.get(name)
    if relationship is None:
        catalog, access = context.catalog, context.access
        edges = origin.relationships.items()
        close = nearest(name, (known for known, edge in edges if access.may("read", catalog.table_of(edge))))
        hint = f" Did you mean {close}?" if close else ""
        raise NotFoundError("relationship_unknown", f"{origin.resource} has no relationship {name!r}.{hint}")
    return relationship


# The passes


def choose_fields(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """Without ``fields`` a row holds the table's own visible columns; ``*`` stands for them."""
    own = readable_columns(context.access, plan.table)
    chosen: dict[str, Field] = {}
    for name in ("*",) if intent.fields is None else intent.fields:
        if name == "*":
            chosen.update((column.name, column) for column in own)
        else:
            chosen[name] = resolve_field(context, plan.table, name, "fields")
    if intent.needs_key:
        chosen.update((column.name, column) for column in plan.table.key)
    return replace(plan, fields=tuple(chosen.values()))


def address_row(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """The key of the path, or the parent that the rows are reached from, is the first condition."""
    if intent.key is not None:
        return replace(plan, condition=key_condition(context, plan.table, intent.key))
    if intent.origin is None:
        return plan
    origin, relationship = _origin_edge(context, intent)
    parent = conjunction(key_condition(context, origin, intent.origin.key), *_row_filter(context, origin))
    return replace(plan, condition=Reached(origin, relationship, parent))


def narrow_rows(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """Filters and search are one conjunction with what stands already."""
    parts: list[Condition] = [plan_conditions(context, plan.table, intent.conditions)]
    if intent.search is not None:
        parts.append(plan_search(context, plan.table, intent.search))
    return replace(plan, condition=conjunction(plan.condition, *parts))


def narrow_access(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """The caller's row filter is part of the plan, whatever else it asks."""
    return replace(plan, condition=conjunction(plan.condition, *_row_filter(context, plan.table)))


def order_rows(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """The key always comes last, so that no two rows tie; without one, every column that sorts."""
    if not _is_list(context, intent) and not _is_picked(context, intent):
        return plan
    order: dict[str, Order] = {}
    for key in intent.order:
        field = resolve_field(context, plan.table, key.field, "sort")
        if field.type.kind.family in ("binary", "document"):
            raise RequestError("sort_syntax", f"{key.field} cannot be sorted by.", parameter="sort")
        if field.name in order:
            raise RequestError("sort_syntax", f"{key.field} stands twice in the sort.", parameter="sort")
        order[field.name] = Order(field, key.descending)
    for column in plan.table.key or _sortable(context.access, plan.table):
        order.setdefault(column.name, Order(column))
    return replace(plan, order=tuple(order.values()))


def _is_picked(context: Context, intent: ReadIntent) -> bool:
    return intent.origin is not None and _origin_edge(context, intent)[1].pick is not None


def _sortable(access: Access, table: Table) -> tuple[Column, ...]:
    return tuple(
        column for column in readable_columns(access, table) if column.type.kind.family not in ("binary", "document")
    )


def note_today(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """A derived field that compares with the current day takes it from a slot."""
    return with_today(context, plan)


def cut_page(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """At most the page and one row more; a size over the cap is refused, never cut."""
    if not _is_list(context, intent):
        return replace(plan, limit=context.slots.add(1)) if _is_picked(context, intent) else plan
    limit = intent.page.limit if intent.page.limit is not None else DEFAULT_PER_PAGE
    if not 1 <= limit <= context.access.most_rows:
        raise RequestError(
            "page_invalid",
            f"A page has 1 to {context.access.most_rows} rows; {limit} were asked for.",
            parameter="per_page",
        )
    if not 0 <= intent.page.offset <= FURTHEST_OFFSET:
        raise RequestError("page_invalid", "The page is out of range.", parameter="page")
    return replace(plan, limit=context.slots.add(limit + 1), offset=context.slots.add(intent.page.offset))


PASSES: Final[tuple[Pass, ...]] = (
    choose_fields,
    address_row,
    narrow_rows,
    narrow_access,
    order_rows,
    note_today,
    cut_page,
)


# Shared with the planner of writes


def with_today(context: Context, plan: ReadPlan) -> ReadPlan:
    """Return the plan with the slot of the current day, when one of its fields needs it."""
    fields = (*plan.fields, *(key.field for key in plan.order), *fields_of(plan.condition))
    if any(isinstance(field, ExpressionField) and field.needs_today for field in fields):
        return replace(plan, today=context.today())
    return plan


def conjunction(*parts: Condition) -> Condition:
    """Return the parts as one flat conjunction."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def key_condition(context: Context, table: Table, key: tuple[str, ...]) -> Condition:
    """Return the condition that only the row with a key meets.

    Raises:
        MethodError: ``key_missing`` for a table without a key.
        RequestError: ``key_invalid`` for a key that cannot be one of this table.
    """
    if not table.key:
        raise MethodError("key_missing", f"{table.resource} has no key: its rows can only be listed.")
    if len(key) != len(table.key):
        raise _wrong_key(table)
    return conjunction(*(_key_part(context, column, text) for column, text in zip(table.key, key, strict=True)))


def open_key(context: Context, table: Table) -> Condition:
    """Return the condition of a key that is not known yet: its values are the plan's first ones.

    Raises:
        MethodError: ``key_missing`` for a table without a key.
    """
    assert not context.slots.values
    if not table.key:
        raise MethodError("key_missing", f"{table.resource} has no key: its rows can only be listed.")
    return conjunction(*(Compare(column, "eq", (context.slots.add(None),)) for column in table.key))


def _wrong_key(table: Table) -> RequestError:
    names = ",".join(column.name for column in table.key)
    return RequestError("key_invalid", f"The key of {table.resource} is {names}.")


def _key_part(context: Context, column: Column, text: str) -> Compare:
    if text.startswith("@"):
        context.slots.is_timeless = False
    return Compare(column, "eq", (context.slots.add(_key_value(column, text, context.clock)),))


def _key_value(column: Column, text: str, clock: Clock) -> object:
    try:
        return coerce_operand(column.type, text, clock)
    except RefusedValueError as refusal:
        raise RequestError("key_invalid", f"{column.name} in the path: {refusal.message}.") from refusal


def values_for_key(planned: PlannedRead, key: tuple[str, ...], clock: Clock) -> Values:
    """Return the values of a row's plan for another key, which stands in the first slots.

    Raises:
        RequestError: ``key_invalid``.
    """
    columns = planned.plan.table.key
    if len(key) != len(columns):
        raise _wrong_key(planned.plan.table)
    bound = tuple(_key_value(column, text, clock) for column, text in zip(columns, key, strict=True))
    return (*bound, *planned.values[len(bound) :])


def _row_filter(context: Context, table: Table) -> tuple[Condition, ...]:
    """Rows that exist for nobody, and the grant's own filter.

    The filter is resolved with every column readable: it is not the client's text.
    """
    grant = context.access.grant_on(table)
    if grant is None or not grant.row_filter:
        return _excluded(context, table)
    unlimited = Access(context.access.principal, {"*": Grant(frozenset({"read"}))})
    return (*_excluded(context, table), plan_conditions(replace(context, access=unlimited), table, grant.row_filter))


def _excluded(context: Context, table: Table) -> tuple[Condition, ...]:
    if table.excluded is None:
        return ()
    slots = tuple(context.slots.add(value) for value in table.excluded.values)
    return (Compare(table.excluded.column, "nin", slots),)


def row_filter(context: Context, table: Table) -> tuple[Condition, ...]:
    """Return the conditions that the caller's grant puts on every row of a table."""
    return _row_filter(context, table)


def _parent_plan(context: Context, intent: ReadIntent) -> ReadPlan | None:
    if intent.origin is None:
        return None
    origin, _ = _origin_edge(context, intent)
    parts = (key_condition(context, origin, intent.origin.key), *_row_filter(context, origin))
    return with_today(context, ReadPlan(origin, fields=origin.key, condition=conjunction(*parts)))


def fields_of(condition: Condition) -> tuple[Field, ...]:
    """Return the fields that a condition compares, on its own table and on those it reaches from."""
    match condition:
        case Compare(field=field):
            return (field,)
        case And(parts=parts) | Or(parts=parts):
            return tuple(field for part in parts for field in fields_of(part))
        case Not(part=part) | Reached(condition=part):
            return fields_of(part)


def slots_before(values: Values, slot: Slot | None) -> Values:
    """Return the values that stand before a slot: those of the conditions, which a count shares."""
    return values if slot is None else values[:slot]
