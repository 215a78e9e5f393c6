"""The published keys of an identity provider: read when they are needed, kept while it is away.

What comes in: where the keys are. What goes out: the key that a JWT names. They are read in a
thread, by one reader at a time: anew in the background when they are `KEEP_S` old, and at once for
a key that is not among them, but no more often than every `RETRY_S`, whatever JWTs come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Final, Protocol
from urllib.request import HTTPRedirectHandler, Request, build_opener

from gateway.errors import UnavailableError
from gateway.observe import KeysNotRead, Observer

KEEP_S: Final = 300.0
RETRY_S: Final = 30.0
FIRST_RETRY_S: Final = 2.0
"""How soon they are asked for again as long as there are none at all."""

TIMEOUT_S: Final = 5.0
MOST_BYTES: Final = 262_144


class KeySet(Protocol):
    """Keys that were read; `jwks` has the ones that there are."""

    def key_of(self, key_id: str | None, algorithm: str) -> object | None:
        """Return the key of an id that verifies an algorithm, None when there is none."""


class KeyRing:
    """The keys of one provider; one per worker, used from its event loop only."""

    def __init__(
        self,
        source: str,
        parse: Callable[[bytes], KeySet],
        observer: Observer,
        *,
        read: Callable[[str], bytes] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._parse = parse
        self._observer = observer
        self._read = read or read_source
        self._monotonic = monotonic
        self._keys: KeySet | None = None
        self._read_at = self._tried_at = float("-inf")
        self._is_failing = False
        self._reading: asyncio.Task[None] | None = None

    async def key_of(self, key_id: str | None, algorithm: str) -> object | None:
        """Return the key of an id, None when the provider publishes none.

        Raises:
            UnavailableError: ``identity_away``, when it cannot be told.
        """
        key = self._keys.key_of(key_id, algorithm) if self._keys is not None else None
        if key is not None:
            if self._is_due(KEEP_S):
                self._start()
            return key
        if self._reading is not None or self._is_due(0.0):
            await asyncio.shield(self._start())
            key = self._keys.key_of(key_id, algorithm) if self._keys is not None else None
        if key is None and self._is_failing:
            raise UnavailableError(
                "identity_away",
                "The identity provider's keys cannot be read, so the JWT cannot be checked. Try again in a moment.",
                headers={"Retry-After": "5"},
            )
        return key

    def load(self) -> None:
        """Read the keys now, and raise what goes wrong: for the start, where keys lie in a file."""
        self._keys = self._parse(self._read(self._source))
        self._read_at = self._tried_at = self._monotonic()

    def _is_due(self, age_s: float) -> bool:
        """Whether the keys are of an age, and nobody tried to read them of late."""
        now = self._monotonic()
        return now - self._read_at >= age_s and now - self._tried_at >= (RETRY_S if self._keys else FIRST_RETRY_S)

    def _start(self) -> asyncio.Task[None]:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_again())
        return self._reading

    async def _read_again(self) -> None:
        self._tried_at = self._monotonic()
        try:
            self._keys = self._parse(await asyncio.to_thread(self._read, self._source))
            self._read_at = self._tried_at
            self._is_failing = False
        except (OSError, ValueError, HTTPException) as error:
            self._is_failing = True
            self._observer(KeysNotRead(self._source, str(error) or type(error).__name__))
        finally:
            self._reading = None


def is_url(source: str) -> bool:
    """Whether keys are fetched, rather than read from a file.

    >>> is_url("https://login.example.com/keys"), is_url("/etc/gateway/keys.json")
    (True, False)
    """
    return "://" in source


def read_source(source: str) -> bytes:
    """Return the bytes of a file or, without following redirects, of a URL.

    Raises:
        OSError, HTTPException: it cannot be read.
        ValueError: it has more than `MOST_BYTES`, or takes too long.
    """
    if not is_url(source):
        with Path(source).open("rb") as file:
            return _all_of(file)
    request = Request(source, headers={"Accept": "application/json"})  # noqa: S310  # the settings allow http(s) only
    with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
        return _all_of(answer)


def _all_of(stream: IO[bytes]) -> bytes:
    """Read a stream piece by piece: the timeout of a socket is one for each piece, not for all."""
    deadline = time.monotonic() + TIMEOUT_S
    found = b""
    while piece := stream.read1(16_384) if hasattr(stream, "read1") else stream.read(16_384):
        found += piece
        if len(found) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        if time.monotonic() > deadline:
            raise ValueError(f"not read within {TIMEOUT_S:.0f} seconds")
    return found


class _NoRedirect(HTTPRedirectHandler):
    """Takes a redirect for a failure: the keys come from where the settings say, and from nowhere else."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        """Follow none."""
        return None
