"""Documents by their hashes: those that clients store, those of a file, and none."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigurationError, GatewayError
from gateway.graphql import persisted as module
from gateway.graphql.persisted import PersistedQueries, read_file
from gateway.settings import Settings

TEXT = "{ invoices { id } }"
OTHER = "{ clients { userid } }"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def extension(text: str) -> dict[str, Any]:
    """Return what a client sends for a text."""
    return {"version": 1, "sha256Hash": digest(text)}


def refused(queries: PersistedQueries, *given: object, **how: bool) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        queries.text_of(*given, **how)  # type: ignore[arg-type]  # arguments as a client may send them
    return caught.value


def written(path: Path, found: object) -> Path:
    path.write_text(found if isinstance(found, str) else json.dumps(found), "utf-8")
    return path


def test_a_text_without_a_hash_is_itself() -> None:
    """Nothing is stored."""
    queries = PersistedQueries("automatic")
    queries.keep(queries.text_of(TEXT))

    assert len(queries) == 0


def test_a_client_sends_the_hash_then_the_text_then_the_hash() -> None:
    """The message in between is the one that clients look for."""
    queries = PersistedQueries("automatic")
    first = refused(queries, None, extension(TEXT))
    queries.keep(queries.text_of(TEXT, extension(TEXT)), extension(TEXT))

    assert (first.code, first.detail) == ("persisted_query_unknown", "PersistedQueryNotFound")
    assert queries.text_of(None, extension(TEXT)) == TEXT
    assert queries.text_of("", extension(TEXT)) == TEXT
    assert queries.text_of(None, {"version": 1, "sha256Hash": digest(TEXT).upper()}) == TEXT


def test_a_text_is_not_stored_before_it_was_valid() -> None:
    """Whoever found it valid says so."""
    queries = PersistedQueries("automatic")
    queries.text_of(TEXT, extension(TEXT))

    assert refused(queries, None, extension(TEXT)).code == "persisted_query_unknown"


def test_a_hash_of_another_text_is_refused() -> None:
    """Nobody stores a document under the hash of one that others use."""
    assert refused(PersistedQueries("automatic"), OTHER, extension(TEXT)).code == "parameter_invalid"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        "x",
        {"version": 1},
        {"version": 2, "sha256Hash": digest(TEXT)},
        {"version": 1, "sha256Hash": "ab"},
        {"version": 1, "sha256Hash": 1},
        {"version": 1, "sha256Hash": digest(TEXT), "more": 1},
        {"version": 1, "sha256Hash": digest(TEXT) + "\n"},
    ],
)
def test_a_malformed_extension_is_refused(wrong: object) -> None:
    """With the form that it has."""
    error = refused(PersistedQueries("automatic"), TEXT, wrong)

    assert error.code == "parameter_invalid"
    assert "sha256Hash" in error.detail


def test_neither_text_nor_hash_is_refused() -> None:
    """There is nothing to run."""
    assert refused(PersistedQueries("automatic"), None).code == "parameter_missing"
    assert refused(PersistedQueries("off"), "").code == "parameter_missing"


def test_the_ones_used_longest_ago_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, and by bytes."""
    monkeypatch.setattr(module, "MOST_STORED", 2)
    queries = PersistedQueries("automatic")
    for text in (TEXT, OTHER):
        queries.keep(text, extension(text))
    queries.text_of(None, extension(TEXT))
    queries.keep("{ a }", extension("{ a }"))

    assert len(queries) == 2
    assert queries.text_of(None, extension(TEXT)) == TEXT
    assert refused(queries, None, extension(OTHER)).code == "persisted_query_unknown"

    monkeypatch.setattr(module, "MOST_STORED_BYTES", 30)
    queries.keep("{ b }", extension("{ b }"))
    queries.keep("{ b }", extension("{ b }"))
    assert len(queries) == 2
    assert queries.text_of(None, extension("{ b }")) == "{ b }"


