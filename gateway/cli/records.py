"""What commands of the machine leave in the audit trail: whoever looks for who made a token finds it there."""

from __future__ import annotations

import getpass
import os
import secrets
import time

from gateway.cli.console import warn
from gateway.settings import Settings
from gateway.state.audit import AuditRecord, AuditStore
from gateway.state.failures import StateAwayError
from gateway.state.store import StateStore


def record_change(state: StateStore, settings: Settings, operation: str, token_id: int, command: str) -> None:
    """Store the record of a token that a command made or ended; one that cannot be stored undoes nothing.

    The principal is ``cli:`` and the operating system's user, which the name of no request's caller is.
    """
    if settings.audit == "off":
        return
    record = AuditRecord(
        at_ms=int(time.time() * 1_000),
        request_id=secrets.token_hex(8),
        principal=f"cli:{_user()}",
        token_id=None,
        address="local",
        method="CLI",
        path=command,
        resource=None,
        operation=operation,
        row_key=str(token_id),
        rows=1,
        status=200,
        code=None,
        stage="cli",
        duration_us=0,
        outcome="done",
    )
    try:
        AuditStore(state.read, state.write).append([record])
    except StateAwayError as error:
        warn(f"It was done, but the audit trail has no record of it: {error}.")


def _user() -> str:
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
