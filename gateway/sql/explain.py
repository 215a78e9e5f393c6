"""What a database says it would do for a statement (EXPLAIN) -> how many rows it would examine, and of which tables.

What comes in: the text of one of our own SELECTs and the rows of its EXPLAIN. What goes
out: an `Estimate`. Everything but the request to explain is pure. Nothing is judged
here; `operations.guard` knows what is too much.

EXPLAIN numbers the SELECTs of a statement in the order in which they begin in its text,
but it does not say where each stands: a subquery that is shown runs once for each row of
the page, the same one in a condition for each row that is looked at. The text says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from gateway.catalog.kinds import Dialect

Clause = Literal["select", "from", "on", "where", "group", "having", "order", "limit"]

_WORDS: Final[Mapping[Dialect, str]] = MappingProxyType(
    {"mariadb": "EXPLAIN EXTENDED", "mysql": "EXPLAIN FORMAT=TRADITIONAL"}
)


def explaining(text: str, dialect: Dialect) -> str | None:
    """Return the statement that asks for the plan of another, with the same placeholders; None where there is none.

    Its rows are those of `read_explained`. SQLite tells its way and no number of rows.
    """
    words = _WORDS.get(dialect)
    return None if words is None else f"{words} {text}"


# The rows of an EXPLAIN


@dataclass(frozen=True, slots=True)
class TableRead:
    """How one table of a SELECT is read: a row of EXPLAIN.

    ``select`` is the number of the SELECT, ``access`` the way of reading (``ALL``,
    ``index``, ``ref`` …), ``rows`` how many the server expects and ``kept`` the share of
    them that goes on. ``alias`` is ``<derived2>`` for the result of another SELECT.
    """

    select: int
    kind: str
    alias: str
    access: str
    rows: float
    kept: float
    notes: str

    @property
    def is_whole(self) -> bool:
        """Whether every row is read, of the table or of one of its indexes."""
        return self.access in ("ALL", "index") and not self.alias.startswith("<")

    @property
    def is_sorted(self) -> bool:
        """Whether all rows are gathered before the first one comes out."""
        return "Using filesort" in self.notes or "Using temporary" in self.notes

    @property
    def is_read_once(self) -> bool:
        """Whether a join reads the table once, however many rows come before: into a hash table."""
        return "hash join" in self.notes or "BNLH join" in self.notes

    @property
    def matches(self) -> float:
        """How many rows are read each time.

        The servers guess ten for a row looked up in the result of another SELECT; ours are
        grouped by what they are joined by, so that there is one.
        """
        is_grouped = self.alias.startswith("<derived") and self.access == "ref"
        return 1.0 if is_grouped else self.rows


def read_explained(rows: Sequence[Sequence[Any]]) -> tuple[TableRead, ...]:
    """Return the reads of an EXPLAIN, in its order; lines that read no table are left out.

    MariaDB's EXTENDED has 11 columns. MySQL's has 12, with the partitions at 3.
    """
    plain = ((*row[:3], *row[4:]) if len(row) > 11 else tuple(row) for row in rows)
    return tuple(_table_read(row) for row in plain if len(row) == 11 and row[0] is not None and row[8] is not None)


def _table_read(row: Sequence[Any]) -> TableRead:
    kept = 1.0 if row[9] is None else float(str(row[9])) / 100
    return TableRead(
        int(row[0]), str(row[1]), str(row[2]), str(row[3]), expected_rows(row[8]), kept, str(row[10] or "")
    )


def expected_rows(cell: object) -> float:
    """Return the number of rows that a cell of EXPLAIN tells.

    MariaDB puts behind it how much a rowid filter, whose index it names second, leaves of them.

    >>> expected_rows(400), expected_rows("400 (25%)")
    (400.0, 400.0)

    Source: MariaDB, "Rowid Filtering Optimization".
    """
    return float(str(cell).partition(" ")[0])


# The SELECTs of a text


@dataclass(slots=True)
class Block:
    """One SELECT of a statement's text: the one around it (0 for none), and the clause of that where it stands.

    ``tables`` are the names behind its aliases.
    """

    number: int
    parent: int
    place: Clause
    clause: Clause = "select"
    tables: dict[str, str] = field(default_factory=dict)
    is_limited: bool = False


_TOKEN: Final = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"|[A-Za-z_][\w$]*|\S")
_CLAUSES: Final[Mapping[str, Clause]] = MappingProxyType(
    {"from": "from", "where": "where", "group": "group", "having": "having", "order": "order", "limit": "limit"}
)


def read_blocks(text: str) -> dict[int, Block]:
    """Return the SELECTs of a text by their numbers, which EXPLAIN uses too.

    >>> blocks = read_blocks("SELECT (SELECT 1 FROM b AS u) FROM a AS t WHERE EXISTS (SELECT 1 FROM c AS v)")
    >>> [(block.number, block.parent, block.place, block.tables) for block in blocks.values()]
    [(1, 0, 'select', {'t': 'a'}), (2, 1, 'select', {'u': 'b'}), (3, 1, 'where', {'v': 'c'})]
    """
    return _BlockReader().read(_TOKEN.findall(text))


class _BlockReader:
    """Walks the tokens; a parenthesis is a level, and a level is a SELECT's own or within the one around it."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}
        self._levels: list[Block | None] = [None]

    def read(self, tokens: list[str]) -> dict[int, Block]:
        for place, word in enumerate(token.lower() for token in tokens):
            match word:
                case "(":
                    self._levels.append(None)
                case ")" if len(self._levels) > 1:
                    self._levels.pop()
                case "select":
                    self._begin()
                case _:
                    self._look(word, tokens, place)
        return self._blocks

    def _begin(self) -> None:
        around = self._around()
        number = len(self._blocks) + 1
        block = Block(number, around.number if around else 0, around.clause if around else "select")
        self._blocks[number] = block
        self._levels[-1] = block

    def _around(self) -> Block | None:
        return next((block for block in reversed(self._levels) if block is not None), None)

    def _look(self, word: str, tokens: list[str], place: int) -> None:
        block = self._around()
        if block is None:
            return
        if block is self._levels[-1] and word in _CLAUSES:
            block.clause = _CLAUSES[word]
            block.is_limited = block.is_limited or word == "limit"
        elif block.clause in ("from", "on") and word in ("on", "join"):
            block.clause = "on" if word == "on" else "from"
        elif word == "as" and block.clause == "from" and 0 < place < len(tokens) - 1 and tokens[place - 1] != ")":
            block.tables[_bare(tokens[place + 1])] = _bare(tokens[place - 1])


