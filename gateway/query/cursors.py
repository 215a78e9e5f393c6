"""Cursors: positions as opaque texts that only this gateway makes, and that only their own query takes back.

A cursor is sealed with a synthetic IV: a keyed hash of position and query is both its
signature and what its key stream begins with. Equal positions of one query give equal
cursors, nothing of a position can be read from one, and nothing in one can be changed.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

import orjson

from gateway.query.positions import Position, cursor_invalid

_SIGNATURE: Final = 16
_BLOCK: Final = 64
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]+")


class Cursors:
    """Seals positions with one key, which all workers share, and opens them again.

    Source: Rogaway and Shrimpton, "Deterministic Authenticated-Encryption" (SIV), with keyed BLAKE2b (RFC 7693).
    """

    def __init__(self, key: bytes = b"") -> None:
        self._signer = blake2b(key=key, digest_size=_SIGNATURE, person=b"cursor signature")
        self._stream = blake2b(key=key, digest_size=_BLOCK, person=b"cursor stream")

    def seal(self, position: Position, binding: bytes) -> str:
        """Return the cursor of a position; ``binding`` is the query that it belongs to."""
        payload = orjson.dumps(position)
        signature = self._signature(payload, binding)
        return urlsafe_b64encode(signature + self._masked(payload, signature)).rstrip(b"=").decode("ascii")

    def open(self, text: str, binding: bytes, parameter: str = "cursor") -> Position:
        """Return the position of a cursor; ``parameter`` is where it stood.

        Raises:
            RequestError: ``cursor_invalid`` for any other text, and for a cursor of another query.
        """
        sealed = _decoded(text, parameter)
        signature = sealed[:_SIGNATURE]
        payload = self._masked(sealed[_SIGNATURE:], signature)
        if not compare_digest(signature, self._signature(payload, binding)):
            raise cursor_invalid(parameter)
        return tuple(orjson.loads(payload))

    def _signature(self, payload: bytes, binding: bytes) -> bytes:
        signer = self._signer.copy()
        signer.update(len(binding).to_bytes(8))
        signer.update(binding)
        signer.update(payload)
        return signer.digest()

    def _masked(self, data: bytes, signature: bytes) -> bytes:
        stream = b"".join(self._block(signature, number) for number in range(-(-len(data) // _BLOCK)))
        mixed = int.from_bytes(data) ^ int.from_bytes(stream[: len(data)])
        return mixed.to_bytes(len(data))

    def _block(self, signature: bytes, number: int) -> bytes:
        stream = self._stream.copy()
        stream.update(signature)
        stream.update(number.to_bytes(8))
        return stream.digest()


def _decoded(text: str, parameter: str) -> bytes:
    """The bytes of the one text that stands for them."""
    if not _TEXT.fullmatch(text) or len(text) % 4 == 1:
        raise cursor_invalid(parameter)
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(data) <= _SIGNATURE or urlsafe_b64encode(data).rstrip(b"=").decode("ascii") != text:
        raise cursor_invalid(parameter)
    return data
