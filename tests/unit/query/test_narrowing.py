"""An access only narrows: whatever is asked, the plan reads nothing that its caller may not.

Accesses of chance on Perfex's catalog, and questions of chance that name anything there is. Where a plan comes out, a
walk through all of it, which knows nothing of how plans are made, finds every column, table and relationship in it
readable, and every row filter in its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from gateway.catalog.model import (
    Catalog,
    Column,
    CustomField,
    ExpressionField,
    Field,
    LabelField,
    PathField,
    Relationship,
    Table,
)
from gateway.errors import ForbiddenError, GatewayError, NotFoundError, RequestError
from gateway.query.access import OPERATIONS, Access, Grant
from gateway.query.aggregates import PlannedGroups, plan_groups
from gateway.query.bulk import plan_upsert
from gateway.query.fields import label_of
from gateway.query.intent import AggregateIntent, ConditionIntent, WriteIntent
from gateway.query.plan import AggregatePlan, And, Condition, Granted, Reached, ReadPlan
from gateway.query.planner import PlannedRead, plan_read
from gateway.query.resolve import own_columns
from tests.support.asking import ALL, READ, context_of, crm_of_fields, granted, read_request, refused

CRM: Final = crm_of_fields()
RESOURCES: Final = (
    "invoices",
    "invoicepaymentrecords",
    "clients",
    "contacts",
    "itemable",
    "projects",
    "creditnotes",
    "credits",
    "staff",
    "currencies",
    "countries",
    "payment_modes",
)
CHANCE: Final = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FILTERS: Final = {
    "invoices": (("clientid",), ("client", "country"), ("payments", "amount"), ("balance",)),
    "invoicepaymentrecords": (("invoice", "clientid"), ("invoice", "client", "country"), ("id",)),
    "clients": (("userid",), ("primary_contact", "id"), ("custom.score",), ("email",)),
    "contacts": (("userid",), ("client", "country")),
    "itemable": (("rel_id",), ("invoice", "clientid")),
    "projects": (("clientid",), ("client", "country")),
    "credits": (("invoice_id",),),
    "staff": (("staffid",),),
    "currencies": (("id",),),
}
"""What row filters speak of: own columns, related rows, sums, custom fields."""

NEEDED: Final = ("email", "firstname", "total", "duedate", "status", "clientid", "userid", "name")
"""Columns that derived fields, labels and relationships are made of."""


# Accesses and questions of chance


@st.composite
def accesses(draw: st.DrawFn) -> Access:
    """Grants on most tables, with lists of columns and row filters on some; at times one grant for the rest."""
    grants: dict[str, Grant] = {}
    for resource in RESOURCES:
        kind = draw(st.sampled_from(["all", *["read"] * 5, "write", "none"]))
        if kind == "none":
            continue
        operations = {"all": OPERATIONS, "read": ("read",), "write": ("create", "update")}[kind]
        grants[resource] = Grant(frozenset(operations), draw(_readable(resource)), None, draw(_filter(resource)))
    if draw(st.sampled_from([False, False, True])):
        grants["*"] = Grant(READ)
    return Access("chance", grants)


def _readable(resource: str) -> st.SearchStrategy[frozenset[str] | None]:
    table = CRM.resources[resource]
    names = [*table.column_by_name, *(field.name for field in table.custom)]
    needed = [name for name in names if name in NEEDED] or names
    some = st.sets(st.sampled_from(names) | st.sampled_from(needed), max_size=4).map(
        lambda left_out: frozenset(names) - left_out
    )
    return st.none() | st.none() | some


def _filter(resource: str) -> st.SearchStrategy[tuple[ConditionIntent, ...]]:
    paths = FILTERS.get(resource)
    if paths is None:
        return st.just(())
    made = st.sampled_from(paths).map(lambda path: (ConditionIntent(path, "7", "row filter"),))
    return st.just(()) | made


@st.composite
def words(draw: st.DrawFn, resource: str, most: int = 3, *, to_many: bool = False) -> str:
    """A dotted name: relationships that lead on, and a field, whether or not anybody may read them."""
    table, path = CRM.resources[resource], []
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2][: most + 2]))):
        edges = [edge for edge in _edges(table) if to_many or not edge.is_to_many]
        if not edges:
            break
        edge = draw(st.sampled_from(edges))
        path.append(edge.name)
        table = CRM.table_of(edge)
        if edge.is_to_many:
            break
    return ".".join((*path, draw(_names(table))))


def _names(table: Table) -> st.SearchStrategy[str]:
    derived = [name for name, field in table.fields.items() if not isinstance(field, Column)]
    return st.sampled_from(sorted(table.fields)) | st.sampled_from(derived or sorted(table.fields))


def _edges(table: Table) -> list[Relationship]:
    return [edge for edge in table.relationships.values() if CRM.table_of(edge).resource in RESOURCES]


@st.composite
def _includes(draw: st.DrawFn, resource: str) -> list[str]:
    found, table, path = [], CRM.resources[resource], ""
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        edges = _edges(table)
        if not edges:
            break
        edge = draw(st.sampled_from(edges))
        path = f"{path}.{edge.name}" if path else edge.name
        table = CRM.table_of(edge)
        found.append(f"include={path}")
        if draw(st.booleans()):
            name = draw(_names(table))
            found.append(draw(st.sampled_from([f"fields[{path}]={name}", f"include[{path}][filter][{name}.null]=1"])))
    return found


@st.composite
def targets(draw: st.DrawFn) -> str:
    """A list, one row, a parent's rows or groups of any of the tables."""
    resource = draw(st.sampled_from(RESOURCES[:7]))
    table = CRM.resources[resource]
    parts = [f"filter[{draw(words(resource, to_many=True))}.null]=0" for _ in range(draw(st.sampled_from([0, 1, 1])))]
    if draw(st.sampled_from([False, False, True])):
        metric = draw(st.sampled_from(["max", "min", "count_distinct"])) + "." + draw(words(resource, 1))
        parts += [f"group={draw(words(resource))}", f"metrics=count,{metric}"]
        parts += ["labels=true"] if draw(st.booleans()) else []
        parts += [f"having[{metric}.null]=0"] if draw(st.booleans()) else []
        return f"{resource}?{'&'.join(parts)}"
    if draw(st.booleans()):
        parts.append(f"fields={','.join(draw(st.lists(words(resource, 0), min_size=1, max_size=3, unique=True)))}")
    if draw(st.booleans()):
        parts.append(f"sort={draw(words(resource))}")
    if draw(st.booleans()):
        parts += draw(_includes(resource))
    parts += draw(st.sampled_from([[], ["labels=true"], ["q=x"]]))
    edges = [edge.name for edge in _edges(table) if edge.is_to_many]
    if edges and draw(st.sampled_from([False, False, True])):
        edge = table.relationships[draw(st.sampled_from(edges))]
        return f"{resource}/7/{edge.name}" + ("?labels=true" if draw(st.booleans()) else "")
    return f"{resource}?{'&'.join(parts)}"


