"""Every name that a caller may use means something to the planner: nothing of the schema is a promise in vain."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.catalog.kinds import KINDS, Kind
from gateway.catalog.model import Catalog, Table
from gateway.graphql.conditions import filter_intents, having_intents
from gateway.graphql.meaning import By, GroupValue, Nested, NestedNumbers, On, Shown, Tag, Through
from gateway.graphql.sorting import group_order_intents, order_intents
from gateway.graphql.tables import COUNT_HAVING
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.intent import AggregateIntent, EmbedIntent, ReadIntent
from gateway.query.metrics import metric_type
from gateway.query.operators import OPERATORS
from tests.support.asking import context_of, crm, crm_of_fields, plan_any
from tests.support.catalogs import make_catalog, reflected

ODD = make_catalog(
    reflected(
        "odd things",
        "id int!",
        "a.b varchar(9)",
        "a int",
        "and int",
        "total decimal(9,2)",
        "total_gte int",
        "gte int",
        "count int",
        "2nd date",
        "__x bigint(20) unsigned",
        "é blob",
        "sum.total int",
        "_etag varchar(9)",
        "flags set('x','y')",
        "doc json",
        "bits bit(3)",
        "at datetime",
    ),
    reflected("plain", "id int!", "count varchar(5)"),
)
CATALOGS = {"perfex": crm(), "custom": crm_of_fields(), "odd": ODD}
TABLES = [(name, table) for name, catalog in CATALOGS.items() for table in catalog.exposed()]

VALUES = {
    "date": "2026-01-01",
    "datetime": "2026-01-01T00:00:00",
    "timestamp": "2026-01-01T00:00:00",
    "time": "01:00:00",
    "binary": "AAAA",
}


def operand(kind: Kind, operator: str, members: tuple[str, ...] = ()) -> Any:
    """Return a value that an operator takes of a kind."""
    one: Any = VALUES.get(kind.name, 1 if kind.family == "number" else (members or ("x",))[0])
    match OPERATORS[operator].operand:
        case "boolean":
            return True
        case "list" | "pair":
            return [one, one]
        case "text":
            return "x"
        case _:
            return one


@pytest.mark.parametrize(("name", "table"), TABLES, ids=lambda item: getattr(item, "name", item))
def test_every_name_of_a_table_can_be_asked_for(name: str, table: Table) -> None:
    """Fields, conditions, sort keys, groups, numbers and conditions on them: each alone is a plan."""
    catalog = CATALOGS[name]
    words = Vocabulary(context_of(catalog))
    asked = _Asked(catalog, words, table)

    asked.fields()
    asked.conditions()
    asked.sorts()
    asked.groups()
    asked.numbers()


class _Asked:
    """One table, asked for by each of its names."""

    def __init__(self, catalog: Catalog, words: Vocabulary, table: Table) -> None:
        self.catalog = catalog
        self.words = words
        self.table = table
        self.names = words.of(table)
        self.resource = table.resource or ""

    def fields(self) -> None:
        shown = [m.field.name for m in self.names.fields.values() if isinstance(m, Shown)]
        planned: Any = plan_any(self.catalog, ReadIntent(self.resource, fields=tuple(shown), takes_labels=True))
        assert [field.name for field in planned.plan.fields] == shown
        for meaning in self.names.fields.values():
            match meaning:
                case Nested(relationship=edge):
                    embed = EmbedIntent((edge.name,))
                case NestedNumbers(relationship=edge):
                    embed = EmbedIntent(("n",), relationship=edge.name, metrics=("count",))
                case _:
                    assert isinstance(meaning, Shown | Tag)
                    continue
            if self.table.key or self.catalog.ties_numbers(edge):
                plan_any(self.catalog, ReadIntent(self.resource, embeds=(embed,)))

    def conditions(self) -> None:
        for name, meaning in self.names.filters.items():
            if isinstance(meaning, Through):
                value: Any = {"some": {}} if meaning.relationship.is_to_many else {}
            else:
                value = operand(meaning.field.type.kind, meaning.operator, meaning.field.type.members)
            found: Any = filter_intents({name: value}, self.table, self.words)
            planned: Any = plan_any(self.catalog, ReadIntent(self.resource, conditions=found))
            if isinstance(meaning, On):
                assert meaning.field in _compared(planned.plan.condition), name

    def sorts(self) -> None:
        for name, meaning in self.names.sorts.items():
            if isinstance(meaning, By):
                found = order_intents([{name: "DESC"}], self.table, self.words)
                planned: Any = plan_any(self.catalog, ReadIntent(self.resource, order=found))
                first = planned.plan.order[0]
                assert (getattr(first.field, "operand", first.field), first.is_descending) == (meaning.field, True)

    def groups(self) -> None:
        for name, meaning in self.names.group_fields.items():
            if not isinstance(meaning, GroupValue):
                continue
            word = meaning.label_of or meaning.word
            order = [] if meaning.label_of else [{"key": {name: "DESC"}}]
            keys, _ = group_order_intents(order, self.table, self.words)
            metrics = ("max.id",) if word == "count" else ()  # the two would have one key
            plan_any(self.catalog, AggregateIntent(self.resource, groups=(word,), metrics=metrics, order=keys))
        for row in self.names.group_rows.values():
            plan_any(self.catalog, AggregateIntent(self.resource, groups=(row.relationship.name,)))

    def numbers(self) -> None:
        for function, fields in self.names.metrics.items():
            for name, shown in fields.items():
                order, metrics = group_order_intents([{function: {name: "DESC"}}], self.table, self.words)
                planned: Any = plan_any(self.catalog, AggregateIntent(self.resource, metrics=metrics, order=order))
                assert [metric.operand for metric in planned.plan.metrics] == [shown.field]
            for name, on in self.names.having[function].items():
                value = operand(metric_type(function, on.field.type).kind, on.operator)
                held = having_intents({function: {name: value}}, self.table, self.words)
                found: Any = plan_any(self.catalog, AggregateIntent(self.resource, having=held))
                assert on.field in [metric.operand for metric in _compared(found.plan.having)], name
        for name, operator in COUNT_HAVING.items():
            held = having_intents({name: operand(KINDS["integer"], operator)}, self.table, self.words)
            plan_any(self.catalog, AggregateIntent(self.resource, having=held))


def _compared(condition: Any) -> list[Any]:
    """What a condition compares."""
    parts = getattr(condition, "parts", None)
    if parts is not None:
        return [found for part in parts for found in _compared(part)]
    part = getattr(condition, "part", None)
    return _compared(part) if part is not None else [getattr(condition, "field", None)]
