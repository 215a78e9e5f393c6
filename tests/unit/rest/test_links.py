"""Links to the rows that an embed left out: the embed's own parameters, as its list takes them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.operations.results import Truncation
from gateway.rest.given import Given
from gateway.rest.includes import parse_embeds
from gateway.rest.links import Cut, cuts_of, embed_query
from gateway.rest.parse import parse_list
from gateway.rest.url import parse_query
from tests.support.asking import crm
from tests.support.catalogs import make_catalog, reflected


def given(query: str) -> Given:
    return parse_list("invoices", parse_query(query.encode())).given


@pytest.mark.parametrize(
    ("query", "due"),
    [
        ("include=client.contracts", ""),
        ("include=client.contracts&fields[client.contracts]=id,subject", "fields=id,subject&"),
        ("include[client.contracts][sort]=-id", "sort=-id&"),
        ("include[client.contracts][limit]=5", ""),
        (
            "include[client.contracts][filter][any][a.gt]=1&include[client.contracts][filter][any][b]=2",
            "filter[any][a.gt]=1&filter[any][b]=2&",
        ),
        ("include=client.contracts.notes,client.contracts.client.notes,items", "include=notes,client.notes&"),
        (
            "include=client.contracts.notes&fields[client.contracts.notes]=id&include[client.contracts.notes][limit]=3"
            "&include[client.contracts.notes][filter][id.gt]=1",
            "include=notes&fields[notes]=id&include[notes][limit]=3&include[notes][filter][id.gt]=1&",
        ),
        ("include=client.contracts,client.contractsx&fields[client]=company&include[client][sort]=id", ""),
        (
            "include=client.contracts&labels=true&decimals=string&bigints=string&envelope=false",
            "labels=true&decimals=string&bigints=string&envelope=false&",
        ),
        ("include=client.contracts&filter[id]=1&where={}&q=x&sort=id&page=2&per_page=5&count=none&fields=id", ""),
        ("include[client.contracts][filter][a]=%26x%3D%23%2B%25%20%C3%A9", "filter[a]=%26x%3D%23%2B%25%20%C3%A9&"),
        ("include[client.contracts][filter][a%26b]=1", "filter[a%26b]=1&"),
    ],
)
def test_an_embeds_parameters_become_those_of_its_list(query: str, due: str) -> None:
    """Its own ones, those of what it includes in turn, and those of the form of values; no others."""
    assert embed_query(given(query), ("client", "contracts")) == due


def test_values_of_a_body_are_written_as_a_url_has_them() -> None:
    """A comma inside an item is escaped."""
    values: Given = {
        "include": ["items.taxes", "client"],
        "fields[items]": ["id", "qty"],
        "include[items][filter][description.in]": ["a,b", "c\\d"],
        "include[items][filter][rate.gte]": Decimal("1.50"),
        "include[items][filter][is_x]": True,
        "labels": True,
    }

    assert embed_query(values, ("items",)) == (
        "include=taxes&fields=id,qty&filter[description.in]=a%5C,b,c%5C%5Cd&filter[rate.gte]=1.50&filter[is_x]=true"
        "&labels=true&"
    )


def test_followed_a_link_asks_for_the_same_embed() -> None:
    """Its fields, filters, order and includes."""
    query = (
        "include=client.contracts.notes&fields[client.contracts]=id&include[client.contracts][filter][any][a]=%26"
        "&include[client.contracts][filter][any][b.in]=x,y&include[client.contracts][sort]=-id,a"
        "&fields[client.contracts.notes]=id&include[client.contracts.notes][sort]=-id"
    )
    embeds = {embed.path: embed for embed in parse_embeds(given(query))}
    followed = parse_list("contracts", parse_query(embed_query(given(query), ("client", "contracts")).encode())).intent
    asked, inner = embeds["client", "contracts"], embeds["client", "contracts", "notes"]

    assert followed.conditions[0].parts[0].path == asked.conditions[0].parts[0].path  # type: ignore[union-attr]  # one group
    assert [part.operand for part in followed.conditions[0].parts] == ["&", "x,y"]  # type: ignore[union-attr]  # one group
    assert [(key.field, key.descending) for key in followed.order] == [("id", True), ("a", False)]
    assert [(item.path, item.fields) for item in followed.embeds] == [(("notes",), inner.fields)]
    assert [key.field for key in followed.embeds[0].order] == ["id"]


def test_a_cut_leads_to_the_parents_own_list() -> None:
    """From the limit on, with pointers whose names may be anything."""
    clients = crm().resources["clients"]
    cuts = cuts_of(
        [
            Truncation((3, "client", "contracts"), clients, (12,), ("client", "contracts"), 5),
            Truncation(("a/b~c",), clients, ("x,y",), ("a/b~c",), 100),
            Truncation((0, "invoice.client", "projects"), clients, (7,), ("invoice", "client", "projects"), 100),
        ],
        given("include=client.contracts&fields[client.contracts]=id"),
    )

    assert cuts == (
        Cut("/3/client/contracts", 5, "/api/v1/clients/12/contracts?fields=id&limit=5&offset=5"),
        Cut("/a~1b~0c", 100, "/api/v1/clients/x%2Cy/a%2Fb~c?limit=100&offset=100"),
        Cut("/0/invoice.client/projects", 100, "/api/v1/clients/7/projects?limit=100&offset=100"),
    )


def test_a_parent_without_a_key_has_no_list_to_lead_to() -> None:
    """The cut is told all the same."""
    keyless = make_catalog(reflected("t", "a int", key=())).resources["t"]

    assert cuts_of([Truncation((0, "a"), keyless, (), ("a",), 5)], {}) == (Cut("/0/a", 5, None),)
