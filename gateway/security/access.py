"""From a principal to the `Access` that every plan carries.

Plans are cached per `Access` object, so `AccessBook` hands out the same one for as
long as neither the principal nor the catalog changes.
"""

from __future__ import annotations

from typing import Final

from gateway.catalog.model import Catalog
from gateway.query.access import Access, Grant
from gateway.security.grants import parse_grants, resolve_grants
from gateway.security.principal import Principal

MOST_KEPT: Final = 4_096


def build_access(principal: Principal, catalog: Catalog) -> Access:
    """Return what a principal may do with the resources of a catalog.

    Names the catalog lacks grant nothing. The acting staff is None where the token
    names none: whoever writes then finds one.
    """
    resolved = resolve_grants(parse_grants(principal.grants), catalog)
    return Access(
        principal=principal.name,
        grants={name: Grant(operations) for name, operations in resolved.operations.items()},
        is_admin=principal.is_admin,
        acting_staff=principal.staff_id,
    )


class AccessBook:
    """The `Access` of each principal for the catalog it was last asked with; one entry per token, bounded."""

    __slots__ = ("_entries", "_most")

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._entries: dict[str, tuple[Principal, Catalog, Access]] = {}

    def access_of(self, principal: Principal, catalog: Catalog) -> Access:
        """Return the access, the same object as before unless principal or catalog changed."""
        entry = self._entries.get(principal.key)
        if entry is not None and entry[1] is catalog and (entry[0] is principal or entry[0] == principal):
            return entry[2]
        access = build_access(principal, catalog)
        if entry is None and len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        self._entries[principal.key] = (principal, catalog, access)
        return access
