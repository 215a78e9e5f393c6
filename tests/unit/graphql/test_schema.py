"""The schema: valid whatever the names and the rights, made when it is asked for, and true to the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    execute_sync,
    get_introspection_query,
    get_named_type,
    parse,
    print_type,
    validate,
    validate_schema,
)
from graphql import build_schema as parse_schema

from gateway.catalog.build import build_catalog
from gateway.catalog.exposure import Name, TableExposure
from gateway.catalog.model import Catalog
from gateway.graphql.meaning import MEANING, Change, Own, Rows, Shown
from gateway.graphql.schema import build_schema, printed
from gateway.graphql.vocabulary import Vocabulary, everything, vocabulary_of
from gateway.query.access import Access, Grant
from tests.support.asking import READ, crm, crm_of_fields, granted
from tests.support.catalogs import START, ZONE, exposure_of, make_catalog, reflected, reflection_of

PERFEX_QUERY = """
    { invoices(filter: {status: 2, total_gte: 1000}, limit: 10) { id total duedate client { company email } } }
"""
"""SPEC section 7, literally."""


@cache
def schema_of_all() -> GraphQLSchema:
    """Return the schema of all of Perfex, for a caller who may do everything; made once."""
    return build_schema(everything(crm()))


def faults(schema: GraphQLSchema) -> list[str]:
    """Return what the library finds wrong with a schema, which it is told to look at."""
    schema.assume_valid = False
    schema._validation_errors = None
    return [error.message for error in validate_schema(schema)]


def field(schema: GraphQLSchema, type_name: str, name: str) -> Any:
    """Return a field of a type."""
    return schema.type_map[type_name].fields[name]  # type: ignore[attr-defined]  # an object type


def spelled(schema: GraphQLSchema, type_name: str, *names: str) -> list[str]:
    """Return the types of fields."""
    return [str(field(schema, type_name, name).type) for name in names]


# Validity


def odd_catalog() -> Catalog:
    """Return the catalog of a database whose names are all there is in GraphQL, or cannot be."""
    columns = ("group by int", "100% int", "a.b int", "a_b int", "__x date", "größe int", "日本 int", "2nd datetime")
    clashing = ("total int", "total_gte int", "and int", "or int", "not int", "_etag int", "count int", "key int")
    return make_catalog(
        reflected("order line", "order int!", "line/no varchar(9)!", *columns, key=("order", "line/no")),
        reflected("tax", "id int!", *clashing),
        reflected("taxes", "id int!", "Query int"),
        reflected("Mutations", "id int!", "input varchar(9)"),
        reflected("page_info", "pageInfo int!", "nodes int"),
        reflected("tax_filter", "id int!"),
        reflected("tax_groups", "id int!"),
        reflected("日本", "値 int!"),
        reflected("bytes_only", "id binary(16)!", key=("id",)),
        reflected("documents", "data json", key=()),
        reflected("keyless", "a int", key=()),
        reflected("subscriptions", "id int!"),
        reflected("seen", "a int", is_view=True),
    )


MANY = [
    pytest.param(lambda: everything(crm_of_fields()), id="all of Perfex, with custom fields"),
    pytest.param(lambda: everything(odd_catalog()), id="odd names"),
    pytest.param(
        lambda: vocabulary_of(
            crm(), granted(invoices=Grant(READ, readable=frozenset({"id", "total", "clientid"})), clients=Grant(READ))
        ),
        id="narrow",
    ),
    pytest.param(lambda: vocabulary_of(crm(), granted(invoices=Grant(READ, readable=frozenset()))), id="no columns"),
    pytest.param(lambda: vocabulary_of(crm(), granted(leads=Grant(frozenset({"create"})))), id="only creates"),
    pytest.param(lambda: vocabulary_of(crm(), granted(leads=Grant(frozenset({"update"})))), id="only updates"),
    pytest.param(lambda: vocabulary_of(crm(), granted(leads=Grant(frozenset({"delete"})))), id="only deletes"),
    pytest.param(
        lambda: vocabulary_of(crm(), granted(**{"*": Grant(frozenset({"create", "update", "delete"}))})),
        id="writes everything, reads nothing",
    ),
    pytest.param(
        lambda: vocabulary_of(
            crm(),
            granted(
                invoices=Grant(frozenset({"update", "delete"})), clients=Grant(READ, readable=frozenset({"userid"}))
            ),
        ),
        id="writes beside what it reads",
    ),
    pytest.param(lambda: vocabulary_of(crm(), Access("nobody")), id="nothing at all"),
]


@pytest.mark.parametrize("vocabulary", MANY)
def test_a_schema_is_valid(vocabulary: Any) -> None:
    """As the library judges it, whoever asks and whatever tables are called."""
    assert faults(build_schema(vocabulary())) == []


def test_a_printed_schema_is_read_again() -> None:
    """By a parser of GraphQL's own language, odd names and all: it has the same types and fields."""
    schema = build_schema(everything(odd_catalog()))
    again = parse_schema(printed(schema))

    assert validate_schema(again) == []
    assert {name: list(each.fields) for name, each in again.type_map.items() if hasattr(each, "fields")} == {
        name: list(each.fields) for name, each in schema.type_map.items() if hasattr(each, "fields")
    }


