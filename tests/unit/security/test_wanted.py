"""Tokens as they are asked for: read whole, or refused with every fault."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ValidationError
from gateway.security.management import describe_policy
from gateway.security.policy import NO_POLICY, Policy, parse_policy, policy_text
from gateway.security.principal import Principal
from gateway.security.rates import Rate
from gateway.security.rows import MOST_CONDITIONS
from gateway.security.wanted import FIELDS, POLICY_FIELDS, Wanted, read_policy, read_wanted
from tests.support.app import ROOT

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


def faults(asked: dict[str, Any]) -> dict[str | None, str]:
    with pytest.raises(ValidationError) as caught:
        read_wanted(asked, NOW)
    return {issue.pointer: issue.message for issue in caught.value.issues}


def test_everything_that_can_be_asked_for_is_read() -> None:
    """Grants in canonical text, networks and origins in canonical form, moments in UTC."""
    wanted = read_wanted(
        {
            "name": "bi",
            "grants": ["invoices:update,read", "invoices:read", "*:read"],
            "is_admin": True,
            "staff_id": 3,
            "expires_at": "2027-01-01T02:00:00+02:00",
            "readable": {"invoices": ["id", "number"]},
            "writable": {"invoices": ["number"]},
            "rows": {"invoices": ["clientid=12", "total.gte=1000"]},
            "addresses": ["::ffff:10.0.0.0/104"],
            "origins": ["HTTPS://app.example.com:443"],
            "most_rows": 100,
            "rate": "600/min",
            "is_signed": True,
        },
        NOW,
    )

    assert wanted == Wanted(
        "bi",
        ("invoices:read,update", "*:read"),
        True,
        3,
        datetime(2027, 1, 1, tzinfo=UTC),
        Policy(
            (("invoices", ("id", "number")),),
            (("invoices", ("number",)),),
            (("invoices", ("clientid=12", "total.gte=1000")),),
            ("10.0.0.0/8",),
            ("https://app.example.com",),
            100,
            Rate(600, 60),
            True,
        ),
    )
    assert parse_policy(policy_text(wanted.policy)) == wanted.policy


def test_null_and_absent_are_no_limit() -> None:
    """So that what is shown of a token can be sent to make another."""
    asked: dict[str, Any] = {
        "name": "bi",
        "grants": ["*:*"],
        "rate": None,
        "most_rows": None,
        "readable": {},
        "addresses": [],
    }

    assert read_wanted(asked, NOW) == Wanted("bi", ("*:*",))


@pytest.mark.parametrize(
    ("field", "value", "pointer", "message"),
    [
        ("name", None, "/name", "needs a name"),
        ("name", 7, "/name", "text is due"),
        ("name", "7", "/name", "not a number"),
        ("name", "a\nb", "/name", "printable"),
        ("name", "n" * 101, "/name", "at most 100"),
        ("name", "jwt:x", "/name", "identity provider"),
        ("grants", "invoices:read", "/grants", "a list of texts"),
        ("grants", ["invoices:reed"], "/grants/0", 'did you mean "read"'),
        ("grants", ["*:read", 7], "/grants/1", "text is due"),
        ("is_admin", "yes", "/is_admin", "true or false"),
        ("staff_id", 0, "/staff_id", "1 to"),
        ("staff_id", True, "/staff_id", "whole number"),
        ("expires_at", "tomorrow", "/expires_at", "is due"),
        ("expires_at", "2026-07-15", "/expires_at", "future"),
        ("expires_at", "2027-01-01T00:00:00", "/expires_at", "is due"),
        ("readable", ["id"], "/readable", "an object"),
        ("readable", {"*": ["id"]}, "/readable/*", "names one resource"),
        ("readable", {"invoices": []}, "/readable/invoices", "at least one"),
        ("writable", {"a/b": [""]}, "/writable/a~1b/0", "no name of a column"),
        ("rows", {"*": ["clientid=1"]}, "/rows/*", "names one resource"),
        ("rows", {"invoices": ["clientid"]}, "/rows/invoices/0", "no row filter"),
        ("rows", {"invoices": "clientid=1"}, "/rows/invoices", "a list of texts"),
        ("addresses", ["10.0.0.1/8"], "/addresses/0", "did you mean 10.0.0.0/8"),
        ("origins", ["*"], "/origins/0", "no origin"),
        ("most_rows", 1001, "/most_rows", "1 to 1000"),
        ("most_rows", 0, "/most_rows", "1 to 1000"),
        ("rate", "fast", "/rate", "no rate"),
        ("rate", "off", "/rate", "at least 1"),
        ("is_signed", 1, "/is_signed", "true or false"),
        ("expires", "90d", "/expires", "did you mean expires_at"),
        ("grants", ["\ud800:read"], "/grants/0", "printable"),
        ("rows", {"invoices": ["number=\ud800"]}, "/rows/invoices/0", "printable"),
        ("rows", {"in\x00voices": ["number=1"]}, "/rows/in\x00voices", "names one resource"),
    ],
)
def test_each_wrong_field_is_named_where_it_stands(field: str, value: object, pointer: str, message: str) -> None:
    """By a JSON pointer, with what would be right."""
    found = faults({"name": "bi", "grants": ["*:read"], field: value})

    assert list(found) == [pointer]
    assert message in found[pointer]


def test_all_faults_are_named_at_once() -> None:
    """Not one after the other."""
    found = faults({"grants": ["x"], "rate": 7, "rows": {"a": ["b"]}, "colour": "red"})

    assert set(found) == {"/name", "/grants/0", "/rate", "/rows/a/0", "/colour"}


def test_a_token_that_could_do_nothing_is_refused() -> None:
    """It has neither grants nor administration; and many conditions would burden every statement."""
    assert "would do nothing" in faults({"name": "bi"})["/grants"]
    many = {"invoices": [f"id.ne={number}" for number in range(MOST_CONDITIONS + 1)]}
    assert "at most" in faults({"name": "bi", "grants": ["*:read"], "rows": many})["/rows"]


def test_what_the_store_could_not_hold_is_refused() -> None:
    """It would be cut off there, and a limit that is cut off is another one."""
    long = [f"{'column' * 20}{number}" for number in range(600)]

    assert "at most" in faults({"name": "bi", "grants": ["*:read"], "readable": {"invoices": long}})["/readable"]
    assert "at most" in faults({"name": "bi", "grants": [f"{name}:read" for name in long]})["/grants"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("clientid=1") | st.just("10.0.0.0/8"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(FIELDS[2:]) | st.text(max_size=10), JSON, max_size=3), st.text(max_size=10))
@settings(max_examples=400, deadline=None)
def test_whatever_is_sent_is_read_or_refused(fields: dict[str, Any], name: str) -> None:
    """And what is read can be stored, and is the same when it is read again."""
    try:
        wanted = read_wanted({"grants": ["*:read"], **fields, "name": name}, NOW)
    except ValidationError:
        return
    text = policy_text(wanted.policy)

    assert parse_policy(text) == wanted.policy
    assert "".join((wanted.name, text, *wanted.grants)).encode()


def test_a_policy_alone_takes_only_its_own_fields() -> None:
    """As the claim of a JWT holds it."""
    assert read_policy({"rows": {"invoices": ["clientid=12"]}}) == Policy(rows=(("invoices", ("clientid=12",)),))
    assert read_policy({}) == NO_POLICY
    with pytest.raises(ValidationError):
        read_policy({"is_admin": True})


def test_every_limit_can_be_asked_for_and_is_shown_in_the_same_words() -> None:
    """What is shown of a token can be sent to make another; its lineage is nobody's to choose."""
    limits = {item.name for item in dataclasses.fields(Policy)} - {"lineage"}

    assert limits == set(POLICY_FIELDS) == set(describe_policy(NO_POLICY))
    assert read_policy(describe_policy(NO_POLICY)) == NO_POLICY


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_documented(name: str) -> None:
    """Beside its option."""
    assert f" `{name}` |" in (ROOT / "docs" / "tokens.md").read_text("utf-8")


def test_a_token_from_before_there_were_lineages_has_its_name() -> None:
    """Claims on idempotency keys were made with it."""
    old = Principal("token:1", "bi", ("*:*",))
    new = Principal("token:2", "bi", ("*:*",), policy=parse_policy('{"lineage": "ab12"}'))

    assert old.lineage == "bi"
    assert new.lineage not in ("bi", Principal("token:3", "bi", (), policy=Policy(lineage="cd34")).lineage)
