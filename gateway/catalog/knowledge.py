"""What a profile says of a product's tables, typed.

What comes in: the plain rows of `gateway.profile`, handed over by the composition
root. What goes out: a frozen `Profile`. Table names stand without the database's
prefix throughout. Whether a database has what a profile names is not asked here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from gateway.catalog.conditions import parse_condition
from gateway.catalog.expressions import PathSyntax, Syntax, parse_field
from gateway.catalog.model import Filler, FillerKind, Guard, WriteMode
from gateway.catalog.naming import reverse_of

Row = Mapping[str, str]

HIDDEN_CLASSES: Final = frozenset(("secret", "token", "confidential"))
"""Classes of sensitive columns that are never shown; the others are only masked in the explorer."""


@dataclass(frozen=True, slots=True)
class KnownEdge:
    """A reference that the profile knows: ``table.column`` holds a value of ``target.target_column``.

    ``reverse`` is None where the rule of `catalog.naming` names the to-many.
    """

    table: str
    column: str
    target: str
    target_column: str
    guards: tuple[Guard, ...]
    name: str
    reverse: str | None
    is_owned: bool
    is_freed: bool = False


@dataclass(frozen=True, slots=True)
class KnownPick:
    """A picked to-one: the first row of ``child`` that refers to the row and keeps ``guards``."""

    table: str
    column: str
    name: str
    child: str
    child_column: str
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class KnownField:
    """A derived field, parsed but not yet resolved."""

    name: str
    text: str
    syntax: PathSyntax | Syntax


@dataclass(frozen=True, slots=True)
class KnownMoney:
    """The fields of a table that are amounts, and the names that lead to their currency: to-ones, then a column."""

    currency: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


NO_MONEY: Final = KnownMoney()


@dataclass(frozen=True, slots=True)
class KnownTable:
    """One table.

    ``ruled`` are the tables that the rule of a managed table reads or writes besides;
    None where no rule is in place, so that the table cannot be written yet.
    ``required_by`` are columns that must be given while an option is on.
    ``rule_columns`` are hidden columns that rules read or write. ``words`` are the codes
    of columns with what they mean, ``referring_codes`` the columns whose codes have their
    words in the table they refer to.
    """

    name: str
    aliases: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    label: str | None = None
    mode: WriteMode = WriteMode.PLAIN
    ruled: tuple[str, ...] | None = None
    reason: str = ""
    search: tuple[str, ...] = ()
    summary: str = ""
    columns: frozenset[str] = frozenset()
    column_patterns: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    personal: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fillers: Mapping[str, Filler] = field(default_factory=dict)
    derived: tuple[KnownField, ...] = ()
    computed: frozenset[str] = frozenset()
    defaulted: frozenset[str] = frozenset()
    nested: frozenset[str] = frozenset()
    rule_columns: frozenset[str] = frozenset()
    required_by: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    referring_codes: tuple[str, ...] = ()
    money: KnownMoney = NO_MONEY

    def knows(self, column: str) -> bool:
        """Whether some version of the product has the column."""
        return column in self.columns or any(re.fullmatch(pattern, column) for pattern in self.column_patterns)


@dataclass(frozen=True, slots=True)
class KnownOwner:
    """A table whose rows have custom fields.

    ``entity`` is what their definitions say that they belong to, ``value_entity`` what
    their values say; ``column`` is the key that the values hold.
    """

    entity: str
    table: str
    column: str
    value_entity: str


@dataclass(frozen=True, slots=True)
class KnownCustomFields:
    """The tables of custom fields: definitions with their key, and values with the column that refers to it.

    ``columns`` are those of the values' table that a value is found by and read from,
    ``types`` the kind that each type of definition holds.
    """

    table: str
    key: str
    values: str
    reference: str
    columns: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[KnownOwner, ...] = ()

    def owner(self, table: str) -> KnownOwner | None:
        """Return what is known of a table's custom fields, None when its rows have none."""
        return next((owner for owner in self.owners if owner.table == table), None)


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything known of one product.

    ``read_only`` names columns no client writes in any table, ``never_exposed`` tables
    no whitelist can open, ``reads`` the hidden columns that are read of internal
    tables, ``filler_tables`` what must be read to work out a filler of a kind. ``reverse_names``
    are what the edges' to-many sides are called, whatever a whitelist exposes.
    """

    name: str
    prefix: str
    tables: Mapping[str, KnownTable]
    edges: tuple[KnownEdge, ...]
    picks: tuple[KnownPick, ...]
    read_only: frozenset[str] = frozenset()
    never_exposed: frozenset[str] = frozenset()
    options_table: str | None = None
    options: tuple[str, ...] = ()
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filler_tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reverse_names: Mapping[KnownEdge, str] = field(default_factory=dict)
    custom_fields: KnownCustomFields | None = None


def parse_profile(data: Mapping[str, Any]) -> Profile:
    """Return the profile that `gateway.profile.load_profile` read.

    Raises:
        GrammarError: a condition or expression of the profile is wrong, which its tests exclude.
    """
    settings: Mapping[str, Any] = data["settings"]
    prefix = str(settings["prefix"])
    tables = _tables(data, prefix)
    edges = tuple(_edge(row) for row in data["relationships"])
    return Profile(
        name=str(settings["name"]),
        custom_fields=_custom_fields(settings.get("custom_fields"), data.get("customfields", ())),
        prefix=prefix,
        tables=tables,
        edges=edges,
        picks=tuple(_pick(row) for row in data["picks"]),
        read_only=frozenset(settings["read_only"]),
        never_exposed=frozenset(settings["never_exposed"]),
        options_table=settings["options_table"],
        options=tuple(settings["options"]),
        reads={table: tuple(columns) for table, columns in settings["reads"].items()},
        filler_tables={kind: tuple(tables) for kind, tables in settings["filler_tables"].items()},
        reverse_names=_reverse_names(edges, tables),
    )


def _custom_fields(said: Mapping[str, Any] | None, owners: Iterable[Row]) -> KnownCustomFields | None:
    if not said:
        return None
    known = tuple(KnownOwner(row["entity"], row["table"], row["column"], row["value_entity"]) for row in owners)
    return KnownCustomFields(**{**said, "columns": tuple(said["columns"])}, owners=known)


def _reverse_names(edges: tuple[KnownEdge, ...], tables: Mapping[str, KnownTable]) -> dict[KnownEdge, str]:
    """Name the to-many of each edge: as the profile says, else by the child's alias or name (SPEC section 3)."""
    counts = Counter((edge.table, edge.target) for edge in edges)
    return {
        edge: edge.reverse or reverse_of(_called(tables, edge.table), (edge.column,), counts[edge.table, edge.target])
        for edge in edges
    }


