"""Whether a signed request is answered: its time, its signature, and that it comes for the first time."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import CredentialError, UnavailableError
from gateway.security.batches import Batches
from gateway.security.credentials import Headers
from gateway.security.signatures import (
    SentSignature,
    sent_signature,
    signature_missing,
    signature_of,
    signing_key,
    signing_secret,
)

Claim = Callable[[Sequence[tuple[bytes, int]]], frozenset[bytes]]

SLACK_S: Final = 60
"""For how long a signature is known beyond its time, for nodes whose clocks differ."""


class SignatureCheck:
    """Checks signed requests; one per worker, used from its event loop only.

    ``claim`` takes signatures in the store that all workers share; it is called in a thread, with all
    that came while the call before it ran.
    """

    def __init__(
        self,
        claim: Claim,
        shared_key: bytes,
        *,
        pepper: str = "",
        window_s: int = 300,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._claim = claim
        self._shared_key = shared_key
        self._key = signing_key(pepper, shared_key)
        self._window_s = window_s
        self._clock = clock
        self._batches = Batches(self._taken)
        self._taking: set[bytes] = set()

    def sent(self, headers: Headers) -> SentSignature:
        """Return the signature of a request that must have one, of a time that is near enough.

        Raises:
            CredentialError: ``signature_missing``, ``signature_invalid``.
            RequestError: ``header_invalid``.
        """
        sent = sent_signature(headers)
        if sent is None:
            raise signature_missing()
        off_s = self._clock() - sent.moment
        if abs(off_s) > self._window_s:
            way = "behind" if off_s > 0 else "ahead of"
            raise CredentialError(
                "signature_invalid",
                f"The timestamp is {abs(off_s):.0f} seconds {way} the server's clock; at most {self._window_s} may be.",
            )
        return sent

    async def check(self, sent: SentSignature, text: bytes, digest: bytes, *, is_peppered: bool) -> None:
        """Pass when a text was signed with the secret of a token, given by its digest, and never came before.

        Raises:
            CredentialError: ``signature_invalid``, ``signature_replayed``.
            UnavailableError: ``state_away``.
        """
        # A token older than the pepper keeps the secret that was shown with it.
        secret = signing_secret(self._key if is_peppered else self._shared_key, digest)
        if not digest or not hmac.compare_digest(signature_of(secret, text), sent.value):
            raise CredentialError(
                "signature_invalid",
                "The signature does not fit the request: it is made of METHOD, PATH, QUERY, the SHA-256 of the body "
                "and the timestamp as they are sent, in lines, with the signing secret of this very token.",
            )
        if sent.value in self._taking or not await self._take(sent):
            raise CredentialError(
                "signature_replayed",
                "The signature was used before: sign each request anew, with decimals in the timestamp where "
                "requests that are alike follow each other within a second.",
            )

    async def _take(self, sent: SentSignature) -> bool:
        self._taking.add(sent.value)
        try:
            return await self._batches.answer((sent.value, int(sent.moment) + self._window_s + SLACK_S))
        finally:
            self._taking.discard(sent.value)

    async def _taken(self, signatures: Sequence[tuple[bytes, int]]) -> list[bool]:
        new = await asyncio.to_thread(self._claimed, signatures)
        return [signature in new for signature, _ in signatures]

    def _claimed(self, signatures: Sequence[tuple[bytes, int]]) -> frozenset[bytes]:
        try:
            return self._claim(signatures)
        except SQLAlchemyError as error:
            raise UnavailableError(
                "state_away",
                "The gateway's own store did not answer, so the signature cannot be checked. Try again in a moment.",
                headers={"Retry-After": "1"},
            ) from error
