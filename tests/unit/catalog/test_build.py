"""Building a catalog: which tables, under which names, and every mistake at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.catalog.build import Built, build_catalog, tables_needed
from gateway.catalog.exposure import Exposure, Mark, Name, TableExposure
from gateway.catalog.model import Absence, Catalog
from gateway.catalog.naming import RESERVED
from gateway.catalog.whitelist import parse_whitelist
from tests.support.catalogs import (
    FILE,
    ZONE,
    exposure_of,
    make_catalog,
    names,
    perfex_built,
    perfex_catalog,
    perfex_profile,
    perfex_reflection,
    reflected,
    reflection_of,
)


def built_from(text: str, without: tuple[str, ...] = ()) -> Built:
    return perfex_built(parse_whitelist(text, FILE), perfex_reflection(without=without))


def problems_of(text: str) -> list[str]:
    header = "version: 1\nprofile: perfex\ntables:\n"
    return [str(problem) for problem in built_from(header + text).problems]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return perfex_catalog()


def test_a_resource_is_called_as_its_table_without_the_prefix(catalog: Catalog) -> None:
    """Table names stay the database's, resource names lose the prefix."""
    assert catalog.resources["invoices"] is catalog.tables["tblinvoices"]
    assert (catalog.resources["invoices"].name, catalog.resources["invoices"].resource) == ("tblinvoices", "invoices")


@pytest.mark.parametrize(
    ("alias", "resource"),
    [
        ("customers", "clients"),
        ("payments", "invoicepaymentrecords"),
        ("line_items", "itemable"),
        ("credit_notes", "creditnotes"),
    ],
)
def test_aliases_name_the_same_table(alias: str, resource: str, catalog: Catalog) -> None:
    """An alias answers as the resource itself."""
    assert catalog.resources[alias] is catalog.resources[resource]
    assert alias in catalog.resources[resource].aliases


@pytest.mark.parametrize("name", ["invoices", "tblinvoices"])
def test_a_whitelist_names_tables_with_or_without_prefix(name: str) -> None:
    """Both spellings mean one table."""
    assert list(perfex_catalog(exposure_of(name)).resources) == ["invoices"]


def test_a_table_without_the_prefix_is_found_too() -> None:
    """A view that somebody added is exposed by its own name, and the profile knows nothing of it."""
    reflection = perfex_reflection()
    view = reflected("invoices", "id int!", "total decimal(15,2)", is_view=True)
    reflection = replace(reflection, tables={"invoices": view}, existing=frozenset(("invoices",)))

    built = perfex_built(exposure_of("invoices"), reflection)

    assert built.catalog.resources["invoices"].summary == ""
    assert not built.problems


def test_another_prefix_is_the_whitelists_to_say() -> None:
    """The profile's prefix is only its default."""
    reflection = perfex_reflection()
    renamed = {name.replace("tbl", "crm_", 1): table for name, table in reflection.tables.items()}
    tables = {name: replace(table, name=name) for name, table in renamed.items()}
    reflection = replace(reflection, tables=tables, existing=frozenset(tables))

    catalog = perfex_built(exposure_of("invoices", "clients", prefix="crm_"), reflection).catalog

    assert catalog.resources["invoices"].name == "crm_invoices"
    assert catalog.resources["invoices"].relationships["client"].target == "crm_clients"


def test_keys_come_from_the_database_else_from_the_profile(catalog: Catalog) -> None:
    """Tables without primary key are addressed by the columns that identify their rows."""
    keys = {name: [column.name for column in catalog.resources[name].key] for name in ("clients", "taggables")}
    assert keys == {"clients": ["userid"], "taggables": ["rel_type", "rel_id", "tag_id"]}


def test_every_exposed_table_can_be_addressed(catalog: Catalog) -> None:
    """No table of the CRM is list-only."""
    assert not [table.name for table in catalog.exposed() if not table.key]


