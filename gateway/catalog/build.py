"""Reflected tables + whitelist + profile -> `Catalog`; pure, so tests build catalogs without a database.

What comes in: what the database says of itself, what the administrator exposes, what
is known of the product. What goes out: the catalog, and every mistake at once. The
steps stand in `build_catalog` in order; each has a module:

    chosen   which tables the whitelist means        columns  what is hidden, kinds, fillers
    edges    relationships and their names           derived  fields the profile computes
    custom   fields the CRM's users defined          labels   words for codes, currencies of amounts

Whether a build with mistakes is used is the caller's choice: at start it is not, on
a reload the mistaken names are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from gateway.catalog.chosen import (
    Chosen,
    choose_tables,
    known_dependants,
    known_table,
    mode_of,
    prefix_of,
    tables_needed,
)
from gateway.catalog.columns import NO_COLUMN, ColumnRules, Shape, check_columns, shape_table
from gateway.catalog.custom import CustomFields, find_custom_fields
from gateway.catalog.derived import Surroundings, derive_fields
from gateway.catalog.edges import Ground, Network, connect
from gateway.catalog.exposure import Exposure, Problem
from gateway.catalog.findings import Findings
from gateway.catalog.kinds import parse_sql_type
from gateway.catalog.knowledge import KnownTable, Profile
from gateway.catalog.labels import labels_of, money_of
from gateway.catalog.model import (
    Catalog,
    Column,
    Excluded,
    Field,
    LabelField,
    PathField,
    Relationship,
    Table,
    WriteMode,
)
from gateway.catalog.reflected import ReflectedTable, Reflection

__all__ = ["Built", "build_catalog", "tables_needed"]

_HIDDEN_CHILDREN: Final = (
    "rows that depend on it may be in tables that the gateway's database user may not see; "
    "grant it SELECT on the whole database"
)
_HIDDEN_FROM_RULES: Final = (
    "the rules that go with a write need tables that the gateway's database user may not see; "
    "grant it SELECT on the whole database"
)


@dataclass(frozen=True, slots=True)
class Built:
    """A catalog, and the whitelist's mistakes in the order of the file; what they name is left out of it."""

    catalog: Catalog
    problems: tuple[Problem, ...]


def build_catalog(
    reflection: Reflection,
    exposure: Exposure,
    profile: Profile | None,
    *,
    zone: tzinfo,
    previous: Catalog | None = None,
) -> Built:
    """Return the catalog of the reflected tables that ``exposure`` opens.

    ``reflection`` holds the tables of `tables_needed`; ``previous`` is the catalog in
    use, whose names are absent rather than wrong when the database has lost them.
    """
    findings = Findings()
    prefix = prefix_of(exposure, profile)
    chosen = {
        table.name: table
        for table in choose_tables(exposure, profile, reflection.existing, findings, previous)
        if table.name in reflection.tables and not _lacks_definitions(table, reflection, profile, prefix, findings)
    }
    wanted = frozenset(table.name.text for table in exposure.tables)
    ground = Ground(reflection.tables, chosen, profile, prefix, wanted, _lapsed(reflection, previous))
    shapes = _shapes(ground, exposure, reflection.options)
    patterns = tuple(name.text for name in exposure.hide_patterns)
    custom = find_custom_fields(ground, shapes, reflection, patterns, findings)
    for table in chosen.values():
        _check(ground, table, shapes[table.name], custom, findings)
    network = connect(ground, findings)
    maker = _Maker(ground, shapes, network, findings, reflection, custom)
    tables = {name: maker.make(reflected) for name, reflected in reflection.tables.items()}
    catalog = Catalog(
        dialect=reflection.dialect,
        zone=zone,
        tables=tables,
        resources={name: tables[each.name] for each in chosen.values() for name in (each.resource, *each.aliases)},
        fingerprint=reflection.fingerprint,
        prefix=prefix,
        absences=tuple(findings.absences),
        warnings=tuple(findings.warnings),
        dependants=_dependants(network),
        max_examined_rows=exposure.max_examined_rows,
    )
    return Built(catalog, findings.sorted_problems())


def _lacks_definitions(
    table: Chosen, reflection: Reflection, profile: Profile | None, prefix: str, findings: Findings
) -> bool:
    """Whether values of custom fields would be shown without a look at which of them are secret."""
    tables = profile.custom_fields if profile else None
    if tables is None or table.known is None or table.known.name != tables.values:
        return False
    definitions = prefix + tables.table
    if definitions in reflection.existing and definitions not in reflection.unreadable:
        return False
    findings.absence(table.resource, f"the definitions in {prefix}{tables.table} are not to be seen")
    return True


def _shapes(ground: Ground, exposure: Exposure, options: Mapping[str, str]) -> dict[str, Shape]:
    rules = ColumnRules(
        tuple(name.text for name in exposure.hide_patterns),
        ground.profile.read_only if ground.profile else frozenset(),
        options,
    )
    return {name: _shape(ground, table, rules) for name, table in ground.tables.items()}


