"""Every type of MariaDB has its row in the type table: what the server says of a column becomes the right kind."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import Connection, text

from gateway.catalog.engine import open_connection, open_engine
from gateway.catalog.kinds import ColumnType, DecodeContext, decoder_of, parse_sql_type
from gateway.catalog.reflect import reflect

# declared as, kind, what else the type must say
TYPES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("TINYINT(1)", "flag", {"minimum": -128, "maximum": 127}),
    ("BOOLEAN", "flag", {}),
    ("TINYINT", "integer", {"minimum": -128, "maximum": 127}),
    ("TINYINT UNSIGNED", "integer", {"minimum": 0, "maximum": 255}),
    ("SMALLINT", "integer", {"minimum": -32768, "maximum": 32767}),
    ("SMALLINT UNSIGNED", "integer", {"minimum": 0, "maximum": 65535}),
    ("MEDIUMINT", "integer", {"minimum": -(2**23), "maximum": 2**23 - 1}),
    ("MEDIUMINT UNSIGNED", "integer", {"minimum": 0, "maximum": 2**24 - 1}),
    ("INT", "integer", {"minimum": -(2**31), "maximum": 2**31 - 1}),
    ("INT(5) UNSIGNED ZEROFILL", "integer", {"minimum": 0, "maximum": 2**32 - 1}),
    ("INTEGER", "integer", {}),
    ("BIGINT", "integer", {"minimum": -(2**63), "maximum": 2**63 - 1, "is_wide": True}),
    ("BIGINT UNSIGNED", "integer", {"minimum": 0, "maximum": 2**64 - 1, "is_wide": True}),
    ("BIGINT UNSIGNED ZEROFILL", "integer", {"minimum": 0, "maximum": 2**64 - 1}),
    ("DECIMAL", "decimal", {"precision": 10, "scale": 0, "is_wide": False}),
    ("DECIMAL(15,2)", "decimal", {"precision": 15, "scale": 2, "is_wide": False, "minimum": None}),
    ("DECIMAL(8,3) UNSIGNED", "decimal", {"precision": 8, "scale": 3, "minimum": 0}),
    ("DECIMAL(8,3) ZEROFILL", "decimal", {"precision": 8, "scale": 3, "minimum": 0}),
    ("DECIMAL(65,30)", "decimal", {"precision": 65, "scale": 30, "is_wide": True}),
    ("NUMERIC(6,1)", "decimal", {"precision": 6, "scale": 1}),
    ("FLOAT", "float", {}),
    ("FLOAT(7,3)", "float", {}),
    ("DOUBLE", "float", {}),
    ("DOUBLE PRECISION UNSIGNED", "float", {}),
    ("REAL", "float", {}),
    ("BIT(1)", "bit", {"length": 1, "minimum": 0, "maximum": 1}),
    ("BIT(64)", "bit", {"length": 64, "maximum": 2**64 - 1, "is_wide": True}),
    ("CHAR", "string", {"length": 1, "is_byte_counted": False}),
    ("CHAR(0)", "string", {"length": 0}),
    ("VARCHAR(191)", "string", {"length": 191, "is_byte_counted": False}),
    ("TINYTEXT", "string", {"length": 255, "is_byte_counted": True}),
    ("TEXT", "string", {"length": 65535, "is_byte_counted": True}),
    ("MEDIUMTEXT", "string", {"length": 2**24 - 1, "is_byte_counted": True}),
    ("LONGTEXT", "string", {"length": 2**32 - 1, "is_byte_counted": True}),
    ("TEXT COMPRESSED", "string", {"length": 65535}),
    ("BINARY(16)", "binary", {"length": 16}),
    ("VARBINARY(20)", "binary", {"length": 20}),
    ("TINYBLOB", "binary", {"length": 255}),
    ("BLOB", "binary", {"length": 65535}),
    ("MEDIUMBLOB", "binary", {"length": 2**24 - 1}),
    ("LONGBLOB", "binary", {"length": 2**32 - 1}),
    (
        r"ENUM('plain', 'it''s', 'a,b', 'br)ack(et', 'back\\slash', 'new\nline', '', 'é😀')",
        "enum",
        {"members": ("plain", "it's", "a,b", "br)ack(et", "back\\slash", "new\nline", "", "é?")},
    ),
    ("SET('b', 'a', 'c d', 'it''s')", "set", {"members": ("b", "a", "c d", "it's")}),
    ("JSON", "json", {"sql": "json"}),
    ("DATE", "date", {}),
    ("DATETIME", "datetime", {"fraction": 0}),
    ("DATETIME(3)", "datetime", {"fraction": 3}),
    ("DATETIME(6)", "datetime", {"fraction": 6}),
    ("TIMESTAMP(2) NULL", "timestamp", {"fraction": 2}),
    ("TIME", "time", {"fraction": 0}),
    ("TIME(6)", "time", {"fraction": 6}),
    ("YEAR", "year", {"minimum": 0, "maximum": 2155}),
    ("GEOMETRY", "binary", {"length": None}),
    ("POINT", "binary", {}),
    ("LINESTRING", "binary", {}),
    ("POLYGON", "binary", {}),
    ("MULTIPOINT", "binary", {}),
    ("MULTILINESTRING", "binary", {}),
    ("MULTIPOLYGON", "binary", {}),
    ("GEOMETRYCOLLECTION", "binary", {}),
    ("UUID", "string", {"length": 36}),
    ("INET6", "string", {"length": 39}),
    ("INET4", "string", {"length": 15}),
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def connection(mariadb_url: str) -> Iterator[Connection]:
    """A connection whose database has one table with a column of every type."""
    columns = ", ".join(f"c{position} {declared}" for position, (declared, _, _) in enumerate(TYPES))
    with open_connection(open_engine(mariadb_url)) as found:
        found.exec_driver_sql("DROP TABLE IF EXISTS every_type")
        found.exec_driver_sql(f"CREATE TABLE every_type ({columns}) CHARACTER SET utf8mb4")
        yield found
        found.rollback()
        found.exec_driver_sql("DROP TABLE every_type")


@pytest.fixture(scope="module")
def types(connection: Connection) -> tuple[ColumnType, ...]:
    """The types of the table's columns as the catalog knows them."""
    columns = reflect(connection, ["every_type"]).tables["every_type"].columns
    return tuple(parse_sql_type(column.sql_type) for column in columns)


