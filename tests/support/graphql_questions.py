"""Questions of chance as a GraphQL document and as a REST request that ask the same.

A question is data of `query_model`. The document has aliases, fragments and variables where dice say so; the request
is the body of a query, whose tree of conditions is nested as the document's is.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from gateway.catalog.model import Relationship, Table
from gateway.graphql.meaning import By, GroupThrough, GroupValue, Nested, On, Shown, Through
from gateway.graphql.tables import COUNT_HAVING, TableNames
from gateway.graphql.vocabulary import Vocabulary
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
    Parent,
    Some,
)
from tests.support.query_questions import body

Json = Any


@dataclass(frozen=True, slots=True)
class Document:
    """A document with its variables; ``field`` says where in REST's reply each of its values is."""

    text: str
    variables: dict[str, Json]
    field: Taken


@dataclass(slots=True)
class Taken:
    """One field of a selection: its key in the reply, the key that REST has, and what is selected below it.

    ``path`` leads to the value in the REST row where it is not simply under ``rest``.
    """

    key: str
    rest: str
    parts: list[Taken] | None = None
    is_same_row: bool = False

    def of(self, row: Mapping[str, Json]) -> Json:
        """Return the value that the reply must have, out of the row that REST gave."""
        if self.is_same_row:
            return shown(row, self.parts or [])
        value = row[self.rest]
        if self.parts is None or value is None:
            return value
        if isinstance(value, list):
            return [shown(each, self.parts) for each in value]
        return shown(value, self.parts)


def shown(row: Mapping[str, Json], parts: Iterable[Taken]) -> dict[str, Json]:
    """Return an object of the reply, out of the row that REST gave."""
    return {part.key: part.of(row) for part in parts}


