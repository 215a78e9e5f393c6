"""A small catalog for the tests of this directory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from gateway.catalog.kinds import parse_sql_type
from gateway.catalog.model import Catalog, Column, Table, WriteMode

ID = Column("id", parse_sql_type("int(11)"))


def table(resource: str | None, name: str, *aliases: str) -> Table:
    return Table(name, resource, (ID,), {"id": ID}, (ID,), aliases=aliases)


def small_catalog() -> Catalog:
    """Clients (alias customers), invoices, a read-only staff, a view, a table without a key, an internal table."""
    tables = (
        table("clients", "tblclients", "customers"),
        replace(table("invoices", "tblinvoices"), is_delete_forbidden=True),
        replace(table("staff", "tblstaff"), mode=WriteMode.NONE, mode_reason="staff are managed in the CRM"),
        replace(table("totals", "v_totals"), is_view=True),
        replace(table("tags", "tbltags"), key=(), create_refusal="a hidden column has no default"),
        table(None, "tbloptions"),
    )
    resources = {name: item for item in tables for name in (item.resource, *item.aliases) if name}
    return Catalog("mariadb", UTC, {item.name: item for item in tables}, resources, "f")
