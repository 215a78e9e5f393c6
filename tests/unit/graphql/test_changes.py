"""Fields of Mutation -> what is written, by the catalog's names, and what is read of the rows."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from gateway.catalog.model import Catalog, Table
from gateway.errors import ConflictError, GatewayError, Issue, NotFoundError, RequestError, ValidationError
from gateway.graphql.changes import change_step, input_error
from gateway.graphql.meaning import Change, Own
from gateway.graphql.selection import Selected
from gateway.graphql.steps import FORMAT, ChangeStep
from gateway.graphql.vocabulary import Vocabulary
from gateway.query.access import Access, Grant
from gateway.query.bulk import MOST_ROWS
from gateway.query.intent import ConditionIntent, EmbedIntent, ReadIntent
from tests.support.asking import ALL, context_of, crm_of_fields, granted
from tests.support.catalogs import make_catalog, reflected


@cache
def odd() -> Catalog:
    """Names that GraphQL forbids, and a key that is one column or two."""
    return make_catalog(
        reflected("pets", "id int!", "2nd varchar(20)", "a.b varchar(9)", "a/b int"),
        reflected("seats", "room int!", "place int!", "note varchar(20)", key=("room", "place")),
    )


def vocabulary_of(catalog: Catalog | None = None, access: Access = ALL) -> Vocabulary:
    return Vocabulary(context_of(catalog or crm_of_fields(), access))


def part(table: Table, name: str, *parts: Selected, key: str = "", **arguments: object) -> Selected:
    """A selected field of a row, as the vocabulary of every right has it."""
    if name == "__typename":
        return Selected(key or name, name, None)
    catalog = crm_of_fields() if table in crm_of_fields().exposed() else odd()
    meaning = vocabulary_of(catalog).of(table).fields[name]
    return Selected(key or name, name, meaning, arguments=arguments, parts=parts)


def asked(name: str, *parts: Selected, vocabulary: Vocabulary | None = None, **arguments: object) -> Selected:
    """A selected mutation."""
    known = vocabulary or vocabulary_of()
    return Selected(name, name, known.mutations[name], "Answer", arguments=arguments, parts=parts)


def step(name: str, *parts: Selected, vocabulary: Vocabulary | None = None, **arguments: object) -> ChangeStep:
    known = vocabulary or vocabulary_of()
    return change_step(asked(name, *parts, vocabulary=known, **arguments), known)


def refused(name: str, **arguments: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        step(name, **arguments)
    return caught.value


def table(resource: str) -> Table:
    return crm_of_fields().resources[resource]


# What is written


def test_values_go_by_the_catalogs_names() -> None:
    """Custom fields under their own, values as they were sent, with every digit."""
    given = {"company": "x", "custom_industry": "steel", "default_currency": 2, "active": None}

    found = step("createClient", input=given)

    assert (found.operation, found.is_plural, found.key) == ("create", False, None)
    assert found.values == ({"company": "x", "custom.industry": "steel", "default_currency": 2, "active": None},)


def test_nested_rows_go_by_the_catalogs_names_too() -> None:
    """As deep as they are nested; what is no list of rows is left for the planner to refuse."""
    tax = {"taxname": "VAT", "taxrate": Decimal("5.00")}
    items = [{"description": "Work", "qty": Decimal("3.10"), "taxes": [tax]}]

    (values,) = step("createInvoice", input={"clientid": 1, "items": items}).values
    (empty,) = step("createInvoice", input={"clientid": 1, "items": None}).values

    assert values == {"clientid": 1, "items": items}
    assert empty == {"clientid": 1, "items": None}


def test_mangled_names_are_the_catalogs_again() -> None:
    """In whatever way the schema had to change them."""
    vocabulary = vocabulary_of(odd())

    found = step("createPet", vocabulary=vocabulary, input={"_2nd": "Rex", "a_b": "1", "a_b_2": 2})

    assert found.values == ({"2nd": "Rex", "a.b": "1", "a/b": 2},)


def test_an_array_has_rows_in_order() -> None:
    """Each by itself."""
    found = step("createTags", input=[{"name": "a"}, {"name": "b"}])

    assert (found.is_plural, found.values) == (True, ({"name": "a"}, {"name": "b"}))


@pytest.mark.parametrize("count", [0, MOST_ROWS + 1])
def test_an_array_has_rows_and_not_too_many(count: int) -> None:
    """As REST's."""
    error = refused("createTags", input=[{"name": "a"}] * count)

    assert (error.code, error.issues[0].code) == ("fields_invalid", "type")


