"""Definitions of custom fields come and go while the gateway runs, and may be closed to its database user."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.catalog.report import render_text, report
from gateway.observe import CatalogKept
from gateway.settings import Settings
from gateway.web.loading import current_fingerprint, load_catalog
from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server

WHITELIST = """version: 1
profile: perfex
tables:
  clients: {hide: [custom.customers_tier]}
  leads:
"""
CLIENT_FIELDS = {
    "custom.customers_industry",
    "custom.customers_employees",
    "custom.customers_renewal_date",
    "custom.customers_background",
    "custom.customers_interests",
    "custom.customers_brand_colour",
    "custom.customers_portal_link",
}

Sql = Callable[[str], tuple[tuple[object, ...], ...]]


@pytest.fixture
def database(mariadb_server: Server) -> Iterator[str]:
    """The URL of a small CRM of each test's own."""
    name = f"gateway_defined_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture
def sql(mariadb_server: Server, database: str) -> Sql:
    """Run a statement beside the gateway, as the CRM would."""
    return lambda text: mariadb_server.run(text, database=database.rpartition("/")[2])


@pytest.fixture
async def app(database: str) -> AsyncIterator[App]:
    """The application, which looks at its tables only when asked."""
    async with served(database, whitelist=WHITELIST) as running:
        yield running


async def custom_of(app: App, path: str) -> set[str]:
    """Return the names of a row's custom fields, after a reload."""
    assert (await app.client.post("/admin/reload")).status_code == 200
    return set((await app.json(f"{path}?fields=custom.*"))["data"])


async def test_fields_come_and_go_with_their_definitions(app: App, sql: Sql) -> None:
    """On reload: a new one, one that is taken out of use, one that is renamed, one that is removed."""
    before = await custom_of(app, "clients/1")
    sql(
        "INSERT INTO tblcustomfields (fieldto, name, slug, type, required, active, options, default_value) "
        "VALUES ('customers', 'Floor', 'customers_floor', 'number', 0, 1, '', '')"
    )
    sql("UPDATE tblcustomfields SET active = 0 WHERE slug = 'customers_industry'")
    sql("UPDATE tblcustomfields SET slug = 'customers_staff' WHERE slug = 'customers_employees'")
    sql("DELETE FROM tblcustomfields WHERE slug = 'customers_background'")
    old = await app.get("clients/1?fields=custom.customers_industry")
    after = await custom_of(app, "clients/1")
    gone = await app.get("clients/1?fields=custom.customers_industry")
    written = await app.client.patch("/api/v1/clients/1", json={"custom.customers_floor": 3})

    assert before == CLIENT_FIELDS
    assert after - before == {"custom.customers_floor", "custom.customers_staff"}
    assert before - after == {
        "custom.customers_industry",
        "custom.customers_employees",
        "custom.customers_background",
    }
    assert (old.status_code, gone.status_code, gone.json()["code"]) == (200, 400, "field_unknown")
    assert written.json()["data"]["custom.customers_floor"] == 3


async def test_a_hidden_field_that_is_removed_keeps_nobody_from_reloading(app: App, sql: Sql) -> None:
    """A column that went so would be a mistake of the whitelist; a custom field is the users' to remove."""
    sql("DELETE FROM tblcustomfields WHERE slug = 'customers_tier'")

    assert await custom_of(app, "clients/1") == CLIENT_FIELDS
    assert not [event for event in app.events if isinstance(event, CatalogKept)]


def test_definitions_are_part_of_the_fingerprint(database: str, sql: Sql, tmp_path: Path) -> None:
    """Names, types, options and use; their values are not."""
    whitelist = tmp_path / "whitelist.yaml"
    whitelist.write_text(WHITELIST, encoding="utf-8")
    settings = Settings(database_url=database, whitelist=str(whitelist))
    loaded = load_catalog(settings)
    prints = [loaded.catalog.fingerprint, current_fingerprint(settings, loaded)]
    sql("UPDATE tblcustomfieldsvalues SET value = 'other' WHERE id = 1")
    prints.append(current_fingerprint(settings, loaded))
    for change in ("options = 'A,B'", "type = 'input'", "active = 0", "field_order = 99", "slug = 'customers_branch'"):
        sql(f"UPDATE tblcustomfields SET {change} WHERE slug = 'customers_industry'")
        prints.append(current_fingerprint(settings, loaded))

    assert prints[0] == prints[1] == prints[2]
    assert len(set(prints[2:])) == 6


