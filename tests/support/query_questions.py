"""Questions of chance to the tables of `query_world`, and how a client spells them.

A question is data of `query_model`; `parameters` and `body` are the same question as a URL and as the body of a query.
Filters that the brackets of a URL cannot say go into ``where``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from hypothesis import strategies as st

from gateway.query.operators import OPERATORS
from tests.support.query_model import (
    All,
    Asked,
    AskedGroups,
    Children,
    Condition,
    GroupBy,
    Having,
    Include,
    Leaf,
    MetricOf,
    Not,
    Numbers,
    Parent,
    Quantifier,
    Some,
    World,
)
from tests.support.query_world import DAYS, LETTERS, MOMENTS, STATES, made_world
from tests.support.rows_model import Field

SHAPE: World = made_world(0)
"""Any world tells what tables, fields and relationships there are."""

PATTERNS = ("like", "nlike", "contains", "ncontains", "starts", "ends")
Spelling = Literal["url", "body"]


# Operands


def _moments() -> st.SearchStrategy[str]:
    steps = [timedelta(), timedelta(), timedelta(seconds=1), timedelta(milliseconds=500)]
    near = st.sampled_from(MOMENTS).flatmap(lambda moment: st.sampled_from([moment + step for step in steps]))
    walls = near.filter(lambda moment: moment.hour != 2).map(datetime.isoformat)
    offsets = near.map(lambda moment: moment.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z"))
    return st.sampled_from(DAYS).map(date.isoformat) | walls | offsets


def _texts() -> st.SearchStrategy[str]:
    return st.text(LETTERS, max_size=2) | st.sampled_from(["job", "FIRM", "cat", "01", "2x", "77"])


OPERANDS: Mapping[str, st.SearchStrategy[str]] = {
    "int": st.sampled_from(["-3", "0", "1", "2", "3", "7", "250", "901"]),
    "flag": st.sampled_from(["0", "1", "true", "false"]),
    "decimal": st.sampled_from(["-10.5", "0", "0.001", "10.500", "10.5005", "2500", "4.2"]),
    "text": _texts(),
    "enum": st.sampled_from(STATES),
    "date": st.sampled_from(DAYS).map(date.isoformat),
    "datetime": _moments(),
    "timestamp": _moments(),
}


def _fitting(item: Field) -> list[str]:
    if item.kind == "enum":
        return ["eq", "ne", "in", "nin", "null", *PATTERNS]
    return [name for name in OPERATORS if item.kind == "text" or name not in PATTERNS]


@st.composite
def _operands(draw: st.DrawFn, item: Field, operator: str) -> str:
    if operator == "null":
        return draw(st.sampled_from(["0", "1", "true", "false"]))
    if operator in PATTERNS:
        return draw(st.text(LETTERS + "%_", max_size=2))
    size = {"between": (2, 2), "in": (1, 3), "nin": (1, 3)}.get(operator)
    if size is None:
        return draw(OPERANDS[item.kind])
    values = draw(st.lists(OPERANDS[item.kind], min_size=size[0], max_size=size[1]))
    return ",".join(values)


# Conditions


MOST_HOPS = 5
"""How many relationships one condition may follow, which is what the gateway allows unless told otherwise."""


@st.composite
def paths(draw: st.DrawFn, shape: World, table: str, most: int = 2) -> tuple[str, ...]:
    """The names of some to-ones that lead on from a table."""
    found: list[str] = []
    for _ in range(draw(st.sampled_from([0, 0, 0, *range(1, most + 1)]))):
        edges = shape.to_ones(table)
        if not edges:
            break
        edge = draw(st.sampled_from(edges))
        found.append(edge.name)
        table = edge.target
    return tuple(found)


@st.composite
def leaves(draw: st.DrawFn, shape: World, table: str, hops: int = 2) -> Leaf:
    """A comparison of a field, of the row or of one that it refers to."""
    path = draw(paths(shape, table, min(2, hops)))
    item = draw(st.sampled_from(list(shape.tables[shape.table_at(table, path)].fields.values())))
    operator = draw(st.sampled_from(_fitting(item)))
    return Leaf(path, item.name, operator, draw(_operands(item, operator)))


@st.composite
def conditions(draw: st.DrawFn, shape: World, table: str, depth: int = 3, hops: int = MOST_HOPS) -> Condition:
    """A tree of conditions on the rows of a table."""
    kinds = ["leaf", "leaf", "leaf"]
    if depth > 0:
        kinds += ["all", "some", "not", "children", "children", "parent"]
    kind = draw(st.sampled_from(kinds))
    if kind == "children" and hops > 0:
        return draw(_children(shape, table, depth, hops))
    if kind == "parent" and hops > 0 and shape.to_ones(table):
        edge = draw(st.sampled_from(shape.to_ones(table)))
        return Parent((edge.name,), draw(conditions(shape, edge.target, depth - 1, hops - 1)))
    if kind == "not":
        return Not(draw(conditions(shape, table, depth - 1, hops)))
    if kind in ("all", "some"):
        inner = conditions(shape, table, depth - 1, hops)
        parts = tuple(draw(st.lists(inner, min_size=0 if depth < 3 else 1, max_size=3)))
        return All(parts) if kind == "all" else Some(parts)
    return draw(leaves(shape, table, hops))


@st.composite
def _children(draw: st.DrawFn, shape: World, table: str, depth: int, hops: int) -> Condition:
    path = draw(paths(shape, table, min(1, hops - 1)))
    edges = shape.to_manies(shape.table_at(table, path))
    if not edges:
        return draw(leaves(shape, table, hops))
    edge = draw(st.sampled_from(edges))
    quantifier: Quantifier = draw(st.sampled_from(["some", "some", "none", "every"]))
    part = draw(conditions(shape, edge.target, depth - 1, hops - len(path) - 1))
    return Children(path, edge.name, quantifier, part)


# Lists


def sorts(shape: World, table: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Up to three sort keys, some at the end of to-ones."""

    @st.composite
    def word(draw: st.DrawFn) -> str:
        path = draw(paths(shape, table))
        name = draw(st.sampled_from(sorted(shape.tables[shape.table_at(table, path)].fields)))
        return ".".join((*path, name))

    @st.composite
    def made(draw: st.DrawFn) -> tuple[str, ...]:
        words = draw(st.lists(word(), max_size=3, unique=True))
        return tuple(draw(st.sampled_from(["", "-"])) + item for item in words)

    return made()


