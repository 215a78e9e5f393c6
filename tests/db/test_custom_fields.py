"""Custom fields through the application: written, read back, tagged and deleted with their rows, on both databases."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from httpx2 import Response

from sample_crm import build
from tests.support.app import NOON, App, served
from tests.support.mariadb import Server
from tests.support.sales import Crm, faults, send

WHITELIST = """version: 1
profile: perfex
tables:
  clients: {read_only: [custom.customers_brand_colour], hide: [custom.customers_interests_old]}
  contacts:
  customfieldsvalues:
  expenses:
  expenses_categories:
  invoices: {hide: [custom.invoice_approved_on]}
  itemable:
  items:
  item_tax:
  leads:
  notes:
  projects:
  tags:
"""
TIERS: dict[str, Any] = {
    "custom.customers_industry": "Health",
    "custom.customers_tier": "Gold",
    "custom.customers_employees": 1250.5,
    "custom.customers_renewal_date": "2027-02-28",
    "custom.customers_background": "first\nsecond",
    "custom.customers_interests": ["Hosting", "Hardware"],
    "custom.customers_portal_link": '<a href="https://portal.example">Portal</a>',
}
STORED = {
    "customers_industry": "Health",
    "customers_tier": "Gold",
    "customers_employees": "1250.5",
    "customers_renewal_date": "2027-02-28",
    "customers_background": "first<br />\nsecond",
    "customers_interests": "Hosting, Hardware",
    "customers_portal_link": '<a href="https://portal.example" rel="noopener noreferrer">Portal</a>',
}


@pytest.fixture(scope="module", params=["mariadb", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """A sample CRM of this module's own."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('custom') / 'crm.sqlite3'}"
        build(url, scale="tiny", today=NOON.date())
        yield Crm(url, None)
        return
    server: Server = request.getfixturevalue("mariadb_server")
    name = f"gateway_custom_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = server.create_database(name)
    build(url, scale="tiny", today=NOON.date())
    yield Crm(url, server)
    server.drop_database(name)


@pytest.fixture(scope="module")
async def app(place: Crm) -> AsyncIterator[App]:
    """The application on it, acting as staff 1."""
    async with served(place.url, whitelist=WHITELIST, staff_id=1) as running:
        yield running


def definition(crm: Crm, slug: str) -> int:
    (row,) = crm.run("SELECT id FROM tblcustomfields WHERE slug = %s", slug)
    return int(row["id"])


def stored(crm: Crm, entity: str, key: int) -> dict[str, str]:
    """Return the texts of a row's custom fields by slug; a second one of the same field fails the test."""
    rows = crm.run(
        "SELECT slug, value FROM tblcustomfieldsvalues v JOIN tblcustomfields d ON d.id = v.fieldid "
        "WHERE v.fieldto = %s AND relid = %s",
        entity,
        key,
    )
    found = {row["slug"]: row["value"] for row in rows}
    assert len(found) == len(rows)
    return found


def put_text(crm: Crm, slug: str, entity: str, key: int, text: str) -> None:
    """Store a text past the gateway."""
    crm.run(
        "INSERT INTO tblcustomfieldsvalues (relid, fieldid, fieldto, value) VALUES (%s, %s, %s, %s)",
        key,
        definition(crm, slug),
        entity,
        text,
    )


async def new_client(app: App, **fields: object) -> int:
    answer = await send(app, "POST", "clients", {"company": "Custom & Co", **fields})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["data"]["userid"])


def data(answer: Response) -> dict[str, Any]:
    assert answer.status_code in (200, 201), answer.text
    row: dict[str, Any] = answer.json()["data"]
    return row


# Creating


async def test_a_create_writes_a_row_for_every_value(app: App, place: Crm) -> None:
    """In the CRM's own forms; what was sent is in the answer, and nothing else of the custom fields."""
    answer = await send(app, "POST", "clients", {"company": "Every Type", **TIERS})
    row = data(answer)
    shown = {name: value for name, value in row.items() if name.startswith("custom.")}

    assert shown == {**TIERS, "custom.customers_portal_link": STORED["customers_portal_link"]}
    assert stored(place, "customers", row["userid"]) == STORED


