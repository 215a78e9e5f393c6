"""Parameters of a request -> intent, and what the reply must remember of them.

Only the syntax is judged here. Whether a field exists is the planner's question,
so that every front end answers it alike. Nothing is dropped: a parameter that is
not known is an error that names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, get_args

from gateway.catalog.kinds import PLAIN_FORMAT, ValueFormat
from gateway.errors import RequestError
from gateway.query.bulk import MOST_ROWS, OnConflict
from gateway.query.intent import (
    AggregateIntent,
    ConditionIntent,
    EmbedIntent,
    FilterIntent,
    Origin,
    ReadIntent,
)
from gateway.query.suggest import nearest
from gateway.rest.filters import parse_filters
from gateway.rest.given import (
    Given,
    brackets_of,
    choice,
    dotted,
    flag,
    optional_text,
    parse_sort,
    stem_of,
    value_format,
    words,
)
from gateway.rest.includes import own_fields, parse_embeds
from gateway.rest.paging import MOVING, PAGING, PageStyle, parse_paging
from gateway.rest.tree import parse_where
from gateway.rest.url import Pair

ROW_PARAMETERS: Final = frozenset(
    {"fields", "fields[…]", "include", "include[…]", "labels", "decimals", "bigints", "envelope"}
)
_GROUPING: Final = frozenset({"group", "metrics", "having[…]"})
LIST_PARAMETERS: Final = (
    PAGING | ROW_PARAMETERS | _GROUPING | {"filter[…]", "where", "q", "sort", "count", "format", "spreadsheet"}
)
UPDATE_PARAMETERS: Final = frozenset({"decimals", "bigints", "dry_run"})
CREATE_PARAMETERS: Final = UPDATE_PARAMETERS | {"on_conflict"}
DELETE_PARAMETERS: Final = frozenset({"dry_run"})
BULK_PARAMETERS: Final = UPDATE_PARAMETERS | {"filter[…]", "max_affected"}
BULK_DELETE_PARAMETERS: Final = DELETE_PARAMETERS | {"filter[…]", "max_affected"}


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A read as REST asked for it: the intent, and the shape of the reply.

    ``kept`` are the parameters, as sent, that page links repeat; ``style`` is the
    one that they change. ``given`` are all of them. ``cursor`` is as sent and empty to begin; the
    intent's page has its position only once it is opened. ``format`` is the one that was named.
    ``is_paged`` says that a page was asked for, and ``is_body`` that the parameters came in a body,
    whose reply cannot link to other pages.
    """

    intent: ReadIntent | AggregateIntent
    style: PageStyle = "page"
    kept: str = ""
    is_enveloped: bool = True
    given: Given = field(default_factory=dict)
    cursor: str | None = None
    format: str | None = None
    is_spreadsheet: bool = False
    is_paged: bool = False
    is_body: bool = False


def parse_to_one(
    resource: str, pairs: Sequence[Pair], origin: Origin, own: frozenset[str] = frozenset()
) -> ReadRequest:
    """Return the request for the one row of a to-one; ``own`` are the names of the resource it leads to.

    Raises:
        RequestError: as `parse_list`.
    """
    return _single(ReadIntent(resource, origin=origin), _unique(pairs, ROW_PARAMETERS), own)


def parse_row(
    resource: str, key: tuple[str, ...], pairs: Sequence[Pair], own: frozenset[str] = frozenset()
) -> ReadRequest:
    """Return the request for one row.

    Raises:
        RequestError: as `parse_list`.
    """
    return _single(ReadIntent(resource, key=key), _unique(pairs, ROW_PARAMETERS), own | {resource})


def parse_list(
    resource: str, pairs: Sequence[Pair], origin: Origin | None = None, own: frozenset[str] = frozenset()
) -> ReadRequest:
    """Return the request for a list, of a resource or of one row's to-many.

    ``own`` are the names of the resource whose rows are listed.

    Raises:
        RequestError: ``parameter_unknown``, ``parameter_conflict``, ``parameter_invalid``, ``parameter_missing``,
            ``page_invalid``, ``fields_syntax``, ``include_syntax``, ``sort_syntax``, ``filter_syntax``,
            ``group_syntax``, ``query_too_large``.
    """
    request = _list(resource, _unique(pairs, LIST_PARAMETERS), origin, own)
    return replace(request, kept=_kept(pairs, request.style))


