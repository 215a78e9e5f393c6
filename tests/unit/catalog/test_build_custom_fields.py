"""Custom fields whose slug or name says that they hold a secret exist for no client."""

from __future__ import annotations

from dataclasses import replace

from gateway.catalog.model import Table
from gateway.catalog.reflected import CustomField
from tests.support.catalogs import exposure_of, names, perfex_built, perfex_reflection

FIELDS = (
    CustomField(1, "customers_industry", "Industry"),
    CustomField(2, "customers_portal", "Portal Password"),
    CustomField(3, "leads_api_token", "API"),
    CustomField(4, "leads_pin", "PIN"),
)


def tables(*hide: str) -> tuple[Table, Table]:
    """Return the definitions and the values, as a whitelist with ``hide`` patterns serves them."""
    exposure = replace(exposure_of("customfields", "customfieldsvalues"), hide_patterns=names(*hide))
    reflection = replace(perfex_reflection(), custom_fields=FIELDS)
    catalog = perfex_built(exposure, reflection).catalog
    return catalog.resources["customfields"], catalog.resources["customfieldsvalues"]


def test_secret_fields_are_left_out_of_definitions_and_values() -> None:
    """By the built-in words, in the slug or in the name."""
    definitions, values = tables()

    assert definitions.excluded is not None
    assert values.excluded is not None
    assert (definitions.excluded.column.name, definitions.excluded.values) == ("id", (2, 3))
    assert (values.excluded.column.name, values.excluded.values) == ("fieldid", (2, 3))


def test_patterns_of_the_whitelist_count_too() -> None:
    """They are added to the built-in ones."""
    _, values = tables("pin")

    assert values.excluded is not None
    assert values.excluded.values == (2, 3, 4)


def test_values_are_not_served_where_their_definitions_cannot_be_seen() -> None:
    """Nobody could say which of them are secret."""
    built = perfex_built(exposure_of("customfieldsvalues", "clients"), perfex_reflection(without=["tblcustomfields"]))

    assert "customfieldsvalues" not in built.catalog.resources
    assert [absence.what for absence in built.catalog.absences if "customfields" in absence.what]
    assert "clients" in built.catalog.resources