async def test_moments_and_ticked_boxes_are_written_as_the_crm_does(app: App, place: Crm) -> None:
    """On the CRM's wall clock, and in the order of the options; leads have a rule besides."""
    body = {
        "name": "Custom Lead",
        "custom.leads_call_at": "2026-08-01T09:30:00+04:00",
        "custom.leads_channels": ["WhatsApp", "Phone"],
        "custom.leads_budget": "12.50",
    }
    row = data(await send(app, "POST", "leads", body))

    assert row["custom.leads_call_at"] == "2026-08-01T09:30:00+04:00"
    assert (row["custom.leads_channels"], row["custom.leads_budget"]) == (["Phone", "WhatsApp"], 12.5)
    assert stored(place, "leads", row["id"]) == {
        "leads_call_at": "2026-08-01 09:30:00",
        "leads_channels": "Phone, WhatsApp",
        "leads_budget": "12.5",
    }


async def test_an_empty_value_adds_no_row(app: App, place: Crm) -> None:
    """Neither null nor empty text nor no words."""
    key = await new_client(
        app,
        **{
            "custom.customers_tier": "",
            "custom.customers_employees": None,
            "custom.customers_renewal_date": "",
            "custom.customers_interests": [],
        },
    )

    assert stored(place, "customers", key) == {}


async def test_a_form_writes_custom_fields_too(app: App, place: Crm) -> None:
    """Lists are separated by commas there."""
    form = {"company": "Form", "custom.customers_interests": "Design,Hosting", "custom.customers_employees": "3"}
    answer = await app.client.post("/api/v1/clients", data=form)

    assert stored(place, "customers", data(answer)["userid"]) == {
        "customers_interests": "Hosting, Design",
        "customers_employees": "3",
    }


async def test_rows_of_an_array_each_have_their_own(app: App, place: Crm) -> None:
    """All or nothing, as for columns."""
    rows = [
        {"company": "A", "custom.customers_tier": "one"},
        {"company": "B"},
        {"company": "C", "custom.customers_tier": "three"},
    ]
    answer = await send(app, "POST", "clients", rows)
    made = answer.json()["data"]
    before = place.run("SELECT COUNT(*) AS n FROM tblcustomfieldsvalues")
    bad = await send(app, "POST", "clients", [rows[0], {"company": "D", "custom.customers_industry": "Fishing"}])

    assert [stored(place, "customers", row["userid"]) for row in made] == [
        {"customers_tier": "one"},
        {},
        {"customers_tier": "three"},
    ]
    assert [(error["pointer"], error["code"]) for error in bad.json()["errors"]] == [
        ("/1/custom.customers_industry", "member")
    ]
    assert place.run("SELECT COUNT(*) AS n FROM tblcustomfieldsvalues") == before


async def test_a_dry_run_leaves_nothing(app: App, place: Crm) -> None:
    """It answers with what would be there."""
    before = place.run("SELECT COUNT(*) AS n FROM tblcustomfieldsvalues")
    answer = await send(app, "POST", "clients?dry_run=true", {"company": "Dry", "custom.customers_tier": "T"})

    assert answer.json()["data"]["custom.customers_tier"] == "T"
    assert place.run("SELECT COUNT(*) AS n FROM tblcustomfieldsvalues") == before


