"""What a request's headers present: the token, in one of four ways, and how refusals ask for one.

    Authorization: Bearer <token>          Authtoken: <token>
    Authorization: Basic <any>:<token>     X-API-Key: <token>

Pure; whether the token is any good is not known here. A token in the URL is no way: URLs are logged.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from gateway.errors import CredentialError, RequestError
from gateway.security.signatures import SIGNATURE, TIMESTAMP
from gateway.security.tokens import PREFIX

Headers = Iterable[tuple[bytes, bytes]]

_BARE: Final = frozenset({b"authtoken", b"x-api-key"})
_LOOKED_AT: Final = frozenset({b"authorization", SIGNATURE, TIMESTAMP, *_BARE})
_PREFIX: Final = PREFIX.encode("ascii")
_BEARER: Final = 'Bearer realm="gateway"'
_HOW: Final = (
    "send it as `Authorization: Bearer <token>`, `Authtoken: <token>`, `X-API-Key: <token>`, "
    "or as the password of Basic with any user name"
)

BASIC: Final = b'Basic realm="gateway", charset="UTF-8"'
"""The second challenge, on a header line of its own: many clients read only one per line."""


def presented_token(headers: Headers) -> tuple[bytes, bool]:
    """Return the token that a request presents, and whether a header of a signature came with it.

    The same token in several headers is fine. An ``Authorization`` that holds no token of ours is
    taken for somebody else's (a proxy's, say) when one of the other headers has one.

    Raises:
        CredentialError: ``token_missing``.
        RequestError: ``parameter_conflict`` when there are different tokens, ``header_invalid`` for
            credentials that are not well-formed.
    Source: RFC 6750, sections 2.1 and 3.1; RFC 7617, section 2.
    """
    found = basic = b""
    is_foreign = is_signed = False
    for name, value in headers:
        if name not in _LOOKED_AT:
            continue
        if name in _BARE:
            token = value.strip()
        elif name == b"authorization":
            scheme, _, rest = value.strip().partition(b" ")
            scheme = scheme.lower()
            token = rest.strip() if scheme == b"bearer" else b""
            if scheme == b"basic":
                if basic and basic != rest.strip():
                    raise _conflict()
                basic = rest.strip()
            is_foreign = is_foreign or scheme not in (b"bearer", b"basic", b"")
        else:
            is_signed = True
            continue
        if token and found and token != found:
            raise _conflict()
        found = found or token
    if basic:
        found = _with_basic(found, basic)
    if not found:
        raise _missing(is_foreign, bool(basic))
    return found, is_signed


def _with_basic(found: bytes, basic: bytes) -> bytes:
    """The token, when there are Basic credentials too: theirs, unless they are somebody else's."""
    try:
        password = b64decode(basic, validate=True).partition(b":")[2]
    except binascii.Error:
        if found:
            return found
        raise RequestError(
            "header_invalid", "The Authorization header is not well-formed: after Basic comes base64 of user:token."
        ) from None
    if found and password != found and password.startswith(_PREFIX):
        raise _conflict()
    return found or password


def challenge_for(error: CredentialError) -> Mapping[str, str]:
    """Return the headers of a refusal: what to send, and that what was sent was refused."""
    fault = "" if error.code == "token_missing" else ', error="invalid_token"'
    return MappingProxyType({**error.headers, "WWW-Authenticate": _BEARER + fault})


def offers_basic(headers: Headers) -> bool:
    """Whether a refusal may ask for Basic, as Excel and Power BI need it to ask their user for the token.

    The script of a page must not make the browser show its own password dialog.

    Source: Fetch Metadata Request Headers, "The Sec-Fetch-Mode HTTP Request Header".
    """
    return all(name != b"sec-fetch-mode" or value == b"navigate" for name, value in headers)


def token_invalid(detail: str = "") -> CredentialError:
    """Return the refusal of a token, which says why only where its holder could read that from the token."""
    return CredentialError(
        "token_invalid",
        detail
        or "The token is mistyped, unknown, revoked or expired: check it, or ask the administrator for a new one.",
    )


def _missing(is_foreign: bool, is_basic: bool) -> CredentialError:
    if is_basic:
        start = "The Basic credentials have no password, which is where the token goes"
    elif is_foreign:
        start = "The Authorization header holds no bearer token"
    else:
        start = "The request carries no token"
    return CredentialError("token_missing", f"{start}: {_HOW}.")


def _conflict() -> RequestError:
    return RequestError(
        "parameter_conflict",
        f"The request carries different tokens: send one, and {_HOW}.",
        headers={"WWW-Authenticate": f'{_BEARER}, error="invalid_request"'},
    )
