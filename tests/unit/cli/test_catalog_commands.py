"""``init``, ``check``, ``routes``, ``token explain`` and the look before serving, on a small SQLite database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

import graphql
import pytest
from click.testing import Result

import sample_crm
from gateway.settings import Settings

Run = Callable[..., Result]

DATABASE = """
CREATE TABLE author (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL, password_hash VARCHAR(60) NOT NULL);
CREATE TABLE book (id INTEGER PRIMARY KEY, title VARCHAR(50) NOT NULL, author_id INTEGER REFERENCES author (id));
CREATE TABLE diary (day DATE PRIMARY KEY);
CREATE VIEW titles AS SELECT title FROM book;
"""

WHITELIST = """
version: 1
profile: none
tables:
  author:
  book:
  titles:
"""


@pytest.fixture
def settings(here: Path) -> Mapping[str, str]:
    """The environment that names the database and the whitelist in the working directory."""
    connection = sqlite3.connect(here / "books.db")
    connection.executescript(DATABASE)
    connection.close()
    (here / "whitelist.yaml").write_text(WHITELIST, encoding="utf-8")
    return {"GATEWAY_DATABASE_URL": f"sqlite:///{here}/books.db"}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What would have been served: the server is not started."""
    started: list[Settings] = []

    def serving(settings: Settings, listener: object, announce: Callable[[], None]) -> None:
        started.append(settings)
        announce()

    monkeypatch.setattr("gateway.cli.server.run", serving)
    return started


def test_check_prints_what_is_exposed_and_hidden(run: Run, settings: Mapping[str, str]) -> None:
    """With exit code 0 as long as the gateway would start."""
    result = run("check", **settings)

    assert result.exit_code == 0, result.output
    assert "author: password_hash" in result.stdout
    assert "Usable: 3 resources" in result.stdout


def test_check_as_json_says_the_same(run: Run, settings: Mapping[str, str]) -> None:
    """One object for a script."""
    found = json.loads(run("check", "--json", **settings).stdout)

    assert found["usable"] is True
    assert [table["resource"] for table in found["tables"]] == ["author", "book", "titles"]


@pytest.mark.parametrize("arguments", [["check"], ["check", "--json"]])
def test_check_fails_where_the_whitelist_is_wrong(
    run: Run, here: Path, settings: Mapping[str, str], arguments: list[str]
) -> None:
    """Exit code 1, with the place and the nearest name; the report is printed all the same."""
    (here / "whitelist.yaml").write_text(WHITELIST + "  boook:\n", encoding="utf-8")
    result = run(*arguments, **settings)

    assert result.exit_code == 1
    assert "whitelist.yaml:8:3" in result.stdout


def test_routes_lists_paths_and_methods(run: Run, settings: Mapping[str, str]) -> None:
    """A resource that cannot be created has no POST, a view only reads; all can be asked by a body."""
    found = {item["path"]: item["methods"] for item in json.loads(run("routes", "--json", **settings).stdout)}

    assert found["/api/v1/book"] == ["GET", "HEAD", "QUERY", "OPTIONS", "POST"]
    assert found["/api/v1/book/{id}"] == ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]
    assert found["/api/v1/author"] == found["/api/v1/titles"] == ["GET", "HEAD", "QUERY", "OPTIONS"]
    assert found["/api/v1/titles/query"] == ["POST"]
    assert sum(path.startswith("/api/v1/author/{id}/") for path in found) == 1


def test_routes_are_a_table_for_people(run: Run, settings: Mapping[str, str]) -> None:
    """With a header."""
    lines = run("routes", **settings).stdout.splitlines()

    assert lines[0].split() == ["PATH", "METHODS", "NEEDS", "ABOUT"]
    assert any(line.startswith("/api/v1/book/{id} ") for line in lines)