def test_what_one_caller_stored_is_no_others() -> None:
    """Whether anybody stored a text, and what it says, another cannot find out by its hash."""
    queries = PersistedQueries("automatic")
    queries.keep(TEXT, extension(TEXT), "one")

    assert queries.text_of(None, extension(TEXT), "one") == TEXT
    assert refused(queries, None, extension(TEXT), "other").code == "persisted_query_unknown"
    queries.keep(TEXT, extension(TEXT), "other")
    assert queries.text_of(None, extension(TEXT), "other") == TEXT


def test_who_stores_many_pushes_out_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of others stay, as long as all together are not too many."""
    monkeypatch.setattr(module, "MOST_OF_ONE", 3)
    queries = PersistedQueries("automatic")
    queries.keep(TEXT, extension(TEXT), "quiet")
    texts = [f"{{ a{number} }}" for number in range(20)]
    for text in texts:
        queries.keep(text, extension(text), "loud")

    assert len(queries) == 4
    assert queries.text_of(None, extension(TEXT), "quiet") == TEXT
    assert [queries.text_of(None, extension(text), "loud") for text in texts[-3:]] == texts[-3:]
    assert refused(queries, None, extension(texts[-4]), "loud").code == "persisted_query_unknown"


def test_off_refuses_hashes_and_takes_texts() -> None:
    """With the message that makes clients send texts; nothing is passed over."""
    queries = PersistedQueries("off")
    error = refused(queries, TEXT, extension(TEXT))

    assert (error.code, error.detail) == ("persisted_queries_off", "PersistedQueryNotSupported")
    assert queries.text_of(TEXT) == TEXT


def test_only_listed_documents_are_answered() -> None:
    """By hash or by text; administrators may send any."""
    queries = PersistedQueries("only", {digest(TEXT): TEXT})

    assert queries.text_of(None, extension(TEXT)) == TEXT
    assert queries.text_of(TEXT) == TEXT
    assert queries.text_of(TEXT, extension(TEXT)) == TEXT
    assert queries.text_of(OTHER, is_admin=True) == OTHER
    assert queries.text_of(OTHER, extension(OTHER), is_admin=True) == OTHER
    for error in (refused(queries, OTHER), refused(queries, OTHER, extension(OTHER))):
        assert (error.code, error.status) == ("persisted_queries_only", 403)
    queries.keep(OTHER, extension(OTHER))
    assert refused(queries, None, extension(OTHER)).code == "persisted_query_unknown"


def test_a_file_lists_documents_by_their_hashes(tmp_path: Path) -> None:
    """It is read at start."""
    file = written(tmp_path / "list.json", {digest(TEXT): TEXT, digest(OTHER): OTHER})
    queries = PersistedQueries.of(Settings(graphql_persisted="only", graphql_persisted_file=str(file)))

    assert len(queries) == 2
    assert queries.text_of(None, extension(OTHER)) == OTHER


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("nonsense", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ([], "is no JSON object"),
        ({digest(TEXT): 1}, "its document is no text"),
        ({"ab": TEXT}, f"ab: the SHA-256 of its document is {digest(TEXT)}"),
        ({digest("{"): "{"}, "Syntax Error"),
        ({f"{i}": 1 for i in range(50)}, "and 30 more"),
    ],
)
def test_a_file_that_is_wrong_stops_the_start(tmp_path: Path, found: object, said: str) -> None:
    """Each entry is named."""
    with pytest.raises(ConfigurationError) as caught:
        read_file(written(tmp_path / "list.json", found))

    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_too_large_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is said."""
    with pytest.raises(ConfigurationError, match="nothing"):
        read_file(tmp_path / "nothing.json")
    monkeypatch.setattr(module, "MOST_FILE_BYTES", 1)
    with pytest.raises(ConfigurationError, match="more than 1 bytes"):
        read_file(written(tmp_path / "list.json", {}))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(graphql_persisted="only"),
        Settings(graphql_persisted_file="list.json"),
        Settings(graphql_persisted="off", graphql_persisted_file="list.json"),
    ],
)
def test_a_file_goes_with_only(settings: Settings) -> None:
    """Neither does anything without the other."""
    with pytest.raises(ConfigurationError, match="GATEWAY_GRAPHQL_PERSISTED_FILE"):
        PersistedQueries.of(settings)