def _bare(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


# Both together


@dataclass(frozen=True, slots=True)
class Examined:
    """How many rows of a table a statement looks at in all. ``is_whole``: because no index leads to fewer."""

    table: str
    rows: float
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many rows a statement looks at, and of which tables, in the order of EXPLAIN; temporary ones have no name."""

    rows: float
    parts: tuple[Examined, ...] = ()


class Explained:
    """A statement's text with its EXPLAIN."""

    def __init__(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        self._blocks = read_blocks(text)
        self._reads: dict[int, list[TableRead]] = {}
        for read in read_explained(rows):
            self._reads.setdefault(read.select, []).append(read)

    @property
    def is_walked(self) -> bool:
        """Whether rows come out as they are found, so that a LIMIT ends the reading."""
        reads = self._reads.get(1, [])
        return bool(reads) and self._is_limited(1) and not any(read.is_sorted for read in reads)

    @property
    def is_cut(self) -> bool:
        """Whether the LIMIT is in the numbers already: both servers put it into those of a walk along an index."""
        return self.is_walked and self._reads[1][0].access == "index"

    def estimate(self, wanted: int | None) -> Estimate:
        """Return what the statement looks at.

        ``wanted`` is the number of rows after which the reading of `is_walked` ends; None where it
        may have to go on, because nobody knows how many of the rows meet the condition.
        """
        return _Sum(self._blocks, self._reads, wanted if self.is_walked else None, is_cut=self.is_cut).whole()

    def _is_limited(self, select: int) -> bool:
        block = self._blocks.get(select)
        return block is not None and block.is_limited


class _Sum:
    """Adds up the SELECTs, each as often as it runs."""

    def __init__(
        self,
        blocks: Mapping[int, Block],
        reads: Mapping[int, list[TableRead]],
        wanted: int | None,
        *,
        is_cut: bool,
    ) -> None:
        self._blocks = blocks
        self._reads = reads
        self._wanted = wanted
        self._is_cut = is_cut
        self._runs: dict[int, float] = {}

    def whole(self) -> Estimate:
        parts = tuple(part for select in self._reads for part in self._of_select(select))
        return Estimate(sum(part.rows for part in parts), parts)

    def _of_select(self, select: int) -> Iterator[Examined]:
        runs, share = self._runs_of(select), self._share(select)
        before = 1.0
        block = self._blocks.get(select)
        for read in self._reads[select]:
            looked = read.matches * (1.0 if read.is_read_once else before)
            name = self._table_of(block, read.alias)
            yield Examined(name, looked * share * runs, read.is_whole and share == 1.0)
            before = max(1.0, before * read.matches * read.kept)

    def _table_of(self, block: Block | None, alias: str) -> str:
        """The table behind an alias, where need be of a SELECT that the optimizer has merged into this one."""
        if block is not None and alias in block.tables:
            return block.tables[alias]
        return next((other.tables[alias] for other in self._blocks.values() if alias in other.tables), "")

    def _share(self, select: int) -> float:
        """The part of a walk that is gone until the page is full."""
        if select != 1 or self._wanted is None or self._is_cut:
            return 1.0
        return min(1.0, self._wanted / self._produced(select))

    def _produced(self, select: int) -> float:
        found = 1.0
        for read in self._reads.get(select, ()):
            found = max(1.0, found * read.matches * read.kept)
        return found

    def _combined(self, select: int) -> float:
        """The rows that the last condition of a SELECT is asked of."""
        reads = self._reads.get(select, ())
        found = 1.0
        for number, read in enumerate(reads, 1):
            found = max(1.0, found * read.matches * (read.kept if number < len(reads) else 1.0))
        return found

    def _runs_of(self, select: int) -> float:
        if select not in self._runs:
            self._runs[select] = self._count_runs(select)
        return self._runs[select]

    def _count_runs(self, select: int) -> float:
        kind = self._reads[select][0].kind
        if not kind.startswith(("DEPENDENT", "UNCACHEABLE", "LATERAL")):
            return 1.0
        parent, place = self._above(select)
        if parent is None:
            return 1.0
        return self._runs_of(parent) * self._rows_at(parent, place)

    def _above(self, select: int) -> tuple[int | None, Clause]:
        """The SELECT that is explained around another, and where in it that stands."""
        block = self._blocks.get(select)
        while block is not None and block.parent:
            if block.parent in self._reads:
                return block.parent, block.place
            block = self._blocks[block.parent]
        return None, "select"

    def _rows_at(self, parent: int, place: Clause) -> float:
        """How often something in a clause of a SELECT is worked out, each time that this runs."""
        share = self._share(parent)
        if place in ("from", "on", "where"):
            return max(1.0, self._combined(parent) * share)
        produced = max(1.0, self._produced(parent) * share)
        is_shown = parent == 1 and place == "select" and self._wanted is not None
        return min(produced, float(self._wanted or 1)) if is_shown else produced