def _fields(shape: World, table: str) -> st.SearchStrategy[tuple[str, ...] | None]:
    names = sorted(shape.tables[table].fields)
    default: st.SearchStrategy[tuple[str, ...] | None] = st.just(tuple(names))
    if not any("." in name for name in names):  # custom fields come only when they are named
        default = st.none()
    return default | st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True).map(tuple)


@st.composite
def includes(draw: st.DrawFn, shape: World, table: str, depth: int = 3, most: int = 2) -> tuple[Include, ...]:
    """Some relationships of a table, each with what it shows, and further ones inside."""
    edges = [edge for edge in shape.edges.values() if edge.source == table]
    chosen = draw(st.lists(st.sampled_from(edges), max_size=most, unique_by=lambda edge: edge.name))
    found = []
    for edge in chosen:
        inner = draw(includes(shape, edge.target, depth - 1, 1)) if depth > 1 else ()
        include = Include(edge.name, draw(_fields(shape, edge.target)), includes=inner)
        where = tuple(draw(st.lists(_spelled(shape, edge.target), max_size=2, unique_by=spelled_once)))
        if edge.is_to_many:
            limit = draw(st.sampled_from([1, 2, 3, None]))
            include = Include(include.name, include.fields, where, draw(sorts(shape, edge.target)), limit, inner)
        else:
            include = Include(include.name, include.fields, where, includes=inner)
        found.append(include)
    return tuple(found)


@st.composite
def numbers(draw: st.DrawFn, shape: World, table: str) -> tuple[Numbers, ...]:
    """Numbers over the rows of some to-manys of a table, one of them perhaps asked for twice."""
    edges = shape.to_manies(table)
    if not edges:
        return ()
    found = []
    for place in range(draw(st.integers(1, 2))):
        edge = draw(st.sampled_from(edges))
        metrics = st.lists(_metric(shape, edge.target), max_size=4, unique_by=lambda metric: metric.word)
        where = draw(st.lists(conditions(shape, edge.target, 2), max_size=2))
        found.append(Numbers(f"numbers@{place}", edge.name, tuple(draw(metrics)) or (MetricOf("count"),), tuple(where)))
    return tuple(found)