class Writer:
    """Writes documents for one vocabulary, as the dice fall."""

    def __init__(self, vocabulary: Vocabulary, dice: random.Random) -> None:
        self.vocabulary = vocabulary
        self.dice = dice
        self.variables: dict[str, Json] = {}
        self.declared: list[str] = []
        self.fragments: list[str] = []

    # Names

    def table(self, resource: str) -> Table:
        return self.vocabulary.catalog.resources[resource]

    def names(self, resource: str) -> TableNames:
        return self.vocabulary.of(self.table(resource))

    def key(self, name: str, taken: set[str]) -> tuple[str, str]:
        """The key of a field in the reply, and how the field is written: with an alias or without."""
        alias = f"{self.dice.choice('abc')}_{len(taken)}"
        if self.dice.random() < 0.25 or name in taken:
            taken.add(alias)
            return alias, f"{alias}: {name}"
        taken.add(name)
        return name, name

    # Values

    def value(self, value: Json, type_name: str) -> str:
        """A value as a literal, or as a variable."""
        if self.dice.random() < 0.3:
            name = f"v{len(self.variables)}"
            self.variables[name] = value
            self.declared.append(f"${name}: {type_name}")
            return f"${name}"
        return self.literal(value)

    def literal(self, value: Json) -> str:
        match value:
            case Enum(name=name):
                return name
            case dict():
                return "{" + ", ".join(f"{name}: {self.literal(item)}" for name, item in value.items()) + "}"
            case list():
                return "[" + ", ".join(map(self.literal, value)) + "]"
            case Decimal():
                return format(value, "f")
            case _:
                return json.dumps(value)

    # Selections

    def selection(self, type_name: str, fields: Sequence[str]) -> str:
        """A set of fields, some of them in fragments."""
        if len(fields) > 1 and self.dice.random() < 0.4:
            cut = self.dice.randrange(1, len(fields))
            inner = self.selection(type_name, fields[cut:])
            if self.dice.random() < 0.5:
                return "{ " + " ".join(fields[:cut]) + f" ... on {type_name} {inner} }}"
            name = f"F{len(self.fragments)}"
            self.fragments.append(f"fragment {name} on {type_name} {inner}")
            return "{ " + " ".join(fields[:cut]) + f" ...{name} }}"
        return "{ " + " ".join(fields) + " }"

    def row(self, resource: str, chosen: Sequence[str], includes: Sequence[Include]) -> tuple[str, list[Taken]]:
        """The selection of a row: its fields, then what comes along."""
        names, taken = self.names(resource), set[str]()
        written: list[str] = []
        parts: list[Taken] = []
        known = {m.field.name: name for name, m in names.fields.items() if isinstance(m, Shown)}
        for field_name in chosen:
            key, text = self.key(known[field_name], taken)
            written.append(text)
            parts.append(Taken(key, field_name))
        edges = {m.relationship.name: (name, m) for name, m in names.fields.items() if isinstance(m, Nested)}
        for include in includes:
            name, nested = edges[include.name]
            target = nested.table.resource or ""
            key, text = self.key(name, taken)
            inner, below = self.row(target, self.chosen(target, include.fields), include.includes)
            written.append(f"{text}{self.include_arguments(target, include)} {inner}")
            parts.append(Taken(key, include.name, below))
        return self.selection(names.type_name, written), parts

    def chosen(self, resource: str, fields: Sequence[str] | None) -> list[str]:
        """The fields that a question shows: the table's own columns where it names none."""
        if fields is not None:
            return list(fields)
        columns = {column.name for column in self.table(resource).columns}
        meanings = self.names(resource).fields.values()
        return [m.field.name for m in meanings if isinstance(m, Shown) and m.field.name in columns]

    # Arguments

    def include_arguments(self, resource: str, include: Include) -> str:
        given: list[tuple[str, Json, str]] = []
        type_name = self.names(resource).type_name
        if include.where:
            parts = [self.condition(resource, part) for part in include.where]
            names = [name for part in parts for name in part]
            tree = {"and": parts} if len(names) > len(set(names)) else {k: v for part in parts for k, v in part.items()}
            given.append(("filter", tree, f"{type_name}Filter"))
        if include.sort:
            given.append(("sort", [self.sort(resource, word) for word in include.sort], f"[{type_name}Sort!]"))
        if include.limit is not None:
            given.append(("limit", include.limit, "Int"))
        return self.arguments(given)

    def arguments(self, given: Sequence[tuple[str, Json, str]]) -> str:
        texts = [f"{name}: {self.value(value, type_name)}" for name, value, type_name in given]
        return f"({', '.join(texts)})" if texts else ""

    def sort(self, resource: str, word: str) -> Json:
        direction = Enum("DESC" if word.startswith("-") else "ASC")
        return self._sort(self.table(resource), word.lstrip("-"), direction)

    def _sort(self, table: Table, word: str, direction: Json) -> Json:
        sorts = self.vocabulary.of(table).sorts
        for name, meaning in sorts.items():
            if isinstance(meaning, By) and meaning.field.name == word:
                return {name: direction}
        first, _, rest = word.partition(".")
        for name, meaning in sorts.items():
            if isinstance(meaning, Through) and meaning.relationship.name == first:
                return {name: self._sort(meaning.table, rest, direction)}
        raise AssertionError(word)

    def condition(self, resource: str, condition: Condition) -> dict[str, Json]:
        """A condition as an input object."""
        return self._condition(self.table(resource), condition)

    def _condition(self, table: Table, condition: Condition) -> dict[str, Json]:
        match condition:
            case Leaf(path=()):
                is_text = table.fields[condition.field].type.kind.family == "text"
                name = self._compared(table, condition.field, condition.operator)
                return {name: operand_of(condition, is_text=is_text)}
            case All(parts=parts):
                return {"and": [self._condition(table, part) for part in parts]}
            case Some(parts=parts):
                return {"or": [self._condition(table, part) for part in parts]}
            case Not(part=part):
                return {"not": self._condition(table, part)}
            case Parent(path=(name,), part=part):
                return self._through(table, name, lambda target: self._condition(target, part))
            case Children(many=many, quantifier=quantifier, part=part):
                return self._through(table, many, lambda target: {quantifier: self._condition(target, part)})
        raise AssertionError(condition)

    def _through(self, table: Table, name: str, inner: Any) -> dict[str, Json]:
        for given, meaning in self.vocabulary.of(table).filters.items():
            if isinstance(meaning, Through) and meaning.relationship.name == name:
                return {given: inner(meaning.table)}
        raise AssertionError(name)

    def _compared(self, table: Table, name: str, operator: str) -> str:
        fitting = [
            given
            for given, meaning in self.vocabulary.of(table).filters.items()
            if isinstance(meaning, On) and meaning.field.name == name and meaning.operator == operator
        ]
        return self.dice.choice(fitting)

    # Whole questions

    def listed(self, asked: Asked) -> Document:
        """A list as a document."""
        given = self.page(asked)
        names = self.names(asked.table)
        if asked.where:
            tree = {"and": [self.condition(asked.table, part) for part in asked.where]}
            given.append(("filter", tree, f"{names.type_name}Filter"))
        if asked.search is not None:
            given.append(("search", asked.search, "String"))
        if asked.sort:
            given.append(("sort", [self.sort(asked.table, word) for word in asked.sort], f"[{names.type_name}Sort!]"))
        selection, parts = self.row(asked.table, self.chosen(asked.table, asked.fields), asked.includes)
        return self.document(asked.table, given, selection, parts)

    def page(self, asked: Asked | AskedGroups) -> list[tuple[str, Json, str]]:
        found: list[tuple[str, Json, str]] = [("limit", asked.per_page, "Int")]
        if asked.page > 1:
            found.append(("offset", (asked.page - 1) * asked.per_page, "Int"))
        return found

    def document(
        self, name: str, given: Sequence[tuple[str, Json, str]], selection: str, parts: list[Taken]
    ) -> Document:
        key, text = self.key(name, set())
        text = f"{text}{self.arguments(given)} {selection}"
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        head = f"query Q{declared} " if declared or self.dice.random() < 0.5 else ""
        whole = "\n".join((f"{head}{{ {text} }}", *self.fragments))
        return Document(whole, plain(self.variables), Taken(key, name, parts))

    def grouped(self, asked: AskedGroups) -> Document:
        """Groups as a document."""
        names, given = self.names(asked.table), self.page(asked)
        if asked.where:
            tree = {"and": [self.condition(asked.table, part) for part in asked.where]}
            given.append(("filter", tree, f"{names.type_name}Filter"))
        if asked.having:
            given.append(("having", self.having(names, asked.having), f"{names.type_name}Having"))
        if asked.sort:
            keys = [self.group_sort(names, asked, word) for word in asked.sort]
            given.append(("sort", keys, f"[{names.type_name}GroupsSort!]"))
        selection, parts = self.group_node(asked)
        nodes = "{ nodes " + selection + " }"
        return self.document(f"{asked.table}_groups", given, nodes, [Taken("nodes", "data", parts)])

    def having(self, names: TableNames, having: Sequence[Having]) -> Json:
        found: dict[str, Json] = {}
        for item in having:
            operand = operand_of(Leaf((), item.metric.word, item.operator, item.operand))
            if item.metric.field is None:
                name = next(name for name, operator in COUNT_HAVING.items() if operator == item.operator)
                found[name] = operand
                continue
            function = next(f for f in names.having if f == item.metric.function)
            name = next(
                name
                for name, on in names.having[function].items()
                if on.field.name == item.metric.field and on.operator == item.operator
            )
            found.setdefault(function, {})[name] = operand
        return found

    def group_sort(self, names: TableNames, asked: AskedGroups, word: str) -> Json:
        direction = Enum("DESC" if word.startswith("-") else "ASC")
        word = word.lstrip("-")
        metric = next((metric for metric in asked.metrics if metric.word == word), None)
        if metric is None:
            group = next(group for group in asked.groups if group.word == word)
            return {"key": self._group_key(names, group, direction)}
        if metric.field is None:
            return {"count": direction}
        return {metric.function: {self._metric_name(names, metric): direction}}

    def _metric_name(self, names: TableNames, metric: MetricOf) -> str:
        function = next(f for f in names.metrics if f == metric.function)
        return next(name for name, m in names.metrics[function].items() if m.field.name == metric.field)

    def _group_key(self, names: TableNames, group: GroupBy, direction: Json) -> Json:
        path, word = _parted(group)
        if group.field is None and not path:
            return {next(n for n, m in names.group_rows.items() if m.relationship.name == word): direction}
        if not path:
            return {_value_name(names, word): direction}
        name, through = _through_of(names, path[0])
        inner = GroupBy(group.path[1:], group.field, group.part)
        return {name: self._group_key(self.vocabulary.of(through.table), inner, direction)}

    def group_node(self, asked: AskedGroups) -> tuple[str, list[Taken]]:
        """The selection of a group: its key, then its numbers."""
        names, taken = self.names(asked.table), set[str]()
        written: list[str] = []
        parts: list[Taken] = []
        if asked.groups:
            rows = {include.name: include for include in asked.includes}
            key, text = self.key("key", taken)
            inner, below = self._key(names, asked.groups, rows, "GroupsKey")
            written.append(f"{text} {inner}")
            parts.append(Taken(key, "", below, is_same_row=True))
        for metric in asked.metrics:
            key, text = self.key(metric.function, taken)
            if metric.field is None:
                written.append(text)
                parts.append(Taken(key, "count"))
                continue
            inner_key, inner_text = self.key(self._metric_name(names, metric), set())
            written.append(f"{text} {{ {inner_text} }}")
            parts.append(Taken(key, "", [Taken(inner_key, metric.word)], is_same_row=True))
        return self.selection(f"{names.type_name}GroupsNode", written), parts

    def _key(
        self, names: TableNames, groups: Sequence[GroupBy], rows: Mapping[str, Include], ending: str
    ) -> tuple[str, list[Taken]]:
        taken = set[str]()
        written: list[str] = []
        parts: list[Taken] = []
        for group in groups:
            text, part = self._group(names, group, group.word, rows, taken)
            written.append(text)
            parts.append(part)
        return self.selection(f"{names.type_name}{ending}", written), parts

    def _group(
        self, names: TableNames, group: GroupBy, word: str, rows: Mapping[str, Include], taken: set[str]
    ) -> tuple[str, Taken]:
        path, own = _parted(group)
        if path:
            name, through = _through_of(names, path[0])
            key, text = self.key(name, taken)
            inner = GroupBy(group.path[1:], group.field, group.part)
            below, part = self._group(self.vocabulary.of(through.table), inner, word, rows, set())
            return f"{text} {{ {below} }}", Taken(key, "", [part], is_same_row=True)
        if group.field is not None:
            key, text = self.key(_value_name(names, own), taken)
            return text, Taken(key, word)
        name, row = next((n, m) for n, m in names.group_rows.items() if m.relationship.name == own)
        key, text = self.key(name, taken)
        target, include = row.table.resource or "", rows[word]
        below, parts = self.row(target, self.chosen(target, include.fields), include.includes)
        return f"{text} {below}", Taken(key, word, parts)


