"""Names of the catalog -> names that GraphQL can have.

A name that GraphQL allows is kept as it is. Others are mangled, and what was mangled is listed by
`gateway check` and in the descriptions of the schema.

Source: GraphQL, October 2021, section 2.1.9 "Names"; SPEC section 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_NAME: Final = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*")
_OTHER: Final = re.compile(r"[^_0-9A-Za-z]")
_WORD: Final = re.compile(r"[0-9A-Za-z]+")


def is_name(text: str) -> bool:
    """Whether a text is a name that a schema may define; those with two underscores in front are introspection's."""
    return _NAME.fullmatch(text) is not None


def mangled(text: str) -> str:
    """Return the nearest name that GraphQL allows.

    >>> mangled("custom.region"), mangled("2nd phone"), mangled("__typename"), mangled("total")
    ('custom_region', '_2nd_phone', '_typename', 'total')
    """
    if is_name(text):
        return text
    name = _OTHER.sub("_", text)
    name = "_" + name.lstrip("_") if name.startswith("__") else name
    return name if is_name(name) else f"_{name}"


class Names:
    """Gives out names of one place of the schema, each once: ``total``, then ``total_2``."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self.changed: dict[str, str] = {}
        """What was given out in place of the name that was wanted, by the one that was given."""

    def give(self, wanted: str, instead: str = "") -> str:
        """Return the wanted name, mangled where it must be, with a number where it was given out before.

        ``instead`` is tried before there is a number.
        """
        name = base = mangled(wanted)
        if instead and name in self._taken:
            name = base = mangled(instead)
        number = 1
        while name in self._taken:
            number += 1
            name = f"{base.rstrip('_') or '_n'}_{number}"  # "_" and a number would be introspection's "__2"
        self._taken.add(name)
        if name != wanted:
            self.changed[name] = wanted
        return name

    def is_free(self, name: str) -> bool:
        """Whether a name has not been given out yet."""
        return name not in self._taken


def pascal(resource: str) -> str:
    """Return the words of a resource's name, each with a capital.

    >>> pascal("item_tax"), pascal("invoices")
    ('ItemTax', 'Invoices')
    """
    name = "".join(word[:1].upper() + word[1:] for word in _WORD.findall(resource))
    return mangled(name or "Table")


def singular(word: str) -> str:
    """Return the singular of an English plural, and any other word as it is.

    >>> [singular(word) for word in ("invoices", "countries", "taxes", "statuses", "leads_status", "staff")]
    ['invoice', 'country', 'tax', 'status', 'leads_status', 'staff']
    """
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    return word


_ENDINGS: Final = (
    ("ies", "y"),
    ("sses", "ss"),
    ("uses", "us"),
    ("xes", "x"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("ss", "ss"),
    ("us", "us"),
    ("is", "is"),
    ("s", ""),
)
"""Endings of plurals, and of words that only look like one, the first that fits."""
