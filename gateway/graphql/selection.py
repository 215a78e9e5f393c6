"""What one operation selects: fragments laid out, variables filled in, fields of one key merged.

A selection is a tree of `Selected`; nothing of the document is left in it but where each field stood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from gateway.graphql.meaning import Meaning

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Selected:
    """One field of a reply: ``key`` is its name there, ``name`` the schema's.

    ``meaning`` is None for ``__typename`` and for introspection. ``type_name`` is the name of the object type that
    the field is or lists, "" of a leaf. ``scalar`` is the name of a leaf's scalar. ``arguments`` are coerced:
    numbers keep their digits, what was left out is not there. ``line`` and ``column`` count from 1. ``memory`` is
    that of a selection whose parts are the same for all requests of its document, None where variables change them.
    """

    key: str
    name: str
    meaning: Meaning | None
    type_name: str = ""
    scalar: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Selected, ...] = ()
    line: int = 0
    column: int = 0
    memory: dict[str, Any] | None = field(default=None, compare=False, repr=False)

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """Return what ``make`` makes of ``parts`` and of nothing else of the request: made before if they are the same.

        The names of the schema mean the same for all requests of a document, which belongs to one schema.
        """
        if self.memory is None:
            return make()
        found: Made | None = self.memory.get(name)
        if found is None:
            found = self.memory[name] = make()
        return found


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, ready to be translated.

    ``fields`` are those of Query or Mutation in order, introspection apart: ``introspected`` says that there is some.
    """

    kind: Literal["query", "mutation"]
    fields: tuple[Selected, ...]
    name: str = ""
    is_atomic: bool = False
    introspected: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What a document costs, as the limits count it (docs/graphql.md)."""

    tokens: int = 0
    depth: int = 0
    aliases: int = 0
    complexity: int = 0