def _called(tables: Mapping[str, KnownTable], name: str) -> str:
    known = tables.get(name)
    return known.aliases[0] if known and known.aliases else name


def _edge(row: Row) -> KnownEdge:
    return KnownEdge(
        table=row["table"],
        column=row["column"],
        target=row["ref_table"],
        target_column=row["ref_column"],
        guards=parse_condition(row["condition"]),
        name=row["name"],
        reverse=row["reverse"] or None,
        is_owned=row["owned"] == "yes",
        is_freed=row["owned"] == "freed",
    )


def _pick(row: Row) -> KnownPick:
    guards = parse_condition(row["condition"])
    return KnownPick(row["table"], row["column"], row["name"], row["child"], row["child_column"], guards)


_FILES_OF_A_TABLE = ("sensitive", "kinds", "allowed", "fillers", "derived", "known", "managed", "labels")


def _tables(data: Mapping[str, Any], prefix: str) -> dict[str, KnownTable]:
    """Gather what the files say of each table; sensitive columns are told of tables outside the product too."""
    columns = _grouped({"table": row["table"].removeprefix(prefix), **_less(row)} for row in data["columns"])
    files = {name: _grouped(data[name]) for name in _FILES_OF_A_TABLE}
    ruled = data["settings"].get("ruled", {})
    rule_columns = data["settings"].get("rule_columns", {})
    required_by = data["settings"].get("required_by_option", {})
    referring = data["settings"].get("referring_codes", {})
    money = data["settings"].get("money", {})
    described = {row["table"]: row for row in data["tables"]}
    names = {**described, **columns, **files["sensitive"]}
    return {
        name: replace(
            _table(name, described.get(name, {}), columns[name], {file: rows[name] for file, rows in files.items()}),
            ruled=tuple(ruled[name]) if name in ruled else None,
            rule_columns=frozenset(rule_columns.get(name, ())),
            required_by=required_by.get(name, {}),
            referring_codes=tuple(referring.get(name, ())),
            money=_money(money.get(name, {})),
        )
        for name in names
    }


def _money(said: Mapping[str, Any]) -> KnownMoney:
    return KnownMoney(tuple(str(said["currency"]).split(".")), tuple(said["fields"])) if said else NO_MONEY


def _less(row: Row) -> dict[str, str]:
    return {key: value for key, value in row.items() if key != "table"}


def _grouped(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["table"]].append(row)
    return grouped


def _table(name: str, row: Row, columns: list[Row], files: Mapping[str, list[Row]]) -> KnownTable:
    return KnownTable(
        name=name,
        aliases=tuple(row.get("aliases", "").split()),
        key=tuple(row.get("key", "").split()),
        label=row.get("label") or None,
        mode=WriteMode(row.get("mode", "plain")),
        reason=row.get("reason", ""),
        search=tuple(row.get("search", "").split()),
        summary=row.get("summary", ""),
        columns=frozenset(column["column"] for column in columns),
        column_patterns=tuple(known["column_pattern"] for known in files["known"]),
        hidden=frozenset(mark["column"] for mark in files["sensitive"] if mark["class"] in HIDDEN_CLASSES),
        personal={mark["column"]: mark["class"] for mark in files["sensitive"] if mark["class"] not in HIDDEN_CLASSES},
        kinds={kind["column"]: kind["kind"] for kind in files["kinds"]},
        allowed=_allowed(files["allowed"]),
        fillers={filler["column"]: _filler(filler) for filler in files["fillers"]},
        derived=tuple(_field(derived) for derived in files["derived"]),
        computed=_managed(files["managed"], "computed"),
        defaulted=_managed(files["managed"], "defaulted"),
        nested=_managed(files["managed"], "nested"),
        words=_words(files["labels"]),
    )


def _managed(rows: Iterable[Row], how: str) -> frozenset[str]:
    return frozenset(row["column"] for row in rows if row["how"] == how)


def _words(rows: Iterable[Row]) -> dict[str, tuple[tuple[str, str], ...]]:
    words: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in rows:
        words[row["column"]] = (*words.get(row["column"], ()), (row["code"], row["word"]))
    return words


def _allowed(rows: Iterable[Row]) -> dict[str, tuple[str, ...]]:
    allowed: dict[str, tuple[str, ...]] = {}
    for row in rows:
        allowed[row["column"]] = (*allowed.get(row["column"], ()), row["value"])
    return allowed


def _filler(row: Row) -> Filler:
    kind, value = cast("FillerKind", row["filler"]), row["value"]
    if kind not in ("constant", "random_hex"):
        return Filler(kind)
    return Filler(kind, int(value) if value.isdigit() else value)


def _field(row: Row) -> KnownField:
    return KnownField(row["name"], row["expression"], parse_field(row["expression"]))
