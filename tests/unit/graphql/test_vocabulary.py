"""What callers may name: by their rights alone, each name once, and each with its meaning."""

from __future__ import annotations

import pytest

from gateway.catalog.model import Column, PathField, Table
from gateway.graphql.meaning import (
    By,
    Change,
    Connection,
    GroupRow,
    Groups,
    GroupThrough,
    GroupValue,
    Into,
    IntoRows,
    Nested,
    NestedNumbers,
    Numbers,
    On,
    Row,
    Rows,
    Shown,
    Tag,
    Through,
)
from gateway.graphql.tables import COUNT_HAVING, Mangled, TableNames
from gateway.graphql.vocabulary import Vocabulary, everything, vocabulary_of
from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.intent import ConditionIntent
from gateway.query.operators import OPERATORS
from tests.support.asking import READ, crm, crm_of_fields, granted
from tests.support.catalogs import make_catalog, reflected

ALL = everything(crm())


def names_of(resource: str, vocabulary: Vocabulary = ALL) -> TableNames:
    """Return what may be named of a resource."""
    return vocabulary.of(vocabulary.catalog.resources[resource])


def table(resource: str) -> Table:
    """Return a table of the CRM."""
    return crm().resources[resource]


def own(names: TableNames) -> list[str]:
    """Return the fields of its own that a new row may be given."""
    return [name for name, meaning in names.written("create").items() if isinstance(meaning, Into)]


def limited(**grants: Grant) -> Vocabulary:
    """Return what a caller may name of the CRM who has these grants."""
    return vocabulary_of(crm(), granted(**grants))


# Rows


def test_a_row_has_fields_labels_relationships_numbers_and_a_tag() -> None:
    """Each under the catalog's own name where GraphQL allows it."""
    fields = names_of("invoices").fields

    assert isinstance(fields["total"], Shown)
    assert fields["balance"].field is table("invoices").fields["balance"]  # type: ignore[union-attr]  # fields of the row
    assert fields["status_label"].field is table("invoices").labels["status"]  # type: ignore[union-attr]  # fields of the row
    assert fields["client"] == Nested(table("invoices").relationships["client"], table("clients"))
    assert isinstance(fields["payments"], Nested)
    assert isinstance(fields["payments_aggregate"], NestedNumbers)
    assert "client_aggregate" not in fields
    assert fields["_etag"] == Tag()


def test_custom_fields_are_mangled() -> None:
    """`custom.industry` is no name of GraphQL's; it is read, filtered, sorted, grouped and written by another."""
    names = names_of("clients", everything(crm_of_fields()))
    field = crm_of_fields().resources["clients"].fields["custom.industry"]

    assert names.fields["custom_industry"] == Shown(field)
    assert names.filters["custom_industry_contains"] == On(field, "contains")
    assert names.sorts["custom_industry"] == By(field)
    assert names.group_fields["custom_industry"] == GroupValue("custom.industry", field)
    assert names.written("create")["custom_industry"] == Into(field)  # type: ignore[arg-type]  # fields of the row
    assert Mangled("clients", "custom.industry", "custom_industry") in everything(crm_of_fields()).mangled()


def test_what_a_caller_may_not_read_is_nowhere() -> None:
    """Hidden, unreadable and made-up names are one and the same: none is there. Sums over children are the row's."""
    readable = frozenset({"id", "total", "clientid"})
    names = names_of("invoices", limited(invoices=Grant(READ, readable=readable)))
    parts = [
        names.fields,
        names.filters,
        names.sorts,
        names.group_fields,
        *names.metrics.values(),
        *names.having.values(),
    ]

    assert list(names.fields) == ["id", "clientid", "total", "paid", "balance", "_etag"]
    for part in parts:
        assert not [
            name
            for name in part
            if name.startswith(("status", "adminnote", "hash", "subtotal", "is_overdue", "client_"))
        ]


def test_relationships_need_the_right_to_read_their_ends() -> None:
    """The table that they lead to, and the columns that tie the rows."""
    both = limited(invoices=Grant(READ), clients=Grant(READ))
    narrow = limited(invoices=Grant(READ, readable=frozenset({"id", "total"})), clients=Grant(READ))

    assert "client" in names_of("invoices", both).fields
    assert "client" in names_of("invoices", both).filters
    assert "payments" not in names_of("invoices", both).fields
    assert "client" not in names_of("invoices", narrow).fields
    assert "invoices" not in names_of("clients", narrow).fields


