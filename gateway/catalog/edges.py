"""The edges between tables, each once, with a name on either side.

Edges come from the profile, from declared foreign keys and from the whitelist. One
that two of them know is one edge. Names are given in that order and never taken
away: what a whitelist or a module's table adds cannot rename what the profile named.
A to-one whose name is taken becomes ``<name>_ref``, a to-many ``<child>_by_<column>``;
a name that is then still taken is a mistake, and the catalog does not build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gateway.catalog.chosen import Chosen, known_table
from gateway.catalog.columns import NO_COLUMN
from gateway.catalog.conditions import GrammarError, parse_condition
from gateway.catalog.exposure import Mark, Name, RelationshipExposure
from gateway.catalog.findings import Findings
from gateway.catalog.kinds import parse_sql_type
from gateway.catalog.knowledge import Profile
from gateway.catalog.model import Guard, Pick, Relationship
from gateway.catalog.naming import label_of, long_reverse_of, resource_of, reverse_of
from gateway.catalog.reflected import ReflectedForeignKey, ReflectedTable


@dataclass(frozen=True, slots=True)
class Edge:
    """A reference from ``table`` to ``target``, both database names.

    ``name`` and ``reverse`` are what it would like to be called; ``known_as`` is what
    the profile's expressions call it on either side. ``mark`` is where the whitelist
    asks for it.
    """

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    name: str
    reverse: str | None = None
    guards: tuple[Guard, ...] = ()
    is_owned: bool = False
    is_freed: bool = False
    is_pick: bool = False
    mark: Mark | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two edges the same."""
        return (self.table, self.columns, self.target, self.target_columns, self.guards, self.is_pick)


@dataclass(frozen=True, slots=True)
class Network:
    """All edges among the reflected tables, named.

    ``by_table`` holds each table's relationships by name, those of internal tables
    and to them too; ``called`` finds them by what the profile calls them.
    """

    by_table: Mapping[str, Mapping[str, Relationship]]
    called: Mapping[tuple[str, str], Relationship]


@dataclass(frozen=True, slots=True)
class Ground:
    """What edges are laid on: the reflected tables, the exposed ones among them, and the profile.

    ``wanted`` are the names of all tables in the whitelist, absent ones among them;
    ``lapsed`` the columns that a table had in the previous catalog.
    """

    tables: Mapping[str, ReflectedTable]
    chosen: Mapping[str, Chosen]
    profile: Profile | None
    prefix: str
    wanted: frozenset[str] = frozenset()
    lapsed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def columns(self, table: str) -> frozenset[str]:
        """The names of a reflected table's columns."""
        return frozenset(column.name for column in self.tables[table].columns)

    def called(self, table: str) -> str:
        """What a to-many of this table is called: its first alias, else its resource name."""
        chosen = self.chosen.get(table)
        if chosen is None:
            return resource_of(table, self.prefix)
        return chosen.aliases[0] if chosen.aliases else chosen.resource

    def resource(self, table: str) -> str:
        """The resource name of a table, or what it would be."""
        chosen = self.chosen.get(table)
        return chosen.resource if chosen else resource_of(table, self.prefix)


def connect(ground: Ground, findings: Findings) -> Network:
    """Return the named edges among the reflected tables."""
    edges = {edge.identity: edge for edge in _profile_edges(ground, findings)}
    _merge_declared(ground, edges)
    _merge_whitelisted(ground, edges, findings)
    return _Namer(ground, findings).name(tuple(edges.values()))


def _profile_edges(ground: Ground, findings: Findings) -> Iterator[Edge]:
    """The profile's edges whose tables are reflected and whose columns exist; a lacking column is an absence."""
    profile = ground.profile
    if profile is None:
        return
    for known in profile.edges:
        edge = Edge(
            ground.prefix + known.table,
            (known.column,),
            ground.prefix + known.target,
            (known.target_column,),
            known.name,
            profile.reverse_names[known],
            known.guards,
            known.is_owned,
            known.is_freed,
        )
        if _is_possible(ground, edge, findings):
            yield edge
    for pick in profile.picks:
        columns = (pick.child_column,)
        edge = Edge(
            ground.prefix + pick.child, columns, ground.prefix + pick.table, (pick.column,), "", pick.name, pick.guards
        )
        if _is_possible(ground, edge, findings):
            yield replace(edge, is_pick=True)


def _is_possible(ground: Ground, edge: Edge, findings: Findings) -> bool:
    if edge.table not in ground.tables or edge.target not in ground.tables:
        return False
    if ground.tables[edge.table].is_view or ground.tables[edge.target].is_view:
        return False
    needed = {(edge.table, name) for name in (*edge.columns, *(guard.column for guard in edge.guards))}
    needed |= {(edge.target, name) for name in edge.target_columns}
    lacking = sorted(f"{resource_of(table, ground.prefix)}.{name}" for table, name in needed - _existing(ground, edge))
    if lacking:
        owner, name = (edge.table, edge.name) if edge.name else (edge.target, edge.reverse)
        reason = f"it needs {', '.join(lacking)}, which this database has not"
        findings.absence(f"relationship {resource_of(owner, ground.prefix)}.{name}", reason)
    return not lacking


