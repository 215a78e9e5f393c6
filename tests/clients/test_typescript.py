"""A TypeScript client with types generated from the gateway's own schema: compiled by tsc, run by Node.

The client is in ``node/``: `generate.mjs` introspects and generates, `main.ts` asks and writes. What it got is
compared with the database here.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import Any

import pytest

from tests.support.app import RunningServer
from tests.support.mariadb import Server
from tests.support.node import NoNodeError, alone, ensure_client, run

NODE = "node"


@pytest.fixture(scope="module")
def client_ready() -> None:
    """Skip where Node or its packages cannot be had, but never in CI."""
    try:
        ensure_client()
    except NoNodeError as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(failure))


@pytest.fixture(scope="module")
def report(client_ready: None, gateway: RunningServer) -> dict[str, Any]:
    """What the client printed: the types were generated, checked and used."""
    environ = {
        "GATEWAY_URL": f"{gateway.base}/api/v1/graphql",
        "GATEWAY_TOKEN": gateway.token,
        "NO_PROXY": "127.0.0.1",
    }
    with alone():
        run((NODE, "generate.mjs"), environ)
        run((NODE, "node_modules/typescript/bin/tsc"))
        found: dict[str, Any] = json.loads(run((NODE, "build/main.js"), environ))
    return found


@pytest.fixture
def database() -> str:
    """The name of the database that the gateway serves."""
    return f"gateway_clients_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def test_lists_have_the_rows_of_the_database(report: dict[str, Any], mariadb_server: Server, database: str) -> None:
    """Variables, fragments, a directive, a tree of conditions, and decimals as text."""
    expected = mariadb_server.run(
        "SELECT i.id, i.total, c.userid, c.company FROM tblinvoices i LEFT JOIN tblclients c ON c.userid = i.clientid "
        "WHERE i.total >= 100 AND (i.status IN (1, 2, 3) OR c.company LIKE '%a%') AND EXISTS (SELECT 1 FROM "
        "tblitemable l WHERE l.rel_id = i.id AND l.rel_type = 'invoice' AND l.qty > 0) "
        "ORDER BY i.total DESC, c.company, i.id LIMIT 5",
        database=database,
    )

    got = [
        (row["id"], Decimal(row["total"]), row["client"]["userid"], row["client"]["company"])
        for row in report["invoices"]
    ]

    assert got == list(expected)
    assert report["total"] == str(expected[0][1])
    assert report["isNumberAbsent"]
    assert all(row["items"] and row["status_label"] for row in report["invoices"])
    assert report["one"]["invoices_by_key"]["id"] == expected[0][0]
    assert report["none"] == {"invoices_by_key": None}


def test_a_walk_by_cursor_sees_every_row_once(report: dict[str, Any], mariadb_server: Server, database: str) -> None:
    """As Relay clients do: ``after`` is the last page's ``endCursor``."""
    walked = report["walked"]
    rows = mariadb_server.run("SELECT userid FROM tblclients", database=database)
    made_later = {report["made"]["userid"]}

    seen = [client["userid"] for client in walked["clients"]]
    assert len(seen) == len(set(seen)) == walked["total"]
    assert set(seen) == {row[0] for row in rows} - made_later
    assert walked["pages"] == -(-len(seen) // 7) > 1


def test_groups_and_numbers_are_those_of_sql(report: dict[str, Any], mariadb_server: Server, database: str) -> None:
    """Grouped rows come along, sums keep their digits."""
    sales = report["sales"]
    made = tuple(row["id"] for row in report["invoices_made"].values())
    before = f"WHERE id NOT IN {made}"
    expected = mariadb_server.run(
        f"SELECT clientid, COUNT(*), SUM(total) AS most FROM tblinvoices {before} GROUP BY clientid "
        "HAVING COUNT(*) >= 2 ORDER BY most DESC LIMIT 3",
        database=database,
    )
    all_of_them = mariadb_server.run(
        f"SELECT COUNT(*), SUM(total), CAST(MAX(`date`) AS CHAR) FROM tblinvoices {before}", database=database
    )

    got = [(node["key"]["client"]["userid"], node["count"], node["sum"]["total"]) for node in sales["groups"]["nodes"]]
    assert got == [(client, count, str(total)) for client, count, total in expected]
    everything = sales["all"]
    assert (everything["count"], everything["sum"]["total"], everything["max"]["date"]) == (
        all_of_them[0][0],
        str(all_of_them[0][1]),
        all_of_them[0][2],
    )


def test_what_was_written_is_in_the_database(report: dict[str, Any], mariadb_server: Server, database: str) -> None:
    """A dry run is not; a rename under the right tag is, one under the old tag is refused."""
    made = report["made"]

    rows = mariadb_server.run(f"SELECT company FROM tblclients WHERE userid = {made['userid']}", database=database)
    assert rows == (("Ægir",),)
    assert report["tried"]["createClient"]["company"] == made["company"] == "Ægir & Söhne \U0001f4e6"
    assert report["renamed"]["updateClient"]["company"] == "Ægir"
    (error,) = report["stale"]["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("precondition_failed", ["updateClient"])
    assert report["removed"]["deleteClient"] == {"affected": 1}
    gone = mariadb_server.run(
        f"SELECT COUNT(*) FROM tblclients WHERE userid = {report['other']['userid']}", database=database
    )
    assert gone == ((0,),)


def test_an_atomic_mutation_is_all_or_nothing(report: dict[str, Any], mariadb_server: Server, database: str) -> None:
    """Two invoices were made together; of two others, one had a client that there is not, so neither was."""
    made, client = report["invoices_made"], report["made"]["userid"]

    assert {row["total"] for row in made.values()} == {"50.00"}
    assert [(item["qty"], item["rate"]) for item in made["first"]["items"]] == [("2.50", "19.98"), ("2.50", "0.02")]
    stored = mariadb_server.run(f"SELECT id FROM tblinvoices WHERE clientid = {client} ORDER BY id", database=database)
    assert [row[0] for row in stored] == [made["first"]["id"], made["second"]["id"]]
    rolled_back = report["rolledBack"]
    assert rolled_back["data"] is None
    assert [(error["extensions"]["code"], error["path"]) for error in rolled_back["errors"]] == [
        ("fields_invalid", ["second"])
    ]


def test_refusals_carry_the_codes_of_rest(report: dict[str, Any]) -> None:
    """A document that does not fit the schema, a variable that does not fit its type, values the database would cut."""
    codes = {name: report[name]["errors"][0]["extensions"]["code"] for name in ("invalid", "variable", "faults")}

    assert codes == {"invalid": "graphql_invalid", "variable": "variables_invalid", "faults": "fields_invalid"}
    (fault,) = report["faults"]["errors"][0]["extensions"]["errors"]
    assert fault["code"] == "too_long"
    assert report["blocked"]["errors"][0]["extensions"]["code"] == "dependants"
