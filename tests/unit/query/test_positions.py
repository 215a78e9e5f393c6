"""Positions in an order: what a page goes on from, and the condition of the rows after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog
from gateway.catalog.reflected import ReflectedForeignKey
from gateway.errors import RequestError
from gateway.query.intent import OrderIntent, PageIntent, ReadIntent
from gateway.query.orders import chosen_order
from gateway.query.plan import And, Compare, Condition, Or, Order, ReadPlan
from gateway.query.planner import PlannedRead, plan_read
from gateway.query.positions import can_follow, may_be_null, position_of, rows_after
from tests.support.asking import ask, context_of, crm
from tests.support.catalogs import make_catalog, reflected
from tests.support.kinds import things
from tests.support.plans import condition_text

CRM = crm()
Row = dict[str, Any]


def order_of(sort: str, catalog: Catalog) -> tuple[Order, ...]:
    """Return the order of ``things`` that a sort means."""
    words = [OrderIntent(word.removeprefix("-"), word.startswith("-")) for word in sort.split(",")]
    return chosen_order(context_of(catalog), catalog.resources["things"], words)


def after(sort: str, *position: object, dialect: Dialect = "mariadb") -> list[str]:
    """Return the condition of the rows after a position, line by line, with its values in it."""
    catalog = things(dialect)
    context = context_of(catalog)
    text = condition_text(rows_after(context, order_of(sort, catalog), position))
    for slot, value in reversed(tuple(enumerate(context.slots.frozen()))):
        text = text.replace(f"${slot}", repr(value))
    return text.splitlines()


# Conditions


def test_a_single_key_is_one_comparison() -> None:
    """As an index has it."""
    assert after("id", 7) == ["id > 7"]
    assert after("-id", 7) == ["id < 7"]


def test_ties_go_on_by_the_key() -> None:
    """The first key's bound stands beside the alternatives, where an index serves it."""
    assert after("small", 3, 7) == [
        "all of",
        "  small >= 3",
        "  some of",
        "    small > 3",
        "    all of",
        "      small = 3",
        "      id > 7",
    ]


def test_nulls_come_first_and_last() -> None:
    """Ascending they are passed first; descending they are still to come."""
    assert after("-small", 3, 7) == [
        "all of",
        "  some of",
        "    small <= 3",
        "    small is null",
        "  some of",
        "    some of",
        "      small < 3",
        "      small is null",
        "    all of",
        "      small = 3",
        "      id > 7",
    ]


def test_after_a_null_come_the_other_nulls_and_then_all_values() -> None:
    """Or, descending, the other nulls alone."""
    assert after("small", None, 7) == [
        "some of",
        "  small is not null",
        "  all of",
        "    small is null",
        "    id > 7",
    ]
    assert after("-small", None, 7) == ["all of", "  small is null", "  id > 7"]


def test_each_key_is_compared_where_those_before_it_are_the_same() -> None:
    """Three keys, three ways to come after."""
    lines = after("-money,small", "1.50", None, 7)

    assert lines[lines.index("  some of", 3) :] == [
        "  some of",
        "    some of",
        "      money < Decimal('1.50')",
        "      money is null",
        "    all of",
        "      money = Decimal('1.50')",
        "      small is not null",
        "    all of",
        "      money = Decimal('1.50')",
        "      small is null",
        "      id > 7",
    ]


def test_a_composite_key_is_compared_part_by_part() -> None:
    """No part of it is null."""
    planned = plan_read(context_of(CRM), ReadIntent("customer_admins", page=PageIntent(after=(3, 4))))

    assert condition_text(planned.plan.condition).splitlines() == [
        "all of",
        "  customer_id >= $2",
        "  some of",
        "    customer_id > $2",
        "    all of",
        "      customer_id = $2",
        "      staff_id > $3",
    ]


@pytest.mark.parametrize(
    ("sort", "word", "later"),
    [
        ("level", "low", "level in 'High', 'high'"),
        ("level", "high", None),
        ("-level", "high", "level in '', 'low', 'High'"),
        ("-level", "low", "level in ''"),
        ("-level", "", None),
        ("level", "gone", "level in '', 'low', 'High', 'high'"),
    ],
)
def test_a_word_of_a_list_is_followed_by_those_after_it_in_the_list(sort: str, word: str, later: str | None) -> None:
    """Servers sort an ENUM by its own order and compare it as text; descending, nulls come last."""
    lines = [line.strip() for line in after(sort, word, 7)]

    assert f"level = {word!r}" in lines
    assert "id > 7" in lines
    assert [line for line in lines if line.startswith("level in")] == ([later] if later else [])
    assert ("level is null" in lines) is sort.startswith("-")


def test_sqlite_sorts_a_word_as_text() -> None:
    """It knows no lists of words."""
    assert "  level >= 'low'" in after("level", "low", 7, dialect="sqlite")


