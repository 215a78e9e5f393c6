"""Inputs of questions: filters, sort keys, and conditions on the numbers of groups.

Conditions of one operator on one type of value are one and the same object, whatever column they stand for: a
schema has tens of thousands of them.
"""

from __future__ import annotations

from functools import partial

from graphql import GraphQLInputField, GraphQLInputType, GraphQLList, GraphQLNonNull

from gateway.catalog.model import Field, Table
from gateway.graphql import describe, scalars
from gateway.graphql.meaning import By, GroupThrough, GroupValue, On, Through
from gateway.graphql.objects import reason_of, text_of
from gateway.graphql.scalars import Leaf
from gateway.graphql.tables import (
    COUNT_HAVING,
    FUNCTION_SORTS,
    FUNCTION_TYPES,
    FUNCTIONS,
    FilterMeaning,
    KeyMeaning,
    SortMeaning,
)
from gateway.graphql.types import DIRECTION, InputFields, Types
from gateway.query.metrics import metric_type
from gateway.query.operators import OPERATORS
from gateway.query.plan import MetricFunction


def input_of(type_: GraphQLInputType, description: str, deprecation: str | None = None) -> GraphQLInputField:
    """Return a field of an input; none is required, so that a refusal can name every fault."""
    return GraphQLInputField(type_, description=description, deprecation_reason=deprecation)


# Filters


def add_filter(types: Types, table: Table) -> None:
    """Add the conditions on rows of a table."""
    name, _ = types.named(table)
    types.add_input(
        f"{name}Filter",
        partial(_filter_fields, types, table),
        f"Conditions on a row of {table.resource}; all must hold.",
    )


def add_many_filter(types: Types, table: Table) -> None:
    """Add the conditions on the rows of a table that a to-many leads to."""
    name, _ = types.named(table)
    types.add_input(
        f"{name}ManyFilter",
        partial(_many_fields, types, name),
        f"Conditions on related rows of {table.resource}; all must hold.",
    )


def _many_fields(types: Types, name: str) -> InputFields:
    each = types.input(f"{name}Filter")
    return {
        "some": input_of(each, "Of at least one row the conditions are true."),
        "none": input_of(each, "Of no row the conditions are true."),
        "every": input_of(each, "Of each row the conditions are true, which they are of no rows at all."),
    }


def _filter_fields(types: Types, table: Table) -> InputFields:
    name, names = types.named(table)
    this = types.input(f"{name}Filter")
    several = GraphQLList(GraphQLNonNull(this))
    words = {
        "and": input_of(several, "All of these hold."),
        "or": input_of(several, "At least one of these holds."),
        "not": input_of(this, "This does not hold; a comparison with null is unknown, and so is its opposite."),
    }
    found = {called: _condition(types, table, called, meaning) for called, meaning in names.filters.items()}
    return {**found, **words}


def _condition(types: Types, table: Table, name: str, meaning: FilterMeaning) -> GraphQLInputField:
    if isinstance(meaning, Through):
        target = meaning.table
        ending = "ManyFilter" if meaning.relationship.is_to_many else "Filter"
        text = describe.of_relationship(meaning.relationship, target, name)
        return input_of(types.input(f"{types.named(target)[0]}{ending}"), text, target.deprecation)
    field = meaning.field
    leaf, reason = scalars.leaf_of(field.type), reason_of(table, field)
    if meaning.operator == "eq" and not name.endswith("_eq"):
        text = f"{describe.of_operator('eq')} {text_of(types, table, field, name)}"
        return input_of(leaf, text, reason)
    return compared(types, leaf, meaning.operator, reason)


def compared(types: Types, leaf: Leaf, operator: str, reason: str | None = None) -> GraphQLInputField:
    """Return the input of an operator's operand on values of a type: the same object each time."""
    shared = types.compared.get((str(leaf), operator, reason))
    if shared is None:
        operand = _operand_type(leaf, operator)
        shared = input_of(operand, describe.of_operator(operator), reason)
        types.compared[str(leaf), operator, reason] = shared
    return shared


def _operand_type(leaf: Leaf, operator: str) -> GraphQLInputType:
    match OPERATORS[operator].operand:
        case "value":
            return leaf
        case "list" | "pair":
            return GraphQLList(GraphQLNonNull(leaf))
        case "text":
            return scalars.STRING
        case "boolean":
            return scalars.BOOLEAN


# Sort keys


def add_sort(types: Types, table: Table) -> None:
    """Add the sort keys of rows of a table."""
    name, _ = types.named(table)
    types.add_input(
        f"{name}Sort",
        partial(_sort_fields, types, table),
        f"A sort key of {table.resource}: exactly one of these.",
        is_one_of=True,
    )


def _sort_fields(types: Types, table: Table) -> InputFields:
    sorts = types.vocabulary.of(table).sorts
    return {name: _sort_key(types, table, name, meaning) for name, meaning in sorts.items()}


