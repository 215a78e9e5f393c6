"""A selected field of Mutation -> what it asks to be written, by the catalog's names, and what to read of the rows.

Values are passed on as they were sent, numbers with all their digits: the planner judges them as it judges a body of
REST, and names every field at fault. `input_error` says where in ``input`` they stand, by the schema's names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from gateway.catalog.model import Table
from gateway.errors import ConflictError, ForbiddenError, GatewayError, Issue, RequestError, ValidationError
from gateway.graphql.conditions import filter_intents
from gateway.graphql.keys import key_texts
from gateway.graphql.meaning import Change, Into, IntoRows, Own
from gateway.graphql.rows import RowDraft
from gateway.graphql.selection import Selected
from gateway.graphql.shapes import Shape
from gateway.graphql.steps import FORMAT, ChangeStep
from gateway.graphql.tables import WriteMeaning
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.access import Operation
from gateway.query.bulk import MOST_ROWS, OnConflict
from gateway.query.intent import (
    AllIntent,
    AnyIntent,
    ConditionIntent,
    FilterIntent,
    NotIntent,
    Quantifier,
    ReadIntent,
    RelatedIntent,
)

Values = Mapping[str, object]


def change_step(selected: Selected, vocabulary: Vocabulary) -> ChangeStep:
    """Return what a field of Mutation asks for.

    Raises:
        RequestError: ``parameter_missing`` for a filter that says nothing, ``parameter_invalid``, and as
            `filter_intents`.
        ValidationError: ``fields_invalid`` for an array of no rows or of too many.
    """
    change = selected.meaning
    assert isinstance(change, Change)  # the schema gives every field of Mutation this meaning
    table, arguments = change.table, selected.arguments
    is_chosen = change.is_plural and change.operation != "create"
    read, shapes = _read(selected, change, vocabulary)
    return ChangeStep(
        selected,
        table,
        change.operation,
        change.is_plural,
        key_texts(change.key, arguments) if change.key is not None and not change.is_plural else None,
        _values(change, arguments.get("input"), vocabulary),
        _chosen(arguments.get("filter"), table, vocabulary) if is_chosen else (),
        _most(arguments.get("maxAffected")) if is_chosen else 1,
        _on_conflict(arguments.get("onConflict")),
        arguments.get("ifMatch"),
        arguments.get("dryRun") is True,
        read,
        shapes,
    )


# What is written


def _values(change: Change, given: Any, vocabulary: Vocabulary) -> tuple[Values, ...]:
    if change.operation == "delete":
        return ()
    names = vocabulary.of(change.table).written(change.operation)
    if not change.is_plural or change.operation == "update":
        return (_row(given, names, vocabulary),)
    if not 1 <= len(given) <= MOST_ROWS:
        issue = Issue(f"1 to {MOST_ROWS} rows are due, not {len(given)}", pointer="", code="type")
        raise ValidationError("fields_invalid", f"input has 1 to {MOST_ROWS} rows.", issues=[issue])
    return tuple(_row(row, names, vocabulary) for row in given)


def _row(given: Mapping[str, Any], names: Mapping[str, WriteMeaning], vocabulary: Vocabulary) -> Values:
    """The fields of one row by the catalog's names, and the rows nested in it."""
    values: dict[str, object] = {}
    for name, value in given.items():
        match names[name]:
            case Into(field=field):
                values[field.name] = value
            case IntoRows(relationship=edge, table=child) if isinstance(value, list):
                within = vocabulary.of(child).written("create")
                values[edge.name] = [_row(row, within, vocabulary) for row in value]
            case IntoRows(relationship=edge):
                values[edge.name] = value
    return values


# Which rows


def _chosen(value: Any, table: Table, vocabulary: Vocabulary) -> tuple[FilterIntent, ...]:
    conditions = filter_intents(value, table, vocabulary)
    if _settled(AllIntent(conditions)) is not None:
        detail = "Several rows are changed at once: say with filter which rows are meant."
        raise RequestError("parameter_missing", detail, parameter="filter")
    return conditions


def _settled(intent: FilterIntent) -> bool | None:
    """What a filter comes to whatever a row holds: true for every row, false for none, None where the row decides.

    Conditions whose variables were left out are not there: one empty part of an ``or`` would mean every row.
    """
    match intent:
        case AllIntent(parts=parts):
            return _joined(parts, weighs=False)
        case AnyIntent(parts=parts):
            return _joined(parts, weighs=True)
        case NotIntent(part=part):
            settled = _settled(part)
            return None if settled is None else not settled
        case RelatedIntent(quantifier=quantifier, part=part):
            return _QUANTIFIED.get((quantifier, _settled(part)))
        case ConditionIntent():
            return None


