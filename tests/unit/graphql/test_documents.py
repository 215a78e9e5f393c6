"""Texts -> documents: what is refused and how cheaply, what is kept, which operation is meant."""

from __future__ import annotations

import pytest

from gateway.errors import GatewayError
from gateway.graphql import documents as module
from gateway.graphql.documents import TOKENS_EACH, Documents
from gateway.graphql.faults import DocumentError, InvalidDocumentError
from gateway.graphql.limits import MOST_FAULTS, Limits
from tests.support.small_graphql import small_documents, small_schema


def refused(text: str, documents: Documents | None = None, *, is_admin: bool = False) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        (documents or small_documents()).read(text, is_admin=is_admin)
    return caught.value


def test_a_text_is_parsed_and_validated_once() -> None:
    """As long as it is kept."""
    documents = small_documents()

    first = documents.read("{ invoices { id } }")

    assert documents.read("{ invoices { id } }") is first
    assert documents.validated == 1
    assert (first.text, first.tokens, len(first.operations)) == ("{ invoices { id } }", 6, 1)


def test_the_document_used_longest_ago_gives_way() -> None:
    """One that is used stays."""
    documents = small_documents(kept=2)
    kept = documents.read("{ a: invoices { id } }")
    documents.read("{ b: invoices { id } }")
    documents.read("{ a: invoices { id } }")
    documents.read("{ c: invoices { id } }")

    assert len(documents) == 2
    assert documents.read("{ a: invoices { id } }") is kept
    documents.read("{ b: invoices { id } }")
    assert documents.validated == 4


def test_large_documents_leave_room_for_fewer() -> None:
    """A token takes about as much memory wherever it stands."""
    documents = small_documents(kept=10)
    for number in range(8):
        documents.read("{ invoices {" + f" a{number}: id " + "id " * (2 * TOKENS_EACH) + "} }")

    assert len(documents) == 4


def test_fragments_take_room_wherever_they_are_spread() -> None:
    """What is worked out of such a document is kept too, and is larger than its text."""
    documents = small_documents(kept=10)
    fields, read = "id total " * 5, []
    for number in range(8):
        spread = "...F " + " ".join(f"a{place}: client {{ invoices {{ ...F }} }}" for place in range(5))
        text = f"{{ n{number}: invoices {{ {spread} }} }} fragment F on Invoice {{ {fields} }}"
        read.append(documents.read(text))

    (weight,) = {each.weight for each in read}
    assert weight > max(each.tokens for each in read)
    assert len(documents) == 10 * TOKENS_EACH // weight


def test_one_document_is_kept_however_large() -> None:
    """It would be parsed for each request else."""
    documents = small_documents(kept=1)
    text = "{ invoices {" + "id " * 1_000 + "} }"
    documents.read(text)
    documents.read(text)

    assert (len(documents), documents.validated) == (1, 1)


def test_refused_texts_are_not_kept() -> None:
    """Whoever sends nonsense would push out what is used."""
    documents = small_documents()
    refused("{ nonsense }", documents)
    refused("{ nonsense", documents)

    assert len(documents) == 0


def test_only_administrators_are_told_what_a_name_may_have_meant() -> None:
    """And what was told to one is not kept for the other."""
    documents = small_documents()

    assert refused("{ invoces { id } }", documents).detail == "Cannot query field 'invoces' on type 'Query'."
    assert "Did you mean 'invoices'" in refused("{ invoces { id } }", documents, is_admin=True).detail
    assert refused("{ invoces { id } }", documents).detail == "Cannot query field 'invoces' on type 'Query'."


def test_administrators_may_read_the_schema_where_others_may_not() -> None:
    """The same text is a document of its own for them."""
    documents = small_documents(Limits(is_introspection_open=False))
    text = "{ __schema { queryType { name } } }"

    assert not documents.read(text).may_introspect
    assert documents.read(text, is_admin=True).may_introspect
    assert not documents.read(text).may_introspect


def test_every_fault_is_told_up_to_a_number() -> None:
    """With its place each."""
    error = refused("{" + "zz " * 100 + "}")
    assert isinstance(error, InvalidDocumentError)

    assert len(error.faults) == MOST_FAULTS
    assert error.faults[1].locations == ((1, 5),)
    assert {fault.code for fault in error.faults} == {"graphql_invalid"}


def test_conflicting_fields_are_faults_too() -> None:
    """After all others, and as many."""
    error = refused("{ invoices {" + "".join("a: id a: total " for _ in range(20)) + "} }")
    assert isinstance(error, InvalidDocumentError)

    assert len(error.faults) == MOST_FAULTS
    assert "Fields 'a' conflict" in error.detail


