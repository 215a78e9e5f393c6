"""Random keys that all workers of a store share and that survive restarts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import Connection, insert, select

from gateway.state.failures import retried
from gateway.state.tables import META

_BYTES: Final = 32


@retried
def shared_key(write: Callable[[], AbstractContextManager[Connection]], name: str) -> bytes:
    """Return the key of a name, made when it is first asked for."""
    with write() as connection:
        found = connection.execute(select(META.c.value).where(META.c.name == f"key {name}")).scalar()
        if found is None:
            found = secrets.token_hex(_BYTES)
            connection.execute(insert(META).values(name=f"key {name}", value=found))
    return bytes.fromhex(str(found))
