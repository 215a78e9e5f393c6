"""What a mutation did -> what stands in the reply under its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.graphql.changes import fields_of_rows
from gateway.graphql.meaning import Change, Own
from gateway.graphql.render import cuts_of
from gateway.graphql.selection import Selected
from gateway.graphql.shapes import Shape
from gateway.graphql.steps import ChangeStep
from gateway.operations.mutations import MutationResult
from gateway.operations.results import Truncation
from gateway.query.deletes import counted


@dataclass(frozen=True, slots=True)
class RenderedChange:
    """The value of a mutation's field, and what ``extensions`` tell of it: lists that were cut, and warnings."""

    value: object
    truncated: tuple[dict[str, Any], ...] = ()
    warnings: tuple[dict[str, Any], ...] = ()


def render_change(step: ChangeStep, result: MutationResult) -> RenderedChange:
    """Return what a mutation answers.

    A row of a table without a key cannot be read back: then the field is null, with the warning ``not_read_back``.
    """
    selected = step.selected
    path = (selected.key,)
    words = (*result.warnings, *(("not_read_back",) if None in result.rows else ()))
    warnings = tuple({"path": path, "code": word} for word in words)
    if step.operation == "delete":
        return RenderedChange(_deleted(step, result))
    if step.operation == "update" and step.is_plural:
        return RenderedChange(_updated(step, result), _cuts_of_updated(step, result), warnings)
    if None in result.rows:
        return RenderedChange(None, (), warnings)
    (shape,) = step.shapes
    objects = _objects(result.rows, shape)
    if step.is_plural:
        return RenderedChange(objects, cuts_of(result.truncated, shape, path), warnings)
    cuts = tuple(replace(cut, place=cut.place[1:]) for cut in result.truncated)
    return RenderedChange(objects[0], cuts_of(cuts, shape, path), warnings)


def _objects(rows: Sequence[dict[str, Any] | None], shape: Shape) -> list[dict[str, Any]]:
    return shape.rows([row for row in rows if row is not None])


def _updated(step: ChangeStep, result: MutationResult) -> dict[str, object]:
    shapes = iter(step.shapes)
    told: dict[str, object] = {}
    for part in step.selected.parts:
        match part.meaning:
            case Own(name="affected"):
                told[part.key] = len(result.keys)
            case Own(name="rows"):
                told[part.key] = _objects(result.rows, next(shapes))
            case _:
                told[part.key] = step.selected.type_name
    return told


def _cuts_of_updated(step: ChangeStep, result: MutationResult) -> tuple[dict[str, Any], ...]:
    change = step.selected.meaning
    assert isinstance(change, Change)
    fields = fields_of_rows(step.selected, change)
    cuts: Sequence[Truncation] = result.truncated
    return tuple(
        entry
        for field, shape in zip(fields, step.shapes, strict=True)
        for entry in cuts_of(cuts, shape, (step.selected.key, field.key))
    )


def _deleted(step: ChangeStep, result: MutationResult) -> dict[str, object]:
    """What went, or would go; what goes along and what stands in the way are only counted when it is tried out."""
    deleted = result.deleted
    assert deleted is not None
    told: dict[str, object] = {}
    for part in step.selected.parts:
        match part.meaning:
            case Own(name="affected"):
                told[part.key] = deleted.affected
            case Own(name="owned"):
                told[part.key] = _counts(part, deleted.owned) if step.is_dry_run else None
            case Own(name="dependants"):
                told[part.key] = _counts(part, deleted.dependants) if step.is_dry_run else None
            case _:
                told[part.key] = step.selected.type_name
    return told


def _counts(selected: Selected, counts: Mapping[str, int]) -> list[dict[str, object]]:
    return [{part.key: _count(part, selected, *item) for part in selected.parts} for item in counts.items()]


def _count(part: Selected, selected: Selected, resource: str, number: int) -> str:
    match part.meaning:
        case Own(name="resource"):
            return resource
        case Own(name="count"):
            return counted(number)
        case _:
            return selected.type_name
