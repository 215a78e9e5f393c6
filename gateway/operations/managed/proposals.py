"""Proposals: addressed to a customer or a lead, without a number of their own (SEMANTICS 5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from html import escape
from types import MappingProxyType
from typing import Final

from gateway.operations.managed import documents, numbered
from gateway.operations.managed.faults import computed, refused
from gateway.operations.managed.logs import lead_activity, staff_lookup
from gateway.operations.managed.model import Draft, Extension, Found, Lookup, Row, RowWrite

KIND: Final = "proposal"
OPEN: Final = 1
ACCEPTED: Final = 3
STATUSES: Final = range(1, 7)
CONTENT: Final = "{proposal_items}"
"""The content that has the lines shown."""

_SETTING: Final = "proposal_due_after"
_REOPENED_FOR: Final = timedelta(days=7)
_RECIPIENT: Final = "recipient"
_CONTACT: Final = "primary contact"
_ADDRESS: Final = ("address", "city", "state", "zip", "country")
_SOURCES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "customer": {"proposal_to": "company", "phone": "phonenumber", **{name: name for name in _ADDRESS}},
        "lead": {"proposal_to": "name", "email": "email", "phone": "phonenumber", **{n: n for n in _ADDRESS}},
    }
)
"""What is copied from a customer or lead, by the proposal's columns."""


class ProposalRule:
    """How proposals are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read recipient and setting for a new proposal, the lines where amounts change."""
        match draft.operation:
            case "create":
                due = documents.settings_lookup(_SETTING)
                return (staff_lookup(draft), due, *_recipient_lookups(draft), *documents.currency_lookups(draft))
            case "update":
                documents.require_stored(draft, "id", "status", "rel_type", "rel_id", "open_till")
                recipient = _recipient_lookups(draft) if _is_redirected(draft) else ()
                is_counted = documents.is_changed(draft, *documents.MONEY)
                lines = documents.line_lookups(KIND, draft.stored["id"]) if is_counted else ()
                return (*recipient, *lines, *documents.currency_lookups(draft))
            case "delete":
                return ()

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read nothing more."""
        return ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Fill in, compute and log."""
        match draft.operation:
            case "create":
                return _created(draft, found)
            case "update":
                return _updated(draft, found)
            case "delete":
                return Extension()


def _recipient_lookups(draft: Draft) -> tuple[Lookup, ...]:
    """The customer or lead that a proposal is for.

    Raises:
        ValidationError: ``fields_invalid`` when it is for nobody.
    """
    after = draft.after()
    rel_type, key = str(after.get("rel_type") or ""), after.get("rel_id")
    if rel_type not in _SOURCES:
        raise refused("rel_type", "member" if rel_type else "required", "customer or lead is due")
    if not key:
        raise refused("rel_id", "required", f"the key of the {rel_type} is due")
    sources = tuple(_SOURCES[rel_type].values())
    if rel_type == "lead":
        return (Lookup(_RECIPIENT, "leads", ("id",), {"id": key}, limit=1, optional=sources, is_own=True),)
    primary = {"userid": key, "is_primary": 1}
    optional = (*sources, "default_currency")
    return (
        Lookup(_RECIPIENT, "clients", ("userid",), {"userid": key}, limit=1, optional=optional, is_own=True),
        Lookup(_CONTACT, "contacts", ("email",), primary, ("id",), limit=1, is_own=True),
    )


def _is_redirected(draft: Draft) -> bool:
    return documents.is_changed(draft, "rel_type", "rel_id")


def _recipient(draft: Draft, found: Found) -> Row:
    rows = found.get(_RECIPIENT, ())
    if not rows:
        after = draft.after()
        raise refused("rel_id", "reference", f"no {after.get('rel_type')} has the key {after.get('rel_id')}")
    return rows[0]


