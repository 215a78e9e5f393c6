"""The columns of one table: which are hidden, what the others are, which the gateway writes itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.catalog.chosen import Chosen
from gateway.catalog.exposure import Name, TableExposure
from gateway.catalog.findings import Findings
from gateway.catalog.kinds import KINDS, ColumnType, parse_sql_type
from gateway.catalog.knowledge import KnownTable
from gateway.catalog.model import Column, Filler, InternalColumn
from gateway.catalog.naming import CUSTOM_PREFIX, is_hidden_name, suggestion
from gateway.catalog.reflected import ReflectedColumn, ReflectedTable

_TEXT_KINDS: Final = ("string", "html", "multiline", "php_list", "json")
_NUMBER_KINDS: Final = ("integer", "flag")
OVERRIDING_KINDS: Final = (*_TEXT_KINDS, *_NUMBER_KINDS)
"""Kinds a whitelist may give a column: those that need no more than the stored value to be read."""

_SERVER_CLOCK: Final = re.compile(r"(current_timestamp|now|localtime(stamp)?)\b")
NO_COLUMN: Final = "this database has no such column, though others or earlier ones have it"
UNMAKEABLE: Final = "its rows hold values that only the application itself can make"


@dataclass(frozen=True, slots=True)
class Shape:
    """One table's columns. ``hidden`` names what clients never see; ``create_refusal`` why rows cannot be made."""

    visible: Mapping[str, Column]
    hidden: frozenset[str]
    internal: Mapping[str, InternalColumn]
    create_refusal: str | None

    def pick(self, names: Iterable[str]) -> tuple[Column, ...]:
        """The visible columns among ``names``, in that order."""
        return tuple(self.visible[name] for name in names if name in self.visible)


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """What holds for every table: the whitelist's patterns, the profile's read-only names, the CRM's options."""

    patterns: tuple[str, ...] = ()
    read_only: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)


def shape_table(
    table: ReflectedTable,
    known: KnownTable | None,
    exposure: TableExposure | None,
    rules: ColumnRules,
    reads: Iterable[str] = (),
) -> Shape:
    """Return the columns of ``table``; an internal one has no ``exposure``, and shows the columns of ``reads``."""
    hidden = _hidden(table, known, exposure, rules.patterns) - frozenset(reads)
    read_only = rules.read_only if known else frozenset()
    if exposure:
        read_only |= {name.text for name in exposure.read_only}
    kinds = {**(known.kinds if known else {}), **_kinds(exposure)}
    demanded = _demanded(known, rules.options)
    fillers = {name: filler for name, filler in (known.fillers if known else {}).items() if name not in demanded}
    visible = {
        column.name: replace(
            _column(position, column, _type(column, kinds, known), column.name in read_only, fillers),
            is_demanded=column.name in demanded,
        )
        for position, column in enumerate(table.columns)
        if column.name not in hidden
    }
    internal = {
        column.name: InternalColumn(column.name, column_type, filler)
        for column in table.columns
        if column.name in hidden
        and (
            (filler := _filler(column, column_type := parse_sql_type(column.sql_type), fillers)) is not None
            or (known is not None and column.name in known.rule_columns)
        )
    }
    return Shape(
        visible,
        hidden,
        internal,
        _create_refusal(table, visible, hidden - {name for name, made in internal.items() if made.filler}),
    )


def _demanded(known: KnownTable | None, options: Mapping[str, str]) -> frozenset[str]:
    """The columns that the CRM is set to require; an option without a row is on."""
    required_by = known.required_by if known else {}
    return frozenset(column for column, option in required_by.items() if options.get(option, "1") != "0")


def _hidden(
    table: ReflectedTable, known: KnownTable | None, exposure: TableExposure | None, patterns: tuple[str, ...]
) -> frozenset[str]:
    listed = set(known.hidden if known else ())
    shown: set[str] = set()
    if exposure:
        listed |= {name.text for name in exposure.hide}
        shown = {name.text for name in exposure.expose_sensitive}
    names = (column.name for column in table.columns)
    return frozenset(name for name in names if (name in listed or is_hidden_name(name, patterns)) and name not in shown)


def _kinds(exposure: TableExposure | None) -> dict[str, str]:
    return {column: kind.text for column, kind in exposure.kinds.items()} if exposure else {}


def _type(column: ReflectedColumn, kinds: Mapping[str, str], known: KnownTable | None) -> ColumnType:
    """The column's type: text of a few allowed words is an enum, and another kind of text replaces its own."""
    declared = parse_sql_type(column.sql_type)
    if known and column.name in known.allowed:
        return replace(declared, kind=KINDS["enum"], members=known.allowed[column.name])
    kind = kinds.get(column.name)
    return replace(declared, kind=KINDS[kind]) if kind in overriding_kinds(declared) else declared


def overriding_kinds(declared: ColumnType) -> tuple[str, ...]:
    """Return the kinds that profile or whitelist can make of a column: those its stored values can be read as."""
    groups = (_TEXT_KINDS, _NUMBER_KINDS)
    return next((group for group in groups if declared.kind.name in group), ())


def _column(
    position: int, column: ReflectedColumn, column_type: ColumnType, is_read_only: bool, fillers: Mapping[str, Filler]
) -> Column:
    return Column(
        name=column.name,
        type=column_type,
        is_nullable=column.is_nullable,
        has_default=_has_default(column),
        is_auto_increment=column.is_auto_increment,
        is_generated=column.is_generated,
        is_read_only=is_read_only or column.is_generated,
        has_zero_date_default=_has_zero_date_default(column, column_type),
        filler=_filler(column, column_type, fillers),
        is_touched=column.is_touched and column_type.kind.name == "datetime",
        position=position,
    )


