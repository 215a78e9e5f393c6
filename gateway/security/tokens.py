"""Tokens: 256 random bits in a form that people, secret scanners and checksums recognise.

    gw_live_ 43 characters of secret, 6 characters of checksum

All characters are letters and digits, so that a double click selects the whole
token. The checksum (CRC-32 of everything before it) refuses a mistyped token
without a look at the store; it protects nothing. Only `digest_of` is ever stored:
a secret of 256 bits needs no slow hash.

With a pepper (GATEWAY_TOKEN_PEPPER, "" for none) the digest is keyed: whoever can
read or write the store, but not the pepper, can neither check a guess nor plant a
token of the peppered kind. Tokens made before there was a pepper are still found.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "gw_live_"
SECRET_BYTES: Final = 32

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY_LENGTH: Final = 43
_CHECKSUM_LENGTH: Final = 6
_SHOWN_LENGTH: Final = len(PREFIX) + 4

TOKEN_LENGTH: Final = len(PREFIX) + _BODY_LENGTH + _CHECKSUM_LENGTH


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token just made: the text to hand over once, and what may be kept of it."""

    text: str
    digest: bytes
    prefix: str

    def __repr__(self) -> str:
        """Leave the secret out, so that it reaches no log or traceback."""
        return f"IssuedToken(prefix={self.prefix!r})"


def new_token(pepper: str = "") -> IssuedToken:
    """Return a new random token, to be stored under the digest that the pepper gives it."""
    return issued(token_of(secrets.token_bytes(SECRET_BYTES)), pepper)


def token_of(secret: bytes) -> str:
    """Return the token that spells 32 bytes."""
    head = PREFIX + spelled(secret)
    return head + _checksum(head)


def spelled(secret: bytes) -> str:
    """Return 32 bytes as 43 letters and digits."""
    return _base62(int.from_bytes(secret, "big"), _BODY_LENGTH)


def issued(text: str, pepper: str = "") -> IssuedToken:
    """Return a token's text with its digest and the part of it that may be shown."""
    return IssuedToken(text, digest_of(text.encode("ascii"), pepper), text[:_SHOWN_LENGTH])


def looks_like_token(presented: bytes) -> bool:
    """Whether bytes have a token's form and a right checksum; cheap, and no proof of anything.

    >>> looks_like_token(token_of(bytes(32)).encode())
    True
    >>> looks_like_token(b"gw_live_guess")
    False
    """
    if len(presented) != TOKEN_LENGTH or not presented.isascii():
        return False
    text = presented.decode("ascii")
    return text.startswith(PREFIX) and text[-_CHECKSUM_LENGTH:] == _checksum(text[:-_CHECKSUM_LENGTH])


def digest_of(presented: bytes, pepper: str = "") -> bytes:
    """Return the digest under which a token is stored: its SHA-256, or its HMAC-SHA256 where there is a pepper."""
    if pepper:
        return hmac.digest(pepper.encode(), presented, "sha256")
    return hashlib.sha256(presented).digest()


def digests_of(presented: bytes, pepper: str = "") -> tuple[bytes, ...]:
    """Return every digest under which a token may be stored: today's, then that of the time before there was a pepper.

    >>> [digest == digest_of(b"x") for digest in digests_of(b"x", "a pepper")]
    [False, True]
    """
    plain = digest_of(presented)
    return (digest_of(presented, pepper), plain) if pepper else (plain,)


def _checksum(head: str) -> str:
    return _base62(zlib.crc32(head.encode("ascii")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