@pytest.mark.parametrize(
    ("definitions", "values", "reason", "has_role"),
    [
        ("INSERT", "SELECT", "tblcustomfields is not to be read", False),
        (None, "SELECT", "tblcustomfields is not to be read", False),
        ("SELECT (id, name)", "SELECT", "tblcustomfields is not to be read", True),
        ("SELECT", "INSERT", "tblcustomfieldsvalues is not to be read", False),
        ("SELECT", "SELECT (id, relid)", "tblcustomfieldsvalues is not to be read", False),
        ("SELECT", "INSERT", "tblcustomfieldsvalues is not to be read", True),
        ("SELECT", None, "tblcustomfieldsvalues is not to be read", True),
    ],
)
async def test_what_the_database_user_may_not_read_is_absent(
    mariadb_server: Server,
    crm_database: str,
    tmp_path: Path,
    definitions: str | None,
    values: str | None,
    reason: str,
    has_role: bool,
) -> None:
    """Everything else is served, and `check` says what lacks; rights that a role gives are listed nowhere."""
    name, user = crm_database.rpartition("/")[2], f"custom_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    wanted = {"tblclients": "SELECT, UPDATE", "tblcustomfields": definitions, "tblcustomfieldsvalues": values}
    role, holder = f"{user}_role", f"'{user}'@'%'"
    mariadb_server.run(f"CREATE OR REPLACE USER {holder} IDENTIFIED BY 'p'", f"CREATE OR REPLACE ROLE {role}")
    for table, right in wanted.items():
        if right is not None:
            mariadb_server.run(f"GRANT {right} ON `{name}`.{table} TO {role if has_role else holder}")
    mariadb_server.run(f"GRANT {role} TO {holder}", f"SET DEFAULT ROLE {role} FOR {holder}")
    url = replace(mariadb_server, user=user, password="p").url(name)
    whitelist = tmp_path / "whitelist.yaml"
    whitelist.write_text("version: 1\nprofile: perfex\ntables: {clients: {}, customfieldsvalues: {}}\n", "utf-8")
    try:
        loaded = load_catalog(Settings(database_url=url, whitelist=str(whitelist)))
        told = report(loaded.catalog, loaded.reflection, loaded.exposure, loaded.problems, loaded.profile)
        async with served(url, whitelist=whitelist) as app:
            statuses = [
                (await app.get(f"clients/1{query}")).status_code for query in ("", "?fields=custom.customers_tier")
            ]
    finally:
        mariadb_server.run(f"DROP USER {holder}", f"DROP ROLE {role}")

    assert told.is_usable
    assert reason in " ".join(render_text(told).split())
    assert statuses == [200, 400]
    assert loaded.catalog.resources["clients"].custom == ()
    if reason.startswith("tblcustomfields is"):
        assert "customfieldsvalues" not in loaded.catalog.resources


async def test_a_row_whose_fields_cannot_be_stored_is_not_stored(
    mariadb_server: Server, database: str, sql: Sql, tmp_path: Path
) -> None:
    """Row and fields are one transaction; without custom fields the row is stored."""
    name, user = database.rpartition("/")[2], f"half_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    mariadb_server.run(
        f"CREATE OR REPLACE USER '{user}'@'%' IDENTIFIED BY 'p'", f"GRANT SELECT ON `{name}`.* TO '{user}'@'%'"
    )
    mariadb_server.run(f"GRANT INSERT, UPDATE ON `{name}`.tblclients TO '{user}'@'%'")
    url = replace(mariadb_server, user=user, password="p").url(name)
    try:
        async with served(url, whitelist="version: 1\nprofile: perfex\ntables: [clients]\n", staff_id=1) as app:
            refused = await app.client.post(
                "/api/v1/clients", json={"company": "Half", "custom.customers_tier": "Gold"}
            )
            taken = await app.client.post("/api/v1/clients", json={"company": "Whole"})
    finally:
        mariadb_server.run(f"DROP USER '{user}'@'%'")

    assert (refused.status_code, taken.status_code) == (503, 201), refused.text
    assert sql("SELECT company FROM tblclients WHERE company IN ('Half', 'Whole')") == (("Whole",),)
