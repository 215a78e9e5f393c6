"""The questions that are asked in GraphQL, and the same by REST: what is asked for, in the words of each side.

All sides answer with the same rows in the same spelling (decimals as text), which `agree` sees to before anything is
measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from benchmarks.load import Work
from benchmarks.shapes import GATEWAY, LEAST_TOTAL, PER_CLIENT, PER_PAGE, STATUS, ShapeName
from benchmarks.sides.side import HttpSide, Side

INVOICE: Final = "id number prefix date duedate currency subtotal total_tax total status"
CLIENT: Final = "userid company vat city country"
CLIENTS_INVOICE: Final = "id number date total status"

BY_REST: Final[Mapping[ShapeName, ShapeName]] = MappingProxyType(
    {"graphql_invoices": "rest_invoices", "graphql_variables": "rest_variables", "graphql_clients": "rest_clients"}
)
"""The shape in which the gateway is asked the same by REST."""

_JSON: Final = MappingProxyType({"Content-Type": "application/json"})
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


def by_graphql(path: str, headers: Mapping[str, str] = _NO_HEADERS, *, takes_sort: bool) -> dict[ShapeName, Work]:
    """Return the questions for a GraphQL server; one that takes no sort has one order for each of its lists."""
    latest, in_order = ("sort: [{id: DESC}], ", "sort: [{userid: ASC}], ") if takes_sort else ("", "")
    page = f"{latest}limit: {PER_PAGE}"
    invoice = f"{{ {INVOICE} client {{ {CLIENT} }} }}"
    client = f"{{ {CLIENT} invoices({latest}limit: {PER_CLIENT}) {{ {CLIENTS_INVOICE} }} }}"

    def work(query: str, **variables: str) -> Work:
        body = {"query": query, **({"variables": variables} if variables else {})}
        return Work(path, "POST", json.dumps(body), {**_JSON, **headers})

    def invoices(least: object) -> str:
        return f"{{ invoices(filter: {{status: {STATUS}, total_gte: {least}}}, {page}) {invoice} }}"

    return {
        "graphql_invoices": work(invoices(LEAST_TOTAL)),
        "graphql_variables": work(f"query ($least: Decimal!) {invoices('$least')}", least="{amount}"),
        "graphql_clients": work(f"{{ clients({in_order}limit: {PER_PAGE}) {client} }}"),
    }


def by_rest(api: str, headers: Mapping[str, str]) -> dict[ShapeName, Work]:
    """Return the same questions for the gateway's REST."""
    as_graphql = "count=none&decimals=string&bigints=string"
    invoices = (
        f"{api}/invoices?fields={_list(INVOICE)}&include=client&fields[client]={_list(CLIENT)}"
        f"&sort=-id&limit={PER_PAGE}&{as_graphql}&filter[status]={STATUS}&filter[total.gte]="
    )
    clients = (
        f"{api}/clients?fields={_list(CLIENT)}&include=invoices&fields[invoices]={_list(CLIENTS_INVOICE)}"
        f"&include[invoices][sort]=-id&include[invoices][limit]={PER_CLIENT}&sort=userid&limit={PER_PAGE}&{as_graphql}"
    )
    return {
        "rest_invoices": Work(f"{invoices}{LEAST_TOTAL}", headers=headers),
        "rest_variables": Work(f"{invoices}{{amount}}", headers=headers),
        "rest_clients": Work(clients, headers=headers),
    }


def rows_of(body: Any) -> Sequence[Mapping[str, object]]:
    """Return the rows in an answer of either kind.

    >>> rows_of({"data": [{"id": 1}]}) == rows_of({"data": {"invoices": [{"id": 1}]}}) == [{"id": 1}]
    True
    """
    data = body["data"]
    rows: Sequence[Mapping[str, object]] = next(iter(data.values())) if isinstance(data, dict) else data
    return rows


def agree(sides: Sequence[Side]) -> None:
    """See to it that all sides, and the gateway by REST, answer each question with the same full rows.

    Raises:
        RuntimeError: one does not, so that its figures would be those of other work.
    """
    asked = [side for side in sides if isinstance(side, HttpSide)]
    for shape, rest in BY_REST.items():
        answers = {side.name: side.answer(shape) for side in asked if shape in side.shapes}
        answers.update((f"{GATEWAY} by REST", side.answer(rest)) for side in asked if rest in side.shapes)
        for name, rows in answers.items():
            first, expected = next(iter(answers.items()))
            if rows != expected:
                raise RuntimeError(
                    f"{shape}: {name} answers otherwise than {first}: {_first_difference(rows, expected)}"
                )
            if not _is_full(shape, rows):
                raise RuntimeError(f"{shape}: {name} gave rows that are not full")


def _is_full(shape: ShapeName, rows: Sequence[Mapping[str, Any]]) -> bool:
    if len(rows) != PER_PAGE:
        return False
    if shape == "graphql_clients":
        return all(len(row["invoices"]) == PER_CLIENT for row in rows)
    return all(row["client"] for row in rows)


def _first_difference(rows: Sequence[object], expected: Sequence[object]) -> str:
    pairs = zip(rows, expected, strict=False)
    return next((f"{one} / {other}" for one, other in pairs if one != other), f"{len(rows)} / {len(expected)} rows")


def _list(names: str) -> str:
    return names.replace(" ", ",")
