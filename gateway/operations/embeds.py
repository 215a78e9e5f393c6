"""Plans with embeds -> rows with their relatives inside: one statement per plan node, however many rows.

The statements run through whatever is handed in: the pool for a page, one snapshot for
an export. Each node's rows are fetched for all parents at once, by what the parents
hold of the relationship, and laid into them in order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final

from gateway.catalog.model import Table
from gateway.errors import RequestError
from gateway.execution.database import Run
from gateway.operations.results import TAG_KEY, Truncation
from gateway.operations.tags import Tags
from gateway.query.plan import AggregatePlan, Embed, ReadPlan, Values
from gateway.query.positions import Position, position_of
from gateway.sql.cache import StatementCache
from gateway.sql.embeds import is_list
from gateway.sql.statement import Positions, Statement

Check = Callable[[Statement, Embed, Values, Sequence[object]], Awaitable[None]]
"""Lets the statement of an embed pass, with its values and links, or refuses it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How embeds come along: ``most`` rows of them in all, checked before they are read, with ``tags`` where asked."""

    most: int
    check: Check | None = None
    tags: Tags | None = None


MOST_PARENTS: Final = 1_024
"""Parents whose rows one statement asks for; more take another statement."""


@dataclass(slots=True)
class Rows:
    """The rows of a plan as a reply shows them, and as the driver has them."""

    rows: list[dict[str, Any]]
    raw: Sequence[Sequence[Any]]
    statement: Statement

    def cut(self, most: int) -> None:
        """Leave out the rows after the first ones."""
        if len(self.rows) > most:
            del self.rows[most:]
            self.raw = self.raw[:most]

    def position(self, plan: ReadPlan, number: int) -> Position | None:
        """Return the position of one row; None where the plan is not followed."""
        if not plan.is_followed:
            return None
        cells = self.raw[number]
        return position_of(plan.order, [cells[place] for place in self.statement.order])


def tag_rows(found: Rows, tags: Tags) -> None:
    """Lay into each row of a tagged plan its own tag."""
    tagged = found.statement.tagged
    if tagged is not None:
        for row, raw in zip(found.rows, found.raw, strict=True):
            row[TAG_KEY] = tags.of(tagged(raw))


async def read_rows(run: Run, statements: StatementCache, plan: ReadPlan | AggregatePlan, values: Values) -> Rows:
    """Return the rows or groups of a plan, without what it embeds. One statement."""
    statement = statements.of(plan)
    raw = await run(statement.text, statement.bind(values))
    return Rows(statement.decode(raw), raw, statement)


async def embed_rows(
    run: Run,
    statements: StatementCache,
    plan: ReadPlan | AggregatePlan,
    values: Values,
    found: Rows,
    terms: Terms,
) -> tuple[Truncation, ...]:
    """Lay into rows what their plan embeds, and return what was left out. One statement per embed.

    Rows that `read_rows` returned beyond those of the page must be gone from ``found`` by now.

    Raises:
        RequestError: ``rows_too_many``; what the check of ``terms`` refuses before a statement runs.
    """
    if not plan.embeds or not found.rows:
        return ()
    filling = _Filling(run, statements, values, terms.most, terms.check, terms.tags)
    await filling.fill(plan.table, plan.embeds, found, [1] * len(found.rows))
    if not filling.cut:
        return ()
    return tuple(
        cut
        for number, row in enumerate(found.rows)
        for cut in _truncations(filling.cut, plan.embeds, row, (number,), ())
    )


def _truncations(
    cuts: Mapping[int, _Cut],
    embeds: Sequence[Embed],
    row: Mapping[str, Any],
    place: tuple[str | int, ...],
    path: tuple[str, ...],
) -> Iterator[Truncation]:
    """Every list of a row that was cut, and of the rows inside it; a row that stands twice is told of twice."""
    for embed in embeds:
        inside = row[embed.name]
        where = (*place, embed.name)
        way = (*path, *(embed.name.split(".") if embed.is_keyed else (embed.name,)))
        if isinstance(inside, list):
            cut = cuts.get(id(inside))
            if cut is not None:
                yield Truncation(where, cut.parent, cut.key, way, cut.limit)
            for number, child in enumerate(inside):
                yield from _truncations(cuts, embed.plan.embeds, child, (*where, number), way)
        elif inside is not None:
            yield from _truncations(cuts, embed.plan.embeds, inside, where, way)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Whose list lacks rows, and how many it has. It holds the list, whose identity is that of no other then."""

    rows: list[dict[str, Any]]
    parent: Table
    key: tuple[object, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class _Children:
    """The rows of all parents, by what they hold of theirs, and of which parents there are more."""

    rows: dict[object, list[dict[str, Any]]] = field(default_factory=dict)
    cut: set[object] = field(default_factory=set)

    def take(self, found: Rows, links: Sequence[object], limit: int | None) -> list[object]:
        """Sort rows to their parents, leave in ``found`` those that are shown, and return what these hold of theirs."""
        shown: list[int] = []
        for number, (row, link) in enumerate(zip(found.rows, links, strict=True)):
            own = self.rows.setdefault(link, [])
            if limit is not None and len(own) == limit:
                self.cut.add(link)
                continue
            own.append(row)
            shown.append(number)
        if len(shown) < len(found.rows):
            found.rows, found.raw = [found.rows[each] for each in shown], [found.raw[each] for each in shown]
        return [links[each] for each in shown]


@dataclass(slots=True)
class _Filling:
    """One question's embeds on their way into the rows; ``cut`` are the lists that lack rows, by identity.

    ``most`` is how many rows may still be laid in. A row that stands in several places
    counts in each of them, with all that is in it: so often it is written.
    """

    run: Run
    statements: StatementCache
    values: Values
    most: int
    check: Check | None = None
    tags: Tags | None = None
    cut: dict[int, _Cut] = field(default_factory=dict)

    async def fill(
        self, parent: Table, embeds: Sequence[Embed], found: Rows, often: Sequence[int], path: str = ""
    ) -> None:
        """Lay the embeds into the rows of a table, which stand in so many places each."""
        for embed, places in zip(embeds, found.statement.links, strict=True):
            links = _held(found.raw, places)
            wanted: dict[object, int] = {}
            for link, times in zip(links, often, strict=True):
                if link is not None:
                    wanted[link] = wanted.get(link, 0) + times
            children = await self._children(embed, wanted, f"{path}{embed.name}")
            if is_list(embed):
                self._lay_lists(parent, embed, found, links, children)
            else:
                _lay_rows(embed, found, links, children)

    def _lay_lists(
        self, parent: Table, embed: Embed, found: Rows, links: Sequence[object], children: _Children
    ) -> None:
        limit = self._limit(embed)
        for row, raw, link in zip(found.rows, found.raw, links, strict=True):
            row[embed.name] = shown = list(children.rows.get(link, ()))
            if limit is not None and link in children.cut:
                key = tuple(raw[place] for place in found.statement.key)
                self.cut[id(shown)] = _Cut(shown, parent, key, limit)

    def _limit(self, embed: Embed) -> int | None:
        """How many rows of each parent are shown; None for all of them."""
        slot = embed.plan.limit
        return None if slot is None or not is_list(embed) else int(str(self.values[slot])) - 1

    async def _children(self, embed: Embed, wanted: Mapping[object, int], path: str) -> _Children:
        """The rows of all parents; what those that are shown embed in turn is in them."""
        children, parents = _Children(), tuple(wanted)
        for start in range(0, len(parents), MOST_PARENTS):
            found = await self._fetched(embed, parents[start : start + MOST_PARENTS])
            shown = children.take(found, _held(found.raw, found.statement.reference), self._limit(embed))
            often = [wanted.get(link, 0) for link in shown]
            self._spend(path, sum(often))
            if embed.plan.embeds and found.rows:
                await self.fill(embed.plan.table, embed.plan.embeds, found, often, f"{path}.")
        return children

    def _spend(self, path: str, rows: int) -> None:
        self.most -= rows
        if self.most < 0:
            raise RequestError(
                "rows_too_many",
                f"The rows of {path} exceed what one answer may hold: ask for fewer rows, or for fewer of each "
                f"with include[{path}][limit].",
                parameter="include",
            )

    async def _fetched(self, embed: Embed, batch: Sequence[object]) -> Rows:
        """The rows of some parents, one of each more than are shown.

        One statement: its text is that of the next power of two, so that few texts serve all pages.
        """
        size = 1 << (len(batch) - 1).bit_length()
        padded = (*batch, *repeat(batch[-1], size - len(batch)))
        statement = self.statements.embed(embed, size)
        cells = padded if len(statement.reference) == 1 else _flat(padded)
        links = (*cells, self._fetched_most(embed, len(batch)))
        if self.check is not None:
            await self.check(statement, embed, self.values, links)
        raw = await self.run(statement.text, statement.bind(self.values, links))
        found = Rows(statement.decode(raw), raw, statement)
        if self.tags is not None:
            tag_rows(found, self.tags)
        return found

    def _fetched_most(self, embed: Embed, parents: int) -> int:
        """How many rows are read at most: enough to see that there are more than may be laid in."""
        limit = self._limit(embed)
        if limit is None:
            return self.most + 1
        return min(self.most, parents * limit) + parents + 1


def _lay_rows(embed: Embed, found: Rows, links: Sequence[object], children: _Children) -> None:
    for row, link in zip(found.rows, links, strict=True):
        own = children.rows.get(link)
        row[embed.name] = own[0] if own else None


def _held(raws: Sequence[Sequence[Any]], places: Positions) -> list[Any]:
    """What ties each row to its parent or children, as the database has it; None where a part of it is null."""
    if len(places) == 1:
        place = places[0]
        return [raw[place] for raw in raws]
    cells = (tuple(raw[place] for place in places) for raw in raws)
    return [None if None in link else link for link in cells]


def _flat(links: Sequence[Any]) -> Iterator[object]:
    return (cell for link in links for cell in link)