def _sort_key(types: Types, table: Table, name: str, meaning: SortMeaning) -> GraphQLInputField:
    match meaning:
        case By(field=field):
            return _direction(types, table, field)
        case Through(relationship=edge, table=target):
            text = describe.of_relationship(edge, target, name)
            return input_of(types.input(f"{types.named(target)[0]}Sort"), text, target.deprecation)


def _direction(types: Types, table: Table, field: Field) -> GraphQLInputField:
    """The direction of a sort key: the same object for all fields that are not deprecated."""
    reason = reason_of(table, field)
    return types.direction if reason is None else input_of(DIRECTION, "", reason)


# Groups


def add_having(types: Types, table: Table) -> None:
    """Add the conditions on groups of a table's rows, and their sort keys."""
    name, names = types.named(table)
    resource = table.resource
    types.add_input(
        f"{name}Having", partial(_having_fields, types, table), f"Conditions on groups of {resource}; all must hold."
    )
    types.add_input(
        f"{name}GroupsSort",
        partial(_group_sort_fields, types, table),
        f"A sort key of groups of {resource}: exactly one of these.",
        is_one_of=True,
    )
    types.add_input(
        f"{name}GroupsKeySort",
        partial(_key_sort_fields, types, table, has_rows=True),
        f"What groups of {resource} are sorted by: exactly one, which is selected under `key` too.",
        is_one_of=True,
    )
    for function in FUNCTIONS:
        if names.metrics[function]:
            _add_function(types, table, function)


def _add_function(types: Types, table: Table, function: MetricFunction) -> None:
    """The conditions on a function's numbers, and their sort keys; functions of one type share them."""
    name, names = types.named(table)
    held, sorted_by = f"{name}{FUNCTION_TYPES[function]}Having", f"{name}{FUNCTION_SORTS[function]}Sort"
    if held not in types.by_name and names.held_fields(function):
        text = f"Conditions on numbers of groups of {table.resource}; all must hold."
        types.add_input(held, partial(_held_fields, types, table, function), text)
    if sorted_by not in types.by_name:
        text = f"Which field's numbers groups of {table.resource} are sorted by: exactly one of these."
        fields = partial(_function_sort_fields, types, table, function)
        types.add_input(sorted_by, fields, text, is_one_of=True)


def add_group_fields_sort(types: Types, table: Table) -> None:
    """Add the sort keys of groups by fields of related rows."""
    name, _ = types.named(table)
    types.add_input(
        f"{name}GroupsFieldsSort",
        partial(_key_sort_fields, types, table, has_rows=False),
        f"Which field of related {table.resource} groups are sorted by: exactly one of these.",
        is_one_of=True,
    )


def _having_fields(types: Types, table: Table) -> InputFields:
    name, names = types.named(table)
    found = {called: compared(types, scalars.INT, operator) for called, operator in COUNT_HAVING.items()}
    for function in FUNCTIONS:
        if names.held_fields(function):
            held = types.input(f"{name}{FUNCTION_TYPES[function]}Having")
            found[function] = input_of(held, describe.FUNCTION_SUMMARIES[function])
    return found


def _held_fields(types: Types, table: Table, function: MetricFunction) -> InputFields:
    having = types.vocabulary.of(table).having[function]
    return {name: _held(types, table, function, meaning) for name, meaning in having.items()}


def _held(types: Types, table: Table, function: MetricFunction, meaning: On) -> GraphQLInputField:
    leaf = scalars.leaf_of_metric(function, metric_type(function, meaning.field.type))
    return compared(types, leaf, meaning.operator, reason_of(table, meaning.field))


def _group_sort_fields(types: Types, table: Table) -> InputFields:
    name, names = types.named(table)
    found = {"count": types.direction}
    for function in FUNCTIONS:
        if names.metrics[function]:
            key = types.input(f"{name}{FUNCTION_SORTS[function]}Sort")
            found[function] = input_of(key, describe.FUNCTION_SUMMARIES[function])
    found["key"] = input_of(types.input(f"{name}GroupsKeySort"), "What the rows are grouped by.")
    return found


def _function_sort_fields(types: Types, table: Table, function: MetricFunction) -> InputFields:
    fields = types.vocabulary.of(table).metrics[function]
    return {name: _direction(types, table, shown.field) for name, shown in fields.items()}


def _key_sort_fields(types: Types, table: Table, *, has_rows: bool) -> InputFields:
    """A label is no sort key: rows that are grouped by it are sorted by the field that it explains."""
    names = types.vocabulary.of(table)
    found: InputFields = {}
    for name, meaning in names.group_fields.items():
        if not (isinstance(meaning, GroupValue) and meaning.label_of):
            found[name] = _key_sort(types, table, meaning)
    if has_rows:
        found.update((name, _key_sort(types, table, meaning)) for name, meaning in names.group_rows.items())
    return found


def _key_sort(types: Types, table: Table, meaning: KeyMeaning) -> GraphQLInputField:
    match meaning:
        case GroupValue(field=field):
            return _direction(types, table, field)
        case GroupThrough(relationship=edge, table=target):
            through = types.input(f"{types.named(target)[0]}GroupsFieldsSort")
            return input_of(through, f"Fields of {edge.name}.", target.deprecation)
        case _:
            return types.direction
