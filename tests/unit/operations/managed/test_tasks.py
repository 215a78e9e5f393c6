"""The rule of tasks, branch by branch (SEMANTICS 6)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from gateway.errors import ValidationError
from gateway.operations.managed.model import Child, Draft, Extension, Found, InsertRow, NewKey, Row, UpdateRows
from gateway.operations.managed.recurrence import NOTHING
from gateway.operations.managed.tasks import TaskRule

NOW = datetime(2026, 7, 15, 16, 0)
STAFF = 3
RULE = TaskRule()
ACTOR = {"firstname": "Ada", "lastname": "Berg"}
PEOPLE = ({"staffid": 7, "firstname": "Bo", "lastname": None}, {"staffid": 8, "firstname": "Cy", "lastname": "Dahl"})
FOUND: Found = {"acting staff": (ACTOR,), "people": PEOPLE, "milestone": ({"project_id": 4},)}
STORED: Row = {
    "id": 11,
    "name": "Old",
    "status": 1,
    "priority": 2,
    "startdate": date(2026, 7, 1),
    "datefinished": None,
    "rel_type": "project",
    "rel_id": 4,
    "milestone": 6,
    "visible_to_client": 1,
    **NOTHING,
}
IN_PROJECT: Row = {"rel_type": "project", "rel_id": 4}


def create(nested: dict[str, list[Row]] | None = None, /, **values: object) -> Draft:
    given = {"name": "New", "startdate": NOW.date(), **values}
    children = {name: tuple(Child(row) for row in rows) for name, rows in (nested or {}).items()}
    return Draft("tasks", "create", given, frozenset(given), NOW, STAFF, {}, children, unix=1784116800)


def update(stored: Row | None = None, /, **values: object) -> Draft:
    return Draft(
        "tasks", "update", values, frozenset(values), NOW, STAFF, {**STORED, **(stored or {})}, unix=1784116800
    )


def extended(draft: Draft, **found: Any) -> Extension:
    return RULE.extend(draft, {**FOUND, **found})


def faults(draft: Draft, **found: Any) -> set[tuple[str | None, str | None]]:
    with pytest.raises(ValidationError) as caught:
        extended(draft, **found)
    return {(issue.pointer, issue.code) for issue in caught.value.issues}


def asked(draft: Draft) -> list[str]:
    assert RULE.more_reads(draft, {}) == ()
    return [lookup.table for lookup in RULE.reads(draft)]


def option(name: str, value: str | None) -> Row:
    return {"name": f"default_task_{name}", "value": value}


def test_a_delete_needs_nothing_besides() -> None:
    """What a task owns goes by the relationship map."""
    draft = Draft("tasks", "delete", {}, frozenset(), NOW, STAFF, STORED)

    assert asked(draft) == []
    assert RULE.extend(draft, {}) == Extension()


def test_only_what_is_needed_is_read() -> None:
    """Defaults where they are left out, a milestone that is sent, people who are named, who acts where it is told."""
    assert asked(create()) == ["options"]
    assert asked(create(status=1, priority=1)) == []
    assert asked(create(status=1, priority=1, milestone=6, **IN_PROJECT)) == ["milestones", "staff"]
    assert asked(create({"task_assigned": [{"staffid": 7}]}, status=1, priority=1)) == ["staff"]
    assert asked(update(name="x")) == []
    assert asked(update(status=5)) == ["staff"]
    assert asked(update({"rel_type": None, "rel_id": None}, status=5)) == []


@pytest.mark.parametrize(
    ("status", "start", "due"),
    [
        ("auto", date(2026, 7, 15), 4),
        ("auto", date(2026, 7, 14), 4),
        ("auto", date(2026, 7, 16), 1),
        (None, date(2026, 7, 16), 1),
        ("9", date(2026, 7, 15), 4),
        ("3", date(2026, 7, 16), 3),
    ],
)
def test_the_option_chooses_the_status(status: str | None, start: date, due: int) -> None:
    """``auto`` and what is no code look at the day on which the work begins."""
    main = extended(create(startdate=start), options=(option("status", status), option("priority", "4"))).main

    assert (main["status"], main["priority"], main["is_added_from_contact"]) == (due, 4, 0)


@pytest.mark.parametrize("priority", [None, "", "7"])
def test_without_a_usable_option_the_priority_is_medium(priority: str | None) -> None:
    """As the CRM is installed."""
    assert extended(create(), options=(option("priority", priority),)).main["priority"] == 2


def test_what_was_sent_is_not_a_default() -> None:
    """Neither status nor priority."""
    assert not {"status", "priority"} & set(extended(create(status=3, priority=1)).main)


@pytest.mark.parametrize("name", [None, "", "  "])
def test_a_task_has_a_name(name: str | None) -> None:
    """On create and change; one that has none may be sent back as it is."""
    assert faults(create(name=name)) == {("/name", "required")}
    assert faults(update(name=name)) == {("/name", "required")}
    assert extended(update({"name": name}, name=name)) == Extension()


def test_what_a_task_belongs_to_is_left_alone_where_it_is_hidden() -> None:
    """A milestone that was read may come back."""
    stored = {name: value for name, value in STORED.items() if name not in ("rel_type", "rel_id")}
    values = {"milestone": 6}
    draft = Draft("tasks", "update", values, frozenset(values), NOW, STAFF, stored)

    assert RULE.extend(draft, FOUND) == Extension()


def test_codes_are_those_of_the_crm() -> None:
    """All that is wrong is named at once; a stored code that is none may be sent back."""
    assert faults(create(status=0, priority=5)) == {("/status", "computed"), ("/priority", "member")}
    assert not {"status", "priority"} & set(extended(update({"status": 0, "priority": 9}, status=0, priority=9)).main)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"rel_type": "lead"}, ("/rel_id", "required")),
        ({"rel_type": "lead", "rel_id": 0}, ("/rel_id", "required")),
        ({"rel_id": 3}, ("/rel_type", "required")),
        ({"rel_type": "", "rel_id": 3}, ("/rel_type", "required")),
        ({"milestone": 6}, ("/milestone", "reference")),
        ({"milestone": 6, "rel_type": "project", "rel_id": 5}, ("/milestone", "reference")),
    ],
)
def test_what_a_task_belongs_to_is_whole(values: dict[str, object], fault: tuple[str, str]) -> None:
    """Type and id go together, and a milestone is one of the task's own project."""
    assert faults(create(**values)) == {fault}


