"""Fields: kinds, defaults, fillers, write modes, and those that the profile derives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.catalog.build import build_catalog
from gateway.catalog.exposure import Mark, Name, TableExposure
from gateway.catalog.expressions import parse_field
from gateway.catalog.knowledge import KnownField
from gateway.catalog.model import (
    BinaryTerm,
    Catalog,
    Column,
    ColumnTerm,
    ExpressionField,
    Filler,
    PathField,
    SumTerm,
    WriteMode,
)
from gateway.catalog.reflected import ReflectedColumn
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
)

EMAIL = "primary_contact.email"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return perfex_catalog()


def column(catalog: Catalog, path: str) -> Column:
    resource, name = path.split(".")
    found = catalog.resources[resource].fields[name]
    assert isinstance(found, Column)
    return found


def entry(table: str, **keys: object) -> TableExposure:
    return TableExposure(Name(table, Mark(FILE, 2, 3)), **keys)  # type: ignore[arg-type]  # keywords of one dataclass


# derived fields


def test_a_path_reads_the_end_of_a_picked_to_one(catalog: Catalog) -> None:
    """A customer's e-mail is its primary contact's."""
    email = catalog.resources["clients"].fields["email"]
    assert isinstance(email, PathField)
    assert email.relationship is catalog.resources["clients"].relationships["primary_contact"]
    assert email.columns == (column(catalog, "contacts.email"),)
    assert email.type is email.columns[0].type


def test_a_path_may_join_columns(catalog: Catalog) -> None:
    """A contact's name is first and last name."""
    name = catalog.resources["clients"].fields["contact_name"]
    assert isinstance(name, PathField)
    assert [each.name for each in name.columns] == ["firstname", "lastname"]
    assert name.type.kind.name == "string"


def test_a_path_needs_its_tables_exposed() -> None:
    """Without contacts a customer has no e-mail, and nothing is amiss."""
    catalog = perfex_catalog(exposure_of("clients"))
    assert not {"email", "contact_name"} & catalog.resources["clients"].fields.keys()
    assert not [absence for absence in catalog.absences if absence.what.startswith("clients.")]


def test_a_sum_belongs_to_the_row() -> None:
    """It counts every child although no child is exposed."""
    catalog = perfex_catalog(exposure_of("invoices"))
    paid = catalog.resources["invoices"].fields["paid"]
    assert isinstance(paid, ExpressionField)
    assert isinstance(paid.expression, BinaryTerm)
    payments = paid.expression.left
    assert isinstance(payments, SumTerm)
    assert catalog.table_of(payments.relationship).resource is None
    assert payments.column in catalog.table_of(payments.relationship).columns


def test_expressions_use_other_derived_fields(catalog: Catalog) -> None:
    """The balance is the total less what was paid, with the total's scale."""
    fields = catalog.resources["invoices"].fields
    paid, balance = fields["paid"], fields["balance"]
    assert isinstance(paid, ExpressionField)
    assert isinstance(balance, ExpressionField)
    assert balance.expression == BinaryTerm("-", ColumnTerm(column(catalog, "invoices.total")), paid.expression)
    assert (balance.type.kind.name, balance.type.scale, balance.text) == ("decimal", 2, "total - paid")


def test_only_what_compares_with_the_day_needs_it(catalog: Catalog) -> None:
    """Overdue depends on the date, a balance does not."""
    fields = catalog.resources["invoices"].fields
    needs = {name: field.needs_today for name, field in fields.items() if isinstance(field, ExpressionField)}
    assert needs == {"paid": False, "balance": False, "is_overdue": True}
    assert fields["is_overdue"].type.kind.name == "flag"


def test_the_derived_fields_are_these(catalog: Catalog) -> None:
    """Beside a table's own columns."""
    derived = {
        table.resource: sorted(table.fields.keys() - {each.name for each in table.columns})
        for table in catalog.exposed()
    }
    assert {resource: names for resource, names in derived.items() if names} == {
        "clients": ["contact_name", "email"],
        "creditnotes": ["remaining", "used"],
        "invoices": ["balance", "is_overdue", "paid"],
    }


