"""A principal: the caller that a valid token stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.security.policy import NO_POLICY, Policy


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking.

    ``key`` tells the caller from all others in every worker (``token:12``, ``jwt:…``).
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

    @property
    def lineage(self) -> str:
        """What a caller keeps when its token is rotated, and a new token under an old name does not have.

        Tokens made before there were lineages have their name alone.
        """
        return f"{self.name}\n{self.policy.lineage}" if self.policy.lineage else self.name