@pytest.mark.parametrize("position", range(len(TYPES)), ids=[declared for declared, _, _ in TYPES])
def test_each_type_of_the_server_is_known(types: tuple[ColumnType, ...], position: int) -> None:
    """Its kind and its limits come from what the server itself prints for it."""
    _, kind, limits = TYPES[position]
    found = types[position]

    assert found.kind.name == kind
    assert {name: getattr(found, name) for name in limits} == limits


# declared as, what is written (SQL), what a client is shown
VALUES: tuple[tuple[str, str, Any], ...] = (
    ("TINYINT(1)", "1", 1),
    ("BIGINT UNSIGNED", "18446744073709551615", 2**64 - 1),
    ("INT(5) UNSIGNED ZEROFILL", "42", 42),
    ("DOUBLE", "0.1", 0.1),
    ("BIT(1)", "b'1'", 1),
    ("BIT(64)", "b'1000000000000000000000000000000000000000000000000000000000000001'", 2**63 + 1),
    ("VARCHAR(191)", "'é😀'", "é😀"),
    ("BINARY(16)", "x'00FF'", b"\x00\xff" + b"\x00" * 14),
    ("BLOB", "x'C0'", b"\xc0"),
    ("SET('b', 'a', 'c d', 'it''s')", "'it''s,a,b'", ["b", "a", "it's"]),
    ("JSON", '\'{"a": [1.10, "é"]}\'', {"a": [1.1, "é"]}),
    ("DATE", "'2026-02-03'", "2026-02-03"),
    ("DATE", "'0000-00-00'", None),
    ("DATETIME", "'2026-07-01 12:00:00'", "2026-07-01T12:00:00+02:00"),
    ("DATETIME", "'0000-00-00 00:00:00'", None),
    ("DATETIME", "'2026-10-25 02:30:00'", "2026-10-25T02:30:00+02:00"),
    ("DATETIME(6)", "'2026-01-01 12:00:00.123456'", "2026-01-01T12:00:00.123456+01:00"),
    ("TIMESTAMP(2) NULL", "'2026-07-01 10:00:00.25'", "2026-07-01T12:00:00.250000+02:00"),
    ("TIME", "'25:01:02'", "25:01:02"),
    ("TIME", "'-01:02:03'", "-01:02:03"),
    ("TIME", "'838:59:59'", "838:59:59"),
    ("TIME(6)", "'00:00:01.5'", "00:00:01.5"),
    ("YEAR", "2026", 2026),
    ("YEAR", "0", 0),
    ("UUID", "'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000"),
    ("INET6", "'::1'", "::1"),
    ("INET4", "'10.0.0.1'", "10.0.0.1"),
    ("POINT", "ST_GeomFromText('POINT(1 2)')", bytes.fromhex("000000000101000000000000000000f03f0000000000000040")),
)


@pytest.mark.parametrize(("declared", "written", "shown"), VALUES, ids=[f"{a} {b}" for a, b, _ in VALUES])
def test_a_stored_value_is_shown_by_its_column(
    connection: Connection, types: tuple[ColumnType, ...], declared: str, written: str, shown: Any
) -> None:
    """Written with SQL, read through the driver, decoded by the type table."""
    position = next(index for index, (name, _, _) in enumerate(TYPES) if name == declared)
    connection.exec_driver_sql("SET sql_mode = '', time_zone = '+00:00'")
    connection.exec_driver_sql("DELETE FROM every_type")
    connection.execute(text(f"INSERT INTO every_type (c{position}) VALUES ({written.replace(':', chr(92) + ':')})"))

    value = connection.exec_driver_sql(f"SELECT c{position} FROM every_type").scalar_one()
    connection.rollback()

    decoder = decoder_of(types[position], DecodeContext("mariadb", BERLIN))
    found = json.loads(orjson.dumps(value if decoder is None else decoder(value)))
    assert (b64decode(found) if isinstance(shown, bytes) else found) == shown