@pytest.mark.parametrize(("given", "due"), [("UPDATE", "update"), ("IGNORE", "ignore"), (None, None)])
def test_a_row_may_be_there_already(given: str | None, due: str | None) -> None:
    """Then it is changed, or left alone, as asked."""
    assert step("createTag", input={"name": "a"}, onConflict=given).on_conflict == due
    assert step("createTag", input={"name": "a"}).on_conflict is None


@pytest.mark.parametrize(("given", "due"), [(True, True), (False, False), (None, False)])
def test_a_mutation_may_be_tried_out(given: bool | None, due: bool) -> None:
    """Where it says so."""
    assert step("deleteTag", id=1, dryRun=given).is_dry_run is due
    assert not step("deleteTag", id=1).is_dry_run


# Which rows


def test_one_row_is_named_by_its_key() -> None:
    """As the texts that a path has."""
    vocabulary = vocabulary_of(odd())

    assert step("updateTag", id=7, input={"name": "x"}, ifMatch='"a"').key == ("7",)
    assert step("deleteSeat", vocabulary=vocabulary, room=1, place=12).key == ("1", "12")


def test_who_may_not_read_the_key_names_a_row_by_one_text() -> None:
    """Split as a path's."""
    access = granted(
        tags=Grant(frozenset({"update", "delete"}), readable=frozenset({"name"}), writable=frozenset({"name"}))
    )

    found = step("deleteTag", vocabulary=vocabulary_of(access=access), key="7")

    assert found.key == ("7",)


def test_a_precondition_is_passed_on() -> None:
    """As text; null is none."""
    assert step("deleteTag", id=1, ifMatch="abc").if_match == "abc"
    assert step("deleteTag", id=1, ifMatch=None).if_match is None


def test_several_rows_are_chosen_by_a_filter() -> None:
    """Up to the number that the client expects."""
    condition = ConditionIntent(("name", "starts"), "old", "filter.name_starts")

    changed = step("updateTags", filter={"name_starts": "old"}, input={"name": "x"}, maxAffected=5)
    gone = step("deleteTags", filter={"name_starts": "old"}, maxAffected=1_000)

    assert (changed.conditions, changed.most, changed.values) == ((condition,), 5, ({"name": "x"},))
    assert (gone.conditions, gone.most, gone.values) == ((condition,), 1_000, ())
    assert (changed.key, gone.key) == (None, None)


@pytest.mark.parametrize("empty", [{}, {"and": []}, {"not": {}}, {"or": [{}, {"and": [{}]}]}])
def test_a_filter_that_says_nothing_is_refused(empty: dict[str, Any]) -> None:
    """Its variables were left out: it would mean every row."""
    error = refused("deleteTags", filter=empty, maxAffected=5)

    assert (error.code, error.issues[0].parameter) == ("parameter_missing", "filter")


@pytest.mark.parametrize(
    "empty",
    [
        {"or": [{"userid": 1}, {}]},
        {"and": [{"or": [{"and": []}, {"userid": 1}]}]},
        {"not": {"and": [{"userid": 1}, {"or": []}]}},
        {"invoices": {"every": {}}},
        {"invoices": {"every": {"or": [{"id": 1}, {}]}}},
        {"invoices": {"none": {"or": []}}},
        {"userid": 1, "or": []},
    ],
)
def test_a_filter_that_comes_to_every_row_or_to_none_says_nothing(empty: dict[str, Any]) -> None:
    """One part of an `or` without a condition is enough; every one of no matter which related rows is no condition."""
    error = refused("deleteClients", filter=empty, maxAffected=5)

    assert (error.code, error.issues[0].parameter) == ("parameter_missing", "filter")


@pytest.mark.parametrize(
    "said",
    [
        {"invoices": {"none": {}}},
        {"invoices": {"some": {}}},
        {"invoices": {"every": {"or": []}}},
        {"invoices": {"every": {"id": 1}}},
        {"userid": 1, "and": [{}]},
        {"or": [{"userid": 1}, {"or": []}]},
        {"not": {"or": [{"userid": 1}, {"userid": 2, "and": []}]}},
    ],
)
def test_that_there_are_related_rows_is_a_condition(said: dict[str, Any]) -> None:
    """Whichever they are; and parts without one take nothing from those that have one."""
    assert step("deleteClients", filter=said, maxAffected=5).conditions


