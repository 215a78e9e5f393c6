"""What one caller may name of one table: fields, conditions, sort keys, groups, numbers and inputs with their meanings.

What comes in: a table and the caller's context. What goes out: names as GraphQL allows them, each given out once in
its place, and those that are not the catalog's own. Pure; worked out when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

from gateway.catalog.model import Column, CustomField, Field, Relationship, Table, WriteMode
from gateway.graphql.meaning import (
    By,
    GroupRow,
    GroupThrough,
    GroupValue,
    Into,
    IntoRows,
    Nested,
    NestedNumbers,
    On,
    Shown,
    Tag,
    Through,
)
from gateway.graphql.naming import Names, mangled
from gateway.query.access import Operation
from gateway.query.aggregates import PARTS
from gateway.query.children import nested_relationships
from gateway.query.context import Context
from gateway.query.fields import label_of, readable_labels
from gateway.query.metrics import metric_families, metric_type
from gateway.query.operators import OPERATORS
from gateway.query.orders import UNSORTABLE
from gateway.query.plan import MetricFunction
from gateway.query.resolve import is_nameable, is_readable, readable_fields, readable_relationships

WORDS: Final = ("and", "or", "not")
"""What a filter has beside conditions."""

FUNCTIONS: Final[tuple[MetricFunction, ...]] = ("sum", "avg", "min", "max", "count_distinct")


FUNCTION_TYPES: Final[Mapping[MetricFunction, str]] = {
    "sum": "Sum",
    "avg": "Avg",
    "min": "Range",
    "max": "Range",
    "count_distinct": "CountDistinct",
}
"""What the names of a function's types end in: the least and the greatest are of one type."""

FUNCTION_SORTS: Final[Mapping[MetricFunction, str]] = {**FUNCTION_TYPES, "avg": "Sum"}
"""The same of its sort keys."""

HELD: Final = ("ne", "gt", "gte", "lt", "lte", "in", "nin", "between", "null")
"""Operators of conditions on groups' numbers, beside equality, which a name alone is."""

COUNT_HAVING: Final[Mapping[str, str]] = {"count": "eq", **{f"count_{name}": name for name in HELD}}
"""Conditions on the number of a group's rows, with the operator of each."""

RowMeaning = Shown | Tag | Nested | NestedNumbers
FilterMeaning = On | Through
SortMeaning = By | Through
KeyMeaning = GroupValue | GroupRow | GroupThrough
WriteMeaning = Into | IntoRows


@dataclass(frozen=True, slots=True)
class Mangled:
    """A name that is another one in GraphQL.

    ``place`` is where, when that is not the object of a row: ``filter``, ``sort``, ``groups``, ``having``, ``input``,
    ``key`` (the arguments that name a row), ``Query``, ``Mutation``, ``type``.
    """

    resource: str
    name: str
    instead: str
    place: str = ""