def _existing(ground: Ground, edge: Edge) -> set[tuple[str, str]]:
    return {(table, name) for table in (edge.table, edge.target) for name in ground.columns(table)}


def _merge_declared(ground: Ground, edges: dict[tuple[object, ...], Edge]) -> None:
    """Add the declared foreign keys that no other edge says already; a cascade makes the children owned."""
    said = {(edge.table, edge.columns, edge.target): edge for edge in edges.values() if not edge.is_pick}
    for table in ground.tables.values():
        for key in table.foreign_keys:
            known = said.get((table.name, key.columns, key.target))
            if known is not None:
                edges[known.identity] = replace(known, is_owned=known.is_owned or key.is_cascading)
            elif _is_whole(ground, table.name, key):
                edge = _declared(ground, table.name, key)
                edges.setdefault(edge.identity, edge)


def _is_whole(ground: Ground, table: str, key: ReflectedForeignKey) -> bool:
    """Whether both ends of a foreign key were reflected; a table may change while it is read."""
    if key.target not in ground.tables:
        return False
    return ground.columns(table).issuperset(key.columns) and ground.columns(key.target).issuperset(key.target_columns)


def _declared(ground: Ground, table: str, key: ReflectedForeignKey) -> Edge:
    name = label_of(key.columns, ground.resource(key.target))
    return Edge(table, key.columns, key.target, key.target_columns, name, is_owned=key.is_cascading)


def _merge_whitelisted(ground: Ground, edges: dict[tuple[object, ...], Edge], findings: Findings) -> None:
    """Add the whitelist's own edges; one that repeats a foreign key gives it its name."""
    by_resource = {name: table.name for table in ground.chosen.values() for name in (table.resource, *table.aliases)}
    for table in ground.chosen.values():
        for wanted in table.exposure.relationships:
            edge = _whitelisted(ground, table, wanted, by_resource, findings)
            if edge is None:
                continue
            same = edges.get(edge.identity)
            if same is not None and (same.mark is not None or same.reverse is not None):
                message = f'relationship "{edge.name}" of {table.resource} is already there as "{same.name}"'
                findings.problem(wanted.name.mark, message)
            else:
                edges[edge.identity] = replace(
                    edge, is_owned=bool(same and same.is_owned), is_freed=bool(same and same.is_freed)
                )


def _whitelisted(
    ground: Ground, table: Chosen, wanted: RelationshipExposure, by_resource: Mapping[str, str], findings: Findings
) -> Edge | None:
    target = by_resource.get(wanted.target.text.removeprefix(ground.prefix)) or by_resource.get(wanted.target.text)
    if target is None:
        _note_missing_target(ground, table, wanted, by_resource, findings)
        return None
    guards = _guards(wanted, findings)
    if guards is None:
        return None
    guarded = tuple(Name(guard.column, wanted.when_mark or wanted.name.mark) for guard in guards)
    are_here = _have(ground, table.name, (*wanted.columns, *guarded), findings)
    are_there = _have(ground, target, wanted.target_columns, findings)
    if not (are_here and are_there):
        return None
    return Edge(
        table=table.name,
        columns=tuple(name.text for name in wanted.columns),
        target=target,
        target_columns=tuple(name.text for name in wanted.target_columns),
        name=wanted.name.text,
        reverse=wanted.reverse.text if wanted.reverse else None,
        guards=guards,
        mark=wanted.name.mark,
    )


def _note_missing_target(
    ground: Ground, table: Chosen, wanted: RelationshipExposure, exposed: Iterable[str], findings: Findings
) -> None:
    """A target that the whitelist names but the database lacks is absent, and said to be so already."""
    if wanted.target.text in ground.wanted:
        reason = f"its table {wanted.target.text} is not there"
        findings.absence(f"relationship {table.resource}.{wanted.name.text}", reason)
    else:
        findings.unknown("exposed table", wanted.target, exposed)


def _guards(wanted: RelationshipExposure, findings: Findings) -> tuple[Guard, ...] | None:
    try:
        return parse_condition(wanted.when)
    except GrammarError as error:
        findings.problem(wanted.when_mark or wanted.name.mark, f'cannot read the condition "{wanted.when}": {error}')
        return None


def _have(ground: Ground, table: str, names: Iterable[Name], findings: Findings) -> bool:
    """Whether the table has all the columns; those it lacks are noted as absent when the product knows them."""
    existing, resource = ground.columns(table), ground.resource(table)
    known = known_table(table, ground.profile, ground.prefix)
    lacking = [name for name in names if name.text not in existing]
    for name in lacking:
        if (known and known.knows(name.text)) or name.text in ground.lapsed.get(table, ()):
            findings.absence(f"{resource}.{name.text}", NO_COLUMN)
        else:
            findings.unknown("column", name, existing, resource)
    return not lacking


