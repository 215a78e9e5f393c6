"""The limits of tokens on the command line: how they are given, checked, shown and explained."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.cli.tokens import OPTIONS
from gateway.security.policy import Policy, parse_policy
from gateway.security.rates import Rate
from gateway.security.signatures import SECRET_PREFIX, signing_key, signing_secret
from gateway.security.tokens import digest_of, looks_like_token
from gateway.security.wanted import FIELDS
from gateway.state.secret import shared_key
from gateway.state.store import StateStore
from gateway.state.tokens import TokenRecord

Run = Callable[..., Result]
STATE = "gateway-state.sqlite3"

DATABASE = """
CREATE TABLE author (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL, password_hash VARCHAR(60) NOT NULL);
CREATE TABLE book (id INTEGER PRIMARY KEY, title VARCHAR(50) NOT NULL, author_id INTEGER REFERENCES author (id));
CREATE VIEW titles AS SELECT title FROM book;
"""
WHITELIST = "version: 1\nprofile: none\ntables:\n  author:\n  titles:\n  book:\n"


@pytest.fixture
def books(here: Path) -> Mapping[str, str]:
    """The environment that names a database of books and its whitelist."""
    connection = sqlite3.connect(here / "books.db")
    connection.executescript(DATABASE)
    connection.close()
    (here / "whitelist.yaml").write_text(WHITELIST, encoding="utf-8")
    return {"GATEWAY_DATABASE_URL": f"sqlite:///{here}/books.db"}


def stored(name: str = "bi") -> TokenRecord:
    with StateStore.open(STATE) as state:
        record = state.tokens.find(name)
    assert record is not None
    return record


def create(run: Run, *arguments: str, **environ: str) -> Result:
    result = run("token", "create", "--name", "bi", *arguments, **environ)
    assert result.exit_code == 0, result.output
    return result


def explained(run: Run, *arguments: str, **environ: str) -> Any:
    result = run("token", "explain", "bi", *arguments, "--json", **environ)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


LIMITS = (
    *("--grant", "*:read", "--readable", "book:id,title", "--readable", "book:author_id", "--writable", "author:name"),
    *("--rows", "book:author_id=1", "--rows", "book:title.ne=a:b", "--address", "10.0.0.0/8", "--address", "::1"),
    *("--origin", "https://app.example.com", "--max-rows", "50", "--rate", "600/min"),
)


def test_every_limit_is_stored(run: Run, books: Mapping[str, str]) -> None:
    """Repeated options of one resource add up; what follows the first colon is not looked at for others."""
    create(run, *LIMITS, **books)
    policy = parse_policy(stored().policy)

    assert policy == Policy(
        (("book", ("id", "title", "author_id")),),
        (("author", ("name",)),),
        (("book", ("author_id=1", "title.ne=a:b")),),
        ("10.0.0.0/8", "::1/128"),
        ("https://app.example.com",),
        50,
        Rate(600, 60),
        lineage=policy.lineage,
    )
    assert policy.lineage


def test_limits_beside_administration_come_with_a_warning(run: Run, books: Mapping[str, str]) -> None:
    """They bind nobody who can make a token without them; it is made all the same."""
    limited = run("token", "create", "--name", "boss", "--admin", "--grant", "*:*", "--max-rows", "5", **books)
    plain = run("token", "create", "--name", "other", "--admin", **books)

    assert (limited.exit_code, plain.exit_code) == (0, 0)
    assert "without them" in limited.stderr
    assert "without them" not in plain.stderr


def test_rotation_keeps_limits_and_lineage(run: Run, books: Mapping[str, str]) -> None:
    """A new token under an old name has a lineage of its own: it is given none of the old one's answers."""
    create(run, *LIMITS, **books)
    first = stored()
    run("token", "rotate", "bi")
    rotated = stored()
    run("token", "revoke", "bi")
    create(run, *LIMITS, **books)

    assert rotated.id != first.id
    assert rotated.policy == first.policy
    assert parse_policy(stored().policy).lineage != parse_policy(first.policy).lineage