def test_indexed_columns_are_those_an_index_begins_with(catalog: Catalog) -> None:
    """A search over the others reads the whole table."""
    invoices = catalog.resources["invoices"]
    assert {"id", "clientid"} <= invoices.indexed
    assert "adminnote" not in invoices.indexed


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file() -> None:
    """An administrator mends a whitelist in one go."""
    assert problems_of(
        """\
  invoices:
    hide: [duedat]
    key: [iid]
    read_only: [totl]
    search: [adminote, total]
    kinds: {status: html, nots: html}
  clents: {}
  sessions: {}
  leads:
    expose_sensitive: [hassh]
"""
    ) == [
        'whitelist.yaml:5:12 unknown column "duedat" in invoices; did you mean "duedate"?',
        'whitelist.yaml:6:11 unknown column "iid" in invoices; did you mean "id"?',
        'whitelist.yaml:7:17 unknown column "totl" in invoices; did you mean "total"?',
        'whitelist.yaml:8:14 unknown column "adminote" in invoices; did you mean "adminnote"?',
        'whitelist.yaml:8:24 column "total" of invoices is no text and cannot be searched',
        'whitelist.yaml:9:21 column "status" of invoices is int(11), which cannot be html',
        'whitelist.yaml:9:27 unknown column "nots" in invoices',
        'whitelist.yaml:10:3 unknown table "clents"; did you mean "clients"?',
        'whitelist.yaml:11:3 table "sessions" holds secrets and cannot be exposed',
        'whitelist.yaml:13:24 unknown column "hassh" in leads; did you mean "hash"?',
    ]


def test_a_mistaken_name_is_left_out_and_the_rest_is_built() -> None:
    """A reload goes on without it."""
    built = built_from("version: 1\nprofile: perfex\ntables:\n  invoices: {hide: [duedat]}\n  nothing: {}\n")
    assert len(built.problems) == 2
    assert list(built.catalog.resources) == ["invoices"]


def test_relationships_of_the_whitelist_are_checked_too() -> None:
    """Its tables, columns and condition have marks of their own."""
    assert problems_of(
        """\
  staff: {}
  invoices:
    relationships:
      boss: {column: sale_agnt, to: staff.staffid}
      owner: {column: addedfrom, to: stuff.staffid}
      writer: {column: addedfrom, to: staff.stafid}
      closer: {column: addedfrom, to: staff.staffid, when: status > 2}
      seller: {column: sale_agent, to: staff.staffid, when: sale_agent<>0}
      opener: {column: addedfrom, to: staff.staffid, when: stat=2}
"""
    ) == [
        'whitelist.yaml:7:22 unknown column "sale_agnt" in invoices; did you mean "sale_agent"?',
        'whitelist.yaml:8:38 unknown exposed table "stuff"; did you mean "staff"?',
        'whitelist.yaml:9:39 unknown column "stafid" in staff; did you mean "staffid"?',
        'whitelist.yaml:10:60 cannot read the condition "status > 2": expected =, <>0, is not null or in (…) after '
        "status; a condition is made of col=const, col<>0, col is not null, col in (…) and numeric(col), joined by and",
        'whitelist.yaml:11:7 relationship "seller" of invoices is already there as "agent"',
        'whitelist.yaml:12:60 unknown column "stat" in invoices; did you mean "status"?',
    ]


def test_a_table_named_twice_is_a_mistake() -> None:
    """With and without prefix is still twice."""
    assert problems_of("  invoices: {}\n  tblinvoices: {}\n") == [
        'whitelist.yaml:5:3 table "tblinvoices" is named twice'
    ]


def test_two_tables_cannot_share_a_name() -> None:
    """The first keeps it."""
    assert problems_of("  leads: {alias: prospects}\n  staff: {alias: prospects}\n  tags: {alias: staff}\n") == [
        'whitelist.yaml:5:18 "prospects" already names the table "tblleads"',
        'whitelist.yaml:6:17 "staff" already names the table "tblstaff"',
    ]


