"""Selections of rows -> what a read must bring along, and how its rows become objects.

A field selected twice is read once. A relationship selected twice comes along once where it is asked for alike,
else under another key of the engine's rows (``payments``, ``payments@2``): aliases are the shape's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar

from gateway.catalog.model import Field, Relationship, Table
from gateway.graphql.conditions import filter_intents
from gateway.graphql.meaning import Counted, Nested, NestedNumbers, Shown, Tag, Taken
from gateway.graphql.selection import Selected
from gateway.graphql.shapes import Around, Cell, Frame, Inside, Piece, Shape, TypeName
from gateway.graphql.sorting import order_intents
from gateway.graphql.vocabulary import Vocabulary
from gateway.operations.results import TAG_KEY
from gateway.query.intent import EmbedIntent
from gateway.query.metrics import metric_type
from gateway.query.plan import MetricFunction

BIG: Final = "BigInt"
"""The scalar whose values are written as text."""


Shaped = TypeVar("Shaped", Shape, Frame)


@dataclass(frozen=True, slots=True)
class RowSelection(Generic[Shaped]):
    """What is selected of rows: what to put into the intent of their read, and the shape of their objects or page."""

    fields: tuple[str, ...]
    takes_labels: bool
    is_tagged: bool
    embeds: tuple[EmbedIntent, ...]
    shape: Shaped


def row_selection(
    parts: tuple[Selected, ...], table: Table, vocabulary: Vocabulary, place: str = ""
) -> RowSelection[Shape]:
    """Return what the parts of one selection ask of the rows of a table.

    ``place`` is what the names of parameters in errors begin with.

    Raises:
        RequestError: ``filter_syntax``, ``sort_syntax``, ``query_too_large``.
    """
    draft = RowDraft(table, vocabulary, place)
    draft.add(parts)
    return RowSelection(draft.fields, draft.takes_labels, draft.is_tagged, draft.embeds(), draft.shape(parts))


class RowDraft:
    """The rows of one node of a plan, selected in one place or in several: all are added, then shapes are made."""

    def __init__(
        self,
        table: Table,
        vocabulary: Vocabulary,
        place: str = "",
        taken: frozenset[str] = frozenset(),
        alike: Alike | None = None,
    ) -> None:
        self.table = table
        self._alike = alike or Alike()
        self._vocabulary = vocabulary
        self._place = place
        self._taken = taken
        self._fields: dict[str, Field] = {}
        self._children: dict[object, _Child] = {}
        self.takes_labels = False
        self.is_tagged = False

    def add(self, parts: Iterable[Selected]) -> None:
        """Take what one selection asks of the rows."""
        for part in parts:
            match part.meaning:
                case Shown(field=shown):
                    self._fields[shown.name] = shown
                    self.takes_labels = self.takes_labels or shown in self.table.labels.values()
                case Tag():
                    self.is_tagged = True
                case Nested() as nested:
                    self._child(part, nested).rows.add(part.parts)
                case NestedNumbers() as nested:
                    self._child(part, nested).metrics.update(dict.fromkeys(metric_words(part.parts)))
                case _:
                    assert part.meaning is None  # __typename

    def _child(self, part: Selected, nested: Nested | NestedNumbers) -> _Child:
        """The relationship as it is asked for: the one that is there already where that is alike."""
        is_numbers = isinstance(nested, NestedNumbers)
        identity = (nested.relationship.name, is_numbers, self._alike.number(part.arguments))
        child = self._children.get(identity)
        if child is None:
            edge, place = nested.relationship, f"{self._place}{part.key}."
            rows = RowDraft(nested.table, self._vocabulary, place, alike=self._alike)
            child = _Child(edge, self._key(edge, is_numbers=is_numbers), is_numbers, part.arguments, place, rows)
            self._children[identity] = child
        return child

    def _key(self, edge: Relationship, *, is_numbers: bool) -> str:
        """A key of the row that nothing else has."""
        stem = f"{edge.name}@numbers" if is_numbers else edge.name
        taken = self._taken.union((child.key for child in self._children.values()), self.table.fields)
        key, number = stem, 1
        while key in taken:
            number += 1
            key = f"{stem}@{number}"
        return key

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields to read; one where none is selected, for a statement reads something."""
        return tuple(self._fields) or self._least

    @property
    def _least(self) -> tuple[str, ...]:
        access = self._vocabulary.access
        key = (column.name for column in self.table.key if access.may_read_column(self.table, column))
        meanings = self._vocabulary.of(self.table).fields.values()
        shown = (meaning.field.name for meaning in meanings if isinstance(meaning, Shown))
        return (*key, *shown)[:1]

    def embeds(self, path: tuple[str, ...] = ()) -> tuple[EmbedIntent, ...]:
        """Return what comes along with the rows, each relationship before what is inside it."""
        return tuple(self._embeds(path))

    def _embeds(self, path: tuple[str, ...]) -> Iterator[EmbedIntent]:
        for child in self._ordered():
            way = (*path, child.key)
            yield child.intent(way, self._vocabulary)
            if not child.is_numbers:
                yield from child.rows.embeds(way)

    def _ordered(self) -> list[_Child]:
        """The relationships in the order in which the engine lays them into rows: rows, then numbers."""
        return sorted(self._children.values(), key=lambda child: child.is_numbers)

    def shape(self, parts: Iterable[Selected]) -> Shape:
        """Return how the rows become the objects of one of the selections that were added."""
        pieces = tuple((part.key, self._piece(part)) for part in parts)
        tag = (TAG_KEY,) if self.is_tagged else ()
        laid = (*self.fields, *tag, *(child.key for child in self._ordered()))
        is_plain = tuple(key for key, _ in pieces) == laid and all(_is_laid(*item) for item in pieces)
        return Shape(pieces, is_plain)

    def _piece(self, part: Selected) -> Piece:
        match part.meaning:
            case Shown(field=shown):
                return Cell(shown.name, part.scalar == BIG and not shown.type.is_wide)
            case Tag():
                return Cell(TAG_KEY)
            case Nested() as nested:
                child = self._child(part, nested)
                return Inside(child.key, child.rows.shape(part.parts), child.arguments.get("limit") is not None)
            case NestedNumbers() as nested:
                return Inside(self._child(part, nested).key, numbers_shape(part.parts, part.type_name))
            case _:
                return TypeName(self._vocabulary.type_names[self.table])


