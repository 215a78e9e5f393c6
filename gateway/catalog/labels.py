"""What goes with a table's own fields: the words for their codes, and which are amounts of which currency.

A word is the profile's own, or stands in the table that the code refers to, which may
be internal: then the label is the end of a path, and belongs to the row like its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.catalog.chosen import label_edges
from gateway.catalog.columns import Shape
from gateway.catalog.edges import Ground, Network
from gateway.catalog.findings import Findings
from gateway.catalog.kinds import parse_sql_type
from gateway.catalog.knowledge import KnownEdge, KnownTable
from gateway.catalog.model import Column, Field, LabelField, PathField, Relationship
from gateway.catalog.rights import Rights

LABEL_ENDING: Final = "_label"
_WORD: Final = parse_sql_type("varchar(255)")


def labels_of(
    table: str,
    fields: Mapping[str, Field],
    ground: Ground,
    shapes: Mapping[str, Shape],
    network: Network,
    rights: Rights,
    findings: Findings,
) -> Mapping[str, LabelField | PathField]:
    """Return the labels of an exposed table by the fields they explain, but those whose name is a field's already."""
    chosen = ground.chosen[table]
    if chosen.known is None or ground.profile is None:
        return {}
    found: dict[str, LabelField | PathField] = {}
    for name, words in chosen.known.words.items():
        column = fields.get(name)
        if isinstance(column, Column):
            found[name] = LabelField(name + LABEL_ENDING, _WORD, column, _typed(column, words))
    for name, edge in label_edges(chosen.known, ground.profile):
        if not isinstance(fields.get(name), Column):
            continue
        label = _label_at_end(name, edge, ground, shapes, network, rights)
        if label is None:
            findings.absence(
                f"{chosen.resource}.{name}{LABEL_ENDING}", f"it needs {edge.target}, which is not to be read"
            )
        else:
            found[name] = label
    taken = {*fields, *shapes[table].hidden}
    return {name: label for name, label in found.items() if label.name not in taken}


def _typed(column: Column, words: tuple[tuple[str, str], ...]) -> tuple[tuple[int | str, str], ...]:
    """The codes as the column has them."""
    is_number = column.type.kind.family == "number"
    return tuple((int(code) if is_number else code, word) for code, word in words)


def _label_at_end(
    name: str, edge: KnownEdge, ground: Ground, shapes: Mapping[str, Shape], network: Network, rights: Rights
) -> PathField | None:
    relationship = network.called.get((ground.prefix + edge.table, edge.name))
    target = ground.profile.tables.get(edge.target) if ground.profile else None
    if relationship is None or target is None or target.label is None:
        return None
    column = shapes[relationship.target].visible.get(target.label)
    if column is None or "SELECT" not in rights.of(relationship.target):
        return None
    return PathField(name + LABEL_ENDING, column.type, relationship, (column,))


def money_of(
    known: KnownTable | None,
    table: str,
    fields: Mapping[str, Field],
    shapes: Mapping[str, Shape],
    network: Network,
    relationships: Mapping[str, Relationship],
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the names that lead to the currency of a table's amounts, and the amounts; nothing without a currency."""
    path = _currency(known, table, shapes, network, relationships) if known else ()
    amounts = known.money.fields if known and path else ()
    return path, frozenset(name for name in amounts if name in fields)


def _currency(
    known: KnownTable,
    table: str,
    shapes: Mapping[str, Shape],
    network: Network,
    relationships: Mapping[str, Relationship],
) -> tuple[str, ...]:
    """The names as clients write them. Longer paths than one to-one are not known of any table."""
    *edges, column = known.money.currency or ("",)
    if not edges:
        return (column,) if column in shapes[table].visible else ()
    relationship = network.called.get((table, edges[0]))
    if relationship is None or relationship.name not in relationships:
        return ()
    is_visible = column in shapes[relationship.target].visible
    return (relationship.name, column) if is_visible and len(edges) == 1 else ()
