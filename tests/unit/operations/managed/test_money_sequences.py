"""Whatever staff do in whatever order, statuses and numbers are those of an independent model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given, settings

from gateway.operations.managed.credits import CreditRule, RefundRule
from gateway.operations.managed.numbers import DRAFT_NUMBER
from gateway.operations.managed.payments import PaymentRule
from tests.support.managed_memory import NOON, Memory
from tests.support.money import credit, credit_note, draft_invoice, invoice, money_crm, payment, refund
from tests.support.money_model import Model, ModelInvoice, Step, steps

PAST = date(2026, 7, 1)
PAYMENTS, CREDITS, REFUNDS = PaymentRule(), CreditRule(), RefundRule()


def run(crm: Memory, model: Model, step: Step) -> None:
    """Do one step in both; what there is nothing to do it on is left out."""
    amount = str(Decimal(step.cents) / 100)
    key = _chosen(model, step)
    match step.kind:
        case "pay":
            key = int(str(crm.create(PAYMENTS, "invoicepaymentrecords", payment(step.document, amount))))
            model.payments[key] = (step.document, step.cents)
            model.touch(step.document, comes=True)
        case "credit":
            key = int(str(crm.create(CREDITS, "credits", credit(step.document, step.note, amount))))
            model.credits[key] = (step.document, step.note, step.cents)
            model.touch(step.document, comes=True)
        case "refund":
            key = int(str(crm.create(REFUNDS, "creditnote_refunds", refund(step.note, amount))))
            model.refunds[key] = (step.note, step.cents)
        case "cancel" if model.invoices[step.document].status != 6:
            crm.one("invoices", step.document)["status"] = model.invoices[step.document].status = 5
        case "undo" if model.invoices[step.document].status == 5:
            model.undo(step.document)
            crm.one("invoices", step.document)["status"] = model.invoices[step.document].status
        case _ if key is not None:
            change(crm, model, step, key)


def change(crm: Memory, model: Model, step: Step, key: int) -> None:
    """Change or remove a row that is there."""
    amount = {"amount": Decimal(step.cents) / 100}
    match step.kind:
        case "repay":
            crm.update(PAYMENTS, "invoicepaymentrecords", key, amount)
            model.payments[key] = (model.payments[key][0], step.cents)
            model.touch(model.payments[key][0])
        case "move":
            crm.update(PAYMENTS, "invoicepaymentrecords", key, {"invoiceid": step.document})
            left, cents = model.payments[key]
            model.payments[key] = (step.document, cents)
            model.touch(left)
            model.touch(step.document, comes=left != step.document)
        case "unpay":
            crm.delete(PAYMENTS, "invoicepaymentrecords", key)
            model.touch(model.payments.pop(key)[0])
        case "recredit":
            document = model.credits[key][0]
            crm.update(CREDITS, "credits", key, {"credit_id": step.note, **amount})
            model.credits[key] = (document, step.note, step.cents)
            model.touch(document)
        case "uncredit":
            crm.delete(CREDITS, "credits", key)
            model.touch(model.credits.pop(key)[0])
        case "unrefund":
            crm.delete(REFUNDS, "creditnote_refunds", key)
            del model.refunds[key]


def _chosen(model: Model, step: Step) -> int | None:
    match step.kind:
        case "repay" | "unpay" | "move":
            return model.chosen(step, model.payments)
        case "recredit" | "uncredit":
            return model.chosen(step, model.credits)
        case "unrefund":
            return model.chosen(step, model.refunds)
        case _:
            return None


@given(steps(25))
@settings(max_examples=400)
def test_statuses_and_numbers_are_those_of_the_model(taken: list[Step]) -> None:
    """An overdue invoice, a draft and two credit notes, compared after every step."""
    crm = money_crm(
        invoice(1, "100.00", duedate=PAST, status=4),
        draft_invoice(2, "50.00"),
        notes=(credit_note(1, "50.00"), credit_note(2, "25.00")),
    )
    documents = {1: ModelInvoice(10_000, PAST, 4, 1), 2: ModelInvoice(5_000, date(2026, 7, 20), 6, None)}
    model = Model(documents, {1: 5_000, 2: 2_500}, NOON.date(), 17)

    for step in taken:
        run(crm, model, step)
        found = [(row["status"], row["number"]) for row in crm.rows("invoices")]
        assert found == [(each.status, each.number or DRAFT_NUMBER) for each in documents.values()], step
        assert [row["status"] for row in crm.rows("creditnotes")] == [model.note_status(1), model.note_status(2)], step
        assert crm.rows("options")[0]["value"] == str(model.next_number)
