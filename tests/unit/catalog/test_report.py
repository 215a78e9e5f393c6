"""What `gateway check` tells the administrator."""

from __future__ import annotations

import json
from datetime import UTC

import pytest

from gateway.catalog.build import build_catalog
from gateway.catalog.reflected import ReflectedColumn, ReflectedForeignKey, ReflectedTable, Reflection
from gateway.catalog.report import Report, as_dict, render_text, report
from gateway.catalog.whitelist import parse_whitelist

WHITELIST = """
version: 1
profile: none
hide: iban
tables:
  people: {alias: humans, search: [name, email], expose_sensitive: token_count}
  orders: {on_delete: forbid}
  logs:
  totals:
  countries: {read_only: true}
  secrets:
  shaky:
"""


def columns(*names: str, required: tuple[str, ...] = ()) -> tuple[ReflectedColumn, ...]:
    """Return columns of text, `id` first and filled by the database."""
    number = ReflectedColumn("id", "int(11)", is_nullable=False, is_auto_increment=True)
    return (number, *(ReflectedColumn(name, "varchar(50)", is_nullable=name not in required) for name in names))


def table(name: str, *names: str, required: tuple[str, ...] = (), key: tuple[str, ...] = ("id",)) -> ReflectedTable:
    return ReflectedTable(name, columns(*names, required=required), key, indexes=((key,) if key else ()))


TABLES = (
    ReflectedTable(
        "people",
        columns("name", "email", "iban", "PassWord", "token_count"),
        ("id",),
        indexes=(("id",), ("email",)),
    ),
    ReflectedTable(
        "orders",
        columns("person", "country"),
        ("id",),
        indexes=(("id",), ("country",)),
        foreign_keys=(
            ReflectedForeignKey(("person",), "people", ("id",)),
            ReflectedForeignKey(("country",), "countries", ("id",)),
        ),
    ),
    table("logs", "line", key=()),
    ReflectedTable("totals", columns("total"), is_view=True),
    table("countries", "name"),
    table("secrets", "name", "token", required=("token",)),
)


@pytest.fixture
def found() -> Report:
    """The report on a small database with one of everything."""
    exposure = parse_whitelist(WHITELIST, "whitelist.yaml")
    reflection = Reflection(
        dialect="mysql",
        tables={item.name: item for item in TABLES},
        existing=frozenset({*(item.name for item in TABLES), "shaky", "stray"}),
        server="8.0.36",
        unreadable={"shaky": "the view does not work"},
    )
    built = build_catalog(reflection, exposure, None, zone=UTC)
    return report(built.catalog, reflection, exposure, built.problems)


def test_what_is_exposed_and_what_is_hidden(found: Report) -> None:
    """Hidden columns are named: this is the administrator's own terminal."""
    people = next(item for item in found.tables if item.resource == "people")

    assert [item.resource for item in found.tables] == ["countries", "logs", "orders", "people", "secrets", "totals"]
    assert (people.aliases, people.key, people.visible) == (("humans",), ("id",), 4)
    assert people.hidden == ("iban", "PassWord")


def test_what_has_no_index(found: Report) -> None:
    """References that are followed back, and columns that are searched."""
    unindexed = {item.resource: item.unindexed for item in found.tables if item.unindexed}
    searched = {item.resource: item.unindexed_search for item in found.tables if item.unindexed_search}

    assert unindexed == {"orders": ("person",)}
    assert searched == {"people": ("name",)}


def test_what_cannot_be_written_and_why(found: Report) -> None:
    """Each refusal is a sentence."""
    refusals = {item.resource: " / ".join(item.refusals) for item in found.tables}

    assert "no primary key" in refusals["logs"]
    assert "it is a view" in refusals["totals"]
    assert "read-only" in refusals["countries"]
    assert "no rows can be created" in refusals["secrets"]
    assert refusals["orders"] == "no rows can be deleted: the whitelist forbids it"
    assert refusals["people"] == ""


def test_what_else_there_is(found: Report) -> None:
    """Tables nobody named, tables nothing joins, tables that cannot be read, and warnings."""
    assert found.unknown == ("stray",)
    assert found.orphaned == ("logs", "secrets", "totals")
    assert [(item.what, item.reason) for item in found.unreadable] == [("shaky", "the view does not work")]
    assert any("token_count" in warning for warning in found.warnings)
    assert (found.is_usable, found.problems) == (True, ())


def test_the_text_says_all_of_it_in_lines_that_fit(found: Report) -> None:
    """The verdict comes last."""
    text = render_text(found)

    assert text.startswith("whitelist.yaml against mysql 8.0.36, time zone UTC\n\nExposed (6)\n")
    assert "  people: iban, PassWord\n" in text
    assert "  orders: person\n" in text
    assert "  shaky: the view does not work\n" in text
    assert text.endswith("\nUsable: 6 resources, 1 warning.\n")
    assert max(map(len, text.splitlines())) <= 110


def test_mistakes_stand_at_the_end_where_a_terminal_shows_them() -> None:
    """With their place in the file."""
    exposure = parse_whitelist("version: 1\nprofile: none\ntables:\n  people: {hide: nme}\n", "whitelist.yaml")
    people = TABLES[0]
    reflection = Reflection("mariadb", {"people": people}, frozenset({"people"}))
    built = build_catalog(reflection, exposure, None, zone=UTC)

    found = report(built.catalog, reflection, exposure, built.problems)

    assert not found.is_usable
    tail = render_text(found).splitlines()[-4:]
    assert tail[0] == "Mistakes in the whitelist (1)"
    assert tail[1].startswith("  whitelist.yaml:4:18 ")
    assert tail[3] == "Not usable: 1 mistake in whitelist.yaml."


def test_the_data_is_plain(found: Report) -> None:
    """For scripts: everything the text says, as JSON."""
    data = json.loads(json.dumps(as_dict(found)))

    assert (data["usable"], data["server"]) == (True, "8.0.36")
    assert data["tables"][3]["hidden"] == ["iban", "PassWord"]
    assert data["unreadable"] == [{"what": "shaky", "reason": "the view does not work"}]


def test_a_catalog_of_nothing_is_told_too() -> None:
    """All that was named is gone; the report still stands."""
    exposure = parse_whitelist("version: 1\nprofile: none\ntables: [people]", "w")
    reflection = Reflection("sqlite", {}, frozenset())
    built = build_catalog(reflection, exposure, None, zone=UTC)

    assert "Exposed (0)" in render_text(report(built.catalog, reflection, exposure, built.problems))