def test_a_caller_who_only_writes_is_told_the_key() -> None:
    """As over REST."""
    vocabulary = limited(leads=Grant(frozenset({"create"})))

    assert list(names_of("leads", vocabulary).fields) == ["id", "_etag"]
    assert (vocabulary.readable, dict(vocabulary.queries)) == ((), {})
    assert list(vocabulary.mutations) == ["createLead", "createLeads"]


# Conditions


def test_every_operator_is_a_suffix() -> None:
    """Of each field that it fits; the name alone is equality."""
    filters, invoices = names_of("invoices").filters, table("invoices")
    for name, field in invoices.fields.items():
        for operator in OPERATORS.values():
            expected = On(field, operator.name) if operator.fits(field.type.kind) else None
            assert filters.get(f"{name}_{operator.name}") == expected
        assert filters.get(name) == (On(field, "eq") if OPERATORS["eq"].fits(field.type.kind) else None)
    assert filters["client"] == Through(invoices.relationships["client"], table("clients"))


def odd() -> Vocabulary:
    """Return the names of a table whose columns are called as conditions are."""
    columns = ("id int!", "total int", "total_gte int", "and int", "or int", "not int", "a.b int", "a_b int", "__x int")
    return everything(make_catalog(reflected("odd", *columns)))


def test_an_exact_name_beats_an_operator() -> None:
    """`total_gte` is the column of that name; the operator on `total` gets a number."""
    filters, fields = names_of("odd", ODD).filters, odd_fields()

    assert (filters["total_gte"], filters["total_gte_2"]) == (On(fields["total_gte"], "eq"), On(fields["total"], "gte"))
    assert filters["total_gte_gte"] == On(fields["total_gte"], "gte")


ODD = odd()


def odd_fields() -> dict[str, Column]:
    """Return the columns of that table."""
    return dict(ODD.catalog.resources["odd"].column_by_name)


def test_columns_called_as_the_words_of_filters_get_a_number() -> None:
    """There alone: a row's fields have their own names."""
    names, fields = names_of("odd", ODD), odd_fields()

    assert (names.filters["and_2"], names.filters["not_2_gte"]) == (On(fields["and"], "eq"), On(fields["not"], "gte"))
    assert not {"and", "or", "not"} & set(names.filters)
    assert {"and", "or", "not"} <= set(names.fields)


def test_a_name_that_can_stay_keeps_itself() -> None:
    """`a_b` is the column of that name, although `a.b` stands before it."""
    names, fields = names_of("odd", ODD), odd_fields()

    assert (names.fields["a_b"], names.fields["a_b_2"]) == (Shown(fields["a_b"]), Shown(fields["a.b"]))
    assert names.fields["_x"] == Shown(fields["__x"])


def test_every_name_that_is_another_one_is_listed() -> None:
    """Once, with the place where it is so when that is not everywhere."""
    assert ODD.mangled() == (
        Mangled("odd", "a.b", "a_b_2"),
        Mangled("odd", "__x", "_x"),
        Mangled("odd", "and", "and_2", "filter"),
        Mangled("odd", "or", "or_2", "filter"),
        Mangled("odd", "not", "not_2", "filter"),
        Mangled("odd", "total_gte", "total_gte_2", "filter"),
    )


def test_names_of_roots_types_and_keys_are_listed() -> None:
    """Fields of Query and Mutation, the types of tables, the arguments that name a row, what rows are grouped by."""
    catalog = make_catalog(
        reflected("tax", "id int!", "n int"),
        reflected("taxes", "id int!", "n int"),
        reflected("t-s", "input int!", "a/b int!", "d date", "d_year int", key=("input", "a/b")),
        reflected("t_s_groups", "id int!"),
    )
    listed = everything(catalog).mangled()

    assert Mangled("taxes", "Tax", "Tax2", "type") in listed
    assert Mangled("taxes", "updateTax", "updateTax2", "Mutation") not in listed  # it follows from its type's name
    assert Mangled("t-s", "t-s", "t_s", "Query") in listed
    assert Mangled("t-s", "t_s_groups", "t_s_grouped", "Query") in listed
    assert Mangled("t-s", "input", "input_2", "key") in listed
    assert [each for each in listed if each.name == "a/b"] == [Mangled("t-s", "a/b", "a_b")]
    assert Mangled("t-s", "d_year", "d_year_2", "groups") in listed