@st.composite
def lists_with_numbers(draw: st.DrawFn, shape: World = SHAPE) -> Asked:
    """Any list with numbers over the children of its rows, and of those that come along."""
    asked = draw(lists(shape))
    return replace(
        asked,
        includes=_including(draw, shape, asked.table, asked.includes),
        numbers=draw(numbers(shape, asked.table)),
    )


@st.composite
def groups_with_numbers(draw: st.DrawFn, shape: World = SHAPE) -> AskedGroups:
    """Any groups with numbers over the children of the rows that they are keyed by."""
    asked = draw(groups(shape))
    return replace(asked, includes=_including(draw, shape, asked.table, asked.includes))


def _including(draw: st.DrawFn, shape: World, table: str, chosen: Sequence[Include]) -> tuple[Include, ...]:
    found = []
    for item in chosen:
        target = shape.table_at(table, item.name.split("."))
        inner = _including(draw, shape, target, item.includes)
        found.append(replace(item, includes=inner, numbers=draw(numbers(shape, target))))
    return tuple(found)


def _spelled(shape: World, table: str) -> st.SearchStrategy[Condition]:
    """Conditions that brackets can say, for embeds have no other form."""
    return leaves(shape, table) | leaves(shape, table).map(Not)


def spelled_once(condition: Condition) -> str:
    """Return the parameter that a condition would be, so that no two are the same."""
    pairs = _bracketed(condition, 0)
    return pairs[0][0] if pairs else repr(condition)


@st.composite
def lists(draw: st.DrawFn, shape: World = SHAPE) -> Asked:
    """Any list: filters, search, sorts, fields, embeds, and a page."""
    table = draw(st.sampled_from(sorted(shape.tables)))
    asks_search = table in shape.searched and draw(st.integers(0, 7)) == 0
    return Asked(
        table,
        tuple(draw(st.lists(conditions(shape, table), max_size=draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3]))))),
        draw(st.text(LETTERS, min_size=1, max_size=1)) if asks_search else None,
        draw(sorts(shape, table)),
        draw(_fields(shape, table)),
        draw(includes(shape, table)),
        draw(st.sampled_from([1, 1, 1, 2])),
        draw(st.sampled_from([3, 10, 25, 100])),
    )


# Groups

_SUMMED = ("int", "flag", "decimal")
_PARTS = ("year", "quarter", "month", "week", "day")


@st.composite
def _group(draw: st.DrawFn, shape: World, table: str) -> GroupBy:
    path = draw(paths(shape, table))
    target = shape.table_at(table, path)
    fields = list(shape.tables[target].fields.values())
    moments = [item for item in fields if item.kind in ("date", "datetime", "timestamp")]
    kind = draw(st.sampled_from(["field", "part", "part", "row"]))
    if kind == "row" and (edges := shape.to_ones(target)):
        return GroupBy((*path, draw(st.sampled_from(edges)).name))
    if kind == "part" and moments:
        item = draw(st.sampled_from(moments))
        parts = _PARTS if item.kind == "date" else (*_PARTS, "hour")
        return GroupBy(path, item.name, draw(st.sampled_from(parts)))
    return GroupBy(path, draw(st.sampled_from(fields)).name)


@st.composite
def _metric(draw: st.DrawFn, shape: World, table: str) -> MetricOf:
    path = draw(paths(shape, table, 1))
    fields = list(shape.tables[shape.table_at(table, path)].fields.values())
    match draw(st.sampled_from(["count", "count_distinct", "sum", "avg", "min", "max"])):
        case "count":
            return MetricOf("count")
        case "sum" | "avg" as function:
            summed = [item for item in fields if item.kind in _SUMMED and "." not in item.name]
            return MetricOf(function, path, draw(st.sampled_from(summed)).name) if summed else MetricOf("count")
        case function:
            return MetricOf(function, path, draw(st.sampled_from(fields)).name)


