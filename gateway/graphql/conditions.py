"""Filter arguments -> filter intents, the same that the tree of REST's ``where`` gives.

    {status: 2, total_gte: 1000, client: {country: 234}, payments: {none: {amount_gt: 0}}, or: [{…}, {…}]}

Several names of one object must all hold. What a name means is the vocabulary's; conditions remember
their place as the names on the way to it, with dots between them: ``filter.or.0.total_gte``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from gateway.catalog.model import Table
from gateway.errors import RequestError
from gateway.graphql.meaning import On, Through
from gateway.graphql.tables import COUNT_HAVING, FUNCTIONS
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.budget import MOST_PARTS, BudgetError
from gateway.query.intent import (
    AllIntent,
    AnyIntent,
    ConditionIntent,
    FilterIntent,
    NotIntent,
    Quantifier,
    RelatedIntent,
)

QUANTIFIERS: Final[tuple[Quantifier, ...]] = get_args(Quantifier)


def filter_intents(
    value: Mapping[str, Any] | None, table: Table, vocabulary: Vocabulary, place: str = "filter"
) -> tuple[FilterIntent, ...]:
    """Return what a ``filter`` argument demands of the rows of a table, all of which must hold.

    ``place`` is what the names of parameters in errors begin with.

    Raises:
        RequestError: ``filter_syntax``, ``query_too_large``.
    """
    if value is None:
        return ()
    return _Filters(vocabulary, place).parts(value, table, place)


@dataclass(slots=True)
class _Filters:
    """One filter on its way; ``number`` counts its parts: names of objects, and objects without any."""

    vocabulary: Vocabulary
    name: str
    number: int = 0

    def parts(self, value: Mapping[str, Any], table: Table, place: str) -> tuple[FilterIntent, ...]:
        self.number += max(1, len(value))
        if self.number > MOST_PARTS:
            detail = f"{self.name} has at most {MOST_PARTS:,} parts."
            raise BudgetError("conditions", self.number, MOST_PARTS, detail, self.name)
        return tuple(self._part(name, item, table, f"{place}.{name}") for name, item in value.items())

    def _tree(self, value: Any, table: Table, place: str) -> FilterIntent:
        if not isinstance(value, Mapping):
            raise _fault(place, "null is no condition: leave it out, or write {}")
        return _all(self.parts(value, table, place))

    def _part(self, name: str, value: Any, table: Table, place: str) -> FilterIntent:
        word = _WORDS.get(name)
        if word is not None:
            return word(self, value, table, place)
        meaning = self.vocabulary.of(table).filters[name]
        if isinstance(meaning, On):
            return _condition(meaning, value, place, self.vocabulary.of(table).filters)
        return self._related(meaning, value, place)

    def _related(self, through: Through, value: Any, place: str) -> FilterIntent:
        """Trees under quantifiers for the many rows of a to-many, one tree for the one row of a to-one."""
        edge = through.relationship
        if not edge.is_to_many:
            return RelatedIntent((edge.name,), "some", self._tree(value, through.table, place), place)
        quantified = [word for word in value or () if word in QUANTIFIERS]
        if not quantified:
            raise _fault(place, f"{edge.name} are many rows: say which with some, none or every")
        return _all(tuple(self._quantified(through, word, value[word], place) for word in quantified))

    def _quantified(self, through: Through, word: Quantifier, value: Any, place: str) -> FilterIntent:
        where = f"{place}.{word}"
        return RelatedIntent((through.relationship.name,), word, self._tree(value, through.table, where), where)

    def array(self, value: Any, table: Table, place: str) -> tuple[FilterIntent, ...]:
        if not isinstance(value, list):
            raise _fault(place, "null is no condition: leave it out, or write []")
        return tuple(self._tree(item, table, f"{place}.{number}") for number, item in enumerate(value))

    def negated(self, value: Any, table: Table, place: str) -> FilterIntent:
        return NotIntent(self._tree(value, table, place))


_WORDS: Final[Mapping[str, Callable[[_Filters, Any, Table, str], FilterIntent]]] = {
    "and": lambda filters, value, table, place: AllIntent(filters.array(value, table, place)),
    "or": lambda filters, value, table, place: AnyIntent(filters.array(value, table, place)),
    "not": _Filters.negated,
}


def having_intents(
    value: Mapping[str, Any] | None, table: Table, vocabulary: Vocabulary, place: str = "having"
) -> tuple[ConditionIntent, ...]:
    """Return what a ``having`` argument demands of the numbers of a group: ``{count_gte: 2, sum: {total_gte: 9}}``.

    Raises:
        RequestError: ``filter_syntax``.
    """
    found: list[ConditionIntent] = []
    for name, item in (value or {}).items():
        operator = COUNT_HAVING.get(name)
        where = f"{place}.{name}"
        if operator is None:
            found.extend(_held(name, item, table, vocabulary, where))
        elif item is None:
            raise _null(where, "leave it out")
        else:
            found.append(_compared(("count",), operator, item, where))
    return tuple(found)


def _held(name: str, value: Any, table: Table, vocabulary: Vocabulary, place: str) -> list[ConditionIntent]:
    """The conditions on the numbers of one function."""
    if not isinstance(value, Mapping):
        raise _fault(place, "null is no condition: leave it out, or write {}")
    function = next(function for function in FUNCTIONS if function == name)
    known = vocabulary.of(table).having[function]
    return [_condition(known[word], item, f"{place}.{word}", known, (function,)) for word, item in value.items()]


def _all(parts: tuple[FilterIntent, ...]) -> FilterIntent:
    return parts[0] if len(parts) == 1 else AllIntent(parts)


def _condition(
    on: On, value: Any, place: str, names: Mapping[str, object], stem: tuple[str, ...] = ()
) -> ConditionIntent:
    """A comparison of a field, or of a function of it; ``names`` are those beside it, one of which asks for null."""
    if value is None:
        ways = [name for name, other in names.items() if other == On(on.field, "null")]
        raise _null(place, f"write {ways[0]}: true, or leave it out" if ways else "leave it out")
    return _compared((*stem, *on.field.name.split(".")), on.operator, value, place)


def _compared(path: tuple[str, ...], operator: str, value: Any, place: str) -> ConditionIntent:
    """One comparison; equality goes without its name, which a field may have too."""
    return ConditionIntent(path if operator == "eq" else (*path, operator), value, place)


def _null(place: str, instead: str) -> RequestError:
    return _fault(place, f"null compares with nothing: {instead}")


def _fault(place: str, message: str) -> RequestError:
    return RequestError("filter_syntax", f"{place}: {message}.", parameter=place)