def test_a_catalog_of_plain_names_has_nothing_to_list() -> None:
    """And of the CRM's tables none is called otherwise, but the groups whose names are other resources'."""
    assert everything(make_catalog(reflected("a", "id int!", "total int", "day date"))).mangled() == ()
    assert {each.instead for each in ALL.mangled()} <= {"customers_grouped", "items_grouped", "knowledge_base_grouped"}


# Sort keys, groups, numbers


def test_sort_keys_are_fields_and_to_ones() -> None:
    """To-manys and documents have no order of a row; labels have none of their own."""
    sorts = names_of("invoices").sorts

    assert sorts["total"] == By(table("invoices").fields["total"])
    assert isinstance(sorts["client"], Through)
    assert not {"payments", "status_label", "_etag"} & set(sorts)


def test_a_to_one_without_sort_keys_is_none() -> None:
    """Rows tied by bytes alone: an input of nothing but itself could never be written."""
    vocabulary = everything(
        make_catalog(reflected("node", "id binary(16)!", key=("id",)), reflected("plain", "id int!", "data json"))
    )

    assert dict(names_of("node", vocabulary).sorts) == {}
    assert list(names_of("plain", vocabulary).sorts) == ["id"]


def test_rows_are_grouped_by_fields_periods_labels_and_related_rows() -> None:
    """Each with the word that REST has for it."""
    names, invoices = names_of("invoices"), table("invoices")
    fields = names.group_fields

    assert fields["status"] == GroupValue("status", invoices.fields["status"])
    assert fields["date_month"] == GroupValue("date.month", invoices.fields["date"], part="month")
    assert fields["status_label"] == GroupValue("status_label", invoices.labels["status"], label_of="status")
    assert isinstance(fields["client_fields"], GroupThrough)
    assert "date_hour" not in fields
    assert "datecreated_hour" in fields
    assert names.group_rows["agent"] == GroupRow(invoices.relationships["agent"], table("staff"))
    assert not set(names.group_rows) & set(fields)


def test_a_label_of_a_related_row_is_a_path() -> None:
    """It has the meaning of a label all the same."""
    fields = names_of("invoices").group_fields

    assert isinstance(fields["currency_label"], GroupValue)
    assert isinstance(fields["currency_label"].field, PathField)
    assert fields["currency_label"].label_of == "currency"


def test_numbers_are_taken_of_what_a_function_fits() -> None:
    """Sums of numbers, the least and greatest of what is ordered, different values of all but documents."""
    metrics = names_of("invoices").metrics

    assert "total" in metrics["sum"]
    assert "date" not in metrics["sum"]
    assert "date" in metrics["min"]
    assert "allowed_payment_modes" in metrics["count_distinct"]
    assert "allowed_payment_modes" not in metrics["max"]


def test_conditions_on_numbers() -> None:
    """Names are those of filters, without the second spelling of equality; text has none of its least and greatest."""
    having, total = names_of("invoices").having, table("invoices").fields["total"]

    assert (having["sum"]["total"], having["sum"]["total_gte"]) == (On(total, "eq"), On(total, "gte"))
    assert not {"total_eq", "total_exact", "total_like"} & set(having["sum"])
    assert "date_lt" in having["max"]
    assert "prefix" not in having["max"]
    assert "prefix_gt" in having["count_distinct"]
    assert (COUNT_HAVING["count"], COUNT_HAVING["count_between"]) == ("eq", "between")


# Query and Mutation


def test_each_resource_answers_by_its_name_and_its_aliases() -> None:
    """In all forms."""
    queries = ALL.queries
    for called in ("invoicepaymentrecords", "payments"):
        assert queries[called] == Rows(table("payments"))
        assert queries[f"{called}_by_key"] == Row(table("payments"), ("id",))
        assert queries[f"{called}_connection"] == Connection(table("payments"))
        assert queries[f"{called}_aggregate"] == Numbers(table("payments"))
        assert queries[f"{called}_groups"] == Groups(table("payments"))


