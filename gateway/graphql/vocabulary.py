"""What one caller may name in GraphQL, and what it means: the schema before it is a schema.

What comes in: the catalog and an access. What goes out: names of types, fields, arguments and inputs, each with
its meaning. The schema is built from it, documents are translated by it, and `gateway check` lists what it had to
mangle. Pure, without the GraphQL library; what a table has is worked out when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, Literal

from gateway.catalog.model import Catalog, Table
from gateway.graphql.meaning import (
    Change,
    Connection,
    Groups,
    Into,
    IntoRows,
    Numbers,
    Row,
    Rows,
)
from gateway.graphql.naming import Names, is_name, pascal, singular
from gateway.graphql.tables import FUNCTION_TYPES, Mangled, TableNames
from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.coerce import Clock
from gateway.query.context import Context, Slots
from gateway.query.writes import refusal_of_writes

WRITES: Final[tuple[Literal["create", "update", "delete"], ...]] = ("create", "update", "delete")

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
    "GroupsNode",
    "GroupsKey",
    "GroupsKeySort",
    "GroupsFields",
    "GroupsFieldsSort",
    "GroupsSort",
    "Having",
    "Updated",
    *(f"{name}{ending}" for name in dict.fromkeys(FUNCTION_TYPES.values()) for ending in ("", "Having", "Sort")),
)
"""What the names of a table's types end in, after the name of its row's type."""

OWN_TYPES: Final = frozenset(
    {
        *("Query", "Mutation", "Int", "Float", "String", "Boolean", "ID"),
        *("Decimal", "Date", "DateTime", "Time", "BigInt", "JSON", "Base64", "PageInfo", "SortDirection"),
        *("CountForm", "CountIs", "OnConflict", "Deleted", "Dependants"),
    }
)
"""Names of types that no table's row can have."""

RootMeaning = Rows | Row | Connection | Numbers | Groups


