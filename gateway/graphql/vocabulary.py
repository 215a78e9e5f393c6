"""What one caller may name in GraphQL, and what it means: the schema before it is a schema.

What comes in: the catalog and an access. What goes out: names of types, fields, arguments and inputs, each with
its meaning. The schema is built from it, documents are translated by it, and `gateway check` lists what it had to
mangle. Pure, without the GraphQL library; what a table has is worked out when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gateway.catalog.model import Catalog, Column, CustomField, Field, Relationship, Table
from gateway.graphql.meaning import (
    By,
    Change,
    Connection,
    GroupRow,
    Groups,
    GroupThrough,
    GroupValue,
    Into,
    IntoRows,
    Nested,
    NestedNumbers,
    Numbers,
    On,
    Row,
    Rows,
    Shown,
    Tag,
    Through,
)
from gateway.graphql.naming import Names, mangled, pascal, singular
from gateway.query.access import Access, Operation
from gateway.query.aggregates import PARTS, metric_families
from gateway.query.children import nested_relationships
from gateway.query.context import Context
from gateway.query.fields import readable_labels
from gateway.query.operators import OPERATORS
from gateway.query.orders import UNSORTABLE
from gateway.query.plan import MetricFunction
from gateway.query.resolve import is_nameable, readable_fields, readable_relationships
from gateway.query.writes import refusal_of_writes

WORDS: Final = ("and", "or", "not")
"""What a filter has beside conditions."""

FUNCTIONS: Final[tuple[MetricFunction, ...]] = ("sum", "avg", "min", "max", "count_distinct")
TYPE_ENDINGS: Final = (
    "",
    "Filter",
    "ManyFilter",
    "Sort",
    "Create",
    "Update",
    "Connection",
    "Edge",
    "Numbers",
    "GroupsPage",
    "GroupNode",
    "GroupKey",
    "GroupFields",
    "GroupSort",
    "Having",
    "Updated",
    *(f"{name.title().replace('_', '')}{ending}" for name in FUNCTIONS for ending in ("", "Having", "Sort")),
)
"""What the names of a table's types end in, after the name of its row's type."""

OWN_TYPES: Final = frozenset(
    {
        *("Query", "Mutation", "Int", "Float", "String", "Boolean", "ID"),
        *("Decimal", "Date", "DateTime", "Time", "BigInt", "JSON", "Base64", "PageInfo", "SortDirection"),
        *("CountForm", "OnConflict", "Deleted", "Dependants"),
    }
)
"""Names of types that no table's row can have."""

RowMeaning = Shown | Tag | Nested | NestedNumbers
FilterMeaning = On | Through
SortMeaning = By | Through
KeyMeaning = GroupValue | GroupRow | GroupThrough
WriteMeaning = Into | IntoRows
RootMeaning = Rows | Row | Connection | Numbers | Groups


@dataclass(frozen=True, slots=True)
class Mangled:
    """A name of the catalog that GraphQL has under another one."""

    resource: str
    name: str
    instead: str


