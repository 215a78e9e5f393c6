"""Reads of rows whose keys are known later: one row by its key, or several by theirs."""

from __future__ import annotations

import pytest

from gateway.errors import ForbiddenError, MethodError, RequestError
from gateway.query.access import Access, Grant
from gateway.query.intent import ConditionIntent, EmbedIntent, ReadIntent
from gateway.query.plan import And, Compare, Or
from gateway.query.readback import PlannedReadBack, for_keys, plan_read_back
from tests.support.asking import ALL, context_of, crm, granted
from tests.support.catalogs import make_catalog, reflected

SEATS = make_catalog(
    reflected("seats", "room int!", "place int!", "note varchar(20)", key=("room", "place")),
    reflected("logs", "text varchar(20)", key=()),
)
OWN = granted(tags=Grant(frozenset({"read"}), row_filter=(ConditionIntent(("name", "starts"), "my", "rows"),)))


def tags(access: Access = ALL) -> PlannedReadBack:
    return plan_read_back(context_of(crm(), access), ReadIntent("tags", fields=("name",)))


def test_one_row_is_read_by_its_key() -> None:
    """The driver's own values, before those of the plan."""
    found = for_keys(tags(), [(7,)])

    assert found.values == (7,)
    assert found.plan.condition == Compare(crm().resources["tags"].key[0], "eq", (0,))
    assert [field.name for field in found.plan.fields] == ["name"]


def test_several_rows_are_one_statement_of_a_power_of_two() -> None:
    """The last key is repeated; each row comes with its key."""
    found = for_keys(tags(), [(5,), (6,), (7,)])

    assert found.plan.condition == Compare(crm().resources["tags"].key[0], "in", (0, 1, 2, 3))
    assert (found.values, found.plan.is_followed) == ((5, 6, 7, 7), True)
    assert for_keys(tags(), [(1,), (2,)]).plan != found.plan
    assert for_keys(tags(), [(1,), (2,), (3,), (4,)]).plan == found.plan


def test_a_key_of_two_columns_is_one_row_each() -> None:
    """Never the one column of this row and the other of that."""
    planned = plan_read_back(context_of(SEATS), ReadIntent("seats", fields=("note",)))
    room, place = SEATS.resources["seats"].key

    one, two = for_keys(planned, [(1, 2)]), for_keys(planned, [(1, 2), (3, 4)])

    assert (one.plan.condition, one.values) == (And((Compare(room, "eq", (0,)), Compare(place, "eq", (1,)))), (1, 2))
    assert two.values == (1, 2, 3, 4)
    assert two.plan.condition == Or(
        (
            And((Compare(room, "eq", (0,)), Compare(place, "eq", (1,)))),
            And((Compare(room, "eq", (2,)), Compare(place, "eq", (3,)))),
        )
    )


@pytest.mark.parametrize("keys", [[(5,)], [(5,), (6,)]])
def test_only_the_callers_own_rows_are_read(keys: list[tuple[int]]) -> None:
    """The row filter stands beside the keys, with the values that it had."""
    found = for_keys(tags(OWN), keys)

    assert isinstance(found.plan.condition, And)
    assert len(found.plan.condition.parts) == 2
    assert found.values == (*keys[0], "my%", *(cell for key in keys[1:] for cell in key))


def test_what_comes_along_is_planned_as_in_a_read() -> None:
    """Its values stand after those of the row filter; the day of derived fields too."""
    embed = EmbedIntent(("invoices",), fields=("id",), limit=3)
    planned = plan_read_back(context_of(crm()), ReadIntent("clients", fields=("userid",), embeds=(embed,)))
    overdue = plan_read_back(context_of(crm()), ReadIntent("invoices", fields=("is_overdue",)))

    assert [node.name for node in planned.plan.nodes] == ["invoices"]
    assert for_keys(planned, [(1,), (2,)]).values == (1, *planned.values[1:], 2)
    assert overdue.plan.today == 1


@pytest.mark.parametrize(
    ("intent", "access", "kind"),
    [
        (ReadIntent("tags", fields=("nothing",)), ALL, RequestError),
        (ReadIntent("tags"), granted(tags=Grant(frozenset({"create"}))), ForbiddenError),
    ],
)
def test_what_a_read_refuses_is_refused(intent: ReadIntent, access: Access, kind: type[Exception]) -> None:
    """Names and rights."""
    with pytest.raises(kind):
        plan_read_back(context_of(crm(), access), intent)


def test_rows_without_a_key_cannot_be_read_back() -> None:
    """Nobody could say which they are."""
    with pytest.raises(MethodError) as caught:
        plan_read_back(context_of(SEATS), ReadIntent("logs"))

    assert caught.value.code == "key_missing"
