"""Scalars: what columns are in GraphQL, and that values come through with all their digits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    graphql_sync,
    parse_const_value,
    print_ast,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import KINDS, ColumnType, parse_sql_type
from gateway.graphql.scalars import (
    BASE64,
    BIG_INT,
    DATE,
    DATE_TIME,
    DECIMAL,
    FLOAT,
    INT,
    JSON,
    SCALARS,
    TIME,
    leaf_of,
    leaf_of_metric,
)
from gateway.query.json_text import read_json
from gateway.query.metrics import metric_type

LONG = "123456789012345678901234567890.1234567890123456789"
HUGE = "18446744073709551615"


def literal(scalar: GraphQLScalarType, text: str) -> Any:
    """Return what a literal of a document is read as."""
    read = scalar.coerce_input_literal
    assert read is not None
    return read(parse_const_value(text))


def variable(scalar: GraphQLScalarType, text: str) -> Any:
    """Return what a variable of a request's JSON is read as."""
    return scalar.coerce_input_value(read_json(f"[{text}]", 20)[0])  # type: ignore[index]  # the text is an array


@pytest.mark.parametrize(
    ("sql", "spelled"),
    [
        ("int(11)", "Int"),
        ("int(10) unsigned", "BigInt"),
        ("smallint(5) unsigned", "Int"),
        ("mediumint", "Int"),
        ("bigint(20)", "BigInt"),
        ("tinyint(1)", "Int"),
        ("bit(1)", "BigInt"),
        ("bit(64)", "BigInt"),
        ("year(4)", "Int"),
        ("decimal(15,2)", "Decimal"),
        ("decimal(30,10)", "Decimal"),
        ("double", "Float"),
        ("float", "Float"),
        ("varchar(20)", "String"),
        ("enum('a','b')", "String"),
        ("set('a','b')", "[String!]"),
        ("date", "Date"),
        ("datetime", "DateTime"),
        ("timestamp", "DateTime"),
        ("time", "Time"),
        ("varbinary(5)", "Base64"),
        ("longblob", "Base64"),
        ("json", "JSON"),
        ("point", "Base64"),
    ],
)
def test_what_columns_are(sql: str, spelled: str) -> None:
    """Whole numbers that may exceed 32 bits are BigInt, and so are bit fields."""
    assert str(leaf_of(parse_sql_type(sql))) == spelled


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_is_one_of_the_scalars(kind: Any) -> None:
    """The type table names no scalar that there is not."""
    assert str(leaf_of(ColumnType(kind, "x"))) in {*SCALARS, "[String!]"}


@pytest.mark.parametrize(
    ("function", "sql", "spelled"),
    [
        ("sum", "int(11)", "BigInt"),
        ("sum", "tinyint(1)", "BigInt"),
        ("sum", "bit(3)", "BigInt"),
        ("sum", "decimal(15,2)", "Decimal"),
        ("sum", "double", "Float"),
        ("avg", "int(11)", "Decimal"),
        ("avg", "decimal(15,2)", "Decimal"),
        ("avg", "double", "Float"),
        ("min", "int(11)", "Int"),
        ("max", "int(10) unsigned", "BigInt"),
        ("max", "date", "Date"),
        ("min", "varchar(9)", "String"),
        ("count_distinct", "varchar(9)", "Int"),
        ("count_distinct", "set('a')", "Int"),
    ],
)
def test_what_numbers_are(function: Any, sql: str, spelled: str) -> None:
    """A sum of whole numbers outgrows its column, averages are exact, the least and greatest are as the column."""
    assert str(leaf_of_metric(function, metric_type(function, parse_sql_type(sql)))) == spelled


@pytest.mark.parametrize(
    ("scalar", "text", "value"),
    [
        (INT, "7", 7),
        (INT, "-2147483648", -(2**31)),
        (FLOAT, "0.1", Decimal("0.1")),
        (FLOAT, "3", 3),
        (FLOAT, "1e400", Decimal("1e400")),
        (BIG_INT, HUGE, int(HUGE)),
        (BIG_INT, f'"{HUGE}"', HUGE),
        (DECIMAL, LONG, Decimal(LONG)),
        (DECIMAL, f'"{LONG}"', LONG),
        (DECIMAL, "10.00", Decimal("10.00")),
        (DECIMAL, "5", 5),
        (DATE, '"2026-03-31"', "2026-03-31"),
        (DATE, '"@today-7d"', "@today-7d"),
        (DATE_TIME, '"2026-03-31T09:30:00+02:00"', "2026-03-31T09:30:00+02:00"),
        (TIME, '"-101:30:00"', "-101:30:00"),
        (BASE64, '"AAE="', "AAE="),
        (JSON, LONG, Decimal(LONG)),
        (JSON, '"a"', "a"),
        (JSON, "[1, 2.50, null, true]", [1, Decimal("2.50"), None, True]),
    ],
)
def test_values_keep_their_digits(scalar: GraphQLScalarType, text: str, value: object) -> None:
    """The same in a document as in the JSON of the variables, and never a float."""
    read, sent = literal(scalar, text), variable(scalar, text)

    assert (repr(read), repr(sent)) == (repr(value), repr(value))


