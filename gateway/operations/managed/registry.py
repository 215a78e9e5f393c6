"""Which rule writes which table. A managed table without a rule here is not writable (its profile says so too)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.operations.managed.contacts import ContactRule
from gateway.operations.managed.creditnotes import CreditNoteRule
from gateway.operations.managed.credits import CreditRule, RefundRule
from gateway.operations.managed.estimates import EstimateRule
from gateway.operations.managed.invoices import InvoiceRule
from gateway.operations.managed.leads import LeadRule
from gateway.operations.managed.lines import LineRule, LineTaxRule
from gateway.operations.managed.model import Rule
from gateway.operations.managed.payments import PaymentRule
from gateway.operations.managed.projects import ProjectRule
from gateway.operations.managed.proposals import ProposalRule
from gateway.operations.managed.replies import ReplyRule
from gateway.operations.managed.tasks import TaskRule
from gateway.operations.managed.tickets import TicketRule

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "creditnote_refunds": RefundRule(),
        "creditnotes": CreditNoteRule(),
        "credits": CreditRule(),
        "invoicepaymentrecords": PaymentRule(),
        "contacts": ContactRule(),
        "estimates": EstimateRule(),
        "invoices": InvoiceRule(),
        "item_tax": LineTaxRule(),
        "itemable": LineRule(),
        "leads": LeadRule(),
        "projects": ProjectRule(),
        "proposals": ProposalRule(),
        "tasks": TaskRule(),
        "ticket_replies": ReplyRule(),
        "tickets": TicketRule(),
    }
)
"""Rules by table, without the prefix."""
