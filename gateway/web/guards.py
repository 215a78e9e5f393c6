"""Which paths answer without a token, and which need an administrator's; all others need any valid token."""

from __future__ import annotations

from typing import Final, Literal

Guard = Literal["public", "token", "admin"]

PUBLIC_PATHS: Final = ("/healthz", "/readyz", "/api_docs")
ADMIN_PATHS: Final = ("/admin", "/metrics", "/explorer", "/graphiql")

_RESOURCES: Final = "/api/v1/"
_GUARDS: Final[tuple[tuple[str, str, Guard], ...]] = (
    *((path, f"{path}/", "public") for path in PUBLIC_PATHS),
    *((path, f"{path}/", "admin") for path in ADMIN_PATHS),
)


def guard_of(path: str) -> Guard:
    """Return what a path, decoded, demands of its caller; whether anything is served there plays no part.

    >>> guard_of("/healthz"), guard_of("/healthzz"), guard_of("/admin/tokens/7")
    ('public', 'token', 'admin')
    """
    if path.startswith(_RESOURCES):  # nearly every request; the stages ask more than once
        return "token"
    for base, below, guard in _GUARDS:
        if path == base or path.startswith(below):
            return guard
    return "token"
