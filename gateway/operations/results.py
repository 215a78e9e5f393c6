"""What an operation comes back with; front ends render these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from gateway.catalog.model import Table

TAG_KEY: Final = "@tag"
"""Under which a row of a tagged list has its tag: no field is called so."""

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
class Truncation:
    """Rows of a to-many that an embed left out, because a parent has more than its limit.

    ``place`` leads from the rows of the reply to the list that was cut: ``(3, "client",
    "contracts")``; from a single row without the number. ``parent`` and ``key`` are the row whose
    rows they are, ``embed`` the path of the embed in the request. ``key`` is empty where the
    parent has none.
    """

    place: tuple[str | int, ...]
    parent: Table
    key: tuple[object, ...]
    embed: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class PageResult:
    """One page of rows, or of groups; ``has_more`` says whether another follows.

    ``position`` is that of the last row, from which the next page can go on; None where the rows
    have no key, where they are groups and where there are none; ``positions`` are those of all rows, where they
    were asked for. ``warnings`` are stable words (``mixed_currency``).
    """

    rows: list[dict[str, Any]]
    count: Count
    has_more: bool
    offset: int
    per_page: int
    truncated: tuple[Truncation, ...] = ()
    position: tuple[object, ...] | None = None
    warnings: tuple[str, ...] = ()
    positions: tuple[tuple[object, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row, with its tag; ``key`` is set where the request did not name it, as with a to-one.

    ``warnings`` are as in `PageResult`, of numbers that come along.
    """

    row: dict[str, Any]
    tag: str
    truncated: tuple[Truncation, ...] = ()
    key: tuple[object, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenResult:
    """A row after its write, with its key and tag; ``tag`` is None where the row cannot be read back.

    ``is_new`` says that this write made it. ``stored_key`` is its key as the driver has it, empty where it has none.
    """

    row: dict[str, Any]
    key: tuple[object, ...]
    tag: str | None = None
    is_new: bool = False
    stored_key: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletedResult:
    """What a delete removed, or would remove.

    ``owned`` counts the rows that go along and ``dependants`` those that block, by
    resource (``other`` for what the caller may not read); they are only told of
    a delete that was tried out. Counts above `query.deletes.MOST_COUNTED` mean "more".
    ``keys`` are those of the rows, as the driver has them, where the request did not name the row.
    """

    affected: int
    owned: Mapping[str, int] = field(default_factory=dict)
    dependants: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[Sequence[object], ...] = ()

    def plus(self, other: DeletedResult) -> DeletedResult:
        """Return both together."""
        return DeletedResult(
            self.affected + other.affected, _sum(self.owned, other.owned), _sum(self.dependants, other.dependants)
        )


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in (*one, *other)}