def _shape(ground: Ground, table: ReflectedTable, rules: ColumnRules) -> Shape:
    known = known_table(table.name, ground.profile, ground.prefix)
    chosen = ground.chosen.get(table.name)
    reads: Iterable[str] = ()
    if chosen is None and known and ground.profile:
        reads = ground.profile.reads.get(known.name, ())
    return shape_table(table, known, chosen.exposure if chosen else None, rules, reads)


def _check(ground: Ground, table: Chosen, shape: Shape, custom: CustomFields, findings: Findings) -> None:
    """Note what is wrong with a table's entry, and what the product's other versions have in it."""
    reflected = ground.tables[table.name]
    lapsed = ground.lapsed.get(table.name, frozenset())
    check_columns(reflected, table, shape, findings, lapsed, custom.names.get(table.name))
    known = table.known.columns if table.known else frozenset()
    for name in sorted(known - ground.columns(table.name)):
        findings.absence(f"{table.resource}.{name}", NO_COLUMN)
    if not shape.visible:
        findings.problem(
            table.exposure.name.mark, f'table "{table.exposure.name.text}" has no column that may be shown'
        )


def _lapsed(reflection: Reflection, previous: Catalog | None) -> dict[str, frozenset[str]]:
    """The columns that each table had in the previous catalog and has no more."""
    tables = previous.tables if previous else {}
    return {
        name: _names(tables[name]) - {column.name for column in reflected.columns}
        for name, reflected in reflection.tables.items()
        if name in tables
    }


def _names(table: Table) -> frozenset[str]:
    return frozenset({column.name for column in table.columns} | set(table.internal))


