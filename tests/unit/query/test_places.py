"""Dotted names -> fields at the end of relationships: how far a caller may follow them, and what leads nowhere."""

from __future__ import annotations

import pytest

from gateway.catalog.model import Catalog, Relationship
from gateway.errors import ForbiddenError, RequestError
from gateway.query.access import Access, Grant
from gateway.query.places import Followed, Place, field_at, follow, single_field
from gateway.query.plan import Related
from tests.support.asking import ALL, READ, context_of, crm, crm_of_fields, granted, refused
from tests.support.catalogs import make_catalog, reflected

CRM = crm()


def followed(name: str, resource: str = "invoices", catalog: Catalog = CRM, access: Access = ALL) -> Followed:
    """Return where a name leads from the rows of a resource."""
    context = context_of(catalog, access)
    return follow(context, Place(catalog.resources[resource]), name.split("."), "filter")


def names(path: tuple[Relationship, ...]) -> list[str]:
    return [edge.name for edge in path]


# Following


def test_a_field_of_the_row_itself_needs_no_path() -> None:
    """It stays where it is, with all that is left of the name."""
    found = followed("total.gte")

    assert found.place == Place(CRM.resources["invoices"])
    assert found.rest == ("total", "gte")


def test_to_ones_are_gathered_into_a_path() -> None:
    """What is left is named on the table at its end."""
    found = followed("client.converted_from_lead.name")

    assert names(found.place.path) == ["client", "converted_from_lead"]
    assert (found.place.table, found.rest, found.many) == (CRM.resources["leads"], ("name",), None)


def test_a_to_many_ends_the_path() -> None:
    """What comes after speaks of other rows, where a path begins anew."""
    found = followed("client.contacts.client.company")

    assert names(found.place.path) == ["client"]
    assert found.many is CRM.resources["clients"].relationships["contacts"]
    assert found.inner is not None
    assert (found.inner.table, found.inner.path, found.rest) == (CRM.resources["contacts"], (), ("client", "company"))


def test_a_picked_to_one_is_a_to_one() -> None:
    """The first contact is one row, however many there are."""
    found = followed("primary_contact.email", "clients")

    assert (names(found.place.path), found.many) == (["primary_contact"], None)


def test_the_longest_name_is_a_field() -> None:
    """Custom fields have a dot in theirs; what comes after is left."""
    table = crm_of_fields().resources["clients"]

    assert field_at(table, ("custom", "industry", "contains")) == (table.fields["custom.industry"], ("contains",))
    assert field_at(table, ("custom", "nothing")) == (None, ("custom", "nothing"))
    assert field_at(table, ()) == (None, ())


def test_a_custom_field_is_found_at_the_end_of_a_path() -> None:
    """As any field is."""
    catalog = crm_of_fields()
    found = single_field(context_of(catalog), catalog.resources["invoices"], "client.custom.industry", "sort")

    assert isinstance(found, Related)
    assert (found.name, found.field) == (
        "client.custom.industry",
        catalog.resources["clients"].fields["custom.industry"],
    )


def test_a_field_comes_before_a_relationship() -> None:
    """Where a name could be both, the field is meant and nothing is entered: no grant on the other table is due."""
    owner = reflected("owners", "id int!", "name varchar(20)")
    catalog = make_catalog(owner, reflected("pets", "id int!", "owner varchar(20)"))
    pets = catalog.resources["pets"]
    edge = Relationship("owner", "pets", "owners", False, (("id", "id"),))
    pets.relationships["owner"] = edge  # type: ignore[index]  # what the builder would refuse
    narrow = granted(pets=Grant(READ))

    assert followed("owner.eq", "pets", catalog, narrow).rest == ("owner", "eq")


# Grants and limits


def test_each_table_on_the_way_needs_its_grant() -> None:
    """The one at the end as much as those before it; the error names the grant."""
    some = granted(invoices=Grant(READ), clients=Grant(READ))
    for name, grant in (("client.contacts.email", "contacts:read"), ("project.name", "projects:read")):
        with pytest.raises(ForbiddenError) as caught:
            followed(name, access=some)
        assert (caught.value.code, caught.value.detail) == ("grant_missing", f"The token lacks the grant {grant}.")
    assert followed("client.company", access=some).rest == ("company",)


