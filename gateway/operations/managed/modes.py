"""Ways of payment: the key of an offline one as text, or the short name of an online gateway (SEMANTICS 3.7)."""

from __future__ import annotations

import re
from typing import Final

from gateway.operations.managed.faults import refused
from gateway.operations.managed.model import Draft, Found, Lookup

_MODES: Final = "payment modes"
_GATEWAY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
_KEY: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


def mode_lookups(draft: Draft, column: str) -> tuple[Lookup, ...]:
    """Return the lookup of the offline way of payment that a write newly names, if it does."""
    mode = _new_mode(draft, column)
    if mode is None or _KEY.fullmatch(mode) is None:
        return ()
    return (Lookup(_MODES, "payment_modes", ("id",), {"id": int(mode)}, limit=1),)


def check_mode(draft: Draft, found: Found, column: str) -> None:
    """Pass when the way of payment exists, or has the form of an online gateway's name: modules bring their own.

    Raises:
        ValidationError: ``fields_invalid``.
    """
    mode = _new_mode(draft, column)
    if mode is None or _GATEWAY.fullmatch(mode) or found.get(_MODES):
        return
    raise refused(column, "reference", "the key of a payment mode, or the short name of a payment gateway, is due")


def _new_mode(draft: Draft, column: str) -> str | None:
    mode = draft.values.get(column)
    return None if mode is None or mode == draft.stored.get(column) else str(mode)
