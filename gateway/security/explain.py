"""What a caller may do, spelled out per resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.catalog.model import Catalog, Table, WriteMode
from gateway.query.access import OPERATIONS, Access, Operation


@dataclass(frozen=True, slots=True)
class Permission:
    """What is granted on one resource, and which of it the resource itself does not do, with the reason."""

    resource: str
    operations: tuple[Operation, ...]
    refused: Mapping[Operation, str]


def permissions_of(access: Access, catalog: Catalog) -> tuple[Permission, ...]:
    """Return one entry per resource on which anything is granted, by resource name."""
    return tuple(
        Permission(table.resource or "", granted, _refused(table, granted))
        for table in catalog.exposed()
        if (granted := tuple(word for word in OPERATIONS if access.may(word, table)))
    )


def _refused(table: Table, granted: tuple[Operation, ...]) -> dict[Operation, str]:
    reasons = {word: refusal_of(word, table) for word in granted}
    return {word: reason for word, reason in reasons.items() if reason is not None}


def refusal_of(operation: Operation, table: Table) -> str | None:
    """Return why a resource does not do an operation for anybody, None when it does."""
    if operation == "read":
        return None
    if table.is_view:
        return "a view is read-only"
    if table.mode is WriteMode.NONE or (table.mode is WriteMode.MANAGED and table.mode_reason):
        return table.mode_reason or "the resource is read-only"
    if operation == "create":
        return table.create_refusal
    if not table.key:
        return "the resource has no key"
    if operation == "delete":
        return "deleting is forbidden by the whitelist" if table.is_delete_forbidden else table.delete_refusal
    return None
