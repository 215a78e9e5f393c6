"""``gateway audit``: the audit trail, searched as `/admin/audit` searches it, or followed as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click
import orjson

from gateway.cli.console import put, put_table, say
from gateway.cli.environment import open_state, settings_with, state_option
from gateway.state.audit import AuditStore, Search, StoredRecord

FOLLOW_EVERY_S: Final = 0.5

_HEAD: Final = (
    "AT",
    "PRINCIPAL",
    "ADDRESS",
    "METHOD",
    "PATH",
    "ROW",
    "ROWS",
    "OUTCOME",
    "STATUS",
    "CODE",
    "STAGE",
    "MS",
)
_Command = TypeVar("_Command", bound=Callable[..., Any])

_FILTERS: Final = (
    ("principal", "Name of the token."),
    ("resource", "Name of the resource."),
    ("operation", "read, create, update or delete."),
    ("row", "Key of the row, as in its path."),
    ("status", "A status (404) or a class of them (4xx)."),
    ("code", "Code of the error."),
    ("address", "Address of the client."),
    ("stage", "Where it was answered: a stage, or handler."),
    ("request-id", "Id of the request."),
    ("since", "From when on: 2026-11-21T10:00:00Z, or a span before now: 90min, 12h, 7d."),
    ("until", "Until when, likewise."),
)


def _filters(command: _Command) -> _Command:
    for name, text in reversed(_FILTERS):
        command = click.option(f"--{name}", help=text)(command)
    return command


@click.command()
@_filters
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Records, the newest.")
@click.option("--follow", is_flag=True, help="Then go on with new ones as they come, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@state_option
def audit(*, limit: int, follow: bool, as_json: bool, state_path: str | None, **filters: str | None) -> None:
    """Show who did what: the newest audit records that fit, the newest first; with --follow the oldest first.

    A record is stored within a fifth of a second of its answer.
    """
    from gateway.web.admin_audit import parse_search  # noqa: PLC0415  # see the package's docstring

    given = {name: text for name, text in filters.items() if text is not None}
    search = parse_search(given, datetime.now(UTC))
    with open_state(settings_with({"state_path": state_path}), must_exist=True) as state:
        store = AuditStore(state.read, state.write)
        if follow:
            _follow(store, search, limit, as_json)
            return
        records = _newest(store, search, limit)
    if not records and not as_json:
        say("No audit record fits.")
        return
    _put(records, as_json)


def _newest(store: AuditStore, search: Search, limit: int) -> list[StoredRecord]:
    """The newest records that fit, however far back they are."""
    found: list[StoredRecord] = []
    before: int | None = None
    while len(found) < limit:
        page = store.search(search, limit - len(found), before)
        found += page.records
        before = page.before
        if before is None:
            break
    return found


def _follow(store: AuditStore, search: Search, limit: int, as_json: bool) -> None:
    follower = store.follow(search)
    newest = _newest(store, search, limit)
    follower.skip(newest)
    _put(newest[::-1], as_json)
    try:
        while True:
            _put(follower.more(), as_json)
            time.sleep(FOLLOW_EVERY_S)
    except KeyboardInterrupt:
        return


def _put(records: Sequence[StoredRecord], as_json: bool) -> None:
    from gateway.web.admin_audit import describe  # noqa: PLC0415  # see the package's docstring

    if as_json:
        for record in records:
            put(orjson.dumps(describe(record)).decode())
    elif records:
        put_table(_HEAD, [_row(describe(record)) for record in records])


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    rows = f"x{record['stands_for']}" if record["stands_for"] > 1 else record["rows"]
    cells = (
        record["at"],
        record["principal"],
        record["address"],
        record["method"],
        record["path"],
        record["row"],
        rows,
        record["outcome"],
        record["status"],
        record["code"],
        record["stage"],
        f"{record['duration_ms']:.1f}",
    )
    return tuple("-" if cell is None or cell == "" else str(cell) for cell in cells)
