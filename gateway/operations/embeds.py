"""Plans with nodes -> rows with their relatives, or numbers over them, inside: one statement per node.

The statements run through whatever is handed in: the pool for a page, one snapshot for
an export. Each node's rows are fetched for all parents at once, however many, by what the
parents hold of the relationship, and laid into them in order.
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
from gateway.query.plan import AggregatePlan, Embed, Node, ReadPlan, Summary, Values
from gateway.query.positions import Position, position_of
from gateway.sql.cache import StatementCache
from gateway.sql.embeds import is_list
from gateway.sql.statement import Positions, Statement

Check = Callable[[Statement, Node, Values, Sequence[object]], Awaitable[None]]
"""Lets the statement of an embed or of a summary pass, with its values and links, or refuses it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How embeds come along: ``most`` rows of them in all, checked before they are read, with ``tags`` where asked."""

    most: int
    check: Check | None = None
    tags: Tags | None = None


MOST_PARENTS: Final = 1_024
"""Parents whose rows one statement asks for; more take another statement."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What must be told of what came along: the lists that lack rows, and ``warnings`` as `results.PageResult` has."""

    truncated: tuple[Truncation, ...] = ()
    warnings: tuple[str, ...] = ()


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

    def warnings(self) -> tuple[str, ...]:
        """Return what a reader of numbers must be told: sums of money in several currencies mean nothing."""
        place = self.statement.currencies
        is_mixed = place is not None and any((raw[place] or 0) > 1 for raw in self.raw)
        return ("mixed_currency",) if is_mixed else ()

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
) -> Brought:
    """Lay into rows what their plan brings along, and return what was left out. One statement per plan node.

    Rows that `read_rows` returned beyond those of the page must be gone from ``found`` by now.

    Raises:
        RequestError: ``rows_too_many``; what the check of ``terms`` refuses before a statement runs.
    """
    if not plan.nodes or not found.rows:
        return Brought()
    filling = _Filling(run, statements, values, terms.most, terms.check, terms.tags)
    await filling.fill(plan, found, [1] * len(found.rows))
    cuts: tuple[Truncation, ...] = ()
    if filling.cut:
        cuts = tuple(
            cut
            for number, row in enumerate(found.rows)
            for cut in _truncations(filling.cut, plan.embeds, row, (number,), ())
        )
    return Brought(cuts, tuple(filling.warnings))


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
    """What comes along with one question on its way into the rows; ``cut`` are the lists that lack rows, by identity.

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
    warnings: dict[str, None] = field(default_factory=dict)

    async def fill(self, plan: ReadPlan | AggregatePlan, found: Rows, often: Sequence[int], path: str = "") -> None:
        """Lay the nodes of a plan into its rows, which stand in so many places each."""
        for node, places in zip(plan.nodes, found.statement.links, strict=True):
            links = _held(found.raw, places)
            if isinstance(node, Summary):
                await self._lay_numbers(node, found, links)
                continue
            wanted: dict[object, int] = {}
            for link, times in zip(links, often, strict=True):
                if link is not None:
                    wanted[link] = wanted.get(link, 0) + times
            children = await self._children(node, wanted, f"{path}{node.name}")
            if is_list(node):
                self._lay_lists(plan.table, node, found, links, children)
            else:
                _lay_rows(node, found, links, children)

    async def _lay_numbers(self, summary: Summary, found: Rows, links: Sequence[object]) -> None:
        """Each row gets the numbers over its own rows; those of a parent that stands in several places are shared."""
        numbers: dict[object, dict[str, Any]] = {}
        parents = tuple(dict.fromkeys(link for link in links if link is not None))
        for start in range(0, len(parents), MOST_PARENTS):
            counted = await self._counted(summary, parents[start : start + MOST_PARENTS])
            numbers.update(zip(_held(counted.raw, counted.statement.reference), counted.rows, strict=True))
            self.warnings.update(dict.fromkeys(counted.warnings()))
        none = self._over_nothing(summary, _size_of(parents[:MOST_PARENTS]))
        for row, link in zip(found.rows, links, strict=True):
            row[summary.name] = numbers.get(link, none)

    def _over_nothing(self, summary: Summary, size: int) -> dict[str, Any]:
        """The numbers over no rows, as the statement decodes them: counts are 0, and of the rest nothing is known."""
        cells = [0 if metric.function in ("count", "count_distinct") else None for metric in summary.plan.metrics]
        return self.statements.summary(summary, size).decode([cells])[0]

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
            if embed.plan.nodes and found.rows:
                await self.fill(embed.plan, found, often, f"{path}.")
        return children

    def _spend(self, path: str, rows: int) -> None:
        self.most -= rows
        if self.most < 0:
            raise RequestError(
                "rows_too_many",
                f"The rows of {path} exceed what one answer may hold: ask for fewer rows, or limit those of each.",
                parameter="include",
            )

    async def _fetched(self, embed: Embed, batch: Sequence[object]) -> Rows:
        """The rows of some parents, one of each more than are shown.

        One statement: its text is that of the next power of two, so that few texts serve all pages.
        """
        statement = self.statements.embed(embed, _size_of(batch))
        found = await self._read(statement, embed, (*_cells(statement, batch), self._fetched_most(embed, len(batch))))
        if self.tags is not None:
            tag_rows(found, self.tags)
        return found

    async def _counted(self, summary: Summary, batch: Sequence[object]) -> Rows:
        """The numbers over the rows of some parents, for those that have any. One statement, as of `_fetched`."""
        statement = self.statements.summary(summary, _size_of(batch))
        return await self._read(statement, summary, _cells(statement, batch))

    async def _read(self, statement: Statement, node: Node, links: Sequence[object]) -> Rows:
        if self.check is not None:
            await self.check(statement, node, self.values, links)
        raw = await self.run(statement.text, statement.bind(self.values, links))
        return Rows(statement.decode(raw), raw, statement)

    def _fetched_most(self, embed: Embed, parents: int) -> int:
        """How many rows are read at most: enough to see that there are more than may be laid in."""
        limit = self._limit(embed)
        if limit is None:
            return self.most + 1
        return min(self.most, parents * limit) + parents + 1


def _size_of(batch: Sequence[object]) -> int:
    """For how many parents the statement is made that serves a batch: the next power of two."""
    return 1 << max(len(batch) - 1, 0).bit_length()


def _cells(statement: Statement, batch: Sequence[object]) -> tuple[object, ...]:
    """What a statement of `_size_of` takes of its parents: the last one stands as often as is needed to fill it."""
    padded = (*batch, *repeat(batch[-1], _size_of(batch) - len(batch)))
    return padded if len(statement.reference) == 1 else tuple(_flat(padded))


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
