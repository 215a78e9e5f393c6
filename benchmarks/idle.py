"""A worker at rest: how long it takes to be ready, and how much memory it holds before its first request."""

from __future__ import annotations

import json
import time
from urllib.request import Request, urlopen

import yaml

from benchmarks.processes import memory_of
from benchmarks.results import Idle
from benchmarks.sides.gateway import API, served
from benchmarks.sides.side import Crm
from gateway.catalog.propose import propose_whitelist
from gateway.profile import load_profile
from tests.support.mariadb import Server

PREFIX = "tbl"
SETTLE_S = 1.0


def measure_idle(crm: Crm, server: Server) -> Idle:
    """Return what a worker takes that serves every table it may."""
    tables = tuple(str(row[0]) for row in server.run("SHOW TABLES", database=crm.database))
    whitelist = crm.directory / "everything.yaml"
    whitelist.write_text(everything(tables))
    with served(crm, whitelist, "idle") as gateway:
        time.sleep(SETTLE_S)
        resident = memory_of(gateway.pid)
        request = Request(f"{gateway.origin}{API}", headers={"Authorization": f"Bearer {gateway.token}"})
        with urlopen(request, timeout=30) as reply:
            resources = len(json.load(reply)["data"])
        return Idle(len(tables), resources, gateway.started_in_s, resident)


def everything(tables: tuple[str, ...]) -> str:
    """Return a whitelist of all tables of the CRM but those that no whitelist can expose.

    What the project proposes of a table (its key, say) is kept; the others get no settings.
    """
    never = frozenset(load_profile("perfex")["settings"]["never_exposed"])
    proposed = yaml.safe_load(propose_whitelist(tables, prefix=PREFIX))
    names = (table.removeprefix(PREFIX) for table in tables if table.startswith(PREFIX))
    settings = {name: proposed["tables"].get(name) or {} for name in names if name not in never}
    return yaml.safe_dump({**proposed, "tables": settings})
