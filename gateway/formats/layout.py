"""A plan -> the columns of an export, the same ones whatever rows there are.

What comes in: a plan, whose embeds nest. What goes out: columns in the order of the reply, a
to-one's fields flattened to ``client.company``, a to-many as one column of JSON text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import orjson

from gateway.catalog.kinds import ColumnType, ValueFormat
from gateway.catalog.model import ExpressionField, Field
from gateway.query.plan import AggregatePlan, DatePart, Embed, ReadPlan, Related, RelatedRow

Cells = Sequence[Any]
"""The cells of one column: values as they would be encoded as JSON, None for null."""


@dataclass(frozen=True, slots=True)
class LayoutColumn:
    """One column: its name, and the path of its cells in a row of the reply.

    ``type`` is None for the rows of a to-many. ``is_text`` says that the request wants
    these numbers as text (``decimals=string``). ``is_sum`` marks what is worked out of
    many values, which may have more digits than the column it was made of.
    """

    name: str
    path: tuple[str, ...]
    type: ColumnType | None = None
    is_text: bool = False
    is_sum: bool = False

    @property
    def kind(self) -> str:
        """The name of the type's kind; ``rows`` for those of a to-many."""
        return "rows" if self.type is None else self.type.kind.name

    @property
    def is_nested(self) -> bool:
        """Whether a cell is a list, a document or rows, which a table holds as JSON text."""
        return self.type is None or self.type.kind.family in ("list", "document")

    @property
    def is_digits(self) -> bool:
        """Whether a cell is an exact number that may come as its digits: a decimal, or a sum beyond 64 bits."""
        return self.kind in ("decimal", "number") or (self.is_sum and self.kind == "integer")

    @property
    def is_free_text(self) -> bool:
        """Whether a cell may be any text that somebody once typed."""
        return self.is_nested or (self.type is not None and self.type.kind.family in ("text", "binary"))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of an export, its title and the zone of its moments."""

    columns: tuple[LayoutColumn, ...]
    zone: tzinfo = UTC
    title: str = "rows"

    @property
    def is_flat(self) -> bool:
        """Whether the cells of a row are the columns themselves, in order: nothing is nested."""
        return all(len(column.path) == 1 and column.type is not None for column in self.columns)

    def columns_of(self, rows: Sequence[Mapping[str, Any]]) -> list[Cells]:
        """Return the cells of rows, a column at a time; within a to-one that leads nowhere all are null."""
        return [_cells(rows, column.path) for column in self.columns]


def _cells(rows: Sequence[Mapping[str, Any]], path: tuple[str, ...]) -> Cells:
    *ancestors, name = path
    found: Sequence[Mapping[str, Any] | None] = rows
    for ancestor in ancestors:
        found = [row and row[ancestor] for row in found]
    return [row and row[name] for row in found]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of an export, at hand in one of two forms and made into the other where a writer needs it.

    Cells of a flat layout come as columns, which spares an object per row; nested rows as
    mappings. Exactly one of the two is set.
    """

    layout: Layout
    nested: Sequence[Mapping[str, Any]] | None = None
    cells: Sequence[Cells] | None = None

    def __len__(self) -> int:
        if self.nested is not None:
            return len(self.nested)
        return len(self.cells[0]) if self.cells else 0

    def columns(self) -> list[Cells]:
        """Return the cells, a column at a time."""
        if self.nested is not None:
            return self.layout.columns_of(self.nested)
        return list(self.cells or ())

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows as the reply's JSON has them."""
        if self.nested is not None:
            return self.nested
        names = [column.name for column in self.layout.columns]
        return [dict(zip(names, cells, strict=True)) for cells in zip(*(self.cells or ()), strict=True)]


def layout_of(plan: ReadPlan | AggregatePlan, zone: tzinfo) -> Layout:
    """Return the layout of a plan's rows, or of its groups."""
    columns = _read_columns(plan, ()) if isinstance(plan, ReadPlan) else _group_columns(plan)
    return Layout(tuple(columns), zone, plan.table.resource or plan.table.name)


def _read_columns(plan: ReadPlan, above: tuple[str, ...]) -> Iterator[LayoutColumn]:
    for field in plan.fields:
        yield _column((*above, field.name), field.type, plan.format, is_sum=_is_worked_out(field))
    for embed in plan.embeds:
        yield from _embed_columns(embed, above)
    for summary in plan.summaries:
        yield from _metric_columns(summary.plan, (*above, summary.name))


def _embed_columns(embed: Embed, above: tuple[str, ...]) -> Iterator[LayoutColumn]:
    path = (*above, embed.name)
    if embed.relationship.is_to_many:
        yield LayoutColumn(".".join(path), path)
    else:
        yield from _read_columns(embed.plan, path)


def _group_columns(plan: AggregatePlan) -> Iterator[LayoutColumn]:
    embeds = {embed.name: embed for embed in plan.embeds}
    labels = {field.name: field for field in plan.labels}
    for group in plan.groups:
        if isinstance(group, RelatedRow):
            yield from _embed_columns(embeds[group.name], ())
            continue
        yield _column((group.name,), group.type, plan.format, is_sum=_is_worked_out(group))
        label = labels.get(f"{group.name}_label")
        if label is not None:
            yield _column((label.name,), label.type, plan.format)
    yield from _metric_columns(plan, ())


def _metric_columns(plan: AggregatePlan, above: tuple[str, ...]) -> Iterator[LayoutColumn]:
    for metric in plan.metrics:
        yield _column((*above, metric.name), metric.type, plan.format, is_sum=metric.function in ("sum", "avg"))


def _is_worked_out(field: Field | Related | DatePart) -> bool:
    """Whether a field may be a sum over other rows, such as what was paid of an invoice."""
    return isinstance(field.field if isinstance(field, Related) else field, ExpressionField)


def _column(path: tuple[str, ...], column_type: ColumnType, form: ValueFormat, *, is_sum: bool = False) -> LayoutColumn:
    return LayoutColumn(".".join(path), path, column_type, _is_text(column_type, form), is_sum)


def _is_text(column_type: ColumnType, form: ValueFormat) -> bool:
    """Whether the request wants the numbers of a type as text."""
    name = column_type.kind.name
    if name in ("decimal", "number"):
        return form.are_decimals_text
    return name in ("integer", "bit") and form.are_bigints_text and column_type.is_wide


def json_texts(cells: Cells) -> list[str | None]:
    """Return lists, documents and rows as JSON text."""
    return [None if cell is None else orjson.dumps(cell).decode() for cell in cells]


def digits_of(cells: Cells) -> list[str | None]:
    """Return numbers, which may be fragments of JSON, as their digits.

    >>> digits_of([orjson.Fragment("1.50"), None, 7, "12.30"])
    ['1.50', None, '7', '12.30']
    """
    if not cells:
        return []
    texts = orjson.dumps(cells)[1:-1].decode().replace('"', "").split(",")
    return [None if text == "null" else text for text in texts]
