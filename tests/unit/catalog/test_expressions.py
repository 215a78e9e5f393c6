"""Expressions of derived fields: parsed without tables, resolved in a scope."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.conditions import GrammarError
from gateway.catalog.expressions import (
    BinarySyntax,
    InSyntax,
    NameSyntax,
    NumberSyntax,
    PathSyntax,
    SumSyntax,
    Syntax,
    UnknownName,
    parse_field,
    resolve,
)
from gateway.catalog.kinds import parse_sql_type
from gateway.catalog.model import (
    BinaryTerm,
    Column,
    ColumnTerm,
    ExpressionField,
    InTerm,
    NumberTerm,
    Relationship,
    SumTerm,
    TodayTerm,
)

TOTAL = Column("total", parse_sql_type("decimal(15,2)"))
COUNT = Column("count", parse_sql_type("int(11)"))
DUE = Column("duedate", parse_sql_type("date"))
AMOUNT = Column("amount", parse_sql_type("decimal(18,4)"))
PAYMENTS = Relationship("payments", "invoices", "payments", True, (("id", "invoiceid"),))
PAID = ExpressionField("paid", AMOUNT.type, SumTerm(PAYMENTS, AMOUNT), "sum(payments.amount)")


class Scope:
    """One invoice table."""

    def field(self, name: str) -> Column | ExpressionField:
        found: dict[str, Column | ExpressionField] = {"total": TOTAL, "count": COUNT, "duedate": DUE, "paid": PAID}
        if name not in found:
            raise UnknownName(name)
        return found[name]

    def summed(self, relationship: str, column: str) -> tuple[Relationship, Column]:
        if (relationship, column) != ("payments", "amount"):
            raise UnknownName(relationship)
        return PAYMENTS, AMOUNT


def syntax_of(text: str) -> Syntax:
    found = parse_field(text)
    assert not isinstance(found, PathSyntax)
    return found


def test_a_path_reads_one_column_or_joins_several() -> None:
    """A path is no expression: it belongs to the row at its end."""
    assert parse_field("client.company") == PathSyntax("client", ("company",))
    assert parse_field("join(one.first, one.last)") == PathSyntax("one", ("first", "last"))


def test_sums_differences_comparisons_and_conjunctions_nest_from_the_left() -> None:
    """The usual precedence: arithmetic, comparison, and."""
    assert syntax_of("a + b - 1 > 0 and c in (1, 2)") == BinarySyntax(
        "and",
        BinarySyntax(
            ">",
            BinarySyntax("-", BinarySyntax("+", NameSyntax("a"), NameSyntax("b")), NumberSyntax(1)),
            NumberSyntax(0),
        ),
        InSyntax(NameSyntax("c"), (1, 2)),
    )


def test_parentheses_group() -> None:
    """What stands in parentheses is one term."""
    grouped = BinarySyntax("-", NameSyntax("a"), BinarySyntax("+", NameSyntax("b"), NameSyntax("c")))
    assert syntax_of("a - (b + c)") == grouped


def test_a_sum_names_a_relationship_and_a_column() -> None:
    """`sum` is a word of the grammar only before a parenthesis."""
    assert syntax_of("sum(items.qty)") == SumSyntax("items", "qty")
    assert syntax_of("sum + 1") == BinarySyntax("+", NameSyntax("sum"), NumberSyntax(1))


@pytest.mark.parametrize(
    "text", ["", "a +", "a b", "sum(a)", "join(a.b, c.d)", "a in ()", "a = = b", "a; b", "1.5", "(a"]
)
def test_anything_else_is_refused(text: str) -> None:
    """A mistake in a profile is found by its tests."""
    with pytest.raises(GrammarError):
        parse_field(text)


@given(st.text(alphabet="ab1 +-<>=(),.sumintody", max_size=30))
def test_any_text_is_a_field_or_a_grammar_error(text: str) -> None:
    """The parser fails in one way only."""
    offset = 0
    try:
        parse_field(text)
    except GrammarError as error:
        offset = error.offset

    assert 0 <= offset <= len(text)


def test_names_become_the_scopes_columns_and_expressions() -> None:
    """A derived field stands in for its expression."""
    expression, found = resolve(syntax_of("total - paid"), Scope())
    assert expression == BinaryTerm("-", ColumnTerm(TOTAL), SumTerm(PAYMENTS, AMOUNT))
    assert (found.kind.name, found.scale) == ("decimal", 4)


@pytest.mark.parametrize(
    ("text", "kind", "scale"),
    [
        ("total", "decimal", 2),
        ("sum(payments.amount)", "decimal", 4),
        ("total + 1", "decimal", 2),
        ("1 - total", "decimal", 2),
        ("count + 1", "integer", None),
        ("total > 0", "flag", None),
        ("count in (1, 2)", "flag", None),
        ("duedate < today and total > 0", "flag", None),
    ],
)
def test_a_result_has_the_type_of_its_most_exact_part(text: str, kind: str, scale: int | None) -> None:
    """Money keeps its scale, comparisons are flags."""
    _, found = resolve(syntax_of(text), Scope())
    assert (found.kind.name, found.scale) == (kind, scale)


def test_today_and_numbers_are_terms_of_their_own() -> None:
    """The day is a value of the plan, a number part of the text."""
    assert resolve(syntax_of("duedate < today"), Scope())[0] == BinaryTerm("<", ColumnTerm(DUE), TodayTerm())
    assert resolve(syntax_of("count in (3)"), Scope())[0] == InTerm(ColumnTerm(COUNT), (3,))
    assert resolve(syntax_of("7"), Scope())[0] == NumberTerm(7)


@pytest.mark.parametrize("text", ["nothing", "total - nothing", "sum(payments.tax)", "sum(credits.amount) > 0"])
def test_a_name_the_scope_lacks_makes_the_whole_impossible(text: str) -> None:
    """The caller leaves the field out."""
    with pytest.raises(UnknownName):
        resolve(syntax_of(text), Scope())
