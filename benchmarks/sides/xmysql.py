"""The peer xmysql: one Node process, without authentication, logging to nowhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import Work
from benchmarks.processes import AbsentError, free_port, running, tool, wait_for
from benchmarks.shapes import LEAST_TOTAL, PER_PAGE, STATUS, ShapeName
from benchmarks.sides.side import Crm, HttpSide

VARIABLE = "PEER_XMYSQL"
_NOTE = {
    "rel_type": "customer",
    "rel_id": 1,
    "description": "Called about invoice {serial}",
    "addedfrom": 1,
    "dateadded": "2026-01-02 03:04:05",
}


@contextmanager
def start_xmysql(crm: Crm) -> Iterator[HttpSide]:
    """Yield the peer.

    Raises:
        AbsentError: its variable is not set, or Node is missing.
    """
    node, script, port = tool("node", "nodejs", package="nodejs"), _script(), free_port()
    log = crm.directory / "xmysql.log"
    command = [
        *(node, str(script), "-h", crm.host, "-o", str(crm.port), "-u", crm.user, "-p", crm.password),
        *("-d", crm.database, "-r", "127.0.0.1", "-n", str(port), "-s", str(crm.directory)),
    ]
    with running(command, log) as process:
        origin = f"http://127.0.0.1:{port}"
        wait_for(f"{origin}/api/tblinvoices/42", process, log)
        yield HttpSide(
            name="xmysql",
            processes="1 (Node)",
            remark="peer; no auth; its lists have no total",
            origin=origin,
            pids=(process.pid,),
            largest_key=crm.invoices,
            works=_works(),
            rows=lambda body: body,
        )


def _works() -> dict[ShapeName, Work]:
    where = f"(status,eq,{STATUS})~and(total,gte,{LEAST_TOTAL})"
    return {
        "one": Work("/api/tblinvoices/{key}"),
        "list": Work(f"/api/tblinvoices?_where={where}&_sort=-id&_size={PER_PAGE}"),
        "create": Work("/api/tblnotes", "POST", json.dumps(_NOTE), {"Content-Type": "application/json"}),
    }


def _script() -> Path:
    given = os.environ.get(VARIABLE)
    if not given:
        raise AbsentError(f"{VARIABLE} does not name xmysql's package directory, or its bin/index.js")
    path = Path(given)
    places = (path, path / "bin" / "index.js", path / "node_modules" / "xmysql" / "bin" / "index.js")
    for place in places:
        if place.is_file():
            return place
    raise AbsentError(f"there is no xmysql where {VARIABLE} says")
