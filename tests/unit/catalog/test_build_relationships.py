"""Relationships: one name on either side, from profile, foreign keys and whitelist alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.build import build_catalog
from gateway.catalog.exposure import Mark, Name, RelationshipExposure, TableExposure
from gateway.catalog.model import Catalog, Guard, Relationship
from gateway.catalog.reflected import ReflectedForeignKey
from tests.support.catalogs import (
    FILE,
    ZONE,
    everything,
    exposure_of,
    make_catalog,
    names,
    perfex_built,
    perfex_catalog,
    perfex_reflection,
    reflected,
    reflection_of,
)

GOLDEN = Path(__file__).with_name("relationships.golden.txt")


@cache
def whole_catalog() -> Catalog:
    return perfex_catalog()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return whole_catalog()


def lines(catalog: Catalog) -> Iterator[str]:
    for table in catalog.exposed():
        for name, edge in sorted(table.relationships.items()):
            arrow = "->>" if edge.is_to_many else "-1>" if edge.pick else "->"
            owned = " owned" if edge.is_owned else ""
            yield f"{table.resource}.{name} {arrow} {catalog.table_of(edge).resource}{owned}"


def test_the_relationships_of_the_whole_crm_are_these(catalog: Catalog) -> None:
    """Every name a client may use, one a line (`GATEWAY_REWRITE_GOLDEN=1` writes them anew; read the diff)."""
    text = "\n".join(lines(catalog)) + "\n"
    if os.environ.get("GATEWAY_REWRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text.splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_fields_and_relationships_share_no_name(catalog: Catalog) -> None:
    """A name means one thing on a table."""
    assert not [table.name for table in catalog.exposed() if table.fields.keys() & table.relationships.keys()]


def test_every_edge_is_there_from_both_sides(catalog: Catalog) -> None:
    """A relationship and its inverse have the same columns and conditions, turned round."""
    edges = [edge for table in catalog.exposed() for edge in table.relationships.values() if not edge.pick]
    for edge in edges:
        assert edge.inverse is not None
        back = catalog.table_of(edge).relationships[edge.inverse]
        assert (back.inverse, back.target, back.guards) == (edge.name, edge.source, edge.guards)
        assert back.pairs == tuple((there, here) for here, there in edge.pairs)
        assert back.is_to_many is not edge.is_to_many


@given(st.sets(st.sampled_from(sorted(table.name.text for table in everything().tables)), min_size=2, max_size=12))
def test_names_do_not_depend_on_what_else_is_exposed(tables: set[str]) -> None:
    """A client's requests survive that another table is exposed or taken back."""
    whole = whole_catalog()
    part = perfex_catalog(exposure_of(*sorted(tables)))
    for table in part.exposed():
        everywhere = {name: edge.target for name, edge in whole.tables[table.name].relationships.items()}
        here = {name: edge.target for name, edge in table.relationships.items()}
        assert here == {name: target for name, target in everywhere.items() if target[3:] in tables}


def edge(catalog: Catalog, path: str) -> Relationship:
    resource, name = path.split(".")
    return catalog.resources[resource].relationships[name]


