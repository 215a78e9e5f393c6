"""Requests for GraphQL: what a body and a URL may say, and that nothing else is passed over."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from gateway.errors import RequestError
from gateway.graphql.request import DEEPEST_JSON, MOST_VALUES, GraphQLRequest, parse_body, parse_parameters

HASH = {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}


def refused(data: bytes) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parse_body(data)
    return caught.value


def test_a_body_has_a_document_an_operation_and_variables() -> None:
    """And the digits of numbers are those that were written."""
    body = b'{"query": "{ a }", "operationName": "A", "variables": {"x": 1.50, "n": 12345678901234567890}}'

    assert parse_body(body) == GraphQLRequest("{ a }", "A", {"x": Decimal("1.50"), "n": 12345678901234567890})
    assert str(parse_body(body).variables["x"]) == "1.50"


def test_null_is_as_if_it_were_not_there() -> None:
    """Clients send it for what they do not use."""
    body = b'{"query": "{ a }", "operationName": null, "variables": null, "extensions": null}'

    assert parse_body(body) == GraphQLRequest("{ a }")


def test_an_empty_operation_name_is_none() -> None:
    """In a body as in a URL."""
    assert parse_body(b'{"query": "{ a }", "operationName": ""}').operation_name is None
    assert parse_parameters([("query", "{ a }"), ("operationName", "")]).operation_name is None


def test_a_hash_may_stand_for_the_document() -> None:
    """Whether one is known by it, others decide."""
    assert parse_body(json.dumps({"extensions": HASH}).encode()) == GraphQLRequest("", extensions=HASH)


def test_which_program_asks_may_be_said() -> None:
    """Some clients always do; it changes nothing."""
    said = {"clientLibrary": {"name": "x", "version": "1"}}

    assert parse_body(json.dumps({"query": "{ a }", "extensions": said}).encode()).document == "{ a }"


def test_an_extension_that_nobody_heeds_is_named() -> None:
    """The protocol leaves the names there to others, so that it is no mistake; the reply tells of the first ones."""
    said: dict[str, object] = {"persistedQuery": None, "tracing": {}, **{f"x{number}" * 30: 1 for number in range(20)}}
    parsed = parse_body(json.dumps({"query": "{ a }", "extensions": said}).encode())

    assert parsed.unheeded[0] == "tracing"
    assert (len(parsed.unheeded), len(parsed.unheeded[1])) == (10, 40)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "body_syntax"),
        (b"nonsense", "body_syntax"),
        (b'{"query":', "body_syntax"),
        (b'"{ a }"', "body_syntax"),
        (b"null", "body_syntax"),
        (b"\xff\xfe", "body_syntax"),
        (b"{}", "parameter_missing"),
        (b'{"query": null}', "parameter_missing"),
        (b'{"query": ""}', "parameter_missing"),
        (b'{"query": "", "extensions": {"persistedQuery": null}}', "parameter_missing"),
        (b'{"query": 7}', "parameter_invalid"),
        (b'{"query": ["{ a }"]}', "parameter_invalid"),
        (b'{"query": "{ a }", "operationName": 7}', "parameter_invalid"),
        (b'{"query": "{ a }", "operationName": {}}', "parameter_invalid"),
        (b'{"query": "{ a }", "variables": [7]}', "parameter_invalid"),
        (b'{"query": "{ a }", "variables": "{}"}', "parameter_invalid"),
        (b'{"query": "{ a }", "variables": 0}', "parameter_invalid"),
        (b'{"query": "{ a }", "extensions": []}', "parameter_invalid"),
        (b'{"query": "{ a }", "id": 1}', "parameter_unknown"),
        (b'{"query": "{ a }", "query": "{ b }"}', "parameter_conflict"),
        (b'{"query": "{ a }", "variables": {"x": 1, "x": 2}}', "parameter_conflict"),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, code: str) -> None:
    """Each with what is wrong with it, and nothing is guessed."""
    assert refused(data).code == code


def test_an_unknown_member_is_named_with_the_one_that_was_meant() -> None:
    """The names are the protocol's, and no secret."""
    error = refused(b'{"qeury": "{ a }"}')

    assert (error.issues[0].parameter, error.issues[0].suggestion) == ("qeury", "query")


def test_a_batch_is_refused_for_what_it_is() -> None:
    """Also an empty one."""
    for data in (b"[]", b'[{"query": "{ a }"}]'):
        assert "batches" in refused(data).detail


def test_variables_are_bounded_in_depth_and_number() -> None:
    """Before they are built: reading them is work for nobody else's sake."""
    deep = "[" * DEEPEST_JSON + "]" * DEEPEST_JSON
    fits = parse_body(f'{{"query": "{{ a }}", "variables": {{"x": {deep}}}}}'.encode())
    assert isinstance(fits.variables["x"], list)
    assert refused(f'{{"query": "{{ a }}", "variables": {{"x": [{deep}]}}}}'.encode()).code == "body_syntax"
    many = f'{{"query": "{{ a }}", "variables": {{"x": [{"1," * MOST_VALUES}1]}}}}'.encode()
    assert refused(many).code == "query_too_large"


def test_a_url_has_the_same_with_json_in_it() -> None:
    """Where a parameter is an object, it is a JSON text."""
    pairs = [("query", "{ a }"), ("variables", '{"x": 1.50}'), ("extensions", json.dumps(HASH)), ("operationName", "A")]

    assert parse_parameters(pairs) == GraphQLRequest("{ a }", "A", {"x": Decimal("1.50")}, HASH)
    assert parse_parameters([("query", "{ a }"), ("variables", "")]) == GraphQLRequest("{ a }")


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([], "parameter_missing"),
        ([("query", "{ a }"), ("variables", "{")], "parameter_invalid"),
        ([("query", "{ a }"), ("variables", "[1]")], "parameter_invalid"),
        ([("query", "{ a }"), ("variables", '{"x": 1, "x": 1}')], "parameter_conflict"),
        ([("query", "{ a }"), ("query", "{ a }")], "parameter_conflict"),
        ([("query", "{ a }"), ("page", "2")], "parameter_unknown"),
    ],
)
def test_what_is_no_request_in_a_url_is_refused(pairs: list[tuple[str, str]], code: str) -> None:
    """As in a body."""
    with pytest.raises(RequestError) as caught:
        parse_parameters(pairs)

    assert caught.value.code == code