def planned(access: Access, target: str) -> PlannedRead | PlannedGroups | None:
    """Return the plan of a question; None where it is refused."""
    try:
        intent = read_request(CRM, target).intent
        if isinstance(intent, AggregateIntent):
            return plan_groups(context_of(CRM, access), intent)
        return plan_read(context_of(CRM, access), intent)
    except (RequestError, NotFoundError, ForbiddenError):
        return None


# The walk


@dataclass(frozen=True, slots=True)
class Walk:
    """Whether what stands in a plan is its caller's to read."""

    access: Access
    catalog: Catalog

    def owners(self) -> dict[int, Table]:
        return {id(item): table for table in self.catalog.tables.values() for item in (*table.columns, *table.custom)}

    def reads(self, table: Table, *names: str) -> bool:
        grant = self.access.grants.get(table.resource or "", self.access.grants.get("*"))
        return (
            grant is not None
            and table.resource is not None
            and "read" in grant.operations
            and (grant.readable is None or grant.readable.issuperset(names))
        )

    def may_show(self, table: Table, *names: str) -> bool:
        """Whether a label may show columns of a table: no list leaves them out."""
        grant = self.access.grants.get(table.resource or "", self.access.grants.get("*"))
        return grant is None or grant.readable is None or grant.readable.issuperset(names)

    def check(self, plan: ReadPlan | AggregatePlan) -> None:
        """Hold a plan, and those of what it includes, to the access."""
        owners = self.owners()
        assert self.reads(plan.table)
        self._check_filter(plan.table, plan.condition)
        keys = plan.table.key if isinstance(plan, ReadPlan) else ()
        order = [key.field for key in plan.order if key.field not in keys]
        shown = plan.fields if isinstance(plan, ReadPlan) else (plan.groups, plan.metrics, plan.having, plan.labels)
        reached = [part.relationship for part in _demands(plan.condition) if isinstance(part, Reached)]
        for item in _leaves((shown, plan.condition, order)):
            match item:
                case Column() | CustomField():
                    assert self.reads(owners[id(item)], item.name), item.name
                case ExpressionField():
                    for column in own_columns(item.expression):
                        assert self.reads(owners[id(column)], column.name), item.name
                case LabelField():
                    assert self.reads(owners[id(item.column)], item.column.name)
                case PathField():
                    self._check_path(item, plan)
                case Relationship():
                    self._check_edge(item, None if item in reached else plan)
        for embed in plan.embeds:
            self._check_edge(embed.relationship, None)
            self.check(embed.plan)

    def _check_path(self, field: PathField, plan: ReadPlan | AggregatePlan) -> None:
        target = self.catalog.table_of(field.relationship)
        names = [column.name for column in field.columns]
        is_label = any(field in table.labels.values() for table in self.catalog.tables.values())
        assert self.reads(target, *names) or (is_label and self.may_show(target, *names)), field.name
        self._check_demanded(target, plan)

    def _check_edge(self, edge: Relationship, plan: ReadPlan | AggregatePlan | None) -> None:
        """A relationship from a parent to the rows of a plan, or to what it includes, enters no table in between."""
        source, target = self.catalog.tables[edge.source], self.catalog.table_of(edge)
        assert self.reads(source, *(here for here, _ in edge.pairs)), edge.name
        assert self.reads(target, *(there for _, there in edge.pairs)), edge.name
        if plan is not None:
            self._check_demanded(target, plan)

    def _check_demanded(self, target: Table, plan: ReadPlan | AggregatePlan) -> None:
        """The rows of a table that a statement enters are narrowed there."""
        if self._is_filtered(target):
            assert any(table is target for table, _ in plan.filters), target.resource

    def _check_filter(self, table: Table, condition: Condition) -> None:
        if self._is_filtered(table):
            assert any(isinstance(part, Granted) for part in _demands(condition)), table.resource
        for part in _demands(condition):
            if isinstance(part, Reached):
                assert self.reads(part.origin)
                self._check_filter(part.origin, part.condition)

    def _is_filtered(self, table: Table) -> bool:
        grant = self.access.grants.get(table.resource or "", self.access.grants.get("*"))
        return grant is not None and bool(grant.row_filter)


