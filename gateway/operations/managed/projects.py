"""Projects: their customer, what is billed, when they were finished, members and settings (SEMANTICS 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from gateway.errors import Issue
from gateway.operations.managed.faults import fault, raise_any
from gateway.operations.managed.logs import php_strings, project_activity, staff_lookup
from gateway.operations.managed.model import Draft, Extension, Found, InsertRow, Lookup
from gateway.operations.managed.people import named, people_faults, people_lookup, people_names
from gateway.operations.managed.project_settings import copied_lookup, newest_lookup, setting_faults, setting_rows

FIXED: Final = 1
FINISHED: Final = 4
IN_PROGRESS: Final = 2
CLIENT: Final = "client"
PRICES: Final[Mapping[str, int]] = MappingProxyType({"project_cost": 1, "project_rate_per_hour": 2})
"""The billing type that each price belongs to; it is 0 for the others."""

_CODES: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "billing_type": (1, 2, 3),
        "status": (1, 2, 3, 4, 5),
        "contact_notification": (0, 1, 2),
        "progress_from_tasks": (0, 1),
    }
)
_MEMBERS: Final = ("project_members", "staff_id")


class ProjectRule:
    """How projects are written."""

    def reads(self, draft: Draft) -> tuple[Lookup, ...]:
        """Read the customer, who is named or acts, and on a create which project's settings are copied."""
        if draft.operation == "delete":
            return ()
        client = (Lookup(CLIENT, "clients", ("userid",), {"userid": draft.values.get("clientid")}, is_own=True),)
        actor = (staff_lookup(draft),) if draft.operation == "create" or _changed(draft, "status") else ()
        newest = (newest_lookup(),) if draft.operation == "create" else ()
        return (*(client if _changed(draft, "clientid") else ()), *people_lookup(draft, _MEMBERS), *actor, *newest)

    def more_reads(self, draft: Draft, found: Found) -> tuple[Lookup, ...]:
        """Read the settings that are copied."""
        return copied_lookup(found) if draft.operation == "create" else ()

    def extend(self, draft: Draft, found: Found) -> Extension:
        """Judge what was sent, fill in what follows from it, and log it; a new project gets all its settings."""
        if draft.operation == "delete":
            return Extension()
        raise_any(tuple(_faults(draft, found)))
        main = _defaults(draft)
        main.update(_prices(draft, main))
        main.update(_finished(draft))
        if draft.operation == "update":
            return Extension(main, after=tuple(_status_log(draft, found)))
        return Extension(main, after=(*setting_rows(draft, found), *_created_log(draft, found)))


def _changed(draft: Draft, name: str) -> bool:
    """Whether a column is written with another value: a row that was read can be sent back as it is."""
    return name in draft.values and (name not in draft.stored or draft.values[name] != draft.stored[name])


# What is wrong


def _faults(draft: Draft, found: Found) -> Iterator[Issue]:
    for name, codes in _CODES.items():
        if draft.values.get(name) is not None and draft.values[name] not in codes and _changed(draft, name):
            code = "computed" if name == "status" else "member"
            yield fault(name, code, f"one of {', '.join(map(str, codes))} is due")
    progress = draft.values.get("progress")
    if isinstance(progress, int) and not 0 <= progress <= 100 and _changed(draft, "progress"):
        yield fault("progress", "out_of_range", "a number from 0 to 100 is due")
    if _changed(draft, "clientid") and not found.get(CLIENT):
        yield fault("clientid", "reference", f"there is no customer {draft.values['clientid']}")
    yield from _price_faults(draft)
    yield from people_faults(draft, found, *_MEMBERS)
    yield from setting_faults(draft)


def _price_faults(draft: Draft) -> Iterator[Issue]:
    billing_type = _billing_type(draft)
    for name, due in PRICES.items():
        if draft.values.get(name) and billing_type != due and _changed(draft, name):
            yield fault(name, "computed", f"only a project with billing_type {due} has it; it is 0 for the others")


# What follows


def _billing_type(draft: Draft) -> object:
    billing_type = draft.after().get("billing_type")
    return FIXED if billing_type is None else billing_type


def _defaults(draft: Draft) -> dict[str, object]:
    main: dict[str, object] = {}
    if draft.operation == "create":
        main["billing_type"] = _billing_type(draft)
        if draft.values.get("status") is None:
            main["status"] = IN_PROGRESS
    if draft.after().get("notify_contacts") is None and (
        draft.operation == "create" or "notify_contacts" in draft.values
    ):
        main["notify_contacts"] = php_strings(())
    return main


def _prices(draft: Draft, main: Mapping[str, object]) -> dict[str, object]:
    """The price that the way of billing has; the other is 0, and so is one that a new project does not name."""
    if draft.operation == "update" and not {"billing_type", *PRICES}.intersection(draft.values):
        return {}
    billing_type = {**draft.after(), **main}["billing_type"]
    unnamed = {name for name in PRICES if name not in draft.after()}
    return {name: 0 for name, due in PRICES.items() if due != billing_type or name in unnamed}


def _finished(draft: Draft) -> dict[str, object]:
    """When the project was finished; one that is taken up again was not."""
    if not _changed(draft, "status"):
        return {}
    if draft.values["status"] == FINISHED:
        return {"date_finished": draft.now}
    return {"date_finished": None} if draft.stored.get("status") == FINISHED else {}


def _created_log(draft: Draft, found: Found) -> Iterator[InsertRow]:
    yield project_activity(draft, found, None, "project_activity_created")
    names = people_names(found)
    for _, key in named(draft, *_MEMBERS):
        yield project_activity(draft, found, None, "project_activity_added_team_member", names[key])


def _status_log(draft: Draft, found: Found) -> Iterator[InsertRow]:
    if _changed(draft, "status"):
        is_finished = draft.values["status"] == FINISHED
        key = "project_marked_as_finished" if is_finished else "project_status_updated"
        yield project_activity(draft, found, draft.stored["id"], key)