@pytest.mark.parametrize(
    ("arguments", "complaints"),
    [
        (["--rows", "book:author=1"], ["--rows book", "is a relationship"]),
        (["--rows", "book:autor_id=1"], ["--rows book", "Did you mean author_id"]),
        (["--rows", "book:author.password_hash=x"], ["--rows book", "no field"]),
        (["--rows", "boook:id=1"], ["--rows boook", "did you mean book"]),
        (["--readable", "book:titel"], ["--readable book", "did you mean title"]),
        (["--readable", "author:password_hash"], ["--readable author", "no column"]),
        (["--writable", "book:titel", "--rows", "book:id=x"], ["--writable book", "--rows book"]),
        (["--rate", "fast", "--address", "10.0.0.1/8"], ["--rate: ", "--address: ", "did you mean 10.0.0.0/8"]),
        (["--rows", "*:id=1"], ["--rows *", "names one resource"]),
        (["--rows", "id=1"], ["--rows", "names no resource"]),
        (["--max-rows", "5000"], ["--max-rows", "1 to 1000"]),
        (["--origin", "app.example.com"], ["--origin", "no origin"]),
    ],
)
def test_a_limit_that_cannot_be_held_is_refused_and_nothing_stored(
    run: Run, here: Path, books: Mapping[str, str], arguments: list[str], complaints: list[str]
) -> None:
    """Each one is named by its option, with what was probably meant."""
    result = run("token", "create", "--name", "bi", "--grant", "*:read", *arguments, **books)

    assert (result.exit_code, result.stdout) == (1, "")
    assert all(complaint in result.stderr for complaint in complaints), result.stderr
    assert not (here / STATE).exists()


def test_a_limit_on_what_was_not_granted_is_refused(run: Run, books: Mapping[str, str]) -> None:
    """Whoever wrote it meant another name."""
    result = run("token", "create", "--name", "bi", "--grant", "author:read", "--rows", "book:id=1", **books)

    assert result.exit_code == 1
    assert "nothing is granted on book" in result.stderr


@pytest.mark.parametrize("url", ["", "sqlite:////nowhere/at/all.db"])
def test_limits_without_a_database_are_stored_unchecked(run: Run, books: Mapping[str, str], url: str) -> None:
    """And that is said: such a token may do less than was meant, and never more."""
    result = create(run, "--grant", "*:read", "--rows", "boook:id=1", GATEWAY_DATABASE_URL=url)

    assert "The limits were not checked" in result.stderr
    assert explained(run, **books)["resources"] == []


def test_a_signed_token_shows_its_signing_secret_once(run: Run) -> None:
    """On a line of its own, and again at rotation, where it is another one."""
    token, secret = create(run, "--grant", "*:read", "--signed").stdout.split()
    rotated = run("token", "rotate", "bi").stdout.split()
    with StateStore.open(STATE) as state:
        key = signing_key("", shared_key(state.write, "signing"))

    assert looks_like_token(token.encode())
    assert secret.startswith(SECRET_PREFIX)
    assert secret == signing_secret(key, digest_of(token.encode()))
    assert rotated[1] != secret
    assert secret not in run("token", "list", "--json").output + run("token", "explain", "bi").output


def test_a_peppered_token_is_stored_under_its_keyed_digest(run: Run) -> None:
    """And its signing secret is made with the pepper."""
    pepper = "p" * 40
    token, secret = create(run, "--grant", "*:read", "--signed", GATEWAY_TOKEN_PEPPER=pepper).stdout.split()

    assert stored().digest == digest_of(token.encode(), pepper) != digest_of(token.encode())
    assert secret == signing_secret(signing_key(pepper, b"x"), stored().digest)