class TableNames:
    """What a caller may name of one table, by the names of the schema."""

    def __init__(self, context: Context, table: Table, type_name: str) -> None:
        self.table = table
        self.type_name = type_name
        self._context = context
        self._given: dict[str, Names] = {}

    def _place(self, place: str, taken: Iterable[str] = ()) -> Names:
        """The names of one place, kept for what `mangled` tells of them."""
        names = self._given[place] = Names(taken)
        return names

    @cached_property
    def _names(self) -> Mapping[Field, str]:
        """The names of fields: those that can stay as they are come first, and keep theirs."""
        return _named(self._taken, readable_fields(self._context, self.table).values())

    @cached_property
    def _taken(self) -> Names:
        return self._place("")

    @cached_property
    def _shown(self) -> Mapping[Field, Shown]:
        return {field: Shown(field) for field in self._names}

    @cached_property
    def edges(self) -> Mapping[str, Relationship]:
        """The relationships to rows that the caller may read."""
        edges = readable_relationships(self._context.access, self._context.catalog, self.table)
        return {name: self.table.relationships[name] for name in edges}

    def _target(self, edge: Relationship) -> Table:
        return self._context.catalog.table_of(edge)

    @cached_property
    def fields(self) -> Mapping[str, RowMeaning]:
        """The fields of a row's object."""
        if not self._context.access.may("read", self.table):
            return self._key_alone()
        found: dict[str, RowMeaning] = {name: self._shown[field] for field, name in self._names.items()}
        names = self._taken
        for label in readable_labels(self._context, self.table).values():
            found[names.give(label.name)] = Shown(label)
        for name, edge in self.edges.items():
            found[names.give(name)] = Nested(edge, self._target(edge))
        for name, edge in self.edges.items():
            if edge.is_to_many:
                found[names.give(f"{name}_aggregate")] = NestedNumbers(edge, self._target(edge))
        found[names.give("_etag")] = Tag()
        return found

    def _key_alone(self) -> dict[str, RowMeaning]:
        """What a caller is told of a row that it writes and may not read."""
        names = self._taken
        key: dict[str, RowMeaning] = {name: Shown(field) for field, name in _named(names, self.table.key).items()}
        return {**key, names.give("_etag"): Tag()}

    @cached_property
    def filters(self) -> Mapping[str, FilterMeaning]:
        """The conditions of a filter, by name; an exact field name beats an operator's suffix."""
        names = self._place("filter", WORDS)
        found: dict[str, FilterMeaning] = {}
        fields = _named(names, self._names)
        for field, name in fields.items():
            if OPERATORS["eq"].fits(field.type.kind):
                found[name] = On(field, "eq")
        for name, edge in self.edges.items():
            found[names.give(name)] = Through(edge, self._target(edge))
        for field, name in fields.items():
            for operator in OPERATORS.values():
                if operator.fits(field.type.kind):
                    found[names.give(f"{name}_{operator.name}")] = On(field, operator.name)
        return found

    @cached_property
    def sorts(self) -> Mapping[str, SortMeaning]:
        """The sort keys: fields, and the to-ones that lead to more."""
        names = self._place("sort")
        found: dict[str, SortMeaning] = {
            name: By(field)
            for field, name in _named(names, self._names).items()
            if field.type.kind.family not in UNSORTABLE
        }
        for name, edge in self.edges.items():
            if not edge.is_to_many and self._is_sortable(self._target(edge)):
                found[names.give(name)] = Through(edge, self._target(edge))
        return found

    def _is_sortable(self, table: Table) -> bool:
        """Whether rows of a table can be sorted by fields of their own."""
        return any(
            field.type.kind.family not in UNSORTABLE and is_readable(self._context, table, field)
            for field in table.fields.values()
        )

    @cached_property
    def group_fields(self) -> Mapping[str, KeyMeaning]:
        """The fields and periods that rows can be grouped by, and the way to those of related rows."""
        names = self._place("groups")
        fields = {f: n for f, n in _named(names, self._names).items() if f.type.kind.family != "document"}
        found: dict[str, KeyMeaning] = {name: GroupValue(field.name, field) for field, name in fields.items()}
        for field, name in fields.items():
            kind = field.type.kind.name
            for part in PARTS if kind in ("date", "datetime", "timestamp") else ():
                if part != "hour" or kind != "date":
                    found[names.give(f"{name}_{part}")] = GroupValue(f"{field.name}.{part}", field, part=part)
        for field in fields:
            label = label_of(self._context, self.table, field)
            if label is not None:
                found[names.give(label.name)] = GroupValue(label.name, label, label_of=field.name)
        for name, edge in self.edges.items():
            if not edge.is_to_many:
                found[names.give(f"{name}_fields")] = GroupThrough(edge, self._target(edge))
        return found

    @cached_property
    def group_rows(self) -> Mapping[str, GroupRow]:
        """The related rows that rows can be grouped by."""
        names = self._place("grouped rows", self.group_fields)
        return {
            names.give(name): GroupRow(edge, self._target(edge))
            for name, edge in self.edges.items()
            if not edge.is_to_many and self._target(edge).key
        }

    @cached_property
    def metrics(self) -> Mapping[MetricFunction, Mapping[str, Shown]]:
        """The fields that each function takes."""
        return {
            function: {
                name: self._shown[field]
                for field, name in self._names.items()
                if field.type.kind.family in metric_families(function)
            }
            for function in FUNCTIONS
        }

    @cached_property
    def having(self) -> Mapping[MetricFunction, Mapping[str, On]]:
        """The conditions on each function's numbers, by name; `COUNT_HAVING` has those on the number of rows."""
        held = ((function, self.held_fields(function)) for function in FUNCTIONS)
        return {function: _held(function, fields, self._place(function, fields)) for function, fields in held}

    def held_fields(self, function: MetricFunction) -> Mapping[str, Shown]:
        """Return the fields on whose numbers there are conditions: which text comes first says little of a group."""
        fields = self.metrics[function]
        if function not in ("min", "max"):
            return fields
        return {name: shown for name, shown in fields.items() if shown.field.type.kind.family != "text"}

    def written(self, operation: Operation) -> Mapping[str, WriteMeaning]:
        """The fields that a write may give, in the order of the columns, and on create the rows nested in it.

        A change names its row by the key, which it cannot change.
        """
        return self._created if operation == "create" else self._updated

    @cached_property
    def _created(self) -> Mapping[str, WriteMeaning]:
        names = self._place("input")
        found: dict[str, WriteMeaning] = {name: Into(field) for field, name in _named(names, self._writable()).items()}
        for edge in nested_relationships(self.table):
            if self._takes_nested(edge):
                found[names.give(edge.name)] = IntoRows(edge, self._target(edge))
        return found

    @cached_property
    def _updated(self) -> Mapping[str, WriteMeaning]:
        fields = (field for field in self._writable() if field not in self.table.key)
        return {name: Into(field) for field, name in _named(self._place("change"), fields).items()}

    def _writable(self) -> Iterator[Column | CustomField]:
        """The fields that the caller may give; of a table it has no grant on, for rows nested in another's, all.

        What a rule works out may be sent along, and must come out so; it is named to those who may read it.
        """
        table, access = self.table, self._context.access
        may_give_all = access.grant_on(table) is None
        fields: tuple[Column | CustomField, ...] = (*table.columns, *table.custom)
        for field in fields:
            is_fixed = field.is_read_only or (isinstance(field, Column) and field.is_generated)
            is_given = may_give_all or access.may_write_column(table, field)
            is_told = field.name not in table.computed or is_readable(self._context, table, field)
            if is_given and is_told and not is_fixed:
                yield field

    def _takes_nested(self, edge: Relationship) -> bool:
        """Whether a create may write rows of a relationship along; the planner asks the same (query/judged.py)."""
        child, access = self._target(edge), self._context.access
        grant = access.grant_on(child)
        if grant is not None and (not grant.operations or (grant.row_filter and len(child.key) != 1)):
            return False
        is_plain = child.mode is WriteMode.PLAIN or edge.name in self.table.nested
        return is_plain and any(TableNames(self._context, child, "")._writable())

    @property
    def is_filterable(self) -> bool:
        """Whether there are conditions at all: each field has some."""
        return bool(self._names or self.edges)

    @property
    def is_groupable(self) -> bool:
        """Whether there is anything to group by; rows are tied by fields that can be grouped by."""
        return any(field.type.kind.family != "document" for field in self._names)

    @property
    def is_searchable(self) -> bool:
        """Whether the caller may search the table's rows for a text."""
        return any(self._context.access.may_read_column(self.table, column) for column in self.table.searchable)

    @property
    def is_keyed_by_columns(self) -> bool:
        """Whether the caller may know the columns of the key."""
        return all(is_nameable(self._context, self.table, column) for column in self.table.key)

    def mangled(self) -> Iterator[Mangled]:
        """Yield what has another name here: fields and relationships, and elsewhere what has yet another one there."""
        _ = (self.fields, self.filters, self.sorts, self.group_fields, self.group_rows, self.having)
        _ = (self._created, self._updated)
        told: set[tuple[str, str]] = set()
        for key, place in _PLACES.items():
            for name, wanted in self._given[key].changed.items() if key in self._given else ():
                if (wanted, name) not in told:
                    told.add((wanted, name))
                    yield Mangled(self.table.resource or "", wanted, name, place)