def test_a_derived_field_goes_with_what_it_needs() -> None:
    """A column the database lost, or the whitelist hides, takes along whatever is made of it."""
    lost = perfex_built(exposure_of("invoices"), perfex_reflection(without=("tblinvoicepaymentrecords.amount",)))
    hidden = perfex_built(exposure_of(entry("invoices", hide=names("total"))))
    assert not {"paid", "balance", "is_overdue"} & lost.catalog.resources["invoices"].fields.keys()
    assert {"invoices.paid", "invoices.balance"} <= {absence.what for absence in lost.catalog.absences}
    assert hidden.catalog.resources["invoices"].fields.keys() & {"paid", "balance", "is_overdue"} == {"paid"}


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"a": "b + 1", "b": "a - 1"}, set()),
        ({"a": "email", "b": "datecreated"}, {"b"}),
        ({"a": "sum(primary_contact.id)"}, set()),
        ({"a": "sum(contacts.password)"}, set()),
        ({"a": "primary_contact.password", "b": "invoices.total"}, set()),
    ],
)
def test_what_cannot_be_worked_out_is_left_out(fields: dict[str, str], left: set[str]) -> None:
    """Circles, paths inside expressions, sums over one row, hidden columns, paths to many rows."""
    profile = perfex_profile()
    clients = profile.tables["clients"]
    derived = tuple(KnownField(name, text, parse_field(text)) for name, text in {"email": EMAIL, **fields}.items())
    changed = replace(profile, tables={**profile.tables, "clients": replace(clients, derived=derived)})
    exposure = exposure_of("clients", "contacts", "invoices")
    found = build_catalog(perfex_reflection(), exposure, changed, zone=ZONE).catalog.resources["clients"].fields
    assert {name for name in fields if name in found} == left


def test_a_column_stands_before_a_derived_field_of_its_name() -> None:
    """Another version may have a column where this one computes."""
    reflection = perfex_reflection()
    clients = reflection.tables["tblclients"]
    own = type(clients)(clients.name, (*clients.columns, ReflectedColumn("email", "varchar(9)")), ("userid",))
    built = perfex_built(
        exposure_of("clients", "contacts"),
        type(reflection)("mariadb", {**reflection.tables, "tblclients": own}, reflection.existing),
    )
    assert isinstance(built.catalog.resources["clients"].fields["email"], Column)


# kinds and defaults


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("invoices.allowed_payment_modes", "php_list"),
        ("tasks.description", "html"),
        ("contracts.content", "html"),
        ("notes.description", "multiline"),
        ("clients.billing_street", "multiline"),
        ("leads.lost", "flag"),
        ("invoices.total", "decimal"),
    ],
)
def test_the_profile_says_what_text_holds(path: str, kind: str, catalog: Catalog) -> None:
    """Lists, markup and lines with breaks look alike to the database."""
    assert column(catalog, path).type.kind.name == kind


def test_a_projects_settings_take_two_words(catalog: Catalog) -> None:
    """PHP unserializes the column, so nothing else is written to it."""
    assert column(catalog, "project_settings.value").type.members == ("0", "1")


def test_a_whitelist_says_what_text_holds() -> None:
    """It overrules the profile, and works without one."""
    table = reflected("t", "id int!", "data longtext", "on_off tinyint(4)", "page text")
    kinds = {"data": "json", "on_off": "flag", "page": "html"}
    exposure = exposure_of(entry("t", kinds={key: names(kind)[0] for key, kind in kinds.items()}), profile=None)
    fields = make_catalog(table, exposure=exposure).resources["t"].fields
    assert {name: fields[name].type.kind.name for name in kinds} == kinds


def test_a_kind_that_does_not_exist_or_fit_is_a_mistake() -> None:
    """The mark is the kind's."""
    kinds = {"name": names("markdown", line=3)[0], "lost": names("html", line=4)[0], "email": names("htm", line=5)[0]}
    built = perfex_built(exposure_of(entry("leads", kinds=kinds)))
    assert [str(problem) for problem in built.problems] == [
        'whitelist.yaml:3:7 unknown kind "markdown"',
        'whitelist.yaml:4:7 column "lost" of leads is tinyint(1), which cannot be html',
        'whitelist.yaml:5:7 unknown kind "htm"; did you mean "html"?',
    ]


def test_what_the_database_fills_need_not_be_given() -> None:
    """Defaults, numbering, generated columns and null; a generated one is read-only too."""
    fields = make_catalog(
        reflected(
            "t",
            "id int!",
            "note text",
            "name varchar(9)!",
            ReflectedColumn("size", "int", is_nullable=False, default="0"),
            ReflectedColumn("twice", "int", is_nullable=False, is_generated=True),
            ReflectedColumn("born", "date", is_nullable=False, default="0000-00-00"),
        )
    ).resources["t"]
    assert [each.name for each in fields.columns if each.is_required] == ["name"]
    assert [each.name for each in fields.columns if each.is_read_only] == ["twice"]
    assert [each.name for each in fields.columns if each.has_zero_date_default] == ["born"]
    assert [each.position for each in fields.columns] == list(range(6))


# writing


