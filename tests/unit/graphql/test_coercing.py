"""Variables and literals -> what arguments hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from graphql import FieldNode, GraphQLError, GraphQLInputObjectType, OperationDefinitionNode, parse
from graphql.execution.values import VariableValues

from gateway.graphql.coercing import arguments_of, variables_of
from gateway.graphql.faults import DocumentError, InvalidDocumentError
from gateway.graphql.limits import MOST_FAULTS
from tests.support.small_graphql import small_schema


def operation(text: str) -> OperationDefinitionNode:
    found = parse(text).definitions[0]
    assert isinstance(found, OperationDefinitionNode)
    return found


def variables(declared: str, sent: dict[str, Any], others: frozenset[str] = frozenset()) -> VariableValues:
    return variables_of(small_schema(), operation(f"query ({declared}) {{ a }}"), sent, others)


def faults(declared: str, sent: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidDocumentError) as caught:
        variables(declared, sent)
    assert {fault.code for fault in caught.value.faults} == {"variables_invalid"}
    return [fault.detail for fault in caught.value.faults]


def arguments(field: str, declared: str = "", sent: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the arguments of a field of Query."""
    head = f"query ({declared}) " if declared else ""
    found = operation(f"{head}{{ {field} }}")
    node = found.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    query = small_schema().query_type
    assert query is not None
    return arguments_of(query.fields[node.name.value], node, variables_of(small_schema(), found, sent or {}))


def test_what_was_sent_comes_in_the_order_in_which_it_was_sent() -> None:
    """With every digit; what was left out is not there, null is."""
    sent = {"f": {"total_gte": Decimal("1.50"), "id_in": [2, 1], "and": [{"id": None}]}}

    found = variables("$f: InvoiceFilter, $n: Int", sent).coerced

    assert found == {"f": {"total_gte": Decimal("1.50"), "id_in": [2, 1], "and": [{"id": None}]}}
    assert list(found["f"]) == ["total_gte", "id_in", "and"]
    assert str(found["f"]["total_gte"]) == "1.50"


def test_one_value_stands_for_a_list_of_it() -> None:
    """As in a document."""
    assert variables("$f: InvoiceFilter", {"f": {"id_in": 1, "and": {"id": 2}}}).coerced["f"] == {
        "id_in": [1],
        "and": [{"id": 2}],
    }
    assert arguments("invoices(filter: {id_in: 1, and: {id: 2}})") == {"filter": {"id_in": [1], "and": [{"id": 2}]}}


def test_defaults_of_variables_are_used_where_none_was_sent() -> None:
    """Null was sent."""
    declared = "$a: Int = 5, $b: Int = 6"

    assert variables(declared, {"b": None}).coerced == {"a": 5, "b": None}


@pytest.mark.parametrize(
    ("declared", "sent", "said"),
    [
        ("$a: Int!", {}, "$a: a value of type Int! is required."),
        ("$a: Int!", {"a": None}, "$a: null is no value of type Int!."),
        ("$a: Int", {"a": "x"}, "$a: Int cannot represent non-integer value: 'x'"),
        ("$f: InvoiceFilter", {"f": 1}, "$f: 1 is no object, as InvoiceFilter is."),
        ("$f: InvoiceFilter", {"f": [1]}, "$f: a list is no object, as InvoiceFilter is."),
        ("$f: InvoiceFilter", {"f": {"totl": 1}}, "$f: InvoiceFilter has no field 'totl'."),
        ("$f: InvoiceFilter", {"f": {"and": [{}, {"id": {}}]}}, "$f.and.1.id: Int cannot represent"),
        ("$f: InvoiceFilter", {"f": {"id_in": [1, None]}}, "$f.id_in.1: null is no value of type Int!."),
        ("$f: InvoiceFilter", {"f": {"total_gte": "x"}}, "$f.total_gte: x is no value of type Decimal."),
        ("$s: InvoiceSort", {"s": {}}, "$s: Exactly one field of InvoiceSort is due, and not null."),
        ("$s: InvoiceSort", {"s": {"id": "ASC", "total": "ASC"}}, "$s: Exactly one field"),
        ("$s: InvoiceSort", {"s": {"id": None}}, "$s: Exactly one field"),
        ("$s: InvoiceSort", {"s": {"id": "UP"}}, "$s.id: Value 'UP' does not exist in 'Direction' enum."),
        ("$s: InvoiceSort", {"s": {"id": "ASCE"}}, "$s.id: Value 'ASCE' does not exist in 'Direction' enum."),
        ("$s: InvoiceSort", {"s": {"ID": "ASC"}}, "$s: InvoiceSort has no field 'ID'."),
        ("$a: Int", {"b": 1}, "No variable $b is declared."),
    ],
)
def test_a_fault_says_its_place_and_suggests_nothing(declared: str, sent: dict[str, Any], said: str) -> None:
    """One that was sent and never declared is misspelt."""
    (detail,) = faults(declared, sent)

    assert detail.startswith(said)
    assert "mean" not in detail


