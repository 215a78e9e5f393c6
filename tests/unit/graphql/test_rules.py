"""The rules that documents keep: the library's, or ours in their place."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError, parse, specified_rules, validate
from graphql.validation import (
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    ValuesOfCorrectTypeRule,
    VariablesInAllowedPositionRule,
)
from graphql.validation.rules.variables_in_allowed_position import allowed_variable_usage

from gateway.graphql import rules
from gateway.graphql.rules import LEFT_OUT, RULES, ValuesRule, VariablesRule
from tests.support.small_graphql import small_schema


def told(text: str) -> list[GraphQLError]:
    return validate(small_schema(), parse(text), RULES, hide_suggestions=True)


def messages(text: str) -> list[str]:
    return [error.message for error in told(text)]


def test_what_is_left_out_of_the_librarys_rules_is_said() -> None:
    """A rule that a new version brings is in force; one that it renames fails here."""
    names = {rule.__name__ for rule in specified_rules}

    assert names >= LEFT_OUT
    assert {rule.__name__ for rule in RULES} == names - LEFT_OUT | {"ValuesRule", "VariablesRule"}


@pytest.mark.parametrize("text", ["subscription { invoices { id } }", "{ ... @defer { invoices { id } } }"])
def test_what_the_schema_does_not_have_is_refused_without_rules_for_it(text: str) -> None:
    """Subscriptions, and directives that come in parts."""
    assert messages(text)


@pytest.mark.parametrize(
    "text",
    [
        "query ($a: Int) { invoices(limit: $a) { id } }",
        "query ($a: Int!) { invoices_by_key(id: $a) { id } }",
        "query ($a: Int = 1) { invoices_by_key(id: $a) { id } }",
        "query ($a: [Int!]) { invoices(filter: {id_in: $a}) { id } }",
        "query ($a: Direction!) { invoices(sort: [{id: $a}]) { id } }",
        "query ($a: Int) { ...F } query B ($a: Int) { ...F } fragment F on Query { invoices(limit: $a) { id } }",
        "query ($a: Boolean!) { invoices @include(if: $a) { id } }",
        "mutation ($d: Boolean) { createInvoice(input: {}, dryRun: $d) { id } }",
        "mutation ($d: JSON) { createInvoice(input: {data: {a: [$d]}}) { id } }",
        'mutation @atomic { createInvoice(input: {data: {a: [1.50, "x", TRUE, null]}, tags: "one"}) { id } }',
    ],
)
def test_valid_documents_pass(text: str) -> None:
    """As they pass the library's rules."""
    text = text.replace("query ($a: Int) { ...F }", "query A ($a: Int) { ...F }")

    assert not told(text)
    assert not validate(small_schema(), parse(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ invoices(limit: $a) { id } }", "Variable '$a' is not declared."),
        ("query Q { invoices(limit: $a) { id } }", "Variable '$a' is not declared in operation 'Q'."),
        ("query ($a: Int) { invoices { id } }", "Variable '$a' is never used."),
        (
            "query ($a: Int) { invoices_by_key(id: $a) { id } }",
            "Variable '$a' of type 'Int' stands where 'Int!' is due.",
        ),
        (
            "query ($a: String) { invoices(limit: $a) { id } }",
            "Variable '$a' of type 'String' stands where 'Int' is due.",
        ),
        ("query ($a: [Int]) { invoices(filter: {id_in: $a}) { id } }", "stands where '[Int!]' is due."),
        (
            "query ($a: Direction) { invoices(sort: [{client: {company: $a}}]) { id } }",
            "Variable '$a' of type 'Direction' may be null, and a field of 'ClientSort' is not.",
        ),
        (
            "query Q { ...F } fragment F on Query { ...G } fragment G on Query { invoices(limit: $a) { id } }",
            "in operation 'Q'",
        ),
        ("{ invoices(limit: 1.5) { id } }", "Int cannot represent non-integer value: 1.5"),
        ("{ invoices(filter: {and: [{id: true}]}) { id } }", "and.0.id: Int cannot represent non-integer value: true"),
        ("{ invoices(filter: {totl: 1}) { id } }", "InvoiceFilter has no field 'totl'."),
        ("{ invoices(filter: 5) { id } }", "5 is no object, as InvoiceFilter is."),
        ("{ invoices(filter: {id_in: [1, null]}) { id } }", "id_in.1: null is no value of type Int!."),
        (
            "{ invoices(sort: [{id: ASC, total: ASC}]) { id } }",
            "0: Exactly one field of InvoiceSort is due, and not null.",
        ),
        ("{ invoices(sort: [{}]) { id } }", "0: Exactly one field of InvoiceSort is due, and not null."),
        ("{ invoices(sort: [{id: null}]) { id } }", "0: Exactly one field of InvoiceSort is due, and not null."),
        ("{ invoices(sort: [{id: UP}]) { id } }", "0.id: Value 'UP' does not exist in 'Direction' enum."),
        ('{ invoices(filter: {total_gte: "x"}) { id } }', 'total_gte: "x" is no value of type Decimal.'),
        ("query ($a: Int = true) { invoices(limit: $a) { id } }", "Int cannot represent non-integer value: true"),
        ("query @atomic { invoices { id } }", "Directive '@atomic' may not be used on query."),
    ],
)
def test_each_fault_is_told_with_its_place(text: str, said: str) -> None:
    """The library's rules refuse the same documents."""
    (error,) = told(text)

    assert said in error.message
    assert error.locations
    assert validate(small_schema(), parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "{ invoces { id } }",
        "{ invoices { totl } }",
        "{ invoices(limt: 1) { id } }",
        "{ invoices(filter: {totl_gte: 1}) { id } }",
        "{ invoices(sort: [{id: ASCE}]) { id } }",
        "{ ... on Querry { invoices { id } } }",
        "query ($a: InvoiceFiltr) { invoices(filter: $a) { id } }",
        "{ invoices @includ(if: true) { id } }",
    ],
)
def test_nothing_is_suggested(text: str) -> None:
    """A name that nearly fits one that the caller cannot see would tell it."""
    assert messages(text)
    assert all("mean" not in message for message in messages(text))


def test_equal_uses_of_a_variable_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred uses in a fragment that fifty operations spread are fifty judgements."""
    judged: list[object] = []

    def counted(*given: Any) -> bool:
        judged.append(given)
        return allowed_variable_usage(*given)

    monkeypatch.setattr(rules, "allowed_variable_usage", counted)
    operations = "".join(f"query Q{i} ($a: Int) {{ ...F }} " for i in range(50))
    fragment = "fragment F on Query {" + "invoices(limit: $a) { id } " * 100 + "}"

    assert not told(operations + fragment)
    assert len(judged) == 50


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (VariablesRule, (NoUndefinedVariablesRule, NoUnusedVariablesRule, VariablesInAllowedPositionRule)),
        (ValuesRule, (ValuesOfCorrectTypeRule,)),
    ],
)
def test_our_rules_find_as_many_faults_as_the_librarys(ours: type, theirs: tuple[type, ...]) -> None:
    """In one document with several."""
    text = """
    query A ($a: Int, $unused: Int) { invoices(limit: $a, filter: {id: true, zz: 1}) { id } ...F }
    query B ($b: String) { invoices(limit: $b, filter: {not: {id_in: [1, "x"]}}) { id } ...F }
    fragment F on Query { invoices_by_key(id: $a) { id } }
    """
    schema, document = small_schema(), parse(text)

    assert len(validate(schema, document, [ours])) == len(validate(schema, document, theirs)) > 2