async def test_items_of_the_catalogue_and_lines_of_documents_share_a_definition(app: App, place: Crm) -> None:
    """The values of items are called ``items_pr``, those of lines ``items``."""
    item = data(await send(app, "POST", "items", {"description": "Hose", "rate": "5", "custom.items_supplier": "Acme"}))
    (client,) = place.run("SELECT MIN(userid) AS userid FROM tblclients")
    lines = [
        {"description": "Hose", "qty": "1", "rate": "5", "custom.items_supplier": "Line & Co"},
        {"description": "Work", "qty": "1", "rate": "9"},
    ]
    body = {"clientid": int(client["userid"]), "items": lines, "custom.invoice_po_number": "PO-7"}
    invoice = data(await send(app, "POST", "invoices", body))
    made = place.run("SELECT id FROM tblitemable WHERE rel_type = 'invoice' AND rel_id = %s ORDER BY id", invoice["id"])

    assert item["custom.items_supplier"] == "Acme"
    assert stored(place, "items_pr", item["id"]) == {"items_supplier": "Acme"}
    assert [stored(place, "items", int(line["id"])) for line in made] == [{"items_supplier": "Line & Co"}, {}]
    assert (invoice["custom.invoice_po_number"], stored(place, "invoice", invoice["id"])) == (
        "PO-7",
        {"invoice_po_number": "PO-7"},
    )
    line = await app.json(f"itemable/{int(made[0]['id'])}?fields=custom.items_supplier")
    assert line["data"] == {"custom.items_supplier": "Line & Co"}


# Changing


async def test_a_change_writes_the_fields_it_names(app: App, place: Crm) -> None:
    """One that was not there is added, one that was is changed, the others stay."""
    key = await new_client(app, **TIERS)
    body = {"custom.customers_tier": "Silver", "custom.customers_employees": None, "city": "Muscat"}
    row = data(await send(app, "PATCH", f"clients/{key}", body))

    assert (row["custom.customers_tier"], row["custom.customers_employees"]) == ("Silver", None)
    assert "custom.customers_industry" not in row
    assert stored(place, "customers", key) == {**STORED, "customers_tier": "Silver", "customers_employees": ""}


async def test_a_change_of_custom_fields_alone_is_one_too(app: App, place: Crm) -> None:
    """Nothing of the row itself has to be sent, and a field that is emptied keeps its row, as in the CRM."""
    key = await new_client(app)
    for text, kept in (("", {}), ("Gold", {"customers_tier": "Gold"}), ("", {"customers_tier": ""})):
        await send(app, "PATCH", f"clients/{key}", {"custom.customers_tier": text})
        assert stored(place, "customers", key) == kept


async def test_a_second_value_of_one_field_is_changed_along(app: App, place: Crm) -> None:
    """Otherwise it would come to light when the first one is removed."""
    key = await new_client(app, **{"custom.customers_tier": "first"})
    put_text(place, "customers_tier", "customers", key, "second")
    before = await app.json(f"clients/{key}?fields=custom.customers_tier")
    await send(app, "PATCH", f"clients/{key}", {"custom.customers_tier": "third"})
    rows = place.run(
        "SELECT value FROM tblcustomfieldsvalues WHERE fieldto = 'customers' AND relid = %s AND fieldid = %s",
        key,
        definition(place, "customers_tier"),
    )

    assert before["data"] == {"custom.customers_tier": "first"}
    assert [row["value"] for row in rows] == ["third", "third"]


async def test_a_row_that_was_read_can_be_sent_back(app: App, place: Crm) -> None:
    """Text that is no value of its type is shown as null, and survives; so does a word that is no option any more."""
    key = await new_client(app)
    put_text(place, "customers_employees", "customers", key, "about ten")
    put_text(place, "customers_industry", "customers", key, "Fishing")
    put_text(place, "customers_brand_colour", "customers", key, "#ff0000")
    put_text(place, "customers_portal_link", "customers", key, '<a href="https://x.example" target="_blank">x</a>')
    row = (await app.json(f"clients/{key}?fields=*,custom.*"))["data"]
    answer = await send(app, "PUT", f"clients/{key}", row)

    assert (row["custom.customers_employees"], row["custom.customers_industry"]) == (None, "Fishing")
    assert data(answer) == row
    assert stored(place, "customers", key) == {
        "customers_employees": "about ten",
        "customers_industry": "Fishing",
        "customers_brand_colour": "#ff0000",
        "customers_portal_link": '<a href="https://x.example" target="_blank">x</a>',
    }


