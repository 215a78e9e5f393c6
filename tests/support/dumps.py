"""Every row of a CRM before and after, and whose rows they are: a customer's, by a model of its own."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.support.mariadb import Server

Row = Mapping[str, Any]
Frozen = tuple[tuple[str, Any], ...]

BY_COLUMN: Mapping[str, str] = {
    "clients": "userid",
    "contacts": "userid",
    "tickets": "userid",
    **dict.fromkeys(("invoices", "estimates", "creditnotes", "projects", "expenses", "contracts"), "clientid"),
}
"""Tables whose rows name their customer."""
BY_PARENT: Mapping[str, tuple[str, str]] = {
    "invoicepaymentrecords": ("invoiceid", "invoices"),
    "credits": ("credit_id", "creditnotes"),
    "creditnote_refunds": ("credit_note_id", "creditnotes"),
    "milestones": ("project_id", "projects"),
    "project_members": ("project_id", "projects"),
    "project_settings": ("project_id", "projects"),
    "project_activity": ("project_id", "projects"),
    "ticket_replies": ("ticketid", "tickets"),
    "ticket_attachments": ("ticketid", "tickets"),
    "customer_groups": ("customer_id", "clients"),
    "customer_admins": ("customer_id", "clients"),
    "vault": ("customer_id", "clients"),
    "user_meta": ("client_id", "clients"),
    "contact_permissions": ("userid", "contacts"),
    "shared_customer_files": ("contact_id", "contacts"),
    "task_assigned": ("taskid", "tasks"),
    "task_followers": ("taskid", "tasks"),
    "task_comments": ("taskid", "tasks"),
    "task_checklist_items": ("taskid", "tasks"),
    "taskstimers": ("task_id", "tasks"),
    "payment_attempts": ("invoice_id", "invoices"),
    "twocheckout_log": ("invoice_id", "invoices"),
    "related_items": ("item_id", "itemable"),
    "proposal_comments": ("proposalid", "proposals"),
    "project_notes": ("project_id", "projects"),
    "project_files": ("project_id", "projects"),
    "pinned_projects": ("project_id", "projects"),
    "projectdiscussions": ("project_id", "projects"),
}
"""Tables whose rows belong to a row of another one."""
KINDS: Mapping[str, str] = {
    "invoice": "invoices",
    "estimate": "estimates",
    "credit_note": "creditnotes",
    "proposal": "proposals",
    "customer": "clients",
    "project": "projects",
    "ticket": "tickets",
    "expense": "expenses",
    "task": "tasks",
    "contacts": "contacts",
    "items": "itemable",
    "contract": "contracts",
}
"""The tables of ``rel_type`` and, of custom fields, ``fieldto``."""
KEYS: Mapping[str, str] = {"clients": "userid", "tickets": "ticketid"}


@dataclass(frozen=True, slots=True)
class Dump:
    """All rows of all tables, by the table's name without the prefix."""

    tables: Mapping[str, Counter[Frozen]]
    by_key: Mapping[str, Mapping[Any, Row]]

    def lost(self, after: Dump) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the rows that another dump has not any more as they were here: gone, or changed."""
        for name, rows in self.tables.items():
            for row in rows - after.tables.get(name, Counter()):
                yield name, dict(row)

    def customer_of(self, table: str, row: Row) -> object:
        """Return the customer whose a row is, None when it is nobody's."""
        if table in BY_COLUMN:
            return row[BY_COLUMN[table]] or None
        column, parent = BY_PARENT.get(table, ("", ""))
        if not parent:
            column, parent = ("rel_id", KINDS.get(str(row.get("rel_type")), ""))
        if table == "customfieldsvalues":
            kind = str(row["fieldto"])
            column, parent = ("relid", KINDS.get(kind) or KINDS.get(kind.removesuffix("s"), ""))
        found = self.by_key.get(parent, {}).get(row.get(column))
        return None if found is None else self.customer_of(parent, found)


def dump(url: str, server: Server | None) -> Dump:
    """Return every row of a database."""
    if server is None:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return _read(file.cursor(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'tbl%'")
    with server.connection(url.rpartition("/")[2]) as connection, connection.cursor() as cursor:
        return _read(cursor, "SHOW TABLES LIKE 'tbl%'")


def _read(cursor: Any, listing: str) -> Dump:
    cursor.execute(listing)
    names = [str(row[0]) for row in cursor.fetchall()]
    tables: dict[str, Counter[Frozen]] = {}
    by_key: dict[str, dict[Any, Row]] = {}
    for name in names:
        cursor.execute(f"SELECT * FROM {name}")
        columns = [str(column[0]) for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        short = name.removeprefix("tbl")
        key = KEYS.get(short, "id")
        tables[short] = Counter(tuple(row.items()) for row in rows)
        by_key[short] = {row[key]: row for row in rows} if key in columns else {}
    return Dump(tables, by_key)