@pytest.mark.parametrize(
    ("path", "target", "pairs", "guards"),
    [
        ("invoices.agent", "staff", (("sale_agent", "staffid"),), (Guard("sale_agent", "nonzero"),)),
        ("invoices.client", "clients", (("clientid", "userid"),), (Guard("clientid", "nonzero"),)),
        ("invoices.items", "itemable", (("id", "rel_id"),), (Guard("rel_type", "eq", ("invoice",)),)),
        ("creditnotes.items", "itemable", (("id", "rel_id"),), (Guard("rel_type", "eq", ("credit_note",)),)),
        ("itemable.taxes", "item_tax", (("id", "itemid"),), ()),
        ("invoices.payments", "invoicepaymentrecords", (("id", "invoiceid"),), ()),
        ("clients.contracts", "contracts", (("userid", "client"),), ()),
        ("clients.files", "files", (("userid", "rel_id"),), (Guard("rel_type", "eq", ("customer",)),)),
        ("payments.payment_mode", "payment_modes", (("paymentmode", "id"),), (Guard("paymentmode", "numeric"),)),
        (
            "goals.contract_type_ref",
            "contracts_types",
            (("contract_type", "id"),),
            (Guard("contract_type", "nonzero"), Guard("goal_type", "in", (5, 7))),
        ),
    ],
)
def test_conditions_stand_on_the_side_that_holds_the_reference(
    path: str, target: str, pairs: tuple[tuple[str, str], ...], guards: tuple[Guard, ...], catalog: Catalog
) -> None:
    """From either side an edge has the same guards, of the referring table's columns."""
    found = edge(catalog, path)
    assert (catalog.table_of(found).resource, found.pairs, found.guards) == (target, pairs, guards)


def test_text_that_holds_numbers_is_marked(catalog: Catalog) -> None:
    """Those references are joined through a guarded cast, from both sides."""
    marked = {
        (each.source[3:], each.name)
        for table in catalog.exposed()
        for each in table.relationships.values()
        if each.is_text_reference and each.is_held_here
    }
    assert marked == {
        ("creditnote_refunds", "mode"),
        ("expenses", "payment_mode"),
        ("form_question_box_description", "box"),
        ("invoicepaymentrecords", "payment_mode"),
        ("sales_activity", "staff"),
        ("surveysemailsendcron", "list"),
    }
    assert edge(catalog, "payment_modes.payments").is_text_reference


def test_a_picked_to_one_takes_one_child(catalog: Catalog) -> None:
    """The primary contact is the first of those marked so."""
    picked = edge(catalog, "clients.primary_contact")
    assert picked.pick is not None
    assert picked.pick.guards == (Guard("is_primary", "eq", (1,)),)
    assert (picked.is_to_many, picked.is_held_here, picked.pairs) == (False, False, (("userid", "userid"),))


def test_a_declared_key_that_the_profile_knows_is_one_edge(catalog: Catalog) -> None:
    """The cascade makes the children owned; nothing is doubled."""
    log = [each for each in catalog.resources["twocheckout_log"].relationships.values() if not each.is_to_many]
    assert [each.name for each in log] == ["invoice"]
    assert edge(catalog, "invoices.twocheckout_log").is_owned


@pytest.mark.parametrize(
    ("path", "is_owned"),
    [
        ("invoices.items", True),
        ("invoices.payments", True),
        ("invoices.credits", True),
        ("invoices.tasks", True),
        ("creditnotes.credits", False),
        ("clients.contacts", True),
        ("clients.invoices", False),
        ("clients.tickets", False),
        ("projects.project_settings", True),
        ("projects.invoices", False),
        ("tasks.task_comments", True),
        ("tickets.ticket_replies", True),
        ("leads.notes", True),
        ("leads.customers", False),
        ("countries.leads", False),
    ],
)
def test_children_that_live_and_die_with_the_row_are_owned(path: str, is_owned: bool, catalog: Catalog) -> None:
    """A delete takes them along; the others block it."""
    assert edge(catalog, path).is_owned is is_owned


def test_what_depends_on_a_row_includes_internal_tables() -> None:
    """A delete of a lead finds its timeline, files and consents although none of them is exposed."""
    catalog = perfex_catalog(exposure_of("leads", "clients"))
    dependants = {each.target[3:]: each.is_owned for each in catalog.dependants["tblleads"]}
    assert dependants["lead_activity_log"]
    assert dependants["files"]
    assert not dependants["consents"]
    assert set(catalog.resources["leads"].relationships) == {"client", "customers"}
    assert "contact_permissions" in {each.target[3:] for each in catalog.dependants["tblcontacts"]}


