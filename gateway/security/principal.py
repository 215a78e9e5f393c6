"""A principal: the caller that a valid token stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.security.policy import NO_POLICY, Policy


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking.

    ``key`` tells the caller from all others in every worker (``token:12``, ``jwt:…``); its rate is counted under it.
    ``ends_at`` is when the token stops to work (expiry, or the end of a rotation's overlap). ``token_id`` is None
    for a caller that no stored token stands for.
    """

    key: str
    name: str
    grants: tuple[str, ...]
    is_admin: bool = False
    staff_id: int | None = None
    expires_at: datetime | None = None
    ends_at: datetime | None = None
    policy: Policy = NO_POLICY
    token_id: int | None = None
