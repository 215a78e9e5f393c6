"""What the schema says of tables, fields, relationships and arguments, in words.

What comes in: the catalog's objects and the caller's context. What goes out: descriptions. Of the database only what
the catalog holds is told (types, codes with their words), and nothing that the caller may not know: what a derived
field is made of only where every part of it could be named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gateway.catalog.model import (
    BinaryTerm,
    Column,
    CustomField,
    Expression,
    ExpressionField,
    Field,
    Filler,
    Guard,
    InTerm,
    LabelField,
    PathField,
    Relationship,
    SumTerm,
    Table,
    WriteMode,
)
from gateway.query.context import Context
from gateway.query.operators import OPERATORS
from gateway.query.plan import MetricFunction
from gateway.query.resolve import may_follow

MOST_WORDS: Final = 100
"""How many codes of one field are listed."""

FUNCTION_SUMMARIES: Final[dict[MetricFunction, str]] = {
    "sum": "Sums; null where there are no rows.",
    "avg": "Averages, with four decimals more than the field has; null where there are no rows.",
    "min": "Least values; null where there are no rows.",
    "max": "Greatest values; null where there are no rows.",
    "count_distinct": "How many different values there are, null apart.",
}

FUNCTION_TYPE_SUMMARIES: Final[dict[str, str]] = {
    "Sum": "Sums over rows of {}.",
    "Avg": "Averages over rows of {}.",
    "Range": "Least or greatest values of rows of {}.",
    "CountDistinct": "How many different values rows of {} have.",
}

_FILLED: Final = {
    "now": "the current time",
    "today": "the current day",
    "random_hex": "random characters",
    "acting_staff": "the staff member who acts",
    "client_currency": "the customer's currency",
    "lead_status": "the status that new leads begin with",
    "lead_source": "the source that new leads begin with",
}


def _sentences(parts: Iterable[str]) -> str:
    """Each part as a sentence."""
    return " ".join(f"{part[:1].upper()}{part[1:]}{'' if part.endswith('.') else '.'}" for part in parts if part)


def _called(catalog_name: str, name: str) -> str:
    """What the catalog calls it, where GraphQL has another name."""
    return f"`{catalog_name}` in the catalog" if catalog_name != name else ""


def of_table(table: Table) -> str:
    """Return what a row of a table is."""
    parts = [table.summary or f"A row of {table.resource}", f"resource `{table.resource}`"]
    if table.is_view:
        parts.append("a view, read-only")
    if table.mode is WriteMode.MANAGED and not table.mode_reason:
        parts.append("writes follow the CRM's rules")
    return _sentences(parts)


# Fields


def of_field(context: Context, table: Table, field: Field, name: str, *, is_of_row: bool = True) -> str:
    """Return what a field of a table holds, and its codes with their words.

    Whether it may be null is said of a row's field alone: numbers and keys of groups are null for reasons of their own.
    """
    parts = [_kind(field, _null_of(table, field) if is_of_row else ""), *_origin(context, table, field)]
    parts.append(_codes(context, table, field))
    parts.append(_called(field.name, name))
    return _sentences(parts)


_KINDS: Final = {"flag": "0 or 1, as a number"}
"""Where a value is written otherwise than in a URL, which takes ``true`` too."""


def _kind(field: Field, null: str = "") -> str:
    """What values of a field are; ``null`` is what there is to say of none."""
    text = _KINDS.get(field.type.kind.name, field.type.kind.summary)
    if isinstance(field, CustomField):
        label = f" “{field.label}”" if field.label else ""
        return f"custom field{label}: {text}"
    if isinstance(field, Column):
        return ", ".join(part for part in (f"{text} (`{field.type.sql}`)", null) if part)
    return f"{text}, derived and read-only"


def is_never_null(table: Table, field: Field) -> bool:
    """Whether each row shows a value: not so of a document, which may be a null, nor of a day that may be a zero date.

    What a view shows of a column that cannot be null may be (an outer join).
    """
    if not isinstance(field, Column) or field.is_nullable or table.is_view:
        return False
    return field.type.kind.family != "document" and not _has_zero_dates(field)


def _has_zero_dates(column: Column) -> bool:
    return column.type.kind.family == "moment" and column.type.kind.name != "time"


def _null_of(table: Table, field: Field) -> str:
    if is_never_null(table, field):
        return "never null"
    is_zero = isinstance(field, Column) and not field.is_nullable and not table.is_view and _has_zero_dates(field)
    return "a zero date is shown as null" if is_zero else "may be null"


def _origin(context: Context, table: Table, field: Field) -> Iterator[str]:
    """What a derived field is made of, as far as the caller could name it."""
    if isinstance(field, ExpressionField) and _is_told(context, table, field.expression):
        yield f"it is {field.text}"
    if isinstance(field, PathField):
        edge = field.relationship
        if edge.name in table.relationships and _is_followed(context, edge):
            yield "it is " + " and ".join(f"{edge.name}.{column.name}" for column in field.columns)
    if isinstance(field, Column) and field.is_read_only:
        yield "read-only"


def _is_told(context: Context, table: Table, expression: Expression) -> bool:
    """Whether the caller may name everything in an expression; its own columns it may, where it may read the field."""
    match expression:
        case BinaryTerm(left=left, right=right):
            return _is_told(context, table, left) and _is_told(context, table, right)
        case InTerm(operand=operand):
            return _is_told(context, table, operand)
        case SumTerm(relationship=edge, column=column):
            target = context.catalog.table_of(edge)
            is_named = edge.name in table.relationships and _is_followed(context, edge)
            return is_named and context.access.may_read_column(target, column)
        case _:
            return True


def _is_followed(context: Context, edge: Relationship) -> bool:
    target = context.catalog.table_of(edge)
    return context.access.may("read", target) and may_follow(context.access, context.catalog, edge)


def _codes(context: Context, table: Table, field: Field) -> str:
    """The codes of a field with their words, or the words that it can hold."""
    label = table.labels.get(field.name)
    if isinstance(label, LabelField):
        return _listed(f"{code if code != '' else '(empty)'} {word}" for code, word in label.words)
    if field.type.members:
        return f"of {_listed(field.type.members)}"
    return ""


def _listed(words: Iterable[str]) -> str:
    found = list(words)
    more = f" and {len(found) - MOST_WORDS} more" if len(found) > MOST_WORDS else ""
    return ", ".join(found[:MOST_WORDS]) + more


def of_label(label: Field, coded: str, name: str) -> str:
    """Return what the label of a coded field holds."""
    return _sentences((f"the word for {coded}, null where there is none", _called(label.name, name)))


def of_period(field: Field, part: str) -> str:
    """Return what a period of a moment groups by."""
    return f"The {part} of {field.name}, as text that sorts."


# What writes give


def of_given(context: Context, table: Table, field: Column | CustomField, name: str, *, is_create: bool) -> str:
    """Return what a write may give for a field, and what happens where it does not."""
    parts = [_kind(field, _null_given(field)), _codes(context, table, field)]
    if field.name in table.computed:
        parts.append("the CRM's rules work it out: what is given must be what comes out")
    elif is_create:
        parts.append(_left_out(table, field))
    if isinstance(field, Column) and field.is_touched:
        parts.append("it takes the current time at each change")
    parts.append(_called(field.name, name))
    return _sentences(parts)


def _null_given(field: Column | CustomField) -> str:
    """Whether a write may give null."""
    if not isinstance(field, Column):
        return ""
    return "may be null" if field.is_nullable or field.has_zero_date_default else "never null"


def is_required(table: Table, field: Column | CustomField) -> bool:
    """Whether a create must give a field."""
    if field.name in table.computed or field.name in table.defaulted:
        return False
    if isinstance(field, CustomField):
        return field.is_required
    is_open_key = field in table.key and not field.is_auto_increment and field.filler is None
    return field.is_required or is_open_key


def _left_out(table: Table, field: Column | CustomField) -> str:
    """What a create does where a field is left out."""
    if is_required(table, field):
        return "required on create"
    if field.name in table.defaulted:
        return "left out, the CRM's rules fill it"
    if isinstance(field, CustomField):
        return ""
    if field.filler is not None:
        return f"left out, it is {_filled(field.filler)}"
    return "left out, the database numbers it" if field.is_auto_increment else ""


def _filled(filler: Filler) -> str:
    if filler.kind == "constant":
        return "empty" if filler.value == "" else f"{filler.value}"
    return _FILLED[filler.kind]


def of_nested_rows(edge: Relationship, tie: Iterable[str]) -> str:
    """Return what rows nested in a create are."""
    return _sentences(
        (f"rows of {edge.name}, created along", f"leave out {_listed(tie)}: that follows from the row they stand in")
    )


# Relationships


def of_relationship(edge: Relationship, target: Table, name: str) -> str:
    """Return which rows a relationship leads to, and what ties them."""
    many = "the rows" if edge.is_to_many else "the first row" if edge.pick is not None else "the row"
    tie = " and ".join(f"{remote} = {local}" for local, remote in edge.pairs)
    guards = (*edge.guards, *(edge.pick.guards if edge.pick is not None else ()))
    only = _listed(dict.fromkeys(_guard(guard) for guard in guards))
    return _sentences(
        (
            f"{many} of {target.resource} whose {tie}",
            f"where {only}" if only else "",
            "null where there is none" if not edge.is_to_many else "",
            _called(edge.name, name),
        )
    )


def _guard(guard: Guard) -> str:
    """One part of a relationship's condition, in words."""
    match guard.operator:
        case "eq":
            return f"{guard.column} is {guard.values[0]}"
        case "nonzero":
            return f"{guard.column} is not 0"
        case "not_null":
            return f"{guard.column} is not null"
        case "in":
            return f"{guard.column} is one of {', '.join(map(str, guard.values))}"
        case _:
            return f"{guard.column} is a number"


# Operators


def of_operator(name: str) -> str:
    """Return what a comparison does; lists are lists here, and null takes true or false."""
    summary = _OPERATORS.get(name, OPERATORS[name].summary)
    return _sentences((summary,))


_OPERATORS: Final = {
    "in": "is one of the values",
    "nin": "is none of the values; null does not match",
    "between": "lies between the two values, both included",
    "null": "true: has no value; false: has one",
}
"""Where the operand is written otherwise than in a URL."""