def parse_query_list(
    resource: str, values: Mapping[str, object], origin: Origin | None = None, own: frozenset[str] = frozenset()
) -> ReadRequest:
    """Return the request for a list whose parameters came in a body, by the names that they have in a URL.

    Raises:
        RequestError: as `parse_list`.
    """
    for name in values:
        _check_known(name, LIST_PARAMETERS)
    return replace(_list(resource, values, origin, own), is_body=True)


def parse_nothing(pairs: Sequence[Pair]) -> None:
    """Pass when there are no parameters, where none is taken.

    Raises:
        RequestError: ``parameter_unknown``.
    """
    _unique(pairs, frozenset())


def _single(intent: ReadIntent, given: Given, own: frozenset[str]) -> ReadRequest:
    embeds = parse_embeds(given, own=own)
    is_enveloped = flag(given, "envelope", default=True)
    intent = replace(
        intent,
        fields=own_fields(given, own, embeds),
        embeds=embeds,
        has_labels=flag(given, "labels", default=False),
        format=value_format(given),
        needs_key=intent.needs_key or not is_enveloped,
    )
    return ReadRequest(intent, is_enveloped=is_enveloped, given=given)


def _list(resource: str, given: Given, origin: Origin | None, own: frozenset[str]) -> ReadRequest:
    own = own | {resource} if origin is None else own
    is_grouped = any(name in _GROUPING or stem_of(name) == "having" for name in given)
    paging = parse_paging(given)
    is_enveloped = flag(given, "envelope", default=True)
    intent: ReadIntent | AggregateIntent = (
        _groups(resource, given, origin, own)
        if is_grouped
        else _rows(resource, given, origin, own, needs_key=not is_enveloped)
    )
    return ReadRequest(
        replace(intent, page=paging.page),
        paging.style,
        is_enveloped=is_enveloped,
        given=given,
        cursor=paging.cursor,
        format=optional_text(given, "format"),
        is_spreadsheet=flag(given, "spreadsheet", default=False),
        is_paged=not PAGING.isdisjoint(given),
    )


def _rows(resource: str, given: Given, origin: Origin | None, own: frozenset[str], *, needs_key: bool) -> ReadIntent:
    embeds = parse_embeds(given, own=own)
    return ReadIntent(
        resource,
        origin=origin,
        fields=own_fields(given, own, embeds),
        conditions=_conditions(given),
        search=optional_text(given, "q"),
        order=parse_sort(given["sort"]) if "sort" in given else (),
        count=choice(given, "count", ("exact", "estimate", "none")),
        format=value_format(given),
        needs_key=needs_key,
        embeds=embeds,
        has_labels=flag(given, "labels", default=False),
    )


def _groups(resource: str, given: Given, origin: Origin | None, own: frozenset[str]) -> AggregateIntent:
    groups = words(given["group"], "group", "group_syntax") if "group" in given else ()
    embeds = parse_embeds(given, groups, own)
    _refuse_beside_groups(given, own, embeds)
    return AggregateIntent(
        resource,
        origin=origin,
        groups=groups,
        metrics=words(given["metrics"], "metrics", "group_syntax") if "metrics" in given else (),
        having=tuple(_having(name, value) for name, value in given.items() if stem_of(name) == "having"),
        conditions=_conditions(given),
        search=optional_text(given, "q"),
        order=parse_sort(given["sort"]) if "sort" in given else (),
        count=choice(given, "count", ("exact", "estimate", "none")),
        format=value_format(given),
        embeds=embeds,
        has_labels=flag(given, "labels", default=False),
    )


