"""Custom fields: what the CRM's users defined becomes fields of their tables; secrets exist for no client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from gateway.catalog.build import Built, tables_needed
from gateway.catalog.exposure import Name, TableExposure
from gateway.catalog.kinds import KINDS
from gateway.catalog.lacking import lacking_rights
from gateway.catalog.model import CustomField, Table
from gateway.catalog.reflected import CustomField as Definition
from gateway.catalog.reflected import Reflection
from gateway.catalog.report import render_text, report
from gateway.catalog.rights import Rights
from tests.support.catalogs import START, exposure_of, names, perfex_built, perfex_profile, perfex_reflection

SECRETS = (
    Definition(1, "customers_industry", "Industry"),
    Definition(2, "customers_portal", "Portal Password"),
    Definition(3, "leads_api_token", "API"),
    Definition(4, "leads_pin", "PIN"),
)
TYPES = {
    "input": "string",
    "textarea": "multiline",
    "number": "number",
    "date_picker": "date",
    "date_picker_time": "datetime",
    "select": "enum",
    "multiselect": "words",
    "checkbox": "words",
    "colorpicker": "string",
    "link": "html",
    "something new": "string",
}


def defined(key: int, slug: str, entity: str = "customers", **more: object) -> Definition:
    return replace(Definition(key, slug, slug.capitalize(), entity), **more)  # type: ignore[arg-type]  # fields of it


def described(*definitions: Definition, without: Iterable[str] = (), rights: Rights | None = None) -> Reflection:
    return replace(perfex_reflection(without=without), custom_fields=definitions, rights=rights or Rights())


def built(*definitions: Definition, tables: tuple[str | TableExposure, ...] = ("clients",)) -> Built:
    return perfex_built(exposure_of(*tables), described(*definitions))


def fields_of(found: Built, resource: str = "clients") -> tuple[CustomField, ...]:
    return found.catalog.resources[resource].custom


def called(found: Built, resource: str = "clients") -> list[str]:
    return [field.name for field in fields_of(found, resource)]


def clients(**said: tuple[Name, ...]) -> TableExposure:
    return TableExposure(Name("clients", START), **said)  # type: ignore[arg-type]  # lists of names


# Fields


@pytest.mark.parametrize(("type_name", "kind"), TYPES.items())
def test_each_type_of_field_is_of_one_kind(type_name: str, kind: str) -> None:
    """A type that a later version brings is text."""
    (field,) = fields_of(built(defined(7, "x", type=type_name, options=("a", "b"))))

    assert (field.type.kind, field.type.members) == (KINDS[kind], ("a", "b") if kind in ("enum", "words") else ())


def test_a_choice_of_nothing_is_text() -> None:
    """No value could ever be written otherwise."""
    (field,) = fields_of(built(defined(7, "x", type="select")))

    assert field.type.kind.name == "string"


def test_text_has_the_length_of_the_table_of_values() -> None:
    """In bytes, as the server counts a MEDIUMTEXT."""
    (field,) = fields_of(built(defined(7, "x")))

    assert (field.type.length, field.type.is_byte_counted) == (2**24 - 1, True)


def test_a_field_knows_where_its_values_are() -> None:
    """And is among the fields of its table, under the same name."""
    found = built(defined(7, "customers_tier", name="Tier", is_required=True))
    (field,) = fields_of(found)
    table = found.catalog.resources["clients"]

    assert (field.name, field.label, field.is_required) == ("custom.customers_tier", "Tier", True)
    assert (field.table, field.values, field.definition, field.entity) == (
        "tblclients",
        "tblcustomfieldsvalues",
        7,
        "customers",
    )
    assert field.key is table.fields["userid"]
    assert table.fields["custom.customers_tier"] is field


def test_fields_stand_in_the_order_of_the_crms_forms() -> None:
    """By their place, and the older one first."""
    found = built(defined(1, "c", order=2), defined(2, "b", order=1), defined(3, "a", order=1))

    assert called(found) == ["custom.b", "custom.a", "custom.c"]


@pytest.mark.parametrize(
    ("entity", "resource"),
    [
        ("contacts", "contacts"),
        ("contracts", "contracts"),
        ("credit_note", "creditnotes"),
        ("customers", "clients"),
        ("estimate", "estimates"),
        ("expenses", "expenses"),
        ("invoice", "invoices"),
        ("leads", "leads"),
        ("projects", "projects"),
        ("proposal", "proposals"),
        ("staff", "staff"),
        ("tasks", "tasks"),
        ("tickets", "tickets"),
    ],
)
def test_every_kind_of_record_has_its_table(entity: str, resource: str) -> None:
    """And no other gets its fields."""
    catalog = perfex_built(reflection=described(defined(7, "x", entity))).catalog

    assert {table.resource: table.custom[0].entity for table in catalog.exposed() if table.custom} == {resource: entity}


def test_fields_of_items_are_those_of_the_catalogue_and_of_lines() -> None:
    """One definition, and values of two names."""
    found = built(defined(7, "supplier", "items"), tables=("items", "itemable"))

    assert [(field.name, field.entity) for name in ("items", "itemable") for field in fields_of(found, name)] == [
        ("custom.supplier", "items_pr"),
        ("custom.supplier", "items"),
    ]


def test_a_field_out_of_use_or_of_no_record_is_none() -> None:
    """The company's own fields belong to no table."""
    assert not called(
        built(defined(1, "old", is_active=False), defined(2, "licence", "company"), defined(3, "x", "leads"))
    )