def test_a_column_that_takes_a_relationships_name_makes_it_give_way() -> None:
    """A module added `invoices.agent`: the field is the column, the relationship `agent_ref`."""
    reflection = perfex_reflection()
    invoices = reflection.tables["tblinvoices"]
    added = reflected("t", "agent varchar(9)", "payments int").columns
    changed = replace(invoices, columns=(*invoices.columns, *added))
    reflection = replace(reflection, tables={**reflection.tables, "tblinvoices": changed})

    built = perfex_built(exposure_of("invoices", "staff", "payment_modes", "invoicepaymentrecords"), reflection)

    table = built.catalog.resources["invoices"]
    assert not built.problems
    assert table.relationships["agent_ref"].pairs == (("sale_agent", "staffid"),)
    assert table.relationships["payments_by_invoiceid"].target == "tblinvoicepaymentrecords"
    assert "paid" in table.fields


# databases without a profile


def key(column: str, target: str, to: str = "id", **extra: bool) -> ReflectedForeignKey:
    return ReflectedForeignKey((column,), target, (to,), **extra)


def test_a_foreign_key_is_a_relationship_both_ways() -> None:
    """The to-one is the column without its ending, the to-many the child's resource."""
    catalog = make_catalog(
        reflected("people", "id int!", "name text"),
        reflected("pets", "id int!", "owner_id int", foreign_keys=[key("owner_id", "people")]),
    )
    assert edge(catalog, "pets.owner").pairs == (("owner_id", "id"),)
    assert edge(catalog, "people.pets").pairs == (("id", "owner_id"),)


def test_a_key_without_underscore_is_called_by_what_it_refers_to() -> None:
    """`ownerid` refers to owners."""
    owners = reflected("owners", "id int!")
    pets = reflected("pets", "id int!", "ownerid int", foreign_keys=[key("ownerid", "owners")])
    assert set(make_catalog(owners, pets).resources["pets"].relationships) == {"owner"}


def test_a_view_in_a_known_tables_place_has_no_relationships() -> None:
    """What the profile knows of a table does not hold for a view."""
    reflection = perfex_reflection()
    view = replace(reflection.tables["tblclients"], is_view=True, primary_key=())
    reflection = replace(reflection, tables={**reflection.tables, "tblclients": view})
    catalog = perfex_built(exposure_of("clients", "invoices"), reflection).catalog
    assert set(catalog.resources["clients"].relationships) == set()
    assert "client" not in catalog.resources["invoices"].relationships


def test_two_keys_to_one_table_are_told_apart_by_their_columns() -> None:
    """Neither is the one to-many."""
    keys = [key("owner_id", "people"), key("vet_id", "people")]
    catalog = make_catalog(
        reflected("people", "id int!"), reflected("pets", "id int!", "owner_id int", "vet_id int", foreign_keys=keys)
    )
    assert set(catalog.resources["pets"].relationships) == {"owner", "vet"}
    assert set(catalog.resources["people"].relationships) == {"pets_by_owner_id", "pets_by_vet_id"}


def test_a_key_whose_name_is_a_column_is_called_by_its_target_else_ref() -> None:
    """The column stays the field."""
    people = reflected("people", "id int!")
    one = reflected("pets", "id int!", "owner int", foreign_keys=[key("owner", "people")])
    both = reflected("pets", "id int!", "owner int", "people text", foreign_keys=[key("owner", "people")])
    assert set(make_catalog(people, one).resources["pets"].relationships) == {"people"}
    assert set(make_catalog(people, both).resources["pets"].relationships) == {"owner_ref"}


def test_a_key_of_several_columns_is_called_by_its_target() -> None:
    """All its columns are paired."""
    composite = ReflectedForeignKey(("land", "zip"), "places", ("country", "code"))
    catalog = make_catalog(
        reflected("places", "country char(2)!", "code int!", key=("country", "code")),
        reflected("people", "id int!", "land char(2)", "zip int", foreign_keys=[composite]),
    )
    assert edge(catalog, "people.places").pairs == (("land", "country"), ("zip", "code"))
    assert edge(catalog, "places.people").pairs == (("country", "land"), ("code", "zip"))
    assert [column.name for column in catalog.resources["places"].key] == ["country", "code"]