async def test_rows_that_a_filter_chooses_are_changed(app: App, place: Crm) -> None:
    """By a custom field, to another one."""
    keys = [await new_client(app, **{"custom.customers_tier": "bulk-only"}) for _ in range(2)]
    query = "filter[custom.customers_tier]=bulk-only&max_affected=5"
    answer = await send(
        app, "PATCH", f"clients?{query}", {"custom.customers_tier": "done", "custom.customers_employees": 4}
    )

    assert answer.status_code == 200, answer.text
    assert [stored(place, "customers", key) for key in keys] == [
        {"customers_tier": "done", "customers_employees": "4"}
    ] * 2


async def test_a_row_that_is_there_already_is_changed(app: App, place: Crm) -> None:
    """Or left alone, and then its own values are shown."""
    key = await new_client(app, **{"custom.customers_tier": "old"})
    body = {"userid": key, "company": "Custom & Co", "custom.customers_tier": "new"}
    ignored = data(await send(app, "POST", "clients?on_conflict=ignore", body))
    changed = data(await send(app, "POST", "clients?on_conflict=update", body))

    assert (ignored["custom.customers_tier"], changed["custom.customers_tier"]) == ("old", "new")
    assert stored(place, "customers", key) == {"customers_tier": "new"}


async def test_values_left_over_from_a_removed_row_are_taken_over(app: App, place: Crm) -> None:
    """A row that is made with a key of the client's own may meet some."""
    put_text(place, "customers_tier", "customers", 880_001, "left over")
    row = data(
        await send(app, "POST", "clients", {"userid": 880_001, "company": "New", "custom.customers_tier": "own"})
    )

    assert row["custom.customers_tier"] == "own"
    assert stored(place, "customers", 880_001) == {"customers_tier": "own"}


async def test_values_go_with_their_row(app: App, place: Crm) -> None:
    """They never block a delete, whoever wrote them."""
    key = await new_client(app, **TIERS)
    answer = await send(app, "DELETE", f"clients/{key}")

    assert (answer.status_code, stored(place, "customers", key)) == (204, {})


async def test_text_that_is_shown_as_null_is_cleared_by_empty_text(app: App, place: Crm) -> None:
    """Null is what was read, and changes nothing."""
    key = await new_client(app)
    put_text(place, "customers_employees", "customers", key, "about ten")
    await send(app, "PATCH", f"clients/{key}", {"custom.customers_employees": None})
    kept = stored(place, "customers", key)
    await send(app, "PATCH", f"clients/{key}", {"custom.customers_employees": ""})

    assert (kept, stored(place, "customers", key)) == (
        {"customers_employees": "about ten"},
        {"customers_employees": ""},
    )


# Reading


def texts_of(crm: Crm, slug: str, entity: str) -> dict[int, str]:
    """Return the text of each record's first value of a field."""
    rows = crm.run(
        "SELECT relid, value FROM tblcustomfieldsvalues WHERE fieldto = %s AND fieldid = %s ORDER BY id DESC",
        entity,
        definition(crm, slug),
    )
    return {int(row["relid"]): row["value"] for row in rows if row["value"]}


async def keys_of(app: App, path: str) -> list[int]:
    """Return the keys of a list's rows."""
    key = "id" if path.startswith(("leads", "invoices")) else "userid"
    return [row[key] for row in (await app.json(f"{path}&fields={key}&per_page=1000"))["data"]]


