"""What an operation comes back with; front ends render these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CountForm = Literal["exact", "recent", "estimate", "none"]


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
class RowResult:
    """One row, with its tag."""

    row: dict[str, Any]
    tag: str


@dataclass(frozen=True, slots=True)
class WrittenResult:
    """A row after its write, with its key and tag; ``tag`` is None where the row cannot be read back.

    ``is_new`` says that this write made it.
    """

    row: dict[str, Any]
    key: tuple[object, ...]
    tag: str | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class DeletedResult:
    """What a delete removed, or would remove.

    ``owned`` counts the rows that go along and ``dependants`` those that block, by
    resource (``other`` for what the caller may not read); they are only told of
    a delete that was tried out. Counts above `query.deletes.MOST_COUNTED` mean "more".
    """

    affected: int
    owned: Mapping[str, int] = field(default_factory=dict)
    dependants: Mapping[str, int] = field(default_factory=dict)

    def plus(self, other: DeletedResult) -> DeletedResult:
        """Return both together."""
        return DeletedResult(
            self.affected + other.affected, _sum(self.owned, other.owned), _sum(self.dependants, other.dependants)
        )


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in (*one, *other)}