@pytest.mark.parametrize("vocabulary", MANY)
def test_exactly_the_types_are_there_that_fields_lead_to(vocabulary: Any) -> None:
    """They are named beforehand; the library's own way to find them finds the same."""
    schema = build_schema(vocabulary())
    found = GraphQLSchema(schema.query_type, schema.mutation_type, directives=schema.directives)
    always = {"Int", "Float", "String", "Boolean", "ID", "BigInt", "Decimal", "Date", "DateTime", "Time", "Base64"}

    assert set(found.type_map) - set(schema.type_map) == set()
    assert set(schema.type_map) - set(found.type_map) <= {*always, "JSON", "SortDirection"}
    assert all(schema.type_map[name] is found.type_map[name] for name in found.type_map)
    assert vars(found).keys() == vars(schema).keys()


def test_the_query_of_the_specification_is_valid() -> None:
    """SPEC section 7."""
    assert validate(schema_of_all(), parse(PERFEX_QUERY)) == []


# Laziness


SHARED = {"PageInfo", "Deleted", "Dependants"}
"""Objects that all schemas share."""


def made(schema: GraphQLSchema) -> set[str]:
    """Return the names of the types whose fields have been made."""
    return {name for name, each in schema.type_map.items() if "fields" in vars(each) and not name.startswith("__")}


def test_what_no_document_names_is_not_made() -> None:
    """A schema has tens of thousands of fields, of which a document names a few."""
    schema = build_schema(everything(crm()))
    at_first = made(schema)
    validate(schema, parse(PERFEX_QUERY))

    assert at_first <= SHARED
    assert made(schema) - SHARED == {"Query", "Invoice", "InvoiceFilter", "Client"}
    assert field(schema, "Client", "company") is field(schema, "Client", "company")


def test_conditions_of_one_kind_are_one_object() -> None:
    """Whatever column they stand for, and in whatever table."""
    schema = schema_of_all()

    assert field(schema, "InvoiceFilter", "total_gte") is field(schema, "EstimateFilter", "subtotal_gte")
    assert field(schema, "InvoiceFilter", "total_gte") is field(schema, "InvoiceSumHaving", "total_gte")
    assert field(schema, "InvoiceFilter", "total_gte") is not field(schema, "InvoiceFilter", "total_gt")
    assert field(schema, "InvoiceSort", "total") is field(schema, "ClientSort", "company")


# What fields are