def test_a_task_of_nothing_has_neither_part_of_a_relation() -> None:
    """Both are NULL, and no milestone is 0."""
    main = extended(create(rel_type="", rel_id=0, milestone=None)).main

    assert (main["rel_type"], main["rel_id"], main["milestone"]) == (None, None, 0)


def test_a_milestone_stays_until_its_task_moves() -> None:
    """It is left out of what the rule writes as long as it is right."""
    assert "milestone" not in extended(create(milestone=6, **IN_PROJECT)).main
    assert extended(create(**IN_PROJECT)).main["milestone"] == 0
    assert "milestone" not in extended(update(name="x")).main
    assert "milestone" not in extended(update(rel_id=4)).main
    assert extended(update(rel_id=5)).main["milestone"] == 0
    assert extended(update(rel_type=None, rel_id=None)).main == {"rel_type": None, "rel_id": None, "milestone": 0}
    assert "milestone" not in extended(update({"milestone": 1}, milestone=6)).main
    assert faults(update(milestone=8), milestone=()) == {("/milestone", "reference")}
    assert faults(update({"rel_type": None, "rel_id": None, "milestone": 0}, milestone=8)) == {
        ("/milestone", "reference")
    }
    assert faults(update(rel_type=None)) == {("/rel_type", "required")}


@pytest.mark.parametrize(
    ("values", "main"),
    [
        ({"recurring": 1, "repeat_every": 2, "recurring_type": "week"}, {"recurring": 1}),
        ({"repeat_every": 2, "recurring_type": "day", "cycles": 3, "custom_recurring": 1}, {"recurring": 1}),
        ({"recurring": 0}, dict(NOTHING)),
        ({"repeat_every": None, "recurring_type": None}, dict(NOTHING)),
        ({}, {}),
    ],
)
def test_a_task_repeats_with_its_interval_or_not_at_all(values: dict[str, object], main: Row) -> None:
    """The flag follows from the interval where it is left out."""
    found = extended(create(**values)).main

    assert {name: found[name] for name in NOTHING if name in found} == main


