"""Replies of documents: media types by weight, statuses by what went wrong, and the parts of a body."""

from __future__ import annotations

import json

import pytest

from gateway.errors import ForbiddenError, GatewayError, MethodError, RequestError, UnavailableError
from gateway.graphql.faults import DocumentError, InvalidDocumentError
from gateway.graphql.selection import Cost, Selected
from gateway.rest.formats import Format
from gateway.web.graphql.replying import GRAPHQL, JSON, Draft, accepted, refusal, takes_gzip

AT = Selected("a", "invoices", None, line=2, column=5)


@pytest.mark.parametrize(
    ("accept", "media"),
    [("", GRAPHQL), (",", GRAPHQL), ("*/*", GRAPHQL), ("application/json", JSON), ("text/html, */*;q=0.1", GRAPHQL)],
)
def test_the_media_type_is_the_clients_choice(accept: str, media: Format) -> None:
    """Ours where it leaves us one."""
    assert accepted(accept) is media


@pytest.mark.parametrize(("accept", "code"), [("text/html", "not_acceptable"), ("*/*;q=2", "header_invalid")])
def test_what_cannot_be_is_refused(accept: str, code: str) -> None:
    """With what can."""
    with pytest.raises(RequestError) as caught:
        accepted(accept)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("error", "is_document", "graphql", "plain"),
    [
        (DocumentError("graphql_syntax", "x"), True, 400, 200),
        (ForbiddenError("introspection_off", "x"), True, 403, 200),
        (RequestError("body_syntax", "x"), False, 400, 400),
        (MethodError("method_not_allowed", "x", headers={"Allow": "POST"}), True, 405, 405),
        (UnavailableError("starting", "x", headers={"Retry-After": "1"}), True, 503, 503),
        (GatewayError("internal", "x"), True, 500, 500),
    ],
)
def test_a_document_that_cannot_run_is_200_to_older_clients_alone(
    error: GatewayError, graphql: int, plain: int, *, is_document: bool
) -> None:
    """What is not about the document keeps its status, and its headers."""
    assert refusal(error, GRAPHQL, is_document=is_document).status == graphql
    answer = refusal(error, JSON, is_document=is_document)
    assert (answer.status, dict(answer.headers or {})) == (plain, dict(error.headers))


@pytest.mark.parametrize(
    ("accepts", "is_read"),
    [
        ("gzip", True),
        ("br, GZIP; q=0.5", True),
        ("gzip;q=1.000", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("identity", False),
        ("*", False),
        ("", False),
    ],
)
def test_who_reads_gzip_says_so(accepts: str, *, is_read: bool) -> None:
    """By its name; a weight of nothing means no."""
    assert takes_gzip([(b"accept", b"gzip"), (b"accept-encoding", accepts.encode())]) is is_read


def test_every_fault_of_a_document_is_told() -> None:
    """And there is no data."""
    faults = [DocumentError("graphql_invalid", word, locations=[(1, 2)]) for word in ("one", "two")]
    body = json.loads(refusal(InvalidDocumentError(faults), GRAPHQL, is_document=True).body)

    assert list(body) == ["errors"]
    assert [error["message"] for error in body["errors"]] == ["one", "two"]


def test_a_body_has_what_there_is_to_tell() -> None:
    """No empty part; a failed field is null and named."""
    draft = Draft()
    draft.put("b", 1)
    assert json.loads(draft.body()) == {"data": {"b": 1}}
    draft.fail(AT, RequestError("operand_invalid", "no"))
    draft.tell([{"path": ["b"], "limit": 2}], [{"code": "mixed_currency"}])
    draft.show_cost(Cost(1, 2, 3, 4))
    body = json.loads(draft.body())

    assert body["data"] == {"b": 1, "a": None}
    assert (body["errors"][0]["path"], body["errors"][0]["locations"]) == (["a"], [{"line": 2, "column": 5}])
    assert body["extensions"] == {
        "cost": {"tokens": 1, "depth": 2, "aliases": 3, "complexity": 4},
        "truncated": [{"path": ["b"], "limit": 2}],
        "warnings": [{"code": "mixed_currency"}],
    }
    assert draft.code == "operand_invalid"


def test_what_was_taken_back_has_no_data() -> None:
    """The error says where."""
    draft = Draft(data=None)
    draft.fail(AT, RequestError("operand_invalid", "no"))

    assert json.loads(draft.body())["data"] is None


def test_half_a_character_can_be_told_of() -> None:
    """JSON lets clients send it; nobody can send it back."""
    error = RequestError("parameter_unknown", "no \ud800", parameter="\ud800")

    assert json.loads(refusal(error, GRAPHQL, is_document=False).body)["errors"][0]["message"] == "no ?"
