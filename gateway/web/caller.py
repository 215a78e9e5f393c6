"""Who a token is and what it may do, for `/api/me` and `/api/v1/auth/test`."""

from __future__ import annotations

from typing import Any

from gateway.query.access import Access
from gateway.security.explain import permissions_of
from gateway.security.principal import Principal
from gateway.web.service import Service


def describe_caller(principal: Principal, access: Access, service: Service) -> dict[str, Any]:
    """Return the token's name, its permissions per resource, and the server's time in the CRM's zone."""
    permissions = {
        item.resource: [word for word in item.operations if word not in item.refused]
        for item in permissions_of(access, service.catalog)
    }
    clock = service.clock()
    return {
        "name": principal.name,
        "is_admin": principal.is_admin,
        "permissions": permissions,
        "tables": len(permissions),
        "expires_at": principal.ends_at,
        "server_time": clock.now.astimezone(clock.zone).replace(microsecond=0),
    }
