"""Plans as text a reviewer can read: one line per part, conditions indented, values at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.query.aggregates import PlannedGroups
from gateway.query.plan import (
    AggregatePlan,
    And,
    Compare,
    Condition,
    DeleteStep,
    Embed,
    Granted,
    Increment,
    InsertStep,
    Not,
    Or,
    Order,
    PendingFill,
    PlanField,
    Prefix,
    Quantified,
    Reached,
    ReadPlan,
    RelatedRow,
    Slot,
    SlotValue,
    StepKey,
    Summary,
    UpdateStep,
    Values,
    WriteStep,
    WrittenColumn,
    WrittenValue,
)
from gateway.query.planner import PlannedRead
from gateway.query.writes import PlannedWrite

_SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_BARE = {"null": "is null", "not_null": "is not null"}


def read_text(planned: PlannedRead) -> str:
    """Return the plan of a read, of its count and of its parent, with the values."""
    lines = ["read", *_indented(_read(planned.plan))]
    if planned.count is not None:
        same = planned.count.condition == planned.plan.condition
        lines.append(f"count {planned.count.table.name}{' by the same condition' if same else ''}")
        lines.extend([] if same else _indented(_condition(planned.count.condition)))
    return _finished(lines, planned)


def groups_text(planned: PlannedGroups) -> str:
    """Return the plan of groups, of their number and of their parent, with the values."""
    lines = ["groups", *_indented(_groups(planned.plan))]
    if planned.count is not None:
        lines.append(f"count {planned.count.table.name}, the groups of the same condition")
    return _finished(lines, planned)


def _finished(lines: list[str], planned: PlannedRead | PlannedGroups) -> str:
    if planned.parent is not None:
        lines.extend(("parent", *_indented(_read(planned.parent))))
    lines.extend(_values(planned.values))
    lines.append("kept with its values" if planned.is_timeless else "kept without its values")
    return "\n".join(lines) + "\n"


def write_text(planned: PlannedWrite) -> str:
    """Return the plan of a write in the order it runs, with the values."""
    lines: list[str] = []
    for read in planned.plan.reads:
        lines.extend(("lock", *_indented(_read(read))))
    lines.extend(f"must be as stored: {item.column.name}" for item in planned.sent_back)
    for dependant in planned.dependants:
        lines.extend((f"must find nothing: {dependant.resource or 'other'}", *_indented(_read(dependant.plan))))
    for step in planned.plan.steps:
        lines.extend(_step(step))
    if planned.plan.key_slot is not None:
        lines.append(f"the key of step {planned.plan.key_step} fills ${planned.plan.key_slot}")
    if planned.plan.result is not None:
        lines.extend(("read back", *_indented(_read(planned.plan.result))))
    return "\n".join((*lines, *_values(planned.values))) + "\n"


def changes_text(parts: Sequence[tuple[str, PlannedRead | PlannedWrite]]) -> str:
    """Return the plans of a request that writes, each under what it is for."""
    return "\n".join(
        (f"# {title}\n" if title else "") + (read_text(part) if isinstance(part, PlannedRead) else write_text(part))
        for title, part in parts
    )


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _slot(slot: Slot) -> str:
    return f"${slot}"


def _read(plan: ReadPlan) -> Iterator[str]:
    yield f"{plan.table.name}{' for update' if plan.is_locking else ''}"
    yield f"fields {', '.join(field.name for field in plan.fields) or 'none'}"
    yield from _condition(plan.condition)
    if plan.is_tagged:
        yield "tagged"
    yield from _rest(plan)
    if plan.is_followed:
        yield "followed by position"
    yield from _embeds(plan.embeds)
    yield from _summaries(plan.summaries)


def _groups(plan: AggregatePlan) -> Iterator[str]:
    yield plan.table.name
    yield f"by {', '.join(map(_group, plan.groups)) or 'nothing: one row'}"
    yield f"metrics {', '.join(metric.name for metric in plan.metrics)}"
    if plan.labels:
        yield f"labels {', '.join(label.name for label in plan.labels)}"
    yield from _condition(plan.condition)
    if plan.having != And(()):
        yield "having"
        yield from _indented(_condition(plan.having))
    if plan.currency is not None:
        yield f"warns of more than one {plan.currency.name}"
    yield from _rest(plan)
    yield from _embeds(plan.embeds)


def _group(group: PlanField | RelatedRow) -> str:
    if not isinstance(group, RelatedRow):
        return group.name
    return f"the row {group.name} ({', '.join(column.name for column in group.key)})"


def _rest(plan: ReadPlan | AggregatePlan) -> Iterator[str]:
    for table, condition in plan.filters:
        yield f"granted of {table.name}"
        yield from _indented(_condition(condition))
    if plan.order:
        yield "order " + ", ".join(map(_order, plan.order))
    if plan.limit is not None:
        yield f"limit {_slot(plan.limit)}" + (f" offset {_slot(plan.offset)}" if plan.offset is not None else "")
    if plan.today is not None:
        yield f"today {_slot(plan.today)}"


def _order(key: Order) -> str:
    first = f" (first {key.field.length})" if isinstance(key.field, Prefix) else ""
    return f"{key.field.name}{first}{' desc' if key.is_descending else ''}"


def _embeds(embeds: Sequence[Embed]) -> Iterator[str]:
    for embed in embeds:
        number = "rows" if embed.relationship.is_to_many else "row"
        yield f"embed {embed.name}: {number} {'by key' if embed.is_keyed else f'of {embed.relationship.name}'}"
        yield from _indented(_read(embed.plan))


def _summaries(summaries: Sequence[Summary]) -> Iterator[str]:
    for summary in summaries:
        yield f"numbers {summary.name}: over the rows of {summary.relationship.name}"
        yield from _indented(_numbers(summary.plan))


def _numbers(plan: AggregatePlan) -> Iterator[str]:
    yield plan.table.name
    yield f"metrics {', '.join(metric.name for metric in plan.metrics)}"
    yield from _condition(plan.condition)
    if plan.currency is not None:
        yield f"warns of more than one {plan.currency.name}"
    yield from _rest(plan)


def condition_text(condition: Condition) -> str:
    """Return a condition, one line per part."""
    return "\n".join(_condition(condition)) + "\n"


def _condition(condition: Condition) -> Iterator[str]:
    match condition:
        case Compare(field=field, operator=operator, slots=slots):
            operands = ", ".join(map(_slot, slots))
            first = f" (first {field.length})" if isinstance(field, Prefix) else ""
            yield f"{field.name}{first} {_BARE.get(operator) or f'{_SIGNS.get(operator, operator)} {operands}'}"
        case And(parts=()):
            yield "all rows"
        case Or(parts=()):
            yield "no rows"
        case And(parts=parts) | Or(parts=parts):
            yield "all of" if isinstance(condition, And) else "some of"
            for part in parts:
                yield from _indented(_condition(part))
        case Not(part=part):
            yield "not"
            yield from _indented(_condition(part))
        case Granted(part=part):
            yield "granted"
            yield from _indented(_condition(part))
        case Reached(origin=origin, relationship=relationship, condition=part):
            yield f"reached from {origin.name} through {relationship.name}"
            yield from _indented(_condition(part))
        case Quantified(path=path, relationship=relationship, quantifier=quantifier, condition=part):
            yield f"{quantifier} of {'.'.join(edge.name for edge in (*path, relationship))}"
            yield from _indented(_condition(part))


def _step(step: WriteStep) -> Iterator[str]:
    match step:
        case InsertStep(table=table, values=values):
            yield f"insert {table.name}"
            yield from _indented(_written(values))
        case UpdateStep(table=table, values=values, condition=condition):
            yield f"update {table.name}"
            yield from _indented(_written(values))
            yield from _indented(_condition(condition))
        case DeleteStep(table=table, condition=condition):
            yield f"delete {table.name}"
            yield from _indented(_condition(condition))


def _written(values: tuple[tuple[WrittenColumn, WrittenValue], ...]) -> Iterator[str]:
    for column, value in values:
        match value:
            case SlotValue(slot=slot):
                yield f"{column.name} := {_slot(slot)}"
            case StepKey(step=step):
                yield f"{column.name} := the key of step {step}"
            case Increment(amount=amount):
                yield f"{column.name} := {column.name} + {amount}"


def _values(values: Values) -> Iterator[str]:
    if values:
        yield "values"
    for slot, value in enumerate(values):
        shown = f"to be found: {value.filler.kind}" if isinstance(value, PendingFill) else repr(value)
        yield f"  {_slot(slot)} = {shown}"
