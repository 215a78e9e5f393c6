"""The database account of `examples/deploy`: enough for everything that the gateway does, and for nothing more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

import pymysql
import pytest

from sample_crm import build
from tests.support.app import NOON, ROOT, served
from tests.support.mariadb import Server

STATEMENTS = (ROOT / "examples" / "deploy" / "database-user.sql").read_text(encoding="utf-8")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="module")
def account(mariadb_server: Server) -> Iterator[tuple[Server, str, str]]:
    """The server as the account sees it, the CRM's database and the gateway's, made by the file's statements."""
    crm, state, user = f"gateway_deploy_{WORKER}", f"gateway_deploy_state_{WORKER}", f"gw_{WORKER}"
    build(mariadb_server.create_database(crm), scale="tiny", today=NOON.date())
    text = re.sub(r"^--.*$", "", STATEMENTS, flags=re.MULTILINE)
    for old, new in (
        ("`perfex`", f"`{crm}`"),
        ("`gateway_state`", f"`{state}`"),
        ("'gateway_state'@'10.0.0.%'", f"'{user}_state'@'%'"),
        ("'gateway'@'10.0.0.%'", f"'{user}'@'%'"),
        (" REQUIRE SSL", ""),  # the server of the tests has no certificate
    ):
        assert old in text, old
        text = text.replace(old, new)
    mariadb_server.run(*(statement.strip() for statement in text.split(";") if statement.strip()))
    yield replace(mariadb_server, user=user, password="change-me", socket=None), crm, state
    mariadb_server.run(f"DROP USER '{user}'@'%'", f"DROP USER '{user}_state'@'%'")
    mariadb_server.drop_database(crm)
    mariadb_server.drop_database(state)


async def test_the_account_is_enough(account: tuple[Server, str, str]) -> None:
    """Reading, writing by the CRM's rules, deleting, and the gateway's store in a database of its own."""
    server, crm, state = account
    store = replace(server, user=f"{server.user}_state", password="change-me-too").url(state)
    async with served(server.url(crm), state_url=store) as app:
        created = await app.client.post("/api/v1/leads", json={"name": "Deployed", "status": 2, "source": 1})
        number = created.json()["data"]["id"]
        statuses = [
            created.status_code,
            (await app.client.get("/api/v1/invoices?include=client")).status_code,
            (await app.client.patch(f"/api/v1/leads/{number}", json={"company": "x"})).status_code,
            (await app.client.delete(f"/api/v1/leads/{number}")).status_code,
        ]

    assert statuses == [201, 200, 200, 204]


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE tblleads", "ALTER TABLE tblleads ADD x INT", "CREATE TABLE x (id INT)", "SELECT * FROM mysql.user"],
)
def test_the_account_can_do_nothing_else(account: tuple[Server, str, str], statement: str) -> None:
    """Whatever mistake the gateway might have."""
    server, crm, _ = account
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        server.run(statement, database=crm)