def _filler(column: ReflectedColumn, column_type: ColumnType, fillers: Mapping[str, Filler]) -> Filler | None:
    """What the gateway writes: the profile's word, or the CRM's clock where the server would write its own.

    Connections run in UTC, so CURRENT_TIMESTAMP as the default of a DATETIME would be
    hours off the CRM's wall.
    """
    default = (column.default or "").lower()
    if column.name not in fillers and column_type.kind.name == "datetime" and _SERVER_CLOCK.match(default):
        return Filler("now")
    return fillers.get(column.name)


def _has_default(column: ReflectedColumn) -> bool:
    return column.is_nullable or column.default is not None or column.is_auto_increment or column.is_generated


def _has_zero_date_default(column: ReflectedColumn, column_type: ColumnType) -> bool:
    is_date = column_type.kind.name in ("date", "datetime", "timestamp")
    return is_date and not column.is_nullable and (column.default or "").strip("'").startswith("0000-00-00")


def _create_refusal(table: ReflectedTable, visible: Mapping[str, Column], unmade: frozenset[str]) -> str | None:
    """The reason against creating rows; it never names a hidden column."""
    if any(column.name in unmade and not _has_default(column) for column in table.columns):
        return UNMAKEABLE
    locked = [column.name for column in visible.values() if column.is_read_only and column.is_required]
    return f"{', '.join(locked)} must have a value and cannot be written" if locked else None


def check_columns(
    table: ReflectedTable,
    chosen: Chosen,
    shape: Shape,
    findings: Findings,
    gone: frozenset[str] = frozenset(),
    custom: frozenset[str] | None = None,
) -> None:
    """Note what is wrong with the column names of one table's entry; names in ``gone`` were there until lately.

    ``custom`` are the names of its custom fields, None where its rows have none.
    """
    exposure = chosen.exposure
    checker = _Checker(table, chosen, shape, findings, gone)
    checker.check_fields((*exposure.hide, *exposure.read_only), custom)
    checker.check_existing(exposure.expose_sensitive)
    checker.check_visible(exposure.key, "part of a key", is_problem=False)
    checker.check_visible(exposure.search, "searched")
    checker.check_search()
    checker.check_deprecated([name for name, _ in exposure.deprecated], custom)
    checker.check_kinds()
    checker.check_unhidden()


class _Checker:
    """The checks of one table's entry, sharing what they need."""

    def __init__(
        self, table: ReflectedTable, chosen: Chosen, shape: Shape, findings: Findings, gone: frozenset[str]
    ) -> None:
        self._types = {column.name: parse_sql_type(column.sql_type) for column in table.columns}
        self._known, self._exposure, self._label = chosen.known, chosen.exposure, chosen.resource
        self._shape, self._findings, self._gone = shape, findings, gone

    def exists(self, name: Name) -> bool:
        """Whether the table has the column; if not, the absence or mistake is noted."""
        if name.text in self._types:
            return True
        if name.text in self._gone or (self._known and self._known.knows(name.text)):
            self._findings.absence(f"{self._label}.{name.text}", NO_COLUMN)
        else:
            self._findings.unknown("column", name, self._types, self._label)
        return False

    def check_fields(self, names: Iterable[Name], custom: frozenset[str] | None) -> None:
        """A custom field that is not there is no mistake: the CRM's users make and remove them as they like."""
        for name in names:
            if custom is None or not name.text.startswith(CUSTOM_PREFIX):
                self.exists(name)
            elif name.text not in custom:
                reason = f"no custom field is called so{suggestion(name.text, custom)}"
                self._findings.absence(f"{self._label}.{name.text}", reason)

    def check_existing(self, names: Iterable[Name]) -> None:
        for name in names:
            self.exists(name)

    def check_visible(self, names: Iterable[Name], use: str, is_problem: bool = True) -> None:
        for name in names:
            if self.exists(name) and name.text in self._shape.hidden and is_problem:
                self._findings.problem(
                    name.mark, f'column "{name.text}" of {self._label} is hidden and cannot be {use}'
                )

    def check_search(self) -> None:
        for name in self._exposure.search:
            if name.text in self._types and self._types[name.text].kind.family != "text":
                message = f'column "{name.text}" of {self._label} is no text and cannot be searched'
                self._findings.problem(name.mark, message)

    def check_deprecated(self, names: Sequence[Name], custom: frozenset[str] | None) -> None:
        """Derived fields can be left as well as columns; of what is hidden nobody can be told to leave it."""
        derived = {field.name for field in self._known.derived} if self._known else set()
        own = [name for name in names if name.text not in derived]
        self.check_fields(own, custom)
        for name in own:
            if name.text in self._shape.hidden:
                message = f'column "{name.text}" of {self._label} is hidden and cannot be deprecated'
                self._findings.problem(name.mark, message)

    def check_kinds(self) -> None:
        for column, kind in self._exposure.kinds.items():
            at = Name(column, self._exposure.kind_marks.get(column, kind.mark))
            is_there = self.exists(at)
            if kind.text not in KINDS:
                self._findings.unknown("kind", kind, OVERRIDING_KINDS)
            elif is_there and kind.text not in overriding_kinds(self._types[column]):
                message = (
                    f'column "{column}" of {self._label} is {self._types[column].sql}, which cannot be {kind.text}'
                )
                self._findings.problem(kind.mark, message)

    def check_unhidden(self) -> None:
        hidden_here = {name.text for name in self._exposure.hide}
        for name in self._exposure.expose_sensitive:
            if name.text in hidden_here:
                message = f'column "{name.text}" of {self._label} is both in hide and in expose_sensitive'
                self._findings.problem(name.mark, message)
            elif name.text in self._types:
                text = f"{name.mark} {self._label}.{name.text} is shown although it is sensitive (expose_sensitive)"
                self._findings.warn(text)