def test_names_of_lists_do_not_depend_on_rights() -> None:
    """`customers_groups` is the table of that name, and no caller's groups of `customers`."""
    narrow = limited(clients=Grant(READ)).queries

    assert ALL.queries["customers_groups"] == Rows(table("customers_groups"))
    assert ALL.queries["customers_grouped"] == narrow["customers_grouped"] == Groups(table("clients"))
    assert "customers_groups" not in narrow


def test_rows_without_a_key_are_only_listed() -> None:
    """There is neither one by its key nor a cursor to it."""
    queries = everything(make_catalog(reflected("log", "line text", key=()))).queries

    assert list(queries) == ["log", "log_aggregate", "log_groups"]


def test_a_resource_called_as_another_s_numbers_keeps_its_name() -> None:
    """The other's groups have another word, and a number where that is taken too."""
    catalog = make_catalog(
        *(reflected(name, "id int!") for name in ("a", "a_groups", "b", "b_groups", "b_grouped", "b_aggregate"))
    )
    queries = everything(catalog).queries

    assert queries["a_groups"] == Rows(catalog.resources["a_groups"])
    assert queries["a_grouped"] == Groups(catalog.resources["a"])
    assert queries["b_grouped_2"] == Groups(catalog.resources["b"])
    assert queries["b_aggregate_2"] == Numbers(catalog.resources["b"])


def test_a_key_that_may_not_be_read_is_named_as_a_whole() -> None:
    """Its columns do not exist for the caller."""
    vocabulary = limited(invoices=Grant(READ, readable=frozenset({"total"}), writable=frozenset()))

    assert vocabulary.queries["invoices_by_key"] == Row(table("invoices"), ("key",), is_by_columns=False)


def test_a_key_is_named_to_who_may_read_or_give_it() -> None:
    """Limits of columns that may be written say nothing where nothing may be."""
    company = frozenset({"company", "city"})

    def arguments(*operations: Operation) -> tuple[str, ...]:
        names = limited(clients=Grant(frozenset(operations), readable=company))
        return names.row(table("clients")).arguments

    assert arguments("read") == arguments("read", "delete") == ("key",)
    assert arguments("read", "create") == arguments("read", "update") == ("userid",)


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_who_may_not_read_rows_chooses_none_by_a_filter(operation: Operation) -> None:
    """There is no condition that would not tell of them."""
    known = limited(invoices=Grant(frozenset({operation})), clients=Grant(READ), contacts=Grant(READ))

    assert names_of("invoices", known).filters == {}
    assert [change for change in known.mutations.values() if change.is_plural] == []
    assert not any(each.table.resource == "invoices" for each in known.queries.values())


def test_arguments_of_a_key_do_not_clash() -> None:
    """With those that mutations have beside it."""
    vocabulary = everything(make_catalog(reflected("t", "input int!", "dryRun int!", "x int", key=("input", "dryRun"))))

    assert vocabulary.mutations["updateT"].key == Row(vocabulary.catalog.resources["t"], ("input_2", "dryRun_2"))


def test_mutations_are_what_may_be_written() -> None:
    """Singular and plural; views, tables of the CRM's own and what the whitelist forbids have none."""
    mutations = ALL.mutations

    assert mutations["createInvoice"] == Change(table("invoices"), "create", is_plural=False)
    assert mutations["createInvoices"] == Change(table("invoices"), "create", is_plural=True)
    assert mutations["updateInvoice"].key == Row(table("invoices"), ("id",))
    assert mutations["deleteInvoices"].key is None
    assert "createStaff" not in mutations
    assert list(limited(clients=Grant(frozenset({"read", "update"}))).mutations) == ["updateClient", "updateClients"]


def test_one_word_for_one_and_many_is_told_apart() -> None:
    """The plural form is a list then."""
    mutations = everything(make_catalog(reflected("sheep", "id int!", "name text"))).mutations

    assert list(mutations)[:2] == ["createSheep", "createSheepList"]