def test_a_token_is_explained_with_its_limits(run: Run, books: Mapping[str, str]) -> None:
    """Resource by resource: columns, rows, and what it lost because a limit cannot be held."""
    create(run, *LIMITS, **books)
    told = explained(run, **books)
    by_name = {item["resource"]: item for item in told["resources"]}

    assert (by_name["book"]["readable"], by_name["book"]["rows"]) == (
        ["id", "title", "author_id"],
        ["author_id=1", "title.ne=a:b"],
    )
    assert (by_name["author"]["readable"], by_name["author"]["writable"]) == (None, ["name"])
    assert (told["problems"], told["unknown"], told["most_rows"]) == ([], [], 50)
    text = run("token", "explain", "bi", **books).stdout
    assert "rows     book: author_id=1 and title.ne=a:b" in text
    assert "from     10.0.0.0/8" in text


def test_what_a_token_lost_is_explained(run: Run, here: Path, books: Mapping[str, str]) -> None:
    """The whitelist hides a column that a row filter needs: nothing is granted on the resource any more."""
    create(run, *LIMITS, **books)
    (here / "whitelist.yaml").write_text(f"{WHITELIST}    hide: [author_id]\n", encoding="utf-8")
    told = explained(run, **books)

    assert [item["resource"] for item in told["resources"]] == ["author", "titles"]
    assert any("nothing is granted on book" in problem for problem in told["problems"])
    assert "problem  rows of book" in run("token", "explain", "bi", **books).stdout


@pytest.mark.parametrize(
    ("request_text", "options", "stage", "code"),
    [
        ("GET /api/v1/book", ["--from", "10.1.2.3", "--origin", "https://app.example.com"], None, None),
        ("GET /api/v1/book", ["--from", "11.1.2.3"], "authorize", "address_forbidden"),
        ("GET /api/v1/book", ["--from", "::1"], "authorize", "origin_forbidden"),
        ("POST /api/v1/book", None, "authorize", "grant_missing"),
        ("GET /api/v1/books", None, "authorize", "resource_unknown"),
        ("GET /admin/tokens", None, "authorize", "grant_missing"),
        ("GET /api/v1/book?filter[titel]=x", None, "plan", "field_unknown"),
        ("GET /api/v1/author?filter[password_hash]=x", None, "plan", "field_unknown"),
        ("GET /api/v1/book?per_page=51", None, "plan", "page_invalid"),
        ("GET /api/v1/book/x", None, "plan", "key_invalid"),
        ("PUT /api/v1/book", None, "plan", "method_not_allowed"),
        ("GET /api/v1/book/1/author", None, None, None),
        ("GET /api/v1/book/1/publisher", None, "authorize", "relationship_unknown"),
        ("OPTIONS /api/v1/book", None, None, None),
        ("GET /api/me", None, None, None),
        (f"GET /api/v1/book?q={'x' * 9000}", None, "shield", "uri_too_long"),
    ],
)
def test_a_request_is_explained_stage_by_stage(
    run: Run,
    books: Mapping[str, str],
    request_text: str,
    options: list[str] | None,
    stage: str | None,
    code: str | None,
) -> None:
    """Up to the one that refuses, with the words that a client would get; nothing is run."""
    create(run, *LIMITS, **books)
    given = ["--from", "::1", "--origin", "https://app.example.com"] if options is None else options
    told = explained(run, request_text, *given, **books)["request"]
    refused = [(step["stage"], step["code"]) for step in told["steps"] if step["outcome"] == "refused"]

    assert refused == ([] if stage is None else [(stage, code)])
    assert told["allowed"] is (stage is None)
    assert [step["stage"] for step in told["steps"]][:6] == [
        "shield",
        "cors",
        "authenticate",
        "rate_limit",
        "authorize",
        "audit",
    ]