def _demands(condition: Condition) -> tuple[Condition, ...]:
    """What every row has to meet."""
    return condition.parts if isinstance(condition, And) else (condition,)


def _leaves(item: Any) -> Iterator[Any]:
    """Everything of the catalog in some part of a plan, but the conditions that the grants themselves put there."""
    match item:
        case Granted() | Table():
            return
        case Column() | CustomField() | PathField() | ExpressionField() | LabelField() | Relationship():
            yield item
        case tuple() | list():
            for part in item:
                yield from _leaves(part)
        case _ if is_dataclass(item):
            for part in fields(item):
                yield from _leaves(getattr(item, part.name))


@CHANCE
@given(access=accesses(), target=targets())
def test_a_plan_reads_nothing_else(access: Access, target: str) -> None:
    """Every column it shows, compares, sorts and groups by; every table and relationship; every row filter."""
    note(str({name: (grant.operations, grant.readable, grant.row_filter) for name, grant in access.grants.items()}))
    made = planned(access, target)
    if made is None:
        return
    walk = Walk(access, CRM)
    walk.check(made.plan)
    if made.count is not None:
        walk.check(made.count)
    if made.parent is not None:
        walk.check(made.parent)


@CHANCE
@given(access=accesses(), target=targets())
def test_an_access_makes_nothing_possible(access: Access, target: str) -> None:
    """What is planned for somebody is planned for whoever may do everything: limits take away, and never add."""
    if planned(access, target) is not None:
        assert planned(ALL, target) is not None


