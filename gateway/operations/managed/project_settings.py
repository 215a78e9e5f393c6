"""What of a project its customer may see and do: every setting is a row, for the project page reads them all.

A new project gets the values of the newest one that has settings, as the CRM's own form
offers them, else those that open everything (SEMANTICS 7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.errors import Issue
from gateway.operations.managed.faults import fault
from gateway.operations.managed.model import Draft, Found, InsertRow, Lookup, NewKey

FEATURES: Final = "available_features"
SETTINGS: Final = (
    FEATURES,
    "view_tasks",
    "create_tasks",
    "edit_tasks",
    "comment_on_tasks",
    "view_task_comments",
    "view_task_attachments",
    "view_task_checklist_items",
    "upload_on_tasks",
    "view_task_total_logged_time",
    "view_finance_overview",
    "upload_files",
    "open_discussions",
    "view_milestones",
    "view_gantt",
    "view_timesheets",
    "view_activity_log",
    "view_team_members",
    "hide_tasks_on_main_tasks_table",
)
TABS: Final = (
    "project_overview",
    "project_tasks",
    "project_timesheets",
    "project_milestones",
    "project_files",
    "project_discussions",
    "project_gantt",
    "project_tickets",
    "project_contracts",
    "project_invoices",
    "project_estimates",
    "project_expenses",
    "project_credit_notes",
    "project_subscriptions",
    "project_proposals",
    "project_notes",
    "project_activity",
)
CLOSED: Final = frozenset({"hide_tasks_on_main_tasks_table"})
"""Settings that are off where no project says otherwise: they take something away."""

NEWEST: Final = "newest project with settings"
COPIED: Final = "its settings"

_FLAGS: Final = re.compile(r'a:\d+:\{(?:s:\d+:"[a-z0-9_]+";(?:i:[01]|s:1:"[01]"|b:[01]);)*\}')


def newest_lookup() -> Lookup:
    """Return the lookup of the newest project that has settings."""
    return Lookup(NEWEST, "project_settings", ("project_id",), order=("-project_id",), limit=1)


def copied_lookup(found: Found) -> tuple[Lookup, ...]:
    """Return the lookup of the settings that are copied, none when no project has any."""
    where = [row["project_id"] for row in found.get(NEWEST, ())]
    return (Lookup(COPIED, "project_settings", ("name", "value"), {"project_id": where[0]}),) if where else ()


def php_flags(names: Iterable[str]) -> str:
    """Return a map of each name to 1 as PHP serialises it.

    >>> php_flags(["a"])
    'a:1:{s:1:"a";i:1;}'
    """
    words = tuple(names)
    body = "".join(f's:{len(word.encode())}:"{word}";i:1;' for word in words)
    return f"a:{len(words)}:{{{body}}}"


def setting_rows(draft: Draft, found: Found) -> Iterator[InsertRow]:
    """Yield the rows of all settings that were not sent as nested rows."""
    given = {child.values.get("name") for child in draft.children.get("project_settings", ())}
    copied = {row["name"]: row["value"] for row in found.get(COPIED, ())}
    for name in SETTINGS:
        if name not in given:
            value = _usable(name, copied.get(name))
            yield InsertRow("project_settings", {"project_id": NewKey(), "name": name, "value": value})


def setting_faults(draft: Draft) -> Iterator[Issue]:
    """Yield what is wrong with nested settings: each once, and each a switch."""
    seen: set[object] = set()
    for number, child in enumerate(draft.children.get("project_settings", ())):
        path, name = f"/project_settings/{number}", child.values.get("name")
        if name == FEATURES:
            yield fault("name", "computed", "the tabs of a project are chosen in the CRM", path)
        elif name not in SETTINGS:
            yield fault("name", "member", "there is no setting of this name", path)
        elif name in seen:
            yield fault("name", "duplicate", "this setting is named already", path)
        if child.values.get("value") is None:
            yield fault("value", "required", "0 or 1 is due", path)
        seen.add(name)


def _usable(name: str, value: object) -> str:
    """A setting's value in the form in which PHP reads it; what it could not read is replaced."""
    text = str(value)
    if name == FEATURES:
        return text if _FLAGS.fullmatch(text) else php_flags(TABS)
    return text if text in ("0", "1") else str(int(name not in CLOSED))
