"""What the query language should answer, said in plain Python over lists of dicts: SPEC section 4, and no SQL.

`World` holds the rows of several tables and the relationships between them; a condition is a tree, a list is
`Asked`, groups are `AskedGroups`. `rows_model` knows what one field is; what is added here is what lies between rows.

A comparison with null is unknown, and so is one with a field of a related row that is not there. Some, none and every
are never unknown: a child that a condition is not true of does not meet it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import partial
from typing import Any, Literal

from tests.support.rows_model import ZERO, Field, Model, Row, folded, is_null

Quantifier = Literal["some", "none", "every"]
MOST_EMBEDDED = 100
"""How many rows of a to-many come along with each parent unless another limit is asked for."""


# Conditions


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of the row, or of one that the to-ones of ``path`` lead to, compared with an operand as text."""

    path: tuple[str, ...]
    field: str
    operator: str
    operand: str


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Some part holds: ``or``."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class Children:
    """A condition on the rows of the to-many ``many`` of the row at the end of ``path``."""

    path: tuple[str, ...]
    many: str
    quantifier: Quantifier
    part: Condition


@dataclass(frozen=True, slots=True)
class Parent:
    """A condition on the row at the end of to-ones, each of whose fields is null where there is none."""

    path: tuple[str, ...]
    part: Condition


Condition = Leaf | All | Some | Not | Children | Parent


def seen_from(path: tuple[str, ...], condition: Condition) -> Condition:
    """Return a condition on a related row as one on the row that ``path`` starts from."""
    match condition:
        case Leaf(path=rest, field=name, operator=operator, operand=operand):
            return Leaf((*path, *rest), name, operator, operand)
        case All(parts=parts):
            return All(tuple(seen_from(path, part) for part in parts))
        case Some(parts=parts):
            return Some(tuple(seen_from(path, part) for part in parts))
        case Not(part=part):
            return Not(seen_from(path, part))
        case Parent(path=rest, part=part):
            return Parent((*path, *rest), part)
        case Children(path=rest, many=many, quantifier=quantifier, part=part):
            return Children((*path, *rest), many, quantifier, part)


