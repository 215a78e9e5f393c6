"""What the gateway makes of a database and a whitelist, for the administrator to read.

What comes in: a catalog with what it was built from. What goes out: a `Report`, and
its two renderings: text, and plain data for ``--json``. It names hidden columns, so
it is for the administrator's own terminal and never for a client.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from gateway.catalog.chosen import tables_missed
from gateway.catalog.exposure import Exposure, Problem
from gateway.catalog.knowledge import Profile
from gateway.catalog.lacking import LackingRights, lacking_rights
from gateway.catalog.model import Absence, Catalog, Column, CustomField, Table, WriteMode
from gateway.catalog.reflected import Reflection

_WIDTH: Final = 110


@dataclass(frozen=True, slots=True)
class TableReport:
    """One exposed table.

    ``hidden`` are the columns no client can name, ``custom`` the custom fields, each with
    its kind, ``refusals`` the reasons why rows cannot be addressed or written, ``unindexed``
    the columns that relationships are followed by without an index, ``unindexed_search``
    those that a search reads so. ``deprecated`` is what clients should leave, and why.
    """

    name: str
    resource: str
    aliases: tuple[str, ...]
    is_view: bool
    mode: str
    key: tuple[str, ...]
    visible: int
    hidden: tuple[str, ...]
    read_only: tuple[str, ...]
    custom: tuple[str, ...]
    relationships: tuple[str, ...]
    refusals: tuple[str, ...]
    unindexed: tuple[str, ...]
    unindexed_search: tuple[str, ...]
    deprecated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything `gateway check` says.

    ``internal`` are tables read for others' sake, ``unknown`` those that exist and
    are neither, ``orphaned`` the resources that no relationship joins to another,
    ``unreadable`` tables that exist but cannot be read, with the reason. ``invisible``
    are tables that whitelist or profile name and the database does not show to a user
    who may not see all of it; ``lacking`` the rights it lacks on those it sees.
    """

    whitelist: str
    server: str
    dialect: str
    prefix: str
    zone: str
    tables: tuple[TableReport, ...]
    internal: tuple[str, ...]
    unknown: tuple[str, ...]
    orphaned: tuple[str, ...]
    unreadable: tuple[Absence, ...]
    invisible: tuple[str, ...]
    lacking: tuple[LackingRights, ...]
    absences: tuple[Absence, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def is_usable(self) -> bool:
        """Whether the gateway would start with this whitelist."""
        return not self.problems


def report(
    catalog: Catalog,
    reflection: Reflection,
    exposure: Exposure,
    problems: Iterable[Problem] = (),
    profile: Profile | None = None,
) -> Report:
    """Return what is exposed, hidden, unindexed, orphaned, unknown, not writable and why."""
    exposed = catalog.exposed()
    return Report(
        whitelist=exposure.file,
        server=reflection.server,
        dialect=catalog.dialect,
        prefix=catalog.prefix,
        zone=str(catalog.zone),
        tables=tuple(_table_report(table, reflection) for table in exposed),
        internal=tuple(sorted(table.name for table in catalog.tables.values() if table.resource is None)),
        unknown=tuple(sorted(reflection.existing - set(catalog.tables) - set(reflection.unreadable))),
        orphaned=tuple(sorted(table.resource or "" for table in exposed if not table.relationships)),
        unreadable=tuple(Absence(name, reason) for name, reason in sorted(reflection.unreadable.items())),
        invisible=_invisible(reflection, exposure, profile),
        lacking=lacking_rights(catalog, reflection.rights),
        absences=catalog.absences,
        warnings=catalog.warnings,
        problems=tuple(map(str, problems)),
    )


def _invisible(reflection: Reflection, exposure: Exposure, profile: Profile | None) -> tuple[str, ...]:
    missed = tables_missed(exposure, profile, reflection.existing)
    hidden = {name for name in missed if not reflection.rights.shows(name)}
    partly = {f"{name} (but some columns)" for name in reflection.tables if not reflection.rights.shows(name)}
    return tuple(sorted(hidden | partly))


def _table_report(table: Table, reflection: Reflection) -> TableReport:
    visible = {column.name for column in table.columns}
    reflected = reflection.tables[table.name].columns
    searched = tuple(column.name for column in table.searchable if column.name not in table.indexed)
    return TableReport(
        name=table.name,
        resource=table.resource or "",
        aliases=table.aliases,
        is_view=table.is_view,
        mode=table.mode.value,
        key=tuple(column.name for column in table.key),
        visible=len(visible),
        hidden=tuple(column.name for column in reflected if column.name not in visible),
        read_only=_read_only(table),
        custom=tuple(f"{field.name} ({field.type.kind.name})" for field in table.custom),
        relationships=tuple(sorted(table.relationships)),
        refusals=tuple(_refusals(table)),
        unindexed=_unindexed(table),
        unindexed_search=searched,
        deprecated=tuple(_deprecated(table)),
    )


def _deprecated(table: Table) -> Iterator[str]:
    if table.deprecation is not None:
        yield f"the resource ({table.deprecation})"
    for name, reason in table.deprecated.items():
        yield f"{name} ({reason})"


def _read_only(table: Table) -> tuple[str, ...]:
    fields: tuple[Column | CustomField, ...] = (*table.columns, *table.custom)
    return tuple(field.name for field in fields if field.is_read_only)


def _refusals(table: Table) -> Iterator[str]:
    if not table.key:
        yield "rows cannot be addressed: there is no primary key; name one with `key:`"
    if table.is_view:
        yield "not writable: it is a view"
    elif table.mode is not WriteMode.PLAIN and table.mode_reason:
        yield table.mode_reason
    elif table.create_refusal is not None:
        yield f"no rows can be created: {table.create_refusal}"
    if table.is_delete_forbidden:
        yield "no rows can be deleted: the whitelist forbids it"
    elif table.delete_refusal is not None:
        yield f"no rows can be deleted: {table.delete_refusal}"


def _unindexed(table: Table) -> tuple[str, ...]:
    """The reference columns that no index begins with: the way back over them reads the whole table."""
    held = (relationship.pairs[0][0] for relationship in table.relationships.values() if relationship.is_held_here)
    return tuple(dict.fromkeys(sorted(column for column in held if column not in table.indexed)))


def as_dict(found: Report) -> dict[str, Any]:
    """Return a report as plain data for JSON, with ``usable`` first."""
    return {"usable": found.is_usable, **asdict(found)}


def render_text(found: Report) -> str:
    """Return a report as text of lines no wider than a terminal, the most urgent part last.

    A terminal shows the end of what it prints, so mistakes stand there.
    """
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Report) -> Iterator[str]:
    where = f", tables begin with {found.prefix}" if found.prefix else ""
    yield f"{found.whitelist} against {found.dialect} {found.server}{where}, time zone {found.zone}"
    yield from _resources(found.tables)
    yield from _listed("Tables with columns hidden from every client", _per_table(found.tables, "hidden"))
    yield from _listed("Tables with custom fields", _per_table(found.tables, "custom"))
    yield from _listed("Deprecated", _per_table(found.tables, "deprecated"))
    yield from _listed(
        "Not writable, and why", [_refusal(table, why) for table in found.tables for why in table.refusals]
    )
    yield from _listed("Tables with references without an index", _per_table(found.tables, "unindexed"))
    yield from _listed("Searched without an index", _per_table(found.tables, "unindexed_search"))
    yield from _names("Joined to no other resource", found.orphaned)
    yield from _names("Read for other tables' sake, not exposed", found.internal)
    yield from _names("In the database, not in the whitelist", found.unknown)
    yield from _listed("Cannot be read", [f"{item.what}: {item.reason}" for item in found.unreadable])
    yield from _names("Not visible to this user (missing, or no right)", found.invisible)
    yield from _rights(found.lacking)
    absent = (
        "Absent from this database, or not visible to this user" if found.invisible else "Absent from this database"
    )
    yield from _listed(absent, [f"{item.what}: {item.reason}" for item in found.absences])
    yield from _listed("Warnings", found.warnings)
    yield from _listed("Mistakes in the whitelist", found.problems)
    yield from ("", _verdict(found))


