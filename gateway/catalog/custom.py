"""The fields that users of the CRM defined themselves, as fields of the tables they belong to.

What comes in: the definitions as they were read, and what the profile says of the
tables that hold definitions and values. What goes out: `CustomField`s by table. A field
whose slug or name says that it holds a secret is no field at all; one that the whitelist
hides is left out when its name has been given, so that others keep theirs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.catalog.chosen import Chosen
from gateway.catalog.columns import Shape
from gateway.catalog.edges import Ground
from gateway.catalog.findings import Findings
from gateway.catalog.kinds import KINDS, ColumnType, parse_sql_type
from gateway.catalog.knowledge import KnownCustomFields, KnownOwner
from gateway.catalog.model import Column, CustomField
from gateway.catalog.naming import CUSTOM_PREFIX, is_hidden_name
from gateway.catalog.reflected import CustomField as Definition
from gateway.catalog.reflected import Reflection

_NUMBER_SQL: Final = "decimal(65,30)"
_NO_NAME: Final = re.compile(r"[^\w-]+")
"""What no part of a field's name can be: a dot, a comma or a bracket means something in a request."""


@dataclass(frozen=True, slots=True)
class CustomFields:
    """The custom fields of every exposed table.

    ``by_table`` has the visible ones in the order of the CRM's forms, ``names`` those that the
    whitelist may speak of, hidden ones among them. ``secret`` are the keys of definitions
    that exist for no client.
    """

    by_table: Mapping[str, tuple[CustomField, ...]] = field(default_factory=dict)
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    secret: frozenset[int] = frozenset()


NO_CUSTOM_FIELDS: Final = CustomFields()


def find_custom_fields(
    ground: Ground,
    shapes: Mapping[str, Shape],
    reflection: Reflection,
    patterns: tuple[str, ...],
    findings: Findings,
) -> CustomFields:
    """Return the custom fields of the exposed tables; what keeps them away, or is odd, goes into ``findings``."""
    known = ground.profile.custom_fields if ground.profile else None
    if known is None:
        return NO_CUSTOM_FIELDS
    secret = frozenset(each.key for each in reflection.custom_fields if _is_secret(each, patterns))
    owning = _owning(ground, known)
    reason = _unreadable(ground, known, reflection) if owning else None
    if reason is not None:
        findings.absence("custom fields", reason)
    open_definitions = [each for each in reflection.custom_fields if each.is_active and each.key not in secret]
    maker = _Maker(ground, shapes, known, [] if reason is not None else open_definitions, findings)
    found = {chosen.name: tuple(maker.make(chosen, owner)) for chosen, owner in owning}
    hidden = {chosen.name: {name.text for name in chosen.exposure.hide} for chosen, _ in owning}
    by_list = {each.definition for name, fields in found.items() for each in fields if each.name in hidden[name]}
    retired = {key for chosen, owner in owning for key in _retired(reflection, owner, hidden[chosen.name])}
    return CustomFields(
        {name: tuple(each for each in fields if each.name not in hidden[name]) for name, fields in found.items()},
        {name: frozenset(each.name for each in fields) for name, fields in found.items()},
        secret | by_list | retired,
    )


def _retired(reflection: Reflection, owner: KnownOwner, hidden: Collection[str]) -> Iterator[int]:
    """The definitions out of use that a whitelist hides: their values are still there."""
    for each in reflection.custom_fields:
        if not each.is_active and each.entity == owner.entity and CUSTOM_PREFIX + _slug(each) in hidden:
            yield each.key


def _is_secret(definition: Definition, patterns: tuple[str, ...]) -> bool:
    return is_hidden_name(definition.slug, patterns) or is_hidden_name(definition.name, patterns)


def _owning(ground: Ground, known: KnownCustomFields) -> list[tuple[Chosen, KnownOwner]]:
    """The exposed tables whose rows have custom fields."""
    owners = ((chosen, known.owner(chosen.known.name)) for chosen in ground.chosen.values() if chosen.known)
    return [(chosen, owner) for chosen, owner in owners if owner is not None]


