"""Words of ``metrics`` -> metrics: a function, what of, and the type of what comes out.

A word is ``count``, or a function and a field: ``sum.total``, ``max.client.datecreated``. Which
fields a function takes, and what type it gives, is decided here for every front end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, get_args

from gateway.catalog.kinds import KINDS, ColumnType
from gateway.catalog.model import Table
from gateway.errors import RequestError
from gateway.query.budget import check_number
from gateway.query.context import Context
from gateway.query.places import single_field
from gateway.query.plan import Metric, MetricFunction
from gateway.query.suggest import nearest

FUNCTIONS: Final[Mapping[str, MetricFunction]] = MappingProxyType({name: name for name in get_args(MetricFunction)})
_WHOLE: Final = ColumnType(KINDS["integer"], "bigint", minimum=0, maximum=2**53)
_NUMBERS: Final = frozenset({"number"})
_ORDERED: Final = frozenset({"number", "text", "moment"})
_FAMILIES: Final[Mapping[MetricFunction, frozenset[str]]] = MappingProxyType(
    {
        "sum": _NUMBERS,
        "avg": _NUMBERS,
        "min": _ORDERED,
        "max": _ORDERED,
        "count_distinct": _ORDERED | {"binary", "list"},
    }
)
AVERAGE_DECIMALS: Final = 4
"""Decimals that an average has beyond those of its field."""


def metric_families(function: MetricFunction) -> frozenset[str]:
    """Return the families of kinds that a function takes; none for ``count``, which counts rows."""
    return _FAMILIES.get(function, frozenset())


def chosen_metrics(
    context: Context, table: Table, words: Sequence[str], parameter: str = "metrics"
) -> dict[str, Metric]:
    """Return the metrics that words name, by word; without words how many rows there are.

    Raises:
        RequestError: ``metric_invalid``, ``query_too_large``, and as `single_field`.
        ForbiddenError: ``grant_missing`` for a table that a word leads to.
    """
    words = words or ("count",)
    check_number("metrics", len(words), context.budget.metrics, "metrics", parameter)
    metrics: dict[str, Metric] = {}
    for word in words:
        if word in metrics:
            raise RequestError("metric_invalid", f"{word} stands twice in metrics.", parameter=parameter)
        metrics[word] = metric_of(context, table, word, parameter)
    return metrics


def metric_of(context: Context, table: Table, word: str, parameter: str) -> Metric:
    """Return the metric that a word names, over rows of a table.

    Raises:
        RequestError: ``metric_invalid``, and as `single_field`.
        ForbiddenError: ``grant_missing`` for a table that the word leads to.
    """
    name, _, path = word.partition(".")
    function = FUNCTIONS.get(name)
    if function is None:
        close = nearest(name, FUNCTIONS)
        hint = f" Did you mean {close}?" if close else f" There are: {', '.join(FUNCTIONS)}."
        detail = f"There is no metric {name!r}.{hint}"
        raise RequestError("metric_invalid", detail, parameter=parameter, suggestion=close)
    if function == "count" and not path:
        return Metric("count", None, _WHOLE)
    if function == "count" or not path:
        wants = "counts rows and takes no field" if function == "count" else f"takes a field, as in {name}.total"
        raise RequestError("metric_invalid", f"{name} {wants}.", parameter=parameter)
    operand = single_field(context, table, path, parameter)
    if operand.type.kind.family not in _FAMILIES[function]:
        detail = f"{name} cannot be taken of {path}, which is {operand.type.kind.summary}."
        raise RequestError("metric_invalid", detail, parameter=parameter)
    return Metric(function, operand, metric_type(function, operand.type))


def metric_type(function: MetricFunction, source: ColumnType) -> ColumnType:
    """Return the type of a metric of fields of a type: with their precision, so that it is a number where they are.

    The least and the greatest of BIT fields come from the server as whole numbers and no bits.
    """
    if function == "count_distinct":
        return _WHOLE
    is_whole = source.kind.name in ("integer", "flag", "year", "bit")
    if (function == "sum" and is_whole) or (source.kind.name == "bit" and function != "avg"):
        return replace(_WHOLE, maximum=source.maximum, minimum=None)
    if function == "avg" and (is_whole or source.kind.name == "decimal"):
        scale = (source.scale or 0) + AVERAGE_DECIMALS
        return ColumnType(KINDS["decimal"], "decimal", precision=source.precision or 15, scale=scale)
    return source
