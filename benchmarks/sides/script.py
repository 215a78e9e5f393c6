"""The plain script that gets a table out, for the exports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.exports import scripted
from benchmarks.samples import Sample
from benchmarks.shapes import ShapeName
from benchmarks.sides.side import Crm


@dataclass(frozen=True, slots=True)
class ScriptSide:
    """A process that is started for each run; its own time counts, from the connection on."""

    crm: Crm
    name: str = "plain script"
    processes: str = "1 (Python)"
    remark: str = "pymysql, csv or json, into nowhere; no HTTP"
    shapes: frozenset[ShapeName] = frozenset({"export_csv", "export_ndjson"})

    @property
    def columns(self) -> int | None:
        return len(self.crm.columns)

    def check(self) -> None:
        """Do nothing beforehand: a run that writes another number of rows is an error."""

    def cpu_s(self) -> float:
        return 0.0

    def run(self, shape: ShapeName, *, seconds: float, seed: int) -> Sample:
        environ = {**os.environ, "BENCH_DATABASE_URL": self.crm.url, "BENCH_COLUMNS": ",".join(self.crm.columns)}
        return scripted(environ, shape.removeprefix("export_"), self.crm.invoices)


@contextmanager
def start_script(crm: Crm) -> Iterator[ScriptSide]:
    """Yield the plain script."""
    yield ScriptSide(crm)
