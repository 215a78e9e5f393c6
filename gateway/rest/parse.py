"""Query parameters of a read -> intent, and what the reply must remember of them.

Only the syntax is judged here. Whether a field exists is the planner's question,
so that every front end answers it alike. Nothing is dropped: a parameter that is
not known is an error that names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from gateway.catalog.kinds import PLAIN_FORMAT, ValueFormat
from gateway.errors import RequestError
from gateway.query.bulk import MOST_ROWS, OnConflict
from gateway.query.coerce import RefusedValueError, coerce_boolean
from gateway.query.intent import ConditionIntent, OrderIntent, Origin, PageIntent, ReadIntent
from gateway.query.planner import DEFAULT_PER_PAGE
from gateway.query.suggest import nearest
from gateway.rest.url import Pair

PageStyle = Literal["page", "offset", "page[number]"]

_PAGING: Final = frozenset({"page", "per_page", "limit", "offset", "page[number]", "page[size]"})
_COMMON: Final = frozenset({"fields", "decimals", "bigints", "envelope"})
LIST_PARAMETERS: Final = _PAGING | _COMMON | {"sort", "q", "count", "filter[…]"}
ROW_PARAMETERS: Final = _COMMON
UPDATE_PARAMETERS: Final = frozenset({"decimals", "bigints", "dry_run"})
CREATE_PARAMETERS: Final = UPDATE_PARAMETERS | {"on_conflict"}
DELETE_PARAMETERS: Final = frozenset({"dry_run"})
BULK_PARAMETERS: Final = UPDATE_PARAMETERS | {"filter[…]", "max_affected"}
BULK_DELETE_PARAMETERS: Final = DELETE_PARAMETERS | {"filter[…]", "max_affected"}


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A read as REST asked for it: the intent, and the shape of the reply.

    ``kept`` are the parameters, as sent, that page links repeat; ``style`` is the
    one that they change.
    """

    intent: ReadIntent
    style: PageStyle = "page"
    kept: str = ""
    is_enveloped: bool = True


def parse_to_one(resource: str, pairs: Sequence[Pair], origin: Origin) -> ReadRequest:
    """Return the request for the one row of a to-one.

    Raises:
        RequestError: as `parse_list`.
    """
    given = _unique(pairs, ROW_PARAMETERS)
    is_enveloped = _flag(given, "envelope", default=True)
    intent = ReadIntent(resource, origin=origin, fields=_fields(given), format=_format(given), needs_key=True)
    return ReadRequest(intent, is_enveloped=is_enveloped)


def parse_list(resource: str, pairs: Sequence[Pair], origin: Origin | None = None) -> ReadRequest:
    """Return the request for a list, of a resource or of one row's to-many.

    Raises:
        RequestError: ``parameter_unknown``, ``parameter_conflict``, ``parameter_invalid``, ``page_invalid``,
            ``fields_syntax``, ``sort_syntax``, ``filter_syntax``.
    """
    given = _unique(pairs, LIST_PARAMETERS)
    style, page = _page(given)
    is_enveloped = _flag(given, "envelope", default=True)
    intent = ReadIntent(
        resource,
        origin=origin,
        fields=_fields(given),
        conditions=tuple(parse_filter(name, value) for name, value in given.items() if _is_filter(name)),
        search=given.get("q"),
        order=parse_sort(given["sort"]) if "sort" in given else (),
        page=page,
        count=_choice(given, "count", ("exact", "estimate", "none")),
        format=_format(given),
        needs_key=not is_enveloped,
    )
    return ReadRequest(intent, style, _kept(pairs, style), is_enveloped)


def parse_row(resource: str, key: tuple[str, ...], pairs: Sequence[Pair]) -> ReadRequest:
    """Return the request for one row.

    Raises:
        RequestError: as `parse_list`.
    """
    given = _unique(pairs, ROW_PARAMETERS)
    is_enveloped = _flag(given, "envelope", default=True)
    intent = ReadIntent(resource, key=key, fields=_fields(given), format=_format(given), needs_key=not is_enveloped)
    return ReadRequest(intent, is_enveloped=is_enveloped)


