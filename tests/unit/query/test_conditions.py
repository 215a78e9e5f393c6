"""Filters -> conditions: every operator, days against moments, nulls, and refusals that name the parameter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.model import Catalog
from gateway.errors import RequestError
from gateway.query.access import Grant
from gateway.query.conditions import escape_like, negated, plan_conditions, plan_search, split_list
from gateway.query.intent import AnyIntent, ConditionIntent, NotIntent
from gateway.query.operators import OPERATORS
from gateway.query.plan import And, Compare, Condition, Or
from tests.support.asking import READ, ask, context_of, crm, granted, plan_any, query_request
from tests.support.asking import refused as refused_list
from tests.support.kinds import COLUMNS, things
from tests.support.plans import condition_text

Shown = tuple[object, ...]
CATALOG = things()
CRM = crm()


def planned(path: str, operand: object, catalog: Catalog = CATALOG, resource: str = "things") -> Shown:
    """Return the one condition of a filter: field, operator and values, or ``and``/``or`` and its parts."""
    context = context_of(catalog)
    table = catalog.resources[resource]
    whole = plan_conditions(context, table, [ConditionIntent(tuple(path.split(".")), operand, f"filter[{path}]")])
    assert isinstance(whole, And)
    return shown(whole.parts[0], context.slots.frozen())


def shown(condition: Condition, values: tuple[object, ...]) -> Shown:
    match condition:
        case Compare(field=field, operator=operator, slots=slots):
            return (field.name, operator, *(values[slot] for slot in slots))
        case And(parts=parts) | Or(parts=parts):
            return (type(condition).__name__.lower(), *(shown(part, values) for part in parts))
    raise AssertionError(condition)


@pytest.mark.parametrize(
    ("path", "operand", "due"),
    [
        ("id", "7", ("id", "eq", 7)),
        ("id.eq", "7", ("id", "eq", 7)),
        ("id.ne", "7", ("id", "ne", 7)),
        ("money.gt", "1.50", ("money", "gt", Decimal("1.50"))),
        ("money.gte", "1.50", ("money", "gte", Decimal("1.50"))),
        ("money.lt", "1.50", ("money", "lt", Decimal("1.50"))),
        ("money.lte", "1.50", ("money", "lte", Decimal("1.50"))),
        ("name.like", "a%_", ("name", "like", "a%_")),
        ("name.like", r"50\%|\_\\", ("name", "like", "50|%|||_\\")),
        ("name.nlike", "a%", ("name", "nlike", "a%")),
        ("name.contains", "50%_|", ("name", "like", "%50|%|_||%")),
        ("name.ncontains", "a", ("name", "nlike", "%a%")),
        ("name.starts", "a%", ("name", "like", "a|%%")),
        ("name.ends", "_a", ("name", "like", "%|_a")),
        ("name.contains", 7, ("name", "like", "%7%")),
        ("words.contains", "a", ("words", "like", "%a%")),
        ("document.starts", "{", ("document", "like", "{%")),
        ("id.in", "1,2,3", ("id", "in", 1, 2, 3)),
        ("name.in", r"a\,b,c\\,", ("name", "in", "a,b", "c\\", "")),
        ("id.in", [1, "2"], ("id", "in", 1, 2)),
        ("id.in", [], ("or",)),
        ("id.nin", "1", ("id", "nin", 1)),
        ("id.nin", [], ("id", "not_null")),
        ("id.between", "1,5", ("and", ("id", "gte", 1), ("id", "lte", 5))),
        ("name.null", "1", ("name", "null")),
        ("name.null", "false", ("name", "not_null")),
        ("document.null", True, ("document", "null")),
        ("name.exact", "A", ("name", "exact", "A")),
        ("level.exact", "low", ("level", "exact", "low")),
        ("id.exact", "7", ("id", "eq", 7)),
        ("bytes", "AP8=", ("bytes", "eq", b"\x00\xff")),
        ("span.gt", "24:00", ("span", "gt", timedelta(hours=24))),
    ],
)
def test_each_operator_has_its_condition(path: str, operand: object, due: Shown) -> None:
    """A client's operators are more than a plan's."""
    assert planned(path, operand) == due


DAY = datetime(2026, 3, 29)
NEXT = datetime(2026, 3, 30)


@pytest.mark.parametrize(
    ("path", "operand", "due"),
    [
        ("wall", "2026-03-29", ("and", ("wall", "gte", DAY), ("wall", "lt", NEXT))),
        ("wall.exact", "2026-03-29", ("and", ("wall", "gte", DAY), ("wall", "lt", NEXT))),
        ("wall.ne", "2026-03-29", ("or", ("wall", "lt", DAY), ("wall", "gte", NEXT))),
        ("wall.gt", "2026-03-29", ("wall", "gte", NEXT)),
        ("wall.gte", "2026-03-29", ("wall", "gte", DAY)),
        ("wall.lt", "2026-03-29", ("wall", "lt", DAY)),
        ("wall.lte", "2026-03-29", ("wall", "lt", NEXT)),
        (
            "wall.between",
            "2026-03-28,2026-03-29",
            ("and", ("wall", "gte", datetime(2026, 3, 28)), ("wall", "lt", NEXT)),
        ),
        (
            "wall.in",
            "2026-03-29,2026-03-31T10:00",
            ("or", ("and", ("wall", "gte", DAY), ("wall", "lt", NEXT)), ("wall", "eq", datetime(2026, 3, 31, 10))),
        ),
        (
            "wall.nin",
            "2026-03-29,2026-03-31T10:00",
            ("and", ("or", ("wall", "lt", DAY), ("wall", "gte", NEXT)), ("wall", "ne", datetime(2026, 3, 31, 10))),
        ),
        ("wall.lte", "2026-03-29T10:00", ("wall", "lte", datetime(2026, 3, 29, 10))),
        ("wall.gt", "@today", ("wall", "gte", datetime(2026, 11, 16))),
        ("wall.gt", "@now", ("wall", "gt", datetime(2026, 11, 15, 10, 30))),
        (
            "stamp",
            "2026-03-29",
            ("and", ("stamp", "gte", datetime(2026, 3, 28, 23)), ("stamp", "lt", datetime(2026, 3, 29, 22))),
        ),
        ("day", "2026-03-29", ("day", "eq", date(2026, 3, 29))),
        ("day.in", "@today,2026-01-01", ("day", "in", date(2026, 11, 15), date(2026, 1, 1))),
    ],
)
def test_a_day_against_a_moment_is_the_whole_day(path: str, operand: str, due: Shown) -> None:
    """Of 23 hours, where the clocks go forward; TIMESTAMP columns hold UTC."""
    assert planned(path, operand) == due


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_at_the_calendars_end_is_refused_as_a_whole_day(day: str) -> None:
    """Its bounds lie outside; against a DATE it is an ordinary day."""
    with pytest.raises(RequestError) as caught:
        planned("wall.lte", day)

    assert caught.value.code == "operand_invalid"
    assert planned("day.lte", day) == ("day", "lte", date.fromisoformat(day))


def refused(path: str, operand: object) -> RequestError:
    with pytest.raises(RequestError) as caught:
        planned(path, operand)
    assert caught.value.issues[0].parameter == f"filter[{path}]"
    return caught.value


@pytest.mark.parametrize(
    ("path", "operand", "code", "suggestion"),
    [
        ("nam", "x", "field_unknown", "name"),
        ("zzz.eq", "x", "field_unknown", None),
        ("eq", "x", "field_unknown", None),
        ("name.eq.eq", "x", "field_unknown", "name"),
        ("name.contain", "x", "operator_unknown", "contains"),
        ("name.zzz", "x", "operator_unknown", None),
        ("name.not_null", "x", "operator_unknown", None),
        ("id.contains", "1", "operator_misfit", None),
        ("bytes.gt", "AA==", "operator_misfit", None),
        ("document", "{}", "operator_misfit", None),
        ("words.in", "a", "operator_misfit", None),
        ("id", "1abc", "operand_invalid", None),
        ("id.in", "1,,2", "operand_invalid", None),
        ("id.in", "", "operand_invalid", None),
        ("id.between", "1", "operand_invalid", None),
        ("id.between", "1,2,3", "operand_invalid", None),
        ("name.null", "maybe", "operand_invalid", None),
        ("name.contains", None, "operand_invalid", None),
        ("name.contains", True, "operand_invalid", None),
        ("name.contains", "\ud800", "operand_invalid", None),
        ("wall", "2026-03-29T02:30", "operand_invalid", None),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(
    path: str, operand: object, code: str, suggestion: str | None
) -> None:
    """The error names the parameter and the nearest visible name."""
    error = refused(path, operand)

    assert (error.code, error.issues[0].suggestion) == (code, suggestion)


def taken_or_refused(path: str, operand: object) -> str | None:
    try:
        planned(path, operand)
    except RequestError as error:
        return error.code
    return None


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_fits_the_kinds_it_says(name: str) -> None:
    """And is refused on all others, whatever the operand."""
    for column, field in CATALOG.resources["things"].fields.items():
        if OPERATORS[name].fits(field.type.kind):
            assert taken_or_refused(f"{column}.{name}", "1") in (None, "operand_invalid")
        else:
            assert refused(f"{column}.{name}", "1").code == "operator_misfit"
    assert set(COLUMNS) == set(CATALOG.resources["things"].fields)


def test_date_words_make_values_that_do_not_last() -> None:
    """The plan may be kept, its values may not."""
    context = context_of(CATALOG)
    table = CATALOG.resources["things"]
    plan_conditions(context, table, [ConditionIntent(("day",), "2026-01-01", "x")])
    was_timeless = context.slots.is_timeless
    plan_conditions(context, table, [ConditionIntent(("day",), "@today", "x")])

    assert (was_timeless, context.slots.is_timeless) == (True, False)


def test_search_looks_into_the_searchable_columns() -> None:
    """Some of them contains the text, whose wildcards are literal."""
    catalog = crm()
    context = context_of(catalog)
    table = catalog.resources["clients"]
    condition = plan_search(context, table, "50%")

    assert isinstance(condition, Or)
    assert {part.field for part in condition.parts if isinstance(part, Compare)} == set(table.searchable)
    assert set(context.slots.frozen()) == {"%50|%%"}


def test_search_keeps_to_readable_columns() -> None:
    """A caller who may read none of them finds that there is nothing to search."""
    catalog = crm()
    table = catalog.resources["clients"]
    some = granted(clients=Grant(READ, readable=frozenset({"company"})))
    none = granted(clients=Grant(READ, readable=frozenset({"userid"})))

    condition = plan_search(context_of(catalog, some), table, "x")
    assert isinstance(condition, Or)
    assert len(condition.parts) == 1
    with pytest.raises(RequestError, match="no searchable fields"):
        plan_search(context_of(catalog, none), table, "x")


def test_text_of_several_lines_is_found_as_it_is_read() -> None:
    """The breaks that the CRM stores are not part of what a client sees."""
    column = next(field for field in CRM.resources["clients"].columns if field.type.kind.name == "multiline")

    assert planned(column.name, "a\nb", CRM, "clients") == (column.name, "eq", "a<br />\nb")
    assert planned(f"{column.name}.contains", "a\nb", CRM, "clients") == (column.name, "like", "%a<br />\nb%")


def test_half_a_character_cannot_be_searched() -> None:
    """It cannot be sent to the database."""
    catalog = crm()
    with pytest.raises(RequestError) as caught:
        plan_search(context_of(catalog), catalog.resources["clients"], "\udc00")

    assert caught.value.code == "operand_invalid"


# Lists and patterns


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("", [""]),
        (",", ["", ""]),
        ("a,b", ["a", "b"]),
        (r"a\,b", ["a,b"]),
        (r"a\\,b", ["a\\", "b"]),
        (r"a\b", [r"a\b"]),
        ("a\\", ["a\\"]),
        (7, ["7"]),
    ],
)
def test_a_comma_list_has_one_escape(text: object, due: list[str]) -> None:
    """Before a comma and before itself; before anything else a backslash is a backslash."""
    assert split_list(text) == due


@given(st.lists(st.text(), min_size=1))
def test_any_items_can_be_listed(items: list[str]) -> None:
    """Escaped and joined, they come apart as they were."""
    joined = ",".join(item.replace("\\", "\\\\").replace(",", "\\,") for item in items)

    assert split_list(joined) == items


@pytest.mark.parametrize(
    ("path", "operand"),
    [
        ("name", "x" * 4_097),
        ("name.contains", "%" * 4_097),
        ("name.in", "a," + "x" * 4_097),
        ("name.in", ["a", "x" * 4_097]),
        ("name.like", "x" * 4_097),
        ("money", "1" * 4_097),
    ],
)
def test_a_value_that_is_too_long_is_refused_before_it_is_read(path: str, operand: object) -> None:
    """Whatever it is compared with, and however: the longest that fits is planned."""
    with pytest.raises(RequestError) as caught:
        planned(path, operand)
    assert (caught.value.code, caught.value.issues[0].parameter) == ("query_too_large", f"filter[{path}]")
    assert planned("name.contains", "%" * 4_096)[2] == "%" + "|%" * 4_096 + "%"


def test_a_text_to_search_for_has_a_length_too() -> None:
    """By its own name."""
    assert "x" * 4_096 in str(ask(CRM, "clients?q=" + "x" * 4_096).values)
    error = refused_list(CRM, "clients?q=" + "x" * 4_097)
    assert isinstance(error, RequestError)
    assert (error.code, error.issues[0].parameter) == ("query_too_large", "q")


@given(st.text(alphabet="a,\\%_|\n", max_size=12))
def test_lists_and_patterns_are_read_from_left_to_right(text: str) -> None:
    """As a reader goes by each character: what a backslash stands before is taken with it."""
    items, pattern = [""], ""
    letters = iter(text)
    for letter in letters:
        after = next(letters, "") if letter == "\\" else ""
        if letter == ",":
            items.append("")
            continue
        items[-1] += after if after and after in ",\\" else letter + after
    letters = iter(text)
    rest = ""
    while letter := rest or next(letters, ""):
        rest = ""
        after = next(letters, "") if letter == "\\" else ""
        if after and after in "%_":
            pattern += "|" + after
        elif after == "\\":
            pattern += after
        else:
            pattern += "||" if letter == "|" else letter
            rest = after

    assert split_list(text) == items
    assert planned("name.like", text)[2] == pattern


@given(st.text())
def test_an_escaped_text_has_no_wildcard_left(text: str) -> None:
    """What is not escaped is neither wildcard nor escape, and taking the escapes away gives the text again."""
    letters, plain = iter(escape_like(text)), []
    for letter in letters:
        assert letter not in "%_"
        plain.append(next(letters) if letter == "|" else letter)

    assert "".join(plain) == text


def test_the_moment_of_the_request_is_the_clocks() -> None:
    """One request, one moment."""
    context = context_of(CATALOG, now=datetime(2027, 1, 1, tzinfo=UTC))

    assert (context.today(), context.today()) == (0, 0)
    assert context.slots.frozen() == (date(2027, 1, 1),)


# Trees


def tree(target: str, catalog: Catalog = CRM) -> list[str]:
    """Return the condition of a list, line by line, without its values."""
    return condition_text(ask(catalog, target).plan.condition).splitlines()


def test_groups_nest_as_they_were_written() -> None:
    """All of them, some of them, and what stands beside them."""
    where = '{"or":[{"status":2},{"and":[{"status":1},{"total.gte":1000,"currency":3}]}]}'

    assert tree(f"invoices?filter[clientid]=7&where={where}") == [
        "all of",
        "  clientid = $0",
        "  some of",
        "    status = $1",
        "    all of",
        "      status = $2",
        "      all of",
        "        total >= $3",
        "        currency = $4",
    ]


def test_groups_without_parts_are_true_and_false() -> None:
    """Always and never: an empty list of alternatives offers none."""
    assert tree('invoices?where={"and":[]}') == ["all rows"]
    assert tree('invoices?where={"or":[]}') == ["no rows"]
    assert tree('invoices?where={"not":{"or":[]}}') == ["all rows"]


@pytest.mark.parametrize(
    ("path", "operand", "due"),
    [
        ("id", "7", ("id", "ne", 7)),
        ("id.ne", "7", ("id", "eq", 7)),
        ("money.gt", "1", ("money", "lte", Decimal(1))),
        ("money.gte", "1", ("money", "lt", Decimal(1))),
        ("money.lt", "1", ("money", "gte", Decimal(1))),
        ("money.lte", "1", ("money", "gt", Decimal(1))),
        ("name.contains", "a", ("name", "nlike", "%a%")),
        ("name.ncontains", "a", ("name", "like", "%a%")),
        ("id.in", "1,2", ("id", "nin", 1, 2)),
        ("id.nin", "1,2", ("id", "in", 1, 2)),
        ("name.null", "1", ("name", "not_null")),
        ("name.null", "0", ("name", "null")),
        ("id.between", "1,5", ("or", ("id", "lt", 1), ("id", "gt", 5))),
        ("wall", "2026-03-29", ("or", ("wall", "lt", DAY), ("wall", "gte", NEXT))),
    ],
)
def test_a_negation_is_carried_down_to_the_comparison(path: str, operand: str, due: Shown) -> None:
    """An index serves it as before; null meets neither the one nor the other, and a zero date is null."""
    context = context_of(CATALOG)
    intent = NotIntent(ConditionIntent(tuple(path.split(".")), operand, "where"))
    whole = plan_conditions(context, CATALOG.resources["things"], [intent])

    assert shown(whole.parts[0], context.slots.frozen()) == due


def test_a_negation_turns_groups_around() -> None:
    """None of some is all of their opposites; what is negated twice is as it was."""
    assert tree('invoices?where={"not":{"or":[{"status":1},{"and":[{"status":2},{"total.lt":5}]}]}}') == [
        "all of",
        "  status <> $0",
        "  some of",
        "    status <> $1",
        "    total >= $2",
    ]
    assert tree('invoices?where={"not":{"not":{"status":1}}}') == ["status = $0"]


def test_what_has_no_opposite_stays_negated() -> None:
    """Byte by byte has no operator for its opposite, and every has none."""
    assert tree('clients?where={"not":{"company.exact":"A"}}') == ["not", "  company exact $0"]
    assert tree('clients?where={"not":{"not":{"company.exact":"A"}}}') == ["company exact $0"]
    assert tree('invoices?where={"not":{"payments":{"every":{"amount.gt":0}}}}')[:2] == ["not", "  every of payments"]


_LEAVES = st.sampled_from([Compare(column, "eq", (0,)) for column in CATALOG.resources["things"].columns[:3]])
_OPERATORS = st.sampled_from(("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "null", "not_null", "like", "nlike"))
_TREES = st.recursive(
    st.builds(lambda leaf, operator: Compare(leaf.field, operator, (0,)), _LEAVES, _OPERATORS),
    lambda parts: (
        st.builds(And, st.lists(parts, max_size=3).map(tuple)) | st.builds(Or, st.lists(parts, max_size=3).map(tuple))
    ),
)


@given(_TREES)
def test_negating_twice_changes_nothing(condition: Condition) -> None:
    """No part is lost on the way, and none is left negated."""
    once = negated(condition)

    assert negated(once) == condition
    assert "Not(" not in repr(once)


# Rows of other tables


def test_a_path_to_many_asks_for_some_row() -> None:
    """The to-ones before it lead to the row whose rows they are."""
    assert tree("invoices?filter[payments.amount.gt]=0") == ["some of payments", "  amount > $0"]
    assert tree("invoices?filter[client.contacts.email]=x") == ["some of client.contacts", "  email = $0"]


def test_each_parameter_asks_for_a_row_of_its_own() -> None:
    """One payment may be large and another late."""
    assert tree("invoices?filter[payments.amount.gt]=0&filter[payments.date.gte]=2026-01-01") == [
        "all of",
        "  some of payments",
        "    amount > $0",
        "  some of payments",
        "    date >= $1",
    ]


def test_conditions_in_one_bracket_ask_for_one_row() -> None:
    """It is large and late."""
    assert tree("invoices?filter[payments][amount.gt]=0&filter[payments][date.gte]=2026-01-01") == [
        "some of payments",
        "  all of",
        "    amount > $0",
        "    date >= $1",
    ]


def test_only_the_last_to_many_of_a_path_is_quantified() -> None:
    """Before it, some row is enough."""
    assert tree('clients?where={"invoices.payments":{"none":{"amount.gt":0}}}') == [
        "some of invoices",
        "  none of payments",
        "    amount > $0",
    ]
    assert tree('invoices?where={"client.contacts":{"every":{"active":1}}}') == [
        "every of client.contacts",
        "  active = $0",
    ]


def test_quantifiers_of_one_relationship_are_conditions_of_their_own() -> None:
    """Each about all the rows."""
    assert tree('invoices?where={"payments":{"some":{"amount.gt":9},"none":{"amount.lt":1}}}') == [
        "all of",
        "  some of payments",
        "    amount > $0",
        "  none of payments",
        "    amount < $1",
    ]


def test_some_and_none_are_opposites() -> None:
    """Whose condition itself is not turned around."""
    assert tree('invoices?where={"not":{"payments":{"some":{"amount.gt":9}}}}') == ["none of payments", "  amount > $0"]
    assert tree('invoices?where={"not":{"payments":{"none":{"amount.gt":9}}}}') == ["some of payments", "  amount > $0"]


def test_a_bracket_of_a_to_one_is_met_by_a_row() -> None:
    """There is one at most, and no quantifier but some; the want of one meets nothing."""
    assert tree("invoices?filter[client][country]=5&filter[client][city]=x") == [
        "all of",
        "  client.userid is not null",
        "  all of",
        "    client.country = $0",
        "    client.city = $1",
    ]
    assert tree('invoices?where={"client":{"some":{"country":5}}}') == [
        "all of",
        "  client.userid is not null",
        "  client.country = $0",
    ]
    assert tree('invoices?where={"not":{"client":{"some":{}}}}')[:2] == ["some of", "  client.userid is null"]
    for quantifier in ("none", "every"):
        where = f'{{"client":{{"{quantifier}":{{"country":5}}}}}}'
        assert refused_at(f"invoices?where={where}") == ("quantifier_misfit", "where#/client")


def refused_at(target: str) -> tuple[str, str | None]:
    """Return the code of what a list is refused with, and the parameter it names."""
    error = refused_list(CRM, target)
    assert isinstance(error, RequestError)
    return error.code, error.issues[0].parameter


@pytest.mark.parametrize(
    ("target", "code", "parameter"),
    [
        ("invoices?filter[total][gte]=5", "filter_syntax", "filter[total][gte]"),
        ("invoices?filter[nothing][id]=5", "field_unknown", "filter[nothing][id]"),
        ("invoices?filter[client.password][id]=5", "field_unknown", "filter[client.password][id]"),
        ("invoices?filter[payments][total]=5", "field_unknown", "filter[payments][total]"),
        ("invoices?filter[payments][amount]=x", "operand_invalid", "filter[payments][amount]"),
        ("invoices?filter[client.company.gtt]=x", "operator_unknown", "filter[client.company.gtt]"),
        ('invoices?where={"payments":{"some":{"amount.contains":"1"}}}', "operator_misfit", "where#/payments/some"),
    ],
)
def test_a_condition_on_other_rows_is_refused_where_it_stands(target: str, code: str, parameter: str) -> None:
    """As one on the row itself is."""
    found, where = refused_at(target)

    assert found == code
    assert where is not None
    assert where.startswith(parameter)


def test_a_list_of_too_many_values_is_refused() -> None:
    """However it was sent."""
    most = ",".join(["1"] * 1000)
    assert planned("id.in", most)[2:] == (1,) * 1000
    for operand in (f"{most},1", [1] * 1001):
        with pytest.raises(RequestError) as caught:
            planned("id.nin", operand)
        assert (caught.value.code, caught.value.detail) == (
            "query_too_large",
            "A list has at most 1000 values; this one has 1001.",
        )
        assert [issue.parameter for issue in caught.value.issues] == ["filter[id.nin]"]


def test_the_values_of_all_lists_of_a_query_are_counted() -> None:
    """Each list is allowed and so is their number: a statement of all of them is not, and is refused while planning."""
    lists = [ConditionIntent(("id", "in"), [*range(1000)], f"where#/or/{number}/id.in") for number in range(11)]
    table = CATALOG.resources["things"]
    context = context_of(CATALOG)
    plan_conditions(context, table, [AnyIntent(tuple(lists[:10]))])
    assert len(context.slots.values) == 10_000

    with pytest.raises(RequestError) as caught:
        plan_conditions(context_of(CATALOG), table, [AnyIntent(tuple(lists))])
    assert (caught.value.code, caught.value.detail) == (
        "query_too_large",
        "A query compares with at most 10000 values.",
    )
    assert [issue.parameter for issue in caught.value.issues] == ["where#/or/10/id.in"]


def test_what_a_grant_compares_with_is_not_counted_against_the_client() -> None:
    """Who may see few rows may ask as much as others."""
    narrow = granted(invoices=Grant(READ, row_filter=(ConditionIntent(("id", "in"), [*range(1000)], "row_filter"),)))
    many = {"where": {"and": [{"id.in": [*range(1000)]} for _ in range(10)]}}

    asked = plan_any(CRM, query_request(CRM, "invoices", many).intent, narrow)
    assert len(asked.values) > 11_000


HALF_PAST: datetime = datetime(2026, 3, 29, 10, 0, 0, 500_000)
LONG_MONEY: Decimal = Decimal("12345678901234567890.1000000000000000000001")


@pytest.mark.parametrize(
    ("path", "operand", "due"),
    [
        ("money", "1.500", ("money", "eq", Decimal("1.500"))),
        ("money", "1.505", ("and", ("money", "gte", Decimal("1.505")), ("money", "lte", Decimal("1.505")))),
        ("money.exact", "1.505", ("and", ("money", "gte", Decimal("1.505")), ("money", "lte", Decimal("1.505")))),
        ("money", str(LONG_MONEY), ("and", ("money", "gte", LONG_MONEY), ("money", "lte", LONG_MONEY))),
        ("money.ne", "1.505", ("or", ("money", "lt", Decimal("1.505")), ("money", "gt", Decimal("1.505")))),
        ("money.in", "1.50,2", ("money", "in", Decimal("1.50"), Decimal(2))),
        ("money.in", "2,1.505", ("money", "in", Decimal(2))),
        ("money.nin", "1.505,2", ("money", "nin", Decimal(2))),
        (
            "money.in",
            "1.505,1.506",
            ("or", ("and", ("money", "gte", Decimal("1.505")), ("money", "lte", Decimal("1.505")))),
        ),
        (
            "money.nin",
            "1.505",
            ("and", ("or", ("money", "lt", Decimal("1.505")), ("money", "gt", Decimal("1.505")))),
        ),
        (
            "wall",
            "2026-03-29T10:00:00.5",
            ("and", ("wall", "gte", HALF_PAST), ("wall", "lte", HALF_PAST)),
        ),
        ("fine", "2026-03-29T10:00:00.5", ("fine", "eq", HALF_PAST)),
        (
            "span",
            "10:00:00.5",
            (
                "and",
                ("span", "gte", timedelta(hours=10, milliseconds=500)),
                ("span", "lte", timedelta(hours=10, milliseconds=500)),
            ),
        ),
        ("span", "10:00:00", ("span", "eq", timedelta(hours=10))),
    ],
)
def test_a_value_finer_than_its_column_is_asked_as_a_range(path: str, operand: str, due: Shown) -> None:
    """It equals none of the column's values, but MariaDB rounds it to look it up in an index.

    In a list it adds nothing to what can be equal, nor takes anything from it.
    """
    assert planned(path, operand) == due