def test_fields_of_rows() -> None:
    """NOT NULL is said where it is kept: a zero date is shown as null, and so is what is derived of nothing."""
    schema = schema_of_all()
    names = ("id", "total", "status", "date", "balance", "status_label", "client", "payments", "payments_aggregate")

    assert spelled(schema, "Invoice", *names, "_etag", "allowed_payment_modes", "clientnote") == [
        *("Int!", "Decimal!", "Int", "Date", "Decimal", "String", "Client", "[Invoicepaymentrecord!]!"),
        *("InvoicepaymentrecordNumbers!", "String", "[String!]", "String"),
    ]
    assert list(field(schema, "Invoice", "payments").args) == ["filter", "sort", "limit", "offset"]
    assert list(field(schema, "Invoice", "payments_aggregate").args) == ["filter"]
    assert field(schema, "Invoice", "client").args == {}


def test_columns_of_views_may_be_null() -> None:
    """What a server says of them is not to be relied on."""
    schema = build_schema(everything(make_catalog(reflected("v", "a int!", is_view=True), reflected("t", "a int!"))))

    assert (spelled(schema, "V", "a"), spelled(schema, "T", "a")) == (["Int"], ["Int!"])


ROOTS = {
    "invoices": "(filter: InvoiceFilter, sort: [InvoiceSort!], limit: Int, offset: Int): [Invoice!]",
    "clients": "(filter: ClientFilter, search: String, sort: [ClientSort!], limit: Int, offset: Int): [Client!]",
    "invoices_by_key": "(id: Int!): Invoice",
    "clients_connection": "(filter: ClientFilter, search: String, sort: [ClientSort!], first: Int, after: String, "
    "count: CountForm): ClientConnection",
    "clients_aggregate": "(filter: ClientFilter, search: String): ClientNumbers",
    "clients_groups": "(filter: ClientFilter, search: String, having: ClientHaving, sort: [ClientGroupsSort!], "
    "limit: Int, offset: Int): ClientGroupsPage",
    "createInvoice": "(input: InvoiceCreate!, onConflict: OnConflict, dryRun: Boolean): Invoice",
    "createInvoices": "(input: [InvoiceCreate!]!, onConflict: OnConflict, dryRun: Boolean): [Invoice!]",
    "updateInvoice": "(id: Int!, input: InvoiceUpdate!, ifMatch: String, dryRun: Boolean): Invoice",
    "updateInvoices": "(filter: InvoiceFilter!, maxAffected: Int!, input: InvoiceUpdate!, dryRun: Boolean): "
    "InvoiceUpdated",
    "deleteInvoice": "(id: Int!, ifMatch: String, dryRun: Boolean): Deleted",
    "deleteInvoices": "(filter: InvoiceFilter!, maxAffected: Int!, dryRun: Boolean): Deleted",
}


@pytest.mark.parametrize(("name", "signature"), ROOTS.items())
def test_fields_of_query_and_mutation(name: str, signature: str) -> None:
    """All may be null, so that the fault of one leaves the others; no argument has a default."""
    schema = schema_of_all()
    root = schema.query_type if name[0:6] not in ("create", "update", "delete") else schema.mutation_type
    assert root is not None
    found = root.fields[name]
    searchable = bool(crm().resources["invoices"].searchable) and "InvoiceFilter, sort" in signature

    arguments = ", ".join(
        f"{key}: {each.type}" for key, each in found.args.items() if not (searchable and key == "search")
    )
    assert f"({arguments}): {found.type}" == signature
    assert found.resolve is None