def test_a_path_follows_only_so_many_relationships() -> None:
    """To-manys count as to-ones do, and so does what stood before a bracket."""
    deep = [".".join([name] * 6) for name in ("recurring_parent", "recurrences")]
    asked = [f"invoices?filter[{path}.id]=1" for path in deep]
    asked.append("invoices?filter[recurrences.recurrences.recurrences][recurrences.recurrences.recurrences.id]=1")
    asked.append('invoices?where={"recurrences.recurrences.recurrences":{"every":{"client.invoices.client.city":"x"}}}')
    for target in asked:
        error = refused(CRM, target)
        assert (error.code, error.detail) == ("query_too_large", "A path follows at most 5 relationships.")

    assert names(followed(".".join(["recurring_parent"] * 5) + ".id").place.path) == ["recurring_parent"] * 5


# What leads nowhere


@pytest.mark.parametrize(
    ("filter_", "suggestion"),
    [
        ("client.compny", "company"),
        ("clint.company", "client"),
        ("client.contacts.emai", "email"),
        ("client.company.eq.eq", "company"),
        ("zzzz", None),
        ("client", None),
        ("client.contacts", None),
    ],
)
def test_a_name_that_leads_nowhere_is_unknown(filter_: str, suggestion: str | None) -> None:
    """The nearest name of the table where it went wrong is suggested; a relationship alone is no field."""
    error = refused(CRM, f"invoices?filter[{filter_}]=1")

    assert isinstance(error, RequestError)
    assert error.code == "field_unknown"
    assert [(issue.parameter, issue.suggestion) for issue in error.issues] == [(f"filter[{filter_}]", suggestion)]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("invoices?filter[client]=1", "client is a relationship: name one of its fields, such as client.userid."),
        ("invoices?sort=client", "client is a relationship: name one of its fields, such as client.userid."),
        (
            "invoices?filter[client.contacts]=1",
            "filter[client.contacts] leads to contacts: name one of their fields, such as id.",
        ),
    ],
)
def test_a_relationship_is_told_from_a_typing_mistake(target: str, said: str) -> None:
    """What is missing is one of its fields."""
    assert refused(CRM, target).detail == said


@pytest.mark.parametrize("form", ["filter[client.{}]=1", "sort=client.{}", "group=client.{}", "metrics=max.client.{}"])
def test_hidden_unreadable_and_absent_are_one_at_the_end_of_a_path(form: str) -> None:
    """Same code, same words, no suggestion."""
    narrow = granted(invoices=Grant(READ), clients=Grant(READ, readable=frozenset({"userid"})))
    catalog = crm()
    said = set()
    for name in ("vat", "qqq"):
        error = refused(catalog, "invoices?" + form.format(name), narrow)
        assert isinstance(error, RequestError)
        said.add((error.code, error.detail.replace(name, "…"), tuple(issue.suggestion for issue in error.issues)))

    assert said == {("field_unknown", "clients has no field '…'.", (None,))}


def test_a_hidden_column_of_another_table_is_as_unknown_as_a_made_up_one() -> None:
    """Through to-manys too."""
    said = {
        refused(CRM, f"invoices?filter[client.contacts.{name}]=1").detail.replace(name, "…")
        for name in ("password", "qqqqqqqq")
    }

    assert said == {"contacts has no field '…'."}


def test_a_relationship_that_the_caller_may_not_follow_is_not_suggested() -> None:
    """A suggestion would tell that it is there."""
    for access, suggestion in ((ALL, "project"), (granted(invoices=Grant(READ, frozenset({"id"}))), None)):
        error = refused(CRM, "invoices?filter[projct.name]=1", access)
        assert isinstance(error, RequestError)
        assert error.issues[0].suggestion == suggestion


def test_one_value_cannot_come_from_many_rows() -> None:
    """A sort or a metric through a to-many has no answer."""
    for target in ("invoices?sort=payments.amount", "invoices?metrics=sum.payments.amount"):
        error = refused(CRM, target)
        assert (error.code, error.detail) == (
            "path_to_many",
            "payments leads to many rows; a single value is due here.",
        )


def test_nothing_can_follow_a_field() -> None:
    """Where an operator has no place either."""
    for target in ("invoices?sort=total.gte", "invoices?sort=client.company.id"):
        assert refused(CRM, target).code == "field_unknown"