def test_a_long_text_is_compared_by_the_characters_it_is_sorted_by() -> None:
    """The position has no more of it."""
    assert "    body (first 200) > 'x'" in after("body", "x", 7)


# Positions


@pytest.mark.parametrize(
    ("column", "cell", "token"),
    [
        ("id", 7, 7),
        ("big", 2**64 - 1, 2**64 - 1),
        ("money", Decimal("1.50"), "1.50"),
        ("money", "1.50", "1.50"),
        ("rate", 0.1, 0.1),
        ("name", "é", "é"),
        ("name", None, None),
        ("day", date(2026, 3, 29), "2026-03-29"),
        ("day", "0000-00-00", None),
        ("wall", datetime(2026, 3, 29, 2, 30), "2026-03-29T02:30:00"),
        ("wall", "0000-00-00 00:00:00", None),
        ("fine", datetime(2026, 3, 29, 2, 30, 0, 250_000), "2026-03-29T02:30:00.250000"),
        ("stamp", "0000-00-00 00:00:00", None),
        ("span", timedelta(hours=-30, microseconds=5), -107_999_999_995),
        ("bits", b"\x02\x01", "AgE="),
        ("name", "0000-00-00", "0000-00-00"),
    ],
)
def test_a_position_is_kept_by_json_exactly(column: str, cell: object, token: object) -> None:
    """And binds what the driver had; a zero date is null, the text of one is not."""
    order = order_of(column, things())
    cells = (cell, 7) if column != "id" else (cell,)
    position = position_of(order, cells)

    assert position[0] == token
    assert type(position[0]) is type(token)
    assert tuple(orjson.loads(orjson.dumps(position))) == position


@pytest.mark.parametrize(
    ("column", "token", "bound"),
    [
        ("money", "1.50", Decimal("1.50")),
        ("day", "2026-03-29", date(2026, 3, 29)),
        ("wall", "2026-03-29T02:30:00", datetime(2026, 3, 29, 2, 30)),
        ("span", -107_999_999_995, timedelta(hours=-30, microseconds=5)),
        ("bits", "AgE=", 513),
        ("rate", 0.1, 0.1),
    ],
)
def test_what_is_bound_is_what_the_driver_had(column: str, token: object, bound: object) -> None:
    """A value of the column's own type, never its text."""
    catalog = things()
    context = context_of(catalog)
    rows_after(context, order_of(column, catalog), (token, 7))

    assert context.slots.frozen() == (bound, 7)


@pytest.mark.parametrize(
    ("sort", "position"),
    [("id", ()), ("id", (1, 2)), ("day", ("soon", 1)), ("money", ("x", 1)), ("span", ("x", 1)), ("wall", (7, 1))],
)
def test_a_position_of_another_order_is_no_position(sort: str, position: tuple[object, ...]) -> None:
    """A column's type may have changed since; the client begins again."""
    catalog = things()
    with pytest.raises(RequestError) as caught:
        rows_after(context_of(catalog), order_of(sort, catalog), position)

    assert (caught.value.code, caught.value.issues[0].parameter) == ("cursor_invalid", "cursor")


def test_a_set_is_not_followed() -> None:
    """It is sorted by its bits and compared as text; at the end of a path too."""
    catalog = things()
    assert not can_follow(context_of(catalog), order_of("words", catalog))
    assert can_follow(context_of(catalog), order_of("level,-wall,body", catalog))
    assert not ask(catalog, "things?sort=words").plan.is_followed

    parents = reflected("parents", "id int!", "words set('a','b')")
    key = ReflectedForeignKey(("parent",), "parents", ("id",))
    related = make_catalog(parents, reflected("children", "id int!", "parent int", foreign_keys=[key]))
    (edge,) = related.resources["children"].relationships
    assert not ask(related, f"children?sort={edge}.words").plan.is_followed


def test_what_is_not_followed_takes_no_position() -> None:
    """A cursor of another order could only be wrong."""
    intent = ReadIntent("things", order=(OrderIntent("words"),), page=PageIntent(after=("a", 1)))
    context = context_of(things())
    with pytest.raises(RequestError) as caught:
        plan_read(context, intent)

    assert caught.value.code == "cursor_invalid"


def test_rows_without_a_key_are_not_followed() -> None:
    """Two of them may be alike in everything."""
    catalog = make_catalog(reflected("log", "at datetime", "text varchar(20)", key=()))

    assert not ask(catalog, "log").plan.is_followed


def test_what_may_be_null() -> None:
    """Any moment may be a zero date, and what is not a column may have no value."""
    catalog = make_catalog(reflected("t", "id int!", "name varchar(5)", "word varchar(5)!", "day date!"))
    fields = catalog.resources["t"].fields

    assert {name: may_be_null(field) for name, field in fields.items()} == {
        "id": False,
        "name": True,
        "word": False,
        "day": True,
    }
    assert may_be_null(CRM.resources["clients"].fields["email"])


