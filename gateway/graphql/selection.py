"""What one operation selects: fragments laid out, variables filled in, fields of one key merged.

A selection is a tree of `Selected`; nothing of the document is left in it but where each field stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.graphql.meaning import Meaning


@dataclass(frozen=True, slots=True)
class Selected:
    """One field of a reply: ``key`` is its name there, ``name`` the schema's.

    ``meaning`` is None for ``__typename`` and for introspection. ``type_name`` is the name of the object type that
    the field is or lists, "" of a leaf. ``scalar`` is the name of a leaf's scalar. ``arguments`` are coerced:
    numbers keep their digits, what was left out is not there. ``line`` and ``column`` count from 1.
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