def _dependants(network: Network) -> dict[str, tuple[Relationship, ...]]:
    """Every to-many edge of every table, to internal children too."""
    return {
        table: tuple(edge for edge in edges.values() if edge.is_to_many) for table, edges in network.by_table.items()
    }


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the tables of the catalog from what the earlier steps found."""

    ground: Ground
    shapes: Mapping[str, Shape]
    network: Network
    findings: Findings
    reflection: Reflection
    custom: CustomFields

    def make(self, reflected: ReflectedTable) -> Table:
        """Return one table, internal unless it was chosen."""
        chosen = self.ground.chosen.get(reflected.name)
        return self._internal(reflected) if chosen is None else self._exposed(reflected, chosen)

    def _internal(self, reflected: ReflectedTable) -> Table:
        shape = self.shapes[reflected.name]
        columns = tuple(shape.visible.values())
        return Table(
            name=reflected.name,
            resource=None,
            columns=columns,
            fields=dict(shape.visible),
            key=self._key(reflected, None),
            mode=WriteMode.NONE,
            mode_reason="the table is not exposed",
            is_view=reflected.is_view,
            internal=shape.internal,
            indexed=_indexed(reflected),
            unique_keys=reflected.unique_keys,
        )

    def _exposed(self, reflected: ReflectedTable, chosen: Chosen) -> Table:
        shape, known = self.shapes[reflected.name], chosen.known
        mode, reason = mode_of(chosen, reflected.is_view)
        self._warn_unsafe(chosen, mode)
        fields, relationships = self._fields(reflected.name, shape, known), self._relationships(reflected.name)
        currency, money = money_of(known, reflected.name, fields, self.shapes, self.network, relationships)
        return Table(
            name=reflected.name,
            resource=chosen.resource,
            columns=tuple(shape.visible.values()),
            fields=fields,
            key=self._key(reflected, chosen),
            relationships=relationships,
            aliases=chosen.aliases,
            mode=mode,
            mode_reason=reason or self._rule_refusal(known, mode),
            create_refusal=shape.create_refusal,
            is_view=reflected.is_view,
            is_delete_forbidden=chosen.exposure.is_delete_forbidden,
            delete_refusal=self._delete_refusal(chosen, mode),
            label=shape.visible.get(known.label) if known and known.label else None,
            searchable=_searchable(chosen, shape),
            internal=shape.internal,
            indexed=_indexed(reflected),
            unique_keys=reflected.unique_keys,
            summary=known.summary if known else "",
            excluded=self._excluded(reflected, known, shape),
            computed=known.computed if known and mode is WriteMode.MANAGED else frozenset(),
            defaulted=known.defaulted if known and mode is WriteMode.MANAGED else frozenset(),
            nested=known.nested if known and mode is WriteMode.MANAGED else frozenset(),
            custom=self.custom.by_table.get(reflected.name, ()),
            labels=self._labels(reflected.name, fields),
            currency=currency,
            money=money,
            deprecated={name.text: reason for name, reason in chosen.exposure.deprecated if name.text in fields},
            deprecation=chosen.exposure.deprecation or None,
        )

    def _labels(self, name: str, fields: Mapping[str, Field]) -> Mapping[str, LabelField | PathField]:
        rights = self.reflection.rights
        return labels_of(name, fields, self.ground, self.shapes, self.network, rights, self.findings)

    def _is_followed(self, edge: Relationship) -> bool:
        """An edge by a hidden column would tell its value."""
        if edge.target not in self.ground.chosen:
            return False
        guards = {guard.column for guard in (*edge.guards, *(edge.pick.guards if edge.pick else ()))}
        local, remote = ({pair[side] for pair in edge.pairs} for side in (0, 1))
        here, there = (local | guards, remote) if edge.is_held_here else (local, remote | guards)
        return not (here & self.shapes[edge.source].hidden or there & self.shapes[edge.target].hidden)

    def _excluded(self, reflected: ReflectedTable, known: KnownTable | None, shape: Shape) -> Excluded | None:
        """The rows of custom fields whose slug or name says that they hold a secret."""
        tables = self.ground.profile.custom_fields if self.ground.profile else None
        if known is None or tables is None or known.name not in (tables.table, tables.values):
            return None
        secret = self.custom.secret
        name = tables.key if known.name == tables.table else tables.reference
        column = next((column for column in reflected.columns if column.name == name), None)
        if not secret or column is None:
            return None
        return Excluded(shape.visible.get(name) or Column(name, parse_sql_type(column.sql_type)), tuple(sorted(secret)))

    def _delete_refusal(self, chosen: Chosen, mode: WriteMode) -> str | None:
        """Why a delete might leave rows behind unseen: a child table, there or not, is not shown to the gateway."""
        profile = self.ground.profile
        if profile is None or chosen.known is None or mode is WriteMode.NONE or chosen.exposure.is_delete_forbidden:
            return None
        return _HIDDEN_CHILDREN if self._is_any_hidden(known_dependants(chosen.known, profile)) else None

    def _rule_refusal(self, known: KnownTable | None, mode: WriteMode) -> str:
        """Why a rule might go by half of what it needs: an amount without the taxes that nobody could see is wrong."""
        ruled = known.ruled if known is not None and mode is WriteMode.MANAGED else None
        return _HIDDEN_FROM_RULES if self._is_any_hidden(ruled or ()) else ""

    def _is_any_hidden(self, names: Iterable[str]) -> bool:
        """Whether one of the tables, there or not, is not shown to the gateway."""
        rights, unreadable = self.reflection.rights, self.reflection.unreadable
        tables = (self.ground.prefix + name for name in names)
        return any(name in unreadable or not rights.shows(name) for name in tables)

    def _fields(self, name: str, shape: Shape, known: KnownTable | None) -> dict[str, Field]:
        fields: dict[str, Field] = dict(shape.visible)
        if known:
            around = Surroundings(self.shapes, self.network, frozenset(self.ground.chosen))
            fields.update(derive_fields(name, known, around, self.findings))
        fields.update((field.name, field) for field in self.custom.by_table.get(name, ()))
        return fields

    def _relationships(self, name: str) -> dict[str, Relationship]:
        """The relationships of a resource: those to other resources by columns that clients see, to-ones first."""
        edges = [edge for edge in self.network.by_table[name].values() if self._is_followed(edge)]
        return {edge.name: edge for edge in sorted(edges, key=lambda edge: edge.is_to_many)}

    def _key(self, reflected: ReflectedTable, chosen: Chosen | None) -> tuple[Column, ...]:
        """The key's columns; none when one of them is hidden or the database lacks it."""
        shape = self.shapes[reflected.name]
        names = self._key_names(reflected, chosen)
        columns = shape.pick(names)
        if len(columns) == len(names):
            self._warn_ambiguous(reflected, chosen, names)
            return columns
        if chosen and shape.hidden.intersection(names):
            self.findings.warn(f"rows of {chosen.resource} can only be listed: a column of their key is hidden")
        return ()

    def _key_names(self, reflected: ReflectedTable, chosen: Chosen | None) -> tuple[str, ...]:
        if chosen and chosen.exposure.key:
            return tuple(name.text for name in chosen.exposure.key)
        if reflected.is_view:
            return ()
        known = known_table(reflected.name, self.ground.profile, self.ground.prefix)
        return reflected.primary_key or (known.key if known else ())

    def _warn_ambiguous(self, reflected: ReflectedTable, chosen: Chosen | None, names: tuple[str, ...]) -> None:
        unique = [key for key in (reflected.primary_key, *reflected.unique_keys) if key]
        if chosen and names and not reflected.is_view and not any(set(key) <= set(names) for key in unique):
            self.findings.warn(
                f"{chosen.resource}: no unique index covers the key {','.join(names)}; "
                "a write that meets several rows with one key is refused"
            )

    def _warn_unsafe(self, chosen: Chosen, mode: WriteMode) -> None:
        if chosen.exposure.is_unsafe_writable and mode is WriteMode.PLAIN:
            self.findings.warn(f"{chosen.exposure.name.mark} {chosen.resource} can be written (unsafe_writes)")


def _searchable(chosen: Chosen, shape: Shape) -> tuple[Column, ...]:
    names = tuple(name.text for name in chosen.exposure.search) or (chosen.known.search if chosen.known else ())
    return tuple(column for column in shape.pick(names) if column.type.kind.family == "text")


def _indexed(reflected: ReflectedTable) -> frozenset[str]:
    """The columns an index begins with."""
    keys = (reflected.primary_key, *reflected.unique_keys, *reflected.indexes)
    return frozenset(columns[0] for columns in keys if columns)
