"""Custom fields of a written row: how many statements they take, and which."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from gateway.catalog.model import CustomField
from gateway.catalog.reflected import CustomField as Definition
from gateway.execution.database import Outcome, Parameters
from gateway.operations.custom import CustomValues
from gateway.sql.cache import StatementCache
from tests.support.catalogs import exposure_of, perfex_built, perfex_reflection


@dataclass(slots=True)
class Told:
    """A session that finds ``there`` values for each UPDATE and remembers what was run."""

    there: int = 0
    texts: list[str] = field(default_factory=list)
    values: list[Parameters] = field(default_factory=list)

    async def run(self, text: str, parameters: Parameters = ()) -> Outcome:
        self.texts.append(" ".join(text.split()))
        self.values.append(parameters)
        return Outcome(affected=self.there if text.startswith("UPDATE") else 1)


def made() -> tuple[CustomValues, CustomField, StatementCache]:
    """Return what writes custom fields, one field, and the statements that were compiled."""
    reflection = replace(perfex_reflection(), custom_fields=(Definition(7, "tier", "Tier", "customers"),))
    catalog = perfex_built(exposure_of("clients"), reflection).catalog
    statements = StatementCache(catalog, 10, 1.0)
    return CustomValues(catalog, statements), catalog.resources["clients"].custom[0], statements


INSERT = "INSERT INTO tblcustomfieldsvalues (relid, fieldid, fieldto, value) VALUES (%s, %s, %s, %s)"
UPDATE = (
    "UPDATE tblcustomfieldsvalues SET value=%s WHERE tblcustomfieldsvalues.relid = %s AND "
    "tblcustomfieldsvalues.fieldid = %s AND tblcustomfieldsvalues.fieldto = %s"
)


async def test_a_new_row_takes_one_statement_for_each_value() -> None:
    """Nothing can be there yet, and an empty value adds nothing."""
    (custom, tier, _), told = made(), Told()
    await custom.add(told, 12, ((tier, "Gold"), (tier, "")))

    assert (told.texts, told.values) == ([INSERT], [(12, 7, "customers", "Gold")])


@pytest.mark.parametrize("there", [1, 2])
async def test_a_value_that_is_there_is_changed(there: int) -> None:
    """However often it is there, and also to nothing."""
    (custom, tier, _), told = made(), Told(there)
    await custom.change(told, 12, ((tier, "Gold"), (tier, "")))

    assert told.texts == [UPDATE, UPDATE]
    assert told.values == [("Gold", 12, 7, "customers"), ("", 12, 7, "customers")]


async def test_a_value_that_is_not_there_is_added() -> None:
    """But no empty one."""
    (custom, tier, _), told = made(), Told()
    await custom.change(told, 12, ((tier, "Gold"), (tier, "")))

    assert told.texts == [UPDATE, INSERT, UPDATE]


async def test_the_statements_of_a_field_are_compiled_once() -> None:
    """Whatever row it is of."""
    (custom, tier, statements), told = made(), Told()
    for key in range(5):
        await custom.change(told, key, ((tier, "x"),))

    assert (len(told.texts), statements.compiled) == (10, 2)
