"""The rule of projects, branch by branch (SEMANTICS 7)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import ValidationError
from gateway.operations.managed.model import Child, Draft, Extension, Found, InsertRow, NewKey, Row
from gateway.operations.managed.project_settings import FEATURES, SETTINGS, TABS, php_flags
from gateway.operations.managed.projects import ProjectRule

NOW = datetime(2026, 7, 15, 16, 0)
STAFF = 3
RULE = ProjectRule()
FOUND: Found = {
    "acting staff": ({"firstname": "Ada", "lastname": "Berg"},),
    "client": ({"userid": 5},),
    "people": ({"staffid": 7, "firstname": "Bo", "lastname": "Dahl"},),
}
STORED: Row = {
    "id": 11,
    "name": "Old",
    "clientid": 5,
    "status": 2,
    "billing_type": 1,
    "project_cost": Decimal("90.00"),
    "project_rate_per_hour": Decimal("0.00"),
    "progress": 10,
    "notify_contacts": None,
    "date_finished": None,
}


def create(nested: dict[str, list[Row]] | None = None, /, **values: object) -> Draft:
    given = {"name": "New", "clientid": 5, **values}
    children = {name: tuple(Child(row) for row in rows) for name, rows in (nested or {}).items()}
    return Draft("projects", "create", given, frozenset(given), NOW, STAFF, {}, children)


def update(stored: Row | None = None, /, **values: object) -> Draft:
    return Draft("projects", "update", values, frozenset(values), NOW, STAFF, {**STORED, **(stored or {})})


def extended(draft: Draft, **found: Any) -> Extension:
    return RULE.extend(draft, {**FOUND, **found})


def faults(draft: Draft, **found: Any) -> set[tuple[str | None, str | None]]:
    with pytest.raises(ValidationError) as caught:
        extended(draft, **found)
    return {(issue.pointer, issue.code) for issue in caught.value.issues}


def settings(extension: Extension) -> dict[object, object]:
    rows = [write for write in extension.after if isinstance(write, InsertRow) and write.table == "project_settings"]
    assert all(row.values["project_id"] == NewKey() for row in rows)
    return {row.values["name"]: row.values["value"] for row in rows}


def told(extension: Extension) -> list[tuple[object, object, object]]:
    rows = [
        write.values for write in extension.after if isinstance(write, InsertRow) and write.table == "project_activity"
    ]
    return [(row["project_id"], row["description_key"], row["additional_data"]) for row in rows]


def test_a_delete_needs_nothing_besides() -> None:
    """What a project owns, and what forgets it, goes by the relationship map."""
    draft = Draft("projects", "delete", {}, frozenset(), NOW, STAFF, STORED)

    assert RULE.reads(draft) == RULE.more_reads(draft, {}) == ()
    assert RULE.extend(draft, {}) == Extension()


def test_only_what_is_needed_is_read() -> None:
    """Of the settings those of the newest project that has any."""
    tables = [lookup.table for lookup in RULE.reads(create({"project_members": [{"staff_id": 7}]}))]
    newest = RULE.reads(create())[-1]
    (copied,) = RULE.more_reads(create(), {newest.name: ({"project_id": 9},)})

    assert tables == ["clients", "staff", "staff", "project_settings"]
    assert (newest.order, newest.limit) == (("-project_id",), 1)
    assert copied.where == {"project_id": 9}
    assert RULE.more_reads(create(), {newest.name: ()}) == ()
    assert RULE.reads(update(name="x", clientid=5)) == ()
    assert RULE.more_reads(update(name="x"), {}) == ()
    assert [lookup.table for lookup in RULE.reads(update(status=4, clientid=6))] == ["clients", "staff"]


def test_the_shortest_project_has_the_defaults_of_the_crm() -> None:
    """Fixed price, in progress, nobody to notify in a form that PHP reads."""
    assert extended(create()).main == {
        "billing_type": 1,
        "status": 2,
        "notify_contacts": "a:0:{}",
        "project_cost": 0,
        "project_rate_per_hour": 0,
    }


@pytest.mark.parametrize(
    ("values", "prices"),
    [
        ({"project_cost": 5}, {"project_rate_per_hour": 0}),
        ({"billing_type": 2, "project_rate_per_hour": 5, "project_cost": 0}, {"project_cost": 0}),
        ({"billing_type": 2}, {"project_cost": 0, "project_rate_per_hour": 0}),
        ({"billing_type": 3}, {"project_cost": 0, "project_rate_per_hour": 0}),
    ],
)
def test_a_price_goes_with_its_way_of_billing(values: dict[str, object], prices: Row) -> None:
    """The other one is 0, and so is one that is left out."""
    main = extended(create(**values)).main

    assert {name: value for name, value in main.items() if name.startswith("project_")} == prices


def test_another_way_of_billing_takes_the_old_price_away() -> None:
    """A price that was read may come back with it; another one may not."""
    assert extended(update(billing_type=3, project_cost=Decimal("90.00"))).main == {
        "project_cost": 0,
        "project_rate_per_hour": 0,
    }
    assert extended(update(project_cost=7)).main == {"project_rate_per_hour": 0}
    assert extended(update(name="x")).main == {}
    assert faults(update(billing_type=2, project_cost=7)) == {("/project_cost", "computed")}
    assert faults(create(billing_type=3, project_cost=7, project_rate_per_hour=8)) == {
        ("/project_cost", "computed"),
        ("/project_rate_per_hour", "computed"),
    }


def test_everything_wrong_is_named_at_once() -> None:
    """Codes, percentages and the customer; what is stored already may come back."""
    wrong = {"billing_type": 0, "status": 6, "contact_notification": 3, "progress_from_tasks": 2, "progress": -1}

    assert faults(create(**wrong), client=()) == {
        *((f"/{name}", "computed" if name == "status" else "member") for name in wrong if name != "progress"),
        ("/progress", "out_of_range"),
        ("/clientid", "reference"),
    }
    assert extended(update({"status": 0, "progress": 400}, status=0, progress=400)).main == {}


def test_nobody_to_notify_is_an_empty_list() -> None:
    """PHP reads the column whatever the choice; a list that was sent stays."""
    assert extended(update(notify_contacts=None)).main == {"notify_contacts": "a:0:{}"}
    assert "notify_contacts" not in extended(create(notify_contacts='a:1:{i:0;s:1:"3";}')).main


def test_being_finished_is_dated() -> None:
    """Leaving it clears the date; the same status again changes nothing."""
    done = {"status": 4, "date_finished": datetime(2026, 7, 1)}

    assert extended(create(status=4)).main["date_finished"] == NOW
    assert extended(update(status=4)).main == {"date_finished": NOW}
    assert extended(update(done, status=4)) == Extension()
    assert extended(update(done, status=5)).main == {"date_finished": None}
    assert extended(update(status=3)).main == {}
    assert told(extended(update(status=4))) == [(11, "project_marked_as_finished", "")]
    assert told(extended(update(done, status=5))) == [(11, "project_status_updated", "")]


def test_the_timeline_begins_with_the_project_and_its_members() -> None:
    """In the name of who acts."""
    found = extended(create({"project_members": [{"staff_id": 7}]}))

    assert told(found) == [
        (NewKey(), "project_activity_created", ""),
        (NewKey(), "project_activity_added_team_member", "Bo Dahl"),
    ]
    row = found.after[-1]
    assert isinstance(row, InsertRow)
    assert row.values["fullname"] == "Ada Berg"
    assert (row.values["staff_id"], row.values["contact_id"], row.values["visible_to_customer"]) == (STAFF, 0, 1)


def test_members_are_named_once_and_exist() -> None:
    """Each fault where it stands."""
    members: list[Row] = [{"staff_id": 7}, {"staff_id": 7}, {"staff_id": 99}]

    assert faults(create({"project_members": members})) == {
        ("/project_members/1/staff_id", "duplicate"),
        ("/project_members/2/staff_id", "reference"),
    }


def test_without_a_project_to_copy_from_everything_is_open() -> None:
    """But nothing is taken away from the list of tasks."""
    expected = {**dict.fromkeys(SETTINGS, "1"), "hide_tasks_on_main_tasks_table": "0", FEATURES: php_flags(TABS)}

    assert settings(extended(create())) == expected
    assert (len(SETTINGS), len(TABS)) == (19, 17)


def test_settings_are_copied_where_php_can_read_them() -> None:
    """A value in another form is replaced, a lacking one filled in, a setting of no known name left where it is."""
    features = 'a:2:{s:16:"project_overview";i:1;s:13:"project_tasks";i:0;}'
    rows = [(FEATURES, features), ("view_gantt", "0"), ("view_tasks", "yes"), ("edit_tasks", None), ("other", "1")]
    copied = tuple({"name": name, "value": value} for name, value in rows)

    found = settings(extended(create(), **{"its settings": copied}))

    assert set(found) == set(SETTINGS)
    assert (found[FEATURES], found["view_gantt"], found["view_tasks"], found["edit_tasks"]) == (features, "0", "1", "1")


@pytest.mark.parametrize("features", ["1", 'O:1:"X":0:{}', 'a:1:{s:1:"a";O:1:"X":0:{}}', None, ""])
def test_a_map_of_tabs_that_is_none_is_made_anew(features: str | None) -> None:
    """Nothing that PHP would wake up is passed on."""
    copied = ({"name": FEATURES, "value": features},)

    assert settings(extended(create(), **{"its settings": copied}))[FEATURES] == php_flags(TABS)


def test_a_setting_that_was_sent_is_not_written_twice() -> None:
    """The others are as ever."""
    found = settings(extended(create({"project_settings": [{"name": "view_gantt", "value": "0"}]})))

    assert set(found) == set(SETTINGS) - {"view_gantt"}


def test_nested_settings_are_switches_of_the_crm() -> None:
    """Each once; the map of tabs is none of them."""
    rows: list[Row] = [
        {"name": FEATURES, "value": "1"},
        {"name": "secret", "value": "1"},
        {"name": "view_gantt", "value": "1"},
        {"name": "view_gantt"},
    ]

    assert faults(create({"project_settings": rows})) == {
        ("/project_settings/0/name", "computed"),
        ("/project_settings/1/name", "member"),
        ("/project_settings/3/name", "duplicate"),
        ("/project_settings/3/value", "required"),
    }