def _refuse_beside_groups(given: Given, own: frozenset[str], embeds: Sequence[EmbedIntent]) -> None:
    if own_fields(given, own, embeds) is not None:
        name = next(name for name in given if stem_of(name) == "fields")
        detail = "A reply of groups has the words of group and metrics, and no other fields."
        raise RequestError("parameter_conflict", detail, parameter=name)
    if "cursor" in given:
        detail = "Groups have no cursor: take page, or limit and offset."
        raise RequestError("parameter_conflict", detail, parameter="cursor")


def _having(name: str, value: object) -> ConditionIntent:
    brackets = brackets_of(name)
    path = dotted(brackets[0]) if brackets and len(brackets) == 1 else None
    if path is None:
        detail = f"{name} is no condition on a metric: write having[metric] or having[metric.operator]."
        raise RequestError("filter_syntax", detail, parameter=name)
    return ConditionIntent(path, value, name)


def _conditions(given: Given) -> tuple[FilterIntent, ...]:
    tree = (parse_where(given["where"]),) if "where" in given else ()
    return (*parse_filters(given), *tree)


# Writes


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What the parameters of a write say.

    ``conditions`` and ``most`` choose the rows of a write by filter; there are some exactly then.
    """

    format: ValueFormat = PLAIN_FORMAT
    is_dry_run: bool = False
    on_conflict: OnConflict | None = None
    conditions: tuple[FilterIntent, ...] = ()
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
            ``query_too_large``, and as `parse_write`.
    """
    given = _unique(pairs, known)
    conditions = parse_filters(given)
    if not conditions:
        raise _missing("filter[…]", "say with filter[…] which rows are meant")
    if "max_affected" not in given:
        raise _missing("max_affected", f"say with max_affected how many rows it may be, at most {MOST_ROWS}")
    return replace(_write(given), conditions=conditions, most=_most(given["max_affected"]))


def _write(given: Given) -> WriteRequest:
    conflict = choice(given, "on_conflict", ("update", "ignore")) if "on_conflict" in given else None
    return WriteRequest(
        value_format(given),
        flag(given, "dry_run", default=False),
        next((word for word in get_args(OnConflict) if word == conflict), None),
    )


def _missing(parameter: str, advice: str) -> RequestError:
    return RequestError("parameter_missing", f"Several rows are changed at once: {advice}.", parameter=parameter)


def _most(value: object) -> int:
    text = str(value)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
    if not 1 <= number <= MOST_ROWS:
        message = f"max_affected must be a whole number from 1 to {MOST_ROWS}."
        raise RequestError("parameter_invalid", message, parameter="max_affected")
    return number


# Names and repeats


def _unique(pairs: Sequence[Pair], known: frozenset[str]) -> dict[str, object]:
    """The value of each parameter: repeats of one value are fine, and for paging the last wins."""
    given: dict[str, object] = {}
    for pair in pairs:
        _check_known(pair.name, known)
        if given.get(pair.name, pair.value) != pair.value and pair.name not in PAGING:
            raise RequestError(
                "parameter_conflict", f"{pair.name} is given twice with different values.", parameter=pair.name
            )
        given[pair.name] = pair.value
    return given


def _check_known(name: str, known: frozenset[str]) -> None:
    """A family of parameters begins with its stem and a bracket; what follows is for those who read it."""
    if name in known or (f"{stem_of(name)}[…]" in known and ("[" in name or name in _FAMILIES)):
        return
    close = nearest(name, known)
    there_are = f" There are: {', '.join(sorted(known))}." if known else " This path takes none."
    hint = f" Did you mean {close}?" if close else there_are
    raise RequestError(
        "parameter_unknown", f"There is no parameter {name!r} here.{hint}", parameter=name, suggestion=close
    )


_FAMILIES: Final = frozenset({"filter", "having"})
"""Families whose stem alone is a mistake of grammar, and no unknown name."""


def _kept(pairs: Sequence[Pair], style: PageStyle) -> str:
    moving = MOVING[style]
    return "".join(f"{pair.raw}&" for pair in dict.fromkeys(pairs) if pair.name not in moving)
