"""The gateway as ``gateway serve`` runs it: one worker, a token made by ``gateway token create``, every stage."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from benchmarks.load import Work
from benchmarks.processes import free_port, running, wait_for
from benchmarks.questions import by_graphql, by_rest, rows_of
from benchmarks.shapes import DEPTH, GATEWAY, LEAST_TOTAL, MANY, PER_PAGE, STATUS, ShapeName
from benchmarks.sides.side import Crm, HttpSide

WHITELIST = Path(__file__).resolve().parents[2] / "whitelist.yaml"
API = "/api/v1"
SERVE = (sys.executable, "-m", "gateway", "serve")
RATE = "1000000000/min"
_LIST = f"{API}/invoices?filter[status]={STATUS}&sort=-id"
_NOTE = {"rel_type": "customer", "rel_id": 1, "description": "Called about invoice {serial}"}
_LINE = {"description": "Work {serial}", "qty": 3, "rate": "9.99", "taxes": [{"taxname": "VAT", "taxrate": 5}]}
_INVOICE = {"clientid": 1, "items": [_LINE] * 3}


@dataclass(frozen=True, slots=True)
class Served:
    """A gateway that answers: where, its process, its token, how long the start took."""

    origin: str
    pid: int
    token: str
    started_in_s: float


@contextmanager
def served(crm: Crm, whitelist: Path, name: str, command: Sequence[str] = SERVE) -> Iterator[Served]:
    """Yield a running gateway with settings that are all defaults but for addresses and rates.

    All load is one token's from one address; the rates are counted, but never reached.
    """
    log, state, port = crm.directory / f"{name}.log", crm.directory / f"{name}.sqlite3", free_port()
    environ = {
        "GATEWAY_DATABASE_URL": crm.url,
        "GATEWAY_WHITELIST": str(whitelist),
        "GATEWAY_STATE_PATH": str(state),
        "GATEWAY_PORT": str(port),
        "GATEWAY_RATE_LIMIT": RATE,
        "GATEWAY_ADDRESS_RATE": RATE,
    }
    token = _token(state)
    with running(command, log, environ=environ, cwd=crm.directory) as process:
        origin = f"http://127.0.0.1:{port}"
        seconds = wait_for(f"{origin}/readyz", process, log)
        yield Served(origin, process.pid, token, seconds)


@contextmanager
def start_gateway(crm: Crm) -> Iterator[HttpSide]:
    """Yield the gateway with the whitelist that this project ships."""
    with served(crm, WHITELIST, "gateway") as gateway:
        yield HttpSide(
            name=GATEWAY,
            processes="1 (uvicorn)",
            remark="token, grants, validation, links, security headers",
            origin=gateway.origin,
            pids=(gateway.pid,),
            largest_key=crm.invoices,
            works={
                **_reads(gateway.token),
                "stages": by_key(gateway.token),
                **_pages(gateway, crm.invoices),
                **_reports(gateway.token, crm.invoices),
                **_writes(gateway.token, crm.notes),
                **_questions(gateway.token),
            },
            rows=rows_of,
        )


def by_key(token: str) -> Work:
    """Return the work of reading one row."""
    return Work(f"{API}/invoices/{{key}}", headers={"Authorization": f"Bearer {token}"})


def _reads(token: str) -> dict[ShapeName, Work]:
    headers = {"Authorization": f"Bearer {token}"}
    return {
        "one": by_key(token),
        "list": Work(f"{_LIST}&filter[total.gte]={LEAST_TOTAL}&count=none", headers=headers),
        "list_total": Work(f"{_LIST}&filter[total.gte]={LEAST_TOTAL}", headers=headers),
        "list_new_total": Work(f"{_LIST}&filter[total.gte]={{amount}}", headers=headers),
        "list_embeds": Work(
            f"{_LIST}&filter[total.gte]={LEAST_TOTAL}&count=none&include=client,items", headers=headers
        ),
    }


def _pages(gateway: Served, invoices: int) -> dict[ShapeName, Work]:
    """The first page and deep ones: by the cursor that the page before them gave, and by offset."""
    headers = {"Authorization": f"Bearer {gateway.token}"}
    before = int(invoices * DEPTH) - PER_PAGE
    keyed, sorted_ = (f"{API}/invoices?sort={sort}&count=none" for sort in ("id", "-subtotal"))
    cursors = []
    for path in (keyed, sorted_):
        work = Work(f"{path}&limit={PER_PAGE}&offset={before}", headers=headers)
        with urlopen(work.request(gateway.origin), timeout=60) as reply:
            cursors.append(json.load(reply)["meta"]["next_cursor"])
    return {
        "list_first": Work(keyed, headers=headers),
        "list_deep": Work(f"{keyed}&cursor={cursors[0]}", headers=headers),
        "list_offset": Work(f"{sorted_}&limit={PER_PAGE}&offset={before + PER_PAGE}", headers=headers, is_long=True),
        "list_keyset": Work(f"{sorted_}&cursor={cursors[1]}", headers=headers, is_long=True),
    }


def _reports(token: str, invoices: int) -> dict[ShapeName, Work]:
    headers = {"Authorization": f"Bearer {token}"}
    grouped = f"{API}/invoices?group=status,date.month&metrics=count,sum.total&per_page=1000"
    related = f"{API}/payments?group=invoice.client&metrics=sum.amount&sort=-sum.amount&per_page=10&count=none"
    return {
        "groups": Work(grouped, headers=headers, is_long=True),
        "groups_related": Work(related, headers=headers, is_long=True),
        "export_csv": Work(f"{API}/invoices.csv", headers=headers, rows=invoices, is_export=True),
        "export_ndjson": Work(f"{API}/invoices?format=ndjson", headers=headers, rows=invoices, is_export=True),
    }


def _questions(token: str) -> dict[ShapeName, Work]:
    headers = {"Authorization": f"Bearer {token}"}
    return {**by_rest(API, headers), **by_graphql(f"{API}/graphql", headers, takes_sort=True)}


def _writes(token: str, notes: int) -> dict[ShapeName, Work]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    note, change = json.dumps(_NOTE), json.dumps({"description": "Called again about invoice {serial}"})
    return {
        "create": Work(f"{API}/notes", "POST", note, headers),
        "create_invoice": Work(f"{API}/invoices", "POST", json.dumps(_INVOICE), headers),
        "create_many": Work(f"{API}/notes", "POST", json.dumps([_NOTE] * MANY), headers, rows=MANY),
        "update": Work(f"{API}/notes/{{key}}", "PATCH", change, headers, is_conditional=True, largest_key=notes),
    }


def _token(state: Path) -> str:
    command = [sys.executable, "-m", "gateway", "token", "create", "--name", "bench", "--grant", "*:*", "--json"]
    done = subprocess.run([*command, "--state-path", str(state)], capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["token"])