class _Namer:
    """Gives every edge its two names; to-ones first, so that no reverse can take a to-one's name."""

    def __init__(self, ground: Ground, findings: Findings) -> None:
        self._ground, self._findings = ground, findings
        self._taken = {name: self._fields_of(name) for name in ground.tables}
        self._by_table: dict[str, dict[str, Relationship]] = {name: {} for name in ground.tables}
        self._called: dict[tuple[str, str], Relationship] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def name(self, edges: tuple[Edge, ...]) -> Network:
        """Return the network of ``edges``."""
        self._counts.update((edge.table, edge.target) for edge in edges if not edge.is_pick)
        ordered = sorted(edges, key=lambda edge: edge.mark is not None)
        forward = [(edge, "" if edge.is_pick else self._forward_name(edge)) for edge in ordered]
        backward = [self._backward_name(edge) for edge in ordered]
        for (edge, name), reverse in zip(forward, backward, strict=True):
            self._add(edge, name, reverse)
        return Network(self._by_table, self._called)

    def _fields_of(self, table: str) -> set[str]:
        """Every name a field of the table has or would have in another version, so that names stay the same."""
        known = known_table(table, self._ground.profile, self._ground.prefix)
        fields = set(self._ground.columns(table))
        return fields | (set(known.columns) | {derived.name for derived in known.derived} if known else set())

    def _forward_name(self, edge: Edge) -> str:
        wanted = [edge.name, f"{edge.name}_ref"]
        if edge.mark is not None:
            wanted = wanted[:1]
        elif self._counts[edge.table, edge.target] == 1 and not self._is_known(edge):
            wanted.insert(1, self._ground.resource(edge.target))
        return self._claim(edge.table, edge.target, wanted, edge.mark)

    def _is_known(self, edge: Edge) -> bool:
        return edge.reverse is not None and edge.mark is None

    def _backward_name(self, edge: Edge) -> str:
        child = self._ground.called(edge.table)
        long = long_reverse_of(child, edge.columns)
        wanted = edge.reverse or reverse_of(child, edge.columns, self._counts[edge.table, edge.target])
        return self._claim(edge.target, edge.table, [wanted, long], edge.mark)

    def _claim(self, table: str, other: str, wanted: Iterable[str], mark: Mark | None) -> str:
        """Return the first of the wanted names that is free, now taken; none free is a mistake."""
        taken = self._taken[table]
        names = tuple(dict.fromkeys(wanted))
        free = next((name for name in names if name not in taken), None)
        if free is not None:
            taken.add(free)
            return free
        self._note_collision(table, other, names, mark)
        return names[-1]

    def _note_collision(self, table: str, other: str, names: tuple[str, ...], mark: Mark | None) -> None:
        """Note a collision that clients would meet: one between exposed tables."""
        chosen = self._ground.chosen
        if table in chosen and other in chosen:
            where = mark or chosen[table].exposure.name.mark
            message = f'relationship "{names[0]}" of {chosen[table].resource} needs another name: this one is taken'
            self._findings.problem(where, message)

    def _add(self, edge: Edge, name: str, reverse: str) -> None:
        is_exposed = edge.table in self._ground.chosen and edge.target in self._ground.chosen
        pairs = tuple(zip(edge.columns, edge.target_columns, strict=True))
        is_text = self._is_text_reference(edge)
        back_pairs = tuple((there, here) for here, there in pairs)
        pick = Pick(edge.guards) if edge.is_pick else None
        back = Relationship(
            reverse,
            edge.target,
            edge.table,
            is_to_many=not edge.is_pick,
            pairs=back_pairs,
            guards=edge.guards,
            pick=pick,
            is_text_reference=is_text,
            is_owned=edge.is_owned,
            is_freed=edge.is_freed,
            inverse=name if name and is_exposed else None,
        )
        self._keep(back, edge.reverse)
        if not edge.is_pick:
            inverse = reverse if is_exposed else None
            self._keep(
                Relationship(
                    name,
                    edge.table,
                    edge.target,
                    is_to_many=False,
                    pairs=pairs,
                    guards=edge.guards,
                    is_text_reference=is_text,
                    inverse=inverse,
                ),
                edge.name,
            )

    def _keep(self, relationship: Relationship, wanted: str | None) -> None:
        self._by_table[relationship.source].setdefault(relationship.name, relationship)
        self._called.setdefault((relationship.source, wanted or relationship.name), relationship)

    def _is_text_reference(self, edge: Edge) -> bool:
        """Whether text that holds numbers refers to numbers."""
        if len(edge.columns) != 1:
            return False
        here = self._family(edge.table, edge.columns[0])
        return (here, self._family(edge.target, edge.target_columns[0])) == ("text", "number")

    def _family(self, table: str, column: str) -> str:
        types = {one.name: one.sql_type for one in self._ground.tables[table].columns}
        return parse_sql_type(types[column]).kind.family