TYPES = {
    "InvoiceConnection": "totalCount: Int, totalCountIs: CountIs, nodes: [Invoice!]!, edges: [InvoiceEdge!]!, "
    "pageInfo: PageInfo!",
    "InvoiceEdge": "cursor: String, node: Invoice!",
    "PageInfo": "hasNextPage: Boolean!, hasPreviousPage: Boolean!, startCursor: String, endCursor: String",
    "InvoiceNumbers": "count: Int!, sum: InvoiceSum!, avg: InvoiceAvg!, min: InvoiceRange!, max: InvoiceRange!, "
    "count_distinct: InvoiceCountDistinct!",
    "InvoiceGroupsPage": "totalCount: Int, totalCountIs: CountIs, nodes: [InvoiceGroupsNode!]!",
    "InvoiceGroupsNode": "key: InvoiceGroupsKey!, count: Int!, sum: InvoiceSum!, avg: InvoiceAvg!, min: InvoiceRange!, "
    "max: InvoiceRange!, count_distinct: InvoiceCountDistinct!",
    "InvoiceUpdated": "affected: Int!, rows: [Invoice!]",
    "Deleted": "affected: Int!, owned: [Dependants!], dependants: [Dependants!]",
    "Dependants": "resource: String!, count: String!",
    "InvoiceManyFilter": "some: InvoiceFilter, none: InvoiceFilter, every: InvoiceFilter",
    "InvoiceGroupsSort": "count: SortDirection, sum: InvoiceSumSort, avg: InvoiceSumSort, min: InvoiceRangeSort, "
    "max: InvoiceRangeSort, count_distinct: InvoiceCountDistinctSort, key: InvoiceGroupsKeySort",
}


@pytest.mark.parametrize(("name", "fields"), TYPES.items())
def test_objects_around_rows(name: str, fields: str) -> None:
    """Pages, numbers, groups, and what writes answer."""
    found = schema_of_all().type_map[name].fields  # type: ignore[attr-defined]  # an object type

    assert ", ".join(f"{key}: {each.type}" for key, each in found.items()) == fields


def test_numbers_are_of_their_functions_types() -> None:
    """The sum of whole numbers outgrows an Int, averages are exact, counts are whole."""
    schema = schema_of_all()

    assert spelled(schema, "InvoiceSum", "total", "status") == ["Decimal", "BigInt"]
    assert spelled(schema, "InvoiceAvg", "total", "status") == ["Decimal", "Decimal"]
    assert spelled(schema, "InvoiceRange", "total", "status", "date", "prefix") == ["Decimal", "Int", "Date", "String"]
    assert spelled(schema, "InvoiceCountDistinct", "prefix") == ["Int!"]
    assert spelled(schema, "InvoiceSumHaving", "status", "status_in") == ["BigInt", "[BigInt!]"]


def test_what_rows_are_grouped_by() -> None:
    """Values may be null: rows without one form a group."""
    schema = schema_of_all()
    names = ("currency", "status_label", "date_month", "agent", "client_fields")

    assert spelled(schema, "InvoiceGroupsKey", *names) == ["Int", "String", "String", "Staff", "ClientGroupsFields!"]
    assert spelled(schema, "ClientGroupsFields", "country", "country_ref_fields") == ["Int", "CountryGroupsFields!"]
    assert "country_ref" not in schema.type_map["ClientGroupsFields"].fields  # type: ignore[attr-defined]  # an object type
    assert spelled(schema, "InvoiceGroupsKeySort", "currency", "agent", "client_fields") == [
        *("SortDirection", "SortDirection", "ClientGroupsFieldsSort"),
    ]
    assert "status_label" not in schema.type_map["InvoiceGroupsKeySort"].fields  # type: ignore[attr-defined]  # an object type


def test_operands_of_filters() -> None:
    """A value is the column's scalar, lists are lists of it, patterns are text, null is true or false."""
    schema = schema_of_all()
    names = ("total", "total_ne", "total_in", "total_between", "total_null", "prefix_starts", "id_exact")

    assert spelled(schema, "InvoiceFilter", *names, "date_gte", "allowed_payment_modes_contains") == [
        *("Decimal", "Decimal", "[Decimal!]", "[Decimal!]", "Boolean", "String", "Int", "Date", "String"),
    ]
    assert spelled(schema, "InvoiceFilter", "and", "or", "not", "client", "payments") == [
        *("[InvoiceFilter!]", "[InvoiceFilter!]", "InvoiceFilter", "ClientFilter", "InvoicepaymentrecordManyFilter"),
    ]


def test_sort_keys_are_given_one_at_a_time() -> None:
    """An object has no order of its own."""
    schema = schema_of_all()
    sorts = [each for name, each in schema.type_map.items() if name.endswith("Sort")]

    assert len(sorts) > 100
    assert all(isinstance(each, GraphQLInputObjectType) and each.is_one_of for each in sorts)


