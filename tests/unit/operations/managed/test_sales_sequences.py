"""Whatever is done to an invoice, its amounts and its status are those of what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ValidationError
from gateway.operations.managed.invoices import InvoiceRule
from gateway.operations.managed.lines import LineRule, LineTaxRule
from gateway.operations.managed.model import Child, Draft, Lookup, NewKey, Row
from gateway.operations.managed.money import Discount, Line
from gateway.operations.managed.payments import PaymentRule
from tests.support.amounts_model import model
from tests.support.managed_memory import STAFF, Memory

D = Decimal
TODAY = date(2026, 7, 15)
ADDRESS = {
    f"{kind}_{part}": None for kind in ("billing", "shipping") for part in ("street", "city", "state", "zip", "country")
}
SETTINGS = {"next_invoice_number": "17", "number_padding_prefixes": "6", "invoice_prefix": "INV-"}


class Sales(Memory):
    """A CRM in memory whose creates may have nested rows."""

    def _find(self, lookups: Iterable[Lookup]) -> dict[str, tuple[Row, ...]]:
        """Rows with the columns that are there, as on a database of any version."""
        found: dict[str, tuple[Row, ...]] = {}
        for lookup in lookups:
            rows = self._matching(lookup.table, lookup.where)[: lookup.limit]
            names = (*lookup.columns, *lookup.optional)
            found[lookup.name] = tuple({name: row[name] for name in names if name in row} for row in rows)
        return found

    def invoice(self, values: Row, lines: tuple[Child, ...]) -> int:
        """Create an invoice with lines, as the profile fills it."""
        filled = {"date": TODAY, "currency": 1, "discount_type": "", "include_shipping": 0, "sent": 0, "datesend": None}
        sent = {"clientid": 1, **values}
        draft = Draft("invoices", "create", {**filled, **sent}, frozenset(sent), self.now, 3, {}, {"items": lines})
        extension = self._extend(InvoiceRule(), draft)
        key = self._insert("invoices", {**draft.values, **extension.main})
        for number, line in enumerate(lines):
            label = f"items.{number}"
            tie = {"rel_id": key, "rel_type": "invoice"}
            made = self._insert("itemable", {**line.values, **tie, **extension.children[label]})
            for place, tax in enumerate(line.children["taxes"]):
                told = extension.children[f"{label}.taxes.{place}"]
                assert told == {"rel_id": NewKey(), "rel_type": "invoice"}
                self._insert("item_tax", {**tax.values, "itemid": made, **tie})
        self._finish(extension, {"": key})
        return int(str(key))


def sales_crm() -> Sales:
    options = [{"id": key, "name": name, "value": value} for key, (name, value) in enumerate(SETTINGS.items(), 1)]
    return Sales(
        {
            "options": options,
            "clients": [{"id": 1, "userid": 1, **ADDRESS}],
            "payment_modes": [{"id": 1, "active": 1, "selected_by_default": 1, "expenses_only": 0}],
            "staff": [dict(STAFF)],
            "currencies": [
                {"id": 1, "symbol": "€", "decimal_separator": ",", "thousand_separator": ".", "placement": ""}
            ],
        }
    )


def stored_lines(crm: Sales) -> list[Line]:
    rates: dict[object, list[Decimal]] = {}
    for tax in crm.rows("item_tax"):
        rates.setdefault(tax["itemid"], []).append(D(str(tax["taxrate"])))
    return [
        Line(
            D(str(row["qty"])),
            D(str(row["rate"])),
            tuple(rates.get(row["id"], [])),
            not (row["is_optional"] and not row["is_selected"]),
        )
        for row in crm.rows("itemable")
    ]


def stored_discount(invoice: Mapping[str, Any]) -> Discount:
    percent = D(str(invoice["discount_percent"]))
    return Discount(invoice["discount_type"], percent, D(0) if percent else invoice["discount_total"])


def expected_status(crm: Sales, invoice: Mapping[str, Any]) -> int:
    """The rule of SEMANTICS 3.5 for an invoice that is neither draft nor cancelled."""
    payments = [D(str(row["amount"])) for row in crm.rows("invoicepaymentrecords")]
    if not payments:
        if invoice["total"] == 0:
            return 2
        return 4 if invoice["duedate"] is not None and invoice["duedate"] < TODAY else 1
    return 2 if sum(payments) >= invoice["total"] else 3


def check(crm: Sales, key: int, *, is_settled: bool) -> None:
    invoice: Mapping[str, Any] = crm.one("invoices", key)
    found = tuple(invoice[name] for name in ("subtotal", "discount_total", "total_tax", "total"))
    assert found == model(stored_lines(crm), stored_discount(invoice), invoice["adjustment"])
    if is_settled:
        assert invoice["status"] == expected_status(crm, invoice)
    assert (invoice["number"] == 1_000_000_000) == (invoice["status"] == 6)


MONEY = st.decimals("0.01", "9999.99", places=2)
RATES = st.sampled_from([D("5.00"), D("7.70"), D("19.00")])
FLAGS = st.integers(0, 1)
STEPS = st.one_of(
    st.tuples(st.just("add"), MONEY, MONEY, st.lists(RATES, max_size=2), FLAGS, FLAGS),
    st.tuples(st.just("change"), st.sampled_from(["qty", "rate"]), MONEY),
    st.tuples(st.just("change"), st.sampled_from(["is_optional", "is_selected"]), FLAGS),
    st.tuples(st.just("drop")),
    st.tuples(st.just("tax"), RATES),
    st.tuples(st.just("retax"), RATES),
    st.tuples(st.just("untax")),
    st.tuples(st.just("percent"), st.sampled_from(["before_tax", "after_tax"]), st.integers(1, 100)),
    st.tuples(st.just("fixed"), st.sampled_from(["before_tax", "after_tax"]), MONEY),
    st.tuples(st.just("no discount")),
    st.tuples(st.just("adjust"), st.decimals("-50", "50", places=2)),
    st.tuples(st.just("due"), st.sampled_from([None, date(2026, 7, 1), date(2026, 8, 1)])),
    st.tuples(st.just("pay"), MONEY),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("issue")),
)


def line(step: tuple[Any, ...]) -> Child:
    _, qty, rate, rates, is_optional, is_selected = step
    values = {"description": "x", "qty": qty, "rate": rate, "is_optional": is_optional, "is_selected": is_selected}
    return Child(values, {"taxes": tuple(Child({"taxname": "V", "taxrate": tax}) for tax in rates)})


def last(crm: Sales, table: str) -> object:
    rows = crm.rows(table)
    return rows[-1]["id"] if rows else None


def take(crm: Sales, key: int, step: tuple[Any, ...]) -> None:  # noqa: C901, PLR0912  # one arm a step
    invoice, lines, taxes = InvoiceRule(), LineRule(), LineTaxRule()
    item, tax = last(crm, "itemable"), last(crm, "item_tax")
    match step:
        case ("add", *_):
            made = line(step)
            new = crm.create(lines, "itemable", {**made.values, "rel_id": key, "rel_type": "invoice"})
            for each in made.children["taxes"]:
                crm.create(taxes, "item_tax", {**each.values, "itemid": new})
        case ("change", name, value) if item:
            crm.update(lines, "itemable", item, {name: value})
        case ("drop",) if item:
            crm.delete(lines, "itemable", item)
            crm.tables["item_tax"] = [row for row in crm.rows("item_tax") if row["itemid"] != item]
        case ("tax", rate) if item:
            crm.create(taxes, "item_tax", {"itemid": item, "taxname": "V", "taxrate": rate})
        case ("retax", rate) if tax:
            crm.update(taxes, "item_tax", tax, {"taxrate": rate})
        case ("untax",) if tax:
            crm.delete(taxes, "item_tax", tax)
        case ("percent", kind, percent):
            crm.update(invoice, "invoices", key, {"discount_type": kind, "discount_percent": D(percent)})
        case ("fixed", kind, amount):
            sent = {"discount_type": kind, "discount_percent": D(0), "discount_total": amount}
            crm.update(invoice, "invoices", key, sent)
        case ("no discount",):
            crm.update(invoice, "invoices", key, {"discount_type": ""})
        case ("adjust", amount):
            crm.update(invoice, "invoices", key, {"adjustment": amount})
        case ("due", day):
            crm.update(invoice, "invoices", key, {"duedate": day})
        case ("pay", amount):
            crm.create(PaymentRule(), "invoicepaymentrecords", {"invoiceid": key, "amount": amount, "paymentmode": "1"})
        case ("cancel",):
            crm.update(invoice, "invoices", key, {"status": 5})
        case ("issue",) if crm.one("invoices", key)["status"] in (5, 6):
            crm.update(invoice, "invoices", key, {"status": 1})


@settings(max_examples=400)
@given(
    st.lists(STEPS.filter(lambda step: step[0] == "add").map(line), max_size=2).map(tuple),
    st.booleans(),
    st.lists(STEPS, max_size=12),
)
def test_an_invoice_always_says_what_its_rows_say(
    lines: tuple[Child, ...], is_draft: bool, steps: list[tuple[Any, ...]]
) -> None:
    """Lines, taxes, discounts, payments, cancelling and issuing, in any order."""
    crm = sales_crm()
    key = crm.invoice({"status": 6} if is_draft else {}, lines)
    check(crm, key, is_settled=not is_draft)
    for step in steps:
        take(crm, key, step)
        check(crm, key, is_settled=crm.one("invoices", key)["status"] not in (5, 6))
    numbers = [row["number"] for row in crm.rows("invoices") if row["number"] != 1_000_000_000]
    counter = next(row["value"] for row in crm.rows("options") if row["name"] == "next_invoice_number")
    assert int(str(counter)) == 17 + len(numbers)


def test_a_status_that_follows_from_money_is_not_chosen() -> None:
    """Nothing changes then."""
    crm = sales_crm()
    key = crm.invoice({}, ())
    before = dict(crm.one("invoices", key))
    with pytest.raises(ValidationError) as caught:
        crm.update(InvoiceRule(), "invoices", key, {"status": 3})
    assert [issue.code for issue in caught.value.issues] == ["computed"]
    assert crm.one("invoices", key) == before