@dataclass(slots=True)
class _Child:
    """A relationship that comes along, its rows or numbers over them."""

    edge: Relationship
    key: str
    is_numbers: bool
    arguments: Mapping[str, Any]
    place: str
    rows: RowDraft
    metrics: dict[str, None] = field(default_factory=dict)

    def intent(self, path: tuple[str, ...], vocabulary: Vocabulary) -> EmbedIntent:
        """Return the embed at a path of the engine's keys."""
        given, table = self.arguments, self.rows.table
        intent = EmbedIntent(
            path,
            conditions=filter_intents(given.get("filter"), table, vocabulary, f"{self.place}filter"),
            parameter=self.place.removesuffix("."),
            relationship=None if path[-1] == self.edge.name else self.edge.name,
        )
        return self._numbers(intent) if self.is_numbers else self._listed(intent, vocabulary)

    def _listed(self, intent: EmbedIntent, vocabulary: Vocabulary) -> EmbedIntent:
        given = self.arguments
        return replace(
            intent,
            fields=self.rows.fields,
            order=order_intents(given.get("sort"), self.rows.table, vocabulary, f"{self.place}sort"),
            limit=given.get("limit"),
            size=f"{self.place}limit",
            offset=given.get("offset") or 0,
            start=f"{self.place}offset",
            takes_labels=self.rows.takes_labels,
            is_tagged=self.rows.is_tagged,
        )

    def _numbers(self, intent: EmbedIntent) -> EmbedIntent:
        return replace(intent, metrics=tuple(self.metrics))


def _is_laid(key: str, piece: Piece) -> bool:
    """Whether an object has a value as the row has it, under the same key."""
    match piece:
        case Cell(name=name, is_text=is_text):
            return name == key and not is_text
        case Inside(name=name, shape=shape):
            return name == key and shape.is_plain
        case _:
            return False


# Numbers


def metric_words(parts: Iterable[Selected]) -> Iterator[str]:
    """Yield the words of the metrics that are selected: ``count``, ``sum.total``."""
    for part in parts:
        match part.meaning:
            case Counted():
                yield "count"
            case Taken(function=function):
                for inner in part.parts:
                    if isinstance(inner.meaning, Shown):
                        yield f"{function}.{inner.meaning.field.name}"
            case _:
                pass


def numbers_shape(parts: Iterable[Selected], type_name: str) -> Shape:
    """Return how numbers become an object: a key for each function, its fields inside."""
    return Shape(tuple((part.key, number_piece(part, type_name)) for part in parts))


def number_piece(part: Selected, type_name: str) -> Piece:
    """Return what one number, or the numbers of one function, are made of."""
    match part.meaning:
        case Counted():
            return Cell("count")
        case Taken(function=function):
            return Around(Shape(tuple((inner.key, _taken(function, inner, part.type_name)) for inner in part.parts)))
        case _:
            return TypeName(type_name)


def _taken(function: MetricFunction, part: Selected, type_name: str) -> Piece:
    if not isinstance(part.meaning, Shown):
        return TypeName(type_name)
    field = part.meaning.field
    is_text = part.scalar == BIG and not metric_type(function, field.type).is_wide
    return Cell(f"{function}.{field.name}", is_text)


class Alike:
    """Gives values numbers, equal values the same one. A value that stands in many places is looked at once."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._seen: dict[int, tuple[object, int]] = {}

    def number(self, value: Any) -> int:
        """Return the number of a value: of a scalar with its type, of a list in its order, of an object in any."""
        if not isinstance(value, Mapping | list):
            return self._numbered((type(value), value))
        seen = self._seen.get(id(value))
        if seen is None:
            made: object
            if isinstance(value, Mapping):
                made = frozenset((name, self.number(item)) for name, item in value.items())
            else:
                made = tuple(map(self.number, value))
            seen = self._seen[id(value)] = (value, self._numbered(made))
        return seen[1]

    def _numbered(self, form: object) -> int:
        return self._numbers.setdefault(form, len(self._numbers))
