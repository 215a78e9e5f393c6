"""The rule of tables that need none."""

from __future__ import annotations

from gateway.operations.managed.model import Draft, Extension, Found, Lookup


class PlainRule:
    """Adds nothing: nested rows of plain tables go along as they were sent."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read nothing."""
        return ()

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read nothing."""
        return ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Add nothing."""
        return Extension()