def parse_nothing(pairs: Sequence[Pair]) -> None:
    """Pass when there are no parameters, where none is taken.

    Raises:
        RequestError: ``parameter_unknown``.
    """
    _unique(pairs, frozenset())


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What the parameters of a write say.

    ``conditions`` and ``most`` choose the rows of a write by filter; there are some exactly then.
    """

    format: ValueFormat = PLAIN_FORMAT
    is_dry_run: bool = False
    on_conflict: OnConflict | None = None
    conditions: tuple[ConditionIntent, ...] = ()
    most: int = 1


def parse_write(pairs: Sequence[Pair], known: frozenset[str] = UPDATE_PARAMETERS) -> WriteRequest:
    """Return what the parameters of a create, or of a write of one row, say.

    Raises:
        RequestError: ``parameter_unknown``, ``parameter_conflict``, ``parameter_invalid``.
    """
    return _write(_unique(pairs, known))


def parse_bulk(pairs: Sequence[Pair], known: frozenset[str] = BULK_PARAMETERS) -> WriteRequest:
    """Return what the parameters of a write by filter say.

    Raises:
        RequestError: ``parameter_missing`` without a filter or ``max_affected``, ``filter_syntax``,
            and as `parse_write`.
    """
    given = _unique(pairs, known)
    conditions = tuple(parse_filter(name, value) for name, value in given.items() if _is_filter(name))
    if not conditions:
        raise _missing("filter[…]", "say with filter[…] which rows are meant")
    if "max_affected" not in given:
        raise _missing("max_affected", f"say with max_affected how many rows it may be, at most {MOST_ROWS}")
    return replace(_write(given), conditions=conditions, most=_most(given["max_affected"]))


def _write(given: Mapping[str, str]) -> WriteRequest:
    conflict = _choice(given, "on_conflict", ("update", "ignore")) if "on_conflict" in given else None
    return WriteRequest(
        _format(given),
        _flag(given, "dry_run", default=False),
        next((word for word in get_args(OnConflict) if word == conflict), None),
    )


def _missing(parameter: str, advice: str) -> RequestError:
    return RequestError("parameter_missing", f"Several rows are changed at once: {advice}.", parameter=parameter)


def _most(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
    if not 1 <= number <= MOST_ROWS:
        message = f"max_affected must be a whole number from 1 to {MOST_ROWS}."
        raise RequestError("parameter_invalid", message, parameter="max_affected")
    return number


def _unique(pairs: Sequence[Pair], known: frozenset[str]) -> Mapping[str, str]:
    """The value of each parameter: repeats of one value are fine, and for paging the last wins."""
    given: dict[str, str] = {}
    for pair in pairs:
        if pair.name not in known and not (_is_filter(pair.name) and "filter[…]" in known):
            raise _unknown(pair.name, known)
        if given.get(pair.name, pair.value) != pair.value and pair.name not in _PAGING:
            raise RequestError(
                "parameter_conflict", f"{pair.name} is given twice with different values.", parameter=pair.name
            )
        given[pair.name] = pair.value
    return given


def _is_filter(name: str) -> bool:
    """Whether a parameter is a filter, well-formed or not; `filters` or `filter.total` are no parameters at all."""
    return name == "filter" or name.startswith("filter[")


def _unknown(name: str, known: frozenset[str]) -> RequestError:
    close = nearest(name, known)
    there_are = f" There are: {', '.join(sorted(known))}." if known else " This path takes none."
    hint = f" Did you mean {close}?" if close else there_are
    return RequestError(
        "parameter_unknown", f"There is no parameter {name!r} here.{hint}", parameter=name, suggestion=close
    )


def _fields(given: Mapping[str, str]) -> tuple[str, ...] | None:
    text = given.get("fields")
    if text is None:
        return None
    names = tuple(text.split(","))
    if "" in names:
        raise RequestError(
            "fields_syntax", "fields is a comma list of names; one of them is empty.", parameter="fields"
        )
    return names


def parse_sort(text: str) -> tuple[OrderIntent, ...]:
    """Return the sort keys of a ``sort`` value, most significant first.

    A leading ``-`` means descending. Field names are not checked here.

    >>> parse_sort("-total,duedate")
    (OrderIntent(field='total', descending=True), OrderIntent(field='duedate', descending=False))

    Raises:
        RequestError: ``sort_syntax`` for an empty key (``offset`` counts characters of ``text``).
    Source: JSON:API 1.1, "Sorting".
    """
    keys: list[OrderIntent] = []
    offset = 0
    for word in text.split(","):
        field = word.removeprefix("-")
        if not field:
            raise RequestError("sort_syntax", "sort has an empty key.", parameter="sort", offset=offset)
        keys.append(OrderIntent(field, descending=word != field))
        offset += len(word) + 1
    return tuple(keys)


def parse_filter(name: str, value: str) -> ConditionIntent:
    """Return the condition of one ``filter[path.op]=value`` parameter.

    >>> parse_filter("filter[total.gte]", "1000").path
    ('total', 'gte')

    Raises:
        RequestError: ``filter_syntax`` for brackets that do not close or an empty path.
    """
    inner = name.removeprefix("filter[").removesuffix("]")
    if not (name.startswith("filter[") and name.endswith("]")) or "[" in inner or "]" in inner:
        raise RequestError(
            "filter_syntax", f"{name} is no filter: write filter[field] or filter[field.operator].", parameter=name
        )
    path = tuple(inner.split("."))
    if "" in path:
        raise RequestError("filter_syntax", f"{name} has an empty name in its path.", parameter=name)
    return ConditionIntent(path, value, name)


# Paging and its synonyms


def _page(given: Mapping[str, str]) -> tuple[PageStyle, PageIntent]:
    limit = _synonyms(given, ("per_page", "limit", "page[size]"), least=1)
    number = _synonyms(given, ("page", "page[number]"), least=1)
    offset = _synonyms(given, ("offset",), least=0)
    if number is not None and offset is not None:
        raise RequestError("parameter_conflict", "page and offset exclude each other.", parameter="offset")
    if offset is not None or ("limit" in given and number is None):
        return "offset", PageIntent(limit, offset or 0)
    style: PageStyle = "page[number]" if "page[number]" in given or "page[size]" in given else "page"
    return style, PageIntent(limit, ((number or 1) - 1) * (limit if limit is not None else DEFAULT_PER_PAGE))


def _synonyms(given: Mapping[str, str], names: tuple[str, ...], least: int) -> int | None:
    values = {name: _whole(name, given[name], least) for name in names if name in given}
    if len(set(values.values())) > 1:
        raise RequestError(
            "parameter_conflict", f"{' and '.join(values)} mean the same and differ.", parameter=next(iter(values))
        )
    return next(iter(values.values()), None)


def _whole(name: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or int(text) < least:
        raise RequestError("page_invalid", f"{name} must be a whole number of at least {least}.", parameter=name)
    return int(text)


def _kept(pairs: Sequence[Pair], style: PageStyle) -> str:
    moving = {"page": ("page",), "offset": ("offset",), "page[number]": ("page[number]", "page")}[style]
    return "".join(f"{pair.raw}&" for pair in dict.fromkeys(pairs) if pair.name not in moving)


# Small values


def _flag(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    if name not in given:
        return default
    try:
        return coerce_boolean(given[name])
    except RefusedValueError as refusal:
        raise RequestError("parameter_invalid", f"{name}: {refusal.message}.", parameter=name) from refusal


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = given.get(name, choices[0])
    if value not in choices:
        raise RequestError("parameter_invalid", f"{name} is one of {', '.join(choices)}.", parameter=name)
    return value


def _format(given: Mapping[str, str]) -> ValueFormat:
    return ValueFormat(
        are_decimals_text=_choice(given, "decimals", ("number", "string")) == "string",
        are_bigints_text=_choice(given, "bigints", ("number", "string")) == "string",
    )
