"""What the database says of its own tables, plain and complete.

`catalog.reflect` fills these from a live connection; tests write them by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalog.kinds import Dialect
from gateway.catalog.rights import Rights


@dataclass(frozen=True, slots=True)
class ReflectedColumn:
    """One column as declared: ``sql_type`` is the database's own spelling, ``default`` its text or None.

    ``is_touched`` marks ON UPDATE CURRENT_TIMESTAMP.
    """

    name: str
    sql_type: str
    is_nullable: bool = True
    default: str | None = None
    is_auto_increment: bool = False
    is_generated: bool = False
    is_touched: bool = False


@dataclass(frozen=True, slots=True)
class ReflectedForeignKey:
    """A declared foreign key."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    is_cascading: bool = False


@dataclass(frozen=True, slots=True)
class ReflectedTable:
    """One table or view. ``indexes`` are the column lists of every index, the primary key's among them."""

    name: str
    columns: tuple[ReflectedColumn, ...]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ReflectedForeignKey, ...] = ()
    is_view: bool = False


@dataclass(frozen=True, slots=True)
class CustomField:
    """The definition of a custom field, as far as a catalog needs it.

    ``entity`` says what kind of record it belongs to, in the CRM's own words, ``options``
    are the words to choose from, ``order`` is its place among the others.
    """

    key: int
    slug: str
    name: str
    entity: str = ""
    type: str = "input"
    options: tuple[str, ...] = ()
    is_active: bool = True
    is_required: bool = False
    order: int = 0


@dataclass(frozen=True, slots=True)
class Reflection:
    """The tables that were asked for, and what else a catalog needs from the database.

    ``existing`` names every table and view of the database, reflected or not.
    ``options`` are the named rows of the profile's options table (the time zone's
    among them). ``fingerprint`` changes when any reflected table does. ``unreadable``
    gives the reason why a table that was asked for, and exists, is not in ``tables``.
    ``rights`` are what the connected user may do: ``existing`` holds what it may see.
    """

    dialect: Dialect
    tables: Mapping[str, ReflectedTable]
    existing: frozenset[str]
    fingerprint: str = ""
    server: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    custom_fields: tuple[CustomField, ...] = ()
    rights: Rights = field(default_factory=Rights)
