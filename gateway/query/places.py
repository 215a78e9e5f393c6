"""Dotted names -> fields at the end of relationships, as far as the caller may follow them.

Segments resolve from left to right against the catalog. To-ones are gathered into a
path from the row; a to-many ends it, for what comes after speaks of other rows. Each
table that a path enters must be one the caller may read: its rows are narrowed by
the plan's ``filters`` wherever a statement reaches them (`query.reach`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.catalog.model import Field, Relationship, Table
from gateway.errors import RequestError
from gateway.query.budget import check_hops, check_length
from gateway.query.context import Context, require_grant
from gateway.query.operators import OPERATORS
from gateway.query.plan import Related
from gateway.query.resolve import is_readable, readable_fields, readable_relationships, relationship_of
from gateway.query.suggest import nearest


@dataclass(frozen=True, slots=True)
class Place:
    """A row seen from another: ``table`` is at the end of the to-ones of ``path``.

    ``before`` counts the relationships that lead to the row at the start, through to-manys among others.
    """

    table: Table
    path: tuple[Relationship, ...] = ()
    before: int = 0

    def field(self, field: Field) -> Field | Related:
        """Return a field of the table as the row at the start sees it."""
        return Related(self.path, field) if self.path else field


@dataclass(frozen=True, slots=True)
class Followed:
    """Where relationships lead: ``place`` is reached by to-ones; ``rest`` is what of the name is left.

    With ``many`` the way goes on through a to-many of the place, to the rows of ``inner``.
    """

    place: Place
    rest: tuple[str, ...]
    many: Relationship | None = None
    inner: Place | None = None


def follow(context: Context, start: Place, segments: Sequence[str], parameter: str) -> Followed:
    """Return how far the segments lead through to-ones, and through the first to-many after them.

    Raises:
        ForbiddenError: ``grant_missing`` for a table on the way.
        RequestError: ``query_too_large`` for a path over the budget.
    """
    check_length(segments, parameter)
    place, rest = start, tuple(segments)
    while rest and field_at(place.table, rest)[0] is None and (edge := relationship_of(context, place.table, rest[0])):
        target, hops = entered(context, edge), place.before + len(place.path) + 1
        check_hops(context.budget, hops, parameter)
        if edge.is_to_many:
            return Followed(place, rest[1:], edge, Place(target, before=hops))
        place, rest = Place(target, (*place.path, edge), place.before), rest[1:]
    return Followed(place, rest)


def entered(context: Context, edge: Relationship) -> Table:
    """Return the table a relationship leads to, which the caller must be able to read.

    Raises:
        ForbiddenError: ``grant_missing``.
    """
    target = context.catalog.table_of(edge)
    require_grant(context.access, target, "read")
    return target


def field_at(table: Table, segments: Sequence[str]) -> tuple[Field | None, tuple[str, ...]]:
    """Return the field that the first segments name, the longest name first, and the segments after it."""
    for end in range(len(segments), 0, -1):
        field = table.fields.get(".".join(segments[:end]))
        if field is not None:
            return field, tuple(segments[end:])
    return None, tuple(segments)


def readable_at(
    context: Context, place: Place, segments: Sequence[str], parameter: str
) -> tuple[Field, tuple[str, ...]]:
    """Return the field of a place that the segments begin with, and the segments after it.

    Raises:
        RequestError: ``field_unknown``, alike for what is hidden, unreadable and absent.
    """
    field, rest = field_at(place.table, segments)
    if field is None or not is_readable(context, place.table, field):
        raise unknown_at(context, place, segments, parameter)
    return field, rest


def unknown_at(context: Context, place: Place, segments: Sequence[str], parameter: str) -> RequestError:
    """Return the one error for names that lead nowhere for this caller."""
    table = place.table
    if not segments:
        first = next(iter(readable_fields(context, table)), "…")
        name = ".".join(edge.name for edge in place.path)
        detail = f"{name} is a relationship: name one of its fields, such as {name}.{first}."
        if not name:
            detail = f"{parameter} leads to {table.resource}: name one of their fields, such as {first}."
        return RequestError("field_unknown", detail, parameter=parameter)
    stem = segments[:-1] if len(segments) > 1 and segments[-1] in OPERATORS else segments
    name = ".".join(stem)
    known = (*readable_fields(context, table), *readable_relationships(context.access, context.catalog, table))
    close = nearest(name, known) or nearest(stem[0], known)
    hint = f" Did you mean {close}?" if close else ""
    return RequestError(
        "field_unknown", f"{table.resource} has no field {name!r}.{hint}", parameter=parameter, suggestion=close
    )


def single_field(context: Context, table: Table, name: str, parameter: str) -> Field | Related:
    """Return the field of a row, or of one that to-ones lead to, that a dotted name means.

    Raises:
        RequestError: ``field_unknown``; ``path_to_many`` where the name leads through a to-many.
        ForbiddenError: ``grant_missing``.
    """
    followed = follow(context, Place(table), name.split("."), parameter)
    if followed.many is not None:
        raise RequestError(
            "path_to_many", f"{followed.many.name} leads to many rows; a single value is due here.", parameter=parameter
        )
    field, rest = readable_at(context, followed.place, followed.rest, parameter)
    if rest:
        raise unknown_at(context, followed.place, followed.rest, parameter)
    return followed.place.field(field)
