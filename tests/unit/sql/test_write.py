"""Write steps -> INSERT, UPDATE and DELETE, without a value a client sent."""

from __future__ import annotations

import pytest

from gateway.catalog.kinds import Dialect
from gateway.query.plan import Compare, Increment, InsertStep, SlotValue, StepKey, UpdateStep, WriteStep
from gateway.sql.write import compile_step
from tests.support.asking import crm, write
from tests.support.kinds import things


def sql(step: WriteStep, dialect: Dialect = "mariadb", key_slots: dict[int, int] | None = None) -> tuple[str, object]:
    statement = compile_step(crm(dialect), step, key_slots or {})
    return " ".join(statement.text.split()), statement.parameters


def steps(method: str, target: str, body: bytes, dialect: Dialect = "mariadb") -> tuple[WriteStep, ...]:
    return write(crm(dialect), method, target, body).plan.steps


@pytest.mark.parametrize(("dialect", "mark"), [("mariadb", "%s"), ("mysql", "%s"), ("sqlite", "?")])
def test_an_insert_names_its_columns(dialect: Dialect, mark: str) -> None:
    """Each from its slot, in their order."""
    (step,) = steps("POST", "tags", b'{"name": "x\'); DROP TABLE tags; --"}', dialect)

    assert sql(step, dialect) == (f"INSERT INTO tbltags (name) VALUES ({mark})", (0,))


def test_an_update_is_chosen_by_key() -> None:
    """The slots of the values come before those of the condition in the text."""
    (step,) = steps("PATCH", "leads/7", b'{"company": "x", "title": null}')

    assert sql(step) == ("UPDATE tblleads SET company=%s, title=%s WHERE tblleads.id = %s", (1, 2, 0))


def test_owned_rows_are_deleted_through_their_parent() -> None:
    """One statement per table."""
    first, last = steps("DELETE", "tags/3", b"")

    assert sql(first) == (
        "DELETE FROM tbltaggables WHERE EXISTS (SELECT 1 FROM tbltags AS tbltaggables_1 "
        "WHERE tbltaggables_1.id = %s AND tbltaggables_1.id = tbltaggables.tag_id)",
        (0,),
    )
    assert sql(last) == ("DELETE FROM tbltags WHERE tbltags.id = %s", (0,))


def test_a_step_can_use_the_key_of_an_earlier_one_and_count_up() -> None:
    """Closed expressions; the key stands in a slot of its own."""
    table = things().resources["things"]
    number, small = table.columns[:2]
    insert = InsertStep(table, ((number, StepKey(0)), (small, SlotValue(4))))
    update = UpdateStep(table, ((small, Increment(1)),), Compare(number, "eq", (0,)))

    assert sql(insert, key_slots={0: 9}) == ("INSERT INTO things (id, small) VALUES (%s, %s)", (9, 4))
    assert sql(update) == ("UPDATE things SET small=(things.small + 1) WHERE things.id = %s", (0,))
