"""The headers that make a request depend on something: ``If-Match``, ``If-None-Match`` and ``Prefer``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from gateway.operations.tags import Precondition, parse_tags

Returned = Literal["minimal", "representation"]


def parse_precondition(if_match: str | None, if_none_match: str | None) -> Precondition | None:
    """Return what the headers require, None when there are none.

    What is no list of tags matches nothing: then an ``If-Match`` fails and an ``If-None-Match`` holds.

    >>> parse_precondition('"a", W/"b"', None)
    Precondition(match=frozenset({'"a"'}), none_match=None)

    Source: RFC 9110, sections 13.1.1 and 13.1.2.
    """
    if if_match is None and if_none_match is None:
        return None
    return Precondition(
        None if if_match is None else parse_tags(if_match),
        None if if_none_match is None else parse_tags(if_none_match, takes_weak=True),
    )


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences that are known here; others are ignored, as the standard says."""

    returned: Returned | None = None

    def applied(self) -> dict[str, str]:
        """Return the header that tells which preferences were followed."""
        return {"Preference-Applied": f"return={self.returned}"} if self.returned else {}


NO_PREFERENCES: Final = Preferences()
_PREFERENCE: Final = re.compile(
    r"""\s*(?P<name>[!#$%&'*+\-.^_`|~\w]+)
    (?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,;"]*)))?
    (?P<parameters>\s*;(?:[^",]|"(?:[^"\\]|\\.)*")*)?\s*(?:,|$)""",
    re.VERBOSE,
)


def parse_prefer(text: str | None) -> Preferences:
    """Return the preferences of a ``Prefer`` header; of one given twice the first counts.

    >>> parse_prefer('respond-async, return="minimal"; x=1, return=representation')
    Preferences(returned='minimal')

    Source: RFC 7240, section 2.
    """
    for match in _PREFERENCE.finditer(text or ""):
        if match["name"].lower() != "return":
            continue
        value = (match["quoted"] if match["quoted"] is not None else match["plain"] or "").lower()
        if value == "minimal":
            return Preferences("minimal")
        return Preferences("representation") if value == "representation" else NO_PREFERENCES
    return NO_PREFERENCES