def test_json_of_documents_is_that_of_variables() -> None:
    """Objects are written without quotes around their names there."""
    assert literal(JSON, '{a: {b: [1.50, {c: ""}]}, d: null}') == {"a": {"b": [Decimal("1.50"), {"c": ""}]}, "d": None}
    assert repr(variable(JSON, '{"a": 1.50}')) == "{'a': Decimal('1.50')}"


def test_a_whole_number_may_be_written_with_a_point_in_json() -> None:
    """GraphQL, October 2021, section 3.5.1: 7.0 is whole; 7.5 is not, and a literal is written without a point."""
    assert repr(variable(INT, "7.0")) == "7"
    for read, text in ((variable, "7.5"), (literal, "7.0"), (variable, "1e400"), (variable, "1e-400")):
        with pytest.raises(GraphQLError):
            read(INT, text)


@pytest.mark.parametrize(
    ("scalar", "texts"),
    [
        (INT, ["2147483648", "-2147483649", '"7"', "true", "[7]"]),
        (FLOAT, ['"0.1"', "true", "[1]"]),
        (BIG_INT, ["true", "[1]"]),
        (DECIMAL, ["true", "[1]"]),
        (DATE, ["2026", "true", '["2026-03-31"]']),
        (DATE_TIME, ["1", "1.5"]),
        (TIME, ["1"]),
        (BASE64, ["1"]),
    ],
)
def test_values_of_another_form_are_refused(scalar: GraphQLScalarType, texts: list[str]) -> None:
    """With what is due; what a text says is judged by the planner, as that of REST is."""
    for text in texts:
        for read in (literal, variable):
            with pytest.raises(GraphQLError, match="is due"):
                read(scalar, text)


@pytest.mark.parametrize("scalar", [INT, FLOAT, BIG_INT, DECIMAL, JSON])
def test_numbers_of_any_length_are_refused_soon(scalar: GraphQLScalarType) -> None:
    """A document could hold a million digits, which take long to read."""
    with pytest.raises(GraphQLError):
        literal(scalar, "9" * 401)


def test_an_enum_value_is_no_json() -> None:
    """A word without quotes is a mistake."""
    with pytest.raises(GraphQLError):
        literal(JSON, "{a: WORD}")


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.text(max_size=5)
    | st.integers(-(10**20), 10**20)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "_c"]), inner, max_size=3),
    max_leaves=8,
)


@given(JSON_VALUES)
def test_json_is_written_as_a_literal_and_read_again(value: object) -> None:
    """A variable inside a JSON literal becomes one on its way: no digit is lost."""
    node = JSON.value_to_literal(value)  # type: ignore[misc]  # the library says no type
    assert node is not None

    assert repr(literal(JSON, print_ast(node))) == repr(value)


@pytest.mark.parametrize("scalar", [BIG_INT, DECIMAL, FLOAT, INT])
def test_other_values_are_no_literals_of_numbers(scalar: GraphQLScalarType) -> None:
    """The library then says what is wrong with them."""
    assert scalar.value_to_literal is not None
    assert scalar.value_to_literal([1]) is None
    assert scalar.value_to_literal(True) is None


@pytest.mark.parametrize("scalar", SCALARS.values(), ids=SCALARS)
def test_the_library_takes_our_int_and_float(scalar: GraphQLScalarType) -> None:
    """In a schema of its own, through its own execution: what it hands on is what was read."""
    got: list[object] = []
    field = GraphQLField(INT, {"given": GraphQLArgument(scalar)}, lambda _, __, given: got.append(given))
    schema = GraphQLSchema(GraphQLObjectType("Query", {"field": field}))
    values = {"Int": 7, "Boolean": True, "Float": Decimal("0.1"), "BigInt": Decimal(7), "Decimal": Decimal("1.10")}
    value = values.get(scalar.name, "2026-03-31")

    result = graphql_sync(schema, f"query ($x: {scalar.name}) {{ field(given: $x) }}", variable_values={"x": value})

    assert result.errors is None
    assert repr(got) == repr([value])
    assert schema.get_type(scalar.name) is scalar


@pytest.mark.parametrize("scalar", SCALARS.values(), ids=SCALARS)
def test_every_scalar_is_described(scalar: GraphQLScalarType) -> None:
    """Those that follow a specification say which."""
    assert scalar.description
    if scalar.name in ("Date", "DateTime", "Base64", "JSON"):
        assert str(scalar.specified_by_url).startswith("https://www.rfc-editor.org/rfc/")
