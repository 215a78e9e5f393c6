"""What a side is to the runner, and the ones that speak HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.request import urlopen

from benchmarks import load
from benchmarks.exports import exported
from benchmarks.load import Work
from benchmarks.processes import cpu_of_tree
from benchmarks.samples import Sample
from benchmarks.shapes import PER_PAGE, ShapeName

Rows = Callable[[Any], Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Crm:
    """The database that all sides read: its address, its invoices and notes, and a directory for what they need."""

    url: str
    host: str
    port: int
    user: str
    password: str
    database: str
    invoices: int
    notes: int
    columns: tuple[str, ...]
    """The columns of the invoice table that the gateway shows; the plain sides and the database alone read these."""
    directory: Path
    linked: str = ""
    """The copy with foreign keys, where there is one."""


class Side(Protocol):
    """Something that does the work of the shapes."""

    @property
    def name(self) -> str: ...
    @property
    def processes(self) -> str: ...
    @property
    def remark(self) -> str: ...
    @property
    def columns(self) -> int | None: ...
    @property
    def shapes(self) -> frozenset[ShapeName]: ...

    def check(self) -> None:
        """Do each work once and look at what comes back."""
        ...

    def cpu_s(self) -> float:
        """Return the CPU seconds that its processes have taken so far."""
        ...

    def run(self, shape: ShapeName, *, seconds: float, seed: int) -> Sample:
        """Put it under load."""
        ...


StartSide = Callable[[Crm], AbstractContextManager[Side]]


@dataclass(slots=True)
class HttpSide:
    """A side behind an address. ``rows`` finds the rows in its answer to a list."""

    name: str
    processes: str
    remark: str
    origin: str
    pids: tuple[int, ...]
    largest_key: int
    works: Mapping[ShapeName, Work]
    rows: Rows
    columns: int | None = field(default=None, init=False)

    @property
    def shapes(self) -> frozenset[ShapeName]:
        return frozenset(self.works)

    def check(self) -> None:
        """Do each work once: the statuses must be 2xx, lists full, and relatives within their rows.

        Exports are looked at when they run.

        Raises:
            RuntimeError: an answer is not what the others give.
        """
        for shape, work in self.works.items():
            if work.is_export:
                continue
            answer = self._ask(work)
            if not shape.startswith("list"):
                continue
            rows = self.rows(answer)
            if len(rows) != PER_PAGE:
                raise RuntimeError(f"{self.name} gave {len(rows)} rows, not {PER_PAGE}: {work.path}")
            if shape == "list":
                self.columns = len(rows[0])
            if shape == "list_embeds" and not all(map(_has_relatives, rows)):
                raise RuntimeError(f"{self.name} gave rows without their client and lines: {work.path}")

    def answer(self, shape: ShapeName) -> Sequence[Mapping[str, object]]:
        """Return the rows that it answers a list with."""
        return self.rows(self._ask(self.works[shape]))

    def cpu_s(self) -> float:
        return sum(cpu_of_tree(pid) for pid in self.pids)

    def run(self, shape: ShapeName, *, seconds: float, seed: int) -> Sample:
        work = self.works[shape]
        if work.is_export:
            return exported(self.origin, work, self.pids[0])
        if work.is_long or work.rows > 1:
            return load.one_by_one(self.origin, work, seconds=seconds)
        largest_key = work.largest_key or self.largest_key
        return load.wrk(self.origin, work, seconds=seconds, largest_key=largest_key, seed=seed)

    def _ask(self, work: Work) -> Any:
        work = work.first()
        condition = {"If-Match": self._tag(work)} if work.is_conditional else {}
        with urlopen(work.request(self.origin, condition), timeout=60) as reply:
            return json.load(reply)

    def _tag(self, work: Work) -> str:
        with urlopen(replace(work, method="GET", body="").request(self.origin), timeout=60) as reply:
            return str(reply.headers["ETag"])


def _has_relatives(row: Mapping[str, object]) -> bool:
    """Whether a row has one row and a list of rows inside."""
    is_one = any(isinstance(value, dict) for value in row.values())
    return is_one and any(isinstance(value, list) and value and isinstance(value[0], dict) for value in row.values())