def _parted(group: GroupBy) -> tuple[tuple[str, ...], str]:
    """The to-ones on the way to what rows are grouped by, and its own word."""
    if group.field is None:
        return group.path[:-1], group.path[-1]
    return group.path, ".".join(filter(None, (group.field, group.part)))


def _value_name(names: TableNames, word: str) -> str:
    return next(n for n, m in names.group_fields.items() if isinstance(m, GroupValue) and m.word == word)


def _through_of(names: TableNames, name: str) -> tuple[str, GroupThrough]:
    return next(
        (n, m) for n, m in names.group_fields.items() if isinstance(m, GroupThrough) and m.relationship.name == name
    )


@dataclass(frozen=True, slots=True)
class Enum:
    """A name that is no text in a literal."""

    name: str


def plain(value: Json) -> Json:
    """Return a value as the JSON of variables has it."""
    match value:
        case Enum(name=name):
            return name
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)")


def operand_of(leaf: Leaf, *, is_text: bool = False) -> Json:
    """Return the operand of a comparison as JSON: a flag is a number, exact numbers keep their digits as text."""
    kind = OPERATORS[leaf.operator].operand
    if kind == "boolean":
        return leaf.operand in ("1", "true")
    if kind == "text" or (is_text and kind == "value"):
        return leaf.operand
    items = [item if is_text else _number(item) for item in leaf.operand.split(",")]
    return items if kind in ("list", "pair") else items[0]


