"""Who a token is and what it may do, for `/api/me` and `/api/v1/auth/test`."""

from __future__ import annotations

from typing import Any

from gateway.query.access import Access
from gateway.security.explain import permissions_of
from gateway.security.principal import Principal
from gateway.web.service import Service


def describe_caller(principal: Principal, access: Access, service: Service) -> dict[str, Any]:
    """Return the token's name, its permissions and limits per resource, and the server's time in the CRM's zone.

    ``columns`` and ``rows`` name only the resources that are limited; empty and null limits are none.
    """
    told = permissions_of(access, service.catalog)
    permissions = {item.resource: [word for word in item.operations if word not in item.refused] for item in told}
    columns = {
        item.resource: {"readable": item.readable, "writable": item.writable}
        for item in told
        if item.readable is not None or item.writable is not None
    }
    policy = principal.policy
    clock = service.clock()
    return {
        "name": principal.name,
        "is_admin": principal.is_admin,
        "permissions": permissions,
        "tables": len(permissions),
        "columns": columns,
        "rows": {item.resource: item.rows for item in told if item.rows},
        "addresses": policy.addresses,
        "origins": policy.origins,
        "rate": str(policy.rate) if policy.rate else None,
        "most_rows": access.most_rows,
        "is_signed": policy.is_signed,
        "expires_at": principal.ends_at,
        "server_time": clock.now.astimezone(clock.zone).replace(microsecond=0),
    }