class TableNames:
    """What a caller may name of one table, by the names of the schema."""

    def __init__(self, context: Context, table: Table, type_name: str) -> None:
        self.table = table
        self.type_name = type_name
        self._context = context

    @cached_property
    def _names(self) -> Mapping[Field, str]:
        """The names of fields: those that can stay as they are come first, and keep theirs."""
        return _named(self._taken, readable_fields(self._context, self.table).values())

    @cached_property
    def _taken(self) -> Names:
        return Names()

    @cached_property
    def _edges(self) -> Mapping[str, Relationship]:
        edges = readable_relationships(self._context.access, self._context.catalog, self.table)
        return {name: self.table.relationships[name] for name in edges}

    def _target(self, edge: Relationship) -> Table:
        return self._context.catalog.table_of(edge)

    @cached_property
    def fields(self) -> Mapping[str, RowMeaning]:
        """The fields of a row's object."""
        found: dict[str, RowMeaning] = {}
        if not self._context.access.may("read", self.table):
            found = {mangled(column.name): Shown(column) for column in self.table.key}
            return {**found, "_etag": Tag()}
        found.update((name, Shown(field)) for field, name in self._names.items())
        names = self._taken
        for label in readable_labels(self._context, self.table).values():
            found[names.give(label.name)] = Shown(label)
        for name, edge in self._edges.items():
            found[names.give(name)] = Nested(edge, self._target(edge))
        for name, edge in self._edges.items():
            if edge.is_to_many:
                found[names.give(f"{name}_aggregate")] = NestedNumbers(edge, self._target(edge))
        found[names.give("_etag")] = Tag()
        return found

    @cached_property
    def filters(self) -> Mapping[str, FilterMeaning]:
        """The conditions of a filter, by name; an exact field name beats an operator's suffix."""
        names = Names(WORDS)
        found: dict[str, FilterMeaning] = {}
        fields = _named(names, self._names)
        for field, name in fields.items():
            if OPERATORS["eq"].fits(field.type.kind):
                found[name] = On(field, "eq")
        for name, edge in self._edges.items():
            found[names.give(name)] = Through(edge, self._target(edge))
        for field, name in fields.items():
            for operator in OPERATORS.values():
                if operator.fits(field.type.kind):
                    found[names.give(f"{name}_{operator.name}")] = On(field, operator.name)
        return found

    @cached_property
    def sorts(self) -> Mapping[str, SortMeaning]:
        """The sort keys: fields, and the to-ones that lead to more."""
        names = Names()
        found: dict[str, SortMeaning] = {
            name: By(field)
            for field, name in _named(names, self._names).items()
            if field.type.kind.family not in UNSORTABLE
        }
        for name, edge in self._edges.items():
            if not edge.is_to_many:
                found[names.give(name)] = Through(edge, self._target(edge))
        return found

    @cached_property
    def group_fields(self) -> Mapping[str, KeyMeaning]:
        """The fields and periods that rows can be grouped by, and the way to those of related rows."""
        names = Names()
        fields = {f: n for f, n in _named(names, self._names).items() if f.type.kind.family != "document"}
        found: dict[str, KeyMeaning] = {name: GroupValue(field.name) for field, name in fields.items()}
        for field, name in fields.items():
            kind = field.type.kind.name
            for part in PARTS if kind in ("date", "datetime", "timestamp") else ():
                if part != "hour" or kind != "date":
                    found[names.give(f"{name}_{part}")] = GroupValue(f"{field.name}.{part}")
        labels = readable_labels(self._context, self.table)
        for label in labels.values():
            found[names.give(label.name)] = GroupValue(label.name)
        for name, edge in self._edges.items():
            if not edge.is_to_many and edge.pick is None:
                found[names.give(f"{name}_fields")] = GroupThrough(edge, self._target(edge))
        return found

    @cached_property
    def group_rows(self) -> Mapping[str, GroupRow]:
        """The related rows that rows can be grouped by."""
        names = Names(self.group_fields)
        return {
            names.give(name): GroupRow(edge, self._target(edge))
            for name, edge in self._edges.items()
            if not edge.is_to_many and self._target(edge).key
        }

    @cached_property
    def metrics(self) -> Mapping[MetricFunction, Mapping[str, Shown]]:
        """The fields that each function takes."""
        return {
            function: {
                name: Shown(field)
                for field, name in self._names.items()
                if field.type.kind.family in metric_families(function)
            }
            for function in FUNCTIONS
        }

    def written(self, operation: Operation) -> Mapping[str, WriteMeaning]:
        """The fields that a write may give, in the order of the columns, and on create the rows nested in it."""
        names = Names()
        table, access = self.table, self._context.access
        columns = (column for column in table.columns if not (column.is_read_only or column.is_generated))
        custom = (field for field in table.custom if not field.is_read_only)
        fields: list[Column | CustomField] = [*columns, *custom]
        fields = [field for field in fields if access.may_write_column(table, field)]
        found: dict[str, WriteMeaning] = {}
        for field, name in _named(names, fields).items():
            assert isinstance(field, Column | CustomField)
            found[name] = Into(field)
        if operation == "create":
            for edge in nested_relationships(table):
                found[names.give(edge.name)] = IntoRows(edge, self._target(edge))
        return found

    @property
    def is_searchable(self) -> bool:
        """Whether the caller may search the table's rows for a text."""
        return any(self._context.access.may_read_column(self.table, column) for column in self.table.searchable)

    @property
    def is_keyed_by_columns(self) -> bool:
        """Whether the caller may know the columns of the key."""
        return all(is_nameable(self._context, self.table, column) for column in self.table.key)

    def mangled(self) -> Iterable[Mangled]:
        """Yield the fields and relationships that have another name here."""
        for name, meaning in self.fields.items():
            match meaning:
                case Shown(field=field) if field.name != name:
                    yield Mangled(self.table.resource or "", field.name, name)
                case Nested(relationship=edge) if edge.name != name:
                    yield Mangled(self.table.resource or "", edge.name, name)