def test_of_two_fields_with_one_slug_the_older_keeps_it() -> None:
    """Whatever their order, so that a name never comes to mean something else; `check` tells."""
    found = built(
        defined(4, "tier", order=1),
        defined(5, "tier_11", order=2),
        defined(9, "tier", order=0),
        defined(11, "tier", order=3),
        defined(12, "tier_9", order=4),
    )

    assert {field.definition: field.name for field in fields_of(found)} == {
        4: "custom.tier",
        5: "custom.tier_11",
        9: "custom.tier_9",
        11: "custom.tier_11_",
        12: "custom.tier_9_12",
    }
    assert [warning.rpartition(":")[2] for warning in found.catalog.warnings] == [
        ' "Tier" is custom.tier_9',
        ' "Tier" is custom.tier_11_',
        ' "Tier_9" is custom.tier_9_12',
    ]


@pytest.mark.parametrize(
    ("slug", "name", "due"),
    [
        ("a.b,c]", "", "custom.a_b_c"),
        ("", "Größe (cm)", "custom.Größe_cm"),
        ("عدد", "", "custom.عدد"),
        ("...", "", "custom.7"),
    ],
)
def test_a_name_has_nothing_in_it_that_means_something_in_a_request(slug: str, name: str, due: str) -> None:
    """Neither dots nor commas nor brackets, and it is never empty."""
    assert called(built(Definition(7, slug, name, "customers"))) == [due]


def test_a_table_whose_rows_are_told_by_another_key_has_none() -> None:
    """Values refer to rows by their primary key."""
    found = built(defined(7, "tier"), tables=(clients(key=names("company")),))

    assert not called(found)
    assert [item.what for item in found.catalog.absences] == ["custom fields of clients"]


def test_the_tables_of_custom_fields_are_internal() -> None:
    """They are read for others' sake, and nothing leads to them."""
    found = built(defined(7, "tier"))
    existing = perfex_reflection().existing

    assert tables_needed(exposure_of("clients"), perfex_profile(), existing) >= {
        "tblcustomfields",
        "tblcustomfieldsvalues",
    }
    assert "tblcustomfields" not in tables_needed(exposure_of("countries"), perfex_profile(), existing)
    assert found.catalog.tables["tblcustomfieldsvalues"].resource is None
    assert "customfieldsvalues" not in found.catalog.resources


# What keeps them away


@pytest.mark.parametrize(
    "lacking", ["tblcustomfields", "tblcustomfieldsvalues", "tblcustomfieldsvalues.value", "tblcustomfieldsvalues.id"]
)
def test_without_their_tables_the_fields_are_absent(lacking: str) -> None:
    """Never a failed start; `check` says why."""
    found = perfex_built(exposure_of("clients"), described(defined(7, "tier"), without=[lacking]))

    assert (called(found), found.problems) == ([], ())
    (reason,) = (item.reason for item in found.catalog.absences if item.what == "custom fields")
    assert lacking.partition(".")[0] in reason


def test_without_the_right_to_read_them_the_fields_are_absent() -> None:
    """The definitions may be there while their values are closed."""
    rights = Rights(frozenset(), {"tblclients": frozenset({"SELECT"}), "tblcustomfields": frozenset({"SELECT"})})
    found = perfex_built(exposure_of("clients"), described(defined(7, "tier"), rights=rights))

    assert not called(found)
    assert "tblcustomfieldsvalues is not to be read" in {item.reason for item in found.catalog.absences}


