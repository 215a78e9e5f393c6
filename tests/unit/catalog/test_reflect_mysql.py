"""Reflection where MySQL answers otherwise than MariaDB, from answers a MySQL 8.0 gives."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from gateway.catalog.reflect_mysql import tables
from gateway.catalog.reflected import ReflectedColumn, ReflectedTable

FIELDS: Mapping[str, tuple[str, ...]] = {
    "columns": ("owner", "c", "p", "sql_type", "is_nullable", "column_default", "extra", "column_key"),
    "tables": ("owner", "table_type"),
    "statistics": ("owner", "i", "non_unique", "c", "sub_part"),
    "key_column_usage": ("owner", "n", "c", "target", "target_column"),
    "referential_constraints": ("owner", "n", "delete_rule"),
}


class Recorded:
    """A connection that answers from a recording; a select of anything else is a look at the views."""

    def __init__(self, answers: Mapping[str, Sequence[tuple[Any, ...]]], broken: str = "", lost: bool = False) -> None:
        self.answers = answers
        self.broken = broken
        self.lost = lost
        self.asked: list[str] = []

    def execute(self, statement: object) -> Sequence[Any]:
        sql = str(statement)
        for source, names in FIELDS.items():
            if f"information_schema.{source} " in sql or f"information_schema.{source}\n" in sql:
                self.asked.append(source)
                return [namedtuple("Row", names)(*row) for row in self.answers.get(source, ())]
        self.asked.append("views")
        if self.broken and self.broken in sql:
            raise OperationalError("select", {}, Exception(1449, "x"), connection_invalidated=self.lost)
        return []


def reflected(recorded: Recorded, *names: str) -> tuple[Mapping[str, ReflectedTable], Mapping[str, str]]:
    """Return the tables and the reasons of a recording."""
    found, unreadable, _ = tables(cast("Connection", recorded), frozenset(names), "mysql")
    return found, unreadable


def column(name: str, sql_type: object, default: str | None = None, extra: str = "", nullable: str = "NO") -> Any:
    return ("t", name, 1, sql_type, nullable, default, extra, "")


def test_defaults_of_mysql_are_values_unless_said_otherwise() -> None:
    """A literal comes without quotes, so the word NULL is a word; an expression is marked as one."""
    recorded = Recorded(
        {
            "columns": [
                column("id", b"bigint unsigned", None, "auto_increment"),
                column("word", "varchar(10)", "NULL"),
                column("quoted", "varchar(10)", "'x'"),
                column("made", "datetime", "CURRENT_TIMESTAMP", "DEFAULT_GENERATED on update CURRENT_TIMESTAMP"),
                column("doubled", "int", None, "STORED GENERATED", "YES"),
                column("doc", "json", None, "", "YES"),
            ],
            "tables": [("t", "BASE TABLE")],
        }
    )

    assert reflected(recorded, "t")[0]["t"].columns == (
        ReflectedColumn("id", "bigint unsigned", is_nullable=False, is_auto_increment=True),
        ReflectedColumn("word", "varchar(10)", is_nullable=False, default="NULL"),
        ReflectedColumn("quoted", "varchar(10)", is_nullable=False, default="'x'"),
        ReflectedColumn("made", "datetime", is_nullable=False, default="CURRENT_TIMESTAMP", is_touched=True),
        ReflectedColumn("doubled", "int", is_generated=True),
        ReflectedColumn("doc", "json"),
    )
    assert "views" not in recorded.asked


def test_an_index_on_an_expression_counts_up_to_it() -> None:
    """MySQL 8 names no column for such a part; the index tells nothing about uniqueness of the rest."""
    recorded = Recorded(
        {
            "columns": [column("id", "int"), column("a", "int")],
            "tables": [("t", "BASE TABLE")],
            "statistics": [
                ("t", "PRIMARY", 0, "id", None),
                ("t", "mixed", 0, "a", None),
                ("t", "mixed", 0, None, None),
                ("t", "lower", 1, None, None),
            ],
        }
    )

    found = reflected(recorded, "t")[0]["t"]

    assert (found.primary_key, found.unique_keys, found.indexes) == (("id",), (), (("id",), ("a",)))


def test_a_table_without_a_visible_column_is_told() -> None:
    """The user of the gateway may lack the right to see them."""
    found, unreadable = reflected(Recorded({"tables": [("t", "BASE TABLE")]}), "t")

    assert (found, list(unreadable)) == ({}, ["t"])
    assert "none of its columns" in unreadable["t"]


def test_views_are_asked_together_and_singly_only_when_one_fails() -> None:
    """One more statement where all is well."""
    views = {"columns": [(name, "a", 1, "int", "NO", None, "", "") for name in ("v", "w")]}
    kinds = {"tables": [("v", "VIEW"), ("w", "VIEW")]}

    well = Recorded({**views, **kinds})
    assert set(reflected(well, "v", "w")[0]) == {"v", "w"}
    assert well.asked.count("views") == 1

    ill = Recorded({**views, **kinds}, broken="FROM w")
    found, unreadable = reflected(ill, "v", "w")
    assert (set(found), set(unreadable)) == ({"v"}, {"w"})


def test_a_connection_lost_while_looking_at_views_says_nothing_about_them() -> None:
    """It is a failure of the reflection, which the caller tries again."""
    recorded = Recorded(
        {"columns": [("v", "a", 1, "int", "NO", None, "", "")], "tables": [("v", "VIEW")]}, broken="FROM v", lost=True
    )

    with pytest.raises(OperationalError):
        reflected(recorded, "v")


def test_nothing_is_asked_about_nothing() -> None:
    """No table was named."""
    recorded = Recorded({})

    assert (reflected(recorded), recorded.asked) == (({}, {}), [])