def test_a_row_may_refer_to_its_own_table() -> None:
    """A parent is the to-one, its children the to-many."""
    catalog = make_catalog(reflected("nodes", "id int!", "parent_id int", foreign_keys=[key("parent_id", "nodes")]))
    assert {name: each.is_to_many for name, each in catalog.resources["nodes"].relationships.items()} == {
        "parent": False,
        "nodes": True,
    }


def test_a_key_to_a_table_that_is_not_exposed_is_no_relationship() -> None:
    """Nothing leads out of the whitelist."""
    people = reflected("people", "id int!")
    pets = reflected("pets", "id int!", "owner_id int", foreign_keys=[key("owner_id", "people", is_cascading=True)])
    catalog = make_catalog(people, pets, exposure=exposure_of("people", profile=None))
    assert not catalog.resources["people"].relationships
    assert [(each.target, each.is_owned) for each in catalog.dependants["people"]] == [("pets", True)]


def whitelisted(name: str, column: str, target: str, to: str, **extra: object) -> RelationshipExposure:
    made = RelationshipExposure(names(name, line=4)[0], names(column, line=5), names(target)[0], names(to))
    return replace(made, **extra)  # type: ignore[arg-type]  # a few keyword arguments of one dataclass


def pets_with(*relationships: RelationshipExposure) -> TableExposure:
    return TableExposure(Name("pets", Mark(FILE, 3, 3)), relationships=relationships)


PEOPLE = reflected("people", "id int!", "code varchar(9)")
PETS = reflected(
    "pets", "id int!", "owner_id int", "tag varchar(9)", "kind text", foreign_keys=[key("owner_id", "people")]
)


def test_a_whitelist_adds_relationships_of_its_own() -> None:
    """With a condition, and a name for the way back."""
    own = whitelisted("wearer", "tag", "people", "code", when="kind='dog'", reverse=names("dogs")[0])
    catalog = make_catalog(PEOPLE, PETS, exposure=exposure_of("people", pets_with(own), profile=None))
    assert edge(catalog, "pets.wearer").guards == (Guard("kind", "eq", ("dog",)),)
    assert edge(catalog, "people.dogs").pairs == (("code", "tag"),)
    assert edge(catalog, "people.pets_by_owner_id").pairs == (("id", "owner_id"),)


def test_a_whitelist_renames_a_foreign_key() -> None:
    """One edge, the administrator's name."""
    own = whitelisted("human", "owner_id", "people", "id")
    catalog = make_catalog(PEOPLE, PETS, exposure=exposure_of("people", pets_with(own), profile=None))
    assert set(catalog.resources["pets"].relationships) == {"human"}
    assert set(catalog.resources["people"].relationships) == {"pets"}


@pytest.mark.parametrize("name", ["kind", "owner"])
def test_a_name_that_is_taken_is_a_mistake(name: str) -> None:
    """By a column or by another relationship; the catalog does not build with it."""
    own = whitelisted(name, "tag", "people", "code")
    built = build_catalog(
        reflection_of(PEOPLE, PETS), exposure_of("people", pets_with(own), profile=None), None, zone=ZONE
    )
    assert [str(problem) for problem in built.problems] == [
        f'whitelist.yaml:4:7 relationship "{name}" of pets needs another name: this one is taken'
    ]


def test_two_relationships_over_the_same_columns_are_a_mistake() -> None:
    """Each relationship has one spelling."""
    twice = (whitelisted("a", "tag", "people", "code"), whitelisted("b", "tag", "people", "code"))
    built = build_catalog(
        reflection_of(PEOPLE, PETS), exposure_of("people", pets_with(*twice), profile=None), None, zone=ZONE
    )
    assert [problem.message for problem in built.problems] == ['relationship "b" of pets is already there as "a"']