async def test_rows_are_chosen_and_sorted_by_what_their_fields_mean(app: App, place: Crm) -> None:
    """Numbers as numbers, days as days, words by what they hold; records without a value come first or not at all."""
    numbers = {key: float(text) for key, text in texts_of(place, "leads_budget", "leads").items()}
    calls = texts_of(place, "leads_call_at", "leads")
    channels = texts_of(place, "leads_channels", "leads")
    every = await keys_of(app, "leads?sort=id")
    ranked = sorted(every, key=lambda key: (numbers.get(key, -1.0), key))

    assert len(numbers) > 3
    assert await keys_of(app, "leads?sort=custom.leads_budget") == ranked
    assert await keys_of(app, "leads?filter[custom.leads_budget.gte]=900&sort=id") == [
        key for key in every if numbers.get(key, 0) >= 900
    ]
    assert await keys_of(app, "leads?filter[custom.leads_budget.null]=1&sort=id") == [
        key for key in every if key not in numbers
    ]
    assert await keys_of(app, "leads?filter[custom.leads_call_at.lt]=2026-07-15&sort=id") == [
        key for key in every if "" < calls.get(key, "") < "2026-07-15"
    ]
    assert await keys_of(app, "leads?filter[custom.leads_channels.contains]=Phone&sort=id") == [
        key for key in every if "Phone" in channels.get(key, "")
    ]
    body = {"where": {"or": [{"custom.leads_budget.gt": 3000}, {"not": {"custom.leads_budget.gt": 100}}]}}
    answer = await send(app, "POST", "leads/query", {**body, "fields": "id", "sort": "id", "per_page": 1000})
    assert [row["id"] for row in answer.json()["data"]] == [
        key for key in every if key in numbers and not 100 < numbers[key] <= 3000
    ]


async def test_rows_are_chosen_by_the_fields_of_their_parents(app: App, place: Crm) -> None:
    """Through a to-one, and the other way through a to-many."""
    industries = texts_of(place, "customers_industry", "customers")
    clients = {int(row["id"]): int(row["clientid"]) for row in place.run("SELECT id, clientid FROM tblinvoices")}
    orders = texts_of(place, "invoice_po_number", "invoice")

    assert await keys_of(app, "invoices?filter[client.custom.customers_industry]=Health&sort=id") == sorted(
        key for key, client in clients.items() if industries.get(client) == "Health"
    )
    assert await keys_of(app, "clients?filter[invoices.custom.invoice_po_number.null]=0&sort=userid") == sorted(
        {clients[key] for key in orders}
    )


async def test_groups_of_a_field_and_sums_over_it(app: App, place: Crm) -> None:
    """Records without a value are a group too; what is no number counts as nothing."""
    industries = texts_of(place, "customers_industry", "customers")
    staff = texts_of(place, "customers_employees", "customers")
    keys = await keys_of(app, "clients?sort=userid")
    due: dict[str | None, tuple[int, Decimal]] = {}
    for key in keys:
        text = staff.get(key, "")
        count, total = due.get(industries.get(key), (0, Decimal(0)))
        due[industries.get(key)] = count + 1, total + (Decimal(text) if text[:1].isdigit() else 0)
    query = "clients?group=custom.customers_industry&metrics=count,sum.custom.customers_employees"
    groups = (await app.json(query))["data"]

    assert {group["custom.customers_industry"]: group["count"] for group in groups} == {
        name: count for name, (count, _) in due.items()
    }
    assert {
        group["custom.customers_industry"]: Decimal(str(group["sum.custom.customers_employees"] or 0))
        for group in groups
    } == {name: total for name, (_, total) in due.items()}


async def test_a_walk_by_cursor_sees_each_row_once(app: App) -> None:
    """In the order of a custom field, whose values tie and lack."""
    seen: list[int] = []
    query = "leads?sort=-custom.leads_budget&fields=id&per_page=4"
    cursor: str | None = ""
    while cursor is not None:
        page = await app.json(f"{query}&cursor={cursor}")
        seen.extend(row["id"] for row in page["data"])
        cursor = page["meta"]["next_cursor"]

    assert seen == await keys_of(app, "leads?sort=-custom.leads_budget")