@pytest.mark.parametrize(
    ("resource", "required"),
    [
        ("clients", {"company"}),
        ("leads", {"name"}),
        ("notes", {"rel_type", "rel_id"}),
        ("expenses", {"category", "amount"}),
        ("contracts", {"client"}),
        ("reminders", {"rel_type", "rel_id", "staff", "date"}),
        ("todos", {"description"}),
        ("milestones", {"name", "due_date", "project_id"}),
        ("task_comments", {"taskid", "content"}),
    ],
)
def test_creating_asks_only_for_what_a_user_would_think_of(resource: str, required: set[str], catalog: Catalog) -> None:
    """The rest has defaults, or is filled as the CRM fills it."""
    table = catalog.resources[resource]
    assert table.create_refusal is None
    assert {each.name for each in table.columns if each.is_required} == required


@pytest.mark.parametrize(
    ("path", "filler"),
    [
        ("notes.dateadded", Filler("now")),
        ("notes.addedfrom", Filler("acting_staff")),
        ("expenses.date", Filler("today")),
        ("expenses.currency", Filler("client_currency")),
        ("expenses.clientid", Filler("constant", 0)),
        ("leads.status", Filler("lead_status")),
        ("leads.source", Filler("lead_source")),
        ("clients.billing_country", Filler("constant", 0)),
        ("contacts.phonenumber", Filler("constant", "")),
    ],
)
def test_fillers_write_what_the_crm_would(path: str, filler: Filler, catalog: Catalog) -> None:
    """Times, the acting staff, a customer's currency, and the CRM's words for nothing."""
    assert column(catalog, path).filler == filler


@pytest.mark.parametrize(
    ("options", "is_required"),
    [({}, True), ({"company_is_required": "1"}, True), ({"company_is_required": "0"}, False)],
)
def test_a_customers_name_is_required_where_the_crm_is_set_so(options: Mapping[str, str], is_required: bool) -> None:
    """Without it the CRM shows the primary contact's, for which it needs an empty text and no NULL."""
    catalog = perfex_built(exposure_of("clients"), perfex_reflection(options=options)).catalog
    company = column(catalog, "clients.company")

    assert company.is_required is is_required
    assert company.filler == (None if is_required else Filler("constant", ""))


def test_columns_that_php_trusts_are_read_only_everywhere(catalog: Catalog) -> None:
    """Paths of files, links and serialized data, in whatever table."""
    read_only = {each.name for table in catalog.exposed() for each in table.columns if each.is_read_only}
    assert read_only == {
        "file_name",
        "original_file_name",
        "profile_image",
        "signature",
        "media_path_slug",
        "external",
        "external_link",
        "thumbnail_link",
        "additional_data",
    }


@pytest.mark.parametrize(
    ("exposed", "mode", "is_refused"),
    [
        (entry("clients"), WriteMode.PLAIN, False),
        (entry("leads"), WriteMode.MANAGED, False),
        (entry("leads", is_unsafe_writable=True), WriteMode.PLAIN, False),
        (entry("staff"), WriteMode.NONE, True),
        (entry("staff", is_unsafe_writable=True), WriteMode.PLAIN, False),
        (entry("clients", is_writable=False), WriteMode.NONE, True),
    ],
)
def test_a_table_is_written_as_profile_and_whitelist_say(
    exposed: TableExposure, mode: WriteMode, is_refused: bool
) -> None:
    """What is closed for safety can be opened, by a rule's own hand or raw; what is not says why."""
    table = perfex_catalog(exposure_of(exposed)).exposed()[0]
    assert table.mode is mode
    assert bool(table.mode_reason) is is_refused


def test_opening_a_closed_table_is_warned_of() -> None:
    """`check` repeats it at every run."""
    warnings = perfex_catalog(exposure_of(entry("roles", is_unsafe_writable=True))).warnings
    assert warnings == ("whitelist.yaml:2:3 roles can be written (unsafe_writes)",)


def test_a_view_is_read_only_and_has_the_key_that_the_whitelist_gives() -> None:
    """The database says nothing of a view's key."""
    view = reflected("v", "id int!", "name text", is_view=True)
    bare = make_catalog(view).resources["v"]
    keyed = make_catalog(view, exposure=exposure_of(entry("v", key=names("id")), profile=None)).resources["v"]
    assert (bare.mode, bare.is_view, bare.key) == (WriteMode.NONE, True, ())
    assert [each.name for each in keyed.key] == ["id"]


def test_a_whitelist_forbids_deleting_and_writing_columns_and_says_what_is_searched() -> None:
    """Its words win over the profile's."""
    exposed = entry("leads", is_delete_forbidden=True, read_only=names("email"), search=names("name"))
    table = perfex_catalog(exposure_of(exposed)).resources["leads"]
    assert table.is_delete_forbidden
    assert [each.name for each in table.columns if each.is_read_only] == ["email"]
    assert [each.name for each in table.searchable] == ["name"]