# Plans


def continued(target: str, *position: object) -> PlannedRead:
    """Return the plan of the page after a position in a list of invoices."""
    sort = tuple(OrderIntent(word.removeprefix("-"), word.startswith("-")) for word in target.split(","))
    return plan_read(context_of(CRM), ReadIntent("invoices", order=sort, page=PageIntent(after=position)))


def test_a_position_does_not_change_what_is_counted() -> None:
    """The total is that of the whole list, and its values are those before the page's."""
    planned = continued("-total", "10.00", 7)

    assert planned.is_continued
    assert planned.count is not None
    assert planned.count.condition == And(())
    assert planned.values[:2] == (26, 0)
    assert planned.values[2:] == (Decimal("10.00"), 7)


def test_positions_of_one_order_are_one_plan() -> None:
    """The statement of the second page serves all that follow."""
    assert continued("-total", "10.00", 7).plan == continued("-total", "9.00", 3).plan
    assert continued("-total", "10.00", 7).plan != continued("-total", None, 3).plan


def test_a_related_field_is_followed_like_a_column() -> None:
    """Rows without one at its end have none."""
    assert condition_text(continued("client.company", None, 7).plan.condition).splitlines() == [
        "some of",
        "  client.company is not null",
        "  all of",
        "    client.company is null",
        "    id > $2",
    ]


# Rows after a position, against a plain model


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "small": st.none() | st.integers(-2, 2),
    "name": st.none() | st.sampled_from(["a", "b", "c"]),
    "level": st.none() | st.sampled_from(["low", "High", "high"]),
    "day": st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 3)),
}
_SORTS = st.lists(
    st.tuples(st.sampled_from(sorted(VALUES)), st.booleans()), min_size=1, max_size=3, unique_by=lambda key: key[0]
)


@st.composite
def sorted_rows(draw: st.DrawFn) -> tuple[str, list[Row]]:
    """Draw a sort and some rows in that order, as the servers have them: nulls first, words as their list has them."""
    keys = draw(_SORTS)
    rows = draw(st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=8))
    numbered = [{**row, "id": number} for number, row in enumerate(rows)]
    for name, is_descending in reversed(keys):
        numbered.sort(key=lambda row, name=name: _rank(name, row[name]), reverse=False)  # type: ignore[misc]  # bound early on purpose
        if is_descending:  # equal ones stay as they are
            ranks = sorted({_rank(name, row[name]) for row in numbered}, reverse=True)
            numbered = [row for rank in ranks for row in numbered if _rank(name, row[name]) == rank]
    return ",".join(("-" if is_descending else "") + name for name, is_descending in keys), numbered


def _rank(name: str, value: Any) -> tuple[bool, Any]:
    if value is None:
        return False, 0
    return True, ("low", "High", "high").index(value) if name == "level" else value


def meets(row: Row, condition: Condition, values: tuple[object, ...]) -> bool:
    """Return whether a row meets a condition, as SQL has it: an unknown comparison is not met."""
    match condition:
        case And(parts=parts):
            return all(meets(row, part, values) for part in parts)
        case Or(parts=parts):
            return any(meets(row, part, values) for part in parts)
        case Compare(field=field, operator=operator, slots=slots):
            return COMPARED[operator](row[field.name], *(values[slot] for slot in slots))
    raise AssertionError(condition)


COMPARED: dict[str, Callable[..., bool]] = {
    "null": lambda cell: cell is None,
    "not_null": lambda cell: cell is not None,
    "eq": lambda cell, due: cell is not None and cell == due,
    "gt": lambda cell, due: cell is not None and cell > due,
    "gte": lambda cell, due: cell is not None and cell >= due,
    "lt": lambda cell, due: cell is not None and cell < due,
    "lte": lambda cell, due: cell is not None and cell <= due,
    "in": lambda cell, *due: cell is not None and cell in due,
}


@given(sorted_rows(), st.data())
def test_the_rows_after_a_position_are_those_after_its_row(drawn: tuple[str, list[Row]], data: st.DataObject) -> None:
    """Whatever the sort, wherever the nulls and however many ties: none twice, none left out."""
    sort, rows = drawn
    place = data.draw(st.integers(0, len(rows) - 1))
    catalog = things()
    context, order = context_of(catalog), order_of(sort, catalog)
    position = position_of(order, [rows[place][key.field.name] for key in order])
    condition = rows_after(context, order, tuple(orjson.loads(orjson.dumps(position))))

    found = [row for row in rows if meets(row, condition, context.slots.frozen())]
    assert found == rows[place + 1 :]


def test_the_position_of_a_plan_is_read_with_its_rows() -> None:
    """So that the page itself says where the next begins."""
    plan: ReadPlan = ask(CRM, "invoices?sort=-total").plan

    assert plan.is_followed
    assert not ask(CRM, "invoices/1").plan.is_followed