async def test_fields_come_along_with_embedded_rows(app: App, place: Crm) -> None:
    """Of the client of an invoice, by name or all of them."""
    tiers = texts_of(place, "customers_tier", "customers")
    page = await app.json("invoices?include=client&fields=id&fields[client]=userid,custom.customers_tier&per_page=50")

    assert all(
        row["client"]["custom.customers_tier"] == tiers.get(row["client"]["userid"])
        for row in page["data"]
        if row["client"]
    )
    assert any(row["client"]["custom.customers_tier"] for row in page["data"])


# What is refused


@pytest.mark.parametrize(
    ("slug", "value", "code"),
    [
        ("customers_nothing", "x", "unknown"),
        ("customers_api_token", "x", "unknown"),
        ("customers_industry", "Fishing", "member"),
        ("customers_interests", ["Hosting", "Fishing"], "member"),
        ("customers_interests", 5, "type"),
        ("customers_employees", "ten", "type"),
        ("customers_employees", True, "type"),
        ("customers_employees", "0." + "1" * 31, "scale"),
        ("customers_employees", "1" * 36, "out_of_range"),
        ("customers_renewal_date", "2026-02-30", "type"),
        ("customers_renewal_date", "0999-01-01", "out_of_range"),
        ("customers_tier", ["a"], "type"),
        ("customers_brand_colour", "#00ff00", "read_only"),
    ],
)
async def test_a_value_that_does_not_fit_is_named(app: App, slug: str, value: object, code: str) -> None:
    """Beside the faults of columns, under the name that was sent."""
    found = await faults(app, "POST", "clients", **{"company": "X", "nothing": 1, f"custom.{slug}": value})

    assert found == [("/nothing", "unknown"), (f"/custom.{slug}", code)]


@pytest.mark.parametrize("slug", ["invoice_retired_field", "invoice_approved_on", "customers_tier"])
async def test_a_field_out_of_use_hidden_or_of_another_record_is_unknown(app: App, slug: str) -> None:
    """All alike, to readers and writers."""
    answer = await app.get(f"invoices?fields=custom.{slug}")

    assert (answer.status_code, answer.json()["code"]) == (400, "field_unknown")
    assert await faults(app, "PATCH", "invoices/1", **{f"custom.{slug}": "x"}) == [(f"/custom.{slug}", "unknown")]


DOORS: tuple[tuple[str, str, dict[str, object] | None], ...] = (
    ("GET", "clients?fields=NAME", None),
    ("GET", "clients/1?fields=userid,NAME", None),
    ("GET", "clients?sort=-NAME", None),
    ("GET", "clients?filter[NAME]=x", None),
    ("GET", "clients?filter[NAME.null]=1", None),
    ("GET", "clients?filter[not][NAME.starts]=x", None),
    ("GET", "invoices?filter[client.NAME.contains]=x", None),
    ("GET", "invoices?include=client&fields[client]=NAME", None),
    ("GET", "invoices?sort=client.NAME", None),
    ("GET", "clients?group=NAME", None),
    ("GET", "clients?group=active&metrics=max.NAME", None),
    ("GET", "invoices?group=client.NAME", None),
    ("POST", "clients", {"company": "x", "NAME": "x"}),
    ("POST", "clients", {"company": "x", "NAME": None}),
    ("PATCH", "clients/1", {"NAME": ""}),
    ("PATCH", "clients?filter[NAME]=x&max_affected=1", {"city": "x"}),
)
_SUGGESTED = re.compile(r' Did you mean [^"?]*\?|,?"suggestion":"[^"]*"|; did you mean [^"]*')


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
@pytest.mark.parametrize("slug", ["customers_api_token", "leads_password_hint", "invoice_retired_field"])
async def test_a_secret_answers_as_a_name_that_was_made_up(
    app: App, method: str, path: str, body: dict[str, object] | None, slug: str
) -> None:
    """Through every door: the same status and the same words, and it is never suggested."""
    told = []
    for name in (f"custom.{slug}", f"custom.{'q' * len(slug)}"):
        sent = None if body is None else {each.replace("NAME", name): value for each, value in body.items()}
        answer = await send(app, method, path.replace("NAME", name), sent)
        text = answer.text.replace(answer.headers["x-request-id"], "ID")
        assert slug not in _SUGGESTED.sub("", text).replace(name, "")
        told.append((answer.status_code, _SUGGESTED.sub("", text).replace(name, "NAME")))

    assert told[0] == told[1]
    assert told[0][0] in (400, 422)


