"""Lines of sales documents and their taxes, written by themselves: the document follows (SEMANTICS 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.operations.managed import documents
from gateway.operations.managed.faults import refused
from gateway.operations.managed.model import Draft, Extension, Found, Lookup, Row, RowWrite, UpdateRows
from gateway.operations.managed.recount import check_document, document_lookups, recounted

_LINE: Final = "line"
_BILLED: Final = "billed records"
_NEW: Final = "new"
_COUNTED: Final = ("qty", "rate", "is_optional", "is_selected")


class LineRule:
    """How lines are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Hold the document, and read what its amounts follow from; of a line that goes, what it billed."""
        _check_fixed(draft, "rel_id", "rel_type")
        kind, document = _document(draft)
        if draft.operation == "update" and not documents.is_changed(draft, *_COUNTED):
            return ()
        billed: tuple[Lookup, ...] = ()
        if draft.operation == "delete":
            where = {"item_id": draft.stored["id"]}
            billed = (Lookup(_BILLED, "related_items", ("rel_id", "rel_type"), where),)
        is_chosen = draft.operation == "create"
        return (*document_lookups(draft, kind, document, is_chosen=is_chosen), *billed)

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read nothing more."""
        return ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Recount the document."""
        match draft.operation:
            case "create":
                return _created(draft, found)
            case "update":
                return _updated(draft, found)
            case "delete":
                return _deleted(draft, found)


class LineTaxRule:
    """How taxes of lines are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read the line of a new tax, which tells the document; else hold the document."""
        _check_fixed(draft, "itemid")
        if draft.operation == "create":
            where = {"id": draft.values["itemid"]}
            return (Lookup(_LINE, "itemable", ("id", "rel_id", "rel_type"), where, limit=1, is_own=True),)
        if draft.operation == "update" and not documents.is_changed(draft, "taxrate"):
            return ()
        kind, document = _document(draft)
        return document_lookups(draft, kind, document)

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Hold the document of a new tax."""
        if draft.operation != "create":
            return ()
        line = _line(draft, found)
        return document_lookups(draft, str(line["rel_type"]), line["rel_id"])

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Recount the document."""
        items, taxes = documents.stored_items(found), documents.stored_taxes(found)
        match draft.operation:
            case "create":
                line = _line(draft, found)
                kind, main = str(line["rel_type"]), {"rel_id": line["rel_id"], "rel_type": line["rel_type"]}
                return Extension(main, after=_recounted(draft, found, kind, items, {**taxes, _NEW: draft.values}))
            case "update":
                after = {**taxes, draft.stored["id"]: draft.after()}
                return Extension(after=_recounted(draft, found, _document(draft)[0], items, after))
            case "delete":
                after = {key: row for key, row in taxes.items() if key != draft.stored["id"]}
                return Extension(after=_recounted(draft, found, _document(draft)[0], items, after))


def _document(draft: Draft) -> tuple[str, object]:
    row = draft.after()
    return str(row["rel_type"]), row["rel_id"]


def _check_fixed(draft: Draft, *names: str) -> None:
    """What a row belongs to is chosen once: both documents would have to be counted anew."""
    if draft.operation == "delete":
        return
    for name in names:
        if draft.operation == "update" and documents.is_changed(draft, name):
            raise refused(name, "read_only", "a row stays where it was made; delete it and create another")


def _line(draft: Draft, found: Found) -> Row:
    rows = found.get(_LINE, ())
    if not rows:
        raise refused("itemid", "reference", f"no line has the key {draft.values['itemid']}")
    return rows[0]


def _recounted(
    draft: Draft, found: Found, kind: str, items: Mapping[object, Row], taxes: Mapping[object, Row]
) -> tuple[RowWrite, ...]:
    return tuple(recounted(draft, found, kind, items, taxes))


def _created(draft: Draft, found: Found) -> Extension:
    documents.check_nested(draft)
    kind, document = _document(draft)
    check_document(found, kind, document)
    items, taxes = documents.stored_items(found), documents.stored_taxes(found)
    nested = draft.children.get("taxes", ())
    new: dict[object, Row] = {f"{_NEW}.{place}": {**tax.values, "itemid": _NEW} for place, tax in enumerate(nested)}
    writes = _recounted(draft, found, kind, {**items, _NEW: draft.values}, {**taxes, **new})
    main: dict[str, object] = {}
    if draft.values.get("item_order") is None:
        main["item_order"] = max((int(str(row.get("item_order") or 0)) for row in items.values()), default=0) + 1
    labelled = {f"taxes.{place}": {"rel_id": document, "rel_type": kind} for place in range(len(nested))}
    return Extension(main, labelled, after=writes)


def _updated(draft: Draft, found: Found) -> Extension:
    if not documents.is_changed(draft, *_COUNTED):
        return Extension()
    documents.require_stored(draft, "qty", "rate")
    items = {**documents.stored_items(found), draft.stored["id"]: draft.after()}
    return Extension(after=_recounted(draft, found, _document(draft)[0], items, documents.stored_taxes(found)))


def _deleted(draft: Draft, found: Found) -> Extension:
    key = draft.stored["id"]
    items = {each: row for each, row in documents.stored_items(found).items() if each != key}
    taxes = {each: row for each, row in documents.stored_taxes(found).items() if row.get("itemid") != key}
    writes = _recounted(draft, found, _document(draft)[0], items, taxes)
    return Extension(after=(*writes, *_unbilled(found)))


def _unbilled(found: Found) -> tuple[RowWrite, ...]:
    """What a deleted line had billed can be billed again."""
    freed: list[RowWrite] = []
    for row in found.get(_BILLED, ()):
        if row["rel_type"] == "task":
            freed.append(UpdateRows("tasks", {"id": row["rel_id"]}, {"billed": 0, "invoice_id": 0}))
        elif row["rel_type"] == "expense":
            freed.append(UpdateRows("expenses", {"id": row["rel_id"]}, {"invoiceid": None}))
    return tuple(freed)
