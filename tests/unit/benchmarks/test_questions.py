"""One question in the words of GraphQL and of REST, and what becomes of sides that answer it otherwise."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from benchmarks.load import Work
from benchmarks.questions import BY_REST, CLIENT, INVOICE, agree, by_graphql, by_rest, rows_of
from benchmarks.shapes import GATEWAY, PER_CLIENT, PER_PAGE, RESOLVERS, SHAPES, TARGETS, ShapeName
from benchmarks.sides.side import HttpSide

INVOICES = [{"id": number, "client": {"userid": 1}} for number in range(PER_PAGE)]
CLIENTS = [{"userid": number, "invoices": [{"id": 1}] * PER_CLIENT} for number in range(PER_PAGE)]


class Canned(HttpSide):
    """A side whose answers are given: what it says to each shape."""

    canned: dict[ShapeName, list[dict[str, Any]]]

    def _ask(self, work: Work) -> Any:
        shape = next(name for name, known in self.works.items() if known == work)
        rows = self.canned[shape]
        return {"data": rows if shape.startswith("rest") else {"rows": rows}}


def canned(name: str, *, has_rest: bool = False, **changed: list[dict[str, Any]]) -> Canned:
    """Return a side that answers as it should, but for what was changed."""
    works = {**by_graphql("/graphql", takes_sort=has_rest), **(by_rest("/api/v1", {}) if has_rest else {})}
    side = Canned(name, "1", "canned", "http://nowhere.test", (), 1, works, rows_of)
    side.canned = {name: CLIENTS if "clients" in name else INVOICES for name in works}
    side.canned.update(changed)  # type: ignore[arg-type]  # names of shapes
    return side


def test_the_questions_have_the_shapes_that_the_targets_name() -> None:
    """Each GraphQL shape stands beside its REST shape, which the same round measures just before it."""
    shapes = {shape.name: shape for shape in SHAPES}

    assert {name: shapes[name].beside for name in BY_REST} == dict(BY_REST)
    assert by_graphql("/graphql", takes_sort=True).keys() == BY_REST.keys()
    assert by_rest("/api/v1", {}).keys() == set(BY_REST.values())
    held = {(target.shape, target.against, round(target.least, 2)) for target in TARGETS if target.shape in BY_REST}
    assert held == {
        (shape, against, least)
        for shape in ("graphql_invoices", "graphql_clients")
        for against, least in (((GATEWAY,), 0.67), ((RESOLVERS,), 4.0))
    }


def test_both_ask_for_the_same_fields() -> None:
    """10 fields of an invoice and its client's: the texts are made of one list."""
    document = json.loads(by_graphql("/graphql", takes_sort=True)["graphql_invoices"].body)["query"]
    asked = parse_qs(urlsplit(by_rest("/api/v1", {})["rest_invoices"].path).query)

    assert len(INVOICE.split()) == 10
    assert f"{{ {INVOICE} client {{ {CLIENT} }} }}" in document
    assert (asked["fields"], asked["fields[client]"]) == ([INVOICE.replace(" ", ",")], [CLIENT.replace(" ", ",")])


def test_only_the_question_with_variables_changes_with_every_request() -> None:
    """wrk fills in what stands in braces without a blank, and a document must not be mistaken for that."""
    works = by_graphql("/graphql", takes_sort=True)

    changing = {name for name, work in works.items() if work.first() != work}

    assert changing == {"graphql_variables"}
    assert json.loads(works["graphql_variables"].first().body)["variables"] == {"least": "1000.01"}


def test_sides_that_agree_are_measured() -> None:
    """The gateway by REST counts as one of them."""
    agree([canned(GATEWAY, has_rest=True), canned(RESOLVERS)])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"graphql_invoices": [{**INVOICES[0], "id": -1}, *INVOICES[1:]]}, "resolvers answers otherwise than gateway"),
        ({"graphql_clients": CLIENTS[1:]}, "resolvers answers otherwise than gateway"),
    ],
)
def test_a_side_that_answers_otherwise_is_not_measured(changed: dict[str, Any], words: str) -> None:
    """Its figures would be those of other work."""
    with pytest.raises(RuntimeError, match=words):
        agree([canned(GATEWAY, has_rest=True), canned(RESOLVERS, **changed)])


def test_rest_that_answers_otherwise_is_noticed() -> None:
    """It is the gateway's own measure."""
    with pytest.raises(RuntimeError, match="gateway by REST answers otherwise"):
        agree([canned(GATEWAY, has_rest=True, rest_clients=CLIENTS[1:])])


@pytest.mark.parametrize(
    "short",
    [
        {"graphql_invoices": INVOICES[1:]},
        {"graphql_invoices": [{**row, "client": None} for row in INVOICES]},
        {"graphql_clients": [{**row, "invoices": []} for row in CLIENTS]},
    ],
)
def test_answers_that_are_short_alike_are_not_measured(short: dict[str, Any]) -> None:
    """Nobody is fast because the data has nothing to give."""
    with pytest.raises(RuntimeError, match="not full"):
        agree([canned(RESOLVERS, **short)])
