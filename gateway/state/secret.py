"""Random keys that all workers of a store share and that survive restarts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import Connection

_BYTES: Final = 32


def shared_key(write: Callable[[], AbstractContextManager[Connection]], name: str) -> bytes:
    """Return the key of a name, made when it is first asked for."""
    with write() as connection:
        made = (f"key {name}", secrets.token_hex(_BYTES))
        connection.exec_driver_sql("INSERT OR IGNORE INTO gw_meta (name, value) VALUES (?, ?)", made)
        found = connection.exec_driver_sql("SELECT value FROM gw_meta WHERE name = ?", made[:1]).scalar_one()
    return bytes.fromhex(str(found))