def _joined(parts: Iterable[FilterIntent], *, weighs: bool) -> bool | None:
    """What parts come to together, one of which is enough where it comes to what ``weighs`` more."""
    settled = {_settled(part) for part in parts}
    if weighs in settled:
        return weighs
    return None if None in settled else not weighs


_QUANTIFIED: Final[Mapping[tuple[Quantifier, bool | None], bool]] = {
    ("some", False): False,
    ("none", False): True,
    ("every", True): True,
}
"""What is settled of related rows by what is settled of each of them; else it is whether there are any."""


def _most(value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= MOST_ROWS:
        detail = f"maxAffected must be a whole number from 1 to {MOST_ROWS}."
        raise RequestError("parameter_invalid", detail, parameter="maxAffected")
    return value


def _on_conflict(value: Any) -> OnConflict | None:
    return next((word for word in get_args(OnConflict) if word == str(value).lower()), None)


# What is read of them


def _read(selected: Selected, change: Change, vocabulary: Vocabulary) -> tuple[ReadIntent | None, tuple[Shape, ...]]:
    """The read of what is selected of each row, and the shapes of its objects; nothing where no rows are selected."""
    chosen = tuple(field.parts for field in fields_of_rows(selected, change))
    if not chosen:
        return None, ()
    draft = RowDraft(change.table, vocabulary)
    for parts in chosen:
        draft.add(parts)
    intent = ReadIntent(
        change.table.resource or "",
        fields=draft.fields,
        format=FORMAT,
        embeds=draft.embeds(),
        takes_labels=draft.takes_labels,
        is_tagged=draft.is_tagged,
    )
    return intent, tuple(map(draft.shape, chosen))


def fields_of_rows(selected: Selected, change: Change) -> tuple[Selected, ...]:
    """Return the fields whose parts are those of written rows: the mutation, or each ``rows`` of its answer."""
    if change.operation == "delete":
        return ()
    if change.operation == "create" or not change.is_plural:
        return (selected,)
    return tuple(part for part in selected.parts if part.meaning == Own("rows"))


# Where faults stand


def input_error(error: GatewayError, step: ChangeStep, vocabulary: Vocabulary) -> GatewayError:
    """Return an error of a write with its pointers into ``input`` by the schema's names; other errors as they are."""
    kind = next((kind for kind in (ValidationError, ConflictError, ForbiddenError) if isinstance(error, kind)), None)
    if kind is None or not any(issue.pointer for issue in error.issues):
        return error
    told = [_told(issue, step, vocabulary) for issue in error.issues]
    if [issue.pointer for issue in told] == [issue.pointer for issue in error.issues]:
        return error
    detail = error.detail
    for before, after in zip(error.issues, told, strict=True):
        detail = detail.replace((before.pointer or "").lstrip("/"), (after.pointer or "").lstrip("/"))
    return kind(error.code, detail, issues=told, headers=error.headers)


def _told(issue: Issue, step: ChangeStep, vocabulary: Vocabulary) -> Issue:
    if not issue.pointer:
        return issue
    segments = tuple(segment.replace("~1", "/").replace("~0", "~") for segment in issue.pointer.split("/")[1:])
    names = tuple(_names(segments, step, vocabulary))
    message = issue.message.replace(segments[-1], names[-1])
    return Issue(message, issue.parameter, "/" + "/".join(names), issue.code, issue.suggestion)


def _names(segments: Sequence[str], step: ChangeStep, vocabulary: Vocabulary) -> Iterator[str]:
    """The names of the schema for those on the way to a field; an index, or what it does not know, stays as it is."""
    table, operation = step.table, step.operation
    for segment in segments:
        name, inside = _name(segment, table, operation, vocabulary)
        if inside is not None:
            table, operation = inside, "create"
        yield name


def _name(segment: str, table: Table, operation: Operation, vocabulary: Vocabulary) -> tuple[str, Table | None]:
    for name, meaning in vocabulary.of(table).written(operation).items():
        match meaning:
            case Into(field=field) if field.name == segment:
                return name, None
            case IntoRows(relationship=edge, table=child) if edge.name == segment:
                return name, child
    return segment, None
