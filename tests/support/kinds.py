"""One table with a column of every kind, and values that show them."""

from __future__ import annotations

from gateway.catalog.kinds import Dialect
from gateway.catalog.model import Catalog, Column
from tests.support.catalogs import make_catalog, reflected

COLUMNS = {
    "id": "int!",
    "small": "tinyint(4)",
    "flag": "tinyint(1)",
    "big": "bigint(20) unsigned",
    "year": "year(4)",
    "bits": "bit(10)",
    "money": "decimal(15,2)",
    "wide": "decimal(65,30)",
    "positive": "decimal(6,2) unsigned",
    "rate": "double",
    "name": "varchar(10)",
    "body": "text",
    "level": "enum('low','High','high')",
    "choice": "enum('yes','no')",
    "day": "date",
    "wall": "datetime",
    "fine": "datetime(3)",
    "stamp": "timestamp",
    "span": "time",
    "bytes": "varbinary(4)",
    "words": "set('a','b','c')",
    "document": "json",
}


def things(dialect: Dialect = "mariadb") -> Catalog:
    """Return a catalog whose one resource, ``things``, has a column of every kind, named as in `COLUMNS`."""
    return make_catalog(reflected("things", *(f"{name} {sql}" for name, sql in COLUMNS.items())), dialect=dialect)


def column(name: str) -> Column:
    """Return one column of ``things``."""
    found = things().resources["things"].fields[name]
    assert isinstance(found, Column)
    return found
