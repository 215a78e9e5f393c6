"""The rules that documents keep: the library's, or ours in their place."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import BREAK, SKIP, GraphQLError, Visitor, parse, specified_rules, validate
from graphql.validation import (
    ASTValidationRule,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    ValuesOfCorrectTypeRule,
    VariablesInAllowedPositionRule,
)
from graphql.validation.rules.variables_in_allowed_position import allowed_variable_usage

from gateway.graphql import rules
from gateway.graphql.rules import LEFT_OUT, RULES, AllRules, ValuesRule, VariablesRule
from tests.support.small_graphql import small_schema


def told(text: str) -> list[GraphQLError]:
    return validate(small_schema(), parse(text), (AllRules,), hide_suggestions=True)


def messages(text: str) -> list[str]:
    return [error.message for error in told(text)]


def test_what_is_left_out_of_the_librarys_rules_is_said() -> None:
    """A rule that a new version brings is in force; one that it renames fails here."""
    names = {rule.__name__ for rule in specified_rules}

    assert names >= LEFT_OUT
    assert {rule.__name__ for rule in RULES} == names - LEFT_OUT | {"ValuesRule", "VariablesRule"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{ invoices(limit: "x") { id } }', "limit: Int"),
        ('{ invoices(filter: {or: [{id: 1}, {total_gte: "x"}]}) { id } }', "filter.or.1.total_gte: "),
        ("{ invoices(limit: 1) @include(if: 1) { id } }", "if: true or false is due."),
        ("query ($n: Int = true) { invoices(limit: $n) { id } }", "$n: Int"),
        ("mutation { createInvoice(input: {tags: 1}) { id } }", "input.tags"),
    ],
)
def test_a_literal_that_does_not_fit_is_named_with_its_argument(text: str, message: str) -> None:
    """And the place in it: two fields' filters could both be at fault."""
    (found,) = messages(text)
    assert found.startswith(message)


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
            "sort.0: Exactly one field of InvoiceSort is due, and not null.",
        ),
        ("{ invoices(sort: [{}]) { id } }", "sort.0: Exactly one field of InvoiceSort is due, and not null."),
        ("{ invoices(sort: [{id: null}]) { id } }", "sort.0: Exactly one field of InvoiceSort is due, and not null."),
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
    ("document", "type_name"),
    [
        ("query ($a: Direction) { invoices(sort: [{id: $a}]) { id } }", "InvoiceSort"),
        ("query ($a: Direction) { invoices(sort: {id: $a}) { id } }", "InvoiceSort"),
        ("query ($a: ClientSort) { invoices(sort: [{client: $a}]) { id } }", "InvoiceSort"),
        ("query ($a: Direction) { invoices(sort: {client: {company: $a}}) { id } }", "ClientSort"),
    ],
)
def test_a_variable_in_an_object_of_one_field_is_never_null(document: str, type_name: str) -> None:
    """Wherever the object stands: in a list, as the list's only item, in another one.

    The library's own rule looks only at objects that do not stand in lists.
    Source: GraphQL, September 2025, section 5.8.5.
    """
    (said,) = messages(document)

    assert f"may be null, and a field of '{type_name}' is not." in said
    assert not messages(document.replace(")", "!)", 1))


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


# All rules at once

FAULTY = [
    "{ invoices { id } }",
    'query A { a b invoices(x: 1, limit: "2") { id { id } client } } query A { invoices(limit: 1, limit: 2) { id } }',
    "{ ...A } fragment A on Invoice { id } fragment B on Nothing { id } fragment A on Query { invoices { id } }",
    "query ($a: Int, $a: Int, $b: Nothing, $c: Invoice) { invoices(limit: $d) { id @skip @skip(if: 1) @what } }",
    '{ invoices(filter: {id: 1, id: 2, what: 3, id_in: [1, "x"]}, sort: [{id: ASC, total: DESC}]) { total } }',
    "mutation { createInvoice { id } createInvoices(input: [{tags: {}, what: 2}, 1]) { id ... on Client { id } } }",
    "type T { a: Int } { invoices { id } } { invoices { id } }",
]


@pytest.mark.parametrize("text", FAULTY)
@pytest.mark.parametrize("most", [1, 3, 100])
def test_all_rules_at_once_tell_what_they_tell_one_by_one(text: str, most: int) -> None:
    """The same faults in the same order, and an end at as many."""
    document = parse(text)
    apart, at_once = (validate(small_schema(), document, each, max_errors=most) for each in (RULES, (AllRules,)))

    assert [(error.message, error.locations) for error in at_once] == [
        (error.message, error.locations) for error in apart
    ]


class _Visits:
    """What rules hear, by their number; a number says something of itself where the word for it is reached."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, str]] = []

    def rule(self, number: int, on: str, word: str, action: object) -> type[ASTValidationRule]:
        heard = self.heard

        def hear(_self: ASTValidationRule, node: Any, *_: Any) -> object:
            heard.append((number, f"{on} {node.name.value}"))
            return action if node.name.value == word else None

        def begin(_self: ASTValidationRule, node: Any, *_: Any) -> None:
            heard.append((number, f"begin {node.name.value}"))

        methods = {f"{on}_field": hear} if on == "enter" else {"enter_field": begin, "leave_field": hear}
        return type("Hearing", (ASTValidationRule,), methods)


ACTIONS = [None, SKIP, BREAK, False, True]


@pytest.mark.parametrize("on", ["enter", "leave"])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_rule_that_looks_no_deeper_does_not_keep_the_others_from_it(
    on: str, action: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rule goes its way as the library lets it; one that has enough hears nothing more."""
    document = parse("{ a { b { c } d } e { b { f } } }")
    heard = []
    for is_at_once in (False, True):
        visits = _Visits()
        made = (visits.rule(0, on, "b", action), visits.rule(1, "leave", "", None), visits.rule(2, "enter", "a", SKIP))
        monkeypatch.setattr(rules, "RULES", made)
        rules._heedful.cache_clear()
        validate(small_schema(), document, (AllRules,) if is_at_once else made)
        heard.append(visits.heard)
    rules._heedful.cache_clear()

    assert heard[0] == heard[1]
    assert {number for number, _ in heard[0]} == {0, 1, 2}


def test_only_rules_that_have_a_method_for_a_node_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only they are asked for it, however many others there are."""
    asked: list[tuple[str, str]] = []
    get = Visitor.get_enter_leave_for_kind

    def counted(self: Visitor, kind: str) -> Any:
        asked.append((type(self).__name__, kind))
        return get(self, kind)

    monkeypatch.setattr(Visitor, "get_enter_leave_for_kind", counted)
    assert told("{ invoices { id total client { id company } } }") == []

    by_rules = [(name, kind) for name, kind in asked if name in {rule.__name__ for rule in RULES}]
    assert len(by_rules) == len(set(by_rules)) < len({kind for _, kind in asked}) * len(RULES) / 4
    assert ("FieldsOnCorrectTypeRule", "field") in by_rules
    assert {name for name, kind in by_rules if kind == "name"} == {"UniqueDirectivesPerLocationRule"}  # of any node