def _unreadable(ground: Ground, known: KnownCustomFields, reflection: Reflection) -> str | None:
    """Why nothing can be said of custom fields, None when they can be read."""
    definitions, values = ground.prefix + known.table, ground.prefix + known.values
    for name in (definitions, values):
        if name not in reflection.tables or "SELECT" not in reflection.rights.of(name):
            return f"{name} is not to be read"
    lacking = sorted(set(known.columns) - ground.columns(values))
    return f"{values} has no {', '.join(lacking)}" if lacking else None


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes fields of definitions."""

    ground: Ground
    shapes: Mapping[str, Shape]
    known: KnownCustomFields
    definitions: list[Definition]
    findings: Findings

    def make(self, chosen: Chosen, owner: KnownOwner) -> Iterator[CustomField]:
        """Yield the fields of one table, in the order of the CRM's forms."""
        key = self._key(chosen, owner)
        own = [each for each in self.definitions if each.entity == owner.entity]
        if key is None:
            if own:
                self.findings.absence(f"custom fields of {chosen.resource}", f"its rows are not told by {owner.column}")
            return
        names = self._names(chosen, own)
        for definition in sorted(own, key=lambda each: (each.order, each.key)):
            yield self._field(chosen, owner, key, definition, names[definition.key])

    def _key(self, chosen: Chosen, owner: KnownOwner) -> Column | None:
        """The key that values refer to rows by; None where the rows of the resource have another one."""
        table = self.ground.tables[chosen.name]
        names = tuple(name.text for name in chosen.exposure.key) or table.primary_key
        return self.shapes[chosen.name].visible.get(owner.column) if names == (owner.column,) else None

    def _names(self, chosen: Chosen, definitions: Iterable[Definition]) -> Mapping[int, str]:
        """The names by the definitions' keys: of two with one slug the older one keeps it, so that it never changes."""
        names: dict[int, str] = {}
        for definition in sorted(definitions, key=lambda each: each.key):
            name = CUSTOM_PREFIX + _slug(definition)
            if name in names.values():
                other, name = name, f"{name}_{definition.key}"
                while name in names.values():
                    name += "_"
                self.findings.warn(
                    f'two custom fields of {chosen.resource} would be called {other}: "{definition.name}" is {name}'
                )
            names[definition.key] = name
        return names

    def _field(self, chosen: Chosen, owner: KnownOwner, key: Column, definition: Definition, name: str) -> CustomField:
        return CustomField(
            name=name,
            type=self._type(definition),
            table=chosen.name,
            values=self.ground.prefix + self.known.values,
            key=key,
            entity=owner.value_entity,
            definition=definition.key,
            label=definition.name,
            is_required=definition.is_required,
            is_read_only=name in {each.text for each in chosen.exposure.read_only},
        )

    def _type(self, definition: Definition) -> ColumnType:
        """What a field holds. Its value is text, whose length only text and lists can reach."""
        kind = self.known.types.get(definition.type, "string")
        if kind in ("date", "datetime"):
            return parse_sql_type(kind)
        if kind == "number":
            return ColumnType(KINDS[kind], _NUMBER_SQL)
        if kind == "enum" and not definition.options:
            kind = "string"
        stored = parse_sql_type(self._stored_as())
        members = definition.options if kind in ("enum", "words") else ()
        return ColumnType(
            KINDS[kind], stored.sql, length=stored.length, members=members, is_byte_counted=stored.is_byte_counted
        )

    def _stored_as(self) -> str:
        columns = self.ground.tables[self.ground.prefix + self.known.values].columns
        return next(column.sql_type for column in columns if column.name == self.known.columns[-1])


def _slug(definition: Definition) -> str:
    """The slug as a part of a field's name; one that has nothing of a name is replaced by the key."""
    return _NO_NAME.sub("_", definition.slug or definition.name).strip("_") or str(definition.key)