@pytest.mark.parametrize(
    ("values", "due"),
    [
        ({"recurring": 1}, {("/repeat_every", "required"), ("/recurring_type", "required")}),
        ({"recurring": 2}, {("/recurring", "member")}),
        (
            {"recurring": 1, "repeat_every": 0, "recurring_type": "decade", "cycles": -1},
            {("/repeat_every", "out_of_range"), ("/recurring_type", "member"), ("/cycles", "out_of_range")},
        ),
        (
            {"recurring": 0, "repeat_every": 2, "cycles": 4},
            {("/repeat_every", "computed"), ("/cycles", "computed")},
        ),
    ],
)
def test_a_wrong_interval_is_refused(values: dict[str, object], due: set[tuple[str, str]]) -> None:
    """Every part at fault is named."""
    assert faults(create(**values)) == due


def test_recurrence_ends_with_its_flag() -> None:
    """The interval that was read may come back with it."""
    stored = {"recurring": 1, "repeat_every": 2, "recurring_type": "week"}

    assert extended(update(stored, recurring=0, repeat_every=2)).main == dict(NOTHING)


def test_completing_dates_stops_clocks_and_is_told() -> None:
    """The timeline's row is shown to the customer when the task is."""
    found = extended(update(status=5, name="Renamed"))

    assert found.main == {"datefinished": NOW}
    stop = UpdateRows("taskstimers", {"task_id": 11, "end_time": None}, {"end_time": "1784116800"})
    told = {
        "project_id": 4,
        "staff_id": STAFF,
        "contact_id": 0,
        "fullname": "Ada Berg",
        "visible_to_customer": 1,
        "description_key": "project_activity_task_marked_complete",
        "additional_data": "Renamed",
        "dateadded": NOW,
    }
    assert found.after == (stop, InsertRow("project_activity", told))


def test_what_is_complete_is_not_completed_again() -> None:
    """The date stays; without a project nothing is told; reopening forgets the date."""
    done = {"status": 5, "datefinished": datetime(2026, 7, 1, 9, 0)}

    assert extended(update(done, status=5)) == Extension()
    assert extended(update(done, status=1)).main == {"datefinished": None}
    assert extended(update(done, name="x")) == Extension()
    assert len(extended(update({"rel_type": "lead"}, status=5)).after) == 1


def test_a_task_is_created_complete() -> None:
    """Only nested timers can be running."""
    timers: dict[str, list[Row]] = {"taskstimers": [{"start_time": "1"}]}

    assert extended(create(status=5)).main["datefinished"] == NOW
    assert extended(create(status=5)).after == ()
    (stop,) = extended(create(timers, status=5)).after
    assert isinstance(stop, UpdateRows)
    assert stop.where == {"task_id": NewKey(), "end_time": None}
    assert "datefinished" not in extended(create(timers, status=4)).main


def test_nested_rows_say_who_and_in_which_order() -> None:
    """What was sent stays; each assignee is told of in the project."""
    nested: dict[str, list[Row]] = {
        "task_assigned": [{"staffid": 7}, {"staffid": 8, "assigned_from": 9}],
        "task_followers": [{"staffid": 8}],
        "task_checklist_items": [
            {"description": "a"},
            {"finished": 1},
            {"finished": 1, "finished_from": 7},
            {"list_order": 9},
        ],
    }

    found = extended(create(nested, **IN_PROJECT))

    assert found.children == {
        "task_assigned.0": {"assigned_from": STAFF},
        "task_checklist_items.0": {"list_order": 1},
        "task_checklist_items.1": {"list_order": 2, "finished_from": STAFF},
        "task_checklist_items.2": {"list_order": 3},
        "task_checklist_items.3": {},
    }
    rows = [write.values for write in found.after if isinstance(write, InsertRow)]
    assert [(row["description_key"], row["additional_data"], row["visible_to_customer"]) for row in rows] == [
        ("project_activity_new_task_assignee", "New - Bo", 0),
        ("project_activity_new_task_assignee", "New - Cy Dahl", 0),
    ]
    assert extended(create(nested)).after == ()


def test_people_are_named_once_and_exist() -> None:
    """For assignees and followers alike, each fault where it stands."""
    nested: dict[str, list[Row]] = {
        "task_assigned": [{"staffid": 7}, {"staffid": 7}],
        "task_followers": [{"staffid": 7}, {"staffid": 99}],
    }

    assert faults(create(nested)) == {
        ("/task_assigned/1/staffid", "duplicate"),
        ("/task_followers/1/staffid", "reference"),
    }
