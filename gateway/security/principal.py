"""A principal: the caller that a valid token stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. ``ends_at`` is when the token stops to work (expiry, or the end of a rotation's overlap)."""

    token_id: int
    name: str
    grants: tuple[str, ...]
    is_admin: bool = False
    staff_id: int | None = None
    expires_at: datetime | None = None
    ends_at: datetime | None = None