def test_a_profiles_alias_gives_way_to_a_table_of_that_name() -> None:
    """Nobody erred, so it is a warning; the relationship keeps its name."""
    reflection = perfex_reflection()
    own = reflected("tblpayments", "id int!")
    reflection = replace(
        reflection, tables={**reflection.tables, "tblpayments": own}, existing=reflection.existing | {"tblpayments"}
    )

    built = perfex_built(exposure_of("invoicepaymentrecords", "payments", "invoices"), reflection)

    assert not built.problems
    assert built.catalog.resources["payments"].name == "tblpayments"
    assert built.catalog.resources["invoices"].relationships["payments"].target == "tblinvoicepaymentrecords"
    assert [text for text in built.catalog.warnings if '"payments"' in text]


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_table_with_a_reserved_name_needs_an_alias(name: str) -> None:
    """Its path is the gateway's own; the alias becomes its resource name."""
    table = reflected(name, "id int!")
    bare = build_catalog(reflection_of(table), exposure_of(name, profile=None), None, zone=ZONE)
    named = TableExposure(Name(name, Mark(FILE, 2, 3)), aliases=names("mine"))

    assert [str(problem) for problem in bare.problems] == [
        f'whitelist.yaml:2:3 table "{name}" needs an alias: "{name}" is a reserved name'
    ]
    assert not bare.catalog.resources
    assert list(make_catalog(table, exposure=exposure_of(named, profile=None)).resources) == ["mine"]


def test_an_alias_cannot_be_reserved() -> None:
    """It would hide a path of the gateway's own."""
    exposure = exposure_of(TableExposure(Name("leads", Mark(FILE, 2, 3)), aliases=names("schema", line=2)))
    assert [str(problem) for problem in perfex_built(exposure).problems] == [
        'whitelist.yaml:2:7 alias "schema" is a reserved name'
    ]


def test_what_some_version_has_is_absent_and_no_mistake() -> None:
    """Tables of modules that are not installed, columns of other versions, columns that come at run time."""
    built = built_from(
        "version: 1\nprofile: perfex\ntables:\n  goals: {}\n  items: {hide: [rate_currency_3]}\n"
        "  invoices: {search: [formatted_number]}\n",
        without=("tblgoals", "tblinvoices.formatted_number"),
    )

    assert not built.problems
    assert [absence.what for absence in built.catalog.absences] == [
        "goals",
        "items.rate_currency_3",
        "invoices.formatted_number",
    ]
    assert list(built.catalog.resources) == ["items", "invoices"]


def test_what_the_previous_catalog_had_is_absent_and_no_mistake() -> None:
    """A column that was dropped under the gateway does not make its reload fail."""
    pets, owners = reflected("pets", "id int!", "name varchar(9)", "chip int"), reflected("owners", "id int!")
    entry = TableExposure(Name("pets", Mark(FILE, 2, 3)), hide=names("chip"))
    exposure = exposure_of(entry, "owners", profile=None)
    previous = make_catalog(pets, owners, exposure=exposure_of("pets", "owners", profile=None))
    now = reflection_of(reflected("pets", "id int!", "name varchar(9)"))

    built = build_catalog(now, exposure, None, zone=ZONE, previous=previous)

    assert not built.problems
    assert [absence.what for absence in built.catalog.absences] == ["owners", "pets.chip"]
    assert len(build_catalog(now, exposure, None, zone=ZONE).problems) == 2


def test_a_relationship_of_the_whitelist_is_absent_with_what_it_needs() -> None:
    """Its target's module is not installed, or its column belongs to another version."""
    built = built_from(
        """\
version: 1
profile: perfex
tables:
  goals: {}
  staff: {}
  invoices:
    relationships:
      goal: {column: number, to: goals.id}
      writer: {column: sale_agent, to: staff.staffid}
""",
        without=("tblgoals", "tblinvoices.sale_agent"),
    )

    assert not built.problems
    assert {"goals", "relationship invoices.goal", "invoices.sale_agent"} <= {
        absence.what for absence in built.catalog.absences
    }


