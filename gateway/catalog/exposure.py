"""What the whitelist says, typed, each name with the place where it stands.

`catalog.whitelist` makes these from YAML; `catalog.build` resolves the names
against the database and reports, with these marks, the ones nothing knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Name:
    """A name as the administrator wrote it, and where."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class RelationshipExposure:
    """A relationship of the whitelist's own: a to-one from ``columns`` to another table's columns.

    ``when`` is a condition in the closed grammar, empty for none; ``reverse`` names
    the to-many on the other table, None for the rule's own name.
    """

    name: Name
    columns: tuple[Name, ...]
    target: Name
    target_columns: tuple[Name, ...]
    when: str = ""
    when_mark: Mark | None = None
    reverse: Name | None = None


@dataclass(frozen=True, slots=True)
class TableExposure:
    """One exposed table: ``name`` with or without the prefix, and what differs from the profile.

    ``deprecated`` are fields that clients should leave, each with the reason; ``deprecation`` is the reason to leave
    the whole resource, empty for none.
    """

    name: Name
    aliases: tuple[Name, ...] = ()
    hide: tuple[Name, ...] = ()
    expose_sensitive: tuple[Name, ...] = ()
    read_only: tuple[Name, ...] = ()
    key: tuple[Name, ...] = ()
    search: tuple[Name, ...] = ()
    kinds: Mapping[str, Name] = field(default_factory=dict)
    kind_marks: Mapping[str, Mark] = field(default_factory=dict)
    relationships: tuple[RelationshipExposure, ...] = ()
    is_writable: bool = True
    is_unsafe_writable: bool = False
    is_delete_forbidden: bool = False
    deprecated: tuple[tuple[Name, str], ...] = ()
    deprecation: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """The whole whitelist.

    ``profile`` is ``perfex`` or None; ``prefix`` is None where the profile (or
    nothing) decides. ``hide_patterns`` are added to the built-in ones. ``max_examined_rows`` is
    None where the setting decides, 0 for any number.
    """

    file: str
    profile: str | None
    prefix: str | None
    tables: tuple[TableExposure, ...]
    hide_patterns: tuple[Name, ...] = ()
    max_examined_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of a whitelist: where, what, and what to write instead.

    Printed as ``whitelist.yaml:41:7 unknown column "duedat" in invoices; did you mean "duedate"?``
    """

    mark: Mark
    message: str

    def __str__(self) -> str:
        return f"{self.mark} {self.message}"
