"""What a side is to the runner, and the ones that speak HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.request import Request, urlopen

from benchmarks import load
from benchmarks.load import Work
from benchmarks.processes import cpu_of_tree
from benchmarks.samples import Sample
from benchmarks.shapes import PER_PAGE, ShapeName

Rows = Callable[[Any], Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Crm:
    """The database that all sides read: its address, its invoices and a directory for what they need."""

    url: str
    host: str
    port: int
    user: str
    password: str
    database: str
    invoices: int
    columns: tuple[str, ...]
    """The columns of the invoice table that the gateway shows; the plain sides and the database alone read these."""
    directory: Path


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
        """Do each work once: the statuses must be 2xx and lists full.

        Raises:
            RuntimeError: an answer is not what the others give.
        """
        for shape, work in self.works.items():
            answer = self._ask(work)
            if not shape.startswith("list"):
                continue
            rows = self.rows(answer)
            if len(rows) != PER_PAGE:
                raise RuntimeError(f"{self.name} gave {len(rows)} rows, not {PER_PAGE}: {work.path}")
            self.columns = len(rows[0])

    def cpu_s(self) -> float:
        return sum(cpu_of_tree(pid) for pid in self.pids)

    def run(self, shape: ShapeName, *, seconds: float, seed: int) -> Sample:
        return load.wrk(self.origin, self.works[shape], seconds=seconds, largest_key=self.largest_key, seed=seed)

    def _ask(self, work: Work) -> Any:
        path, body = (
            text.replace("{key}", "42").replace("{amount}", "1000.01").replace("{serial}", "1")
            for text in (work.path, work.body)
        )
        request = Request(
            self.origin + path, data=body.encode() or None, method=work.method, headers=dict(work.headers)
        )
        with urlopen(request, timeout=60) as reply:
            return json.load(reply)