def _created(draft: Draft, found: Found) -> Extension:
    documents.check_nested(draft)
    recipient = _recipient(draft, found)
    rel_type = str(draft.values["rel_type"])
    columns = {**_addressed(draft, found, rel_type), **_of_project(draft, rel_type)}
    columns.update(documents.new_amounts(draft, found, documents.nested_lines(draft)))
    columns["status"] = _chosen_status(draft)
    if draft.values.get("adjustment") is None:
        columns["adjustment"] = documents.decimal(None)
    if not draft.values.get("content"):
        columns["content"] = CONTENT
    if "open_till" not in draft.sent:
        days = documents.settings(found).get(_SETTING)
        columns["open_till"] = documents.due_date(draft.values.get("date"), days)
    if "currency" not in draft.sent and recipient.get("default_currency"):
        columns["currency"] = recipient["default_currency"]
    columns.update(_converted(draft))
    return Extension(columns, documents.line_columns(draft, KIND), after=_logged(draft, found, rel_type))


def _addressed(draft: Draft, found: Found, rel_type: str) -> dict[str, object]:
    """The recipient's name and address as they are now, where no others were sent; the proposal keeps its own copy."""
    recipient, contact = _recipient(draft, found), next(iter(found.get(_CONTACT, ())), {})
    columns = {name: recipient.get(source) for name, source in _SOURCES[rel_type].items()}
    if rel_type == "customer":
        columns["email"] = contact.get("email")
    return {name: value for name, value in columns.items() if name not in draft.sent and value is not None}


def _of_project(draft: Draft, rel_type: str) -> dict[str, object]:
    project = draft.after().get("project_id")
    if rel_type == "customer":
        return {}
    if project and "project_id" in draft.sent:
        raise computed("project_id", "only a proposal to a customer belongs to a project")
    return {"project_id": None}


def _chosen_status(draft: Draft) -> int:
    """The status after the write: what was chosen, accepted for a proposal that was converted."""
    if "status" in draft.sent and (draft.operation == "create" or documents.is_changed(draft, "status")):
        status = draft.values["status"]
        if status not in STATUSES:
            raise computed("status", "1 open, 2 declined, 3 accepted, 4 sent, 5 revised or 6 draft is due")
        return int(str(status))
    if draft.operation == "update" and _is_converted(draft):
        return ACCEPTED
    return int(str(draft.after()["status"]))


def _is_converted(draft: Draft) -> bool:
    names = ("invoice_id", "estimate_id")
    return any(draft.values.get(name) and documents.is_changed(draft, name) for name in names)


def _converted(draft: Draft) -> dict[str, object]:
    """When a proposal became an estimate; the CRM does not date the way to an invoice."""
    is_new = draft.values.get("estimate_id") and documents.is_changed(draft, "estimate_id")
    return {"date_converted": draft.now} if is_new and "date_converted" not in draft.sent else {}


def _logged(draft: Draft, found: Found, rel_type: str) -> tuple[RowWrite, ...]:
    if rel_type != "lead":
        return ()
    words = (escape(str(draft.values.get("subject") or "")),)
    return (lead_activity(draft, found, draft.values["rel_id"], "not_lead_activity_created_proposal", words),)


def _updated(draft: Draft, found: Found) -> Extension:
    rel_type = str(draft.after().get("rel_type") or "")
    columns: dict[str, object] = {}
    if _is_redirected(draft):
        columns.update(_addressed(draft, found, rel_type))
    if documents.is_changed(draft, "rel_type", "project_id"):
        columns.update(_of_project(draft, rel_type))
    columns.update(numbered.changed_amounts(draft, found))
    columns["status"] = status = _chosen_status(draft)
    if status == OPEN != draft.stored["status"] and not documents.is_changed(draft, "open_till"):
        columns.update(_open_again(draft))
    columns.update(_converted(draft))
    return Extension(columns)


def _open_again(draft: Draft) -> dict[str, object]:
    """A proposal that is opened anew after its last day gets another week."""
    last = draft.after().get("open_till")
    if last is None or not isinstance(last, date) or last >= draft.today:
        return {}
    return {"open_till": draft.today + _REOPENED_FOR}
