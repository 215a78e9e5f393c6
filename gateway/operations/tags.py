"""Tags of rows, and what a client requires of them (RFC 9110, sections 8.8.3 and 13.1).

A tag is a keyed hash of a row's own columns as the database has them: it does not
depend on which fields are asked for, in what form or by whom. The key keeps a token
from finding out by trial what stands in columns that it may not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson

from gateway.errors import ConflictError

_SIZE: Final = 16
_TAG: Final = re.compile(r'\s*(W/)?("[^"]*")\s*(?:,|$)|\s*,')
_BARE: Final = re.compile(r"(?!W/)[!#-+\--~]+")
EVERY: Final = frozenset({"*"})
"""The tags of ``*``; those of rows have quotation marks."""


class Tags:
    """Makes the tags of rows with one key, which all workers share."""

    def __init__(self, key: bytes = b"") -> None:
        self._fresh = blake2b(digest_size=_SIZE, key=key)

    def of(self, cells: Sequence[Any]) -> str:
        """Return the tag of a row's cells, with its quotation marks."""
        digest = self._fresh.copy()
        digest.update(_written(cells))
        return f'"{digest.hexdigest()}"'


def _written(cells: Sequence[Any]) -> bytes:
    """Equal cells give equal bytes; numbers beyond 64 bits are the only ones that orjson refuses."""
    try:
        return orjson.dumps(cells, default=repr)
    except TypeError:
        return repr(tuple(cells)).encode()


def parse_tags(text: str, *, takes_weak: bool = False) -> frozenset[str]:
    """Return the tags of a list as ``If-Match`` has it, `EVERY` for ``*``; what is no such list has none.

    >>> sorted(parse_tags('"a", W/"b"')), sorted(parse_tags("a"))
    (['"a"'], [])

    Source: RFC 9110, section 13.1.1.
    """
    if text.strip() == "*":
        return EVERY
    found: set[str] = set()
    position = 0
    while position < len(text):
        match = _TAG.match(text, position)
        if match is None:
            return frozenset()
        if match[2] and (takes_weak or not match[1]):
            found.add(match[2])
        position = match.end()
    return frozenset(found)


def given_tags(text: str) -> frozenset[str]:
    """Return the tags of a list, or the one tag that stands without its quotation marks.

    >>> given_tags("a") == given_tags('"a"'), sorted(given_tags("*"))
    (True, ['*'])
    """
    bare = text.strip()
    return frozenset({f'"{bare}"'}) if bare != "*" and _BARE.fullmatch(bare) else parse_tags(text)


@dataclass(frozen=True, slots=True)
class Precondition:
    """What ``If-Match`` and ``If-None-Match`` require; None where a header was not sent, `EVERY` for ``*``.

    ``match`` has no weak tags, as they never match; in ``none_match`` weak ones count like strong ones.
    """

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None

    def is_stale(self, tag: str) -> bool:
        """Whether ``If-Match`` names other states than this one."""
        return self.match is not None and self.match != EVERY and tag not in self.match

    def is_known(self, tag: str) -> bool:
        """Whether ``If-None-Match`` names this state."""
        return self.none_match is not None and (self.none_match == EVERY or tag in self.none_match)

    def check_write(self, tag: str) -> None:
        """Pass when a write may go on.

        Raises:
            ConflictError: ``precondition_failed``.
        """
        if self.is_stale(tag) or self.is_known(tag):
            raise precondition_failed()


def precondition_failed(
    detail: str = "The row is no longer as the given tag says: read it again and repeat the change on what it is now.",
) -> ConflictError:
    """Return the refusal of a request whose precondition does not hold."""
    return ConflictError("precondition_failed", detail)
