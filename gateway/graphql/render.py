"""Results -> what stands under a field of the reply, and what its extensions say; errors -> GraphQL's objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from gateway.errors import GatewayError, Issue
from gateway.graphql.faults import DocumentError
from gateway.graphql.meaning import GroupRow, Nested, NestedNumbers, Own
from gateway.graphql.selection import Selected
from gateway.graphql.shapes import Edges, Frame, Framed, FramePiece, Nodes, Shape, Told, TypeName, places_of
from gateway.graphql.steps import ConnectionStep, GroupsStep, NumbersStep, ReadStep, RowsStep, RowStep
from gateway.operations.results import TAG_KEY, PageResult, RowResult, Truncation
from gateway.query.budget import BudgetError
from gateway.query.json_text import encodable
from gateway.query.positions import Position

Seal = Callable[[Position], str]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What stands under one field of the reply.

    ``truncated`` and ``warnings`` are entries of the extensions; ``rows`` says how many rows were read.
    """

    value: Any
    truncated: tuple[dict[str, object], ...] = ()
    warnings: tuple[dict[str, object], ...] = ()
    rows: int = 0


def render(step: ReadStep, result: PageResult | RowResult | None, seal: Seal) -> Rendered:
    """Return the reply's part of a read; ``seal`` makes cursors, no result is a row that there is not."""
    if result is None:
        return Rendered(None)
    if isinstance(result, RowResult):
        assert isinstance(step, RowStep)
        return _row(step, result)
    key = step.selected.key
    warnings = _warnings(key, result.warnings)
    match step:
        case RowsStep(shape=shape):
            value: Any = shape.rows(result.rows)
            cuts = cuts_of(result.truncated, shape, (key,))
        case NumbersStep(shape=shape):
            value, cuts = shape.row(result.rows[0]), ()
        case ConnectionStep() | GroupsStep():
            page = _Page(result, seal, has_before=isinstance(step, ConnectionStep) and step.after is not None)
            value = page.framed(step.frame)
            cuts = tuple(_framed_cuts(step.frame, result.truncated, key))
        case _:
            raise AssertionError("one row is no page")
    return Rendered(value, (*_page_cut(step, result), *cuts), warnings, len(result.rows))


def _row(step: RowStep, result: RowResult) -> Rendered:
    key = step.selected.key
    row = {**result.row, TAG_KEY: result.tag} if step.intent.is_tagged else result.row
    warnings = _warnings(key, result.warnings)
    return Rendered(step.shape.row(row), cuts_of(result.truncated, step.shape, (key,)), warnings, 1)


def _warnings(key: str, codes: Sequence[str]) -> tuple[dict[str, object], ...]:
    return tuple({"path": (key,), "code": code} for code in codes)


# What was cut


def cuts_of(truncated: Sequence[Truncation], shape: Shape, path: Path) -> tuple[dict[str, object], ...]:
    """Return what extensions say of lists that were cut, of rows with a shape whose objects stand at a path."""
    return tuple(_cut((*path, *place), cut.limit) for cut in truncated for place in places_of(shape, cut.place))


def _framed_cuts(frame: Frame, truncated: Sequence[Truncation], key: str) -> Iterator[dict[str, object]]:
    """What was cut, in each place where the rows of a page stand."""
    for outer, piece in frame.pieces:
        if isinstance(piece, Nodes):
            yield from cuts_of(truncated, piece.shape, (key, outer))
        elif isinstance(piece, Edges):
            for inner, node in piece.frame.pieces:
                if isinstance(node, Nodes):
                    yield from _edge_cuts(truncated, node.shape, (key, outer), inner)


def _edge_cuts(truncated: Sequence[Truncation], shape: Shape, path: Path, node: str) -> Iterator[dict[str, object]]:
    for cut in truncated:
        for place in places_of(shape, cut.place[1:]):
            yield _cut((*path, cut.place[0], node, *place), cut.limit)


def _page_cut(step: ReadStep, result: PageResult) -> Iterator[dict[str, object]]:
    """A page whose size nobody named, and after which there is more, unless the page itself tells so."""
    if isinstance(step, RowsStep | ConnectionStep | GroupsStep) and step.is_default_page and result.has_more:
        told = frozenset() if isinstance(step, RowsStep) else frozenset(step.frame.told())
        if "hasNextPage" not in told:
            yield _cut((step.selected.key,), result.per_page)


def _cut(path: Path, limit: int) -> dict[str, object]:
    return {"path": path, "limit": limit}


# Pages


