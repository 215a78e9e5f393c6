"""Tasks: default status and priority, what they belong to, recurrence, and what completing one means (SEMANTICS 6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from gateway.errors import Issue
from gateway.operations.managed.faults import fault, raise_any
from gateway.operations.managed.logs import project_activity, staff_lookup
from gateway.operations.managed.model import Draft, Extension, Found, InsertRow, Lookup, NewKey, RowWrite, UpdateRows
from gateway.operations.managed.people import named, people_faults, people_lookup, people_names
from gateway.operations.managed.recurrence import recurrence, recurrence_faults

NOT_STARTED: Final = 1
IN_PROGRESS: Final = 4
COMPLETE: Final = 5
STATUSES: Final = (1, 2, 3, 4, 5)
PRIORITIES: Final = (1, 2, 3, 4)
MEDIUM: Final = 2
OPTIONS: Final = "options"
MILESTONE: Final = "milestone"
STATUS_OPTION: Final = "default_task_status"
PRIORITY_OPTION: Final = "default_task_priority"

_ASSIGNED: Final = ("task_assigned", "staffid")
_FOLLOWERS: Final = ("task_followers", "staffid")


class TaskRule:
    """How tasks are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read the defaults, the milestone, and who is named or acts."""
        if draft.operation == "delete":
            return ()
        people = people_lookup(draft, _ASSIGNED, _FOLLOWERS)
        actor = (staff_lookup(draft),) if _is_logged(draft) else ()
        return (*_defaults_lookup(draft), *_milestone_lookup(draft), *people, *actor)

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read nothing more."""
        return ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Judge what was sent, fill in what follows from it, and log what the project's timeline shows."""
        if draft.operation == "delete":
            return Extension()
        raise_any(tuple(_faults(draft, found)))
        main = {**_defaults(draft, found), **_place(draft), **recurrence(draft)}
        main.update(_finished(draft, main))
        return Extension(main, _children(draft), after=(*_completion(draft, found, main), *_assignees(draft, found)))


# What is looked up


def _is_logged(draft: Draft) -> bool:
    """Whether a project's timeline may tell of the write."""
    return _project(draft) is not None and (draft.operation == "create" or "status" in draft.values)


def _defaults_lookup(draft: Draft) -> tuple[Lookup, ...]:
    is_whole = draft.values.get("status") is not None and draft.values.get("priority") is not None
    if draft.operation != "create" or is_whole:
        return ()
    return (Lookup(OPTIONS, "options", ("name", "value"), {"name": (STATUS_OPTION, PRIORITY_OPTION)}),)


def _milestone_lookup(draft: Draft) -> tuple[Lookup, ...]:
    if not draft.values.get("milestone"):
        return ()
    is_new = _changed(draft, "milestone")
    return (Lookup(MILESTONE, "milestones", ("project_id",), {"id": draft.values["milestone"]}, is_own=is_new),)


# What is wrong


def _faults(draft: Draft, found: Found) -> Iterator[Issue]:
    values = draft.values
    yield from _name_faults(draft)
    if values.get("status") is not None and values["status"] not in STATUSES and _changed(draft, "status"):
        yield fault("status", "computed", "a task's status is 1, 2, 3, 4 or 5")
    if values.get("priority") is not None and values["priority"] not in PRIORITIES and _changed(draft, "priority"):
        yield fault("priority", "member", "a priority is 1, 2, 3 or 4")
    yield from _place_faults(draft, found)
    yield from recurrence_faults(draft)
    yield from people_faults(draft, found, *_ASSIGNED)
    yield from people_faults(draft, found, *_FOLLOWERS)


def _changed(draft: Draft, name: str) -> bool:
    """Whether a column is written with another value: a row that was read can be sent back as it is."""
    return name in draft.values and (name not in draft.stored or draft.values[name] != draft.stored[name])


def _name_faults(draft: Draft) -> Iterator[Issue]:
    """The database would take a task without a name; the CRM's lists could not show it."""
    is_due = draft.operation == "create" or _changed(draft, "name")
    if is_due and not str(draft.values.get("name") or "").strip():
        yield fault("name", "required", "a task has a name")


def _place_faults(draft: Draft, found: Found) -> Iterator[Issue]:
    rel_type, rel_id = _related(draft)
    is_touched = _changed(draft, "rel_type") or _changed(draft, "rel_id")
    if is_touched and rel_type is not None and rel_id is None:
        yield fault("rel_id", "required", "rel_type and rel_id go together")
    elif is_touched and rel_type is None and rel_id is not None:
        yield fault("rel_type", "required", "rel_type and rel_id go together")
    elif draft.values.get("milestone") and (_changed(draft, "milestone") or not is_touched):
        yield from _milestone_faults(draft, found)


