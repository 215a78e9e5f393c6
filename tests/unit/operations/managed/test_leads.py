"""The rule of leads, branch by branch (SEMANTICS 1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gateway.errors import ValidationError
from gateway.operations.managed.leads import LeadRule
from gateway.operations.managed.model import Draft, Extension, Found, InsertRow, Row

NOW = datetime(2026, 7, 15, 16, 0)
RULE = LeadRule()
FOUND: Found = {
    "acting staff": ({"firstname": "Ada", "lastname": "Berg"},),
    "statuses": ({"id": 2, "name": "New"}, {"id": 3, "name": "Contacted"}),
    "sources": ({"id": 1},),
}
STORED: Row = {"id": 9, "status": 2, "source": 1, "assigned": 0, "lost": 0, "junk": 0, "last_lead_status": 0}
LOST: Row = {"status": 0, "lost": 1, "last_lead_status": 3}


def create(**values: object) -> Draft:
    sent = frozenset(values)
    return Draft("leads", "create", {"name": "New", "status": 2, "source": 1, **values}, sent, NOW, 3)


def update(stored: Row | None = None, /, **values: object) -> Draft:
    return Draft("leads", "update", values, frozenset(values), NOW, 3, {**STORED, **(stored or {})})


def extended(draft: Draft, **found: Any) -> Extension:
    assert RULE.more_reads(draft, {}) == ()
    return RULE.extend(draft, {**FOUND, **found})


def faults(draft: Draft, **found: Any) -> set[tuple[str | None, str | None]]:
    with pytest.raises(ValidationError) as caught:
        extended(draft, **found)
    return {(issue.pointer, issue.code) for issue in caught.value.issues}


def test_only_what_was_given_is_looked_up() -> None:
    """A new lead and a change of status are told in the timeline, so somebody acts."""
    assert [lookup.table for lookup in RULE.reads(create())] == ["staff"]
    assert [lookup.table for lookup in RULE.reads(create(status=3, source=1))] == [
        "staff",
        "leads_status",
        "leads_sources",
    ]
    assert RULE.reads(update(name="x", status=2, source=1)) == ()
    assert RULE.reads(Draft("leads", "delete", {}, frozenset(), NOW, 3, STORED)) == ()


def test_a_status_and_a_source_must_exist() -> None:
    """The CRM's lists leave out a lead whose source is none."""
    assert faults(create(status=7, source=7), statuses=(), sources=()) == {
        ("/status", "computed"),
        ("/source", "reference"),
    }
    assert faults(update(source=7), sources=()) == {("/source", "reference")}
    assert extended(update({"status": 99}, status=99)).main == {}


def test_a_change_of_status_is_dated_and_told() -> None:
    """With the names of both."""
    found = extended(update(status=3))

    assert found.main == {"last_status_change": NOW}
    (log,) = found.after
    assert isinstance(log, InsertRow)
    assert log.values["description"] == "not_lead_activity_status_updated"
    assert all(name in str(log.values["additional_data"]) for name in ("Ada Berg", "New", "Contacted"))


def test_a_lead_that_is_assigned_says_when() -> None:
    """A lead that stays with the same person does not."""
    assert extended(update(assigned=4)).main == {"dateassigned": NOW.date()}
    assert extended(update({"assigned": 4}, assigned=4)).main == {}
    assert extended(create(assigned=4, email=" a@x.org ")).main == {"dateassigned": NOW.date(), "email": "a@x.org"}


@pytest.mark.parametrize("flag", ["lost", "junk"])
def test_a_lead_that_is_given_up_keeps_its_status_for_later(flag: str) -> None:
    """A new one too, and one that is lost first and junk then keeps that before both."""
    gone = {"status": 0, "last_status_change": NOW}

    assert extended(update(**{flag: 1})).main == {**gone, "last_lead_status": 2}
    assert extended(create(**{flag: 1})).main == {**gone, "last_lead_status": 2}
    assert extended(update(LOST, junk=1)).main == gone
    assert extended(update(LOST, lost=1)).main == {}


@pytest.mark.parametrize("draft", [create(lost=1, status=3), update(lost=1, status=3)])
def test_a_lead_is_not_given_up_and_moved_on_at_once(draft: Draft) -> None:
    """Which of the two would be true?"""
    assert faults(draft) == {("/status", "computed")}


def test_a_lead_that_is_taken_up_again_has_the_status_it_had() -> None:
    """Unless another one is chosen, or it is junk still."""
    assert extended(update(LOST, lost=0)).main == {"status": 3, "last_status_change": NOW}
    assert extended(update(LOST, lost=0, status=2)).main == {"last_status_change": NOW}
    assert extended(update({**LOST, "junk": 1}, lost=0)).main == {}
    assert extended(update({**LOST, "last_lead_status": 0}, lost=0)).main == {}
