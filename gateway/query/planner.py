"""A read intent -> a read plan: a visible list of small passes, pure from end to end.

Each pass takes the context and the plan so far and returns the next plan. Names
are resolved here and nowhere else, so every front end reports an unknown field alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from gateway.catalog.model import Column, Relationship, Table
from gateway.errors import MethodError, NotFoundError, RequestError
from gateway.query.access import Access
from gateway.query.budget import check_text
from gateway.query.coerce import Clock, RefusedValueError, coerce_operand
from gateway.query.conditions import plan_conditions, plan_search
from gateway.query.context import Context, require_grant, resource_table
from gateway.query.embeds import DEFAULT_LIMIT, EmbedOptions, plan_embeds
from gateway.query.fields import chosen_fields
from gateway.query.intent import AggregateIntent, Origin, PageIntent, ReadIntent
from gateway.query.orders import chosen_order, key_order
from gateway.query.plan import AggregatePlan, And, Compare, Condition, Reached, ReadPlan, Slot, Values
from gateway.query.positions import (
    Position,
    can_follow,
    cursor_invalid,
    is_by_values,
    position_values,
    rows_after,
)
from gateway.query.reach import row_filter, with_reach
from gateway.query.resolve import readable_relationships, relationship_of
from gateway.query.suggest import nearest

DEFAULT_PER_PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class PlannedRead:
    """A read plan with its values, and what else the reply needs to know.

    ``count`` shares the plan's values and counts what the plan pages through; None
    for one row. ``parent`` is the plan that tells a missing parent from a parent
    without children. ``is_timeless`` says that the values hold for later requests too,
    ``is_continued`` that the page goes on from a position somewhere in the rows, whose
    values are in ``position_slots`` where the plan holds for other positions too.
    """

    plan: ReadPlan
    values: Values
    count: AggregatePlan | None = None
    parent: ReadPlan | None = None
    is_timeless: bool = True
    per_page: int = DEFAULT_PER_PAGE
    offset: int = 0
    is_continued: bool = False
    position_slots: range | None = None


Pass = Callable[[Context, ReadIntent, ReadPlan], ReadPlan]


def plan_read(context: Context, intent: ReadIntent) -> PlannedRead:
    """Return the plan of a list, of one row (``intent.key``) or of a parent's rows (``intent.origin``).

    A list reads one row more than the page holds, which tells whether another follows.

    Raises:
        NotFoundError: ``resource_unknown``, ``relationship_unknown``.
        ForbiddenError: ``grant_missing``.
        RequestError: whatever in the intent cannot be resolved.
    """
    table = root_table(context, intent)
    is_list = _is_list(context, intent)
    if context.access.most_rows < DEFAULT_PER_PAGE:
        intent = replace(intent, page=sized_page(context, intent.page))
    is_tagged = intent.is_tagged if intent.is_tagged is not None else not is_list
    plan = ReadPlan(table, fields=(), format=intent.format, is_tagged=is_tagged)
    for step in PASSES:
        plan = step(context, intent, plan)
    counted = AggregatePlan(table, plan.condition, plan.today, plan.filters) if is_list else None
    first = len(context.slots.values)
    for step in LATER_PASSES:
        plan = step(context, intent, plan)
    parent = parent_plan(context, intent.origin) if intent.origin is not None else None
    return PlannedRead(
        plan,
        context.slots.frozen(),
        counted,
        parent,
        context.slots.is_timeless,
        intent.page.limit if intent.page.limit is not None else DEFAULT_PER_PAGE,
        intent.page.offset,
        intent.page.after is not None,
        _position_slots(context, plan, intent.page.after, first),
    )


def _position_slots(context: Context, plan: ReadPlan, after: Position | None, first: int) -> range | None:
    """The slots that `go_on` fills, the first of the later passes."""
    if after is None or not is_by_values(context, plan.order):
        return None
    return range(first, first + len(position_values(plan.order, after)))


def _is_list(context: Context, intent: ReadIntent) -> bool:
    if intent.origin is not None:
        return origin_edge(context, intent.origin)[1].is_to_many
    return intent.key is None


def root_table(context: Context, intent: ReadIntent | AggregateIntent) -> Table:
    """Return the table whose rows a question is about.

    Raises:
        NotFoundError: ``resource_unknown``, ``relationship_unknown``.
        ForbiddenError: ``grant_missing``.
    """
    if intent.origin is None:
        return resource_table(context, intent.resource, "read")
    _, relationship = origin_edge(context, intent.origin)
    table = context.catalog.table_of(relationship)
    require_grant(context.access, table, "read")
    return table


def origin_edge(context: Context, origin: Origin) -> tuple[Table, Relationship]:
    """Return the table of a parent and the relationship that a path follows from it."""
    table = resource_table(context, origin.resource, "read")
    return table, known_relationship(context, table, origin.relationship)


def known_relationship(context: Context, origin: Table, name: str) -> Relationship:
    """Return the relationship of a table that a path names.

    Raises:
        NotFoundError: ``relationship_unknown``, with the nearest one the caller may read.
    """
    relationship = relationship_of(context, origin, name)
    if relationship is None:
        close = nearest(name, readable_relationships(context.access, context.catalog, origin))
        hint = f" Did you mean {close}?" if close else ""
        raise NotFoundError("relationship_unknown", f"{origin.resource} has no relationship {name!r}.{hint}")
    return relationship


# The passes


def choose_fields(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """What a row shows: the fields that are named, else the table's own visible columns."""
    fields = chosen_fields(
        context, plan.table, intent.fields, has_labels=intent.has_labels, takes_labels=intent.takes_labels
    )
    keys = (column for column in plan.table.key if context.access.may_read_column(plan.table, column))
    return replace(plan, fields=tuple(dict.fromkeys((*fields, *(keys if intent.needs_key else ())))))