def inputs(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """Yield each field of each input."""
    for each in schema.type_map.values():
        if isinstance(each, GraphQLInputObjectType):
            yield from ((f"{each.name}.{name}", found) for name, found in each.fields.items())


def test_no_field_of_an_input_is_required_or_has_a_default() -> None:
    """So that a refusal names every fault at once, and what was left out is known to be."""
    found = list(inputs(schema_of_all()))

    assert len(found) > 10_000
    assert [name for name, each in found if str(each.type).endswith("!") or each.default is not None] == []


def test_writes_are_nested() -> None:
    """Rows of another table in those of their parent."""
    schema = schema_of_all()

    assert spelled(schema, "InvoiceCreate", "items", "total", "duedate") == ["[ItemableCreate!]", "Decimal", "Date"]
    assert "items" not in schema.type_map["InvoiceUpdate"].fields  # type: ignore[attr-defined]  # an object type


# Meanings


def outputs(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """Yield each field of each object but introspection's."""
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and not each.name.startswith("__"):
            yield from ((f"{each.name}.{name}", found) for name, found in each.fields.items())


def test_every_field_has_a_meaning_and_none_resolves() -> None:
    """Documents are translated by meanings, never executed."""
    found = list(outputs(schema_of_all()))

    assert len(found) > 5_000
    assert [name for name, each in found if MEANING not in each.extensions or each.resolve is not None] == []
    assert field(schema_of_all(), "Query", "invoices").extensions == {MEANING: Rows(crm().resources["invoices"])}
    assert isinstance(field(schema_of_all(), "Mutation", "createLead").extensions[MEANING], Change)
    assert field(schema_of_all(), "PageInfo", "endCursor").extensions == {MEANING: Own("endCursor")}
    assert isinstance(field(schema_of_all(), "InvoiceSum", "total").extensions[MEANING], Shown)


def test_who_may_read_nothing_has_one_empty_field() -> None:
    """GraphQL has no object without fields; the description says what it is."""
    schema = build_schema(vocabulary_of(crm(), Access("nobody")))
    assert schema.query_type is not None

    assert {name: str(each.type) for name, each in schema.query_type.fields.items()} == {"_empty": "Boolean"}
    assert field(schema, "Query", "_empty").description == "Always null: the token may read nothing."
    assert schema.mutation_type is None


# Descriptions and deprecations


def test_everything_is_described() -> None:
    """Types, fields and arguments; of what many inputs share the operator says enough, of directions their type."""
    schema = schema_of_all()
    types = [each for name, each in schema.type_map.items() if not name.startswith("__")]
    fields = list(outputs(schema))

    assert [each.name for each in types if not each.description] == []
    assert [name for name, each in fields if not each.description] == []
    assert [name for name, each in fields for given in each.args.values() if not given.description] == []
    described = ((name, each) for name, each in inputs(schema) if str(each.type) != "SortDirection")
    assert [name for name, each in described if not each.description] == []


def deprecating(**said: Any) -> Vocabulary:
    """Return the names of two tables, of which a whitelist deprecates something."""
    tables = (reflected("pets", "id int!", "name varchar(9)!", "born date"), reflected("owners", "id int!"))
    entries = (replace(TableExposure(Name("pets", START)), **said), "owners")
    built = build_catalog(reflection_of(*tables), exposure_of(*entries, profile=None), None, zone=ZONE)
    assert not built.problems
    return everything(built.catalog)


def test_a_deprecated_field_is_so_wherever_it_stands() -> None:
    """In rows, numbers and groups, and in all inputs, with the reason."""
    vocabulary = deprecating(deprecated=((Name("born", START), "Use age."),))
    schema = build_schema(vocabulary)
    found = {name: each.deprecation_reason for name, each in (*outputs(schema), *inputs(schema))}

    marked = {name.partition(".")[0] for name, reason in found.items() if reason == "Use age."}
    assert marked == {
        *("Pet", "PetRange", "PetCountDistinct", "PetGroupsKey", "PetGroupsKeySort", "PetFilter", "PetSort"),
        *("PetRangeHaving", "PetRangeSort", "PetCountDistinctHaving", "PetCountDistinctSort", "PetCreate", "PetUpdate"),
    }
    assert {name for name, reason in found.items() if reason} == {name for name in found if ".born" in name}
    assert faults(schema) == []
    assert 'born: Date @deprecated(reason: "Use age.")' in print_type(schema.type_map["Pet"])


def test_a_deprecated_resource_is_so_at_the_root() -> None:
    """In Query and Mutation; what it answers stays as it is."""
    schema = build_schema(deprecating(deprecation="Use animals."))
    roots = {name: each.deprecation_reason for name, each in outputs(schema) if name.startswith(("Query", "Mutation"))}

    assert {name for name, reason in roots.items() if reason is None} == {name for name in roots if "wner" in name}
    assert roots["Query.pets"] == roots["Query.pets_by_key"] == roots["Mutation.createPet"] == "Use animals."
    assert field(schema, "Pet", "name").deprecation_reason is None
    assert faults(schema) == []


# What clients are told


def test_directives_are_those_that_clients_know() -> None:
    """`@atomic` of our own; `@deprecated` without the location that GraphQL.js 16 cannot read."""
    schema = schema_of_all()
    directives = {each.name: [location.name for location in each.locations] for each in schema.directives}

    assert list(directives) == ["include", "skip", "specifiedBy", "oneOf", "deprecated", "atomic"]
    assert directives["atomic"] == ["MUTATION"]
    assert directives["deprecated"] == [
        "FIELD_DEFINITION",
        "ARGUMENT_DEFINITION",
        "INPUT_FIELD_DEFINITION",
        "ENUM_VALUE",
    ]


def test_introspection_is_answered_by_the_library() -> None:
    """In full, as code generators ask: of what a narrow token may name, and of nothing else."""
    narrow = vocabulary_of(crm(), granted(invoices=Grant(READ, readable=frozenset({"id", "total"}))))
    result = execute_sync(build_schema(narrow), parse(get_introspection_query(input_value_deprecation=True)))
    assert result.errors is None
    assert result.data is not None
    types = {each["name"]: each for each in result.data["__schema"]["types"]}

    assert [each["name"] for each in types["Invoice"]["fields"]] == ["id", "total", "paid", "balance", "_etag"]
    assert types["Float"]["kind"] == types["Int"]["kind"] == "SCALAR"
    assert not [name for name in types if name.startswith(("Client", "Payment", "Staff"))]
    assert "clientid" not in str(result.data)
    assert "credits" not in str(result.data)


def test_a_name_that_a_caller_may_not_read_stands_nowhere() -> None:
    """Neither in names nor in descriptions: what a derived field is made of is told to those who may read it all."""
    hidden = printed(
        build_schema(vocabulary_of(crm(), granted(invoices=Grant(READ, readable=frozenset({"id", "total"})))))
    )
    told = printed(schema_of_all())

    assert "sum(payments.amount) + sum(credits.amount)" in told
    assert not [word for word in ("payments", "credits", "subtotal", "duedate", "adminnote", "hash") if word in hidden]
    assert "total - paid" not in hidden


def test_types_compare_by_their_objects() -> None:
    """Two schemas share the scalars and the gateway's own types, and nothing that a caller's rights decide."""
    one, other = build_schema(everything(crm())), build_schema(everything(crm()))

    def same(name: str) -> bool:
        first, second = one.type_map[name], other.type_map[name]
        assert isinstance(first, GraphQLNamedType)
        return first is second

    assert all(same(name) for name in ("Int", "Decimal", "PageInfo", "Deleted", "SortDirection"))
    assert not same("Invoice")
    assert get_named_type(field(one, "Invoice", "client").type) is one.type_map["Client"]