async def test_values_of_hidden_fields_are_in_no_table(app: App, place: Crm) -> None:
    """Neither those of secrets nor those that the whitelist hides."""
    hidden = {definition(place, slug) for slug in ("customers_api_token", "invoice_approved_on")}
    rows = (await app.json("customfieldsvalues?per_page=1000&fields=fieldid"))["data"]

    assert not hidden & {row["fieldid"] for row in rows}


async def test_text_that_the_crm_prints_raw_holds_no_script(app: App, place: Crm) -> None:
    """Also in a field of plain text, where a lone ``<`` stays what it is."""
    key = await new_client(
        app,
        **{
            "custom.customers_tier": "a < b",
            "custom.customers_background": "<script>alert(1)</script>x",
            "custom.customers_portal_link": '<a href="javascript:alert(1)" onclick="x()">x</a>',
        },
    )
    await send(app, "PATCH", f"clients/{await new_client(app)}", {"custom.customers_tier": "<img src=x onerror=x()>"})

    assert stored(place, "customers", key) == {
        "customers_tier": "a < b",
        "customers_background": "x",
        "customers_portal_link": '<a rel="noopener noreferrer">x</a>',
    }
    assert not place.run("SELECT id FROM tblcustomfieldsvalues WHERE value LIKE %s", "%onerror%")


# Tags


async def test_a_custom_field_is_part_of_the_tag(app: App, place: Crm) -> None:
    """Whoever changes it: the tag before no longer holds, and comes back with the value."""
    key = await new_client(app, **{"custom.customers_tier": "one"})
    first = await app.get(f"clients/{key}")
    changed = await send(app, "PATCH", f"clients/{key}", {"custom.customers_tier": "two"})
    place.run(
        "UPDATE tblcustomfieldsvalues SET value = 'three' WHERE fieldto = 'customers' AND relid = %s AND fieldid = %s",
        key,
        definition(place, "customers_tier"),
    )
    third = await app.get(f"clients/{key}?fields=userid")
    back = await send(app, "PATCH", f"clients/{key}", {"custom.customers_tier": "one"})

    tags = [answer.headers["etag"] for answer in (first, changed, third, back)]
    assert len(set(tags)) == 3
    assert (tags[0], tags[3]) == (tags[3], (await app.get(f"clients/{key}")).headers["etag"])


async def test_a_tag_that_a_custom_field_made_stale_is_refused(app: App, place: Crm) -> None:
    """412 for a change and a delete; the tag of now is taken."""
    key = await new_client(app, **{"custom.customers_tier": "one"})
    stale = (await app.get(f"clients/{key}")).headers["etag"]
    put_text(place, "customers_employees", "customers", key, "3")
    path, tag = f"/api/v1/clients/{key}", {"if-match": stale}
    refused = [
        await app.client.patch(path, json={"custom.customers_tier": "two"}, headers=tag),
        await app.client.delete(path, headers=tag),
    ]
    now = {"if-match": (await app.get(f"clients/{key}")).headers["etag"]}
    taken = await app.client.patch(path, json={"custom.customers_tier": "two"}, headers=now)

    assert [answer.status_code for answer in refused] == [412, 412]
    assert taken.status_code == 200
    assert stored(place, "customers", key)["customers_tier"] == "two"


