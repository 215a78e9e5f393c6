"""What must hold of the engine on the 126 tables of Perfex, tried as somebody new to it would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
import pytest

from tests.support.app import App
from tests.support.mariadb import Server

LONG = (
    "filter[status]=2&filter[total.gte]=1000&filter[duedate.lt]=2026-04-01&sort=-total,duedate&fields=id,total,duedate"
)
NOW = datetime(2026, 7, 15, 16, 0)
"""Noon in London is this on the wall of the CRM, which is in Dubai."""

Sql = Callable[..., tuple[tuple[Any, ...], ...]]


@pytest.fixture
def sql(mariadb_server: Server, crm_database: str) -> Sql:
    """Run statements on the CRM's database beside the gateway, returning the last one's rows."""
    name = crm_database.rpartition("/")[2]
    return lambda *statements: mariadb_server.run(*statements, database=name)


def exact(answer: httpx2.Response) -> Any:
    """Return a body whose numbers keep the digits that were sent."""
    import json  # noqa: PLC0415  # the one reader of the standard library that can do this

    return json.loads(answer.text, parse_float=Decimal)


async def test_the_long_question_about_invoices_has_the_right_rows(crm: App, sql: Sql) -> None:
    """Rows, order and digits are those of a plain SELECT; meta and links describe the page."""
    expected = sql(
        "SELECT id, total, duedate FROM tblinvoices WHERE status = 2 AND total >= 1000 AND duedate < '2026-04-01' "
        "ORDER BY total DESC, duedate, id"
    )

    answer = await crm.get(f"invoices?{LONG}&page=3")
    body = exact(answer)

    assert [tuple(row.values()) for row in body["data"]] == [
        (key, total, day.isoformat()) for key, total, day in expected[50:75]
    ]
    cursor = body["meta"].pop("next_cursor")
    followed = exact(await crm.get(f"invoices?{LONG}&cursor={cursor}"))
    assert [row["id"] for row in followed["data"]] == [key for key, _, _ in expected[75:100]]
    assert body["meta"] == {
        "total": len(expected),
        "page": 3,
        "per_page": 25,
        "pages": -(-len(expected) // 25),
        "count": "exact",
    }
    base = f"/api/v1/invoices?{LONG}&page="
    pages = -(-len(expected) // 25)
    assert body["links"] == {
        "self": f"{base}3",
        "first": f"{base}1",
        "prev": f"{base}2",
        "next": f"{base}4",
        "last": f"{base}{pages}",
    }
    assert answer.headers["x-total-count"] == str(len(expected))
    assert f'<http://gateway.test{base}4>; rel="next"' in answer.headers["link"]


async def test_the_links_of_a_list_lead_through_all_of_its_rows(crm: App, sql: Sql) -> None:
    """Following ``next`` from the first page shows every row once, and ends."""
    expected = sql("SELECT id FROM tblinvoices WHERE status = 2 AND total >= 1000 ORDER BY total DESC, id")
    seen: list[int] = []
    path: str | None = "/api/v1/invoices?filter[status]=2&filter[total.gte]=1000&sort=-total&fields=id&per_page=400"
    while path is not None:
        body = (await crm.client.get(path)).json()
        seen.extend(row["id"] for row in body["data"])
        path = body["links"]["next"]

    assert [(key,) for key in seen] == list(expected)


async def test_customers_show_an_email_their_table_does_not_have(crm: App, sql: Sql) -> None:
    """The e-mail is that of the primary contact with the lowest id; without one it is null."""
    expected = sql(
        "SELECT c.userid, c.company, (SELECT p.email FROM tblcontacts p WHERE p.userid = c.userid AND p.is_primary = 1 "
        "ORDER BY p.id LIMIT 1) FROM tblclients c ORDER BY c.userid"
    )

    body = await crm.json("clients?fields=userid,company,email&per_page=1000")

    assert [tuple(row.values()) for row in body["data"]] == list(expected)
    assert list(body["data"][0]) == ["userid", "company", "email"]
    assert any(row["email"] is None for row in body["data"]) or all(row[2] is not None for row in expected)


@pytest.mark.parametrize("place", ["sort={}", "sort=-{}", "filter[{}]=1", "filter[{}.like]=a%25", "fields=id,{}"])
async def test_secrets_and_nonsense_are_refused_alike(crm: App, place: str) -> None:
    """hash, token, password and a made-up name get the same 400, but for the name itself."""
    bodies = set()
    for name in ("hash", "token", "password", "zzyzx"):
        answer = await crm.get(f"invoices?{place.format(name)}")
        assert answer.status_code == 400
        body = answer.json()
        assert body["code"] == "field_unknown"
        bodies.add(orjson.dumps({**body, "request_id": ""}).replace(name.encode(), b"NAME"))

    assert len(bodies) == 1


async def test_a_row_leads_to_everything_it_is_related_to(crm: App) -> None:
    """Every link of an invoice and of a customer answers, to-ones with a row or 404, to-manies with a list."""
    for path in ("invoices/42", "clients/12", "leads/3", "projects/2", "tickets/2", "itemable/5"):
        body = await crm.json(path)
        for name, link in body["links"].items():
            answer = await crm.client.get(link)
            assert answer.status_code in (200, 404), (name, answer.text)
            if answer.status_code == 404:
                assert answer.json()["code"] == "row_unknown"
            else:
                assert answer.json()["data"] is not None


async def test_paid_balance_and_overdue_are_what_the_payments_say(crm: App, sql: Sql) -> None:
    """Derived fields are read, sorted and filtered like columns."""
    expected = sql(
        "SELECT i.id, i.total - COALESCE((SELECT SUM(amount) FROM tblinvoicepaymentrecords p WHERE p.invoiceid = i.id),"
        " 0) - COALESCE((SELECT SUM(amount) FROM tblcredits c WHERE c.invoice_id = i.id), 0) AS balance FROM "
        "tblinvoices i WHERE i.status IN (1, 3, 4) AND i.duedate < '2026-07-15' HAVING balance > 0 "
        "ORDER BY balance DESC, id"
    )

    answer = await crm.get("invoices?filter[is_overdue]=1&fields=id,balance&sort=-balance&per_page=1000")
    body = exact(answer)

    assert [(row["id"], row["balance"]) for row in body["data"]] == list(expected)
    assert body["meta"]["total"] == len(expected) > 10


# Writes with only the columns a user would think of

STAFF = "SELECT MIN(staffid) FROM tblstaff WHERE active = 1 AND admin = 1"
BASE = "SELECT id FROM tblcurrencies WHERE isdefault = 1"


def lead(sql: Sql) -> dict[str, Any]:
    """What SEMANTICS says of a new lead."""
    ((status,),) = sql(
        "SELECT COALESCE((SELECT NULLIF(value, 0) FROM tbloptions WHERE name = 'leads_default_status'), "
        "(SELECT id FROM tblleads_status WHERE isdefault = 0 ORDER BY statusorder, id LIMIT 1))"
    )
    ((source,),) = sql(
        "SELECT COALESCE((SELECT NULLIF(value, 0) FROM tbloptions WHERE name = 'leads_default_source'), "
        "(SELECT MIN(id) FROM tblleads_sources))"
    )
    ((staff,),) = sql(STAFF)
    return {
        "name": "Zoë Ångström 🦊",
        "email": "zoe@example.org",
        "description": "first line<br />\nsecond & last",
        "hash": None,
        "status": int(status),
        "source": int(source),
        "addedfrom": staff,
        "dateadded": NOW,
        "assigned": 0,
        "country": 0,
        "lost": 0,
        "junk": 0,
        "leadorder": 1,
        "from_form_id": 0,
        "client_id": 0,
        "is_public": 0,
        "is_imported_from_email_integration": 0,
        "last_lead_status": 0,
    }


def client(sql: Sql) -> dict[str, Any]:
    """What SEMANTICS says of a new customer."""
    ((staff,),) = sql(STAFF)
    return {
        "company": "Zoë Ångström AG",
        "phonenumber": "+41 44 123",
        "billing_street": "Gasse 1<br />\nHinterhof",
        "datecreated": NOW,
        "addedfrom": staff,
        "default_currency": 0,
        "country": 0,
        "billing_country": 0,
        "shipping_country": 0,
        "show_primary_contact": 0,
        "active": 1,
        "registration_confirmed": 1,
        "stripe_id": None,
    }


def note(sql: Sql) -> dict[str, Any]:
    """What SEMANTICS says of a new note."""
    ((staff,),) = sql(STAFF)
    return {
        "rel_type": "customer",
        "rel_id": 1,
        "description": "called<br />\nback",
        "addedfrom": staff,
        "dateadded": NOW,
        "date_contacted": None,
    }


def expense(sql: Sql) -> dict[str, Any]:
    """What SEMANTICS says of a new expense: the base currency, as it has no customer."""
    ((staff,),) = sql(STAFF)
    ((currency,),) = sql(BASE)
    return {
        "category": 1,
        "amount": Decimal("12.50"),
        "expense_name": "Taxi",
        "note": "there<br />\nand back",
        "currency": currency,
        "date": date(2026, 7, 15),
        "clientid": 0,
        "project_id": 0,
        "tax2": 0,
        "billable": 0,
        "send_invoice_to_customer": 0,
        "recurring": 0,
        "dateadded": NOW,
        "addedfrom": staff,
        "invoiceid": None,
    }


WRITTEN: Mapping[str, tuple[str, str, dict[str, Any], dict[str, Any], Callable[[Sql], dict[str, Any]]]] = {
    # resource: table, key, what is sent, a change, what is stored then
    "leads": (
        "tblleads",
        "id",
        {"name": "Zoë Ångström 🦊", "email": "zoe@example.org", "description": "first line\nsecond & last"},
        {"company": "Fox Ltd", "country": "234"},
        lead,
    ),
    "clients": (
        "tblclients",
        "userid",
        {"company": "Zoë Ångström AG", "phonenumber": "+41 44 123", "billing_street": "Gasse 1\nHinterhof"},
        {"city": "Zürich"},
        client,
    ),
    "notes": (
        "tblnotes",
        "id",
        {"rel_type": "customer", "rel_id": "1", "description": "called\nback"},
        {"description": "never"},
        note,
    ),
    "expenses": (
        "tblexpenses",
        "id",
        {"category": "1", "amount": "12.50", "expense_name": "Taxi", "note": "there\nand back"},
        {"amount": "13.05"},
        expense,
    ),
}


@pytest.mark.parametrize("form", ["json", "form"])
@pytest.mark.parametrize("resource", sorted(WRITTEN))
async def test_a_row_is_made_changed_and_deleted_with_few_columns(crm: App, sql: Sql, resource: str, form: str) -> None:
    """What is stored is what Perfex itself would have stored; a reply is what a read shows."""
    table, key, sent, change, expected = WRITTEN[resource]
    options = send(sent, form)

    created = await crm.client.post(f"/api/v1/{resource}", **options)

    assert created.status_code == 201, created.text
    body = created.json()
    number = body["data"][key]
    path = f"/api/v1/{resource}/{number}"
    try:
        assert created.headers["location"] == body["links"]["self"] == path
        assert stored(sql, table, key, number, expected(sql)) == expected(sql)
        assert (await crm.client.get(path)).json()["data"] == body["data"]
        for field, value in sent.items():
            assert str(body["data"][field]) in (value, value.rstrip("0").rstrip("."))

        changed = await crm.client.patch(path, **send(change, form))
        again = await crm.client.put(path, **send(change, form))
        assert (changed.status_code, again.status_code) == (200, 200), (changed.text, again.text)
        assert changed.json() == again.json()
        differing = {name for name, value in changed.json()["data"].items() if value != body["data"][name]}
        assert differing == set(change)
    finally:
        deleted = await crm.client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await crm.client.get(path)).json()["code"] == "row_unknown"
    assert (await crm.client.delete(path)).status_code == 404
    assert sql(f"SELECT COUNT(*) FROM {table} WHERE {key} = {number}") == ((0,),)


def send(fields: Mapping[str, str], form: str) -> dict[str, Any]:
    """Return fields as arguments of a request, in one of the two forms a body has."""
    if form == "json":
        return {"json": dict(fields)}
    return {"content": urlencode(fields), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}


def stored(sql: Sql, table: str, key: str, number: int, names: Mapping[str, object]) -> dict[str, Any]:
    """Return some columns of a row as the database has them."""
    (row,) = sql(f"SELECT {', '.join(f'`{name}`' for name in names)} FROM {table} WHERE {key} = {number}")
    return dict(zip(names, row, strict=True))


async def test_every_bad_field_of_a_write_is_named_at_once(crm: App) -> None:
    """One answer lists what is unknown, too long, out of range, of another type, too fine and missing."""
    answer = await crm.client.post(
        "/api/v1/expenses",
        json={
            "amount": "1.005",
            "date": "yesterday",
            "currency": 2**40,
            "hash": "x",
            "nmae": "x",
            "paymentmode": "5" * 99,
        },
    )

    assert answer.status_code == 422
    faults = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert faults == {
        "/amount": "scale",
        "/date": "type",
        "/currency": "out_of_range",
        "/hash": "unknown",
        "/nmae": "unknown",
        "/paymentmode": "too_long",
        "/category": "required",
    }


async def test_a_write_that_is_refused_leaves_nothing(crm: App, sql: Sql) -> None:
    """Neither a row nor a gap in what others see."""
    before = sql("SELECT COUNT(*) FROM tblexpenses")

    answer = await crm.client.post("/api/v1/expenses", json={"category": 1, "amount": "abc"})

    assert answer.status_code == 422
    assert sql("SELECT COUNT(*) FROM tblexpenses") == before


@pytest.mark.parametrize("resource", ["staff", "roles", "customfields", "countries"])
async def test_tables_that_rules_guard_take_no_plain_write_and_say_why(crm: App, resource: str) -> None:
    """405 with what is allowed, for every method that writes."""
    for method, path in (("POST", resource), ("PATCH", f"{resource}/1"), ("DELETE", f"{resource}/1")):
        answer = await crm.client.request(method, f"/api/v1/{path}", json={"name": "x"})

        assert answer.status_code == 405, answer.text
        assert answer.json()["code"] == "write_not_supported"
        assert answer.headers["allow"] == ("GET, HEAD, QUERY, OPTIONS" if path == resource else "GET, HEAD, OPTIONS")
        assert len(answer.json()["detail"]) > len(resource) + 10


async def test_a_row_read_can_be_sent_back_whole(crm: App) -> None:
    """Read-only fields with their stored values are no fault, and nothing changes."""
    for path in ("clients/7", "leads/9", "expenses/4", "notes/11"):
        row = (await crm.json(path))["data"]

        answer = await crm.client.put(f"/api/v1/{path}", json=row)

        assert answer.status_code == 200, (path, answer.text)
        assert answer.json()["data"] == row
