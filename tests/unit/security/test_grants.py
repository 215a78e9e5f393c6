"""The grant language: what is understood, what is refused, and what it comes to on a catalog."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigurationError
from gateway.query.access import OPERATIONS
from gateway.security.grants import GrantRule, parse_grant, parse_grants, resolve_grants
from tests.unit.security.catalogs import small_catalog

ALL = frozenset(OPERATIONS)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("invoices:read", "invoices:read"),
        ("invoices:delete,read", "invoices:read,delete"),
        ("invoices:read,create,update,delete", "invoices:*"),
        ("invoices:*", "invoices:*"),
        ("*:read", "*:read"),
        ("*:*", "*:*"),
        (" invoices : read , create ", "invoices:read,create"),
        ("odd:name:read", "odd:name:read"),
    ],
)
def test_a_grant_has_one_canonical_text(text: str, canonical: str) -> None:
    """Order, spaces and repetition do not matter."""
    assert str(parse_grant(text)) == canonical


@pytest.mark.parametrize("text", ["", "invoices", ":read", "invoices:", "read invoices", "*", ":"])
def test_what_is_no_grant_is_refused_with_the_form(text: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(ConfigurationError, match="is not a grant: write RESOURCE:OPERATIONS"):
        parse_grant(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("invoices:write", 'unknown operation "write"'),
        ("invoices:reed", 'did you mean "read"'),
        ("invoices:read,", 'unknown operation ""'),
        ("invoices:READ", 'unknown operation "READ"'),
        ("invoices:admin", 'unknown operation "admin"'),
    ],
)
def test_an_unknown_operation_is_named(text: str, complaint: str) -> None:
    """And the known ones are listed."""
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        parse_grant(text)

    assert "read, create, update, delete and *" in str(caught.value)


def test_every_bad_grant_is_reported_at_once() -> None:
    """One run of the command shows all mistakes."""
    with pytest.raises(ConfigurationError) as caught:
        parse_grants(["invoices", "clients:read", "staff:writ"])

    assert len(caught.value.problems) == 2


def test_grants_on_one_resource_add_up() -> None:
    """Naming it twice is the same as naming it once with both."""
    assert parse_grants(["invoices:read", "*:read", "invoices:create"]) == (
        GrantRule("invoices", frozenset({"read", "create"})),
        GrantRule("*", frozenset({"read"})),
    )


def test_an_alias_counts_for_its_resource() -> None:
    """``customers`` and ``clients`` are one resource with one grant."""
    resolved = resolve_grants(parse_grants(["customers:read", "clients:create"]), small_catalog())

    assert resolved.operations == {"clients": {"read", "create"}}
    assert resolved.unknown == ()


def test_a_named_resource_keeps_what_all_are_granted() -> None:
    """A grant on one resource never takes away what ``*`` gives it."""
    resolved = resolve_grants(parse_grants(["*:read", "clients:create"]), small_catalog())

    assert resolved.operations == {"*": {"read"}, "clients": {"read", "create"}}


@pytest.mark.parametrize("name", ["invoicse", "options", "tbloptions", "tblclients"])
def test_names_that_are_no_resource_grant_nothing_and_are_told(name: str) -> None:
    """Internal tables and database names are no resources either."""
    resolved = resolve_grants(parse_grants([f"{name}:*"]), small_catalog())

    assert resolved.operations == {}
    assert [rule.resource for rule in resolved.unknown] == [name]


@given(
    st.text(min_size=1).filter(lambda text: text.strip() == text and "\x00" not in text),
    st.sets(st.sampled_from(OPERATIONS), min_size=1),
)
def test_the_canonical_text_means_the_same(resource: str, operations: set[str]) -> None:
    """What is stored is read back as what was meant."""
    rule = parse_grant(f"{resource}:{','.join(operations)}")

    assert rule == GrantRule(resource, frozenset(word for word in OPERATIONS if word in operations))
    assert parse_grant(str(rule)) == rule


def test_everything_means_the_four_operations_on_data() -> None:
    """``*:*`` says nothing of administration."""
    assert parse_grant("*:*") == GrantRule("*", ALL)