def test_the_questions_of_chance_are_planned_and_refused() -> None:
    """Often enough, with related rows, groups and labels."""
    seen: Counter[str] = Counter()

    @settings(CHANCE, max_examples=300, derandomize=True, database=None)
    @given(access=accesses(), target=targets())
    def look(access: Access, target: str) -> None:
        made = planned(access, target)
        seen["refused" if made is None else "planned"] += 1
        if made is not None:
            seen["embeds"] += bool(made.plan.embeds)
            seen["filters"] += bool(made.plan.filters)
            seen["groups"] += isinstance(made, PlannedGroups)

    look()
    assert min(seen[name] for name in ("refused", "planned", "embeds", "filters", "groups")) >= 8, seen


# What names may be told


def test_a_missing_grant_is_named() -> None:
    """One that would do, where there is none at all."""
    assert refused(CRM, "leads", granted(clients=Grant(READ))).detail == "The token lacks the grant leads:read."


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("invoices/x", "the key: "),
        ("invoices/1,2", "The key of invoices is one value."),
        ("taggables/1", "The key of taggables is 3 values with commas between them."),
    ],
)
def test_a_key_is_named_to_those_who_may_read_it(target: str, detail: str) -> None:
    """The others are told what a key looks like."""
    some = Grant(READ, readable=frozenset({"number"}))
    told = refused(CRM, target, granted(invoices=some, taggables=some))

    assert told.code == "key_invalid"
    assert told.detail.startswith(detail)
    assert not refused(CRM, target).detail.startswith(detail)


@pytest.mark.parametrize(
    ("grant", "is_there"),
    [
        (None, True),
        (Grant(READ), True),
        (Grant(READ, readable=frozenset({"id", "name"})), True),
        (Grant(READ, readable=frozenset({"id"})), False),
        (Grant(frozenset()), False),
    ],
)
def test_a_word_of_another_table_obeys_what_limits_the_token_there(grant: Grant | None, *, is_there: bool) -> None:
    """A word needs no grant on its table, but is not shown past a list of columns, or where nothing is granted."""
    table = CRM.resources["leads"]
    status: Field = table.fields["status"]
    grants = {"leads": Grant(READ)} | ({} if grant is None else {"leads_status": grant})
    label = label_of(context_of(CRM, granted(**grants)), table, status)

    assert (label is not None) == is_there


def test_unique_keys_are_named_to_those_who_may_use_them() -> None:
    """A key with a column that the caller can neither read nor write is not among what it is asked for."""
    only = Grant(frozenset(OPERATIONS), readable=frozenset({"name"}), writable=frozenset({"name", "status", "source"}))
    intent = WriteIntent("leads", values={"name": "x", "status": 1, "source": 1})
    with pytest.raises(GatewayError) as caught:
        plan_upsert(context_of(CRM, granted(leads=only)), intent, "update")

    assert caught.value.code == "conflict_key_missing"
    assert caught.value.detail.endswith("there is none.")