class Vocabulary:
    """What a caller may name: its tables, and the fields of Query and Mutation."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.catalog: Catalog = context.catalog
        self.access: Access = context.access
        self._tables: dict[Table, TableNames] = {}

    @cached_property
    def type_names(self) -> Mapping[Table, str]:
        """The name of each table's row type; the types around it have names that begin with it."""
        taken = set(OWN_TYPES)
        found: dict[Table, str] = {}
        for table in self.catalog.exposed():
            name = base = _plain_type(table)
            number = 1
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
            names = self._tables[table] = TableNames(self.context, table, self.type_names[table])
        return names

    @cached_property
    def readable(self) -> tuple[Table, ...]:
        """The tables whose rows the caller may read."""
        return tuple(table for table in self.catalog.exposed() if self.access.may("read", table))

    @cached_property
    def filtered(self) -> tuple[Table, ...]:
        """The tables whose rows can be chosen by conditions: to be read, or to be written."""
        changes = (change for change in self.mutations.values() if change.operation != "create")
        written = (change.table for change in changes if change.is_plural)
        chosen = (table for table in written if not self.access.may("read", table))
        return tuple(dict.fromkeys((*self.readable, *chosen)))

    @cached_property
    def many(self) -> tuple[Table, ...]:
        """The tables that to-manys lead to."""
        edges = (edge for table in self.filtered for edge in self.of(table).edges.values() if edge.is_to_many)
        return tuple(dict.fromkeys(self.catalog.table_of(edge) for edge in edges))

    @cached_property
    def grouped_through(self) -> tuple[Table, ...]:
        """The tables that to-ones lead to: rows of others can be grouped by their fields."""
        edges = (edge for table in self.readable for edge in self.of(table).edges.values() if not edge.is_to_many)
        return tuple(dict.fromkeys(self.catalog.table_of(edge) for edge in edges))

    @cached_property
    def lists(self) -> Mapping[str, tuple[str, Table]]:
        """The names of lists, each with the resource's name or alias and its table; names come before aliases.

        Those of tables that the caller may not read are among them, so that no name depends on its rights: that a
        resource is there is no secret (SPEC section 6).
        """
        names, tables = Names(), self.catalog.exposed()
        called = [(table.resource or "", table) for table in tables]
        called += [(alias, table) for table in tables for alias in table.aliases]
        kept = {each: names.give(each[0]) for each in called if is_name(each[0])}
        return {kept.get(each) or names.give(each[0]): each for each in called}

    @cached_property
    def queries(self) -> Mapping[str, RootMeaning]:
        """The fields of Query: the lists first, so that no other field takes the name of one."""
        lists = [(name, table) for name, (_, table) in self.lists.items() if self.access.may("read", table)]
        found: dict[str, RootMeaning] = {name: Rows(table) for name, table in lists}
        names = self._queried
        for name, table in lists:
            if table.key:
                found[names.give(f"{name}_by_key")] = self.row(table)
                found[names.give(f"{name}_connection")] = Connection(table)
            found[names.give(f"{name}_aggregate")] = Numbers(table)
            if self.of(table).is_groupable:
                found[names.give(f"{name}_groups", f"{name}_grouped")] = Groups(table)
        return found

    @cached_property
    def _queried(self) -> Names:
        return Names(self.lists)

    @cached_property
    def _mutated(self) -> Names:
        return Names()

    def row(self, table: Table) -> Row:
        """Return how one row of a table is named."""
        if not self.of(table).is_keyed_by_columns:
            return Row(table, ("key",), is_by_columns=False)
        names = Names(("input", "ifMatch", "dryRun"))
        return Row(table, tuple(names.give(column.name) for column in table.key))

    @cached_property
    def mutations(self) -> Mapping[str, Change]:
        """The fields of Mutation: what the caller may write of the tables that can be written."""
        names = self._mutated
        found: dict[str, Change] = {}
        for table in self.catalog.exposed():
            for operation in WRITES:
                if not self._may_write(table, operation):
                    continue
                one, many = self.type_names[table], pascal(table.resource or "")
                key = self.row(table) if operation != "create" else None
                found[names.give(f"{operation}{one}")] = Change(table, operation, is_plural=False, key=key)
                if operation == "create" or self.of(table).is_filterable:
                    several = f"{operation}{many}" if many != one else f"{operation}{one}List"
                    found[names.give(several)] = Change(table, operation, is_plural=True)
        return found

    def _may_write(self, table: Table, operation: Operation) -> bool:
        """Whether the caller may do so, and the table takes it: a create needs something that can be given."""
        if not self.access.may(operation, table) or refusal_of_writes(table) is not None:
            return False
        if operation == "create":
            given = self.of(table).written("create").values()
            return table.create_refusal is None and any(isinstance(each, Into) for each in given)
        if operation == "update":
            return bool(table.key) and bool(self.of(table).written("update"))
        return bool(table.key) and not table.is_delete_forbidden and table.delete_refusal is None

    @cached_property
    def created(self) -> tuple[Table, ...]:
        """The tables that rows can be given for: created by themselves, or nested in others."""
        found: dict[Table, None] = {
            change.table: None for change in self.mutations.values() if change.operation == "create"
        }
        waiting = list(found)
        while waiting:
            nested = (each for each in self.of(waiting.pop()).written("create").values() if isinstance(each, IntoRows))
            new = [each.table for each in nested if each.table not in found]
            found.update(dict.fromkeys(new))
            waiting.extend(new)
        return tuple(found)

    def mangled(self) -> tuple[Mangled, ...]:
        """Return every name that GraphQL has otherwise."""
        return (*self._mangled_roots(), *(each for table in self.readable for each in self._mangled_of(table)))

    def _mangled_roots(self) -> Iterator[Mangled]:
        """Fields of Query and Mutation."""
        for name, (called, table) in self.lists.items():
            if called != name and self.access.may("read", table):
                yield Mangled(table.resource or "", called, name, "Query")
        roots: Mapping[str, RootMeaning | Change]
        for roots, names, place in (self.queries, self._queried, "Query"), (self.mutations, self._mutated, "Mutation"):
            for name, wanted in names.changed.items():
                yield Mangled(roots[name].table.resource or "", wanted, name, place)

    def _mangled_of(self, table: Table) -> Iterator[Mangled]:
        """The table's type, arguments of its key, and what is named in it."""
        resource, type_name, plain = table.resource or "", self.type_names[table], _plain_type(table)
        if type_name != plain:
            yield Mangled(resource, plain, type_name, "type")
        row, own = self.row(table), tuple(self.of(table).mangled())
        told = {(each.name, each.instead) for each in own}
        if row.is_by_columns:
            for column, name in zip(table.key, row.arguments, strict=True):
                if column.name != name and (column.name, name) not in told:
                    yield Mangled(resource, column.name, name, "key")
        yield from own


_ANY_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""What may be named depends on no moment."""


def vocabulary_of(catalog: Catalog, access: Access) -> Vocabulary:
    """Return what a caller may name of a catalog."""
    return Vocabulary(Context(catalog, access, Clock(_ANY_MOMENT, catalog.zone), Slots()))


def everything(catalog: Catalog) -> Vocabulary:
    """Return what a caller may name who may do everything."""
    return vocabulary_of(catalog, Access("everything", {"*": Grant(frozenset(OPERATIONS))}))


def _plain_type(table: Table) -> str:
    """The name that a table's row type has where nothing else is called so."""
    return pascal(singular(table.resource or ""))
