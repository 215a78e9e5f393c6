"""gql, the GraphQL client of Python, against the real server: documents checked locally, scalars parsed, writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.client import SyncClientSession
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from gql.utilities import update_schema_scalars
from graphql import GraphQLError, GraphQLScalarType

from tests.support.app import RunningServer
from tests.support.mariadb import Server

SCALARS = [
    GraphQLScalarType("Decimal", serialize=str, parse_value=Decimal),
    GraphQLScalarType("BigInt", serialize=str, parse_value=int),
    GraphQLScalarType("Date", serialize=date.isoformat, parse_value=date.fromisoformat),
    GraphQLScalarType("DateTime", serialize=datetime.isoformat, parse_value=datetime.fromisoformat),
]
"""How a program in Python has the gateway's scalars; what is not here stays as it was sent."""

LATEST = """
fragment Client on Client { userid company email }

query Latest($filter: InvoiceFilter, $limit: Int = 5) {
  invoices(filter: $filter, sort: [{date: DESC}, {id: DESC}], limit: $limit) {
    id date datecreated total balance status status_label
    client { ...Client }
    payments { amount date }
  }
  numbers: invoices_aggregate(filter: $filter) { count sum { total } avg { total } min { date } }
}
"""
ADD = """
mutation Add($input: InvoiceCreate!) {
  createInvoice(input: $input) { id total duedate items { qty rate } _etag }
}
"""
CHANGE = """
mutation Change($id: Int!, $input: InvoiceUpdate!, $ifMatch: String) {
  updateInvoice(id: $id, input: $input, ifMatch: $ifMatch) { id duedate adminnote _etag }
}
"""


@pytest.fixture
def session(gateway: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncClientSession]:
    """A session of a client that has fetched the schema and knows the scalars of a Python program."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    transport = RequestsHTTPTransport(f"{gateway.base}/api/v1/graphql", headers=gateway.headers, timeout=30)
    client = Client(transport=transport, fetch_schema_from_transport=True, parse_results=True, serialize_variables=True)
    with client as session:
        assert client.schema is not None
        update_schema_scalars(client.schema, SCALARS)
        yield session


@pytest.fixture
def database() -> str:
    """The name of the database that the gateway serves."""
    return f"gateway_clients_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def test_a_query_with_variables_and_a_fragment_comes_as_python_values(
    session: SyncClientSession, mariadb_server: Server, database: str
) -> None:
    """Decimals have the digits of the database, dates are dates, and the conditions are those of SQL."""
    given = {"filter": {"total_gte": Decimal("100.10"), "date_gte": date(2026, 1, 1), "status_in": [1, 2, 3]}}

    answer = session.execute(GraphQLRequest(LATEST, variable_values=given))

    where = "total >= 100.10 AND `date` >= '2026-01-01' AND status IN (1, 2, 3)"
    expected = mariadb_server.run(
        f"SELECT id, total, `date`, clientid FROM tblinvoices WHERE {where} ORDER BY `date` DESC, id DESC LIMIT 5",
        database=database,
    )
    got = [(row["id"], row["total"], row["date"], row["client"]["userid"]) for row in answer["invoices"]]
    assert got == list(expected)
    assert len(got) == 5
    assert all(isinstance(total, Decimal) and total.as_tuple().exponent == -2 for _, total, _, _ in got)
    assert all(row["datecreated"].tzinfo is not None for row in answer["invoices"])
    ((count, total, least),) = mariadb_server.run(
        f"SELECT COUNT(*), SUM(total), MIN(`date`) FROM tblinvoices WHERE {where}", database=database
    )
    numbers = answer["numbers"]
    assert (numbers["count"], numbers["sum"]["total"], numbers["min"]["date"]) == (count, total, least)
    assert abs(numbers["avg"]["total"] - numbers["sum"]["total"] / numbers["count"]) < Decimal("0.000001")


def test_a_wrong_document_never_leaves_the_client(session: SyncClientSession) -> None:
    """The introspected schema is complete enough to check documents and variables' types against."""
    for text, named in (
        ("{ invoices { id nosuch } }", "nosuch"),
        ("{ invoices(filter: {total_near: 3}) { id } }", "total_near"),
        ("query ($id: String!) { invoices_by_key(id: $id) { id } }", "String!"),
        ("{ invoices { id client } }", "client"),
    ):
        with pytest.raises(GraphQLError, match=named):
            session.execute(GraphQLRequest(text))


def test_a_written_row_is_read_back_as_it_is_in_the_database(
    session: SyncClientSession, mariadb_server: Server, database: str
) -> None:
    """Decimals and dates go out of Python and come back the same; the rules of sales make the total."""
    lines = [
        {"description": "Work", "qty": Decimal("2.50"), "rate": Decimal("19.99")},
        {"description": "Ærø 📦", "qty": Decimal("1"), "rate": Decimal("0.01")},
    ]
    given = {"clientid": 1, "duedate": date(2026, 12, 24), "items": lines}

    made = session.execute(GraphQLRequest(ADD, variable_values={"input": given}))["createInvoice"]

    assert (made["total"], made["duedate"]) == (Decimal("49.99"), date(2026, 12, 24))
    assert [(item["qty"], item["rate"]) for item in made["items"]] == [(row["qty"], row["rate"]) for row in lines]
    stored = mariadb_server.run(f"SELECT total, duedate FROM tblinvoices WHERE id = {made['id']}", database=database)
    assert stored == ((made["total"], made["duedate"]),)

    variables = {
        "id": made["id"],
        "input": {"duedate": None, "adminnote": 'Said "no"\n🙂'},
        "ifMatch": made["_etag"],
    }
    changed = session.execute(GraphQLRequest(CHANGE, variable_values=variables))["updateInvoice"]

    assert (changed["duedate"], changed["adminnote"]) == (None, 'Said "no"\n🙂')
    assert changed["_etag"] != made["_etag"]


def test_errors_arrive_with_their_codes(session: SyncClientSession) -> None:
    """A stale tag and a bad value are told as by REST, beside the path of the field."""
    for variables, code in (
        ({"id": 1, "input": {"adminnote": "x"}, "ifMatch": '"stale"'}, "precondition_failed"),
        ({"id": 1, "input": {"clientid": 987_654}}, "fields_invalid"),
        ({"id": 987_654, "input": {"adminnote": "x"}}, "row_unknown"),
    ):
        error = refused(session, GraphQLRequest(CHANGE, variable_values=variables))
        assert (error["extensions"]["code"], error["path"]) == (code, ["updateInvoice"])


def refused(session: SyncClientSession, request: GraphQLRequest) -> dict[str, Any]:
    """Return the one error that a request is answered with."""
    with pytest.raises(TransportQueryError) as caught:
        session.execute(request)
    assert caught.value.errors is not None
    (error,) = caught.value.errors
    return dict(error)