def test_a_variable_of_another_operation_may_be_sent() -> None:
    """Explorers send the same variables whichever operation is run."""
    assert variables("$a: Int", {"a": 1, "b": 2}, frozenset({"b"})).coerced == {"a": 1}


def test_so_many_faults_are_told_and_no_more() -> None:
    """A body may hold a million."""
    assert len(faults("$f: [InvoiceFilter]", {"f": [{"x": 1}] * 1_000})) == MOST_FAULTS


def test_long_values_are_not_repeated_whole() -> None:
    """Nor long names."""
    (one,) = faults("$f: InvoiceFilter", {"f": "x" * 10_000})
    (other,) = faults("$f: InvoiceFilter", {"f": {"x" * 10_000: 1}})

    assert len(one) < 200
    assert len(other) < 200


def test_a_value_nested_too_deeply_is_refused() -> None:
    """Before the interpreter's stack ends; the depth of a JSON scalar is its own."""
    deep: Any = {"id": 1}
    for _ in range(5_000):
        deep = {"not": deep}

    with pytest.raises(DocumentError) as caught:
        variables("$f: InvoiceFilter", {"f": deep})

    assert (caught.value.code, caught.value.extensions["measure"]) == ("query_too_large", "nesting")


def test_only_what_was_sent_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand empty conditions are ten thousand looks, however many fields a filter has."""
    looks: list[str] = []
    type_ = small_schema().type_map["InvoiceFilter"]
    assert isinstance(type_, GraphQLInputObjectType)

    class Counted(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            looks.append(key)
            return super().get(key, default)

        def __iter__(self) -> Any:
            raise AssertionError("every field is gone through")

    monkeypatch.setattr(type_, "fields", Counted(type_.fields))
    found = variables("$f: [InvoiceFilter]", {"f": [{"id": 1}, {}] * 5_000}).coerced["f"]

    assert len(found) == 10_000
    assert looks == ["id"] * 5_000


def test_literals_hold_variables() -> None:
    """A field whose variable was not sent is not there; in a list it is null."""
    field = "invoices(filter: {id: $a, total_gte: $b, id_in: [$c, 2], or: [{id: $a}]}, limit: $d)"
    declared = "$a: Int, $b: Decimal, $c: Int!, $d: Int"

    assert arguments(field, declared, {"b": Decimal("2.0"), "c": 1}) == {
        "filter": {"total_gte": Decimal("2.0"), "id_in": [1, 2], "or": [{}]}
    }


def test_a_scalar_of_any_form_holds_variables_too() -> None:
    """What is inside of it has no types of its own."""
    mutation = operation("mutation ($a: Int) { createInvoice(input: {data: {x: [$a, 1.5]}}) { id } }")
    schema = small_schema()
    assert schema.mutation_type is not None
    node = mutation.selection_set.selections[0]
    assert isinstance(node, FieldNode)

    found = arguments_of(schema.mutation_type.fields["createInvoice"], node, variables_of(schema, mutation, {"a": 7}))

    assert found == {"input": {"data": {"x": [7, 1.5]}}, "dryRun": False}


@pytest.mark.parametrize(
    ("field", "declared", "sent", "said"),
    [
        ("invoices_by_key(id: $a)", "$a: Int", {"a": None}, "id: $a holds no value, and one of type Int! is due."),
        ("invoices_by_key(id: $a)", "$a: Int", {}, "id: a value of type Int! is required, and its variable has none."),
        ("invoices(filter: {id_in: [$a]})", "$a: Int", {"a": None}, "filter.id_in.0: $a holds no value"),
        ("invoices(filter: {id_in: [$a]})", "$a: Int", {}, "filter.id_in.0: $a holds no value"),
        ("invoices(sort: [{id: $a}])", "$a: Direction", {"a": None}, "sort.0: Exactly one field of InvoiceSort"),
        ("invoices(sort: [{id: $a}])", "$a: Direction", {}, "sort.0: Exactly one field of InvoiceSort"),
    ],
)
def test_a_variable_without_a_value_where_one_is_due_is_refused(
    field: str, declared: str, sent: dict[str, Any], said: str
) -> None:
    """Only its value can tell."""
    with pytest.raises(DocumentError) as caught:
        arguments(field, declared, sent)

    assert caught.value.code == "variables_invalid"
    assert caught.value.detail.startswith(said)
    assert caught.value.locations


def test_a_mistake_of_a_scalar_is_no_fault_of_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what scalars raise for values that do not fit is told."""

    def wrong(_: Any) -> Any:
        raise KeyError("mistake")

    monkeypatch.setattr(small_schema().type_map["Decimal"], "coerce_input_value", wrong)
    with pytest.raises(KeyError):
        variables("$a: Decimal", {"a": 1})

    def refuse(_: Any) -> Any:
        raise GraphQLError("Not this one.")

    monkeypatch.setattr(small_schema().type_map["Decimal"], "coerce_input_value", refuse)
    assert faults("$a: Decimal", {"a": 1}) == ["$a: Not this one."]
