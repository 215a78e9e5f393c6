"""What a caller may do, spelled out per resource, and why it may not do more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.catalog.model import Catalog, Column, CustomField, Table, WriteMode
from gateway.query.access import OPERATIONS, Access, Operation
from gateway.query.intent import ConditionIntent
from gateway.security.access import resolve_access
from gateway.security.authenticate import principal_from
from gateway.security.grants import parse_grants, resolve_grants
from gateway.security.management import describe_token
from gateway.state.tokens import TokenRecord


@dataclass(frozen=True, slots=True)
class Permission:
    """What is granted on one resource, and which of it the resource itself does not do, with the reason.

    ``readable`` and ``writable`` are the columns of the resource that the caller may read and write, None for all
    that anybody may; ``rows`` the conditions that every row must meet, as they were written.
    """

    resource: str
    operations: tuple[Operation, ...]
    refused: Mapping[Operation, str]
    readable: tuple[str, ...] | None = None
    writable: tuple[str, ...] | None = None
    rows: tuple[str, ...] = ()


def permissions_of(access: Access, catalog: Catalog) -> tuple[Permission, ...]:
    """Return one entry per resource on which anything is granted, by resource name."""
    return tuple(
        Permission(table.resource or "", granted, _refused(table, granted), *_limits(access, table))
        for table in catalog.exposed()
        if (granted := tuple(word for word in OPERATIONS if access.may(word, table)))
    )


def _limits(access: Access, table: Table) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None, tuple[str, ...]]:
    grant = access.grant_on(table)
    if grant is None:
        return None, None, ()
    rows = tuple(part.parameter for part in grant.row_filter if isinstance(part, ConditionIntent))
    return _named(table, grant.readable), _named(table, grant.writable), rows


def _named(table: Table, names: frozenset[str] | None) -> tuple[str, ...] | None:
    """Those of some names that the table has, in its order: what is not there, or hidden, is not shown."""
    if names is None:
        return None
    return tuple(n for n, item in table.fields.items() if n in names and isinstance(item, Column | CustomField))


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


def describe_permission(permission: Permission) -> dict[str, Any]:
    """Return a permission as data; null columns are all that anybody may."""
    return {
        "resource": permission.resource,
        "granted": list(permission.operations),
        "refused": dict(permission.refused),
        "readable": None if permission.readable is None else list(permission.readable),
        "writable": None if permission.writable is None else list(permission.writable),
        "rows": list(permission.rows),
    }


def explain_token(record: TokenRecord, catalog: Catalog | None, now: datetime) -> dict[str, Any]:
    """Return what a token may do, as data: resource by resource where a catalog is known, else null.

    ``unknown`` are grants whose resource is not there, ``problems`` limits that the catalog cannot hold, with
    what the token loses by each.
    """
    if catalog is None:
        return {**describe_token(record, now), "resources": None, "unknown": [], "problems": []}
    resolved = resolve_access(principal_from(record), catalog)
    permissions = permissions_of(resolved.access, catalog)
    return {
        **describe_token(record, now),
        "resources": [describe_permission(item) for item in permissions],
        "unknown": [str(rule) for rule in resolve_grants(parse_grants(record.grants), catalog).unknown],
        "problems": [str(unmet) for unmet in resolved.unmet],
    }
