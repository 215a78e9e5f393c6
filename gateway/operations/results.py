"""What an operation comes back with; front ends render these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

CountForm = Literal["exact", "recent", "estimate", "none"]
ResultRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a condition matches: ``total`` is None when nobody knows.

    ``age_ms`` is set for a recent count that was reused.
    """

    form: CountForm
    total: int | None = None
    age_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PageResult:
    """One page of rows; ``has_more`` says whether another follows."""

    rows: list[dict[str, Any]]
    count: Count
    has_more: bool
    offset: int
    per_page: int


@dataclass(frozen=True, slots=True)
class WrittenResult:
    """A row after its write, with its key."""

    row: dict[str, Any]
    key: tuple[object, ...]
