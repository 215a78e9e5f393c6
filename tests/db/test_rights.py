"""A database user of few rights on a real MariaDB: what is read of them, what is refused, what `gateway check` says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.catalog.engine import open_connection, open_engine
from gateway.catalog.model import Catalog
from gateway.catalog.reflect import existing_tables, reflect
from gateway.catalog.report import Report, report
from gateway.catalog.rights import RIGHTS, Rights
from gateway.settings import Settings
from gateway.web.loading import load_catalog
from tests.support.app import served
from tests.support.mariadb import Server

CHOSEN = "version: 1\nprofile: perfex\ntables: {clients: {}, leads: {}, invoices: {}}\n"
ALL = frozenset(RIGHTS)

As = Callable[..., str]


@pytest.fixture
def crm_as(mariadb_server: Server, crm_database: str) -> Iterator[As]:
    """Return a function that gives a new user the rights, and returns the sample CRM's URL for it."""
    database = crm_database.rpartition("/")[2]
    user = f"o'few@{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    quoted = f"`{user}`@`%`"

    def given(*grants: str) -> str:
        mariadb_server.run(f"CREATE OR REPLACE USER {quoted} IDENTIFIED BY 'p@ss'")
        for grant in grants:
            mariadb_server.run(f"{grant.replace('DB', f'`{database}`')} TO {quoted}", database=database)
        return replace(mariadb_server, user=user, password="p@ss").url(database)

    yield given
    mariadb_server.run(f"DROP USER IF EXISTS {quoted}")


def rights_at(url: str) -> Rights:
    with open_connection(open_engine(url)) as connection:
        return reflect(connection, ["tblclients"]).rights


def checked(url: str, place: Path) -> tuple[Catalog, Report]:
    whitelist = place / "whitelist.yaml"
    whitelist.write_text(CHOSEN, encoding="utf-8")
    loaded = load_catalog(Settings(database_url=url, whitelist=str(whitelist)))
    found = report(loaded.catalog, loaded.reflection, loaded.exposure, loaded.problems, loaded.profile)
    return loaded.catalog, found


def test_rights_on_the_whole_server_are_whole(crm_database: str) -> None:
    """Root sees and may do everything."""
    assert rights_at(crm_database).whole >= ALL


def test_rights_on_single_tables_and_columns(crm_as: As) -> None:
    """A user whose name has quotes and an at sign finds its own grants."""
    url = crm_as(
        "GRANT SELECT, INSERT ON tblclients",
        "GRANT SELECT (id), UPDATE (name) ON tblleads",
        "GRANT TRIGGER ON tblnotes",
    )
    rights = rights_at(url)

    assert not rights.whole
    assert rights.of("tblclients") == {"SELECT", "INSERT"}
    assert rights.of("tblleads") == {"SELECT", "UPDATE"}
    assert [rights.shows(name) for name in ("tblclients", "tblleads", "tblnotes", "tblstaff")] == [
        *(True, False, True, False)
    ]
    with open_connection(open_engine(url)) as connection:
        assert existing_tables(connection) == {"tblclients", "tblleads", "tblnotes"}


def test_the_name_of_the_database_in_a_grant_is_a_pattern(crm_as: As) -> None:
    """The one that is more exact counts alone, as the server does it."""
    wide = "GRANT SELECT, DELETE ON `gateway%`.*"
    assert rights_at(crm_as(wide)).whole == {"SELECT", "DELETE"}

    url = crm_as(wide, "GRANT SELECT, INSERT ON DB.*")
    assert rights_at(url).whole == {"SELECT", "INSERT"}


def test_a_role_is_taken_to_give_every_right(crm_as: As, mariadb_server: Server, crm_database: str) -> None:
    """information_schema lists a role's grants for nobody but the role."""
    role, database = f"few_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}", crm_database.rpartition("/")[2]
    mariadb_server.run(f"CREATE OR REPLACE ROLE {role}", f"GRANT SELECT ON `{database}`.* TO {role}")
    try:
        url = crm_as(f"GRANT {role}")
        Server.from_url(url).run(f"SET DEFAULT ROLE {role}")
        assert rights_at(url).whole == ALL
    finally:
        mariadb_server.run(f"DROP ROLE {role}")


def test_check_lists_what_is_not_shown_and_the_rights_that_lack(crm_as: As, tmp_path: Path) -> None:
    """With the statements to run, which then mend it."""
    catalog, found = checked(
        crm_as(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON tblclients",
            "GRANT SELECT, INSERT, UPDATE ON tblleads",
            "GRANT SELECT ON tblcountries",
        ),
        tmp_path,
    )

    assert {"tblcontacts", "tblnotes", "tblstaff"} <= set(found.invisible)
    assert catalog.resources["clients"].delete_refusal
    assert found.lacking == ()
    assert found.is_usable


def test_the_statements_that_check_prints_mend_it(crm_as: As, mariadb_server: Server, tmp_path: Path) -> None:
    """They name the account and the table as the server wants them."""
    url = crm_as("GRANT SELECT ON DB.*", "GRANT INSERT ON tblleads")
    _, before = checked(url, tmp_path)
    lacking = {item.table: item.rights for item in before.lacking}
    mariadb_server.run(*(item.statement for item in before.lacking))
    _, after = checked(url, tmp_path)

    assert (lacking["tblclients"], lacking["tblleads"]) == (("INSERT", "UPDATE", "DELETE"), ("UPDATE", "DELETE"))
    assert "tblcountries" not in lacking
    assert (before.invisible, after.lacking) == ((), ())


async def test_a_delete_that_could_leave_rows_behind_is_refused(crm_as: As) -> None:
    """The client's contacts are out of sight: 405 with the reason, and the method is not offered."""
    url = crm_as(*(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}" for name in ("tblclients", "tblleads")))
    async with served(url, whitelist=CHOSEN) as app:
        key = (await app.json("clients?per_page=1"))["data"][0]["userid"]
        reply = await app.client.delete(f"/api/v1/clients/{key}")

        assert (reply.status_code, reply.json()["code"]) == (405, "write_not_supported")
        assert "grant it SELECT on the whole database" in reply.json()["detail"]
        assert "DELETE" not in reply.headers["Allow"]
        assert (await app.get(f"clients/{key}")).status_code == 200


async def test_a_write_without_the_right_is_refused_for_longer_than_a_second(crm_as: As) -> None:
    """A code of its own: the database is there, and trying at once is of no use."""
    async with served(crm_as("GRANT SELECT ON DB.*"), whitelist=CHOSEN) as app:
        reply = await app.client.post("/api/v1/leads", json={"name": "A", "status": 1, "source": 1, "assigned": 1})

        assert (reply.status_code, reply.json()["code"], reply.headers["Retry-After"]) == (
            *(503, "database_refuses", "60"),
        )
        assert (await app.get("leads")).status_code == 200