def test_routes_say_who_may_come(run: Run, settings: Mapping[str, str]) -> None:
    """And, beside the list, which stages everybody passes before that."""
    done = run("routes", "--json", **settings)
    needs = {item["path"]: item["needs"] for item in json.loads(done.stdout)}

    assert {path for path, guard in needs.items() if guard == "public"} == {
        "/healthz",
        "/readyz",
        "/api_docs",
        "/api_docs/errors/{code}",
    }
    assert needs["/admin/tokens"] == needs["/metrics"] == "admin"
    assert needs["/api/v1/book"] == needs["/api/me"] == "token"
    assert "headers, records, shield, cors, authenticate, rate_limit, authorize, audit" in done.stderr


def test_mistakes_of_the_file_and_against_the_database_are_told_at_once(
    run: Run, here: Path, settings: Mapping[str, str]
) -> None:
    """In the order of the file, whoever finds them."""
    text = "version: 1\nprofile: none\ntables:\n  author:\n    hidee: [name]\n  book:\n    hide: [titel]\n"
    (here / "whitelist.yaml").write_text(text, encoding="utf-8")
    for command in ("check", "serve"):
        result = run(command, *(["--demo", "--port", "0"] if command == "serve" else []), **settings)

        assert result.exit_code == 1
        assert [line.split(" ", 1)[0] for line in result.stderr.splitlines()[1:]] == [
            "whitelist.yaml:5:5",
            "whitelist.yaml:7:12",
        ]


def test_init_writes_a_whitelist_that_check_accepts(run: Run, here: Path, settings: Mapping[str, str]) -> None:
    """Another product than Perfex gets a list of its tables."""
    result = run("init", "--output", "new.yaml", **settings)

    assert result.exit_code == 0, result.output
    assert "not a Perfex database" in result.stderr
    assert run("check", "--whitelist", "new.yaml", **settings).exit_code == 0


def test_init_keeps_a_file_unless_forced(run: Run, here: Path, settings: Mapping[str, str]) -> None:
    """It may hold decisions."""
    refused = run("init", **settings)
    assert (refused.exit_code, (here / "whitelist.yaml").read_text()) == (1, WHITELIST)
    assert "--force" in refused.stderr

    assert run("init", "--force", **settings).exit_code == 0
    assert (here / "whitelist.yaml").read_text() != WHITELIST


def test_init_prints_to_stdout(run: Run, settings: Mapping[str, str]) -> None:
    """The file alone, so that it can be piped."""
    assert "diary" in run("init", "--output", "-", **settings).stdout


def test_init_says_when_it_cannot_write(run: Run, settings: Mapping[str, str]) -> None:
    """With the option to change."""
    result = run("init", "--output", "nowhere/whitelist.yaml", **settings)

    assert result.exit_code == 1
    assert "choose another --output" in result.stderr


def test_explain_spells_out_what_a_token_may_do(run: Run, settings: Mapping[str, str]) -> None:
    """Per resource, with what the resource refuses, and grants that mean nothing."""
    grants = ("--grant", "titles:*", "--grant", "book:read", "--grant", "boook:read")
    run("token", "create", "--name", "bi", *grants)
    found = json.loads(run("token", "explain", "bi", "--json", **settings).stdout)

    assert [(item["resource"], item["granted"]) for item in found["resources"]] == [
        ("book", ["read"]),
        ("titles", ["read", "create", "update", "delete"]),
    ]
    assert set(found["resources"][1]["refused"]) == {"create", "update", "delete"}
    assert found["unknown"] == ["boook:read"]

    text = run("token", "explain", "bi", **settings).stdout
    assert "create,update,delete: a view is read-only" in text
    assert "boook:read: no resource has this name" in text


def test_a_grant_on_nothing_is_stored_with_a_warning(run: Run, settings: Mapping[str, str]) -> None:
    """The table may be exposed tomorrow."""
    result = run("token", "create", "--name", "bi", "--grant", "boook:read", **settings)

    assert result.exit_code == 0
    assert 'No resource is named "boook" now' in result.stderr


def test_a_token_is_made_although_the_catalog_cannot_be_read(run: Run, settings: Mapping[str, str]) -> None:
    """What could not be checked is said."""
    result = run("token", "create", "--name", "bi", "--grant", "book:read", GATEWAY_WHITELIST="nowhere", **settings)

    assert result.exit_code == 0
    assert "It is not known whether the names in the grants exist" in result.stderr


