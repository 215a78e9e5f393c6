"""Staff named in nested rows: each once, and each a row of the CRM's staff, whose lists show nobody else."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.errors import Issue
from gateway.operations.managed.faults import fault
from gateway.operations.managed.model import Child, Draft, Found, Lookup

PEOPLE = "people"


def people_lookup(draft: Draft, *nested: tuple[str, str]) -> tuple[Lookup, ...]:
    """Return the lookup of the staff whom nested rows name; ``nested`` are relationships with their columns."""
    ids = dict.fromkeys(key for name, column in nested for _, key in named(draft, name, column))
    where = {"staffid": tuple(ids)}
    return (Lookup(PEOPLE, "staff", ("staffid", "firstname", "lastname"), where, is_own=True),) if ids else ()


def named(draft: Draft, name: str, column: str) -> tuple[tuple[Child, object], ...]:
    """Return the nested rows of a relationship with whom each names."""
    return tuple((child, child.values.get(column)) for child in draft.children.get(name, ()))


def people_names(found: Found) -> dict[object, str]:
    """Return the full names of the staff that were found, by id."""
    return {
        row["staffid"]: f"{row.get('firstname') or ''} {row.get('lastname') or ''}".strip()
        for row in found.get(PEOPLE, ())
    }


def people_faults(draft: Draft, found: Found, name: str, column: str) -> Iterator[Issue]:
    """Yield what is wrong with whom the nested rows of a relationship name."""
    known, seen = people_names(found), set[object]()
    for number, (_, key) in enumerate(named(draft, name, column)):
        path = f"/{name}/{number}"
        if key in seen:
            yield fault(column, "duplicate", "this staff member is named already", path)
        elif key not in known:
            yield fault(column, "reference", f"there is no staff member {key}", path)
        seen.add(key)