@dataclass(frozen=True, slots=True)
class _Page:
    result: PageResult
    seal: Seal
    has_before: bool

    def framed(self, frame: Frame) -> dict[str, Any]:
        return {key: self._piece(piece) for key, piece in frame.pieces}

    def _piece(self, piece: FramePiece) -> Any:
        match piece:
            case TypeName(text=text):
                return text
            case Framed(frame=frame):
                return self.framed(frame)
            case Nodes(shape=shape):
                return shape.rows(self.result.rows)
            case Edges(frame=frame):
                return self._edges(frame)
            case Told(name=name):
                return self._told(name)

    def _edges(self, frame: Frame) -> list[dict[str, Any]]:
        keys = tuple(key for key, _ in frame.pieces)
        columns = [self._column(piece) for _, piece in frame.pieces]
        return [dict(zip(keys, cells, strict=True)) for cells in zip(*columns, strict=True)]

    def _column(self, piece: FramePiece) -> Sequence[Any]:
        """One value of each edge."""
        match piece:
            case Nodes(shape=shape):
                return shape.rows(self.result.rows)
            case TypeName(text=text):
                return list(repeat(text, len(self.result.rows)))
            case _:
                return [self._cursor(number) for number in range(len(self.result.rows))]

    def _cursor(self, number: int) -> str | None:
        """Where a row stands; null where the order has no positions."""
        positions = self.result.positions
        return self.seal(positions[number]) if positions else None

    def _told(self, name: str) -> Any:
        result = self.result
        match name:
            case "totalCount":
                return result.count.total
            case "totalCountIs":
                return result.count.form.upper()
            case "hasNextPage":
                return result.has_more
            case "hasPreviousPage":
                return self.has_before
            case "startCursor":
                return self._cursor(0) if result.rows else None
            case "endCursor":
                return self._cursor(-1) if result.rows else None
        raise AssertionError(f"a page has no {name}")


# Errors


def error_entry(error: GatewayError, path: Path = (), location: tuple[int, int] | None = None) -> dict[str, object]:
    """Return an error as it stands in ``errors`` of a reply; without a path it is about the whole request.

    Source: GraphQL, October 2021, section 7.1.2 "Errors".
    """
    entry: dict[str, object] = {"message": encodable(error.detail)}
    own = error if isinstance(error, DocumentError) else None
    locations = own.locations if own is not None and own.locations else _told(location)
    if locations:
        entry["locations"] = [{"line": line, "column": column} for line, column in locations]
    path = path or (own.path if own is not None else ())
    if path:
        entry["path"] = path
    extensions: dict[str, object] = {"code": error.code, "status": error.status}
    if own is not None:
        extensions.update(own.extensions)
    if isinstance(error, BudgetError):
        extensions.update(measure=error.measure, cost=error.cost, limit=error.limit)
    if error.issues:
        extensions["errors"] = [_issue(issue) for issue in error.issues]
    entry["extensions"] = extensions
    return entry


def place_of_fault(selected: Selected, error: GatewayError) -> tuple[int, int]:
    """Return the line and column of the field that an error is about: one of Query, or one inside it.

    Arguments of fields inside are named with the keys that lead to them, as ``client.invoices.limit`` (`rows`).
    """
    words = next((issue.parameter for issue in error.issues if issue.parameter), "").split(".")
    here = selected
    for word in words if words[0] not in selected.arguments else ():
        inside = next((part for part in _fields_of(here) if part.key == word), None)
        if inside is None:
            break
        here = inside
    return here.line, here.column


def _fields_of(selected: Selected) -> Iterator[Selected]:
    """Yield the relationships that a field of rows selects, whatever is around the rows."""
    for part in selected.parts:
        match part.meaning:
            case Own():
                yield from _fields_of(part)
            case Nested() | NestedNumbers() | GroupRow():
                yield part
            case _:
                pass


def _told(location: tuple[int, int] | None) -> tuple[tuple[int, int], ...]:
    """Where a field stands, when that is known: lines count from 1."""
    return () if location is None or not location[0] else (location,)


_SELECTED: Final = frozenset({"metrics", "include"})
"""What a question has as parameters for the engine, and as selections here: no argument of that name is there."""


def _issue(issue: Issue) -> dict[str, str]:
    named = {
        "message": issue.message,
        "parameter": issue.parameter if issue.parameter not in _SELECTED else None,
        "pointer": issue.pointer,
        "code": issue.code,
        "suggestion": issue.suggestion,
    }
    return {name: encodable(value) for name, value in named.items() if value is not None}