class Vocabulary:
    """What a caller may name: its tables, and the fields of Query and Mutation."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.catalog: Catalog = context.catalog
        self.access: Access = context.access
        self._tables: dict[Table, TableNames] = {}

    @cached_property
    def type_names(self) -> Mapping[Table, str]:
        """The name of each table's row type; the types around it have names that begin with it."""
        taken = set(OWN_TYPES)
        found: dict[Table, str] = {}
        for table in self.catalog.exposed():
            base, number = pascal(singular(table.resource or "")), 1
            name = base
            while any(f"{name}{ending}" in taken for ending in TYPE_ENDINGS):
                number += 1
                name = f"{base}{number}"
            taken.update(f"{name}{ending}" for ending in TYPE_ENDINGS)
            found[table] = name
        return found

    def of(self, table: Table) -> TableNames:
        """Return what may be named of a table."""
        names = self._tables.get(table)
        if names is None:
            names = self._tables[table] = TableNames(self._context, table, self.type_names[table])
        return names

    @cached_property
    def readable(self) -> tuple[Table, ...]:
        """The tables whose rows the caller may read."""
        return tuple(table for table in self.catalog.exposed() if self.access.may("read", table))

    @cached_property
    def queries(self) -> Mapping[str, RootMeaning]:
        """The fields of Query: of each resource by its own name first, then by its aliases."""
        names = Names()
        found: dict[str, RootMeaning] = {}
        called = [(table, table.resource or "") for table in self.readable]
        called += [(table, alias) for table in self.readable for alias in table.aliases]
        for table, name in called:
            found[names.give(name)] = Rows(table)
        for table, name in called:
            if table.key:
                found[names.give(f"{name}_by_key")] = self.row(table)
                found[names.give(f"{name}_connection")] = Connection(table)
            found[names.give(f"{name}_aggregate")] = Numbers(table)
            found[names.give(f"{name}_groups")] = Groups(table)
        return found

    def row(self, table: Table) -> Row:
        """Return how one row of a table is named."""
        if not self.of(table).is_keyed_by_columns:
            return Row(table, ("key",), is_by_columns=False)
        names = Names(("input", "ifMatch", "dryRun"))
        return Row(table, tuple(names.give(column.name) for column in table.key))

    @cached_property
    def mutations(self) -> Mapping[str, Change]:
        """The fields of Mutation: what the caller may write of the tables that can be written."""
        names = Names()
        found: dict[str, Change] = {}
        for table in self.catalog.exposed():
            for operation in ("create", "update", "delete"):
                if self._may_write(table, operation):
                    one = self.type_names[table]
                    many = pascal(table.resource or "")
                    key = self.row(table) if operation != "create" else None
                    found[names.give(f"{operation}{one}")] = Change(table, operation, is_plural=False, key=key)
                    several = f"{operation}{many}" if many != one else f"{operation}{one}List"
                    found[names.give(several)] = Change(table, operation, is_plural=True)
        return found

    def _may_write(self, table: Table, operation: Operation) -> bool:
        """Whether the caller may do so, and the table takes it."""
        if not self.access.may(operation, table) or refusal_of_writes(table) is not None:
            return False
        if operation == "create":
            return table.create_refusal is None
        if operation == "delete" and (table.is_delete_forbidden or table.delete_refusal is not None):
            return False
        return bool(table.key)

    def mangled(self) -> tuple[Mangled, ...]:
        """Return every name that GraphQL has otherwise."""
        own = [
            Mangled(table.resource or "", table.resource or "", mangled(table.resource or ""))
            for table in self.readable
            if mangled(table.resource or "") != table.resource
        ]
        return (*own, *(each for table in self.readable for each in self.of(table).mangled()))


def _named(names: Names, fields: Iterable[Field]) -> dict[Field, str]:
    """The names of fields in their order; a name that can stay as it is is given out before one that cannot."""
    fields = tuple(fields)
    given = {field: names.give(field.name) for field in fields if mangled(field.name) == field.name}
    given.update((field, names.give(field.name)) for field in fields if field not in given)
    return {field: given[field] for field in fields}
