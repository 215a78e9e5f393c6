"""The ceiling: the database alone under a C client, the gateway's statements prepared once per connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import load
from benchmarks.baseline.serving import TABLE
from benchmarks.processes import tool
from benchmarks.samples import Sample
from benchmarks.shapes import LEAST_TOTAL, PER_PAGE, STATUS, ShapeName
from benchmarks.sides.side import Crm


@dataclass(frozen=True, slots=True)
class DatabaseSide:
    """sysbench with prepared statements on as many connections as the others get."""

    crm: Crm
    name: str = "database alone"
    processes: str = "sysbench, 16 threads"
    remark: str = "C client, prepared statements, no HTTP"
    shapes: frozenset[ShapeName] = frozenset({"one", "list"})

    @property
    def columns(self) -> int | None:
        return len(self.crm.columns)

    def check(self) -> None:
        self.run("list", seconds=1, seed=1)

    def cpu_s(self) -> float:
        return 0.0

    def run(self, shape: ShapeName, *, seconds: float, seed: int) -> Sample:
        crm = self.crm
        options = (
            *("--db-driver=mysql", f"--mysql-host={crm.host}", f"--mysql-port={crm.port}"),
            *(f"--mysql-user={crm.user}", f"--mysql-password={crm.password}", f"--mysql-db={crm.database}"),
            *("--mysql-ssl=off", f"--rand-seed={seed}"),
        )
        select = f"SELECT {', '.join(f'`{name}`' for name in crm.columns)} FROM `{TABLE}`"
        if shape == "one":
            return load.sysbench(options, f"{select} WHERE id = ?", seconds=seconds, largest_key=crm.invoices)
        where = f"WHERE status = {STATUS} AND total >= {LEAST_TOTAL} ORDER BY id DESC LIMIT {PER_PAGE}"
        return load.sysbench(options, f"{select} {where}", seconds=seconds, largest_key=0)


@contextmanager
def start_database(crm: Crm) -> Iterator[DatabaseSide]:
    """Yield the database alone.

    Raises:
        AbsentError: sysbench is not installed.
    """
    tool("sysbench", package="sysbench")
    yield DatabaseSide(crm)