# Questions


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers over those rows of the to-many ``many`` that meet all conditions, in each row under ``name``."""

    name: str
    many: str
    metrics: tuple[MetricOf, ...]
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Include:
    """A relationship whose rows come along; the conditions, sort and limit are of a to-many."""

    name: str
    fields: tuple[str, ...] | None = None
    where: tuple[Condition, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int | None = None
    includes: tuple[Include, ...] = ()
    numbers: tuple[Numbers, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A list: its rows, their order, and what they show."""

    table: str
    where: tuple[Condition, ...] = ()
    search: str | None = None
    sort: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None
    includes: tuple[Include, ...] = ()
    page: int = 1
    per_page: int = 25
    numbers: tuple[Numbers, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupBy:
    """What rows are grouped by: a field, a part of a date, or with neither the row that ``path`` leads to."""

    path: tuple[str, ...]
    field: str | None = None
    part: str | None = None

    @property
    def word(self) -> str:
        return ".".join(filter(None, (*self.path, self.field, self.part)))


@dataclass(frozen=True, slots=True)
class MetricOf:
    """A metric; ``field`` is None for a plain count."""

    function: str
    path: tuple[str, ...] = ()
    field: str | None = None

    @property
    def word(self) -> str:
        return ".".join(filter(None, (self.function, *self.path, self.field)))


@dataclass(frozen=True, slots=True)
class Having:
    metric: MetricOf
    operator: str
    operand: str


@dataclass(frozen=True, slots=True)
class AskedGroups:
    """Groups of rows: `sort` names words of groups and metrics; ``includes`` are by the word of a grouped row."""

    table: str
    groups: tuple[GroupBy, ...]
    metrics: tuple[MetricOf, ...]
    where: tuple[Condition, ...] = ()
    having: tuple[Having, ...] = ()
    sort: tuple[str, ...] = ()
    includes: tuple[Include, ...] = ()
    page: int = 1
    per_page: int = 25


@dataclass(frozen=True, slots=True)
class Cut:
    """An embed that left rows out: where it stands in the page, and how many it shows."""

    pointer: str
    limit: int


# The rows


@dataclass(frozen=True, slots=True)
class Edge:
    """A relationship: ``matches`` tells whether a row of the source and one of the target belong together."""

    name: str
    source: str
    target: str
    is_to_many: bool
    matches: Callable[[Row, Row], bool]

    @classmethod
    def pair(
        cls, source: str, name: str, target: str, reverse: str, matches: Callable[[Row, Row], bool]
    ) -> tuple[Edge, Edge]:
        """Return a to-one and the to-many that is the same edge seen from the other side."""
        back = cls(reverse, target, source, True, lambda row, other: matches(other, row))
        return cls(name, source, target, False, matches), back


@dataclass(frozen=True, slots=True, repr=False)
class World:
    """The rows of some tables, each in key order, and the relationships between them."""

    tables: Mapping[str, Model]
    edges: Mapping[tuple[str, str], Edge]
    keys: Mapping[str, tuple[str, ...]]
    searched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _met: dict[tuple[str, str, int], list[Row]] = field(default_factory=dict)

    def to_ones(self, table: str) -> list[Edge]:
        """Return the relationships of a table that lead to one row at most."""
        return [edge for edge in self.edges.values() if edge.source == table and not edge.is_to_many]

    def to_manies(self, table: str) -> list[Edge]:
        """Return the relationships of a table that lead to any number of rows."""
        return [edge for edge in self.edges.values() if edge.source == table and edge.is_to_many]

    def narrowed(self, allowed: Mapping[str, Condition]) -> World:
        """Return the world of a caller whose rows of some tables are only those that meet a condition."""
        tables = {
            name: Model(
                [row for row in model.rows if name not in allowed or self.truth(name, row, allowed[name])],
                model.fields,
                model.key,
                model.zone,
            )
            for name, model in self.tables.items()
        }
        return World(tables, self.edges, self.keys, self.searched)

    def key(self, table: str, row: Row) -> tuple[Any, ...]:
        """Return the key of a row."""
        return tuple(row[name] for name in self.keys[table])

    def related(self, table: str, row: Row, name: str) -> list[Row]:
        """Return the rows that a relationship of a row leads to, in key order."""
        place = (table, name, id(row))
        if place not in self._met:
            edge = self.edges[table, name]
            self._met[place] = [other for other in self.tables[edge.target].rows if edge.matches(row, other)]
        return self._met[place]

    def table_at(self, table: str, path: Sequence[str]) -> str:
        """Return the table at the end of relationships."""
        for name in path:
            table = self.edges[table, name].target
        return table

    def along(self, table: str, row: Row, path: Sequence[str]) -> Row | None:
        """Return the row at the end of to-ones, None where one of them leads nowhere."""
        found: Row | None = row
        for name in path:
            if found is None:
                return None
            found = next(iter(self.related(table, found, name)), None)
            table = self.edges[table, name].target
        return found

    def field_at(self, table: str, word: str) -> tuple[tuple[str, ...], Field]:
        """Return the to-ones and the field that a dotted word names."""
        path: list[str] = []
        while word not in self.tables[table].fields:
            name, _, word = word.partition(".")
            path.append(name)
            table = self.edges[table, name].target
        return tuple(path), self.tables[table].fields[word]

    # Conditions

    def truth(self, table: str, row: Row, condition: Condition) -> bool | None:
        """Tell whether a row meets a condition; None where that is unknown."""
        match condition:
            case Leaf():
                return self._compared(table, row, condition)
            case All(parts=parts):
                return _both(self.truth(table, row, part) for part in parts)
            case Some(parts=parts):
                return _opposite(_both(_opposite(self.truth(table, row, part)) for part in parts))
            case Not(part=part):
                return _opposite(self.truth(table, row, part))
            case Parent(path=path, part=part):
                is_there = self.along(table, row, path) is not None
                return self.truth(table, row, seen_from(path, part)) if is_there else False
            case Children(path=path, many=many, quantifier=quantifier, part=part):
                start, source = self.along(table, row, path), self.table_at(table, path)
                children = self.related(source, start, many) if start is not None else []
                target = self.edges[source, many].target
                met = [self.truth(target, child, part) is True for child in children]
                return {"some": any(met), "none": not any(met), "every": all(met)}[quantifier]

    def _compared(self, table: str, row: Row, leaf: Leaf) -> bool | None:
        found, model = self.along(table, row, leaf.path), self.tables[self.table_at(table, leaf.path)]
        value = None if found is None else found[leaf.field]
        if leaf.operator == "null":
            return is_null(value) == (leaf.operand in ("1", "true"))
        if found is None or is_null(value):
            return None
        return model.matches(found, leaf.field, leaf.operator, leaf.operand)

    def chosen(self, table: str, where: Iterable[Condition], search: str | None = None) -> list[Row]:
        """Return the rows of a table that meet all conditions, in key order."""
        condition = All(tuple(where))
        rows = [row for row in self.tables[table].rows if self.truth(table, row, condition)]
        if search is None:
            return rows
        model = self.tables[table]
        return [
            row for row in rows if any(model.matches(row, name, "contains", search) for name in self.searched[table])
        ]

    # Rows as a reply shows them

    def ordered(self, table: str, rows: Iterable[Row], sort: Sequence[str]) -> list[Row]:
        """Return rows by ``sort``, whose words may lead through to-ones, then by key; null before every value."""
        fields = self.tables[table].fields
        found = sorted(rows, key=lambda row: tuple(fields[name].key(row[name]) for name in self.keys[table]))
        for word in reversed(sort):
            path, item = self.field_at(table, word.lstrip("-"))

            def place(row: Row, path: tuple[str, ...] = path, item: Field = item) -> tuple[Any, ...]:
                related = self.along(table, row, path)
                return rank(item, None if related is None else related[item.name])

            found.sort(key=place, reverse=word.startswith("-"))
        return found

    def listed(self, asked: Asked) -> list[Row]:
        """Return all rows of a list in their order, whatever page was asked for."""
        return self.ordered(asked.table, self.chosen(asked.table, asked.where, asked.search), asked.sort)

    def page(self, asked: Asked) -> tuple[list[dict[str, Any]], list[Cut]]:
        """Return the rows of the page that was asked for, and which of their embeds are cut."""
        first = (asked.page - 1) * asked.per_page
        rows = self.listed(asked)[first : first + asked.per_page]
        cuts: list[Cut] = []
        shown = [self.shown(asked.table, row, asked, f"/data/{number}", cuts) for number, row in enumerate(rows)]
        return shown, cuts

    def shown(self, table: str, row: Row, asked: Asked | Include, pointer: str, cuts: list[Cut]) -> dict[str, Any]:
        """Return a row with what comes along with it; embeds that are cut are added to ``cuts``."""
        model = self.tables[table]
        found = model.shown(row, tuple(model.fields) if asked.fields is None else asked.fields)
        for include in asked.includes:
            found[include.name] = self._embedded(table, row, include, f"{pointer}/{include.name}", cuts)
        for numbers in asked.numbers:
            found[numbers.name] = self._numbers(table, row, numbers)
        return found

    def _numbers(self, table: str, row: Row, numbers: Numbers) -> dict[str, Any]:
        """The metrics over a row's children, by their words."""
        target = self.edges[table, numbers.many].target
        condition = All(numbers.where)
        met = [child for child in self.related(table, row, numbers.many) if self.truth(target, child, condition)]
        fields = {metric.word: self._metric_field(target, metric) for metric in numbers.metrics}
        found = {metric.word: self._metric(target, met, metric) for metric in numbers.metrics}
        return Model((), fields, "", self.tables[target].zone).shown(found, tuple(fields))

    def _embedded(self, table: str, row: Row, include: Include, pointer: str, cuts: list[Cut]) -> Any:
        edge = self.edges[table, include.name]
        related = self.related(table, row, include.name)
        if not edge.is_to_many:
            one = next((row for row in related if self.truth(edge.target, row, All(include.where))), None)
            return one and self.shown(edge.target, one, include, pointer, cuts)
        condition = All(include.where)
        met = (child for child in related if self.truth(edge.target, child, condition))
        children, limit = self.ordered(edge.target, met, include.sort), include.limit or MOST_EMBEDDED
        if len(children) > limit:
            cuts.append(Cut(pointer, limit))
        return [
            self.shown(edge.target, child, include, f"{pointer}/{number}", cuts)
            for number, child in enumerate(children[:limit])
        ]

    # Groups

    def grouped(self, asked: AskedGroups) -> list[Group]:
        """Return all groups in their order, whatever page was asked for.

        What is not named in ``sort`` is ordered by the groups in the order in which they were asked for.
        """
        members: dict[tuple[Any, ...], list[Row]] = {} if asked.groups else {(): []}
        for row in self.chosen(asked.table, asked.where):
            members.setdefault(tuple(self._place(asked.table, row, group) for group in asked.groups), []).append(row)
        found = [Group(places, self._metrics(asked, rows), rows) for places, rows in members.items()]
        found = [group for group in found if self._keeps(asked, group)]
        found.sort(key=lambda group: group.places)
        for word in reversed(asked.sort):
            found.sort(key=self._group_rank(asked, word.lstrip("-")), reverse=word.startswith("-"))
        return found

    def groups_page(self, asked: AskedGroups) -> tuple[list[dict[str, Any]], list[Cut]]:
        """Return the groups of the page that was asked for, and which of their embeds are cut."""
        first = (asked.page - 1) * asked.per_page
        cuts: list[Cut] = []
        page = self.grouped(asked)[first : first + asked.per_page]
        return [self._group_shown(asked, group, f"/data/{at}", cuts) for at, group in enumerate(page)], cuts

    def _group_rank(self, asked: AskedGroups, word: str) -> Callable[[Group], tuple[Any, ...]]:
        """The place of a group by the word of a group or of a metric."""
        words = [group.word for group in asked.groups]
        if word in words:
            at = words.index(word)
            return lambda group: group.places[at]
        item = self._metric_field(asked.table, next(metric for metric in asked.metrics if metric.word == word))
        return lambda group: rank(item, group.metrics[word])

    def _place(self, table: str, row: Row, group: GroupBy) -> tuple[Any, ...]:
        """What tells the group of a row from others and orders it: null, whatever its cause, is the first."""
        found = self.along(table, row, group.path)
        if group.field is None:
            return (0,) if found is None else (1, self.key(self.table_at(table, group.path), found))
        item = self.tables[self.table_at(table, group.path)].fields[group.field]
        value = None if found is None else found[group.field]
        if value is None or value is ZERO:
            return (0,)
        if group.part is not None:
            return (1, date_part(self._wall(item, value), group.part))
        return (1, *rank(item, value))

    def _wall(self, item: Field, value: date) -> date:
        zone = next(iter(self.tables.values())).zone
        if item.kind == "timestamp":
            assert isinstance(value, datetime)
            return value.replace(tzinfo=UTC).astimezone(zone)
        return value

    def _metrics(self, asked: AskedGroups, rows: Sequence[Row]) -> dict[str, Any]:
        return {metric.word: self._metric(asked.table, rows, metric) for metric in asked.metrics}

    def _metric(self, table: str, rows: Sequence[Row], metric: MetricOf) -> Any:
        if metric.field is None:
            return len(rows)
        target = self.table_at(table, metric.path)
        item = self.tables[target].fields[metric.field]
        related = (self.along(table, row, metric.path) for row in rows)
        values = [row[metric.field] for row in related if row is not None and not is_null(row[metric.field])]
        match metric.function:
            case "count_distinct":
                return len({item.key(value) for value in values})
            case "sum":
                return sum(values) if values else None
            case "avg":
                return average(item, values) if values else None
            case "min":
                return min(values, key=partial(rank, item), default=None)
            case _:
                return max(values, key=partial(rank, item), default=None)

    def _metric_field(self, table: str, metric: MetricOf) -> Field:
        """The field that a metric's values are like."""
        if metric.field is None or metric.function == "count_distinct":
            return Field(metric.word, "int")
        item = self.tables[self.table_at(table, metric.path)].fields[metric.field]
        kind = "decimal" if metric.function == "avg" else item.kind
        return Field(metric.word, "int" if kind == "flag" else kind, item.key, item.members)

    def _keeps(self, asked: AskedGroups, group: Group) -> bool:
        return all(self._has(asked, group, having) for having in asked.having)

    def _has(self, asked: AskedGroups, group: Group, having: Having) -> bool:
        word, zone = having.metric.word, self.tables[asked.table].zone
        fields = {word: self._metric_field(asked.table, having.metric)}
        values = {word: self._metric(asked.table, group.rows, having.metric)}
        return Model([values], fields, word, zone).matches(values, word, having.operator, having.operand)

    def _group_shown(self, asked: AskedGroups, group: Group, pointer: str, cuts: list[Cut]) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for item, place in zip(asked.groups, group.places, strict=True):
            shown[item.word] = self._group_value(asked, item, place, group.rows[0], pointer, cuts)
        for metric in asked.metrics:
            kind, value = self._metric_field(asked.table, metric), group.metrics[metric.word]
            shown |= Model((), {metric.word: kind}, "", self.tables[asked.table].zone).shown(
                {metric.word: value}, (metric.word,)
            )
        return shown

    def _group_value(
        self, asked: AskedGroups, group: GroupBy, place: tuple[Any, ...], row: Row, pointer: str, cuts: list[Cut]
    ) -> Any:
        if place == (0,):
            return None
        if group.part is not None:
            return place[1]
        found, table = self.along(asked.table, row, group.path), self.table_at(asked.table, group.path)
        assert found is not None
        if group.field is not None:
            return self.tables[table].shown(found, (group.field,))[group.field]
        include = next((item for item in asked.includes if item.name == group.word), Include(group.word))
        return self.shown(table, found, include, f"{pointer}/{group.word}", cuts)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are alike in what they are grouped by: their places in it, and their metrics."""

    places: tuple[Any, ...]
    metrics: Mapping[str, Any]
    rows: Sequence[Row]


def rank(item: Field, value: Any) -> tuple[Any, ...]:
    """Return the place of a value among others: null and zero dates first, then values; enums as they are listed."""
    if value is None or value is ZERO:
        return (0,)
    return (1, item.members.index(value) if item.members else item.key(value))


def average(item: Field, values: Sequence[Any]) -> Decimal:
    """Return the mean with four decimals more than its values have, half away from zero."""
    scale = max((-int(value.as_tuple().exponent) for value in values), default=0) if item.kind == "decimal" else 0
    exact = Context(prec=60)
    mean = exact.divide(exact.create_decimal(sum(values)), Decimal(len(values)))
    return mean.quantize(Decimal(1).scaleb(-(scale + 4)), ROUND_HALF_UP, context=exact)


def date_part(moment: date, part: str) -> str:
    """Return the period that a day or a moment of the wall clock falls in."""
    iso = moment.isocalendar()
    match part:
        case "year":
            return f"{moment.year}"
        case "quarter":
            return f"{moment.year}-Q{(moment.month + 2) // 3}"
        case "month":
            return f"{moment.year}-{moment.month:02}"
        case "week":
            return f"{iso.year}-W{iso.week:02}"
        case "day":
            return f"{moment.year}-{moment.month:02}-{moment.day:02}"
    assert isinstance(moment, datetime)
    return f"{moment.year}-{moment.month:02}-{moment.day:02}T{moment.hour:02}"


def _both(truths: Iterator[bool | None] | Iterable[bool | None]) -> bool | None:
    """All of some truths: false where one is, else unknown where one is."""
    found = list(truths)
    return False if False in found else None if None in found else True


def _opposite(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def alike(one: Any, other: Any) -> bool:
    """Tell whether two replies say the same, where a group's text may be any of those that are equal to it."""
    if isinstance(one, str) and isinstance(other, str):
        return folded(one) == folded(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return type(one) is type(other) and bool(one == other)