def test_a_reserved_tables_alias_can_clash_as_any_name_can() -> None:
    """The table whose own name it is comes first in the file here, and keeps it."""
    changes = TableExposure(Name("changes", Mark(FILE, 3, 3)), aliases=names("pets"))
    tables = (reflected("pets", "id int!"), reflected("changes", "id int!"))
    built = build_catalog(reflection_of(*tables), exposure_of("pets", changes, profile=None), None, zone=ZONE)
    assert [str(problem) for problem in built.problems] == [
        'whitelist.yaml:3:3 "pets" already names the table "pets"; give one an alias'
    ]
    assert built.catalog.resources["pets"].name == "pets"


@pytest.mark.parametrize("column", ["tblinvoices.sale_agent", "tblstaff.staffid"])
def test_a_relationship_goes_with_its_columns(column: str) -> None:
    """The table is served without it, and `check` lists it."""
    built = perfex_built(exposure_of("invoices", "staff"), perfex_reflection(without=(column,)))
    assert "agent" not in built.catalog.resources["invoices"].relationships
    lacking = column.removeprefix("tbl")
    reason = f"it needs {lacking}, which this database has not"
    assert Absence("relationship invoices.agent", reason) in built.catalog.absences


def test_only_the_whitelisted_tables_and_what_they_need_are_reflected() -> None:
    """Tables summed over, sources of fillers, and children of what can be deleted."""
    existing = perfex_reflection().existing

    def needed(*tables: str) -> set[str]:
        found = tables_needed(exposure_of(*tables), perfex_profile(), existing)
        return {name.removeprefix("tbl") for name in found}

    assert needed("countries") >= {"countries", "clients", "leads", "invoices"}
    assert needed("roles") == {"roles"}
    assert needed("invoices") >= {"invoices", "invoicepaymentrecords", "credits", "itemable", "sales_activity"}
    assert needed("notes") == {"notes", "staff"}
    assert needed("expenses") >= {"expenses", "staff", "currencies", "clients", "files", "tasks"}
    assert needed("leads") >= {"leads_status", "leads_sources", "options", "lead_activity_log", "customfieldsvalues"}
    assert needed("tasks") >= {"tasks", "milestones", "options", "project_activity", "staff", "taskstimers"}


def test_tables_that_do_not_exist_are_not_asked_for() -> None:
    """A module that is not installed needs nothing."""
    existing = frozenset(("tblleads", "tblstaff"))
    assert tables_needed(exposure_of("leads", "goals"), perfex_profile(), existing) == existing


def test_without_a_profile_only_the_whitelisted_tables_are_reflected() -> None:
    """Nothing is known of what they need."""
    assert tables_needed(exposure_of("a", profile=None), None, frozenset("ab")) == {"a"}


def test_a_table_of_an_unknown_module_needs_only_itself() -> None:
    """The profile says nothing of it."""
    existing = frozenset(("tblpets", "tblstaff"))
    assert tables_needed(exposure_of("pets"), perfex_profile(), existing) == {"tblpets"}


def test_internal_tables_are_no_resources() -> None:
    """They have no name for clients, no relationships, and cannot be written."""
    catalog = perfex_catalog(exposure_of("leads"))
    internal = [table for table in catalog.tables.values() if table.resource is None]
    assert set(catalog.resources) == {"leads"}
    assert internal
    assert not [table for table in internal if table.relationships or table.aliases]


def test_the_options_that_the_gateway_reads_can_be_read() -> None:
    """Hidden everywhere else, the value of an option is a column of the internal table."""
    options = perfex_catalog(exposure_of("leads")).tables["tbloptions"]
    assert {"name", "value"} <= set(options.fields)


def test_the_catalog_keeps_what_it_was_built_from() -> None:
    """Dialect, zone, fingerprint and prefix come along."""
    catalog = perfex_catalog(dialect="sqlite")
    assert (catalog.dialect, catalog.zone, catalog.fingerprint, catalog.prefix) == ("sqlite", ZONE, "facts", "tbl")


def test_an_empty_whitelist_is_an_empty_catalog() -> None:
    """Nothing is exposed by itself."""
    catalog = perfex_catalog(Exposure(FILE, "perfex", None, ()))
    assert not catalog.resources
    assert not catalog.exposed()