@pytest.mark.parametrize("most", [0, -1, 1_001])
def test_the_number_of_rows_is_bounded(most: int) -> None:
    """As REST's max_affected."""
    error = refused("deleteTags", filter={"id": 1}, maxAffected=most)

    assert (error.code, error.issues[0].parameter) == ("parameter_invalid", "maxAffected")


# What is read of them


def test_what_is_selected_of_a_row_is_one_read() -> None:
    """Fields, labels, the tag, and what comes along."""
    invoices = table("invoices")
    client = part(invoices, "client", part(table("clients"), "company"))
    parts = [part(invoices, name) for name in ("id", "total", "status_label", "_etag")]

    found = step("createInvoice", *parts, client, input={})

    assert found.read == ReadIntent(
        "invoices",
        fields=("id", "total", "status_label"),
        format=FORMAT,
        embeds=(EmbedIntent(("client",), fields=("company",), parameter="client"),),
        takes_labels=True,
        is_tagged=True,
    )
    assert [key for key, _ in found.shapes[0].pieces] == ["id", "total", "status_label", "_etag", "client"]


def test_nothing_is_read_where_no_rows_are_selected() -> None:
    """Of removals, and of plural changes that ask for the number alone."""
    affected = Selected("affected", "affected", Own("affected"))
    given: dict[str, Any] = {"filter": {"id": 1}, "maxAffected": 1}

    for found in (
        step("deleteTag", affected, id=1),
        step("deleteTags", affected, **given),
        step("updateTags", affected, **given, input={"name": "x"}),
    ):
        assert (found.read, found.shapes) == (None, ())


def test_rows_selected_twice_are_read_once() -> None:
    """Each selection has a shape of its own."""
    tags = table("tags")
    rows = (
        Selected("ids", "rows", Own("rows"), parts=(part(tags, "id"),)),
        Selected("names", "rows", Own("rows"), parts=(part(tags, "name", key="called"),)),
    )

    found = step("updateTags", *rows, filter={"id": 1}, input={"name": "x"}, maxAffected=1)

    assert found.read is not None
    assert found.read.fields == ("id", "name")
    assert [[key for key, _ in shape.pieces] for shape in found.shapes] == [["id"], ["called"]]


# Where faults stand


def test_faults_stand_where_the_schema_has_the_field() -> None:
    """In rows of arrays and in nested rows too; indexes and other names stay."""
    vocabulary = vocabulary_of()
    clients = step("createClients", input=[{}])
    invoice = step("createInvoice", input={})
    error = ValidationError(
        "fields_invalid",
        "Fields are at fault: 0/custom.score, 0/company.",
        issues=[
            Issue("custom.score must be given", pointer="/0/custom.score", code="required"),
            Issue("x", pointer="/0/company"),
        ],
    )
    nested = Issue("no tax", pointer="/items/1/taxes/0/taxrate")

    told = input_error(error, clients, vocabulary)

    assert isinstance(told, ValidationError)
    assert told.detail == "Fields are at fault: 0/custom_score, 0/company."
    assert [(issue.pointer, issue.message, issue.code) for issue in told.issues] == [
        ("/0/custom_score", "custom_score must be given", "required"),
        ("/0/company", "x", None),
    ]
    same = ConflictError("duplicate", "There is one.", issues=[nested])
    assert input_error(same, invoice, vocabulary) is same


def test_a_pointers_own_signs_are_read() -> None:
    """A name with a slash is one segment (RFC 6901)."""
    vocabulary = vocabulary_of(odd())
    pets = step("createPet", vocabulary=vocabulary, input={})
    error = ValidationError("fields_invalid", "x", issues=[Issue("x", pointer="/a~1b"), Issue("whole", pointer="")])

    told = input_error(error, pets, vocabulary)

    assert [issue.pointer for issue in told.issues] == ["/a_b_2", ""]


def test_other_errors_stay_as_they_are() -> None:
    """What has no pointer, or is none of a body."""
    vocabulary = vocabulary_of()
    for error in (
        NotFoundError("row_unknown", "There is no such row."),
        RequestError("key_invalid", "No key.", parameter="id"),
        ConflictError("dependants", "Rows depend on it.", issues=[Issue("2 rows", code="dependant")]),
    ):
        assert input_error(error, step("deleteTag", id=1), vocabulary) is error


def test_every_mutation_has_a_meaning_that_is_a_change() -> None:
    """For each resource and each of the six forms where the table takes them."""
    mutations = vocabulary_of().mutations

    assert all(isinstance(meaning, Change) for meaning in mutations.values())
    for name in ("createTag", "createTags", "updateTag", "updateTags", "deleteTag", "deleteTags"):
        assert name in mutations