@st.composite
def _having(draw: st.DrawFn, shape: World, table: str, metric: MetricOf) -> Having | None:
    kind = "int"
    if metric.field is not None and metric.function != "count_distinct":
        kind = shape.tables[shape.table_at(table, metric.path)].fields[metric.field].kind
    if kind not in ("int", "decimal", "date"):
        return None
    item = Field(metric.word, kind)
    operator = draw(st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte", "between", "in", "nin"]))
    return Having(metric, operator, draw(_operands(item, operator)))


@st.composite
def groups(draw: st.DrawFn, shape: World = SHAPE) -> AskedGroups:
    """Any groups: by fields, periods and related rows, with metrics, conditions on them, and a page."""
    table = draw(st.sampled_from(sorted(shape.tables)))
    size = draw(st.sampled_from([1, 1, 2, 2, 0]))
    by = tuple(draw(st.lists(_group(shape, table), min_size=size, max_size=size, unique_by=lambda group: group.word)))
    metrics = tuple(draw(st.lists(_metric(shape, table), min_size=1, max_size=3, unique_by=lambda metric: metric.word)))
    having = [draw(_having(shape, table, metric)) for metric in metrics if draw(st.sampled_from([False] * 4 + [True]))]
    words = [*(group.word for group in by), *(metric.word for metric in metrics)]
    sort = draw(st.lists(st.sampled_from(words), max_size=2, unique=True))
    return AskedGroups(
        table,
        by,
        metrics,
        tuple(draw(st.lists(conditions(shape, table, 2), max_size=2))),
        tuple(item for item in having if item is not None),
        tuple(draw(st.sampled_from(["", "-"])) + word for word in sort),
        tuple(draw(_grouped_row(shape, table, group, words)) for group in by if group.field is None),
        draw(st.sampled_from([1, 1, 2])),
        draw(st.sampled_from([2, 25, 100])),
    )


@st.composite
def _grouped_row(draw: st.DrawFn, shape: World, table: str, group: GroupBy, words: Sequence[str]) -> Include:
    """The row that groups are keyed by, with embeds that are no group themselves."""
    target = shape.table_at(table, group.path)
    inner = _without(draw(includes(shape, target, 2, 1)), group.word, frozenset(words))
    return Include(group.word, draw(_fields(shape, target)), includes=inner)


def _without(chosen: Sequence[Include], path: str, words: frozenset[str]) -> tuple[Include, ...]:
    """Embeds below a path, but for those that are groups themselves."""
    return tuple(
        replace(item, includes=_without(item.includes, f"{path}.{item.name}", words))
        for item in chosen
        if f"{path}.{item.name}" not in words
    )


# How a client spells them


def parameters(asked: Asked | AskedGroups) -> dict[str, str]:
    """Return a question as the parameters of a URL; what brackets cannot say goes into ``where``."""
    found, tree = _spoken(asked.where)
    found |= _rest(asked)
    if tree is not None:
        found["where"] = json.dumps(tree)
    return found


def body(asked: Asked | AskedGroups) -> dict[str, Any]:
    """Return a question as the body of a query, all of its filters in the tree."""
    found: dict[str, Any] = dict(_rest(asked))
    if asked.where:
        found["where"] = where(All(asked.where), has_numbers=True)
    return found


def _spoken(conditions: Iterable[Condition]) -> tuple[dict[str, str], Any]:
    """The filters that brackets can say, and a tree of the others."""
    found: dict[str, str] = {}
    brackets: set[str] = set()
    others: list[Condition] = []
    for number, condition in enumerate(conditions):
        pairs = _bracketed(condition, number)
        groups = {group for name, _ in pairs for group in re.findall(r"\[([^]]*)\](?=\[)", name) if group != "not"}
        if not pairs or any(name in found for name, _ in pairs) or groups & brackets or len(dict(pairs)) < len(pairs):
            others.append(condition)
            continue
        brackets |= groups
        found |= dict(pairs)
    return found, where(All(tuple(others))) if others else None


def _bracketed(condition: Condition, number: int) -> list[tuple[str, str]]:
    """The parameters ``filter[…]=…`` that say a condition; none where brackets cannot."""
    match condition:
        case Leaf():
            return [(f"filter[{_word(condition)}]", condition.operand)]
        case Not(part=Leaf() as leaf):
            return [(f"filter[not][{_word(leaf)}]", leaf.operand)]
        case Some(parts=parts) if parts and (leaves := _leaves(parts)):
            group = "any" if number == 0 else f"any.{number}"
            return [(f"filter[{group}][{_word(leaf)}]", leaf.operand) for leaf in leaves]
        case Children(path=path, many=many, quantifier="some", part=Leaf() as leaf):
            return [(f"filter[{'.'.join((*path, many))}.{_word(leaf)}]", leaf.operand)]
        case Children(path=path, many=many, quantifier="some", part=All(parts=parts)) if leaves := _leaves(parts):
            return [(f"filter[{'.'.join((*path, many))}][{_word(leaf)}]", leaf.operand) for leaf in leaves]
        case Parent(path=path, part=All(parts=parts)) if leaves := _leaves(parts):
            return [(f"filter[{'.'.join(path)}][{_word(leaf)}]", leaf.operand) for leaf in leaves]
        case _:
            return []


def _leaves(parts: Sequence[Condition]) -> list[Leaf]:
    leaves = [part for part in parts if isinstance(part, Leaf)]
    return leaves if len(leaves) == len(parts) else []


def _word(leaf: Leaf) -> str:
    operator = () if leaf.operator == "eq" else (leaf.operator,)
    return ".".join((*leaf.path, leaf.field, *operator))


def where(condition: Condition, *, has_numbers: bool = False) -> dict[str, Any]:
    """Return the tree of a condition; ``has_numbers`` sends whole numbers as such and lists as arrays."""
    match condition:
        case Leaf():
            return {_word(condition): _value(condition) if has_numbers else condition.operand}
        case All(parts=parts):
            return {"and": [where(part, has_numbers=has_numbers) for part in parts]}
        case Some(parts=parts):
            return {"or": [where(part, has_numbers=has_numbers) for part in parts]}
        case Not(part=part):
            return {"not": where(part, has_numbers=has_numbers)}
        case Parent(path=path, part=part):
            return {".".join(path): where(part, has_numbers=has_numbers)}
        case Children(path=path, many=many, quantifier=quantifier, part=part):
            return {".".join((*path, many)): {quantifier: where(part, has_numbers=has_numbers)}}


def _value(leaf: Leaf) -> Any:
    if leaf.operator in ("in", "nin", "between"):
        return leaf.operand.split(",")
    is_number = re.fullmatch("-?[1-9][0-9]{0,3}", leaf.operand) and leaf.field in ("id", "size", "hours", "score", "no")
    return int(leaf.operand) if is_number and leaf.operator not in PATTERNS else leaf.operand


def _rest(asked: Asked | AskedGroups) -> dict[str, str]:
    """Everything but the filters."""
    found = {"page": str(asked.page), "per_page": str(asked.per_page)}
    if asked.sort:
        found["sort"] = ",".join(asked.sort)
    if isinstance(asked, AskedGroups):
        found["metrics"] = ",".join(metric.word for metric in asked.metrics)
        if asked.groups:
            found["group"] = ",".join(group.word for group in asked.groups)
        found |= {f"having[{item.metric.word}.{item.operator}]": item.operand for item in asked.having}
        grouped = frozenset(group.word for group in asked.groups)
        return found | dict(_included(asked.includes, (), grouped))
    if asked.search is not None:
        found["q"] = asked.search
    if asked.fields is not None:
        found["fields"] = ",".join(asked.fields)
    return found | dict(_included(asked.includes, ()))


def _included(
    chosen: Sequence[Include], path: tuple[str, ...], grouped: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """What embeds are asked for by; the row that groups are keyed by comes along by itself."""
    named = [(".".join((*path, *at)), item) for at, item in _places(chosen)]
    wanted = [word for word, _ in named if word not in grouped]
    if wanted:
        yield "include", ",".join(wanted)
    for word, item in named:
        if item.fields is not None:
            yield f"fields[{word}]", ",".join(item.fields)
        if item.sort:
            yield f"include[{word}][sort]", ",".join(item.sort)
        if item.limit is not None:
            yield f"include[{word}][limit]", str(item.limit)
        for number, condition in enumerate(item.where):
            for name, operand in _bracketed(condition, number):
                yield f"include[{word}][filter]{name.removeprefix('filter')}", operand


def _places(chosen: Sequence[Include], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Include]]:
    for item in chosen:
        at = (*path, item.name)
        yield at, item
        yield from _places(item.includes, at)


def nodes(chosen: Sequence[Include]) -> int:
    """Return how many relationships some embeds name, each of which may cost a statement."""
    return len(list(_places(chosen)))


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a caller may see of some tables: only the rows that meet a condition, which itself is limited by nothing."""

    rows: Mapping[str, Leaf]


@st.composite
def accesses(draw: st.DrawFn) -> Allowed:
    """Row filters on one to three tables, some by a field of a related row."""
    tables = draw(st.lists(st.sampled_from(sorted(SHAPE.tables)), min_size=1, max_size=3, unique=True))
    return Allowed({table: draw(leaves(SHAPE, table, 1)) for table in tables})
