"""Documents that are asked for by the SHA-256 of their text: those that clients stored, or those of a file.

``automatic``: a client sends the hash alone, and the text with it once we say that we do not know it; what one
caller stored, no other can ask for, or push out by storing more. ``only``:
the documents of a file are answered, whether by hash or text; administrators may send any. ``off``: hashes are
refused.

Source: Apollo, "Automatic Persisted Queries"; its clients look for the two messages.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from re import fullmatch
from typing import Final

from gateway.errors import ConfigurationError, ForbiddenError
from gateway.graphql.faults import DocumentError
from gateway.settings import Settings

MOST_STORED: Final = 1_000
"""Documents that clients may store in a worker; the ones used last stay."""

MOST_OF_ONE: Final = 250
"""How many of these may be one caller's."""

MOST_STORED_BYTES: Final = 4_000_000
"""Bytes that those may have together."""

MOST_FILE_BYTES: Final = 20_000_000

NOT_FOUND: Final = "PersistedQueryNotFound"
NOT_SUPPORTED: Final = "PersistedQueryNotSupported"

_FORM: Final = 'persistedQuery is {"version": 1, "sha256Hash": the SHA-256 of the document\'s UTF-8 in hexadecimal}.'
_MOST_PROBLEMS: Final = 20


class PersistedQueries:
    """The documents by their hashes, of one worker."""

    def __init__(self, mode: str, listed: Mapping[str, str] | None = None) -> None:
        self._mode = mode
        self._listed = dict(listed or {})
        self._stored: dict[tuple[str, str], str] = {}
        self._numbers: Counter[str] = Counter()
        self._bytes = 0

    @classmethod
    def of(cls, settings: Settings) -> PersistedQueries:
        """Return the documents that the settings name.

        Raises:
            ConfigurationError: the file is missing or wrong, or given where it is not used.
        """
        mode, file = settings.graphql_persisted, settings.graphql_persisted_file
        if (mode == "only") != bool(file):
            wrong = "is needed for" if mode == "only" else "is used with"
            raise ConfigurationError(f"GATEWAY_GRAPHQL_PERSISTED_FILE {wrong} GATEWAY_GRAPHQL_PERSISTED=only.")
        return cls(mode, read_file(Path(file)) if file else None)

    def __len__(self) -> int:
        return len(self._stored) + len(self._listed)

    def text_of(self, query: str | None, extension: object = None, by: str = "", *, is_admin: bool = False) -> str:
        """Return the text that a request means: ``query``, or that of the hash in its ``persistedQuery``.

        ``by`` is the caller.

        Raises:
            DocumentError: ``parameter_missing`` for neither; ``parameter_invalid`` for a malformed extension, and a
                hash of another text; ``persisted_query_unknown``; ``persisted_queries_off``.
            ForbiddenError: ``persisted_queries_only`` for a text that is not in the file.
        """
        if extension is None:
            return self._permitted(query, is_admin=is_admin)
        if self._mode == "off":
            raise DocumentError("persisted_queries_off", NOT_SUPPORTED)
        digest = _digest_in(extension)
        if not query:
            return self._found(digest, by)
        if _digest(query) != digest:
            detail = "The hash in persistedQuery is not that of the document that came with it."
            raise DocumentError("parameter_invalid", detail)
        return self._permitted(query, is_admin=is_admin)

    def keep(self, text: str, extension: object = None, by: str = "") -> None:
        """Store a document that is valid, if its client asked for that; the ones used longest ago give way.

        First the caller's own do, when it has stored many.
        """
        if self._mode != "automatic" or extension is None:
            return
        key = (by, _digest_in(extension))
        if key in self._stored:
            return
        self._stored[key] = text
        self._numbers[by] += 1
        self._bytes += _size(text)
        if self._numbers[by] > MOST_OF_ONE:
            self._drop(next(each for each in self._stored if each[0] == by))
        while len(self._stored) > MOST_STORED or self._bytes > MOST_STORED_BYTES:
            self._drop(next(iter(self._stored)))

    def _drop(self, key: tuple[str, str]) -> None:
        by, _ = key
        self._bytes -= _size(self._stored.pop(key))
        self._numbers[by] -= 1
        if not self._numbers[by]:
            del self._numbers[by]

    def _found(self, digest: str, by: str) -> str:
        text = self._listed.get(digest)
        if text is None:
            text = self._stored.pop((by, digest), None)
            if text is None:
                raise DocumentError("persisted_query_unknown", NOT_FOUND)
            self._stored[by, digest] = text
        return text

    def _permitted(self, query: str | None, *, is_admin: bool) -> str:
        if not query:
            raise DocumentError("parameter_missing", "The request has no `query`, which is the document's text.")
        if self._mode == "only" and not is_admin and _digest(query) not in self._listed:
            raise ForbiddenError("persisted_queries_only", "Only the documents that the gateway lists are answered.")
        return query


def _digest_in(extension: object) -> str:
    """The hash that an extension names."""
    match extension:
        case {"version": 1, "sha256Hash": str(digest), **others} if not others and fullmatch("[0-9a-fA-F]{64}", digest):
            return digest.lower()
        case _:
            raise DocumentError("parameter_invalid", _FORM)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def read_file(path: Path) -> Mapping[str, str]:
    """Return the documents of a file by their hashes.

    Raises:
        ConfigurationError: with what is wrong, each entry named.
    """
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise ConfigurationError(f"{path} has more than {MOST_FILE_BYTES} bytes.")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{path} is no JSON.") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path} is no JSON object of hashes and documents.")
    problems = [f"{key[:80]}: {wrong}" for key, text in found.items() if (wrong := _wrong(key, text))]
    if problems:
        left_out = len(problems) - _MOST_PROBLEMS
        more = [f"and {left_out} more"] if left_out > 0 else []
        raise ConfigurationError(f"{path} lists documents that are wrong:", [*problems[:_MOST_PROBLEMS], *more])
    return found


def _wrong(key: str, text: object) -> str:
    """What is wrong with an entry of the file, "" for nothing."""
    # A worker without such a file does without the library until it is asked.
    from graphql import GraphQLError, parse  # noqa: PLC0415  # 15 MB once loaded

    if not isinstance(text, str):
        return "its document is no text"
    if key != _digest(text):
        return f"the SHA-256 of its document is {_digest(text)}"
    try:
        parse(text)
    except GraphQLError as error:
        return error.message
    return ""