def _number(operand: str) -> Json:
    if operand in ("true", "false"):
        return int(operand == "true")
    return int(operand) if _NUMBER.fullmatch(operand) else operand


# The same as REST


def settled(asked: Asked | AskedGroups, writer: Writer) -> Asked | AskedGroups:
    """Return a question as a document can put it: with every field named, and relationships followed one by one."""
    nested, table = tuple(map(stepwise, asked.where)), writer.table(asked.table)
    if isinstance(asked, AskedGroups):
        rows = tuple(_settled(include, _edge(writer, table, include.name), writer) for include in asked.includes)
        return replace(asked, where=nested, includes=rows)
    return replace(
        asked,
        where=nested,
        fields=tuple(writer.chosen(asked.table, asked.fields)),
        includes=tuple(_settled(inner, table.relationships[inner.name], writer) for inner in asked.includes),
    )


def _edge(writer: Writer, table: Table, word: str) -> Relationship:
    """The last of the relationships that a word of groups follows."""
    first, _, rest = word.partition(".")
    edge = table.relationships[first]
    return _edge(writer, writer.vocabulary.catalog.table_of(edge), rest) if rest else edge


def _settled(include: Include, edge: Relationship, writer: Writer) -> Include:
    """An embed with its fields named; only lists have conditions, and at most one of these is a negation."""
    table = writer.vocabulary.catalog.table_of(edge)
    own = [part for part in include.where if edge.is_to_many and _is_own(part)]
    negations = [part for part in own if isinstance(part, Not)]
    return replace(
        include,
        fields=tuple(writer.chosen(table.resource or "", include.fields)),
        where=tuple(part for part in own if part not in negations[1:]),
        includes=tuple(_settled(inner, table.relationships[inner.name], writer) for inner in include.includes),
    )


