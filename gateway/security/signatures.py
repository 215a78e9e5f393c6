r"""HMAC-signed requests: what is signed, with which secret, and how the two headers are read.

    X-Signature-Timestamp: 1767225600
    X-Signature: v1=<64 hexadecimal digits>

The signature is the HMAC-SHA256, keyed with the text of the signing secret, of

    METHOD \n PATH \n QUERY \n SHA-256 of the body in lower-case hexadecimal \n TIMESTAMP

with path and query exactly as they stand in the request line. The secret is derived from
a key and the token's digest, so that nothing more is stored; whoever has only the token
cannot derive it. Pure functions: the clock and the memory of signatures are in `replays`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.errors import CredentialError, RequestError
from gateway.security.tokens import spelled

SECRET_PREFIX: Final = "gws_"  # noqa: S105  # what every such secret begins with
SIGNATURE: Final = b"x-signature"
TIMESTAMP: Final = b"x-signature-timestamp"

_PURPOSE: Final = b"gateway signing secret v1\0"
_SIGNATURE: Final = re.compile(rb"v1=([0-9A-Fa-f]{64})")
_TIMESTAMP: Final = re.compile(rb"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_HOW: Final = "send `X-Signature-Timestamp: <unix seconds>` and `X-Signature: v1=<hex>`"


@dataclass(frozen=True, slots=True)
class SentSignature:
    """What the two headers say: the 32 bytes of the signature, and the timestamp as text, for it is signed as sent."""

    value: bytes
    timestamp: bytes

    @property
    def moment(self) -> float:
        """When the request says that it was signed, in seconds since 1970."""
        return float(self.timestamp)


def signing_key(pepper: str, shared: bytes) -> bytes:
    """Return the key that secrets of tokens made now are derived from: the pepper, or else the store's shared key."""
    return pepper.encode() or shared


def signing_secret(key: bytes, digest: bytes) -> str:
    """Return the secret that the holder of a token signs with, as it is shown once beside the token.

    >>> signing_secret(b"key", bytes(32))
    'gws_hH33oKOvNMzdWFDO7dF3U9l7nStfhiwLXzicBka7Cvo'
    """
    return SECRET_PREFIX + spelled(hmac.digest(key, _PURPOSE + digest, "sha256"))


def signed_text(method: str, path: bytes, query: bytes, body: bytes, timestamp: bytes) -> bytes:
    r"""Return the text that a signature is made of.

    >>> signed_text("GET", b"/api/v1/invoices", b"page=2", b"", b"1767225600").split(b"\n")[:3]
    [b'GET', b'/api/v1/invoices', b'page=2']
    """
    digest = hashlib.sha256(body).hexdigest().encode("ascii")
    return b"\n".join((method.encode("latin-1"), path, query, digest, timestamp))


def signature_of(secret: str, text: bytes) -> bytes:
    """Return the 32 bytes of the signature of a text."""
    return hmac.digest(secret.encode("ascii"), text, "sha256")


def sent_signature(headers: Iterable[tuple[bytes, bytes]]) -> SentSignature | None:
    """Return the signature that a request carries, None when it carries none at all.

    Raises:
        CredentialError: ``signature_invalid`` when one of the headers is missing or has another form.
        RequestError: ``header_invalid`` when one of them was sent twice.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in (SIGNATURE, TIMESTAMP):
            if name in found:
                raise RequestError("header_invalid", f"The header {name.decode()} was sent more than once.")
            found[name] = value.strip()
    if not found:
        return None
    signature = _SIGNATURE.fullmatch(found.get(SIGNATURE, b""))
    timestamp = found.get(TIMESTAMP, b"")
    if signature is None or not _TIMESTAMP.fullmatch(timestamp):
        raise CredentialError("signature_invalid", f"The signature's headers are incomplete or malformed: {_HOW}.")
    return SentSignature(bytes.fromhex(signature[1].decode("ascii")), timestamp)


def signature_missing() -> CredentialError:
    """Return the refusal of an unsigned request of a token that asks for signatures."""
    return CredentialError("signature_missing", f"The token is good for signed requests only: {_HOW}.")
