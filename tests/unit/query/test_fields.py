"""Names of ``fields`` -> what a row shows: columns, derived and custom fields, labels beside the codes they explain."""

from __future__ import annotations

import pytest

from gateway.query.access import Access, Grant
from tests.support.asking import ALL, READ, ask, crm, crm_of_fields, granted, refused

CRM = crm_of_fields()


def names(target: str, access: Access = ALL) -> list[str]:
    """Return the names of what the rows of a read show."""
    return [field.name for field in ask(CRM, target, access).plan.fields]


def test_custom_fields_come_only_when_they_are_named() -> None:
    """One by one, or all of them in the order that staff gave them."""
    assert not any(name.startswith("custom.") for name in names("clients"))
    assert names("clients?fields=custom.score,userid") == ["custom.score", "userid"]
    assert names("clients?fields=userid,custom.*") == ["userid", "custom.industry", "custom.since", "custom.score"]


def test_a_star_stands_for_the_columns_alone() -> None:
    """What is named beside it is added, each once and where it came first."""
    columns = [column.name for column in CRM.resources["clients"].columns]

    assert names("clients?fields=*,custom.*") == [*columns, "custom.industry", "custom.since", "custom.score"]
    assert names("clients?fields=custom.score,custom.*,custom.score") == [
        "custom.score",
        "custom.industry",
        "custom.since",
    ]


def test_a_resource_without_custom_fields_adds_none() -> None:
    """It is no mistake to ask for all of them."""
    assert [field.name for field in ask(crm(), "leads?fields=id,custom.*").plan.fields] == ["id"]


def test_custom_fields_are_granted_one_by_one() -> None:
    """By their names; the rest is as unknown as what does not exist."""
    narrow = granted(clients=Grant(READ, readable=frozenset({"userid", "custom.score"})))

    assert names("clients?fields=*,custom.*", narrow) == ["userid", "custom.score"]
    said = set()
    for name in ("custom.industry", "custom.qqqqqqqq"):
        error = refused(CRM, f"clients?fields={name}", narrow)
        said.add((error.code, error.detail.replace(name, "…")))
    assert len(said) == 1


# Labels


def test_a_label_stands_right_after_its_field() -> None:
    """For fields that have one; nothing else is added."""
    assert names("invoices?fields=id,status,total&labels=true") == ["id", "status", "status_label", "total"]
    assert names("invoices?fields=id,status,total&labels=false") == ["id", "status", "total"]


def test_without_fields_every_code_gets_its_label() -> None:
    """Those of tables and those of words."""
    found = names("leads?labels=true")

    assert found[found.index("status") + 1] == "status_label"
    assert found[found.index("source") + 1] == "source_label"
    assert set(found) - set(names("leads")) == {f"{name}_label" for name in CRM.resources["leads"].labels}


def test_a_label_is_no_field_of_its_own() -> None:
    """It cannot be named, filtered or sorted by: it only explains."""
    for target in ("fields=status_label", "filter[status_label]=Paid", "sort=status_label", "group=status_label"):
        assert refused(CRM, f"invoices?{target}").code == "field_unknown"


@pytest.mark.parametrize("target", ["invoices?labels=true", "invoices/1?labels=true", "clients/1/invoices?labels=true"])
def test_a_code_that_the_caller_may_not_read_has_no_label(target: str) -> None:
    """It would tell the code."""
    columns = frozenset({"id", "total", "clientid"})
    narrow = granted(invoices=Grant(READ, readable=columns), clients=Grant(READ))

    assert not any(name.endswith("_label") for name in names(target, narrow))


def test_a_key_that_comes_along_unasked_is_not_explained() -> None:
    """It stands in the reply because the reply needs it."""
    narrow = granted(invoices=Grant(READ, readable=frozenset({"id", "total"})))

    assert names("invoices?fields=total&envelope=false&labels=true", narrow) == ["total", "id"]
