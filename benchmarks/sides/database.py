"""The ceiling: the database alone under a C client, the gateway's statements prepared once per connection.

Groups are no work for a client: there the same question, written by hand, is asked over one connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from benchmarks import load
from benchmarks.baseline.serving import TABLE
from benchmarks.processes import tool
from benchmarks.samples import Sample
from benchmarks.shapes import LEAST_TOTAL, PER_PAGE, STATUS, ShapeName
from benchmarks.sides.side import Crm

_GROUPS: Final[Mapping[ShapeName, str]] = MappingProxyType(
    {
        "groups": f"SELECT status, DATE_FORMAT(`date`, '%Y-%m') AS month, COUNT(*), SUM(total) FROM `{TABLE}` "
        "GROUP BY status, month ORDER BY status, month LIMIT 1001",
        "groups_related": "SELECT c.userid, SUM(p.amount) AS paid FROM tblinvoicepaymentrecords p "
        f"LEFT JOIN `{TABLE}` i ON i.id = p.invoiceid LEFT JOIN tblclients c ON c.userid = i.clientid "
        "GROUP BY c.userid ORDER BY paid DESC, c.userid LIMIT 11",
    }
)


@dataclass(frozen=True, slots=True)
class DatabaseSide:
    """sysbench with prepared statements on as many connections as the others get."""

    crm: Crm
    name: str = "database alone"
    processes: str = "sysbench, 16 threads"
    remark: str = "C client, prepared statements, no HTTP; groups: one connection, SQL written by hand"
    shapes: frozenset[ShapeName] = frozenset({"one", "list", *_GROUPS})

    @property
    def columns(self) -> int | None:
        return len(self.crm.columns)

    def check(self) -> None:
        self.run("list", seconds=1, seed=1)

    def cpu_s(self) -> float:
        return 0.0

    def run(self, shape: ShapeName, *, seconds: float, seed: int) -> Sample:
        crm = self.crm
        if shape in _GROUPS:
            return load.one_statement(crm.url, _GROUPS[shape], seconds=seconds)
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