_PLACES: Final[Mapping[str, str]] = {
    "": "",
    "filter": "filter",
    "sort": "sort",
    "groups": "groups",
    "grouped rows": "groups",
    **dict.fromkeys(FUNCTIONS, "having"),
    "input": "input",
    "change": "input",
}
"""Places of names, with the words that they are told by."""


def _held(function: MetricFunction, fields: Mapping[str, Shown], names: Names) -> dict[str, On]:
    """The conditions on a function's numbers; equality goes by the field's name alone."""
    kinds = {name: metric_type(function, shown.field.type).kind for name, shown in fields.items()}
    found = {name: On(shown.field, "eq") for name, shown in fields.items()}
    for name, shown in fields.items():
        fitting = (operator for operator in HELD if OPERATORS[operator].fits(kinds[name]))
        found.update((names.give(f"{name}_{operator}"), On(shown.field, operator)) for operator in fitting)
    return found


FieldType = TypeVar("FieldType", bound=Field)


def _named(names: Names, fields: Iterable[FieldType]) -> dict[FieldType, str]:
    """The names of fields in their order; a name that can stay as it is is given out before one that cannot."""
    fields = tuple(fields)
    given = {field: names.give(field.name) for field in fields if mangled(field.name) == field.name}
    given.update((field, names.give(field.name)) for field in fields if field not in given)
    return {field: given[field] for field in fields}
