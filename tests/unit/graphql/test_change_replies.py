"""What mutations did -> their values in the reply, and what the reply tells of them."""

from __future__ import annotations

from typing import Any

from gateway.graphql.change_replies import render_change
from gateway.graphql.meaning import Own
from gateway.graphql.selection import Selected
from gateway.operations.mutations import MutationResult
from gateway.operations.results import DeletedResult, Truncation
from tests.unit.graphql.test_changes import part, step, table

GIVEN: dict[str, Any] = {"filter": {"id": 1}, "maxAffected": 5}


def own(name: str, *parts: Selected, key: str = "") -> Selected:
    return Selected(key or name, name, Own(name), "Counted", parts=parts)


TYPE = Selected("__typename", "__typename", None)
COUNTS = (own("resource", key="what"), own("count"), TYPE)


def test_one_row_is_an_object() -> None:
    """By the names and in the order of the selection."""
    tags = table("tags")
    found = step("createTag", part(tags, "name", key="called"), part(tags, "__typename"), input={"name": "a"})

    told = render_change(found, MutationResult(((7,),), ({"name": "a"},)))

    assert told.value == {"called": "a", "__typename": "Tag"}
    assert list(told.value) == ["called", "__typename"]


def test_rows_of_an_array_are_a_list() -> None:
    """In their order."""
    found = step("createTags", part(table("tags"), "id"), input=[{"name": "a"}, {"name": "b"}])

    assert render_change(found, MutationResult(((7,), (8,)), ({"id": 7}, {"id": 8}))).value == [{"id": 7}, {"id": 8}]


def test_a_row_that_cannot_be_read_back_is_null_and_told_of() -> None:
    """Its table has no key."""
    tags = table("tags")
    one = step("createTag", part(tags, "id"), input={"name": "a"})
    several = step("createTags", part(tags, "id"), input=[{"name": "a"}])

    for found, key in ((one, "createTag"), (several, "createTags")):
        told = render_change(found, MutationResult(((),), (None,)))
        assert (told.value, told.warnings) == (None, ({"path": (key,), "code": "not_read_back"},))


def test_changed_rows_and_their_number() -> None:
    """Each under every name it was selected by."""
    tags = table("tags")
    ids, names = own("rows", part(tags, "id"), key="ids"), own("rows", part(tags, "name"))
    found = step(
        "updateTags", own("affected"), ids, own("affected", key="n"), names, TYPE, **GIVEN, input={"name": "b"}
    )
    rows = ({"id": 1, "name": "b"}, {"id": 2, "name": "b"})

    assert render_change(found, MutationResult(((1,), (2,)), rows)).value == {
        "affected": 2,
        "ids": [{"id": 1}, {"id": 2}],
        "n": 2,
        "rows": [{"name": "b"}, {"name": "b"}],
        "__typename": "Answer",
    }


def test_a_removal_tells_how_many_rows_went() -> None:
    """What goes along is only counted when it is tried out."""
    parts = (own("affected"), own("owned", *COUNTS), own("dependants", *COUNTS), TYPE)
    gone = MutationResult((("1",),), deleted=DeletedResult(1))
    tried = MutationResult((("1",),), deleted=DeletedResult(0, {"notes": 2}, {"invoices": 101}))

    assert render_change(step("deleteClient", *parts, userid=1), gone).value == {
        "affected": 1,
        "owned": None,
        "dependants": None,
        "__typename": "Answer",
    }
    assert render_change(step("deleteClient", *parts, userid=1, dryRun=True), tried).value == {
        "affected": 0,
        "owned": [{"what": "notes", "count": "2", "__typename": "Counted"}],
        "dependants": [{"what": "invoices", "count": "100+", "__typename": "Counted"}],
        "__typename": "Answer",
    }


def test_lists_that_were_cut_are_told_where_they_stand_in_the_reply() -> None:
    """Of one row, of an array, and of the rows of a plural change; by the keys of the reply."""
    clients = table("clients")
    nested = part(clients, "invoices", part(table("invoices"), "id"), key="bills")
    cut = Truncation((0, "invoices"), clients, (1,), ("invoices",), 100)
    rows = ({"userid": 1, "invoices": []},)
    result = MutationResult(((1,),), rows, truncated=(cut,), warnings=("mixed_currency",))
    one = step("createClient", nested, input={"company": "x"})
    several = step("createClients", nested, input=[{"company": "x"}])
    changed = step("updateClients", own("rows", nested, key="r"), **GIVEN | {"filter": {"userid": 1}}, input={})

    told = [render_change(found, result) for found in (one, several, changed)]

    assert [each.truncated for each in told] == [
        ({"path": ("createClient", "bills"), "limit": 100},),
        ({"path": ("createClients", 0, "bills"), "limit": 100},),
        ({"path": ("updateClients", "r", 0, "bills"), "limit": 100},),
    ]
    assert [each.warnings[0]["code"] for each in told] == ["mixed_currency"] * 3
