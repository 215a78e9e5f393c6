"""Sort arguments -> sort keys: ``[{total: DESC}, {client: {company: ASC}}]``, each object with one key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.catalog.model import Table
from gateway.errors import RequestError
from gateway.graphql.meaning import By, GroupThrough, GroupValue, Through
from gateway.graphql.tables import FUNCTIONS
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.intent import OrderIntent

DESCENDING: Final = "DESC"


def order_intents(
    value: Sequence[Mapping[str, Any]] | None, table: Table, vocabulary: Vocabulary, place: str = "sort"
) -> tuple[OrderIntent, ...]:
    """Return the keys that rows of a table are sorted by, most significant first.

    Raises:
        RequestError: ``sort_syntax`` for a key without a direction.
    """
    return tuple(_order(item, table, vocabulary, f"{place}.{number}") for number, item in enumerate(value or ()))


def _order(value: Mapping[str, Any], table: Table, vocabulary: Vocabulary, place: str) -> OrderIntent:
    path: list[str] = []
    while True:
        name, value = only(value, place)
        place = f"{place}.{name}"
        meaning = vocabulary.of(table).sorts[name]
        match meaning:
            case By(field=field):
                return OrderIntent(".".join((*path, field.name)), is_descending(value, place), place)
            case Through(relationship=edge, table=target):
                path.append(edge.name)
                table = target


def group_order_intents(
    value: Sequence[Mapping[str, Any]] | None, table: Table, vocabulary: Vocabulary, place: str = "sort"
) -> tuple[tuple[OrderIntent, ...], tuple[str, ...]]:
    """Return the keys that groups are sorted by, and the metrics among them.

    They are such as ``{count: DESC}``, ``{sum: {total: DESC}}`` and ``{key: {client_fields: {country: ASC}}}``.

    Raises:
        RequestError: ``sort_syntax`` for a key without a direction.
    """
    order: list[OrderIntent] = []
    metrics: list[str] = []
    for number, item in enumerate(value or ()):
        name, inner = only(item, f"{place}.{number}")
        where = f"{place}.{number}.{name}"
        if name == "key":
            order.append(_key_order(inner, table, vocabulary, where))
        else:
            order.append(_metric_order(name, inner, table, vocabulary, where))
            metrics.append(order[-1].field)
    return tuple(order), tuple(metrics)


def _metric_order(name: str, value: Any, table: Table, vocabulary: Vocabulary, place: str) -> OrderIntent:
    if name == "count":
        return OrderIntent("count", is_descending(value, place), place)
    function = next(function for function in FUNCTIONS if function == name)
    word, direction = only(value, place)
    field = vocabulary.of(table).metrics[function][word].field
    place = f"{place}.{word}"
    return OrderIntent(f"{function}.{field.name}", is_descending(direction, place), place)


def _key_order(value: Any, table: Table, vocabulary: Vocabulary, place: str) -> OrderIntent:
    path: list[str] = []
    while True:
        name, value = only(value, place)
        place = f"{place}.{name}"
        names = vocabulary.of(table)
        if name in names.group_rows and not path:
            return OrderIntent(names.group_rows[name].relationship.name, is_descending(value, place), place)
        meaning = names.group_fields[name]
        if isinstance(meaning, GroupThrough):
            path.append(meaning.relationship.name)
            table = meaning.table
        else:
            assert isinstance(meaning, GroupValue)
            return OrderIntent(".".join((*path, meaning.word)), is_descending(value, place), place)


def only(value: Any, place: str) -> tuple[str, Any]:
    """Return the one name of an object, and its value.

    Raises:
        RequestError: ``sort_syntax`` for null.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        raise RequestError("sort_syntax", f"{place} names one key and its direction.", parameter=place)
    return next(iter(value.items()))


def is_descending(value: Any, place: str) -> bool:
    """Whether a direction goes down.

    Raises:
        RequestError: ``sort_syntax`` for null.
    """
    if value is None:
        raise RequestError("sort_syntax", f"{place} is ASC or DESC.", parameter=place)
    return bool(value == DESCENDING)