def test_values_are_not_served_where_their_definitions_cannot_be_read() -> None:
    """Nobody could say which of them are secret."""
    unreadable = replace(described(), unreadable={"tblcustomfields": "no right"})
    for reflection in (described(without=["tblcustomfields"]), unreadable):
        found = perfex_built(exposure_of("customfieldsvalues", "clients"), reflection)

        assert "customfieldsvalues" not in found.catalog.resources
        assert [absence.what for absence in found.catalog.absences if "customfields" in absence.what]
        assert "clients" in found.catalog.resources


# What the whitelist says of them


def test_a_whitelist_hides_a_field() -> None:
    """It is no field then, and its rows are gone from the table of values."""
    entry = clients(hide=names("custom.tier"))
    found = built(defined(7, "tier"), defined(8, "size"), tables=(entry, "customfieldsvalues"))
    values = found.catalog.resources["customfieldsvalues"]

    assert (called(found), found.problems) == (["custom.size"], ())
    assert values.excluded is not None
    assert values.excluded.values == (7,)


def test_a_hidden_field_out_of_use_stays_hidden() -> None:
    """Its values are still there."""
    entry = clients(hide=names("custom.tier"))
    found = built(defined(7, "tier", is_active=False), tables=(entry, "customfieldsvalues"))
    excluded = found.catalog.resources["customfieldsvalues"].excluded

    assert excluded is not None
    assert excluded.values == (7,)


def test_a_whitelist_makes_a_field_read_only() -> None:
    """On the table that it says it of."""
    found = built(defined(7, "tier"), defined(8, "size"), tables=(clients(read_only=names("custom.tier")),))

    assert [(field.name, field.is_read_only) for field in fields_of(found)] == [
        ("custom.tier", True),
        ("custom.size", False),
    ]


def test_a_field_that_is_not_there_is_no_mistake() -> None:
    """The CRM's users may have removed it; `check` offers the nearest."""
    found = built(
        defined(7, "tier"),
        tables=(clients(hide=names("custom.teir"), read_only=names("custom.an_entirely_other_one")),),
    )

    assert not found.problems
    assert [(item.what, item.reason) for item in found.catalog.absences] == [
        ("clients.custom.teir", 'no custom field is called so; did you mean "custom.tier"?'),
        ("clients.custom.an_entirely_other_one", "no custom field is called so"),
    ]


def test_a_table_without_custom_fields_has_no_such_name() -> None:
    """There it is a column that nothing knows."""
    entry = TableExposure(Name("countries", START), hide=names("custom.tier"))

    assert ["custom.tier" in problem.message for problem in built(tables=(entry,)).problems] == [True]


# Secrets


def tables(*hide: str) -> tuple[Table, Table]:
    """Return the definitions and the values, as a whitelist with ``hide`` patterns serves them."""
    exposure = replace(exposure_of("customfields", "customfieldsvalues"), hide_patterns=names(*hide))
    catalog = perfex_built(exposure, described(*SECRETS)).catalog
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


def test_a_secret_is_no_field() -> None:
    """By its slug, by its name, or by a pattern of the whitelist."""
    definitions = (
        defined(1, "api_token"),
        defined(2, "portal", name="Password hint"),
        defined(3, "iban_no"),
        defined(4, "tier"),
    )
    exposure = replace(exposure_of("clients"), hide_patterns=names("iban"))

    assert called(perfex_built(exposure, described(*definitions))) == ["custom.tier"]


# `gateway check`


def test_check_lists_them_with_their_kinds() -> None:
    """Table by table."""
    exposure = exposure_of("clients", "leads")
    reflection = described(defined(7, "tier"), defined(8, "size", type="number"))
    found = perfex_built(exposure, reflection)
    told = report(found.catalog, reflection, exposure, found.problems, perfex_profile())

    assert "clients: custom.tier (string), custom.size (number)" in render_text(told)
    assert "leads: custom" not in render_text(told)


def test_rights_to_write_them_are_told() -> None:
    """With the tables whose writes need them."""
    read = frozenset({"SELECT"})
    own = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
    held = dict.fromkeys(perfex_reflection().existing, own) | {"tblcustomfieldsvalues": read}
    rights = Rights(frozenset(), held, account="'u'@'%'", database="crm")
    catalog = perfex_built(exposure_of("expenses"), described(defined(7, "x", "expenses"), rights=rights)).catalog

    (lacking,) = lacking_rights(catalog, rights)
    assert (lacking.table, lacking.rights) == ("tblcustomfieldsvalues", ("INSERT", "UPDATE", "DELETE"))
    assert "writing custom fields of expenses" in str(lacking)
