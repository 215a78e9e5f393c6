"""Which tables a whitelist means, and which others must be read because of them.

Names in a whitelist stand with or without the prefix. A table that this database
lacks but the product or the previous catalog had is an absence; one that nothing
knows is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.catalog.exposure import Exposure, Name, TableExposure
from gateway.catalog.findings import Findings
from gateway.catalog.knowledge import KnownEdge, KnownTable, Profile
from gateway.catalog.model import Catalog, WriteMode
from gateway.catalog.naming import RESERVED, resource_of


@dataclass(frozen=True, slots=True)
class Chosen:
    """An exposed table: its database name, its resource name, the whitelist's entry, the profile's."""

    name: str
    resource: str
    aliases: tuple[str, ...]
    exposure: TableExposure
    known: KnownTable | None


def prefix_of(exposure: Exposure, profile: Profile | None) -> str:
    """Return the prefix of the database's tables: the whitelist's, else the profile's, else none."""
    if exposure.prefix is not None:
        return exposure.prefix
    return profile.prefix if profile else ""


def known_table(name: str, profile: Profile | None, prefix: str) -> KnownTable | None:
    """Return what the profile says of the table with this database name."""
    if profile is None or not name.startswith(prefix):
        return None
    return profile.tables.get(name.removeprefix(prefix))


def choose_tables(
    exposure: Exposure,
    profile: Profile | None,
    existing: frozenset[str],
    findings: Findings,
    previous: Catalog | None = None,
) -> tuple[Chosen, ...]:
    """Return the exposed tables in the whitelist's order; what is wrong or absent goes into ``findings``."""
    prefix = prefix_of(exposure, profile)
    chosen: dict[str, Chosen] = {}
    for table in exposure.tables:
        name = _database_name(table.name, prefix, existing)
        if name is None:
            _note_missing(table.name, profile, prefix, existing, previous, findings)
        elif name in chosen:
            findings.problem(table.name.mark, f'table "{table.name.text}" is named twice')
        elif profile and resource_of(name, prefix) in profile.never_exposed:
            findings.problem(table.name.mark, f'table "{table.name.text}" holds secrets and cannot be exposed')
        elif (found := _chosen(name, prefix, table, known_table(name, profile, prefix), findings)) is not None:
            chosen[name] = found
    return _distinct(tuple(chosen.values()), findings)


def _database_name(name: Name, prefix: str, existing: frozenset[str]) -> str | None:
    bare_first = bool(prefix) and name.text.startswith(prefix)
    spellings = (name.text, prefix + name.text) if bare_first else (prefix + name.text, name.text)
    return next((spelling for spelling in spellings if spelling in existing), None)


def _note_missing(
    name: Name,
    profile: Profile | None,
    prefix: str,
    existing: frozenset[str],
    previous: Catalog | None,
    findings: Findings,
) -> None:
    spellings = (name.text, prefix + name.text)
    known = profile.tables.get(name.text.removeprefix(prefix)) if profile else None
    if known and known.columns:
        findings.absence(known.name, "this database has no such table, though other versions or modules have it")
    elif previous and any(spelling in previous.tables for spelling in spellings):
        findings.absence(name.text, "the table has gone since the catalog was last built")
    else:
        everything = {resource_of(table, prefix) for table in existing} | set(profile.tables if profile else ())
        findings.unknown("table", name, everything)


def _chosen(
    name: str, prefix: str, table: TableExposure, known: KnownTable | None, findings: Findings
) -> Chosen | None:
    """Name a table; one whose name is a path of the gateway's own is called by its first alias, or left out."""
    resource = resource_of(name, prefix)
    own = [alias.text for alias in table.aliases if alias.text not in RESERVED]
    for alias in table.aliases:
        if alias.text in RESERVED:
            findings.problem(alias.mark, f'alias "{alias.text}" is a reserved name')
    if resource in RESERVED and not own:
        findings.problem(table.name.mark, f'table "{table.name.text}" needs an alias: "{resource}" is a reserved name')
        return None
    if resource in RESERVED:
        resource = own[0]
    aliases = dict.fromkeys((*(known.aliases if known else ()), *own))
    aliases.pop(resource, None)
    return Chosen(name, resource, tuple(aliases), table, known)


def _distinct(chosen: tuple[Chosen, ...], findings: Findings) -> tuple[Chosen, ...]:
    """Return the tables so named that no two share a name: the first keeps it, and a resource's name is its own."""
    owners: dict[str, str] = {}
    for table in chosen:
        if owners.setdefault(table.resource, table.name) != table.name:
            message = f'"{table.resource}" already names the table "{owners[table.resource]}"; give one an alias'
            findings.problem(table.exposure.name.mark, message)
    distinct = (table for table in chosen if owners[table.resource] == table.name)
    return tuple(replace(table, aliases=_distinct_aliases(table, owners, findings)) for table in distinct)


