"""``gateway audit``: the trail as a table or lines of JSON, filtered, and followed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from gateway.state.audit import AuditRecord, AuditStore
from gateway.state.store import StateStore

Run = Callable[..., Result]
STATE = "gateway-state.sqlite3"


def store(here: Path, *given: dict[str, Any]) -> None:
    """Put records into the store of the directory."""
    usual = AuditRecord(0, "id", "bi", 7, "::1", "GET", "/x", "leads", "read", "7", 1, 200, None, "handler", 1_500)
    with StateStore.open(str(here / STATE)) as state:
        AuditStore(state.read, state.write).append([usual._replace(**each) for each in given])


def test_records_are_a_table_newest_first(here: Path, run: Run) -> None:
    """A column for each of what matters; what is not known is a dash."""
    store(
        here,
        {"path": "/one"},
        {"path": "/two", "principal": None, "rows": 40, "stage": "shield", "code": "uri_too_long"},
    )
    result = run("audit")
    lines = result.stdout.splitlines()

    assert result.exit_code == 0
    assert " ".join(lines[0].split()) == "AT PRINCIPAL ADDRESS METHOD PATH ROW ROWS OUTCOME STATUS CODE STAGE MS"
    assert " ".join(lines[1].split()[1:]) == "- ::1 GET /two 7 x40 - 200 uri_too_long shield 1.5"
    assert " ".join(lines[2].split()[1:]) == "bi ::1 GET /one 7 1 - 200 - handler 1.5"


def test_filters_are_those_of_the_page(here: Path, run: Run) -> None:
    """And they are refused alike."""
    store(here, {"path": "/a", "status": 404}, {"path": "/b", "request_id": "find-me"}, {"path": "/c", "at_ms": 10**13})

    def paths(*arguments: str) -> list[str]:
        return [json.loads(line)["path"] for line in run("audit", "--json", *arguments).stdout.splitlines()]

    assert paths() == ["/c", "/b", "/a"]
    assert paths("--status", "4xx") == ["/a"]
    assert paths("--request-id", "find-me") == ["/b"]
    assert paths("--since", "1h") == ["/c"]
    assert paths("--limit", "1") == ["/c"]
    refused = run("audit", "--status", "nonsense")
    assert refused.exit_code == 1
    assert "status must be" in refused.stderr


def test_an_empty_trail_says_so(here: Path, run: Run) -> None:
    """To people; for programs there is nothing. A store that is not there is no empty one, and is not made."""
    missing = run("audit")
    assert (missing.exit_code, (here / STATE).exists()) == (1, False)
    store(here)
    assert "No audit record fits." in run("audit").stderr
    assert run("audit", "--json").output == ""


def test_the_trail_can_be_followed(here: Path) -> None:
    """What is there first, oldest first, then each new record as it comes, until Ctrl-C."""
    store(here, {"path": "/one"}, {"path": "/two"})
    command = [sys.executable, "-m", "gateway", "audit", "--follow", "--json", "--status", "200"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    # A suite that runs in the background may ignore Ctrl-C, and so would whatever it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    lines: list[str] = []
    assert process.stdout is not None
    output = process.stdout
    reader = threading.Thread(target=lambda: lines.extend(output), daemon=True)
    reader.start()
    try:
        _wait(lambda: len(lines) == 2)
        store(here, {"path": "/three", "status": 500}, {"path": "/four"})
        _wait(lambda: len(lines) == 3)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(20)
        reader.join(20)
        output.close()

    assert [json.loads(line)["path"] for line in lines] == ["/one", "/two", "/four"]
    assert code == 0


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_tokens_that_the_command_line_makes_and_ends_are_in_the_trail(here: Path, run: Run) -> None:
    """With the user of the machine and the token's id; nobody else can have such a name."""
    run("token", "create", "--name", "bi", "--grant", "*:read")
    run("token", "rotate", "bi")
    run("token", "revoke", "bi")
    records = [json.loads(line) for line in run("audit", "--json").stdout.splitlines()][::-1]

    assert [(each["operation"], each["row"], each["outcome"], each["path"]) for each in records] == [
        ("create", "1", "done", "gateway token create --name bi"),
        ("create", "2", "done", "gateway token rotate bi"),
        ("delete", "2", "done", "gateway token revoke bi"),
    ]
    assert all(each["principal"].startswith("cli:") and each["stage"] == "cli" for each in records)
