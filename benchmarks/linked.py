"""A copy of invoices, customers and lines with declared foreign keys: without those, php-crud-api joins nothing."""

from __future__ import annotations

from tests.support.mariadb import Server

DATABASE = "gateway_bench_linked"
TABLES = ("tblclients", "tblinvoices", "tblitemable")


def make_linked(server: Server, source: str, account: str) -> None:
    """Copy the tables of a CRM into a database of their own and declare what refers to what.

    Lines of other documents stay behind: a foreign key has no condition. An invoice whose
    customer is gone refers to none.
    """
    server.create_database(DATABASE)
    for table in TABLES:
        server.run(f"CREATE TABLE {DATABASE}.{table} LIKE {source}.{table}")
        lines = " WHERE rel_type = 'invoice'" if table == "tblitemable" else ""
        server.run(f"INSERT INTO {DATABASE}.{table} SELECT * FROM {source}.{table}{lines}")
    server.run(
        "ALTER TABLE tblinvoices MODIFY clientid INT NULL",
        "UPDATE tblinvoices SET clientid = NULL WHERE clientid NOT IN (SELECT userid FROM tblclients)",
        "ALTER TABLE tblinvoices ADD FOREIGN KEY (clientid) REFERENCES tblclients (userid)",
        "ALTER TABLE tblitemable ADD FOREIGN KEY (rel_id) REFERENCES tblinvoices (id)",
        f"GRANT ALL PRIVILEGES ON `{DATABASE}`.* TO '{account}'@'127.0.0.1'",
        database=DATABASE,
    )
