"""Tasks and projects written on SQLite, on which the demo runs: the same rules, the other dialect."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from gateway.operations.managed.project_settings import SETTINGS
from sample_crm import build
from tests.support.app import NOON, App, served


async def created(app: App, resource: str, body: Mapping[str, Any]) -> int:
    answer = await app.client.post(f"/api/v1/{resource}", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["data"]["id"])


async def test_projects_and_tasks_on_sqlite(tmp_path: Path) -> None:
    """All settings of the newest project, a clock that stops, and nothing left of a project that is deleted."""
    path = tmp_path / "crm.sqlite3"
    build(f"sqlite:///{path}", scale="tiny", today=date(2026, 7, 15))

    def rows(text: str) -> list[Any]:
        with closing(sqlite3.connect(path)) as database:
            return database.execute(text).fetchall()

    [(client,)] = rows("SELECT min(userid) FROM tblclients")
    [(newest,)] = rows("SELECT max(project_id) FROM tblproject_settings")
    copied = "SELECT name, value FROM tblproject_settings WHERE project_id = {} ORDER BY name"
    async with served(f"sqlite:///{path}") as app:
        project = await created(app, "projects", {"name": "Site", "clientid": client})
        nested = {"taskstimers": [{"start_time": "1752570000"}]}
        task = await created(app, "tasks", {"name": "T", "rel_type": "project", "rel_id": project, **nested})
        timer = f"SELECT end_time FROM tbltaskstimers WHERE task_id = {task}"

        assert rows(copied.format(project)) == rows(copied.format(newest))
        assert len(rows(copied.format(project))) == len(SETTINGS)
        assert rows(timer) == [(None,)]

        done = await app.client.patch(f"/api/v1/tasks/{task}", json={"status": 5})

        assert done.json()["data"]["datefinished"] is not None
        assert rows(timer) == [(str(int(NOON.timestamp())),)]
        told = f"SELECT description_key FROM tblproject_activity WHERE project_id = {project} ORDER BY id"
        assert rows(told) == [("project_activity_created",), ("project_activity_task_marked_complete",)]

        gone = await app.client.delete(f"/api/v1/projects/{project}")

        assert gone.status_code == 204, gone.text
        assert [rows(text) for text in (timer, told, copied.format(project))] == [[], [], []]