def address_row(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """The key of the path, or the parent that the rows are reached from, is the first condition."""
    if intent.key is not None:
        return replace(plan, condition=key_condition(context, plan.table, intent.key))
    if intent.origin is None:
        return plan
    return replace(plan, condition=reached_from(context, intent.origin))


def narrow_rows(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """Filters and search are one conjunction with what stands already."""
    if not intent.conditions and intent.search is None:
        return plan
    parts: list[Condition] = [plan_conditions(context, plan.table, intent.conditions)]
    if intent.search is not None:
        parts.append(plan_search(context, plan.table, intent.search, intent.parameters.search))
    return replace(plan, condition=conjunction(plan.condition, *parts))


def narrow_access(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """The caller's row filter is part of the plan, whatever else it asks."""
    demanded = row_filter(context, plan.table)
    return replace(plan, condition=conjunction(plan.condition, *demanded)) if demanded else plan


def order_rows(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """The key always comes last, so that no two rows tie; without one, every column that sorts."""
    if _is_list(context, intent):
        return replace(plan, order=chosen_order(context, plan.table, intent.order))
    return replace(plan, order=key_order(context, plan.table)) if _is_picked(context, intent) else plan


def _is_picked(context: Context, intent: ReadIntent) -> bool:
    return intent.origin is not None and origin_edge(context, intent.origin)[1].pick is not None


def note_reach(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """What the statement needs beyond its own rows: the current day, and the grants on other tables."""
    return with_reach(context, plan)


def cut_page(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """At most the page and one row more; a size over the cap is refused, never cut."""
    if not _is_list(context, intent):
        return replace(plan, limit=context.slots.add(1)) if _is_picked(context, intent) else plan
    limit, offset = page_slots(context, intent.page)
    return replace(plan, limit=limit, offset=offset)


def sized_page(context: Context, page: PageIntent) -> PageIntent:
    """Return a page that fits a caller whose pages are capped: one of no named size has as many rows as they may have.

    The front ends count numbered pages in the usual size, for they do not know the caller; here it is known.
    """
    most = context.access.most_rows
    if page.limit is not None or most >= DEFAULT_PER_PAGE:
        return page
    is_numbered = page.start in ("page", "page[number]")
    return replace(page, limit=most, offset=page.offset // DEFAULT_PER_PAGE * most if is_numbered else page.offset)


def page_slots(context: Context, page: PageIntent) -> tuple[Slot, Slot]:
    """Return the slots of one row more than a page has, and of the rows before it.

    Raises:
        RequestError: ``page_invalid``.
    """
    limit = page.limit if page.limit is not None else DEFAULT_PER_PAGE
    if not 1 <= limit <= context.access.most_rows:
        raise RequestError(
            "page_invalid",
            f"A page has 1 to {context.access.most_rows} rows; {limit} were asked for.",
            parameter=page.size,
        )
    if page.offset < 0:
        detail = f"An offset is 0 or more; {page.offset} was asked for."
        raise RequestError("page_invalid", detail, parameter=page.start)
    if page.offset > context.budget.offset:
        raise RequestError(
            "page_invalid",
            f"A page begins at most {context.budget.offset} rows from the start; go on with the cursor of a page "
            "instead.",
            parameter=page.start,
        )
    return context.slots.add(limit + 1), context.slots.add(page.offset)


PASSES: Final[tuple[Pass, ...]] = (
    choose_fields,
    address_row,
    narrow_rows,
    narrow_access,
    order_rows,
    note_reach,
    cut_page,
)
"""What a page and the count of all pages have in common, then the page."""


def go_on(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """Rows after the position that a cursor names; which rows those are does not change what is counted."""
    if not _is_list(context, intent):
        return replace(plan, is_followed=intent.origin is not None)
    is_followed = bool(plan.table.key) and can_follow(context, plan.order)
    if intent.page.after is None:
        return replace(plan, is_followed=is_followed)
    if not is_followed:
        raise cursor_invalid(intent.page.start)
    after = rows_after(context, plan.order, intent.page.after, intent.page.start)
    return replace(plan, condition=conjunction(plan.condition, after), is_followed=True)


def embed_rows(context: Context, intent: ReadIntent, plan: ReadPlan) -> ReadPlan:
    """Rows of relationships come along, each relationship by a statement of its own."""
    default = None if intent.are_embeds_whole else DEFAULT_LIMIT
    options = EmbedOptions(intent.format, intent.has_labels, default)
    return plan_embeds(context, plan, intent.embeds, options)


LATER_PASSES: Final[tuple[Pass, ...]] = (go_on, embed_rows)
"""What the count does not share; its slots come after those of the page, the position's first."""


# Shared with the planner of writes


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
        raise _wrong_key(context.access, table)
    return conjunction(*(_key_part(context, table, *part) for part in zip(table.key, key, strict=True)))


def open_key(context: Context, table: Table) -> Condition:
    """Return the condition of a key that is not known yet: its values are the plan's first ones.

    Raises:
        MethodError: ``key_missing`` for a table without a key.
    """
    assert not context.slots.values
    if not table.key:
        raise MethodError("key_missing", f"{table.resource} has no key: its rows can only be listed.")
    return conjunction(*(Compare(column, "eq", (context.slots.add(None),)) for column in table.key))


def _wrong_key(access: Access, table: Table) -> RequestError:
    """The error for a key of too many or too few values; columns are named to those who may read them."""
    if all(access.may_read_column(table, column) for column in table.key):
        words = f"is {','.join(column.name for column in table.key)}"
    else:
        words = "is one value" if len(table.key) == 1 else f"is {len(table.key)} values with commas between them"
    return RequestError("key_invalid", f"The key of {table.resource} {words}.")


def _key_part(context: Context, table: Table, column: Column, text: str) -> Compare:
    check_text(context.budget, text, None)
    if text.startswith("@"):
        context.slots.is_timeless = False
    return Compare(column, "eq", (context.slots.add(_key_value(context.access, table, column, text, context.clock)),))


def _key_value(access: Access, table: Table, column: Column, text: str, clock: Clock) -> object:
    try:
        return coerce_operand(column.type, text, clock)
    except RefusedValueError as refusal:
        name = f"{column.name} in the key" if access.may_read_column(table, column) else "the key"
        raise RequestError("key_invalid", f"{name}: {refusal.message}.") from refusal


def values_for_key(planned: PlannedRead, key: tuple[str, ...], clock: Clock, access: Access) -> Values:
    """Return the values of a row's plan for another key, which stands in the first slots.

    Raises:
        RequestError: ``key_invalid``.
    """
    table = planned.plan.table
    if len(key) != len(table.key):
        raise _wrong_key(access, table)
    bound = tuple(_key_value(access, table, *part, clock) for part in zip(table.key, key, strict=True))
    return (*bound, *planned.values[len(bound) :])


def parent_plan(context: Context, origin: Origin) -> ReadPlan:
    """Return the plan that finds the parent of a list, where the caller may see it."""
    table, _ = origin_edge(context, origin)
    parts = (key_condition(context, table, origin.key), *row_filter(context, table))
    return with_reach(context, ReadPlan(table, fields=table.key, condition=conjunction(*parts)))


def reached_from(context: Context, origin: Origin) -> Reached:
    """Return the condition of the rows that one parent has through a relationship."""
    table, relationship = origin_edge(context, origin)
    parent = conjunction(key_condition(context, table, origin.key), *row_filter(context, table))
    return Reached(table, relationship, parent)


def values_after(planned: PlannedRead, position: Position) -> Values:
    """Return the values of a page's plan for another position with the same nulls.

    Raises:
        RequestError: ``cursor_invalid``.
    """
    placed = planned.position_slots
    assert placed is not None
    values = position_values(planned.plan.order, position)
    return (*planned.values[: placed.start], *values, *planned.values[placed.stop :])


def slots_before(values: Values, slot: Slot | None) -> Values:
    """Return the values that stand before a slot: those of the conditions, which a count shares."""
    return values if slot is None else values[:slot]