def _distinct_aliases(table: Chosen, owners: dict[str, str], findings: Findings) -> tuple[str, ...]:
    """Return the aliases of a table that are free, now its own; one of the profile's gives way without a mistake."""
    marks = {alias.text: alias.mark for alias in table.exposure.aliases}
    kept = [alias for alias in table.aliases if owners.setdefault(alias, table.name) == table.name]
    for alias in table.aliases:
        if alias not in kept and alias in marks:
            findings.problem(marks[alias], f'"{alias}" already names the table "{owners[alias]}"')
        elif alias not in kept:
            findings.warn(f'{table.resource} is not also called "{alias}": that names the table "{owners[alias]}"')
    return tuple(kept)


def mode_of(table: Chosen, is_view: bool) -> tuple[WriteMode, str]:
    """Return how a table may be written, and why not at will where that is so."""
    known = table.known
    if is_view:
        return WriteMode.NONE, f"{table.resource} is a view"
    if not table.exposure.is_writable:
        return WriteMode.NONE, f"the whitelist makes {table.resource} read-only"
    if known is None:
        return WriteMode.PLAIN, ""
    mode = known.mode
    if mode is WriteMode.NONE and not table.exposure.is_unsafe_writable:
        return mode, f"{table.resource} cannot be written through the gateway: {known.reason}"
    if mode is WriteMode.MANAGED and not table.exposure.is_unsafe_writable:
        is_ruled = known.ruled is not None
        return mode, "" if is_ruled else f"{table.resource} cannot be written in this version: {known.reason}"
    return WriteMode.PLAIN, ""


def tables_needed(exposure: Exposure, profile: Profile | None, existing: frozenset[str]) -> frozenset[str]:
    """Return the database names of the tables to reflect: the whitelisted ones and those they need.

    Needed are the tables that derived fields sum over, that custom fields and labels are
    in, that fillers are worked out from, and, of every table whose rows can be deleted, the children: owned ones down
    to the last generation, blocking ones of each.
    """
    chosen = choose_tables(exposure, profile, existing, Findings())
    names = {table.name for table in chosen}
    return frozenset(names | (_needed(chosen, exposure, profile) & existing))


def tables_missed(exposure: Exposure, profile: Profile | None, existing: frozenset[str]) -> frozenset[str]:
    """Return the database names of the tables that `tables_needed` would have too if they existed."""
    chosen = choose_tables(exposure, profile, existing, Findings())
    prefix = prefix_of(exposure, profile)
    absent = (table.name for table in exposure.tables if _database_name(table.name, prefix, existing) is None)
    names = {prefix + name.text.removeprefix(prefix) for name in absent}
    return frozenset(names | _needed(chosen, exposure, profile)) - existing


def _needed(chosen: tuple[Chosen, ...], exposure: Exposure, profile: Profile | None) -> set[str]:
    if profile is None:
        return set()
    prefix = prefix_of(exposure, profile)
    return {prefix + name for table in chosen if table.known for name in _needs(table, table.known, profile)}


def _needs(table: Chosen, known: KnownTable, profile: Profile) -> Iterator[str]:
    yield from sum_tables(known, profile)
    yield from custom_tables(known, profile)
    yield from (edge.target for _, edge in label_edges(known, profile))
    mode, refusal = mode_of(table, is_view=False)
    if mode is WriteMode.NONE or refusal:
        return
    yield from known.ruled or ()
    for filler in known.fillers.values():
        yield from profile.filler_tables.get(filler.kind, ())
    if not table.exposure.is_delete_forbidden:
        yield from known_dependants(known, profile)


def sum_tables(known: KnownTable, profile: Profile) -> frozenset[str]:
    """Return the child tables that a table's derived fields sum over, or may: those whose name the field's text has."""
    texts = " ".join(derived.text for derived in known.derived if "sum(" in derived.text)
    names = profile.reverse_names
    return frozenset(
        edge.table for edge in profile.edges if edge.target == known.name and f"sum({names[edge]}." in texts
    )


def custom_tables(known: KnownTable, profile: Profile) -> tuple[str, ...]:
    """Return the tables that the custom fields of a table are in."""
    custom = profile.custom_fields
    return (custom.table, custom.values) if custom is not None and custom.owner(known.name) is not None else ()


def label_edges(known: KnownTable, profile: Profile) -> Iterator[tuple[str, KnownEdge]]:
    """Yield the columns whose codes have their words in other tables, each with the edge that leads there."""
    for column in known.referring_codes:
        edges = (edge for edge in profile.edges if edge.table == known.name and edge.column == column)
        yield from ((column, edge) for edge in edges)


def known_dependants(known: KnownTable, profile: Profile) -> frozenset[str]:
    """Return the tables a delete must look into, without prefix: every child, and those of the owned ones."""
    return frozenset(_descendants(known.name, _children(profile)))


def _children(profile: Profile) -> Mapping[str, list[tuple[str, bool]]]:
    children: dict[str, list[tuple[str, bool]]] = {}
    for edge in profile.edges:
        children.setdefault(edge.target, []).append((edge.table, edge.is_owned))
    return children


def _descendants(parent: str, children: Mapping[str, list[tuple[str, bool]]]) -> set[str]:
    """Return every child of ``parent``, and the children of those that go with it."""
    found: set[str] = set()
    open_parents, seen = [parent], {parent}
    while open_parents:
        for child, is_owned in children.get(open_parents.pop(), ()):
            found.add(child)
            if is_owned and child not in seen:
                seen.add(child)
                open_parents.append(child)
    return found