def test_two_resources_with_one_singular() -> None:
    """The second one gets a number, in all types' names."""
    catalog = make_catalog(reflected("tax", "id int!", "n int"), reflected("taxes", "id int!", "n int"))
    vocabulary = everything(catalog)

    assert {t.resource: name for t, name in vocabulary.type_names.items()} == {"tax": "Tax", "taxes": "Tax2"}
    creating = [name for name in vocabulary.mutations if name.startswith("create")]
    assert creating == ["createTax", "createTaxList", "createTax2", "createTaxes"]


@pytest.mark.parametrize(
    ("resource", "name"),
    [("queries", "Query2"), ("Mutation", "Mutation2"), ("int", "Int2"), ("page_info", "PageInfo2"), ("json", "Json")],
)
def test_types_of_the_gateway_s_own_keep_their_names(resource: str, name: str) -> None:
    """A table called so gets a number."""
    assert list(everything(make_catalog(reflected(resource, "id int!"))).type_names.values()) == [name]


def test_names_of_types_do_not_depend_on_rights() -> None:
    """So that a program made for one token is understood with another."""
    assert limited(invoices=Grant(READ)).type_names == ALL.type_names


# What writes give


def test_writes_give_what_may_be_written() -> None:
    """A change cannot change the key; derived fields and read-only columns are given nowhere."""
    names = names_of("clients")

    assert "userid" in names.written("create")
    assert "userid" not in names.written("update")
    assert "company" in names.written("update")
    assert not {"email", "contact_name", "country_label", "_etag"} & set(names.written("create"))


def test_the_writable_columns_of_a_grant() -> None:
    """No others are there; a table of which nothing can be given has no such mutation."""
    some = limited(clients=Grant(frozenset(OPERATIONS), writable=frozenset({"company"})))
    none = limited(clients=Grant(frozenset(OPERATIONS), writable=frozenset()))

    assert own(names_of("clients", some)) == ["company"]
    assert [name for name in none.mutations if not name.startswith("delete")] == []


def test_rows_are_nested_in_a_create_without_a_grant_of_their_own() -> None:
    """The grant on their parent is enough, unless one of their own takes something away."""
    both: frozenset[Operation] = frozenset({"read", "create"})
    plain = limited(invoices=Grant(both))
    narrowed = limited(invoices=Grant(both), itemable=Grant(both, writable=frozenset({"description"})))
    closed = limited(invoices=Grant(both), itemable=Grant(frozenset()))

    nested = names_of("invoices", plain).written("create")["items"]
    assert nested == IntoRows(table("invoices").relationships["items"], table("itemable"))
    assert {"description", "qty", "rate"} <= set(names_of("itemable", plain).written("create"))
    assert table("itemable") in plain.created
    assert own(names_of("itemable", narrowed)) == ["description"]
    assert "items" not in names_of("invoices", closed).written("create")
    assert "items" not in names_of("invoices", plain).written("update")


def test_rows_under_a_filter_are_nested_where_it_can_be_told_whose_they_are() -> None:
    """By a key of one column."""
    mine = (ConditionIntent(("qty",), "1", "filter"),)
    vocabulary = limited(invoices=Grant(frozenset({"create"})), itemable=Grant(frozenset({"create"}), row_filter=mine))

    assert "items" in names_of("invoices", vocabulary).written("create")


def test_rows_with_rules_of_their_own_are_not_nested() -> None:
    """Payments of an invoice are created by themselves."""
    assert "payments" not in names_of("invoices").written("create")


def test_what_rules_work_out_is_named_to_those_who_may_read_it() -> None:
    """It can be sent along, and must come out so."""
    blind = limited(invoices=Grant(frozenset({"read", "create"}), readable=frozenset({"id"})))

    assert "subtotal" in names_of("invoices").written("create")
    assert "subtotal" not in names_of("invoices", blind).written("create")


def test_searching_needs_a_column_that_may_be_read() -> None:
    """Of those that are searched."""
    assert names_of("clients").is_searchable
    assert not names_of("clients", limited(clients=Grant(READ, readable=frozenset({"userid"})))).is_searchable


def test_tables_are_asked_for_once() -> None:
    """What may be named of one is worked out when it is first asked for, and kept."""
    vocabulary = limited(clients=Grant(READ))

    assert vocabulary.of(table("clients")) is vocabulary.of(table("clients"))
    assert vocabulary_of(crm(), Access("nobody")).filtered == ()
