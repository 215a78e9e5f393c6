"""Which paths answer without a token, and which need an administrator's; all others need any valid token."""

from __future__ import annotations

from typing import Final, Literal

Guard = Literal["public", "token", "admin"]

PUBLIC_PATHS: Final = ("/healthz", "/readyz", "/api_docs")
ADMIN_PATHS: Final = ("/admin", "/metrics", "/explorer", "/graphiql")


def guard_of(path: str) -> Guard:
    """Return what a path, decoded, demands of its caller; whether anything is served there plays no part.

    >>> guard_of("/healthz"), guard_of("/healthzz"), guard_of("/admin/tokens/7")
    ('public', 'token', 'admin')
    """
    if _is_below(path, PUBLIC_PATHS):
        return "public"
    return "admin" if _is_below(path, ADMIN_PATHS) else "token"


def _is_below(path: str, bases: tuple[str, ...]) -> bool:
    return any(path == base or path.startswith(base + "/") for base in bases)
