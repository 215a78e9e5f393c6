"""Selections of groups -> words to group by, metrics and the rows that groups are keyed by, and the shape of a group.

What is selected under ``key`` is what rows are grouped by: ``currency``, ``date_month``, ``agent { firstname }``,
``client_fields { country }``.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.catalog.model import Table
from gateway.graphql.meaning import GroupRow, GroupThrough, GroupValue, Own
from gateway.graphql.rows import BIG, RowDraft, metric_words, number_piece
from gateway.graphql.selection import Selected
from gateway.graphql.shapes import Around, Cell, Inside, Piece, Shape, TypeName
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.intent import EmbedIntent

Path = tuple[str, ...]


class GroupDraft:
    """The groups of one question, selected in one place or in several: all are added, then shapes are made."""

    def __init__(self, table: Table, vocabulary: Vocabulary, place: str = "") -> None:
        self._table = table
        self._vocabulary = vocabulary
        self._place = place
        self._words: dict[str, None] = {}
        self._rows: dict[Path, tuple[Table, list[tuple[Selected, ...]]]] = {}
        self._metrics: dict[str, None] = {}
        self._drafts: dict[Path, RowDraft] = {}
        self.has_labels = False

    @property
    def words(self) -> tuple[str, ...]:
        """What rows are grouped by."""
        return tuple(self._words)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are selected, or that groups are sorted by."""
        return tuple(self._metrics)

    def add(self, parts: Iterable[Selected]) -> None:
        """Take what one selection asks of the groups."""
        parts = tuple(parts)
        for part in parts:
            if isinstance(part.meaning, Own):  # key
                self._add_key(part.parts, ())
        self._metrics.update(dict.fromkeys(metric_words(parts)))

    def add_metrics(self, words: Iterable[str]) -> None:
        """Take metrics that are needed and not shown."""
        self._metrics.update(dict.fromkeys(words))

    def _add_key(self, parts: Iterable[Selected], path: Path) -> None:
        for part in parts:
            match part.meaning:
                case GroupValue(word=word, label_of=coded):
                    self._words[_dotted(path, coded or word)] = None
                    self.has_labels = self.has_labels or bool(coded)
                case GroupRow(relationship=edge, table=target):
                    self._words[_dotted(path, edge.name)] = None
                    self._rows.setdefault((*path, edge.name), (target, []))[1].append(part.parts)
                case GroupThrough(relationship=edge):
                    self._add_key(part.parts, (*path, edge.name))
                case _:
                    assert part.meaning is None  # __typename

    def _draft(self, path: Path) -> RowDraft:
        """The row that groups are keyed by; what comes along with it has no key that is a group's word itself."""
        draft = self._drafts.get(path)
        if draft is None:
            target, selections = self._rows[path]
            stem = f"{'.'.join(path)}."
            words = frozenset(word.removeprefix(stem) for word in self._words if word.startswith(stem))
            draft = self._drafts[path] = RowDraft(target, self._vocabulary, f"{self._place}key.{stem}", words)
            for parts in selections:
                draft.add(parts)
        return draft

    def embeds(self) -> tuple[EmbedIntent, ...]:
        """Return the rows that groups are keyed by, with what comes along with them."""
        found: list[EmbedIntent] = []
        for path in self._rows:
            draft = self._draft(path)
            own = EmbedIntent(
                path,
                fields=draft.fields,
                takes_labels=draft.takes_labels,
                is_tagged=draft.is_tagged,
                parameter=f"{self._place}key.{'.'.join(path)}",
            )
            found.extend((own, *draft.embeds(path)))
        return tuple(found)

    def shape(self, parts: Iterable[Selected], type_name: str) -> Shape:
        """Return how groups become the objects of one of the selections that were added."""
        return Shape(tuple((part.key, self._piece(part, type_name)) for part in parts))

    def _piece(self, part: Selected, type_name: str) -> Piece:
        if isinstance(part.meaning, Own):
            return Around(self._key_shape(part.parts, part.type_name, ()))
        return number_piece(part, type_name)

    def _key_shape(self, parts: Iterable[Selected], type_name: str, path: Path) -> Shape:
        return Shape(tuple((part.key, self._key_piece(part, type_name, path)) for part in parts))

    def _key_piece(self, part: Selected, type_name: str, path: Path) -> Piece:
        match part.meaning:
            case GroupValue(word=word):
                return Cell(_dotted(path, word), part.scalar == BIG)
            case GroupRow(relationship=edge):
                return Inside(_dotted(path, edge.name), self._draft((*path, edge.name)).shape(part.parts))
            case GroupThrough(relationship=edge):
                return Around(self._key_shape(part.parts, part.type_name, (*path, edge.name)))
            case _:
                return TypeName(type_name)


def _dotted(path: Path, word: str) -> str:
    return ".".join((*path, word))