async def test_every_way_of_writing_a_row_gives_the_tag_that_reading_it_does(app: App) -> None:
    """A create, a change, and a row that was there."""
    created = await send(app, "POST", "clients", {"company": "Tagged", "custom.customers_tier": "one"})
    key = data(created)["userid"]
    read = [(await app.get(f"clients/{key}")).headers["etag"]]
    body = {"userid": key, "company": "Tagged", "custom.customers_tier": "two"}
    changed = await send(app, "POST", "clients?on_conflict=update", body)
    read.append((await app.get(f"clients/{key}?fields=custom.customers_tier")).headers["etag"])

    assert [created.headers["etag"], changed.headers["etag"]] == read


# Several writers


async def test_changes_at_the_same_time_leave_one_value(app: App, place: Crm) -> None:
    """The row is held while its fields are written, so that no two of them add one."""
    key = await new_client(app)
    texts = [f"writer {number}" for number in range(8)]
    answers = await asyncio.gather(
        *(send(app, "PATCH", f"clients/{key}", {"custom.customers_tier": text}) for text in texts)
    )

    assert [answer.status_code for answer in answers] == [200] * 8
    assert stored(place, "customers", key)["customers_tier"] in texts


async def test_new_rows_at_the_same_time_each_have_their_own(app: App, place: Crm) -> None:
    """None waits for another one's values, or fails for them."""
    keys = await asyncio.gather(*(new_client(app, **{"custom.customers_tier": f"T{number}"}) for number in range(8)))

    assert [stored(place, "customers", key) for key in keys] == [{"customers_tier": f"T{n}"} for n in range(8)]


# Every kind of record

RECORDS: tuple[tuple[str, str, str, object, dict[str, object]], ...] = (
    ("contacts", "contacts", "contacts_birthday", "1990-02-28", {"firstname": "A", "lastname": "B", "userid": 1}),
    ("contracts", "contracts", "contracts_archive_box", "B-7", {"client": 1, "subject": "x"}),
    ("creditnotes", "credit_note", "credit_note_reason", "Goodwill", {"clientid": 1}),
    ("estimates", "estimate", "estimate_competitor", "Other", {"clientid": 1}),
    ("expenses", "expenses", "expenses_approved_by", "Zoë", {"category": 1, "amount": 1}),
    ("projects", "projects", "projects_cost_centre", "CC-200", {"name": "x", "clientid": 1}),
    ("proposals", "proposal", "proposal_win_chance", 40, {"subject": "x", "rel_type": "customer", "rel_id": 1}),
    ("tasks", "tasks", "tasks_effort", 2.5, {"name": "x"}),
    ("tickets", "tickets", "tickets_browser", "Firefox", {"subject": "x", "department": 1, "name": "N"}),
)


@pytest.fixture(scope="module")
async def whole(place: Crm) -> AsyncIterator[App]:
    """The application on the same CRM with the packaged whitelist."""
    async with served(place.url, staff_id=1) as running:
        yield running


@pytest.mark.parametrize(("resource", "entity", "slug", "value", "body"), RECORDS)
async def test_every_kind_of_record_is_written_with_its_fields(
    whole: App, place: Crm, resource: str, entity: str, slug: str, value: object, body: dict[str, object]
) -> None:
    """Whatever rule goes with it: made, read, changed alone with If-Match, emptied and deleted."""
    name = f"custom.{slug}"
    mail = {"email": f"{slug}@custom.example"} if resource in ("contacts", "tickets") else {}
    made = await send(whole, "POST", resource, {**body, **mail, name: value})
    path = made.headers["location"]
    key = int(path.rpartition("/")[2])
    read = await whole.client.get(f"{path}?fields={name}")
    put_back = await whole.client.patch(path, json={name: value}, headers={"if-match": read.headers["etag"]})
    kept = stored(place, entity, key)
    emptied = await whole.client.patch(path, json={name: None})
    empty = stored(place, entity, key)
    deleted = await whole.client.delete(path)

    assert (data(made)[name], data(read), data(put_back)[name]) == (value, {name: value}, value)
    assert (kept, empty) == ({slug: str(value)}, {slug: ""})
    assert data(emptied)[name] is None
    assert (deleted.status_code, stored(place, entity, key)) == (204, {})