def _resources(tables: tuple[TableReport, ...]) -> Iterator[str]:
    width = max((len(table.resource) for table in tables), default=0)
    yield from ("", f"Exposed ({len(tables)})")
    for table in tables:
        key = ",".join(table.key) or "none"
        mode = "view" if table.is_view else table.mode
        also = f"  also {', '.join(table.aliases)}" if table.aliases else ""
        hidden = f", {len(table.hidden)} hidden" if table.hidden else ""
        yield f"  {table.resource:<{width}}  {mode:<7}  key {key}, {table.visible} columns{hidden}{also}"


def _per_table(tables: Iterable[TableReport], what: str) -> list[str]:
    named = ((table.resource, getattr(table, what)) for table in tables)
    return [f"{resource}: {', '.join(columns)}" for resource, columns in named if columns]


def _refusal(table: TableReport, reason: str) -> str:
    return reason if table.resource in reason.split() else f"{table.resource}: {reason}"


def _names(title: str, names: tuple[str, ...]) -> Iterator[str]:
    """Names side by side: there may be many, and each is short."""
    if names:
        yield from ("", f"{title} ({len(names)})")
        yield from _wrapped(", ".join(names), "  ")


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    items = tuple(lines)
    if items:
        yield from ("", f"{title} ({len(items)})")
        for line in items:
            yield from _wrapped(line, "    ")


def _rights(lacking: tuple[LackingRights, ...]) -> Iterator[str]:
    if lacking:
        yield from ("", f"Rights that the database user lacks ({len(lacking)})")
    for item in lacking:
        yield from _wrapped(str(item), "    ")
        yield f"    {item.statement}"  # on one line, to be copied


def _wrapped(line: str, further: str) -> list[str]:
    return textwrap.wrap(
        line, _WIDTH, initial_indent="  ", subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )


def _verdict(found: Report) -> str:
    if found.problems:
        return f"Not usable: {_count(len(found.problems), 'mistake')} in {found.whitelist}."
    warned = f", {_count(len(found.warnings), 'warning')}" if found.warnings else ""
    lacking = f", rights lacking on {_count(len(found.lacking), 'table')}" if found.lacking else ""
    return f"Usable: {_count(len(found.tables), 'resource')}{warned}{lacking}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