def test_serve_looks_at_the_catalog_before_it_starts(
    run: Run, settings: Mapping[str, str], served: list[Settings]
) -> None:
    """What is served is said, and a missing token too; options reach the workers through the environment."""
    result = run("serve", "--demo", "--port", "0", **settings)

    assert result.exit_code == 0, result.output
    assert "3 resources from sqlite:" in result.stderr
    assert "There is no token yet" in result.stderr
    assert [item.port for item in served] == [0]


@pytest.mark.parametrize(
    ("arguments", "environ", "complaint"),
    [
        ([], {}, "SQLite serves the demo only"),
        (["--demo", "--whitelist", "nowhere.yaml"], {}, "nowhere.yaml cannot be read"),
        (["--demo"], {"GATEWAY_STATE_PATH": "nowhere/state"}, "GATEWAY_STATE_PATH"),
        (["--database-url", "postgresql://x/y"], {}, "not supported"),
        (["--demo"], {"GATEWAY_TIMEZONE": "Mars/Olympus"}, "time zone"),
    ],
)
def test_what_no_restart_would_mend_ends_serve(
    run: Run,
    settings: Mapping[str, str],
    served: list[Settings],
    arguments: list[str],
    environ: dict[str, str],
    complaint: str,
) -> None:
    """Exit code 1 with the reason, and no worker was started."""
    result = run("serve", "--port", "0", *arguments, **{**settings, **environ})

    assert (result.exit_code, served) == (1, [])
    assert complaint in result.stderr


def test_a_wrong_whitelist_ends_serve_with_every_mistake(
    run: Run, here: Path, settings: Mapping[str, str], served: list[Settings]
) -> None:
    """Each with its line."""
    (here / "whitelist.yaml").write_text(WHITELIST + "  boook:\n  autor:\n", encoding="utf-8")
    result = run("serve", "--demo", "--port", "0", **settings)

    assert (result.exit_code, served) == (1, [])
    assert "whitelist.yaml:8:3" in result.stderr
    assert "whitelist.yaml:9:3" in result.stderr


def test_a_database_that_is_away_is_a_warning(run: Run, settings: Mapping[str, str], served: list[Settings]) -> None:
    """The gateway starts and answers 503 until it is back; port 1 of this machine answers nobody."""
    result = run("serve", "--port", "0", **{**settings, "GATEWAY_DATABASE_URL": "mysql://u:secret@127.0.0.1:1/crm"})

    assert result.exit_code == 0, result.output
    assert len(served) == 1
    assert "answers are 503 until mysql://127.0.0.1:1/crm can be reached" in result.stderr
    assert "secret" not in result.output


def test_the_demo_builds_once_and_keeps_its_token(run: Run, here: Path, served: list[Settings]) -> None:
    """A second start makes nothing and prints the same token."""
    arguments = ("demo", "--scale", "tiny", "--port", "0")
    first = run(*arguments)
    made = (here / ".demo" / "crm-tiny.sqlite3").stat()
    second = run(*arguments)

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "Making a sample CRM" in first.stderr
    assert "Making a sample CRM" not in second.stderr
    assert (here / ".demo" / "crm-tiny.sqlite3").stat() == made
    token = (here / ".demo" / "token").read_text().strip()
    assert first.stdout.count(token) == second.stdout.count(token) == 4
    assert {path.stat().st_mode & 0o077 for path in (here / ".demo").iterdir() if path.name != ".gitignore"} == {0}
    assert [item.database_url for item in served] == [f"sqlite:///{here}/.demo/crm-tiny.sqlite3"] * 2


def test_a_fresh_demo_makes_the_crm_anew(run: Run, here: Path, served: list[Settings]) -> None:
    """The token stays."""
    crm = here / "elsewhere" / "crm-tiny.sqlite3"
    arguments = ("demo", "--scale", "tiny", "--port", "0", "--directory", "elsewhere")
    run(*arguments)
    connection = sqlite3.connect(crm)
    connection.execute("DELETE FROM tblinvoices")
    connection.commit()
    connection.close()
    run(*arguments, "--fresh")
    connection = sqlite3.connect(crm)
    (count,) = connection.execute("SELECT count(*) FROM tblinvoices").fetchone()
    connection.close()

    assert count > 42
    assert len(served) == 2