def _milestone_faults(draft: Draft, found: Found) -> Iterator[Issue]:
    project = _project(draft)
    if project is None and _changed(draft, "milestone"):
        yield fault("milestone", "reference", "only a task of a project has a milestone")
    elif project is not None and project not in {row["project_id"] for row in found.get(MILESTONE, ())}:
        yield fault("milestone", "reference", f"project {project} has no milestone {draft.values['milestone']}")


# What follows


def _related(draft: Draft) -> tuple[object, object]:
    """What the task belongs to, None for a part that is blank."""
    after = draft.after()
    return after.get("rel_type") or None, after.get("rel_id") or None


def _project(draft: Draft) -> object:
    """The project of the task, None when it has none."""
    rel_type, rel_id = _related(draft)
    return rel_id if rel_type == "project" else None


def _defaults(draft: Draft, found: Found) -> dict[str, object]:
    if draft.operation != "create":
        return {}
    options = {row["name"]: str(row["value"] or "") for row in found.get(OPTIONS, ())}
    main: dict[str, object] = {"is_added_from_contact": 0}
    if draft.values.get("status") is None:
        main["status"] = _chosen(options.get(STATUS_OPTION), STATUSES) or _begun(draft)
    if draft.values.get("priority") is None:
        main["priority"] = _chosen(options.get(PRIORITY_OPTION), PRIORITIES) or MEDIUM
    return main


def _chosen(text: str | None, codes: tuple[int, ...]) -> int | None:
    """The code that an option holds, None when it holds none (``auto``)."""
    return next((code for code in codes if str(code) == text), None)


def _begun(draft: Draft) -> int:
    """The status that follows from the day on which the work begins."""
    start = draft.values.get("startdate")
    return IN_PROGRESS if not isinstance(start, date) or start <= draft.today else NOT_STARTED


def _place(draft: Draft) -> dict[str, object]:
    """``rel_type`` and ``rel_id`` are both NULL when either is blank; only a task of a project has a milestone."""
    if draft.operation == "update" and not {"rel_type", "rel_id", "milestone"}.intersection(draft.values):
        return {}
    if draft.operation == "update" and not {"rel_type", "rel_id"}.issubset(draft.after()):
        return {}  # the whitelist hides what the task belongs to
    rel_type, rel_id = _related(draft)
    main: dict[str, object] = {}
    if rel_type is None and rel_id is None:
        main.update(rel_type=None, rel_id=None)
    has_moved = draft.operation == "update" and (_changed(draft, "rel_type") or _changed(draft, "rel_id"))
    is_kept = bool(draft.after().get("milestone")) and not (has_moved and not _changed(draft, "milestone"))
    if _project(draft) is None or not is_kept:
        main["milestone"] = 0
    return main


def _finished(draft: Draft, main: dict[str, object]) -> dict[str, object]:
    """When the task was completed; a task that is reopened was not."""
    status = {**draft.after(), **main}.get("status")
    if status == COMPLETE:
        return {} if draft.stored.get("status") == COMPLETE else {"datefinished": draft.now}
    return {"datefinished": None} if draft.stored.get("status") == COMPLETE else {}


def _completion(draft: Draft, found: Found, main: dict[str, object]) -> Iterator[RowWrite]:
    """Completing a task stops the clocks that run for it, and the project's timeline tells of it."""
    if main.get("datefinished") is None:
        return
    if draft.operation == "update" or "taskstimers" in draft.children:
        where = {"task_id": draft.stored.get("id", NewKey()), "end_time": None}
        yield UpdateRows("taskstimers", where, {"end_time": str(draft.unix)})
    if _project(draft) is not None:
        yield _told(draft, found, "project_activity_task_marked_complete")


def _assignees(draft: Draft, found: Found) -> Iterator[InsertRow]:
    if _project(draft) is None:
        return
    names = people_names(found)
    for _, key in named(draft, *_ASSIGNED):
        yield _told(draft, found, "project_activity_new_task_assignee", f" - {names[key]}")


def _told(draft: Draft, found: Found, description: str, more: str = "") -> InsertRow:
    """A row of the project's timeline about the task, shown to the customer when the task is."""
    after = draft.after()
    text = f"{after.get('name') or ''}{more}"
    is_visible = bool(after.get("visible_to_client"))
    return project_activity(draft, found, _project(draft), description, text, is_visible=is_visible)


def _children(draft: Draft) -> dict[str, dict[str, object]]:
    """Who assigned, in which order the checklist stands, and who ticked it off."""
    children: dict[str, dict[str, object]] = {}
    for number, (child, _) in enumerate(named(draft, *_ASSIGNED)):
        if "assigned_from" not in child.values:
            children[f"task_assigned.{number}"] = {"assigned_from": draft.staff}
    for number, child in enumerate(draft.children.get("task_checklist_items", ())):
        row: dict[str, object] = {} if "list_order" in child.values else {"list_order": number + 1}
        if child.values.get("finished") and "finished_from" not in child.values:
            row["finished_from"] = draft.staff
        children[f"task_checklist_items.{number}"] = row
    return children