@pytest.mark.parametrize(
    ("request_text", "code", "words"),
    [
        ("POST /api/v1/book", None, "a create of book, whose body is judged"),
        ("POST /api/v1/book?fields=id", "parameter_unknown", "fields"),
        ("POST /api/v1/author", "write_not_supported", "author does not take this"),
        ("PATCH /api/v1/author/1", None, "an update of author, writing name"),
        ("PATCH /api/v1/book/1", None, "of book only rows with author_id=1"),
        ("PATCH /api/v1/book/x", "key_invalid", "id in the key"),
        ("PATCH /api/v1/book?filter[title]=x&max_affected=5", None, "an update of book"),
        ("PATCH /api/v1/book?filter[titel]=x&max_affected=5", "field_unknown", "Did you mean title"),
        ("DELETE /api/v1/book?filter[title]=x&max_affected=5", None, "a delete of book"),
        ("DELETE /api/v1/book?filter[title]=x", "parameter_missing", "max_affected"),
        ("DELETE /api/v1/author/1", None, "a delete of author"),
        ("POST /api/v1/titles", "write_not_supported", "titles is a view"),
        ("POST /api/v1/book/query", None, "reads book"),
        ("GET /api/v1/book?group=author_id&metrics=count", None, "reads book (groups)"),
        ("GET /api/v1?page=1", "parameter_unknown", "page"),
        ("GET /healthz", None, "not a path of resources"),
    ],
)
def test_a_write_is_explained_as_far_as_it_goes_without_its_body(
    run: Run, books: Mapping[str, str], request_text: str, code: str | None, words: str
) -> None:
    """Columns, keys, filters and what the resource itself refuses."""
    limits = ("--writable", "author:name", "--rows", "book:author_id=1")
    create(run, "--grant", "*:*", *limits, **books)
    step = explained(run, request_text, **books)["request"]["steps"][-1]

    assert (step["stage"], step["code"]) == ("plan", code)
    assert words in step["detail"]


def test_an_address_that_was_not_given_is_asked_for(run: Run, books: Mapping[str, str]) -> None:
    """Rather than called a wrong one."""
    create(run, "--grant", "*:*", "--address", "10.0.0.0/8", **books)

    assert "no address was given" in explained(run, "GET /api/v1/book", **books)["request"]["decision"]


def test_the_decision_names_the_missing_grant(run: Run, books: Mapping[str, str]) -> None:
    """In one line at the end."""
    create(run, "--grant", "author:read", **books)
    result = run("token", "explain", "bi", "GET /api/v1/author?filter[book.title]=x", **books)

    assert result.stdout.splitlines()[-1].startswith("Decision: refused by plan: 403 grant_missing")
    assert "book:read" in result.stdout.splitlines()[-1]


def test_what_is_read_is_explained_with_what_narrows_it(run: Run, books: Mapping[str, str]) -> None:
    """Fields and row filters, of the tables that the plan reaches too."""
    create(run, *LIMITS, **books)
    where = ("--from", "::1", "--origin", "https://app.example.com")
    told = explained(run, "GET /api/v1/author?include=book&include[book][limit]=5", *where, **books)["request"]

    assert "of book only rows with author_id=1 and title.ne=a:b" in told["steps"][-1]["detail"]
    assert "every row of author" in told["steps"][-1]["detail"]


def test_an_ended_token_is_explained(run: Run, books: Mapping[str, str]) -> None:
    """By the stage that would refuse it."""
    create(run, *LIMITS, **books)
    run("token", "revoke", "bi")

    assert explained(run, "GET /api/v1/book", **books)["request"]["decision"].startswith("refused by authenticate: 401")


@pytest.mark.parametrize(
    "text", ["GET", "api/v1/book", "GET api/v1/book", "G3T /x", "GET /a b", "GET http://[/x", "GET /\x07"]
)
def test_what_is_no_request_is_a_problem(run: Run, books: Mapping[str, str], text: str) -> None:
    """With the form that is due."""
    create(run, *LIMITS, **books)
    result = run("token", "explain", "bi", text, **books)

    assert result.exit_code == 1
    assert "GET /api/v1/invoices" in result.stderr


def test_every_field_of_a_token_has_its_option() -> None:
    """The command and the API take the same."""
    assert set(OPTIONS) == set(FIELDS)