def test_check_of_another_database_says_nothing_of_staff(run: Run, settings: Mapping[str, str]) -> None:
    """Who acts is a question of Perfex's."""
    assert "staff" not in run("check", **settings).stdout
    assert json.loads(run("check", "--json", **settings).stdout)["acting_staff"] is None


def test_check_names_who_acts_in_the_crm(run: Run, here: Path) -> None:
    """The lowest active administrator, where no setting names another."""
    sample_crm.build(f"sqlite:///{here / 'crm.db'}", scale="tiny")
    (here / "whitelist.yaml").write_text("version: 1\nprofile: perfex\ntables: [notes]\n", encoding="utf-8")
    url = {"GATEWAY_DATABASE_URL": f"sqlite:///{here / 'crm.db'}"}

    assert "Writes name staff 1 where the token has none." in run("check", **url).stdout
    assert "Writes name staff 7" in run("check", **url, GATEWAY_STAFF_ID="7").stdout
    with sqlite3.connect(here / "crm.db") as connection:
        connection.execute("UPDATE tblstaff SET active = 0")
    connection.close()
    assert "GATEWAY_STAFF_ID" in run("check", **url).stdout


def test_check_lists_names_that_graphql_has_otherwise(run: Run, here: Path, settings: Mapping[str, str]) -> None:
    """Before everything else, and not at all where there are none."""
    connection = sqlite3.connect(here / "books.db")
    connection.executescript('CREATE TABLE "order" (id INTEGER PRIMARY KEY, "group by" VARCHAR(9), "and" INTEGER);')
    connection.close()
    plain = run("check", **settings)
    (here / "whitelist.yaml").write_text(WHITELIST + "  order:\n", encoding="utf-8")
    result, as_json = run("check", **settings), run("check", "--json", **settings)

    assert "GraphQL" not in plain.stdout
    assert result.stdout.startswith(
        "Called otherwise in GraphQL (2)\n  order: group by is group_by\n  order: and is and_2 (filter)\n"
    )
    assert json.loads(as_json.stdout)["graphql_names"] == [
        {"resource": "order", "name": "group by", "instead": "group_by", "place": ""},
        {"resource": "order", "name": "and", "instead": "and_2", "place": "filter"},
    ]


def test_check_lists_what_is_deprecated(run: Run, here: Path, settings: Mapping[str, str]) -> None:
    """With the reasons, as the whitelist gives them."""
    text = WHITELIST.replace("  book:\n", "  book: {deprecated: Use titles.}\n")
    (here / "whitelist.yaml").write_text(
        text.replace("  author:\n", "  author: {deprecated: {name: Use id.}}\n"), encoding="utf-8"
    )

    listed = run("check", **settings).stdout

    assert "Deprecated (2)\n  author: name (Use id.)\n  book: the resource (Use titles.)\n" in listed


def test_the_graphql_schema_is_printed(run: Run, settings: Mapping[str, str]) -> None:
    """Of everything that is open: hidden columns are not in it, and a parser of GraphQL takes it."""
    result = run("export", "graphql", **settings)

    schema = graphql.build_schema(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(schema.type_map["Author"].fields) == ["id", "name", "book", "book_aggregate", "_etag"]  # type: ignore[attr-defined]  # an object type
    assert "password" not in result.stdout


def test_the_graphql_schema_of_a_token_has_what_it_may_do(run: Run, settings: Mapping[str, str]) -> None:
    """No more than its grants, and an unknown token is an error."""
    run("token", "create", "--name", "reader", "--grant", "book:read", **settings)
    result = run("export", "graphql", "--token", "reader", **settings)
    unknown = run("export", "graphql", "--token", "nobody", **settings)

    schema = graphql.build_schema(result.stdout)
    assert schema.mutation_type is None
    assert "Author" not in schema.type_map
    assert list(schema.type_map["Book"].fields) == ["id", "title", "author_id", "_etag"]  # type: ignore[attr-defined]  # an object type
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert 'There is no token "nobody"' in unknown.stderr