def _is_own(condition: Condition) -> bool:
    """Whether a condition is on a field of the row itself, which a list that comes along can have in a URL too."""
    part = condition.part if isinstance(condition, Not) else condition
    return isinstance(part, Leaf) and not part.path


def stepwise(condition: Condition) -> Condition:
    """Return a condition that follows one relationship at a time."""
    match condition:
        case Leaf(path=(first, *rest)):
            return Parent((first,), stepwise(replace(condition, path=tuple(rest))))
        case All(parts=parts) | Some(parts=parts):
            return replace(condition, parts=tuple(map(stepwise, parts)))
        case Not(part=part):
            return Not(stepwise(part))
        case Parent(path=(first, *rest), part=part):
            return Parent((first,), stepwise(Parent(tuple(rest), part) if rest else part))
        case Children(path=(first, *rest)):
            return Parent((first,), stepwise(replace(condition, path=tuple(rest))))
        case Children(part=part):
            return replace(condition, part=stepwise(part))
        case _:
            return condition


def rest_body(asked: Asked | AskedGroups) -> dict[str, Json]:
    """Return a settled question as the body of a query that has values in GraphQL's form."""
    sent = {name: value for name, value in body(asked).items() if name not in ("page", "per_page")}
    page = {"limit": asked.per_page, "offset": (asked.page - 1) * asked.per_page}
    return sent | page | {"decimals": "string", "bigints": "string"}
