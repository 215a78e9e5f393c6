"""Numbers of sales documents, against SEMANTICS 3.2."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.errors import ConflictError
from gateway.operations.managed import numbers
from gateway.operations.managed.model import Added, Found, UpdateRows

DAY = date(2026, 7, 5)


def counted(value: object) -> Found:
    """Return what is found when the counter holds a text."""
    return {numbers.counter_lookup("invoice").name: ({"name": "next_invoice_number", "value": value},)}


@pytest.mark.parametrize(
    ("number_format", "expected"),
    [(1, "INV-000042"), (2, "INV-2026/000042"), (3, "INV-000042-26"), (4, "INV-000042/07/2026"), (0, "INV-000042")],
)
def test_a_number_is_shown_in_the_documents_own_format(number_format: int, expected: str) -> None:
    """Year and month are those of the document's date."""
    assert numbers.format_number("INV-", 42, number_format, DAY, 6) == expected


def test_padding_only_adds() -> None:
    """A number longer than the padding is shown whole, and none is padded to nothing."""
    assert numbers.format_number("", 1_234_567, 1, DAY, 6) == "1234567"
    assert numbers.format_number("", 7, 1, DAY, 0) == "7"


@pytest.mark.parametrize("number_format", [1, 2, 3, 4])
def test_a_draft_says_so(number_format: int) -> None:
    """A draft has no number to show."""
    assert numbers.format_number("INV-", numbers.DRAFT_NUMBER, number_format, DAY, 6) == "INV-DRAFT"


@pytest.mark.parametrize(("text", "expected"), [("6", 6), ("0", 0), (" 4 ", 4), ("", 6), ("many", 6)])
def test_the_padding_is_a_setting(text: str, expected: int) -> None:
    """What is no number means six, as the CRM installs it."""
    found = {numbers.padding_lookup().name: ({"name": "number_padding_prefixes", "value": text},)}

    assert numbers.padding(found) == expected
    assert numbers.padding({}) == 6


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("invoice", "next_invoice_number"),
        ("estimate", "next_estimate_number"),
        ("credit_note", "next_credit_note_number"),
    ],
)
def test_each_kind_has_its_counter(kind: numbers.DocumentKind, name: str) -> None:
    """The counter's row is held by its name, and moved on by the database itself."""
    lookup = numbers.counter_lookup(kind)

    assert (lookup.table, dict(lookup.where), lookup.is_locking) == ("options", {"name": name}, True)
    assert numbers.counter_step(kind) == UpdateRows("options", {"name": name}, {"value": Added(1)})


def test_the_next_number_is_what_the_counter_says() -> None:
    """Leading zeros and blanks, which staff may have typed, do not matter."""
    assert numbers.next_number("invoice", counted("17")) == 17
    assert numbers.next_number("invoice", counted(" 0017 ")) == 17


@pytest.mark.parametrize("text", ["", "INV-5", "-5", "1.5", "²"])
def test_a_counter_without_a_number_is_told_of(text: str) -> None:
    """No number is made up; the refusal names the setting."""
    with pytest.raises(ConflictError, match="next_invoice_number") as refusal:
        numbers.next_number("invoice", counted(text))
    assert refusal.value.code == "refused_by_database"


def test_a_missing_counter_is_told_of() -> None:
    """Without the setting's row there is no next number."""
    with pytest.raises(ConflictError, match="next_invoice_number"):
        numbers.next_number("invoice", {})


def test_a_new_number_needs_the_counter_and_then_whoever_has_it() -> None:
    """The counter is held first; what it says is then looked for among the documents."""
    first = numbers.new_number_lookups("invoice", {})
    second = numbers.new_number_lookups("invoice", counted("17"))

    assert first == (numbers.counter_lookup("invoice"),)
    assert [(lookup.table, dict(lookup.where)) for lookup in second] == [("invoices", {"number": 17})]


def test_a_number_may_come_back_in_another_year_only() -> None:
    """Numbers are unique within the year of the document's date."""
    found = {numbers.taken_lookup("invoice", 17).name: ({"id": 1, "date": date(2025, 12, 31)},)}
    numbers.check_free("invoice", 17, DAY, found)
    numbers.check_free("invoice", 17, DAY, {})

    with pytest.raises(ConflictError, match="17 is taken in 2025") as refusal:
        numbers.check_free("invoice", 17, date(2025, 1, 1), found)
    assert refusal.value.code == "duplicate"