def test_long_names_are_not_repeated_whole() -> None:
    """A message is for people."""
    assert len(refused("{" + "x" * 50_000 + "}").detail) < 600


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("{ invoices {", "Expected Name, found <EOF>.", (1, 13)),
        ("\n  }", "Unexpected '}'.", (2, 3)),
        ("", "Unexpected <EOF>.", (1, 1)),
        ('{ invoices(after: "', "Unterminated string.", (1, 20)),
        ("{ invoices { } }", "A selection of nothing: `{}`.", (1, 12)),
        ("{ \x00 }", "Unexpected character: U+0000.", (1, 3)),
        ('{ invoices(after: "\ud800") { id } }', "", (1, 20)),
    ],
)
def test_what_is_no_document_is_said_with_its_place(text: str, said: str, place: tuple[int, int]) -> None:
    """Line and column count from 1."""
    error = refused(text)
    assert isinstance(error, DocumentError)

    assert error.code == "graphql_syntax"
    assert said in error.detail
    assert error.locations == (place,)


@pytest.mark.parametrize(
    ("text", "measure", "cost"),
    [
        ("{ a #" + "x" * 1_000_000 + "\n}", "document", 1_000_007),
        ("{ a #" + "\u00e9" * 50_000 + "\n}", "document", 100_007),
        ("{" + " a" * 49_000 + "}", "tokens", 49_002),
        ("{ a " + "#\n" * 4_000 + "}", "tokens", 4_003),
        ("{" * 3_000, "nesting", 3_000),
        ("{ a(b: " + "[" * 150 + "]" * 150 + ") }", "nesting", 152),
    ],
)
def test_what_is_too_large_is_never_parsed(text: str, measure: str, cost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured by its bytes and its tokens, which takes no time."""
    monkeypatch.setattr(module, "parse", None)

    error = refused(text)
    assert isinstance(error, DocumentError)

    assert error.code == "query_too_large"
    assert (error.extensions["measure"], error.extensions["cost"]) == (measure, cost)


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("{" + "invoices { client {" * 10 + "id" + "} }" * 10 + "}", "depth"),
        ("{" + "".join(f"a{i}: invoices {{ id }} " for i in range(400)) + "}", "aliases"),
        ("{" + "invoices { id } " * 990 + "}", None),
        ("{" + "invoices { id } " * 900 + "a " * 300 + "}", "selections"),
        (
            "{"
            + "".join(f"...F{i} " for i in range(400))
            + "}"
            + "".join(f"fragment F{i} on Q{{a}}" for i in range(400)),
            "definitions",
        ),
        ("".join(f"query Q{i} {{ a }}" for i in range(400)), "definitions"),
        ("query (" + "".join(f"$v{i}: Int " for i in range(900)) + ") { a }", "variables"),
        ("{ a" + " @skip(if: true)" * 500 + "}", "directives"),
    ],
)
def test_what_the_text_alone_shows_is_refused_before_it_is_validated(text: str, measure: str | None) -> None:
    """The rules look at each node many times; what there may be of it is bounded first."""
    documents = small_documents()
    if measure is None:
        assert documents.read(text).operations
        return

    error = refused(text, documents)
    assert isinstance(error, DocumentError)

    assert (error.code, error.extensions["measure"]) == ("query_too_large", measure)
    assert documents.validated == 0


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("{ invoices { id } }", None, None),
        ("{ invoices { id } }", "", None),
        ("query A { invoices { id } }", None, "A"),
        ("query A { invoices { id } } query B { invoices { id } }", "B", "B"),
    ],
)
def test_an_operation_is_named_or_the_only_one(text: str, name: str | None, expected: str | None) -> None:
    """An empty name is none."""
    node = small_documents().read(text).operation(name)

    assert (node.name.value if node.name else None) == expected


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("query A { invoices { id } } query B { invoices { id } }", None, "name one of them, A, B."),
        ("query A { invoices { id } }", "B", "no operation of that name. It has: A."),
        ("{ invoices { id } }", "B", "one operation, without a name."),
        ("".join(f"query Q{i} {{ invoices {{ id }} }} " for i in range(30)), None, "Q19, ..."),
    ],
)
def test_an_operation_that_is_not_there_is_said_with_those_that_are(text: str, name: str | None, said: str) -> None:
    """As many as help."""
    with pytest.raises(DocumentError) as caught:
        small_documents().read(text).operation(name)

    assert caught.value.code == "operation_unknown"
    assert said in caught.value.detail


def test_a_document_of_fragments_alone_has_no_operation() -> None:
    """A fragment that nobody spreads is refused before."""
    assert refused("fragment F on Query { invoices { id } }").code == "graphql_invalid"
    assert Documents(small_schema(), Limits(), 1).validated == 0
